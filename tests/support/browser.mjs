// Debian's Chromium under playwright-core, axe-core after every step, a screenshot at both widths where one is asked for.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const SHOTS = process.env.TONGBAN_SCREENSHOTS;

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 900 };

export async function launch() {
  return chromium.launch({
    executablePath: process.env.TONGBAN_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A person at a browser: `script: false` walks without JavaScript, as every page must allow. */
export async function person(browser, { width = DESK, script = true, language = "zh-TW" } = {}) {
  const context = await browser.newContext({
    viewport: width,
    locale: language,
    javaScriptEnabled: script,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const problems = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) problems.push(message.text());
  });
  return { page, context, problems, script };
}

/** axe-core finds nothing. Where the person browses without script, the same HTML is looked at in a page that has it. */
export async function accessible(who, name) {
  let { page } = who;
  let extra;
  if (!who.script) {
    extra = await who.context.browser().newContext({ viewport: page.viewportSize(), storageState: await who.context.storageState() });
    const url = page.url();
    const body = await page.content();
    page = await extra.newPage();
    await page.route(url, (route) => route.fulfill({ body, contentType: "text/html; charset=utf-8" }));
    await page.goto(url);
  }
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const found = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return found.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.slice(0, 3).map((node) => `${node.html} — ${node.failureSummary}`),
    }));
  });
  await extra?.close();
  assert.deepEqual(violations, [], `axe-core on ${name}`);
}

/** No sideways scroll at this width. */
export async function fits(who, name) {
  const wide = await who.page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
  assert.ok(wide <= 1, `${name} scrolls sideways by ${wide} px`);
}

export async function shot(who, name) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await who.page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

/** Everything that is asked of a page, at one place. With TONGBAN_LOOK_ON all pages are told that fail, not the first. */
export async function looked(who, name) {
  await shot(who, name);
  if (process.env.TONGBAN_LOOK_ON) {
    await accessible(who, name).catch((error) => console.error(`${name}: ${JSON.stringify(error.actual?.map?.(({ id, nodes }) => [id, ...nodes]) ?? String(error))}`));
    await fits(who, name).catch((error) => console.error(String(error)));
    return;
  }
  await accessible(who, name);
  if (who.script) await fits(who, name);
  assert.equal(await who.page.locator("h1").count(), 1, `${name} has one h1`);
  assert.deepEqual(who.problems, [], `errors in the browser on ${name}`);
}
