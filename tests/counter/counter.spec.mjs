// The counter: a clerk serves a person by keyboard, with a MyData code and no paper, on a desk's screen and on a tablet's.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { approve } from "../support/office.mjs";
import { ELDER } from "../support/answers.mjs";
import { start } from "../support/platform.mjs";
import { signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** The clerk types what stands on the document. */
async function begin(clerk, elder, name = elder.name) {
  const { page } = clerk;
  await page.getByRole("radio", { name: "國民身分證" }).check();
  await page.locator("#national_id").fill(elder.national_id);
  await page.locator("#name").fill(name);
  await page.locator('[name="birth_date.year"]').fill("39");
  await page.locator('[name="birth_date.month"]').fill("3");
  await page.locator('[name="birth_date.day"]').fill("15");
  await page.getByRole("button", { name: "開始服務" }).click();
}

/** The person's phone: a code for these data sets. */
async function codeOf(phone, elder) {
  const { page } = phone;
  await page.goto(`${platform.mydata}/counter`);
  await page.locator("#pid").fill(elder.national_id);
  await page.getByRole("button", { name: "驗證身分" }).click();
  for (const box of await page.locator('input[name="resource"]').all()) await box.check();
  await looked(phone, "counter-phone-choose");
  await page.getByRole("button", { name: "產生取用碼" }).click();
  await looked(phone, "counter-phone-code");
  return (await page.locator("#code").textContent()).trim();
}

/** Fills what the dense form asks, with the keyboard's own key to save, until the summary. */
async function fill(clerk, name) {
  const { page } = clerk;
  for (let round = 1; !page.url().endsWith("/summary"); round += 1) {
    assert.ok(round < 12, "the form does not end");
    await looked(clerk, `${name}-form-${round}`);
    for (const [key, value] of Object.entries(ELDER)) {
      for (const field of await page.locator(`main [name="${key}"]:visible, main [name$=".${key}"]:visible`).all()) {
        const type = await field.getAttribute("type");
        if (type === "radio") {
          if ((await field.getAttribute("value")) === value) await field.check();
        } else if ((await field.evaluate((node) => node.tagName)) === "SELECT") await field.selectOption(value);
        else if (!(await field.inputValue())) await field.fill(value);
      }
    }
    const complete = page.getByRole("button", { name: "就是這些人" });
    if (await complete.count()) await complete.click();
    else {
      const save = page.getByRole("button", { name: "儲存並檢查" }).first();
      assert.equal(await save.getAttribute("accesskey"), "s");
      // a browser without a window has no access keys; the key of the focused button does the same
      if (clerk.script) await save.press("Enter");
      else await save.click();
    }
    await page.waitForLoadState();
    const errors = await page.locator(".govuk-error-summary li").allTextContents();
    assert.deepEqual(errors, [], "the form was refused");
  }
}

/** Every control of the page is reached by the tabulator, in the order of the page, and the page is left again. */
async function tabsThrough(clerk) {
  const { page } = clerk;
  const there = await page.evaluate(() => {
    const seen = new Set();
    return [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter((node) => {
      if (!node.checkVisibility() || node.closest("details:not([open])")?.querySelector("summary") !== (node.tagName === "SUMMARY" ? node : null)) {
        if (node.closest("details:not([open])")) return false;
      }
      if (node.type !== "radio") return true;
      if (seen.has(node.name)) return false;
      seen.add(node.name);
      return true;
    }).length;
  });
  await page.evaluate(() => document.activeElement?.blur());
  let stops = 0;
  const order = [];
  for (; stops < 400; stops += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const node = document.activeElement;
      if (!node || node === document.body) return null;
      const all = [...document.querySelectorAll("*")];
      return all.indexOf(node);
    });
    if (at === null || order.includes(at)) break;
    order.push(at);
  }
  assert.deepEqual(order, [...order].sort((a, b) => a - b), "the order of the page");
  assert.ok(order.length >= there - 1, `${order.length} of ${there} controls are reached`);
  assert.ok(stops < 400, "the tabulator is trapped");
}

