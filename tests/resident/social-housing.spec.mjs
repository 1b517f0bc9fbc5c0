// Social housing: two households want the same flat. A sealed list, a public draw by somebody else, an offer declined, the
// waiting list moves up, the lease is taken up in person.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { approve, sealAndDraw } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, day, oneRound } from "../support/services.mjs";
import { answer, fetchData, handIn, letter, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const NAME = "社會住宅";
const ROUND = { id: "rolling", name: "隨到隨辦招租", checkIn: true, seats: ["demo-1,one_room,1,0"] };

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  oneRound(services, "social-housing", ROUND);
  const roll = services.file("social-housing", "roll.toml");
  writeFileSync(roll, readFileSync(roll, "utf8").replaceAll(/from = "2026-[\d-]+"/g, `from = "${day(-1)}"`));
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
  await page.getByRole("link", { name: "「第二志願」和前面的志願相同，請改選其他的，或不要選。" }).waitFor();
  assert.equal(await page.locator('[name="choice_2"]').inputValue(), "demo-1", "what was chosen stands");
  await page.locator('[name="choice_2"]').selectOption("");
  await page.getByRole("button", { name: "儲存並繼續" }).click();
  await page.waitForURL("**/check");
}

test("two households apply, one is drawn and declines, the other moves up and takes the flat", async (t) => {
  const [desk, phone] = [await person(browser), await person(browser, { width: PHONE, script: false })];
  const numbers = [];
  let tenant;

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
    await drawn.page.getByText("您放棄了這次的名額。").waitFor();

    await untilCaseSays(waiting, platform, NAME, "正取，請確認");
    await waiting.page.getByRole("button", { name: "接受這個名額" }).click();
    await looked(waiting, "social-housing-case-accepted");
    await waiting.page.getByText("親自報到").waitFor();

    const officer = await person(browser);
    await signInStaff(officer, platform, "housing");
    await officer.page.goto(`${platform.portal}/office/rounds/social-housing/${ROUND.id}`);
    await looked(officer, "social-housing-round-answered");
    await officer.page.locator('form[action$="/check-in"] button').click();
    await looked(officer, "social-housing-round-checked-in");
    await officer.context.close();
    await untilCaseSays(waiting, platform, NAME, "您已經報到：示範第一社會住宅。");
    tenant = waiting;
  });

  await t.test("the year after, the tenant is looked at again and the lease goes on", async () => {
    const here = `${platform.portal}/office/rolls/social-housing/116`;
    const officer = await person(browser);
    const colleague = await person(browser, { width: PHONE });
    const until = async (who, text) => {
      for (let tries = 0; (await who.page.locator(".office-top__state").getByText(text, { exact: true }).count()) === 0; tries += 1) {
        assert.ok(tries < 60, `the roll does not come to 「${text}」`);
        await who.page.waitForTimeout(500);
        await who.page.reload();
      }
    };
    await signInStaff(officer, platform, "housing");
    await officer.page.goto(here);
    await officer.page.getByRole("button", { name: "開始造冊" }).click();
    await until(officer, "已造冊");
    await looked(officer, "social-housing-review");
    assert.equal(await officer.page.getByRole("link", { name: "1 人" }).count(), 1, "one tenant, and nobody who waits or declined");
    await signInStaff(colleague, platform, "housing2");
    await colleague.page.goto(here);
    await colleague.page.getByRole("button", { name: "核定整本名冊" }).click();
    await until(colleague, "已核定");
    await looked(colleague, "social-housing-review-granted");
    await untilCaseSays(tenant, platform, NAME, "核定函");
    await tenant.page.getByText(/這是年度清查/).waitFor();
    await looked(tenant, "social-housing-review-tenant");
    await letter(tenant, platform, /核定函/);
    await Promise.all([officer.context.close(), colleague.context.close()]);
  });
  await Promise.all([desk.context.close(), phone.context.close()]);
});
