// Find what I may receive: on a phone, without signing in; then into an application with the answers; on a desk without script.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

// what an elder who lives alone would say, by the end of the question's address
const SAID = {
  "household.region": "taichung",
  "household.listed_status": "none",
  "person.lives_at_registration.p1": "yes",
  "person.days_in_country.p1": "350",
  "person.work_status.p1": "not_working",
  "person.work_obstacle.p1": "none",
  "person.disability.p1": "none",
};

/** Answers one question; gives its address. */
async function answer(who, name) {
  const { page } = who;
  const address = new URL(page.url()).pathname.replace("/find/q/", "");
  await looked(who, name);
  if (address === "family") {
    await page.getByRole("button", { name: "就是這些人，繼續" }).click();
    return address;
  }
  const field = page.locator('main [name="answer"], main [name="answer.year"]').first();
  const value = Object.entries(SAID).find(([end]) => address.endsWith(end))?.[1];
  if ((await field.getAttribute("name")) === "answer.year") {
    for (const [part, text] of [["year", "39"], ["month", "3"], ["day", "15"]]) await page.locator(`[name="answer.${part}"]`).fill(text);
  } else if ((await field.evaluate((node) => node.tagName)) === "SELECT") {
    if (value) await field.selectOption(value);
    else await field.selectOption({ index: 1 });
  } else if ((await field.getAttribute("type")) === "radio") {
    const no = page.locator(`[name="answer"][value="${value ?? "no"}"], [name="answer"][value="${value ?? "none"}"]`);
    await ((await no.count()) ? no.first() : field).check();
  } else {
    await field.fill(value ?? "0");
  }
  await page.getByRole("button", { name: "繼續", exact: true }).click();
  const errors = await page.locator(".govuk-error-summary li").allTextContents();
  assert.deepEqual(errors, [], `${address} was refused`);
  return address;
}

for (const [name, options] of [["find-phone", { width: PHONE }], ["find-desk", { width: DESK, script: false }]]) {
  test(`somebody finds what they may receive (${name})`, async (t) => {
    const me = await person(browser, options);
    const { page } = me;
    const asked = [];

    await t.test("one question a page, none twice, until nothing is left", async () => {
      await page.goto(platform.portal);
      await looked(me, `${name}-home`);
      await page.getByRole("link", { name: "我可以申請什麼？" }).click();
      await looked(me, `${name}-start`);
      await page.getByRole("button", { name: "開始" }).click();
      while (page.url().includes("/find/q/")) {
        asked.push(await answer(me, `${name}-question-${asked.length + 1}`));
        assert.ok(asked.length < 120, "the questions do not end");
      }
      assert.equal(new Set(asked).size, asked.length, `asked twice: ${asked.join(" ")}`);
      assert.ok(asked.includes("family"));
    });

    await t.test("the result says what, why and what next", async () => {
      assert.ok(page.url().endsWith("/find/result"));
      await looked(me, `${name}-result`);
      assert.ok((await page.locator(".card").count()) >= 5, "every service stays listed");
      await page.getByText("因為不符合：").first().waitFor();
    });

    await t.test("going back and not knowing", async () => {
      await page.goto(`${platform.portal}/find/q/${asked.find((one) => one.includes("."))}`);
      await page.getByRole("button", { name: "我不知道" }).click();
      await page.goto(`${platform.portal}/find/result`);
      await looked(me, `${name}-result-unknown`);
    });

    await t.test("an empty answer is told", async () => {
      await page.goto(`${platform.portal}/find/q/person.birth_date.p1`);
      await page.locator('[name="answer.year"]').fill("");
      await page.locator('[name="answer.month"]').fill("13");
      await page.getByRole("button", { name: "繼續", exact: true }).click();
      await looked(me, `${name}-question-refused`);
      assert.equal(await page.locator(".govuk-error-summary li").count(), 1);
    });
    await me.context.close();
  });
}

test("the answers come along through the sign-in into the application", async () => {
  const me = await person(browser, { width: PHONE });
  const { page } = me;
  await page.goto(`${platform.portal}/find`);
  await page.getByRole("button", { name: "開始" }).click();
  await page.goto(`${platform.portal}/find/q/household.region`);
  await page.locator('[name="answer"]').selectOption("taichung");
  await page.getByRole("button", { name: "繼續", exact: true }).click();
  await page.goto(`${platform.portal}/find/result`);
  await page.getByRole("button", { name: /用這些回答申請 中低收入老人生活津貼/ }).click();
  await page.getByRole("button", { name: "前往登入" }).click();
  const elder = platform.resident("可領全額");
  await page.getByRole("radio", { name: elder.name }).check();
  await page.getByRole("button", { name: "登入" }).click();
  await page.waitForURL(`${platform.portal}/find/result`);
  await looked(me, "find-signed-in");
  await page.getByRole("button", { name: /用這些回答申請 中低收入老人生活津貼/ }).click();
  await looked(me, "find-notice");
  await page.getByRole("button", { name: "我已閱讀並同意" }).click();
  await page.goto(page.url().replace(/\/(mydata|held|form).*$/, "/check"));
  await looked(me, "find-check");
  await page.getByText("您在「我可以申請什麼」的回答。").first().waitFor();
  await me.context.close();
});
