#ifndef EXAMPLES_HOSTS_SERVICE_PAGE_HPP
#define EXAMPLES_HOSTS_SERVICE_PAGE_HPP

// The page of service.cpp: three texts that need no other file and no network. What comes from the data gets into the page as
// text alone (`textContent`), so that nothing in it can become markup.

namespace service_page {

inline constexpr const char* html = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Customer desk</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
<script src="/app.js" defer></script>
</head>
<body>
<header><h1>Customer desk</h1><p>Risk, reasons, offers and the next best action, one customer at a time.</p></header>
<div class="page">
<nav aria-label="Customers">
<label for="find">Find a customer by id</label>
<input id="find" type="search" autocomplete="off" spellcheck="false" placeholder="any part of an id">
<p id="found" role="status"></p>
<ul id="list"></ul>
</nav>
<main id="customer" tabindex="-1" aria-live="polite"><p class="quiet">Loading …</p></main>
</div>
<footer>Made with Caramel. Everything is worked out on this machine.</footer>
</body>
</html>
)html";

inline constexpr const char* style = R"css(
:root { --page: #f5f4f0; --card: #fff; --ink: #1d1d1b; --quiet: #5c5b55; --line: #dcdad2; --accent: #8a4a00; --raises: #b3261e; --lowers: #1b6e54; --mark: #fbe7cd; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161513; --card: #211f1c; --ink: #f1efe9; --quiet: #b3aea3; --line: #3d3a34; --accent: #f0b36b; --raises: #ff9d92; --lowers: #74d1ae; --mark: #4a3519; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, footer, .page { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.25rem; }
h1 { margin: 0; font-size: 1.5rem; color: var(--accent); }
header p { margin: 0 0 1rem; color: var(--quiet); }
footer { padding: 1.5rem 1.25rem; color: var(--quiet); font-size: .875rem; }
.page { display: grid; grid-template-columns: 15rem 1fr; gap: 1.25rem; align-items: start; }
nav, section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem; }
nav label { font-weight: 600; }
nav input { width: 100%; padding: .5rem .6rem; margin-top: .25rem; font: inherit; color: inherit; background: var(--page); border: 1px solid var(--quiet); border-radius: .5rem; }
#found { margin: .5rem 0; font-size: .875rem; color: var(--quiet); }
#list { list-style: none; margin: 0; padding: 0; max-height: 32rem; overflow: auto; }
#list button { display: flex; justify-content: space-between; gap: .5rem; width: 100%; padding: .4rem .5rem; border: 0; border-radius: .4rem; background: none; color: inherit; font: inherit; text-align: left; cursor: pointer; overflow-wrap: anywhere; }
#list button:hover { background: var(--page); }
#list [aria-current] { background: var(--mark); font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
main { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 1.25rem; }
main:focus { outline: none; }
main > .wide { grid-column: 1 / -1; }
h2 { margin: 0 0 .5rem; font-size: 1.125rem; overflow-wrap: anywhere; }
section > p { margin: 0 0 .75rem; color: var(--quiet); font-size: .9375rem; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 0; }
.figures dt { color: var(--quiet); font-size: .875rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures small { display: block; font-size: .8125rem; font-weight: 400; color: var(--quiet); }
.bars { list-style: none; margin: 0; padding: 0; }
.bars li { margin-bottom: .6rem; }
.bars div { display: flex; justify-content: space-between; gap: 1rem; overflow-wrap: anywhere; }
.bars .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: block; height: .5rem; border-radius: .25rem; background: var(--accent); min-width: 2px; }
.raises { background: var(--raises); } .lowers { background: var(--lowers); } .other { background: var(--quiet); }
.best { font-weight: 650; }
ol { margin: 0; padding-left: 1.5rem; }
ol li { margin-bottom: .5rem; overflow-wrap: anywhere; }
small, .quiet { color: var(--quiet); }
ol small { display: block; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
th, td { padding: .35rem .5rem .35rem 0; text-align: left; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 500; }
td:first-child { white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin-top: .75rem; font-size: .875rem; color: var(--quiet); white-space: pre-line; }
@media (max-width: 52rem) { .page, main { grid-template-columns: minmax(0, 1fr); } #list { max-height: 11rem; } }
)css";

inline constexpr const char* script = R"js("use strict";
const by = id => document.getElementById(id);
// An element with attributes and children; what is no element becomes text.
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  made.append(...children.map(child => child instanceof Node ? child : String(child)));
  return made;
}
const money = x => x.toLocaleString("en", {minimumFractionDigits: 2, maximumFractionDigits: 2}).replace("-", "\u2212");
const percent = x => (100 * x).toLocaleString("en", {maximumFractionDigits: 0}) + " %";
const plural = (n, word) => n.toLocaleString("en") + " " + word + (n === 1 ? "" : "s");

