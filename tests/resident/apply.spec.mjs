// The main journey: applied for without paper, decided by rules, paid and measured.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { ELDER } from "../support/answers.mjs";
import { start } from "../support/platform.mjs";
import { answer, fetchData, signIn, signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("an elder applies without paper, an officer approves, a cashier pays, the elder is told and answers the survey", async (t) => {
  const elder = platform.resident("可領全額");
  const me = await person(browser, { width: DESK });
  let number;

  await t.test("the resident applies", async () => {
    await me.page.goto(platform.portal);
    await looked(me, "resident-home");
    await signIn(me, platform, elder);
    await looked(me, "resident-applications-empty");
    await fetchData(me, platform);
    await answer(me, ELDER);
    await looked(me, "resident-check");
    await me.page.getByRole("heading", { name: "預計符合資格" }).waitFor();
    assert.equal(await me.page.locator('input[type="file"]').count(), 0, "no paper is asked for");
    const house = me.page.locator(".govuk-summary-list__row", { hasText: "房屋現值" }).first();
    const from = await house.locator(".govuk-hint").textContent();
    assert.match(from, /政府機關的資料（經您同意，由 MyData 取得）/);
    assert.match(from, /提供機關：財政部財政資訊中心/);
    const old = me.page.locator(".reason", { hasText: "年滿 65 歲" }).first();
    assert.match(await old.locator(".reason__law").textContent(), /依據：中低收入老人生活津貼發給辦法 §2/);
    await me.page.getByRole("button", { name: "送出申請" }).click();
    await looked(me, "resident-done");
    number = (await me.page.locator(".govuk-panel .number").textContent()).trim();
    assert.match(number, /^115-SA-\d{6}$/);
  });

  await t.test("the officer takes the case and approves", async () => {
    const officer = await person(browser);
    await signInStaff(officer, platform, "officer");
    await looked(officer, "officer-queue");
    await officer.page.getByRole("link", { name: number }).click();
    await looked(officer, "officer-case");
    await officer.page.locator('form[action$="/take"] button, button[formaction$="/take"]').first().click();
    await looked(officer, "officer-case-taken");
    await officer.page.locator('button[formaction$="/approve"], form[action$="/approve"] button').first().click();
    await looked(officer, "officer-case-approved");
    await officer.context.close();
  });

  await t.test("the letter leaves and the resident is told by mail", async () => {
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 60, "the letter did not leave");
      await me.page.goto(`${platform.portal}/applications`);
      if (await me.page.getByText("核准", { exact: true }).count()) break;
      await me.page.waitForTimeout(500);
    }
    await me.page.getByRole("link", { name: "中低收入老人生活津貼" }).click();
    await looked(me, "resident-case-approved");
    const [letter] = await Promise.all([
      me.context.request.get(new URL(await me.page.getByRole("link", { name: /核定函/ }).getAttribute("href"), platform.portal).href),
    ]);
    assert.equal(letter.headers()["content-type"], "application/pdf");
    assert.equal((await letter.body()).subarray(0, 5).toString(), "%PDF-");
    const box = await person(browser);
    await box.page.goto(platform.mailbox);
    await looked(box, "mailbox");
    assert.ok((await box.page.getByRole("link").count()) >= 2, "a receipt and a decision have been sent");
    await box.context.close();
  });

  await t.test("the cashier pays once, another person releases, the bank's report comes back", async () => {
    const cashier = await person(browser);
    await signInStaff(cashier, platform, "cashier");
    await looked(cashier, "cashier-payments-empty");
    await cashier.page.getByLabel("服務項目").selectOption({ label: "中低收入老人生活津貼" });
    await cashier.page.locator('form[action$="/prepare"] button').last().click();
    await looked(cashier, "cashier-payments-due");
    await cashier.page.locator('form[action$="/batch"] button').first().click();
    await looked(cashier, "cashier-batch");
    const batch = cashier.page.url();

    const second = await person(browser);
    await signInStaff(second, platform, "cashier2");
    await second.page.goto(batch);
    await second.page.locator('form[action$="/release"] button').first().click();
    await looked(second, "cashier-batch-released");

    const file = await cashier.context.request.get(`${batch.split("?")[0]}/file`);
    const order = await file.body();
    assert.match(order.toString(), /pain\.001\.001\.09/);
    await cashier.page.goto(platform.bank);
    await looked(cashier, "bank");
    await cashier.page.locator("#file").setInputFiles({ name: "order.xml", mimeType: "application/xml", buffer: order });
    const [download] = await Promise.all([cashier.page.waitForEvent("download"), cashier.page.getByRole("button", { name: /交付/ }).click()]);
    const report = await readFile(await download.path());
    assert.match(report.toString(), /pain\.002/);
    for (const round of ["first", "again"]) {
      await cashier.page.goto(`${platform.portal}/office/payments`);
      await cashier.page.locator('form[action$="/report"] input[type="file"]').setInputFiles({ name: "report.xml", mimeType: "application/xml", buffer: report });
      await cashier.page.locator('form[action$="/report"] button').click();
      await looked(cashier, `cashier-report-${round}`);
    }
    const books = await (await cashier.context.request.get(`${platform.bank}/books`)).json();
    const payments = Object.values(books.paid);
    assert.equal(payments.length, 1);
    assert.deepEqual([payments[0].times, payments[0].amount.split(".")[0]], [1, "8329"]);
    await Promise.all([cashier.context.close(), second.context.close()]);
  });

  await t.test("the resident answers the survey, and the indicators count it", async () => {
    await me.page.goto(`${platform.portal}/applications`);
    await me.page.getByRole("link", { name: "中低收入老人生活津貼" }).click();
    await me.page.getByText("已匯入").waitFor();
    await me.page.getByRole("link", { name: "填寫滿意度調查" }).click();
    await looked(me, "resident-survey");
    await me.page.getByRole("button", { name: "送出" }).click();
    await looked(me, "resident-survey-error");
    await me.page.getByRole("radio", { name: "非常滿意", exact: true }).check();
    await me.page.getByRole("button", { name: "送出" }).click();
    await looked(me, "resident-case-surveyed");
    await me.page.getByRole("link", { name: "誰看過我的資料" }).click();
    await looked(me, "resident-my-data");
    const supervisor = await person(browser);
    await signInStaff(supervisor, platform, "supervisor");
    await supervisor.page.goto(`${platform.portal}/office/indicators`);
    await looked(supervisor, "supervisor-indicators");
    await supervisor.context.close();
  });
  await me.context.close();
});

test("the same application on a phone, without script, is refused with its reason and can be taken back", async () => {
  const elder = platform.resident("收入超過上限");
  const me = await person(browser, { width: PHONE, script: false });
  await signIn(me, platform, elder);
  await fetchData(me, platform, "phone");
  await answer(me, ELDER, "phone");
  await looked(me, "phone-check");
  await me.page.getByRole("heading", { name: "預計不符合資格" }).waitFor();
  await me.page.getByRole("button", { name: "送出申請" }).click();
  await looked(me, "phone-done");
  await me.page.getByRole("link", { name: "看這件申請" }).click();
  await looked(me, "phone-case");
  await me.page.getByRole("link", { name: "撤回申請" }).click();
  await looked(me, "phone-withdraw");
  await me.page.getByRole("button", { name: "確定撤回" }).click();
  await me.page.getByText("已撤回").first().waitFor();
  await me.context.close();
});
