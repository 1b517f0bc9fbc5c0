// What people do again and again, by the words they read.

import assert from "node:assert/strict";
import { looked } from "./browser.mjs";
import { fresh } from "./totp.mjs";

/** A resident signs in at the demonstration issuer. */
export async function signIn(who, platform, resident) {
  await who.page.goto(`${platform.portal}/sign-in`);
  await who.page.getByRole("button", { name: "前往登入" }).click();
  await who.page.getByRole("radio", { name: resident.name }).check();
  await who.page.getByRole("button", { name: "登入" }).click();
  await who.page.waitForURL(`${platform.portal}/**`);
}

/** A member of the staff signs in with password and one-time code. */
export async function signInStaff(who, platform, account) {
  const member = platform.member(account);
  await who.page.goto(`${platform.portal}/office/sign-in`);
  await who.page.locator("#account").fill(member.account);
  await who.page.locator("#password").fill(member.password);
  await who.page.locator("#code").fill(await fresh(member.totp_secret));
  await who.page.locator("main button").click();
  await who.page.waitForURL((url) => /^\/(office|counter|programme)/.test(url.pathname) && !url.pathname.includes("sign-in"));
}

/** From the service page to the form with MyData's values in it. */
export async function fetchData(who, platform, name = "resident", service = "senior-allowance") {
  const { page } = who;
  await page.goto(`${platform.portal}/services/${service}`);
  await looked(who, `${name}-service`);
  await page.getByRole("button", { name: "開始申請" }).click();
  await looked(who, `${name}-notice`);
  await page.getByRole("button", { name: "我已閱讀並同意" }).click();
  await looked(who, `${name}-mydata`);
  await page.getByRole("button", { name: "前往 MyData" }).click();
  await page.getByRole("button", { name: "驗證身分" }).click();
  await page.getByRole("button", { name: "同意傳送" }).click();
  await page.waitForURL(`${platform.portal}/**`);
  for (let tries = 0; (await page.getByText("已收到").count()) === 0; tries += 1) {
    assert.ok(tries < 60, "the data of MyData did not arrive");
    await page.waitForTimeout(500);
    if (who.script) await page.reload();
    else await page.goto(page.url());
  }
  await looked(who, `${name}-mydata-here`);
  await page.getByRole("link", { name: "繼續", exact: true }).click();
}

/** Answers page after page until the check, or a page with this end; `answers` gives values by the end of a field's key. */
export async function answer(who, answers, name = "resident", until = "/check") {
  const { page } = who;
  for (let number = 1; page.url().includes("/form/") && !page.url().endsWith(until); number += 1) {
    assert.ok(number < 30, "the form does not end");
    await looked(who, `${name}-form-${number}`);
    await paperless(who);
    for (const [key, value] of Object.entries(answers)) {
      const field = page.locator(`main [name="${key}"]:visible, main [name$=".${key}"]:visible`);
      if ((await field.count()) === 0) continue;
      const type = await field.first().getAttribute("type");
      if (type === "radio") await field.and(page.locator(`[value="${value}"]`)).check();
      else if ((await field.first().evaluate((node) => node.tagName)) === "SELECT") await field.first().selectOption(value);
      else await field.first().fill(value);
    }
    const before = page.url();
    await page.getByRole("button", { name: "儲存並繼續" }).click();
    const errors = await page.locator(".govuk-error-summary li").allTextContents();
    assert.deepEqual(errors, [], `the page ${before} was refused`);
  }
}

/** From the check: what a register says of a page is put right, by the ends of the fields' keys. */
export async function correct(who, place, answers, name) {
  const { page } = who;
  await page.goto(page.url().replace(/\/check.*$/, `/form/${place}?from=check`));
  for (const [key, value] of Object.entries(answers)) {
    const field = page.locator(`[name$=".${key}"]`);
    const known = page.locator(".known").filter({ has: field });
    if (await known.count()) await known.getByText("資料不對嗎？").click();
    await field.fill(value);
  }
  await looked(who, `${name}-correct-${place}`);
  await page.getByRole("button", { name: "儲存並繼續" }).click();
  await page.waitForURL("**/check");
}

/** Nothing on the page asks for an upload. */
export async function paperless(who) {
  assert.equal(await who.page.locator('input[type="file"]').count(), 0, `an upload is asked for on ${who.page.url()}`);
}

/** The check before handing in: what is expected, and no upload. Hands it in and answers the number of the application. */
export async function handIn(who, name, expected) {
  const { page } = who;
  await looked(who, `${name}-check`);
  await paperless(who);
  assert.ok(await page.getByRole("heading", { name: expected }).isVisible(), `expected: ${expected}`);
  assert.equal(await page.locator(".outcome__amount", { hasText: "新臺幣 0 元" }).count(), 0, "amounts of nothing are left out");
  await page.getByRole("button", { name: "送出申請" }).click();
  await looked(who, `${name}-done`);
  return (await page.locator(".govuk-panel .number").textContent()).trim();
}

/** Waits until the page of the own case of a service says this, looking again and again. */
export async function untilCaseSays(who, platform, service, text) {
  const { page } = who;
  for (let tries = 0; ; tries += 1) {
    await page.goto(`${platform.portal}/applications`);
    await page.getByRole("link", { name: service }).first().click();
    if (await page.getByText(text).count()) return;
    assert.ok(tries < 80, `the case never says ${text}`);
    await page.waitForTimeout(500);
  }
}

/** The newest letter of the open case: a PDF, and its bytes. */
export async function letter(who, platform, title) {
  const href = await who.page.getByRole("link", { name: title }).first().getAttribute("href");
  const answer = await who.context.request.get(new URL(href, platform.portal).href);
  assert.equal(answer.headers()["content-type"], "application/pdf");
  const bytes = await answer.body();
  assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
  return bytes;
}

/** Answers the survey of the open case. */
export async function survey(who, name) {
  const { page } = who;
  await page.getByRole("link", { name: "填寫滿意度調查" }).click();
  await page.getByRole("radio", { name: "滿意", exact: true }).check();
  await page.getByRole("button", { name: "送出" }).click();
  await looked(who, `${name}-surveyed`);
  await page.getByText("謝謝您的回答").waitFor();
}