test("a clerk serves a person with a MyData code and no paper", async (t) => {
  const elder = platform.resident("可領全額");
  const clerk = await person(browser, { width: DESK });
  const phone = await person(browser, { width: PHONE });
  let number;

  await t.test("the document is seen, the notice agreed to", async () => {
    await signInStaff(clerk, platform, "clerk");
    await looked(clerk, "counter-start");
    await clerk.page.getByRole("button", { name: "開始服務" }).click();
    await looked(clerk, "counter-start-errors");
    await begin(clerk, elder);
    await looked(clerk, "counter-visit");
    await clerk.page.getByRole("button", { name: "中低收入老人生活津貼" }).click();
    await looked(clerk, "counter-notice");
    await clerk.page.getByRole("button", { name: "申請人已了解並同意" }).click();
  });

  await t.test("a wrong code is refused, the person's own fetches the data", async () => {
    await looked(clerk, "counter-mydata");
    await clerk.page.locator("#code").fill("ABCD2345");
    await clerk.page.getByRole("button", { name: "送出取用碼" }).click();
    await looked(clerk, "counter-mydata-refused");
    await clerk.page.getByRole("link", { name: /沒有這個取用碼/ }).waitFor();
    const code = await codeOf(phone, elder);
    await clerk.page.locator("#code").fill(code.toLowerCase());
    await clerk.page.getByRole("button", { name: "送出取用碼" }).click();
    await looked(clerk, "counter-password");
    await phone.page.getByRole("button", { name: "看一次性密碼" }).click();
    await looked(phone, "counter-phone-password");
    const password = (await phone.page.locator("#password").textContent()).trim();
    await clerk.page.locator("#password").fill(password);
    await clerk.page.getByRole("button", { name: "取得資料" }).click();
    for (let tries = 0; (await clerk.page.getByText("已收到").count()) === 0; tries += 1) {
      assert.ok(tries < 60, "the data of MyData did not arrive");
      await clerk.page.waitForTimeout(500);
      await clerk.page.reload();
    }
    await looked(clerk, "counter-mydata-here");
    await clerk.page.getByRole("link", { name: "繼續", exact: true }).click();
  });

  await t.test("the dense form is filled by keyboard", async () => {
    await tabsThrough(clerk);
    await clerk.page.setViewportSize(PHONE);
    await looked(clerk, "counter-form-narrow");
    await clerk.page.setViewportSize(DESK);
    await fill(clerk, "counter");
    assert.equal(await clerk.page.locator('input[type="file"]').count(), 0, "no paper is asked for");
  });

  await t.test("the summary is printed and signed, the application handed in", async () => {
    await looked(clerk, "counter-summary");
    await clerk.page.getByRole("heading", { name: "預計符合資格" }).waitFor();
    await clerk.page.getByRole("button", { name: "產生要簽名的摘要" }).click();
    await looked(clerk, "counter-summary-printed");
    const pdf = async (name) => {
      const href = await clerk.page.getByRole("link", { name }).or(clerk.page.getByRole("button", { name })).first().getAttribute("href");
      const answer = await clerk.context.request.get(new URL(href, platform.portal).href);
      assert.equal(answer.headers()["content-type"], "application/pdf");
      assert.equal((await answer.body()).subarray(0, 5).toString(), "%PDF-");
    };
    await pdf(/開啟摘要/);
    await clerk.page.getByRole("button", { name: "送出申請" }).click();
    await looked(clerk, "counter-not-signed");
    await clerk.page.getByRole("checkbox").check();
    await clerk.page.getByRole("button", { name: "送出申請" }).click();
    await looked(clerk, "counter-done");
    number = (await clerk.page.locator(".number").textContent()).trim();
    assert.match(number, /^115-SA-\d{6}$/);
    await pdf(/開啟收據/);
    await clerk.page.getByRole("button", { name: "結束服務" }).click();
    await looked(clerk, "counter-ended");
  });

  await t.test("the person finds it at home, with who used their data", async () => {
    const home = await person(browser, { width: PHONE });
    await signIn(home, platform, elder);
    await home.page.goto(`${platform.portal}/applications`);
    await home.page.getByText(number).first().waitFor();
    await home.page.goto(`${platform.portal}/my-data`);
    await home.page.getByText("在櫃臺核對您的證件").first().waitFor();
    await looked(home, "counter-my-data");
    await home.context.close();
  });

  await t.test("the officer has it like any other case, with the channel", async () => {
    const officer = await person(browser);
    await signInStaff(officer, platform, "officer");
    await officer.page.getByRole("link", { name: number }).click();
    await looked(officer, "counter-officer-case");
    await officer.context.close();
  });

  await t.test("after the decision a change is reported at the counter, on the form that is filled in", async () => {
    const { page } = clerk;
    const home = await person(browser, { width: PHONE });
    await signIn(home, platform, elder);
    await approve(browser, platform, "officer", [number], "counter");
    await untilCaseSays(home, platform, "中低收入老人生活津貼", "核定函");
    await home.context.close();
    await page.goto(`${platform.portal}/counter`);
    await begin(clerk, elder);
    await page.getByRole("link", { name: /通報異動/ }).click();
    await looked(clerk, "counter-changes");
    await page.getByRole("button", { name: new RegExp(`通報異動.*${number}`) }).click();
    await page.getByRole("button", { name: "申請人已了解並同意" }).click();
    await looked(clerk, "counter-change-form");
    await page.locator("#phone").fill("0987654321");
    await page.getByRole("button", { name: "儲存並檢查" }).first().click();
    await page.getByRole("button", { name: "產生要簽名的摘要" }).click();
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "送出申請" }).click();
    await page.locator(".number").waitFor();
    await page.goto(`${platform.portal}/counter/changes`);
    await page.getByText("已經有一件異動正在審查").waitFor();
    await looked(clerk, "counter-change-under-way");
    await page.getByRole("button", { name: "結束服務" }).click();
  });
  await clerk.context.close();
  await phone.context.close();
});

