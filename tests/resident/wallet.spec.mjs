// The digital wallet: a card shown instead of an answer, and the card of a granted case taken into the wallet.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { FAMILY } from "../support/answers.mjs";
import { approve } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { answer, correct, fetchData, handIn, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const NAME = "低收入戶、中低收入戶";
const CARD = "身心障礙證明";
const CITY_CARD = "低收入戶、中低收入戶證明";

let platform;
let browser;
/** The phone with the wallet, played in a browser of its own. */
let phone;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
  phone = await person(browser, { width: PHONE });
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** At the counter of the demonstration's issuer. */
async function take(resident, degree) {
  const { page } = phone;
  await page.goto(platform.wallet);
  await page.locator("#person").fill(resident.national_id);
  await page.locator("#degree").selectOption(degree);
  await page.getByRole("button", { name: "領取" }).click();
  await page.getByText("憑證已加入").waitFor();
}

/** The address behind the button of the page, which a QR code shows too. */
async function link(who) {
  assert.ok(await who.page.getByRole("img", { name: /QR 碼/ }).isVisible(), "there is a QR code");
  return who.page.getByRole("link", { name: "開啟皮夾" }).getAttribute("href");
}

/** The wallet follows the link and answers. */
async function show(who, button, said) {
  await phone.page.goto(await link(who));
  await looked(phone, "wallet-phone-asked");
  await phone.page.getByRole("button", { name: button, exact: true }).click();
  await phone.page.getByText(said).waitFor();
}

/** Asks for the card on the page of the draft. */
async function ask(who) {
  await who.page.getByRole("button", { name: new RegExp(`出示${CARD}`) }).click();
  await who.page.getByRole("link", { name: "開啟皮夾" }).waitFor();
}

test("a card of the wallet fills the form, and one of somebody else does not", async (t) => {
  const elder = platform.resident("可領半額");
  const other = platform.people.find((one) => one.national_id !== elder.national_id);
  const me = await person(browser, { width: PHONE });
  let id;

  await t.test("the draft offers to show a card, and says what is asked and why", async () => {
    await signIn(me, platform, elder);
    await fetchData(me, platform, "wallet");
    [, id] = me.page.url().match(/applications\/([^/]+)/);
    await me.page.goto(`${platform.portal}/applications/${id}`);
    await looked(me, "wallet-draft");
    await me.page.getByRole("link", { name: "出示皮夾裡的憑證" }).click();
    await me.page.getByText("障礙等級").waitFor();
    await looked(me, "wallet-ask");
  });

  await t.test("somebody else's card is refused in plain words", async () => {
    await take(other, "重度");
    await ask(me);
    await looked(me, "wallet-open");
    await show(me, "出示", "市府不接受這張憑證");
    // the page finds out by itself
    await me.page.getByText("這張憑證是別人的").waitFor();
    await looked(me, "wallet-refused");
  });

  await t.test("who declines is told so", async () => {
    await ask(me);
    await show(me, "不出示", "沒有出示");
    await me.page.getByText("您在皮夾選擇不出示").waitFor();
  });

  await t.test("the own card is taken, with its issuer as source", async () => {
    await take(elder, "中度");
    await ask(me);
    await show(me, "出示", "憑證已出示");
    await me.page.getByText(`已收到${CARD}`).waitFor();
    await me.page.locator("main dd", { hasText: "中度" }).first().waitFor();
    await me.page.getByText(/示範發證機關發的憑證/).first().waitFor();
    await looked(me, "wallet-shown");
    await me.page.setViewportSize(DESK);
    await looked(me, "wallet-shown-desk");
    await me.page.goto(`${platform.portal}/my-data`);
    await me.page.getByText("收下您出示的憑證").first().waitFor();
  });
  await me.context.close();
});

test("without script the page is looked at again by its own link", async () => {
  const resident = platform.resident("動產超過上限");
  const me = await person(browser, { width: PHONE, script: false });
  await signIn(me, platform, resident);
  await fetchData(me, platform, "wallet-plain", "low-income");
  const [, id] = me.page.url().match(/applications\/([^/]+)/);
  await me.page.goto(`${platform.portal}/applications/${id}/wallet`);
  await take(resident, "輕度");
  await ask(me);
  await looked(me, "wallet-plain-open");
  await show(me, "出示", "憑證已出示");
  await me.page.getByRole("link", { name: /更新這一頁/ }).click();
  await me.page.getByText(`已收到${CARD}`).waitFor();
  await looked(me, "wallet-plain-shown");
  await me.context.close();
});

test("a recognised family puts its certificate into the wallet", async (t) => {
  const me = await person(browser);
  let number;
  let id;

  await t.test("the family is recognised", async () => {
    await signIn(me, platform, platform.resident("可領全額"));
    await fetchData(me, platform, "card", "low-income");
    await answer(me, FAMILY, "card");
    await correct(me, "savings.p1", { deposits: "50000", investments: "0" }, "card");
    await correct(me, "property.p1", { land_value: "0", house_value: "300000" }, "card");
    const more = me.page.getByRole("link", { name: "繼續回答" });
    if (await more.count()) {
      await more.click();
      await answer(me, FAMILY, "card-more");
    }
    number = await handIn(me, "card", "預計符合資格");
    await approve(browser, platform, "officer", [number], "card");
    await untilCaseSays(me, platform, NAME, "核定函");
    [, id] = me.page.url().match(/applications\/([^/]+)/);
    await looked(me, "card-case");
  });

  await t.test("the card is offered with a QR code and six digits, and fetched by the wallet", async () => {
    await me.page.getByRole("link", { name: "看這張憑證" }).click();
    await looked(me, "card-before");
    await me.page.getByRole("button", { name: "放進我的皮夾" }).click();
    const pin = (await me.page.locator(".pin").textContent()).trim();
    assert.match(pin, /^\d{6}$/);
    await looked(me, "card-offer");
    await me.page.setViewportSize(PHONE);
    await looked(me, "card-offer-phone");
    await me.page.setViewportSize(DESK);
    const { page } = phone;
    const offer = await link(me);
    await page.goto(offer);
    await looked(phone, "card-phone-offer");
    await page.locator("#pin").fill(pin === "000000" ? "111111" : "000000");
    await page.getByRole("button", { name: "加入皮夾" }).click();
    await page.getByText("不能完成").first().waitFor();
    await page.goto(offer);
    await page.locator("#pin").fill(pin);
    await page.getByRole("button", { name: "加入皮夾" }).click();
    await page.getByText("憑證已加入").waitFor();
    assert.ok(await page.getByText(number).isVisible(), "the card names the case");
    await me.page.getByText("憑證已經在您的皮夾裡").waitFor();
    await me.page.getByText("有效", { exact: true }).waitFor();
    await looked(me, "card-taken");
    await me.page.getByRole("link", { name: "回這件申請" }).click();
    await me.page.getByRole("heading", { name: CITY_CARD }).waitFor();
  });

  await t.test("who checks a card finds the city's list and its description", async () => {
    const get = (path) => me.context.request.get(`${platform.portal}/wallet/${path}`);
    const described = await (await get("issuer/.well-known/openid-credential-issuer")).json();
    const [type] = Object.keys(described.credential_configurations_supported);
    const list = await get(`lists/${type}/revocation`);
    assert.equal(list.status(), 200);
    assert.equal((await list.text()).split(".").length, 3);
    assert.equal((await get(`issuer/schema/${type}`)).status(), 200);
    assert.equal((await (await get("issuer/keys")).json()).keys.length, 1);
    assert.equal((await get("lists/another/revocation")).status(), 404);
  });

  await t.test("the office sees the card and its state", async () => {
    const officer = await person(browser);
    await signInStaff(officer, platform, "officer");
    await officer.page.goto(`${platform.portal}/office/cases/${id}`);
    await officer.page.getByRole("heading", { name: "皮夾裡的憑證" }).waitFor();
    await looked(officer, "card-office");
    await officer.context.close();
  });
  await me.context.close();
});
