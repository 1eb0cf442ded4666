// The page of examples/hosts/service in a real browser: clicked through, looked at in light and dark, narrow and wide, and with
// hostile data.
// usage: node hosts_browser.mjs ADDRESS CHROMIUM SCREENSHOT [hostile]      (where playwright-core is installed)
import {createRequire} from "node:module";
const {chromium} = createRequire(process.cwd() + "/")("playwright-core");
const [address, executablePath, screenshot, hostile] = process.argv.slice(2);
let failed = 0;
function check(ok, what) {
  if (!ok) { failed = 1; console.error("FAILED: " + what); }
}
// Contrast of text with what is behind it, as WCAG 2 has it; the least of all elements with text of their own.
function leastContrast() {
  const linear = v => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => [r, g, b].map(linear).reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const numbers = text => text.match(/[\d.]+/g).map(Number);
  let least = [99, ""];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    let behind = e;
    while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const [a, b] = [luminance(numbers(getComputedStyle(e).color)), luminance(behind ? numbers(getComputedStyle(behind).backgroundColor) : [255, 255, 255])];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (contrast < least[0]) least = [contrast, e.tagName + " " + e.textContent.slice(0, 40)];
  }
  return least;
}

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({executablePath, args: quiet});
for (const colorScheme of ["light", "dark"]) {
  for (const [name, width] of [["wide", 1120], ["narrow", 390]]) {
    const page = await (await browser.newContext({colorScheme, viewport: {width, height: 860}})).newPage();
    const problems = [];
    page.on("pageerror", e => problems.push(String(e)));
    page.on("console", m => { if (m.type() === "error") problems.push(m.text()); });
    page.on("request", r => { if (!r.url().startsWith(address) && !r.url().startsWith("data:")) problems.push("loads " + r.url()); });
    page.on("dialog", d => { problems.push("a dialog"); d.dismiss(); });
    await page.goto(address);
    await page.waitForSelector("main h2");
    const buttons = page.locator("#list button");
    const ids = await buttons.locator("span:first-child").allTextContents();
    check(ids.length > 5, "a list of customers");
    check(await page.locator("main h2").first().textContent() === "Customer " + ids[0], "the first customer is shown");
    for (const at of [2, 4]) {
      await buttons.nth(at).click();
      await page.waitForFunction(id => document.querySelector("main h2").textContent === "Customer " + id, ids[at]);
      check(await buttons.nth(at).getAttribute("aria-current") === "true", "the chosen one is marked");
    }
    check(await page.locator("main section").count() === 5 && await page.locator("main .bar").count() >= 4, "five cards with bars");
    await page.goBack();
    await page.waitForFunction(id => document.querySelector("main h2").textContent === "Customer " + id, ids[2]);
    // For the pictures somebody of whom there is more to tell.
    const told = await page.evaluate(async () => {
      let id = "";
      for (let n = 0; n < 10; ++n) {
        for (const one of (await (await fetch("/api/customers?find=0" + n)).json()).customers.reverse()) {
          id = one.id;
          const c = await (await fetch("/api/customers/" + encodeURIComponent(id))).json();
          if (c.orders >= 4 && c.risk.reasons.some(r => r.effect < 0) && c.risk.reasons.some(r => r.effect > 0)) return id;
        }
      }
      return id || document.querySelector("#list button").dataset.id;
    });
    await page.evaluate(to => { location.hash = encodeURIComponent(to); }, told);
    await page.waitForFunction(id => document.querySelector("main h2").textContent === "Customer " + id, told);
    const [contrast, where] = await page.evaluate(leastContrast);
    check(contrast >= 4.5, `${colorScheme}: contrast ${contrast.toFixed(2)} of ${where}`);
    check(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: nothing to scroll sideways`);
    await page.mouse.move(0, 0);
    const kind = (colorScheme === "light" ? "" : "-dark") + (name === "wide" ? "" : "-narrow");
    if (screenshot && !hostile) await page.screenshot({path: screenshot.replace(".png", kind + ".png"), fullPage: name === "narrow"});
    // By the keyboard: into the field, down to the first customer found, and there.
    await page.focus("#find");
    await page.keyboard.type(ids[5]);
    await page.waitForFunction(id => document.querySelectorAll("#list button").length === 1 &&
      document.querySelector("#list button span").textContent === id, ids[5]);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForFunction(id => document.querySelector("main h2").textContent === "Customer " + id, ids[5]);
    await page.fill("#find", "nobody is called so");
    await page.waitForFunction(() => document.querySelectorAll("#list button").length === 0);
    // An address by hand, of somebody who is not there and would be markup.
    await page.evaluate(() => { location.hash = encodeURIComponent("<img src=x onerror=window.owned=1>"); });
    await page.waitForFunction(() => document.querySelector("main h2").textContent === "No answer");
    const refused = problems.filter(p => !p.includes("404"));  // the browser's own note of that refusal
    check(refused.length === 0, `${colorScheme}, ${name}: ${refused.join("; ")}`);
    if (hostile) {
      await page.fill("#find", "");
      await page.waitForFunction(() => document.querySelectorAll("#list button").length > 20);
      for (const id of await buttons.locator("span:first-child").allTextContents()) {
        await page.evaluate(to => { location.hash = encodeURIComponent(to); }, id);
        await page.waitForFunction(to => document.querySelector("main h2").textContent === "Customer " + to, id);
      }
      const markup = await page.evaluate(() => window.owned !== undefined ||
        document.querySelectorAll("script").length > 1 || document.querySelector("img, b") !== null);
      check(!markup, "nothing in the data became markup");
    }
    await page.close();
  }
}
await browser.close();
console.log(failed ? "browser: failed" : `browser: clicked through in light and dark, wide and narrow${hostile ? ", with hostile data" : ""}`);
process.exit(failed);
