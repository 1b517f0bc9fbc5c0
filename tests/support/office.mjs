// What members of the staff do again and again: decide, seal and draw, pay.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { looked, person } from "./browser.mjs";
import { run } from "./services.mjs";
import { signInStaff } from "./steps.mjs";

/** An officer takes the cases of these numbers and approves them. */
export async function approve(browser, platform, account, numbers, name) {
  const officer = await person(browser);
  const { page } = officer;
  await signInStaff(officer, platform, account);
  for (const number of numbers) {
    await page.goto(`${platform.portal}/office`);
    await page.getByRole("link", { name: number }).click();
    await looked(officer, `${name}-officer-case`);
    await page.locator('form[action$="/take"] button, button[formaction$="/take"]').first().click();
    await page.locator('button[formaction$="/approve"], form[action$="/approve"] button').first().click();
    await looked(officer, `${name}-officer-approved`);
  }
  await officer.context.close();
}

/** The round is closed: one member seals the list, and is not let draw; another one draws; anyone can verify it. */
export async function sealAndDraw(browser, platform, { service, round, sealer, drawer, seed, name }) {
  const here = `${platform.portal}/office/rounds/${service}/${round}`;
  const first = await person(browser);
  await signInStaff(first, platform, sealer);
  await first.page.goto(here);
  await looked(first, `${name}-round-closed`);
  await first.page.getByRole("button", { name: "封存並公開名冊" }).click();
  await looked(first, `${name}-round-sealed`);
  await first.page.getByText("封存名冊的人不能抽籤").waitFor();
  assert.equal(await first.page.locator("#seed:is(input)").count(), 0, "who sealed has no way to draw");

  const second = await person(browser);
  await signInStaff(second, platform, drawer);
  await second.page.goto(here);
  await second.page.locator("#seed").fill("");
  await second.page.getByRole("button", { name: "抽籤並公開結果" }).click();
  await looked(second, `${name}-round-draw-error`);
  await second.page.locator("#seed").fill(seed);
  await second.page.getByRole("button", { name: "抽籤並公開結果" }).click();
  await looked(second, `${name}-round-drawn`);
  await Promise.all([first.context.close(), second.context.close()]);

  const visitor = await person(browser);
  await visitor.page.goto(`${platform.portal}/rounds/${service}/${round}`);
  await looked(visitor, `${name}-round-public`);
  const folder = mkdtempSync(join(tmpdir(), "tongban-draw-"));
  for (const file of ["list.json", "draw.json"]) {
    const answer = await visitor.context.request.get(`${platform.portal}/rounds/${service}/${round}/${file}`);
    writeFileSync(join(folder, file), await answer.body());
  }
  const verified = run("lottery", "verify", join(folder, "draw.json"), "--sealed", join(folder, "list.json"));
  assert.equal(verified.status, 0, verified.stderr);
  rmSync(folder, { recursive: true, force: true });
  await visitor.context.close();
}

/**
 * A cashier prepares what is due for a service and makes the batch, somebody else releases it, the bank takes the order,
 * its report comes back. Answers what the bank has in its books.
 */
export async function pay(browser, platform, { service, cashier, releaser, name }) {
  const first = await person(browser);
  await signInStaff(first, platform, cashier);
  await first.page.goto(`${platform.portal}/office/payments`);
  await first.page.getByLabel("服務項目").selectOption({ label: service });
  await first.page.locator('form[action$="/prepare"] button:not([formaction])').click();
  await looked(first, `${name}-payments-due`);
  await first.page.locator('form[action$="/batch"] button').first().click();
  await looked(first, `${name}-batch`);
  const batch = first.page.url().split("?")[0];

  const second = await person(browser);
  await signInStaff(second, platform, releaser);
  await second.page.goto(batch);
  await second.page.locator('form[action$="/release"] button').first().click();
  await looked(second, `${name}-batch-released`);

  const order = await (await first.context.request.get(`${batch}/file`)).body();
  await first.page.goto(platform.bank);
  await first.page.locator("#file").setInputFiles({ name: "order.xml", mimeType: "application/xml", buffer: order });
  const [download] = await Promise.all([first.page.waitForEvent("download"), first.page.getByRole("button", { name: /交付/ }).click()]);
  const report = await readFile(await download.path());
  await first.page.goto(`${platform.portal}/office/payments`);
  await first.page.locator('form[action$="/report"] input[type="file"]').setInputFiles({ name: "report.xml", mimeType: "application/xml", buffer: report });
  await first.page.locator('form[action$="/report"] button').click();
  await looked(first, `${name}-report`);
  const books = await (await first.context.request.get(`${platform.bank}/books`)).json();
  await Promise.all([first.context.close(), second.context.close()]);
  return Object.values(books.paid);
}
