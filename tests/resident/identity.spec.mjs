// Signing in by phone and by card: the page that waits, a service that asks for more, and signing out.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { copy } from "../support/services.mjs";

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  const file = services.file("senior-allowance", "service.toml");
  writeFileSync(file, `${readFileSync(file, "utf8")}\n[identity]\nlevel = 1\n`);
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

/** Presses a button on the page that stands in for the phone. */
async function onPhone(name) {
  const phone = await person(browser, { width: PHONE });
  await phone.page.goto(platform.phone);
  await phone.page.getByRole("button", { name }).first().click();
  await phone.context.close();
}

/** From the methods to the page that waits. */
async function askPhone(who, resident, way, name) {
  const { page } = who;
  await page.goto(`${platform.portal}/sign-in`);
  await looked(who, `${name}-methods`);
  await page.getByRole("link", { name: "用手機登入" }).click();
  await looked(who, `${name}-phone`);
  await page.getByRole("button", { name: "繼續" }).click();
  await page.getByText("這個號碼不對").first().waitFor();
  await looked(who, `${name}-phone-error`);
  await page.locator("#national_id").fill(resident.national_id);
  await page.getByRole("radio", { name: way }).check();
  await page.getByRole("button", { name: "繼續" }).click();
  await looked(who, `${name}-wait`);
}

/** Signs by the card reader's page, from the step of the card on. */
async function byCard(who, resident, name) {
  const { page } = who;
  await page.getByRole("link", { name: "用憑證卡登入" }).click();
  await looked(who, `${name}-card`);
  await page.locator("#national_id").fill(resident.national_id);
  await page.getByRole("button", { name: "繼續" }).click();
  await looked(who, `${name}-card-sign`);
  await page.getByRole("link", { name: "打開讀卡機" }).click();
  await page.getByRole("radio", { name: resident.name }).check();
  await page.getByRole("button", { name: "簽章" }).click();
  await page.getByRole("button", { name: "回到市府網站" }).click();
  await page.waitForURL(`${platform.portal}/**`);
}

// each begins an application: whoever has a draft goes on with it and is asked when it is handed in
for (const [width, script, name, note] of [
  [DESK, true, "identity-desk", "可領全額"],
  [PHONE, false, "identity-phone", "收入超過上限"],
]) {
  test(`by phone, then by card for a service that asks for more, then out (${name})`, async () => {
    const elder = platform.resident(note);
    const me = await person(browser, { width, script });
    const { page } = me;
    await askPhone(me, elder, script ? "顯示 QR Code" : "傳訊息到我的手機", name);
    assert.equal(await page.locator("svg.qr").count(), script ? 1 : 0);
    await onPhone("確認 Confirm");
    // with script the page notices by itself; without, a link looks again
    if (script) await page.waitForURL(`${platform.portal}/applications`, { timeout: 20_000 });
    else {
      await page.waitForTimeout(4_500);
      await page.getByRole("link", { name: "我確認好了，看結果" }).click();
      await page.waitForURL(`${platform.portal}/applications`);
    }
    await looked(me, `${name}-in`);

    await page.goto(`${platform.portal}/services/senior-allowance`);
    await page.getByRole("button", { name: "開始申請" }).click();
    await page.getByRole("heading", { name: "請再確認一次是您本人" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "用手機登入" }).count(), 0, "the phone is not strong enough");
    assert.equal(await page.getByRole("button", { name: "前往登入" }).count(), 0, "the issuer is not strong enough");
    await looked(me, `${name}-step-up`);
    await byCard(me, elder, name);
    assert.equal(new URL(page.url()).pathname, "/services/senior-allowance");
    await page.getByRole("button", { name: "開始申請" }).click();
    await page.waitForURL("**/notice");
    await looked(me, `${name}-notice`);

    await page.getByRole("button", { name: "登出" }).click();
    await page.waitForURL(`${platform.portal}/`);
    await page.goto(`${platform.portal}/applications`);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await me.context.close();
  });
}

test("declined on the phone, and another person's card", async () => {
  const elder = platform.resident("可領全額");
  const other = platform.people.find((one) => one.national_id !== elder.national_id);
  const me = await person(browser, { width: PHONE });
  const { page } = me;
  await askPhone(me, elder, "傳訊息到我的手機", "identity-declined");
  await onPhone("拒絕 Decline");
  await page.getByText("您在手機上拒絕了").first().waitFor({ timeout: 20_000 });
  await looked(me, "identity-declined-told");
  await page.goto(`${platform.portal}/sign-in`);
  await page.getByRole("link", { name: "用憑證卡登入" }).click();
  await page.locator("#national_id").fill(elder.national_id);
  await page.getByRole("button", { name: "繼續" }).click();
  await page.getByRole("link", { name: "打開讀卡機" }).click();
  await page.getByRole("radio", { name: other.name }).check();
  await page.getByRole("button", { name: "簽章" }).click();
  await page.getByRole("button", { name: "回到市府網站" }).click();
  await page.getByText("卡片和這個統一編號不是同一人").waitFor();
  await looked(me, "identity-not-yours");
  await me.context.close();
});

test("signed out at the issuer, too, and back at the portal", async () => {
  const me = await person(browser);
  const { page } = me;
  await page.goto(`${platform.portal}/sign-in`);
  await page.getByRole("button", { name: "前往登入" }).click();
  await page.getByRole("radio", { name: platform.people[0].name }).check();
  await page.getByRole("button", { name: "登入" }).click();
  await page.waitForURL(`${platform.portal}/**`);
  await page.getByRole("button", { name: "登出" }).click();
  await page.waitForURL(`${platform.portal}/`);
  await page.getByRole("link", { name: "登入" }).first().waitFor();
  await me.context.close();
});