async function ask(path) {
  const answer = await fetch(path);
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}
function bar(share, kind) {
  const made = el("span", {class: "bar " + kind});
  made.style.width = Math.max(0, Math.min(100, 100 * share)) + "%";
  return made;
}
function card(title, note, ...content) {
  return el("section", {}, el("h2", {}, title), ...(note ? [el("p", {}, note)] : []), ...content);
}
function figure(name, value, note) { return el("div", {}, el("dt", {}, name), el("dd", {}, value, el("small", {}, note))); }

function overview(c) {
  const made = card("Customer " + c.id, "", el("dl", {class: "figures"},
    figure("Risk of not coming back", percent(c.risk.probability), "higher than for " + percent(Math.floor(100 * c.risk.higher_than) / 100) + " of the customers"),
    figure("Orders", c.orders.toLocaleString("en"), "since " + c.first_order),
    figure("Spent", money(c.spend), "in all"),
    figure("Last order", c.last_order, plural(c.days_since, "day") + " before " + c.as_of)));
  made.classList.add("wide");
  return made;
}
function why(c) {
  const most = Math.max(...c.risk.reasons.map(r => Math.abs(r.effect)));
  return card("Why this risk", "What sets this customer apart from the average one, whose risk is about " + percent(c.risk.average) + ".",
    el("ul", {class: "bars"}, ...c.risk.reasons.map(r => el("li", {},
      el("div", {}, r.text, el("span", {class: "number"}, r.effect > 0 ? "▲ raises it" : "▼ lowers it")),
      bar(Math.abs(r.effect) / most, r.effect > 0 ? "raises" : "lowers")))));
}
function next(c) {
  const most = Math.max(.01, ...c.next.actions.map(a => Math.abs(a.adds)));
  return card("Next best action: " + c.next.action, "What it adds, this month, to the profit expected of this customer, beside doing nothing.",
    el("ul", {class: "bars"}, ...c.next.actions.map(a => el("li", a.name === c.next.action ? {class: "best"} : {},
      el("div", {}, a.name + (a.name === c.next.action ? " (best)" : ""), el("span", {class: "number"}, (a.adds > 0 ? "+" : "") + money(a.adds))),
      bar(Math.abs(a.adds) / most, a.adds < 0 ? "raises" : a.name === c.next.action ? "lowers" : "other")))),
    el("details", {}, el("summary", {}, "What is assumed of contacts"), c.next.assumed));
}
function offers(c) {
  return card("What to offer", "Products that the customer has not bought, best first.",
    c.offers.length ? el("ol", {}, ...c.offers.map(o => el("li", {}, o.name,
      el("small", {}, o.because.length ? "because of " + o.because.join(" and ") : "bought by many")))) : el("p", {}, "Nothing is left to offer."));
}
function recent(c) {
  return card("Latest purchases", "", el("table", {},
    el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "Day"), el("th", {scope: "col"}, "Product"), el("th", {scope: "col", class: "number"}, "Pieces"), el("th", {scope: "col", class: "number"}, "Spent"))),
    el("tbody", {}, ...c.recent.map(p => el("tr", {}, el("td", {}, p.day), el("td", {}, p.name), el("td", {class: "number"}, p.pieces), el("td", {class: "number"}, money(p.spend)))))));
}

let shown = "";
async function show(id) {
  shown = id;
  for (const button of document.querySelectorAll("#list button")) {
    if (button.dataset.id === id) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
  try {
    const c = await ask("/api/customers/" + encodeURIComponent(id));
    if (shown !== id) return;  // another one was chosen meanwhile
    by("customer").replaceChildren(overview(c), why(c), next(c), offers(c), recent(c));
    document.title = "Customer " + id;
  } catch (problem) {
    by("customer").replaceChildren(card("No answer", problem.message));
  }
}
let asked = 0;
async function list() {
  const turn = ++asked;
  try {
    const said = await ask("/api/customers?find=" + encodeURIComponent(by("find").value));
    if (turn !== asked) return;
    by("found").textContent = said.found > said.customers.length ? said.customers.length + " of " + said.found + ", those of the highest risk first" : plural(said.found, "customer") + ", the highest risk first";
    by("list").replaceChildren(...said.customers.map(c => {
      const button = el("button", {type: "button"}, el("span", {}, c.id), el("span", {class: "quiet"}, percent(c.risk)));
      button.dataset.id = c.id;
      button.addEventListener("click", () => { location.hash = encodeURIComponent(c.id); });
      return el("li", {}, button);
    }));
    if (!location.hash && said.customers.length) await show(said.customers[0].id);
    else if (location.hash && shown) for (const button of document.querySelectorAll("#list button")) if (button.dataset.id === shown) button.setAttribute("aria-current", "true");
  } catch (problem) {
    by("found").textContent = "No answer: " + problem.message;
  }
}
function follow() {
  let id = "";
  try { id = decodeURIComponent(location.hash.slice(1)); } catch { /* no name of a customer */ }
  if (id) show(id);
}
by("find").addEventListener("input", list);
window.addEventListener("hashchange", follow);
list().then(follow);
)js";

}  // namespace service_page

#endif
