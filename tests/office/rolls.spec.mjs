// What the city gives of its own motion: the Double Ninth gift is drawn up, told, declined, objected to; the house tax relief is
// confirmed by the tax office and granted by a colleague. Nobody applies for anything.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { copy, day } from "../support/services.mjs";
import { signIn, signInStaff } from "../support/steps.mjs";

let services;
let platform;
let browser;

/** Rolls that are drawn up today, so that the test does not depend on the calendar. */
function today(service, objectDays) {
  const file = services.file(service, "roll.toml");
  const text = readFileSync(file, "utf8")
    .replace(/object_days = \d+/, `object_days = ${objectDays}`)
    .replaceAll(/from = "2026-[\d-]+"/g, `from = "${day(-1)}"`);
  writeFileSync(file, text);
}

before(async () => {
  services = copy();
  today("senior-gift", 14);
  today("house-tax-relief", 0);
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

/** Looks at a page again until the platform has done its work. */
async function until({ page }, text) {
  for (let tries = 0; tries < 60; tries += 1) {
    if (await page.locator(".office-top__state").getByText(text, { exact: true }).count()) return;
    await page.waitForTimeout(500);
    await page.reload();
  }
  assert.fail(`the roll does not come to 「${text}」`);
}

test("a gift is drawn up and told; who gets it answers on a phone", async (t) => {
  const officer = await person(browser);
  const here = `${platform.portal}/office/rolls/senior-gift/115`;
  const residents = ["收入和財產都很少", "列冊低收入戶"].map((note) => platform.resident(note));

  await t.test("the officer sees the register and leaves out whom the families reported", async () => {
    await signInStaff(officer, platform, "officer");
    const { page } = officer;
    await page.getByRole("link", { name: "名冊與年度清查" }).click();
    await page.getByText(/居民底冊：.*2,000 人/).waitFor();
    await looked(officer, "rolls-list");
    await page.getByRole("link", { name: "排除名單" }).first().click();
    await page.locator("#list").fill("A123456788,deceased\nB123456780,gone");
    await page.getByRole("button", { name: "加入排除名單" }).click();
    await page.getByText("第 1 行：身分證統一編號不正確").waitFor();
    assert.equal(await page.locator("#list").inputValue(), "A123456788,deceased\nB123456780,gone");
    await looked(officer, "rolls-exclusions-error");
    await page.locator("#list").fill(`${platform.resident("收入中等").national_id},deceased,,家屬通報`);
    await page.getByRole("button", { name: "加入排除名單" }).click();
    await page.getByText("名單上有 1 人").waitFor();
    await looked(officer, "rolls-exclusions");
  });

  await t.test("the roll is drawn up, and the persons are told", async () => {
    const { page } = officer;
    await page.goto(here);
    await looked(officer, "rolls-before");
    await page.getByRole("button", { name: "開始造冊" }).click();
    await until(officer, "已造冊");
    await looked(officer, "rolls-drawn");
    await page.getByRole("button", { name: "通知當事人" }).click();
    await until(officer, "已通知");
    await looked(officer, "rolls-told");
    await page.getByRole("link", { name: /人$/ }).first().click();
    await looked(officer, "rolls-lines");
  });

  await t.test("one objects on a phone without script, one wants nothing", async () => {
    const phone = await person(browser, { width: PHONE, script: false });
    await signIn(phone, platform, residents[0]);
    await phone.page.goto(`${platform.portal}/applications`);
    await phone.page.getByRole("link", { name: "重陽敬老禮金" }).click();
    await phone.page.getByText(/您符合「115 年重陽敬老禮金」，不必申請/).waitFor();
    await looked(phone, "rolls-my-case");
    await phone.page.locator("summary", { hasText: "我覺得哪裡不對" }).click();
    await phone.page.getByRole("button", { name: "送出異議" }).click();
    await phone.page.locator("#objection-error").waitFor();
    await looked(phone, "rolls-objection-error");
    await phone.page.locator("#objection").fill("我的出生年不對");
    await phone.page.getByRole("button", { name: "送出異議" }).click();
    await phone.page.getByText("我們收到您的異議了。").waitFor();
    await looked(phone, "rolls-objected");
    await phone.context.close();

    const desk = await person(browser);
    await signIn(desk, platform, residents[1]);
    await desk.page.goto(`${platform.portal}/applications`);
    await desk.page.getByRole("link", { name: "重陽敬老禮金" }).click();
    await looked(desk, "rolls-my-case-desk");
    await desk.page.getByRole("link", { name: "我不想要" }).click();
    await desk.page.locator('form[action$="/withdraw"] button, main form button').first().click();
    await desk.page.getByText("您婉拒了這項給付。").waitFor();
    await desk.context.close();
  });

  await t.test("the objection waits in the queue; the roll can't be granted before its time", async () => {
    const { page } = officer;
    await page.goto(`${platform.portal}/office`);
    assert.equal(await page.locator("tbody tr").count(), 1);
    await page.goto(here);
    assert.equal(await page.getByRole("button", { name: "核定整本名冊" }).count(), 0);
    await officer.context.close();
  });
});

test("the tax office confirms, a colleague grants", async () => {
  const here = `${platform.portal}/office/rolls/house-tax-relief/115`;
  const officer = await person(browser);
  await signInStaff(officer, platform, "officer");
  await officer.page.goto(here);
  await officer.page.getByRole("button", { name: "開始造冊" }).click();
  await until(officer, "已造冊");

  const tax = await person(browser);
  await signInStaff(tax, platform, "tax");
  await tax.page.goto(here);
  await looked(tax, "rolls-confirm");
  await tax.page.locator("#denials").fill("115-ZZ-000001");
  await tax.page.getByRole("button", { name: "完成會核" }).click();
  await tax.page.getByText("名冊上沒有這個案號").first().waitFor();
  assert.equal(await tax.page.locator("#denials").inputValue(), "115-ZZ-000001");
  await tax.page.locator("#denials").fill((await tax.page.locator("tbody th").first().textContent()).trim());
  await tax.page.getByRole("button", { name: "完成會核" }).click();
  await tax.page.getByText("會核完成。").waitFor();
  await looked(tax, "rolls-confirmed");
  await tax.context.close();

  await officer.page.goto(here);
  await officer.page.getByText("名冊由您造冊，須由另一位同仁核定。").waitFor();
  await officer.context.close();
  const chief = await person(browser);
  await signInStaff(chief, platform, "supervisor");
  await chief.page.goto(here);
  await chief.page.getByRole("button", { name: "核定整本名冊" }).click();
  await until(chief, "已核定");
  await looked(chief, "rolls-granted");
  await chief.context.close();
});
