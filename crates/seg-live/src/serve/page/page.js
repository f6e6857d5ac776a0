"use strict";

// What people wrote never becomes markup: all texts are set as texts.

const SHOWN = 20;
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

// Of today the day need not be said.
const clock = {
  format(date) {
    const isToday = day.format(date) === day.format(new Date());
    return isToday ? time.format(date) : day.format(date) + ", " + time.format(date);
  },
};

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function instant(text) {
  const made = element("time", clock.format(new Date(text)));
  made.dateTime = text;
  return made;
}

const CAUSES = {
  event: "by what they did",
  attributes: "by what they are",
  late: "by something that was told late",
  time: "as time passed",
  merge: "as ids became one person",
  program: "as the segment was changed",
  forgotten: "as they were forgotten",
};

/* Segments and health. */

const opened = new Map();

function showSegments(segments) {
  const body = at("segments").tBodies[0];
  at("no-segments").hidden = segments.length > 0;
  at("segments").hidden = segments.length === 0;
  segments.forEach(({ segment, people }, nth) => {
    if (!opened.has(segment)) opened.set(segment, people);
    let row = body.rows[nth];
    if (!row) {
      row = body.insertRow();
      const name = element("th");
      name.scope = "row";
      row.append(name, element("td", "", "n"), element("td", "", "n"));
    }
    const by = people - opened.get(segment);
    row.cells[0].textContent = segment;
    row.cells[1].textContent = number.format(people);
    row.cells[2].textContent = by === 0 ? "same" : (by > 0 ? "+" : "−") + number.format(Math.abs(by));
    row.cells[2].className = by === 0 ? "n mut" : by > 0 ? "n up" : "n down";
  });
  while (body.rows.length > segments.length) body.deleteRow(-1);
}

function showHealth(health) {
  const words = health.words || [];
  const well = health.ok && words.length === 0;
  at("health").textContent = well ? "Memberships are up to date." : health.ok ? "Something needs a look." : "Memberships are not kept.";
  at("health").className = well ? "" : "bad";
  at("words").replaceChildren(...words.map((text) => element("li", text)));
  if (health.project) {
    at("project").textContent = health.project;
    document.title = health.project + ": live segments";
  }
  const facts = [
    ["As of", health.now && clock.format(new Date(health.now))],
    ["People", health.people !== undefined && number.format(health.people)],
    ["Records since the start", health.records !== undefined && number.format(health.records)],
    ["Changes", health.changes !== undefined && number.format(health.changes)],
    ...(health.refused || []).map(({ reason, records }) => ["Refused, " + reason, number.format(records)]),
  ];
  at("facts").replaceChildren(
    ...facts.filter(([, value]) => value).map(([name, value]) => {
      const fact = element("div");
      fact.append(element("dt", name), element("dd", value));
      return fact;
    }),
  );
}

/* Changes. */

function link(id) {
  const made = element("button", id, "link");
  made.type = "button";
  made.addEventListener("click", () => look(id, true));
  return made;
}

function change(of) {
  const row = element("li");
  const told = element("span");
  const verb = of.change === "entered" ? "entered" : "left";
  told.append(link(of.person), " ", element("b", verb, verb), " “" + of.segment + "” ");
  told.append(element("span", CAUSES[of.cause] || of.cause, "mut"));
  row.append(instant(of.at), told);
  return row;
}

function showChanges(changes) {
  if (changes.length === 0 || at("paused").checked) return;
  const list = at("changes");
  // A list that moves must not take the focus away.
  const focused = list.contains(document.activeElement);
  if (focused) return;
  list.prepend(...changes.slice().reverse().map(change));
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  at("no-changes").hidden = true;
}

/* A person. */

async function look(id, moves) {
  const shown = at("person");
  at("id").value = id;
  let of;
  try {
    const answer = await fetch("/people/" + encodeURIComponent(id));
    of = await answer.json();
    if (!answer.ok) throw new Error(of.message);
  } catch (error) {
    shown.replaceChildren(element("p", "“" + id + "”: " + error.message));
    return;
  }
  const parts = [element("h3", of.id)];
  const others = of.ids.filter((other) => other !== of.id);
  if (others.length > 0) parts.push(element("p", "Also known as " + others.join(", "), "mut"));
  parts.push(element("p", number.format(of.facts) + " records are kept of them.", "mut"));
  const standing = element("p", of.until ? "If nothing comes before, they are judged again on " : "Time alone changes nothing for them.", "mut");
  if (of.until) standing.append(instant(of.until), ".");
  parts.push(standing);
  parts.push(element("h3", of.segments.some((one) => one.in) ? "Segments" : "In no segment"));
  parts.push(...of.segments.map((one) => element("pre", one.text)));
  if (of.timeline.length > 0) {
    parts.push(element("h3", "What they did last"));
    const list = element("ol");
    list.append(...of.timeline.map((event) => {
      const row = element("li");
      row.append(instant(event.time), " ", event.event);
      return row;
    }));
    parts.push(list);
  }
  shown.replaceChildren(...parts);
  if (moves) {
    shown.focus({ preventScroll: true });
    at("person-title").scrollIntoView({ block: "start" });
  }
}

at("find").addEventListener("submit", (event) => {
  event.preventDefault();
  look(at("id").value.trim(), false);
});

/* What is sent as it comes. */

async function begin() {
  const health = await (await fetch("/health")).json();
  showHealth(health);
  showSegments(await (await fetch("/segments")).json());
  const after = Math.max(0, (health.changes || 0) - SHOWN);
  const answer = await fetch("/changes?after=" + after);
  if (answer.ok) {
    at("changes").replaceChildren();
    showChanges((await answer.json()).changes);
  }
}

function follow() {
  const stream = new EventSource("/stream");
  stream.addEventListener("open", () => begin().catch(() => {}));
  stream.addEventListener("state", (event) => {
    const { segments, health } = JSON.parse(event.data);
    showSegments(segments);
    showHealth(health);
  });
  stream.addEventListener("changes", (event) => showChanges(JSON.parse(event.data).changes));
  stream.addEventListener("error", () => {
    at("health").textContent = "The connection was lost; trying again …";
    at("health").className = "bad";
  });
}

follow();
