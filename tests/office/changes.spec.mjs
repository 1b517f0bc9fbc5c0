// What comes after a decision: a change reported by who receives, what was paid too much, and the yearly look at everybody.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { FAMILY } from "../support/answers.mjs";
import { approve, pay } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, day } from "../support/services.mjs";
import { answer, correct, fetchData, handIn, letter, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const NAME = "低收入戶、中低收入戶";

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  const file = services.file("senior-allowance", "roll.toml");
  const text = readFileSync(file, "utf8").replaceAll(/from = "2026-[\d-]+"/g, `from = "${day(-1)}"`);
  writeFileSync(file, text);
  [platform, browser] = await Promise.all([start({ history: true, services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

test("a change is reported, decided and settled with what was paid", async (t) => {
  const me = await person(browser, { width: PHONE });
  const officer = await person(browser, { width: DESK });
  let number;
  let claim;

  await t.test("a family is recognised and its aid is paid", async () => {
    await signIn(me, platform, platform.resident("可領全額"));
    await fetchData(me, platform, "changes", "low-income");
    await answer(me, FAMILY, "changes");
    await correct(me, "savings.p1", { deposits: "50000", investments: "0" }, "changes");
    await correct(me, "property.p1", { land_value: "0", house_value: "300000" }, "changes");
    const more = me.page.getByRole("link", { name: "繼續回答" });
    if (await more.count()) {
      await more.click();
      await answer(me, FAMILY, "changes-more");
    }
    const first = await handIn(me, "changes", "預計符合資格");
    await approve(browser, platform, "officer", [first], "changes");
    await untilCaseSays(me, platform, NAME, "核定函");
    await pay(browser, platform, { service: NAME, cashier: "cashier", releaser: "cashier2", name: "changes" });
    await untilCaseSays(me, platform, NAME, "已匯入");
  });

  await t.test("the resident reports a change on the form that is filled in already", async () => {
    await looked(me, "changes-case");
    await me.page.getByRole("button", { name: "通報異動" }).click();
    await me.page.getByRole("button", { name: "我已閱讀並同意" }).click();
    const here = me.page.url().match(/\/applications\/[0-9a-f-]+/)[0];
    await me.page.goto(`${platform.portal}${here}/check`);
    await correct(me, "savings.p1", { deposits: "5000000" }, "changes-report");
    number = await handIn(me, "changes-report", "預計不符合資格");
    await me.page.goto(`${platform.portal}${here}`);
    await me.page.getByText(/這是異動通報，核定後從/).waitFor();
    await looked(me, "changes-reported");
  });

  await t.test("the officer sees the earlier case and the month, and ends the aid", async () => {
    const { page } = officer;
    await signInStaff(officer, platform, "officer");
    await page.goto(`${platform.portal}/office?number=${number}`);
    await page.getByRole("link", { name: number }).first().click();
    await page.locator('form[action$="/take"] button').first().click();
    await page.getByLabel("從哪個月生效").fill("2020-01");
    await page.getByRole("button", { name: "更改生效月份" }).click();
    await page.getByText("生效月份不能早於").first().waitFor();
    await looked(officer, "changes-officer-error");
    await page.getByLabel("從哪個月生效").fill(new Date().toISOString().slice(0, 7));
    await page.getByRole("button", { name: "更改生效月份" }).click();
    await looked(officer, "changes-officer");
    await page.locator("summary", { hasText: "否准" }).first().click();
    await page.locator('form[action$="/refuse"] button').first().click();
    await untilCaseSays(me, platform, NAME, "駁回函");
    await looked(me, "changes-ended");
    await letter(me, platform, /駁回函/);
  });

  await t.test("what was paid too much is claimed by a letter", async () => {
    const { page } = officer;
    await page.getByRole("link", { name: "溢領追繳", exact: true }).first().click();
    await looked(officer, "changes-claims");
    await page.locator("main").getByRole("link", { name: number }).click();
    claim = page.url();
    await page.getByRole("button", { name: "寄出追繳函" }).click();
    await page.getByText("請寫理由。").first().waitFor();
    await looked(officer, "changes-claim-error");
    await page.getByLabel("溢領的原因").fill("存款超過標準，當月起不符合資格。");
    await page.getByRole("button", { name: "寄出追繳函" }).click();
    await looked(officer, "changes-claim-told");
    await untilCaseSays(me, platform, NAME, "溢領追繳函");
    await me.page.getByText(/還要繳回/).waitFor();
    await looked(me, "changes-my-claim");
    await letter(me, platform, /溢領追繳函/);
  });

  await t.test("a cashier notes what comes back", async () => {
    const cashier = await person(browser, { width: PHONE });
    const { page } = cashier;
    await signInStaff(cashier, platform, "cashier");
    await page.goto(claim);
    await page.getByLabel("繳回金額（元）").fill("1,000");
    await page.getByLabel("繳回日期").fill(day(0));
    await page.getByLabel("收據或繳款單號碼").fill("R115-0001");
    await page.getByRole("button", { name: "登錄" }).click();
    await looked(cashier, "changes-claim-part");
    await page.getByLabel("繳回金額（元）").fill("9999999");
    await page.getByLabel("繳回日期").fill(day(0));
    await page.getByLabel("收據或繳款單號碼").fill("R115-0002");
    await page.getByRole("button", { name: "登錄" }).click();
    await page.getByText(/請填繳回金額/).first().waitFor();
    assert.equal(await page.getByLabel("收據或繳款單號碼").inputValue(), "R115-0002");
    await looked(cashier, "changes-claim-receive-error");
    await cashier.context.close();
  });

  await t.test("a supervisor waives the rest", async () => {
    const chief = await person(browser, { width: DESK });
    await signInStaff(chief, platform, "supervisor");
    await chief.page.goto(claim);
    await chief.page.locator("summary", { hasText: "免予追繳" }).click();
    await chief.page.getByLabel("免予追繳的理由").fill("家庭生活困難，免予追繳。");
    await chief.page.getByRole("button", { name: "免予追繳" }).click();
    await chief.page.getByText("已決定免予追繳。").waitFor();
    await looked(chief, "changes-claim-waived");
    await chief.context.close();
    await untilCaseSays(me, platform, NAME, "已經結清，不必再繳。");
  });
  await Promise.all([me.context.close(), officer.context.close()]);
});

test("the yearly look goes on with those as before, and gives the others to officers", async () => {
  const officer = await person(browser, { width: DESK });
  const { page } = officer;
  await signInStaff(officer, platform, "officer");
  await page.goto(`${platform.portal}/office/rolls/senior-allowance/116`);
  await looked(officer, "review-before");
  await page.getByRole("button", { name: "開始造冊" }).click();
  const until = async (who, text) => {
    for (let tries = 0; tries < 120; tries += 1) {
      if (await who.page.locator(".office-top__state").getByText(text, { exact: true }).count()) return;
      await who.page.waitForTimeout(500);
      await who.page.reload();
    }
    assert.fail(`the roll does not come to 「${text}」`);
  };
  await until(officer, "已造冊");
  await looked(officer, "review-drawn");
  const apart = page.getByRole("link", { name: /人$/ });
  assert.ok((await apart.count()) >= 1);
  await apart.last().click();
  await looked(officer, "review-lines");

  const chief = await person(browser, { width: PHONE });
  await signInStaff(chief, platform, "supervisor");
  await chief.page.goto(`${platform.portal}/office/rolls/senior-allowance/116`);
  await looked(chief, "review-drawn-phone");
  await chief.page.getByRole("button", { name: "核定整本名冊" }).click();
  await until(chief, "已核定");
  await looked(chief, "review-granted");
  await Promise.all([officer.context.close(), chief.context.close()]);
});
