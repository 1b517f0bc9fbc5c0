// T-Road: the administrator tries a connection, asks for an approval that a supervisor gives, and switches an interface off.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

test("interfaces, approvals and certificates of T-Road are managed", async (t) => {
  const admin = await person(browser, { width: DESK });
  const chief = await person(browser, { width: PHONE });
  const { page } = admin;
  const row = (name) => page.locator("tbody tr").filter({ has: page.getByRole("rowheader", { name }) }).first();

  await t.test("the administrator sees what is offered, used and certified", async () => {
    await signInStaff(admin, platform, "admin");
    await page.getByRole("link", { name: "T-Road 管理", exact: true }).first().click();
    await looked(admin, "road");
    for (const text of ["戶籍資料", "示範字第115000號".slice(0, 4), "憑證", "這 7 日沒有錯誤"]) {
      assert.ok(await page.getByText(text).first().isVisible(), text);
    }
  });

  await t.test("a trial call shows that the way is open, and stands among the exchanges", async () => {
    await row("戶籍資料").getByRole("button", { name: /測試連線/ }).click();
    await page.getByText("連線正常").waitFor();
    await page.getByRole("link", { name: "最近的交換" }).click();
    await page.getByText("listMethods").first().waitFor();
    await page.locator("tbody").getByText("完成", { exact: true }).first().waitFor();
    await looked(admin, "road-exchanges");
  });

  await t.test("an approval is asked for, with every mistake told", async () => {
    await page.goto(`${platform.portal}/office/road`);
    await page.getByRole("button", { name: "送出申請" }).click();
    await page.locator(".govuk-error-message").first().waitFor();
    await looked(admin, "road-apply-error");
    const fill = async () => {
      await page.locator("#number").fill("府社字第1150001234號");
      await page.locator("#service").selectOption({ index: 0 });
      await page.locator("#client").selectOption({ index: 0 });
      await page.locator("#purpose").fill("社會救助審核");
      await page.locator("#legal_ground").fill("社會救助法 §44-3");
      await page.locator("#fields").fill("姓名\n出生日期\n戶籍地址");
      await page.locator("#from").fill("115/01/01");
      await page.locator("#to").fill("118/12/31");
      await page.locator("#daily_quota").fill("500");
    };
    await fill();
    await page.getByRole("button", { name: "送出申請" }).click();
    await page.getByText("已送出申請").waitFor();
    // who asked does not approve
    assert.equal(await row("府社字第1150001234號").getByRole("button", { name: /核准/ }).count(), 0);
    await fill();
    await page.getByRole("button", { name: "送出申請" }).click();
    await page.getByText("這個文號已經有一件").first().waitFor();
  });

  await t.test("a supervisor approves it on a phone", async () => {
    await signInStaff(chief, platform, "supervisor");
    await chief.page.goto(`${platform.portal}/office/road`);
    await looked(chief, "road-phone");
    assert.equal(await chief.page.getByRole("button", { name: "測試連線" }).count(), 0, "a supervisor changes no interface");
    await chief.page.getByRole("button", { name: /核准.*府社字第1150001234號/ }).click();
    await chief.page.getByText("已處理，馬上生效").waitFor();
  });

  await t.test("an interface is switched off at once, and on again", async () => {
    await page.goto(`${platform.portal}/office/road`);
    const one = row("戶籍資料");
    await one.locator("summary").click();
    await one.getByRole("button", { name: "停用" }).click();
    await page.getByText("請寫原因").first().waitFor();
    await row("戶籍資料").locator("summary").click();
    await row("戶籍資料").getByLabel("原因").fill("對方憑證疑似外洩");
    await row("戶籍資料").getByRole("button", { name: "停用" }).click();
    await page.getByText("已切換").waitFor();
    await row("戶籍資料").getByText("停用", { exact: true }).first().waitFor();
    await looked(admin, "road-off");
    await row("戶籍資料").locator("summary").click();
    await row("戶籍資料").getByLabel("原因").fill("已更換憑證");
    await row("戶籍資料").getByRole("button", { name: "啟用" }).click();
    await page.getByText("已切換").waitFor();
  });
});
