// Looks at the page of `seg live` in a browser while records come, as an operator would.
//
//     node live.mjs BROWSER PICTURES PAGE TOKEN INTAKE KEY
//
// Prints what is wrong, a line each, and ends with 1 where anything is.

import axe from "axe-core";
import { chromium } from "playwright-core";

const [browserPath, pictures, address, token, intake, key] = process.argv.slice(2);
const SCREENS = [
  { name: "wide", width: 1280, height: 900 },
  { name: "narrow", width: 390, height: 844 },
];
// What somebody may call themselves; it must stay a text.
const HOSTILE = "<img src=x onerror=alert(1)>";
const problems = [];
const tell = (problem) => problems.push(problem);

async function post(calls) {
  const answer = await fetch(`${intake}/v1/batch`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(key + ":")}` },
    body: JSON.stringify({ batch: calls }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

const order = (userId, n) => ({ type: "track", userId, event: "Order Completed", messageId: `${userId} ${n}`, properties: { n } });
const row = (page, segment) => page.locator("#segments tbody tr", { hasText: segment });

async function rules(page, where) {
  // By the debugger, since the page lets no other script run.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of violations) {
    const places = violation.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ");
    tell(`${where}: ${violation.id}: ${violation.nodes[0].any[0]?.message ?? violation.help} (${places})`);
  }
  const [wide, there] = await page.evaluate(() => [document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]);
  if (wide > there) tell(`${where}: is ${wide} wide on ${there}`);
}

async function look(browser, screen, scheme) {
  const where = `${screen.name}, ${scheme}`;
  const context = await browser.newContext({ viewport: screen, colorScheme: scheme });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("console", (message) => tell(`${where}: says: ${message.text()}`));
  page.on("pageerror", (error) => tell(`${where}: fails: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) tell(`${where}: loads ${request.url()}`);
  });
  await page.goto(`${address}/?token=${token}`);
  if (page.url().includes(token)) tell(`${where}: the token stays in the address`);
  await page.getByText("Memberships are up to date.").waitFor();
  await row(page, "Buyers").waitFor();
  const before = Number((await row(page, "Buyers").locator("td").first().textContent()).replaceAll(",", ""));

  // Sizes and changes move as records come.
  const n = Date.now();
  const people = ["ann", HOSTILE].map((name) => `${name} ${where}`);
  await post(Array.from({ length: 30 }, (_, at) => order(`visitor ${where} ${at}`, n)));
  // The list shows the newest alone, so whom it is asked for comes last.
  await post([
    ...people.map((id) => order(id, n)),
    { type: "identify", userId: people[0], messageId: `i ${n}`, traits: { plan: "pro" } },
  ]);
  await row(page, "Buyers").getByText(String(before + 32), { exact: true }).waitFor();
  await row(page, "Buyers").getByText("+32", { exact: true }).waitFor();
  await page.locator("#changes li", { hasText: people[1] }).first().waitFor();
  if ((await page.locator("img").count()) > 0) tell(`${where}: an id became a part of the page`);
  await rules(page, where);
  await page.screenshot({ path: `${pictures}/live-${screen.name}-${scheme}.png`, fullPage: true });

  // A person by the keyboard alone.
  await page.locator("#id").focus();
  await page.keyboard.type(people[0]);
  await page.keyboard.press("Enter");
  await page.getByText(`is in "Buyers"`).waitFor();
  await page.getByText("What they did last").waitFor();
  await rules(page, `${where}, a person`);
  await page.locator("#person-title").scrollIntoViewIfNeeded();
  await page.screenshot({ path: `${pictures}/live-person-${screen.name}-${scheme}.png`, fullPage: true });

  // One out of the list, and one whom nobody knows.
  await page.locator("#changes button", { hasText: people[1] }).first().click();
  await page.locator("#person h3", { hasText: people[1] }).waitFor();
  await page.locator("#id").fill("nobody at all");
  // That nobody is known by an id is an answer, which browsers tell of as an error.
  page.removeAllListeners("console");
  await page.keyboard.press("Enter");
  await page.getByText("nobody is known by this id").waitFor();
  await context.close();
}

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
try {
  for (const screen of SCREENS) {
    for (const scheme of ["light", "dark"]) await look(browser, screen, scheme);
  }
} catch (error) {
  tell(error.message);
} finally {
  await browser.close();
}
for (const problem of problems) console.log(problem);
console.log(`the page of seg live: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
