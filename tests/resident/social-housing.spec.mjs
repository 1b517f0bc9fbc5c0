// Social housing: two households want the same flat. A sealed list, a public draw by somebody else, an offer declined, the
// waiting list moves up, the lease is taken up in person.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { approve, sealAndDraw } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, oneRound } from "../support/services.mjs";
import { answer, fetchData, handIn, letter, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const NAME = "社會住宅";
const ROUND = { id: "rolling", name: "隨到隨辦招租", checkIn: true, seats: ["demo-1,one_room,1,0"] };

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  oneRound(services, "social-housing", ROUND);
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

const ANSWERS = {
  works_or_studies: "works",
  another_application: "no",
  home: "none",
  same_home: "different",
  housing_subsidy: "none",
  months_in_social_housing: "0",
  status: "none",
  unit: "one_room",
  choice_1: "demo-1",
  email: "resident@city.example",
  phone: "0912345678",
  registered_address: "臺中市西區民生路1號",
};

/** From the check: the same house as second choice is told, and taken back. */
async function chosenTwice({ page }) {
  await page.goto(page.url().replace(/\/check$/, "/form/choices?from=check"));
  await page.locator('[name="choice_2"]').selectOption("demo-1");
  await page.getByRole("button", { name: "儲存並繼續" }).click();
  assert.ok(await page.getByRole("link", { name: "「第二志願」和前面的志願相同，請改選其他的，或不要選。" }).isVisible());
  assert.equal(await page.locator('[name="choice_2"]').inputValue(), "demo-1", "what was chosen stands");
  await page.locator('[name="choice_2"]').selectOption("");
  await page.getByRole("button", { name: "儲存並繼續" }).click();
  await page.waitForURL("**/check");
}

test("two households apply, one is drawn and declines, the other moves up and takes the flat", async (t) => {
  const [desk, phone] = [await person(browser), await person(browser, { width: PHONE, script: false })];
  const numbers = [];

  await t.test("both apply without paper", async () => {
    for (const [who, note, name] of [
      [desk, "可領全額", "social-housing"],
      [phone, "可領半額", "social-housing-phone"],
    ]) {
      await signIn(who, platform, platform.resident(note));
      await fetchData(who, platform, name, "social-housing");
      await answer(who, ANSWERS, name);
      if (who === desk) await chosenTwice(desk);
      numbers.push(await handIn(who, name, "預計符合資格"));
      assert.match(numbers.at(-1), /^115-SH-\d{6}$/);
    }
  });

  await t.test("the housing office approves, the letters leave, the list can't be sealed yet", async () => {
    await approve(browser, platform, "housing", numbers, "social-housing");
    for (const who of [desk, phone]) {
      await untilCaseSays(who, platform, NAME, "您符合資格，會在");
      await letter(who, platform, /核定函/);
    }
    await looked(desk, "social-housing-case-qualified");
    await looked(phone, "social-housing-phone-case-qualified");
  });

  await t.test("after the window the list is sealed, and drawn by another member", async () => {
    oneRound(services, "social-housing", { ...ROUND, closed: true });
    await platform.restart();
    await sealAndDraw(browser, platform, {
      service: "social-housing",
      round: ROUND.id,
      sealer: "housing",
      drawer: "housing2",
      seed: "07,41,18,02,33,26",
      name: "social-housing",
    });
  });

  await t.test("who was drawn declines, who waits is offered the flat and takes it up", async () => {
    await untilCaseSays(desk, platform, NAME, /正取，請確認|備取第/);
    const first = (await desk.page.getByText("正取，請確認").count()) > 0;
    const [drawn, waiting] = first ? [desk, phone] : [phone, desk];
    await untilCaseSays(drawn, platform, NAME, "正取，請確認");
    await looked(drawn, "social-housing-case-offered");
    await untilCaseSays(waiting, platform, NAME, "備取第 1 位");
    await looked(waiting, "social-housing-case-waiting");

    await drawn.page.getByText("我要放棄").click();
    await drawn.page.getByRole("button", { name: "確定放棄" }).click();
    await looked(drawn, "social-housing-case-declined");
    assert.ok(await drawn.page.getByText("您放棄了這次的名額。").isVisible());

    await untilCaseSays(waiting, platform, NAME, "正取，請確認");
    await waiting.page.getByRole("button", { name: "接受這個名額" }).click();
    await looked(waiting, "social-housing-case-accepted");
    assert.ok(await waiting.page.getByText("親自報到").isVisible());

    const officer = await person(browser);
    await signInStaff(officer, platform, "housing");
    await officer.page.goto(`${platform.portal}/office/rounds/social-housing/${ROUND.id}`);
    await looked(officer, "social-housing-round-answered");
    await officer.page.locator('form[action$="/check-in"] button').click();
    await looked(officer, "social-housing-round-checked-in");
    await officer.context.close();
    await untilCaseSays(waiting, platform, NAME, "您已經報到：示範第一社會住宅。");
  });
  await Promise.all([desk.context.close(), phone.context.close()]);
});
