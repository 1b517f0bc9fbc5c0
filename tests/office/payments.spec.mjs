// The end of a month at the cashier's desk: the run, the month before beside it, release by a second person, a hold by an
// officer, the bank's report and what came back afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start({ history: true }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

const SERVICE = "中低收入老人生活津貼";

for (const [size, width] of [["desk", DESK], ["phone", PHONE]]) {
  test(`the pages of payments at the width of a ${size}`, async () => {
    const cashier = await person(browser, { width });
    await signInStaff(cashier, platform, size === "desk" ? "cashier" : "cashier2");
    await looked(cashier, `payments-${size}`);
    await cashier.page.locator('a[href*="/office/payments/batches/"]').first().click();
    await looked(cashier, `payments-batch-${size}`);
    await cashier.page.getByRole("link", { name: /和上個月比較/ }).click();
    await looked(cashier, `payments-compare-${size}`);
    await cashier.context.close();
  });
}

test("a month from the run to what came back", async (t) => {
  const cashier = await person(browser, { width: DESK });
  const { page } = cashier;
  let batch;
  let order;
  await signInStaff(cashier, platform, "cashier");

  await t.test("the run makes payments and batches and shows the month before", async () => {
    await page.getByLabel("服務項目").selectOption({ label: SERVICE });
    await page.getByRole("button", { name: "開始月底撥款作業" }).click();
    await looked(cashier, "payments-run-started");
    for (let tries = 0; (await page.getByText("清冊已備妥").count()) === 0; tries += 1) {
      assert.ok(tries < 60, "the run does not end");
      await page.waitForTimeout(500);
      await page.goto(page.url().split("?")[0]);
    }
    await looked(cashier, "payments-run-ready");
    assert.ok(Number(await page.locator('[data-difference="new"] td').first().textContent()) >= 0);
    const details = page.locator("details").first();
    if (await details.count()) await details.locator("summary").click();
    await looked(cashier, "payments-run-differences");
    batch = await page.locator('a[href*="/office/payments/batches/"]').last().getAttribute("href");
  });

  await t.test("an officer holds a case, and its batch can't be released with it", async () => {
    await page.goto(`${platform.portal}${batch}`);
    const number = (await page.locator("tbody th.number").first().textContent()).trim();
    const officer = await person(browser, { width: PHONE });
    await signInStaff(officer, platform, "officer");
    await officer.page.goto(`${platform.portal}/office?state=completed&number=${number}`);
    const link = officer.page.getByRole("link", { name: number });
    await link.first().click();
    await officer.page.getByRole("link", { name: "付款明細、暫停與停止給付" }).click();
    await looked(officer, "payments-case");
    await officer.page.getByRole("button", { name: "暫停給付" }).click();
    await looked(officer, "payments-hold-without-reason");
    await officer.page.getByLabel("暫停的原因").fill("住址待查");
    await officer.page.getByRole("button", { name: "暫停給付" }).click();
    await looked(officer, "payments-held");
    await page.reload();
    await looked(cashier, "payments-batch-stopped");
    await page.getByText(/之後被暫停或停發/).waitFor();
    await officer.page.getByRole("button", { name: "恢復給付" }).click();
    await looked(officer, "payments-resumed");
    await officer.context.close();
  });

  await t.test("a supervisor finds what waits and releases it, the bank pays", async () => {
    const second = await person(browser, { width: PHONE });
    await signInStaff(second, platform, "supervisor");
    await second.page.locator("header, nav").getByRole("link", { name: "放行", exact: true }).first().click();
    await looked(second, "payments-release-list");
    await second.page.locator(`main a[href="${batch}"]`).click();
    await looked(second, "payments-release-batch");
    assert.equal(await second.page.getByRole("button", { name: "解散清冊" }).count(), 0);
    await second.page.getByRole("button", { name: "放行" }).click();
    await looked(second, "payments-released");
    await second.context.close();
    order = await (await cashier.context.request.get(`${platform.portal}${batch}/file`)).body();
    await page.goto(platform.bank);
    await page.locator("#file").setInputFiles({ name: "order.xml", mimeType: "application/xml", buffer: order });
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /交付/ }).click()]);
    await page.goto(`${platform.portal}/office/payments`);
    await page.locator("#report").setInputFiles(await download.path());
    await page.getByRole("button", { name: "匯入", exact: true }).click();
    await looked(cashier, "payments-report");
    await page.getByText(/已入帳 \d+ 筆/).waitFor();
  });

  await t.test("what came back afterwards is work with another account", async () => {
    const text = order.toString();
    const id = text.match(/<EndToEndId>([0-9a-f]{32})</)[1];
    const amount = text.match(/<InstdAmt Ccy="TWD">(\d+)</)[1];
    const buffer = Buffer.from(`payment,amount,reason,date\n${id},${amount},AC04,2026-12-01\n`);
    await page.locator("#returns").setInputFiles({ name: "returns.csv", mimeType: "text/csv", buffer });
    await page.getByRole("button", { name: "匯入退匯" }).click();
    await looked(cashier, "payments-returned");
    await page.getByText("退回 1 筆").waitFor();
  });

  await t.test("an officer ends the payments of who died", async () => {
    await page.goto(`${platform.portal}${batch}`);
    const number = (await page.locator("tbody th.number").last().textContent()).trim();
    const officer = await person(browser, { width: DESK });
    await signInStaff(officer, platform, "officer");
    await officer.page.goto(`${platform.portal}/office?state=completed&number=${number}`);
    await officer.page.getByRole("link", { name: number }).first().click();
    await officer.page.getByRole("link", { name: "付款明細、暫停與停止給付" }).click();
    await officer.page.getByRole("button", { name: "停止給付" }).click();
    await looked(officer, "payments-stop-without-month");
    await officer.page.getByLabel("停止的原因").fill("領取人死亡");
    await officer.page.getByLabel("最後一個要給付的月份").fill(new Date().toISOString().slice(0, 7));
    await officer.page.getByRole("button", { name: "停止給付" }).click();
    await looked(officer, "payments-stopped");
    await officer.page.getByText("已停止給付").waitFor();
    await officer.context.close();
  });
});
