// A place in a kindergarten: registered by hand on a phone, checked by the office, drawn so that anyone can check it, accepted
// and taken up.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { sealAndDraw } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, oneRound } from "../support/services.mjs";
import { answer, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const ROUND = { id: "vacancies", name: "115學年度缺額招生", checkIn: true, seats: ["demo-1,two,1,0", "demo-1,three,2,0", "demo-1,four,1,0", "demo-1,five,3,0", "demo-3,four,2,0"] };

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  oneRound(services, "kindergarten", ROUND);
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

/** A valid national id of Taichung that nobody of the demonstration city has. */
function nationalId(digits) {
  const sum = 10 + [...digits].reduce((sum, digit, at) => sum + Number(digit) * (8 - at), 0);
  return `B${digits}${(10 - (sum % 10)) % 10}`;
}

const FAMILY = {
  region: "taichung",
  standing: "parent",
  email: "parent@city.example",
  phone: "0912345678",
  registered_address: "臺中市西區民生路1號",
  "p1.birth_date.year": "79",
  "p1.birth_date.month": "3",
  "p1.birth_date.day": "15",
  "p2.name": "陳小明",
  "p2.national_id": nationalId("20000777"),
  "p2.birth_date.year": "111",
  "p2.birth_date.month": "3",
  "p2.birth_date.day": "15",
  "p2.relation": "child",
  applies: "yes",
  same_registration: "yes",
  place_elsewhere: "no",
  listed_status: "none",
  special_circumstances: "no",
  disability: "none",
  indigenous: "no",
  choice_1: "demo-1",
  choice_2: "demo-3",
  sibling_place: "none",
};

test("a parent registers a child, the office checks, the public page says how the draw will be", async (t) => {
  const me = await person(browser, { width: PHONE });
  const { page } = me;
  let number;

  await t.test("the parent adds the child and chooses kindergartens", async () => {
    await signIn(me, platform, platform.people[0]);
    await page.goto(`${platform.portal}/services/kindergarten`);
    await looked(me, "kindergarten-service");
    await page.getByText(/受理中，到/).waitFor();
    await page.getByRole("button", { name: "開始申請" }).click();
    await page.getByRole("button", { name: "我已閱讀並同意" }).click();
    await page.getByRole("link", { name: /自己/ }).click();
    for (let steps = 0; !page.url().endsWith("/check"); steps += 1) {
      assert.ok(steps < 6, "the form does not end");
      if (page.url().endsWith("/form/members")) {
        await looked(me, `kindergarten-family-${steps}`);
        const add = (await page.locator("ul.family li").count()) === 1;
        await page.getByRole("button", { name: add ? "新增一位家人" : "就這些人，繼續" }).click();
      }
      await answer(me, FAMILY, `kindergarten-${steps}`, "/form/members");
    }
    await looked(me, "kindergarten-check");
    await page.getByRole("heading", { name: "預計符合資格" }).waitFor();
    assert.equal(await page.locator('input[type="file"]').count(), 0, "no paper is asked for");
    await page.getByRole("button", { name: "送出申請" }).click();
    await looked(me, "kindergarten-done");
    number = (await page.locator(".govuk-panel .number").textContent()).trim();
    assert.match(number, /^115-KG-\d{6}$/);
  });

  await t.test("the office of education approves; another office does not see it", async () => {
    const social = await person(browser);
    await signInStaff(social, platform, "officer");
    assert.equal(await social.page.getByRole("link", { name: number }).count(), 0);
    await social.context.close();
    const officer = await person(browser);
    await signInStaff(officer, platform, "education");
    await officer.page.getByRole("link", { name: number }).click();
    await looked(officer, "kindergarten-officer-case");
    await officer.page.locator('form[action$="/take"] button, button[formaction$="/take"]').first().click();
    await officer.page.locator('button[formaction$="/approve"], form[action$="/approve"] button').first().click();
    await officer.page.goto(`${platform.portal}/office/rounds`);
    await looked(officer, "office-rounds");
    await officer.page.getByRole("link", { name: "115學年度缺額招生" }).click();
    await looked(officer, "office-round");
    await officer.page.getByText("受理期間還沒結束，不能封存。").waitFor();
    await officer.context.close();
  });

  await t.test("the parent sees the ticket and the public page", async () => {
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 60, "the letter did not leave");
      await page.goto(`${platform.portal}/applications`);
      if (await page.getByText("核准", { exact: true }).count()) break;
      await page.waitForTimeout(500);
    }
    await page.getByRole("link", { name: "公共化幼兒園入園登記" }).click();
    await looked(me, "kindergarten-case");
    await page.getByText("您符合資格，會在").waitFor();
    await page.getByRole("link", { name: "名額、名冊和抽籤結果" }).click();
    await looked(me, "kindergarten-round");
    await page.getByText("封存的名冊：受理截止後公開").waitFor();
    assert.deepEqual((await page.locator("tbody tr td:nth-last-child(2)").allTextContents()).slice(0, 4), ["2 歲幼兒專班", "3 歲", "4 歲", "5 歲"]);
  });

  await t.test("after the window the list is sealed and drawn; the parent accepts, the office notes the check-in", async () => {
    oneRound(services, "kindergarten", { ...ROUND, closed: true });
    await platform.restart();
    await sealAndDraw(browser, platform, {
      service: "kindergarten",
      round: ROUND.id,
      sealer: "education",
      drawer: "education2",
      seed: "07,41,18,02,33,26",
      name: "kindergarten",
    });
    await untilCaseSays(me, platform, "公共化幼兒園入園登記", "正取，請確認");
    await looked(me, "kindergarten-case-offered");
    await page.getByRole("button", { name: "接受這個名額" }).click();
    await page.getByText("您接受了名額：示範第一幼兒園。").waitFor();
    await looked(me, "kindergarten-case-accepted");
    const officer = await person(browser);
    await signInStaff(officer, platform, "education");
    await officer.page.goto(`${platform.portal}/office/rounds/kindergarten/${ROUND.id}`);
    await officer.page.locator('form[action$="/check-in"] button').click();
    await officer.context.close();
    await untilCaseSays(me, platform, "公共化幼兒園入園登記", "您已經報到：示範第一幼兒園。");
  });
  await me.context.close();
});
