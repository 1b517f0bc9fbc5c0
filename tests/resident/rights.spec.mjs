// My rights over my data: an elder asks about a use on the phone and takes a copy; the privacy officer answers; another asks
// for a correction without script on a desk.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { ELDER } from "../support/answers.mjs";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { answer, fetchData, handIn, signIn, signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

for (const [name, options, right] of [["rights-phone", { width: PHONE }, "查詢或閱覽"], ["rights-desk", { width: DESK, script: false }, "補充或更正"]]) {
  test(`a person exercises a right over their data (${name})`, async (t) => {
    const elder = platform.people[name === "rights-phone" ? 0 : 1];
    const me = await person(browser, options);
    const { page } = me;
    await signIn(me, platform, elder);
    await fetchData(me, platform, name);
    await answer(me, ELDER, name);
    await handIn(me, name, "預計符合資格");

    await t.test("a use leads to a question about it", async () => {
      await page.goto(`${platform.portal}/my-data`);
      await looked(me, `${name}-1-uses`);
      await page.getByRole("link", { name: /^詢問這一筆/ }).first().click();
      await page.getByRole("heading", { name: "行使我的個人資料權利" }).waitFor();
      await page.getByRole("radio", { name: right }).check();
      await page.getByRole("button", { name: "送出請求" }).click();
      // without a word of explanation it is not sent, and the choice is kept
      await page.locator(".govuk-error-summary").getByText("請寫下說明").waitFor();
      assert.ok(await page.getByRole("radio", { name: right }).isChecked());
      await looked(me, `${name}-2-error`);
      await page.getByLabel("請說明").fill("我想知道這一筆是誰用的。\n謝謝。");
      await page.getByRole("button", { name: "送出請求" }).click();
      await page.getByText("已經收到您的請求").waitFor();
      await looked(me, `${name}-3-sent`);
    });

    await t.test("a copy is taken at once", async () => {
      const waiting = page.waitForEvent("download");
      await page.getByRole("link", { name: "下載", exact: true }).click();
      const copy = JSON.parse(await readFile(await (await waiting).path(), "utf8"));
      assert.equal(copy.person.name, elder.name);
      assert.equal(copy.cases.length, 1);
      assert.equal(copy.requests.length, 1);
      assert.ok(copy.uses.length > 2);
    });

    const clerk = await person(browser, options);
    await t.test("the privacy officer answers within the time", async () => {
      await signInStaff(clerk, platform, "privacy");
      await looked(clerk, `${name}-4-list`);
      await clerk.page.locator("main tbody tr").filter({ hasText: "待答覆" }).getByRole("link").click();
      await looked(clerk, `${name}-5-request`);
      await clerk.page.getByRole("radio", { name: "准予辦理" }).check();
      await clerk.page.locator("#answer").fill("這一筆是您自己送件時的紀錄。");
      await clerk.page.getByRole("button", { name: "送出答覆" }).click();
      await clerk.page.getByText("已經答覆", { exact: true }).waitFor();
      await looked(clerk, `${name}-6-answered`);
    });

    await t.test("the answer stands on the page, and who looked is told", async () => {
      await page.goto(`${platform.portal}/my-data/requests`);
      await page.getByText("這一筆是您自己送件時的紀錄。").waitFor();
      await looked(me, `${name}-7-answer`);
      await page.goto(`${platform.portal}/my-data`);
      await page.getByText("處理您的個人資料請求").first().waitFor();
    });
  });
}
