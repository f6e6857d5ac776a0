// Looks at pages of `seg report` and drawings of `seg history` in a browser, as people see them: on a wide and on a
// narrow screen, light and dark, with everything unfolded, and printed.
//
//     node check.mjs BROWSER PICTURES FILE…
//
// Prints what is wrong, a line each, and ends with 1 where anything is. Pictures of what was seen are kept in the
// folder PICTURES.

import axe from "axe-core";
import { chromium } from "playwright-core";
import { basename } from "node:path";
import { pathToFileURL } from "node:url";

const [browserPath, pictures, ...files] = process.argv.slice(2);
const SCREENS = [
  { name: "wide", width: 1280, height: 900 },
  { name: "narrow", width: 390, height: 844 },
];
const problems = [];

// What no rule of axe-core looks for. Runs in the page.
function lookAround() {
  const found = [];
  const named = (element) => {
    const id = element.id ? `#${element.id}` : "";
    const names = element.getAttribute("class") ? `.${element.getAttribute("class").replaceAll(" ", ".")}` : "";
    return `${element.tagName.toLowerCase()}${id}${names}`;
  };
  const isSeen = (element) => element.checkVisibility({ visibilityProperty: true });
  if (document.querySelector("parsererror")) found.push("cannot be read as a drawing");
  const root = document.scrollingElement;
  if (root && root.scrollWidth > root.clientWidth) {
    const scrolls = (element) => element.closest(".scroll") !== null;
    const wide = [...document.querySelectorAll("body *")].filter(
      (element) => isSeen(element) && !scrolls(element) && element.getBoundingClientRect().right > root.clientWidth + 1,
    );
    found.push(`is ${root.scrollWidth} wide on ${root.clientWidth}: ${wide.slice(0, 3).map(named).join(", ")}`);
  }
  for (const svg of document.querySelectorAll("svg")) {
    const title = [...svg.children].find((child) => child.tagName === "title");
    if (svg.getAttribute("aria-hidden") !== "true" && !title?.textContent.trim()) {
      found.push(`${named(svg)} has no title`);
    }
    if (svg.parentElement?.closest("svg") || !isSeen(svg)) continue;
    // What is written in a drawing stands in it, and nothing over something else.
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].map((text) => [text, text.getBoundingClientRect()]);
    for (const [at, [text, box]] of texts.entries()) {
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 2 || box.top < frame.top - 2) {
        found.push(`"${text.textContent}" is outside ${named(svg)}`);
      }
      for (const [other, there] of texts.slice(at + 1)) {
        const [across, down] = [
          Math.min(box.right, there.right) - Math.max(box.left, there.left),
          Math.min(box.bottom, there.bottom) - Math.max(box.top, there.top),
        ];
        // Boxes of lines are higher than what is written in them.
        if (across > 1 && down > Math.min(box.height, there.height) * 0.4) {
          found.push(`"${text.textContent}" stands over "${other.textContent}" in ${named(svg)}`);
        }
      }
    }
  }
  for (const link of document.querySelectorAll("a[href^='#']")) {
    if (!document.getElementById(link.hash.slice(1))) found.push(`${link.hash} leads nowhere`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => found.push(`two have the id ${id}`));
  return found;
}

// Whether everything that can be worked with is reached by the keyboard, and seen when it is. `n` of them are tried.
async function keyboard(page, tell, n) {
  await page.evaluate(() => document.activeElement?.blur());
  const reached = [];
  for (let at = 0; at < n; at += 1) {
    await page.keyboard.press("Tab");
    const on = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      const box = element.getBoundingClientRect();
      const outline = getComputedStyle(element).outlineStyle;
      const all = [...document.querySelectorAll("a, summary, [tabindex='0']")].filter((one) => one.checkVisibility());
      return {
        place: all.indexOf(element),
        says: (element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 40),
        isSeen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        hasOutline: outline !== "none",
      };
    });
    if (!on) break;
    reached.push(on);
    if (!on.isSeen) tell(`the keyboard is on "${on.says}", which is not seen`);
    if (!on.hasOutline) tell(`the keyboard is on "${on.says}" without an outline`);
  }
  const places = reached.map((on) => on.place);
  if (places.some((place, at) => place !== at)) tell(`the keyboard goes another way than the page: ${places.join(" ")}`);
  if (reached.length === 0) tell("nothing is reached by the keyboard");
}

async function rules(page, tell) {
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of violations) {
    const places = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    const why = violation.nodes[0].any[0]?.message ?? violation.help;
    tell(`${violation.id}: ${why} (${violation.nodes.length} times: ${places})`);
  }
}

async function look(browser, file, screen, scheme) {
  const where = `${basename(file)}, ${screen.name}, ${scheme}`;
  const tell = (problem) => problems.push(`${where}: ${problem}`);
  const page = await browser.newPage({ viewport: screen, colorScheme: scheme });
  page.setDefaultTimeout(120_000);
  page.on("console", (message) => tell(`says: ${message.text()}`));
  page.on("pageerror", (error) => tell(`fails: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== pathToFileURL(file).href) tell(`loads ${request.url()}`);
  });
  await page.goto(pathToFileURL(file).href);
  const isPage = file.endsWith(".html");
  const picture = (name, options) =>
    page
      .screenshot({ path: `${pictures}/${basename(file)}-${screen.name}-${scheme}${name}.png`, ...options })
      .catch(() => console.log(`no picture of ${where}${name}`));
  await picture("", {});
  if (isPage) await keyboard(page, tell, 12);
  (await page.evaluate(lookAround)).forEach(tell);
  if (isPage) {
    await page.evaluate(axe.source);
    // Light and dark, wide and narrow, folded and unfolded each come, and not all of them together.
    const isUnfolded = (scheme === "light") === (screen.name === "wide");
    if (!isUnfolded) await rules(page, tell);
    // The tables behind the charts.
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
    (await page.evaluate(lookAround)).forEach((problem) => tell(`unfolded, ${problem}`));
    if (isUnfolded) await rules(page, (problem) => tell(`unfolded, ${problem}`));
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = false)));
    // A page may be longer than a picture can be.
    const height = Math.min(6_000, await page.evaluate(() => document.documentElement.scrollHeight));
    await picture("-long", { fullPage: true, clip: { x: 0, y: 0, width: screen.width, height } });
  }
  if (isPage && scheme === "light" && screen.name === "wide") {
    const pdf = await page.pdf({ path: `${pictures}/${basename(file)}.pdf`, format: "A4" });
    if (pdf.length < 10_000) tell("prints nothing");
  }
  await page.close();
}

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
for (const file of files) {
  for (const screen of SCREENS) {
    for (const scheme of ["light", "dark"]) await look(browser, file, screen, scheme);
  }
}
await browser.close();
problems.forEach((problem) => console.log(problem));
console.log(`${files.length} files on ${SCREENS.length} screens in light and dark: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
