// Low and middle-low income: recognised without paper, paid each month, and told why where it is refused.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { FAMILY } from "../support/answers.mjs";
import { approve, pay } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { answer, correct, fetchData, handIn, letter, signIn, survey, untilCaseSays } from "../support/steps.mjs";

const NAME = "低收入戶、中低收入戶";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("a family is recognised, its aid is paid once, and the survey is answered", async (t) => {
  const me = await person(browser);
  let number;

  await t.test("the resident applies, asked only what no register knows", async () => {
    await signIn(me, platform, platform.resident("可領全額"));
    await fetchData(me, platform, "low-income", "low-income");
    await answer(me, FAMILY, "low-income");
    // the registers are of last year: the savings went into the hospital, the land to the children
    await correct(me, "savings.p1", { deposits: "50000", investments: "0" }, "low-income");
    await correct(me, "property.p1", { land_value: "0", house_value: "300000" }, "low-income");
    const more = me.page.getByRole("link", { name: "繼續回答" });
    if (await more.count()) {
      await more.click();
      await answer(me, FAMILY, "low-income-more");
    }
    number = await handIn(me, "low-income", "預計符合資格");
    assert.match(number, /^115-LI-\d{6}$/);
  });

  await t.test("an officer approves and the letter leaves", async () => {
    await approve(browser, platform, "officer", [number], "low-income");
    await untilCaseSays(me, platform, NAME, "核定函");
    await looked(me, "low-income-case-approved");
    await letter(me, platform, /核定函/);
  });

  await t.test("the living aid is paid once", async () => {
    const amounts = await me.page.locator(".outcome__amount").count();
    const paid = await pay(browser, platform, { service: NAME, cashier: "cashier", releaser: "cashier2", name: "low-income" });
    assert.ok(amounts > 0, "the decision names what is paid");
    assert.equal(paid.length, amounts, "each amount is paid by itself");
    assert.ok(paid.every((payment) => payment.times === 1));
    await untilCaseSays(me, platform, NAME, "已匯入");
    await looked(me, "low-income-case-paid");
    await survey(me, "low-income");
  });
  await me.context.close();
});

test("on a phone, without script, savings above the limit are told with their article", async () => {
  const me = await person(browser, { width: PHONE, script: false });
  await signIn(me, platform, platform.resident("動產超過上限"));
  await fetchData(me, platform, "low-income-phone", "low-income");
  await answer(me, FAMILY, "low-income-phone");
  const number = await handIn(me, "low-income-phone", "預計不符合資格");
  assert.match(number, /^115-LI-\d{6}$/);
  await me.page.getByRole("link", { name: "看這件申請" }).click();
  await looked(me, "low-income-phone-case");
  await me.context.close();
});