test("a clerk scans the one paper there is, and confirms what the machine read", async () => {
  const elder = platform.people.at(-1);
  const clerk = await person(browser, { width: DESK });
  const { page } = clerk;
  await signInStaff(clerk, platform, "clerk2");
  await begin(clerk, elder);
  await page.getByRole("button", { name: "中低收入老人生活津貼" }).click();
  await page.getByRole("button", { name: "申請人已了解並同意" }).click();
  await page.getByRole("link", { name: /不用 MyData/ }).click();
  const label = (await page.locator('label[for="phone"]').first().textContent()).trim();
  // the paper: printed large and black, as a form is
  const paper = await person(browser, { width: DESK });
  await paper.page.setContent(`<body style="font:40px 'Noto Sans CJK TC';padding:60px;line-height:2.2;background:#fff;color:#000"><p>${label.replace(/（.*$/, "")}：0912345678</p><p>其他事項：無</p>`);
  const picture = await paper.page.screenshot();
  await paper.context.close();
  await page.getByRole("link", { name: "掃描文件" }).click();
  await looked(clerk, "counter-scans");
  await page.locator("#scan").setInputFiles({ name: "note.txt", mimeType: "text/plain", buffer: Buffer.from("no scan") });
  await page.getByRole("button", { name: "上傳" }).click();
  await looked(clerk, "counter-scan-refused");
  await page.locator("#scan").setInputFiles({ name: "paper.png", mimeType: "image/png", buffer: picture });
  await page.getByRole("button", { name: "上傳" }).click();
  await page.getByRole("heading", { name: "第 1 份文件" }).waitFor();
  await looked(clerk, "counter-scan-read");
  await page.setViewportSize(PHONE);
  await looked(clerk, "counter-scan-read-narrow");
  await page.setViewportSize(DESK);
  assert.equal(await page.locator("#phone").inputValue(), "0912345678");
  await page.locator('input[name="_take"][value="phone"]').check();
  await page.getByRole("button", { name: "填入勾選的內容" }).click();
  assert.equal(await page.locator("#phone").inputValue(), "0912345678");
  await looked(clerk, "counter-scan-taken");
  await page.getByRole("button", { name: "儲存並離開" }).first().click();
  await page.getByRole("button", { name: "結束服務" }).click();
  await clerk.context.close();
});
