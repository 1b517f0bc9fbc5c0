// Datasets: a steward mends a row that was not taken and decides about files that are held; an officer looks a family up.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { FAMILY } from "../support/answers.mjs";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { answer, fetchData, handIn, signIn, signInStaff } from "../support/steps.mjs";

const PERMITS = "disabled-parking-permits";
/** The lines of the dataset's sample, in the encoding of its source. */
const SAMPLE = readFileSync(new URL(`../../datasets/${PERMITS}/sample/permits.csv`, import.meta.url), "latin1").split("\n");

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Puts a file where the files of a dataset arrive; what has arrived is brought in when the platform starts, and each minute. */
async function send(dataset, name, text) {
  const inbox = join(platform.data, "hub", "inbox", dataset);
  mkdirSync(inbox, { recursive: true });
  writeFileSync(join(inbox, name), text, "latin1");
  await platform.restart();
}

/** Opens the page until it shows this. */
async function until(page, path, text) {
  for (let tries = 0; ; tries += 1) {
    await page.goto(`${platform.portal}${path}`);
    const found = page.getByText(text).first();
    if (await found.isVisible()) return;
    assert.ok(tries < 150, `${path} does not show ${text}`);
    await page.waitForTimeout(500);
  }
}

test("a steward looks after a dataset", async (t) => {
  const steward = await person(browser, { width: DESK });
  const phone = await person(browser, { width: PHONE, script: false });
  const { page } = steward;
  const here = `/office/datasets/${PERMITS}`;

  await t.test("the list says what has come and what waits", async () => {
    await signInStaff(steward, platform, "steward");
    await until(page, here, "已發布第 1 版");
    await page.goto(`${platform.portal}/office`);
    await looked(steward, "datasets-home");
    await page.goto(`${platform.portal}/office/datasets`);
    await looked(steward, "datasets-list");
    await page.getByRole("link", { name: "身心障礙者專用停車位識別證" }).click();
    await looked(steward, "datasets-set");
  });

  await t.test("a row is mended against the same rules", async () => {
    await page.getByRole("link", { name: /^批次/ }).first().click();
    await looked(steward, "datasets-rejects");
    const row = () => page.locator("section").filter({ hasText: "身分證字號" }).filter({ has: page.locator('input[value="P0000006"]') });
    await row().locator("summary").click();
    await looked(steward, "datasets-rejects-open");
    await row().getByLabel("身分證字號").fill("A123456787");
    await row().getByRole("button", { name: "匯入更正後的資料列" }).click();
    await page.getByText("更正後仍不符合").waitFor();
    await looked(steward, "datasets-still-wrong");
    await row().locator("summary").click();
    await row().getByLabel("身分證字號").fill("A123456789");
    await row().getByRole("button", { name: "匯入更正後的資料列" }).click();
    await page.getByText("已匯入更正後的資料列").waitFor();
    assert.equal(await row().count(), 0, "the mended row waits no more");
    await looked(steward, "datasets-mended");
  });

  await t.test("a file of other columns is held, and deleted on a phone", async () => {
    await send(PERMITS, "b.csv", `${SAMPLE[0]},phone\n${SAMPLE[1]},0912345678\n`);
    await signInStaff(phone, platform, "steward");
    await until(phone.page, here, "等待您處理的檔案");
    await looked(phone, "datasets-drift-phone");
    assert.equal(await phone.page.getByRole("button", { name: "已確認，放行匯入" }).count(), 0, "columns are not accepted unseen");
    await phone.page.getByRole("button", { name: "刪除檔案，不匯入" }).click();
    await phone.page.getByText("已刪除檔案").waitFor();
    await looked(phone, "datasets-discarded-phone");
  });

  await t.test("a file with few of the rows is held until somebody has looked", async () => {
    await send(PERMITS, "c.csv", SAMPLE.slice(0, 3).join("\n"));
    await until(page, here, "等待您處理的檔案");
    await looked(steward, "datasets-held");
    await page.getByRole("button", { name: "已確認，放行匯入" }).click();
    await page.getByText("已放行").waitFor();
    await platform.restart();
    await until(page, here, "已發布第 4 版");
    await looked(steward, "datasets-accepted");
  });
  await Promise.all([steward.context.close(), phone.context.close()]);
});

test("an officer looks a member of a family up, and the family sees it", async () => {
  const me = await person(browser);
  await signIn(me, platform, platform.resident("可領全額"));
  await fetchData(me, platform, "lookup", "low-income");
  await answer(me, FAMILY, "lookup");
  const number = await handIn(me, "lookup", "預計符合資格");

  const officer = await person(browser);
  await signInStaff(officer, platform, "officer");
  await officer.page.goto(`${platform.portal}/office`);
  await officer.page.getByRole("link", { name: number }).click();
  await looked(officer, "lookup-case");
  await officer.page.locator('form[action$="/take"] button, button[formaction$="/take"]').first().click();
  await officer.page.getByRole("button", { name: /^查調/ }).first().click();
  await officer.page.getByText("本次查調已記入使用紀錄").waitFor();
  await looked(officer, "lookup-answer");

  await me.page.goto(`${platform.portal}/my-data`);
  await me.page.getByText("向本府資料集查調").first().waitFor();
  await looked(me, "lookup-my-data");
  await Promise.all([me.context.close(), officer.context.close()]);
});
