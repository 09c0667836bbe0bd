// Runs Lighthouse on pages, one after the other. What to do comes as JSON on stdin, what was found leaves as JSON on
// stdout: for each page, form and run the scores (0–100), times (ms) and the scripts and style sheets that were loaded.
//
//   {"chrome": "/usr/bin/chromium", "flags": ["--no-sandbox"], "runs": 3, "forms": ["mobile", "desktop"],
//    "pages": [{"name": "login", "url": "http://…", "cookie": "sessionid=…"}]}

import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";
import puppeteer from "puppeteer-core";

const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const TIMES = {
  fcp: "first-contentful-paint",
  lcp: "largest-contentful-paint",
  tti: "interactive",
  tbt: "total-blocking-time",
  cls: "cumulative-layout-shift",
};

// The pages are for those who sign in: they ask search engines to stay away, which is held against them by this alone.
const SKIPPED = ["is-crawlable"];

async function measured(order, page, form) {
  const chrome = await launch({ chromePath: order.chrome, chromeFlags: ["--headless=new", ...order.flags] });
  try {
    if (page.cookie) await signIn(chrome.port, page);
    const options = { port: chrome.port, onlyCategories: CATEGORIES, skipAudits: SKIPPED };
    const config = form === "desktop" ? desktopConfig : undefined; // the default: a slow phone on slow 4G
    const { lhr } = await lighthouse(page.url, { ...options, logLevel: "silent" }, config);
    if (lhr.runtimeError) throw new Error(`${page.url}: ${lhr.runtimeError.message}`);
    return found(page, form, lhr);
  } finally {
    chrome.kill();
  }
}

// A cookie of the browser's own, which what the page asks for by script sends too; as a header, only pages have it.
async function signIn(port, page) {
  const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}` });
  const [name, value] = page.cookie.split("=");
  await browser.setCookie({ name, value, domain: new URL(page.url).hostname, path: "/" });
  await browser.disconnect();
}

function found(page, form, lhr) {
  const score = (name) => Math.round((lhr.categories[name].score ?? 0) * 100);
  const loaded = lhr.audits["network-requests"].details.items;
  return {
    name: page.name,
    form,
    shown: lhr.finalDisplayedUrl,
    scores: Object.fromEntries(CATEGORIES.map((name) => [name, score(name)])),
    times: Object.fromEntries(Object.entries(TIMES).map(([name, audit]) => [name, lhr.audits[audit].numericValue])),
    files: loaded.filter((item) => ["Script", "Stylesheet"].includes(item.resourceType)).map((item) => item.url),
    failed: Object.values(lhr.audits)
      .filter((audit) => audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode !== "informative")
      .map((audit) => `${audit.id}${audit.displayValue ? ` (${audit.displayValue})` : ""}`),
  };
}

let text = "";
for await (const part of process.stdin) text += part;
const order = JSON.parse(text);
const all = [];
for (const page of order.pages) {
  for (const form of order.forms) {
    for (let run = 0; run < order.runs; run += 1) all.push(await measured(order, page, form));
  }
}
process.stdout.write(JSON.stringify(all));
