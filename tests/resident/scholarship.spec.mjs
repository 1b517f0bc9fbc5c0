// A scholarship: ranked by grade, one award for two students. The better one declines, the next accepts and is paid once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { approve, pay, sealAndDraw } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, inForce, oneRound } from "../support/services.mjs";
import { answer, fetchData, handIn, letter, signIn, survey, untilCaseSays } from "../support/steps.mjs";

const NAME = "學生就學獎助學金";
const ROUND = { id: "this-term", name: "本學期獎助學金", seats: ["diligence-university,,1,0"] };

let services;
let platform;
let browser;
let answers;

before(async () => {
  services = copy();
  oneRound(services, "scholarship", ROUND);
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
  answers = (whole) => ({
    applies_for: "self",
    school: "other",
    school_name: "示範大學",
    level: "university",
    enrolled: "yes",
    choice_1: "diligence-university",
    choice_2: "none",
    choice_3: "none",
    division: "evening",
    "registered_since.year": "100",
    "registered_since.month": "1",
    "registered_since.day": "15",
    grade_term: inForce(services, "scholarship", "counted-term"),
    average_whole: whole,
    average_decimals: "50",
    failed_subject: "no",
    demerit: "no",
    hardship: "poor",
    teacher_certificate: "yes",
    other_award: "none",
    email: "student@city.example",
    phone: "0912345678",
    account_of: "student",
    "account.bank": "004",
    "account.account": "012345678901",
  });
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

test("two students want one award: the better grade comes first, what is declined goes to the next and is paid", async (t) => {
  const [better, next] = [await person(browser), await person(browser, { width: PHONE, script: false })];
  const numbers = [];

  await t.test("both apply without paper", async () => {
    for (const [who, note, whole, name] of [
      [better, "列冊低收入戶", "92", "scholarship"],
      [next, "可領全額", "88", "scholarship-phone"],
    ]) {
      await signIn(who, platform, platform.resident(note));
      await fetchData(who, platform, name, "scholarship");
      await answer(who, answers(whole), name);
      numbers.push(await handIn(who, name, "預計符合資格"));
      assert.match(numbers.at(-1), /^115-SC-\d{6}$/);
    }
  });

  await t.test("the education bureau approves, and the round is sealed and ranked", async () => {
    await approve(browser, platform, "education", numbers, "scholarship");
    for (const who of [better, next]) {
      await untilCaseSays(who, platform, NAME, "您符合資格，會在");
      await letter(who, platform, /核定函/);
    }
    await looked(better, "scholarship-case-qualified");
    oneRound(services, "scholarship", { ...ROUND, closed: true });
    await platform.restart();
    await sealAndDraw(browser, platform, {
      service: "scholarship",
      round: ROUND.id,
      sealer: "education",
      drawer: "education2",
      seed: "27654.32",
      name: "scholarship",
    });
  });

  await t.test("the better grade is offered the award and declines; the next accepts", async () => {
    await untilCaseSays(better, platform, NAME, "正取，請確認");
    await looked(better, "scholarship-case-offered");
    await untilCaseSays(next, platform, NAME, "備取第 1 位");
    await looked(next, "scholarship-phone-case-waiting");
    await better.page.getByText("我要放棄").click();
    await better.page.getByRole("button", { name: "確定放棄" }).click();
    await untilCaseSays(next, platform, NAME, "正取，請確認");
    await next.page.getByRole("button", { name: "接受這個名額" }).click();
    await looked(next, "scholarship-phone-case-accepted");
  });

  await t.test("the award is paid once, and only to who accepted", async () => {
    const paid = await pay(browser, platform, { service: NAME, cashier: "education3", releaser: "education4", name: "scholarship" });
    assert.deepEqual(
      paid.map((payment) => [payment.times, payment.amount.split(".")[0]]),
      [[1, "3000"]],
    );
    await untilCaseSays(next, platform, NAME, "已匯入");
    await looked(next, "scholarship-phone-case-paid");
    await survey(next, "scholarship-phone");
  });
  await Promise.all([better.context.close(), next.context.close()]);
});
