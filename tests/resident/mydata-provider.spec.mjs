// MyData the other way: a citizen fetches on MyData what the city has decided of them, sees in their account that it was given, and
// the auditor finds both records alike.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { ELDER } from "../support/answers.mjs";
import { approve } from "../support/office.mjs";
import { answer, fetchData, handIn, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const NAME = "中低收入老人生活津貼";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("what the city decided is fetched on MyData, recorded and compared", async (t) => {
  const elder = platform.resident("可領全額");
  const me = await person(browser, { width: PHONE });
  const citizen = await person(browser, { width: PHONE });
  let number;

  await t.test("the allowance is granted", async () => {
    await signIn(me, platform, elder);
    await fetchData(me, platform, "provider");
    await answer(me, ELDER, "provider");
    number = await handIn(me, "provider", "預計符合資格");
    await approve(browser, platform, "officer", [number], "provider");
    await untilCaseSays(me, platform, NAME, "核定函");
  });

  await t.test("the citizen fetches it on MyData, where it takes a while", async () => {
    const { page } = citizen;
    await page.goto(`${platform.mydata}/data`);
    await page.locator("#pid").fill(elder.national_id);
    await page.getByRole("button", { name: "驗證身分" }).click();
    await page.getByRole("button", { name: /中低收入老人生活津貼核定資料/ }).click();
    await page.getByText("市府正在準備").waitFor();
    await looked(citizen, "provider-preparing");
    for (let tries = 0; !(await page.getByText("簽章和憑證都正確").count()); tries += 1) {
      assert.ok(tries < 10, "the city never gives the data set");
      const [, seconds] = (await page.getByText("市府正在準備").textContent()).match(/約 (\d+) 秒/);
      await page.waitForTimeout(Number(seconds) * 1000 + 500);
      await page.getByRole("button", { name: "再取一次" }).click();
    }
    await page.getByText(number).first().waitFor();
    await looked(citizen, "provider-here");
  });

  await t.test("who was verified too weakly, and who has nothing, get nothing", async () => {
    const { page } = citizen;
    await page.goto(`${platform.mydata}/data`);
    await page.locator("#pid").fill(elder.national_id);
    await page.getByLabel("雙證件").check();
    await page.getByRole("button", { name: "驗證身分" }).click();
    await page.getByRole("button", { name: /低收入戶及中低收入戶資格/ }).click();
    await page.getByText("市府拒絕提供（403）").waitFor();
    await page.goto(`${platform.mydata}/data`);
    await page.locator("#pid").fill(elder.national_id);
    await page.getByRole("button", { name: "驗證身分" }).click();
    await page.getByRole("button", { name: /低收入戶及中低收入戶資格/ }).click();
    await page.getByText("查無資料").first().waitFor();
  });

  await t.test("the person sees in their account that it was given", async () => {
    await me.page.goto(`${platform.portal}/my-data`);
    await me.page.getByText("依您的申請，提供給 MyData").first().waitFor();
    await looked(me, "provider-my-data");
  });

  await t.test("the auditor lays both records side by side", async () => {
    const auditor = await person(browser, { width: DESK });
    const { page } = auditor;
    await signInStaff(auditor, platform, "auditor");
    await page.getByRole("link", { name: "MyData 提供紀錄", exact: true }).first().click();
    await looked(auditor, "provider-transfers");
    await page.getByLabel("和平臺核對").selectOption({ label: "中低收入老人生活津貼核定資料" });
    await page.getByRole("button", { name: "查詢" }).click();
    await page.getByText("兩邊的紀錄一致").waitFor();
    await looked(auditor, "provider-compared");
    await page.setViewportSize(PHONE);
    await looked(auditor, "provider-compared-phone");
    await page.locator("#from").fill("not a day");
    await page.getByRole("button", { name: "查詢" }).click();
    await looked(auditor, "provider-transfers-error");
    await auditor.context.close();
  });
});
