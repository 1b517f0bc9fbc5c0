// Who is entitled and does not receive: the supervisor sees the map and the list and invites; the resident reads the mail, follows
// it, and wants no more; somebody without address is on the list to visit.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { signIn, signInStaff } from "../support/steps.mjs";

const SERVICE = "senior-allowance";
let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Looks at a page again until it says this. */
async function until({ page }, seen, what) {
  for (let tries = 0; tries < 80; tries += 1) {
    if (await seen()) return;
    await page.waitForTimeout(500);
    await page.reload();
  }
  assert.fail(`the page does not come to ${what}`);
}

test("who misses an allowance is counted by village, invited once, and may refuse", async (t) => {
  const chief = await person(browser);
  const here = `${platform.portal}/office/outreach`;
  let link;

  await t.test("the supervisor sees the services, the map and the table", async () => {
    await signInStaff(chief, platform, "supervisor");
    const { page } = chief;
    await page.getByRole("link", { name: "主動通知" }).click();
    await until(chief, async () => /%/.test(await page.locator("main table").textContent()), "counts");
    await looked(chief, "outreach-list");
    await page.getByRole("link", { name: "中低收入老人生活津貼" }).click();
    assert.ok((await page.locator(".tile").count()) > 50, "there is a tile for each village");
    assert.equal(await page.locator(".tile").count(), await page.locator(".tiles-table tbody tr").count(), "and a row");
    await looked(chief, "outreach-service");
    await page.setViewportSize(PHONE);
    await looked(chief, "outreach-service-phone");
    await page.setViewportSize(DESK);
    await page.getByRole("button", { name: "寄送邀請" }).click();
    await page.getByText("請勾選至少一個里").first().waitFor();
    await looked(chief, "outreach-error");
  });

  await t.test("the supervisor invites, and sees what became of it", async () => {
    const { page } = chief;
    await page.getByLabel("所有的里").check();
    await page.getByRole("button", { name: "寄送邀請" }).click();
    const sent = page.getByRole("rowheader", { name: "已寄出" });
    await until(chief, async () => (await sent.count()) && (await page.getByText("已完成", { exact: true }).count()), "mails sent");
    await looked(chief, "outreach-campaign");
    await page.setViewportSize(PHONE);
    await looked(chief, "outreach-campaign-phone");
    await page.getByRole("link", { name: "打開名單" }).click();
    assert.ok((await page.locator("tbody tr").count()) > 0);
    await looked(chief, "outreach-visits-phone");
    await page.setViewportSize(DESK);
    await looked(chief, "outreach-visits");
    await page.goto(`${platform.portal}/office/indicators`);
    await page.getByText("領取率").first().waitFor();
    await looked(chief, "outreach-indicators");
  });

  await t.test("the village officer finds the list to visit, and nothing else", async () => {
    const visitor = await person(browser, { width: PHONE });
    await signInStaff(visitor, platform, "village");
    await visitor.page.getByRole("link", { name: "訪視名單", exact: true }).first().click();
    await looked(visitor, "outreach-visit-lists");
    await visitor.page.locator("main tbody a").first().click();
    assert.ok((await visitor.page.locator("tbody tr").count()) > 0);
    await looked(visitor, "outreach-visit-list");
    await visitor.context.close();
  });

  await t.test("an officer sees small numbers as small, and can't invite", async () => {
    const officer = await person(browser);
    await signInStaff(officer, platform, "officer");
    await officer.page.goto(`${here}/${SERVICE}`);
    assert.equal(await officer.page.getByRole("button", { name: "寄送邀請" }).count(), 0);
    assert.ok((await officer.page.locator(".tile__n", { hasText: "1–2" }).count()) > 0);
    await looked(officer, "outreach-officer");
    await officer.context.close();
  });

  await t.test("the resident reads the mail and follows it, on a phone without script", async () => {
    const box = await person(browser);
    await box.page.goto(platform.mailbox);
    await box.page.getByRole("link", { name: /您可能可以申請/ }).first().click();
    const text = await box.page.locator("body").textContent();
    link = text.match(/https?:\/\/\S+\/invitations\/[0-9a-f]{64}/)?.[0];
    assert.ok(link, text);
    assert.ok(!/http\S+[?&](name|id)=/.test(text), "the link names nobody");
    await box.context.close();

    const phone = await person(browser, { width: PHONE, script: false });
    await phone.page.goto(link);
    await phone.page.getByRole("heading", { name: "您可能可以申請「中低收入老人生活津貼」" }).waitFor();
    await looked(phone, "outreach-invitation");
    await phone.page.getByRole("button", { name: "看條件和怎麼申請" }).click();
    assert.ok(phone.page.url().endsWith(`/services/${SERVICE}`));
    await phone.page.goto(link);
    await phone.page.getByRole("button", { name: "不要再通知我" }).click();
    await phone.page.getByText("我們不會再主動通知您。").waitFor();
    await looked(phone, "outreach-stopped");
    await phone.page.goto(`${platform.portal}/invitations/${"0".repeat(64)}`);
    await phone.page.getByRole("heading", { level: 1 }).waitFor();
    await phone.context.close();
  });

  await t.test("somebody with an account sets it under my data", async () => {
    const me = await person(browser, { width: PHONE });
    await signIn(me, platform, platform.resident("收入和財產都很少"));
    await me.page.goto(`${platform.portal}/my-data`);
    const stop = me.page.getByRole("button", { name: "不要主動通知我" });
    const again = me.page.getByRole("button", { name: "請主動通知我" });
    if (await again.count()) await again.click();
    await looked(me, "outreach-switch-on");
    await stop.click();
    await again.waitFor();
    await looked(me, "outreach-switch-off");
    await me.context.close();
  });
  await chief.context.close();
});
