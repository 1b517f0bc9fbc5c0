// A breach of personal data: the privacy officer finds out whom it concerns, reports, tells them and closes it; the resident reads it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ELDER } from "../support/answers.mjs";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { answer, fetchData, handIn, signIn, signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("a breach is handled from its discovery to its end", async (t) => {
  const me = await person(browser, { width: PHONE });
  await signIn(me, platform, platform.resident("可領全額"));
  await fetchData(me, platform, "breach");
  await answer(me, ELDER, "breach");
  await handIn(me, "breach", "預計符合資格");

  const officer = await person(browser, { width: DESK });
  const { page } = officer;
  await t.test("it is opened, and whom it concerns is counted", async () => {
    await signInStaff(officer, platform, "privacy");
    await page.getByRole("link", { name: "個資事故", exact: true }).click();
    await looked(officer, "breach-1-list");
    await page.getByRole("button", { name: "開立" }).click();
    await page.locator(".govuk-error-summary").waitFor();
    await looked(officer, "breach-2-error");
    await page.getByLabel("事故名稱").fill("承辦帳號遭冒用");
    await page.getByRole("button", { name: "開立" }).click();
    await page.getByText("已開立").waitFor();
    await looked(officer, "breach-3-opened");
    // a day before and after, whatever the hour is
    const at = (hours) => new Date(Date.now() + (8 + hours) * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
    await page.getByLabel("期間起").fill(at(-24));
    await page.getByLabel("期間迄").fill(at(24));
    await page.getByLabel("承辦人帳號").fill("nobody");
    await page.getByRole("button", { name: "計算受影響的人" }).click();
    await page.locator(".govuk-error-message").getByText("沒有這個帳號").waitFor();
    await looked(officer, "breach-4-scope-error");
    await page.getByLabel("承辦人帳號").fill("");
    await page.getByRole("button", { name: "計算受影響的人" }).click();
    for (let tries = 0; (await page.getByText("1 人").count()) === 0; tries += 1) {
      assert.ok(tries < 60, "the persons were not counted");
      await page.waitForTimeout(500);
      await page.goto(page.url().split("?")[0]);
    }
    await looked(officer, "breach-5-counted");
  });

  await t.test("it is ascertained and reported", async () => {
    await page.getByRole("button", { name: "確認查明" }).click();
    await page.getByText("通報期限開始起算").waitFor();
    const fields = page.locator('form[action$="/save"]');
    await fields.getByRole("radio", { name: "洩漏" }).check();
    for (const area of await fields.locator("textarea, input[type=text], input:not([type])").all()) await area.fill("承辦帳號密碼外流，停用帳號後已無異常登入。");
    await fields.getByRole("button", { name: "儲存通報內容" }).click();
    await page.getByText("已儲存通報內容").waitFor();
    await page.getByLabel("通報方式與文號").fill("府資字第1150000001號");
    await looked(officer, "breach-6-report");
    await page.getByRole("button", { name: "記錄已通報" }).click();
    await page.getByText("已記錄通報").waitFor();
    await page.getByRole("link", { name: "看通報表" }).click();
    await page.getByText("個人資料侵害事故通報與紀錄表").first().waitFor();
    await looked(officer, "breach-7-report-table");
    await page.goBack();
  });

  await t.test("the person is told, once, on their page", async () => {
    await page.getByLabel("通知內容").fill("您的申請案曾被冒用的帳號開啟。帳號已停用，資料沒有被更改。您不需要做任何事。");
    await page.getByRole("button", { name: "通知當事人" }).click();
    for (let tries = 0; (await page.getByText("已通知", { exact: true }).count()) === 0; tries += 1) {
      assert.ok(tries < 60, "the person was not told");
      await page.waitForTimeout(500);
      await page.goto(page.url().split("?")[0]);
    }
    await looked(officer, "breach-8-told");
    await page.getByRole("link", { name: "看名單" }).click();
    await looked(officer, "breach-9-persons");
    await me.page.goto(`${platform.portal}/my-data`);
    await me.page.getByText("您的申請案曾被冒用的帳號開啟").waitFor();
    await me.page.getByText("處理個資事故").first().waitFor();
    await looked(me, "breach-10-my-data");
  });

  await t.test("it is closed on a phone", async () => {
    const phone = await person(browser, { width: PHONE, script: false });
    await signInStaff(phone, platform, "privacy");
    await phone.page.goto(`${platform.portal}/office/breaches`);
    await phone.page.getByRole("link", { name: /-PD-/ }).click();
    await phone.page.getByRole("button", { name: "結案" }).click();
    await phone.page.locator(".govuk-error-message").waitFor();
    await phone.page.getByLabel("改善措施").fill("承辦帳號改用安全金鑰，並縮短閒置登出時間。");
    await looked(phone, "breach-11-close-phone");
    await phone.page.getByRole("button", { name: "結案" }).click();
    await phone.page.getByText("已結案").first().waitFor();
    await looked(phone, "breach-12-closed-phone");
  });
});
