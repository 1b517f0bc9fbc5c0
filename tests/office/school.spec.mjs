// Scholarships: two students apply, their school confirms by a spreadsheet with one wrong row, the office decides, and one
// student appeals against a refusal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { ods } from "../support/sheet.mjs";
import { answer, signIn, signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

const STUDENT = {
  applies_for: "self",
  region: "taichung",
  school: "demo-senior",
  level: "senior",
  enrolled: "yes",
  choice_1: "merit-senior",
  choice_2: "none",
  choice_3: "none",
  division: "day",
  "registered_since.year": "98",
  "registered_since.month": "3",
  "registered_since.day": "15",
  "birth_date.year": "98",
  "birth_date.month": "3",
  "birth_date.day": "15",
  grade_term: "114-2",
  average_whole: "88",
  average_decimals: "50",
  failed_subject: "no",
  demerit: "no",
  listed_status: "none",
  hardship: "none",
  other_award: "none",
  student_in_city: "yes",
  email: "student@city.example",
  phone: "0912345678",
  registered_address: "臺中市西區民生路1號",
  account_of: "student",
  "account.bank": "700",
  "account.account": "00012345678901",
};

async function apply(who, resident, name) {
  const { page } = who;
  await signIn(who, platform, resident);
  await page.goto(`${platform.portal}/services/scholarship`);
  await page.getByRole("button", { name: "開始申請" }).click();
  await page.getByRole("button", { name: "我已閱讀並同意" }).click();
  await page.getByRole("link", { name: /自己/ }).click();
  for (let steps = 0; !page.url().endsWith("/check"); steps += 1) {
    assert.ok(steps < 6, "the form does not end");
    if (page.url().endsWith("/form/members")) await page.getByRole("button", { name: "就這些人，繼續" }).click();
    await answer(who, STUDENT, `${name}-${steps}`, "/form/members");
  }
  await page.getByRole("button", { name: "送出申請" }).click();
  const number = (await page.locator(".govuk-panel .number").textContent()).trim();
  assert.match(number, /^115-SC-\d{6}$/);
  await page.goto(`${platform.portal}/applications`);
  await page.getByRole("link", { name: "學生就學獎助學金" }).click();
  await page.getByText(/等待示範高中確認您填的資料/).waitFor();
  await looked(who, `${name}-waiting`);
  return number;
}

/** What the school sees of one application: headings of the sheet, and its row. */
async function row(school, number) {
  await school.page.goto(`${platform.portal}/office/confirm`);
  await school.page.getByRole("link", { name: number }).click();
  const facts = await school.page.locator(".office-facts dd").allTextContents();
  return [number, facts[0], facts[1], "高中、高職、五專前三年", "是", "日間部", "114 學年度第 2 學期", "", "88", "50", "否", "否", ""];
}

const HEAD = ["申請案號", "姓名", "身分證或居留證統一編號", "學制", "這學期在學嗎？", "部別", "成績的學期", "是這所學校的一年級新生嗎？", "小數點前面", "小數點後面兩位", "有任何一科或一個領域不及格嗎？", "有記過以上的處分嗎？", "有導師證明嗎？"];

test("a school confirms by a spreadsheet, the office decides, a student appeals", async (t) => {
  const [first, second] = [await person(browser, { width: PHONE }), await person(browser)];
  const school = await person(browser, { width: DESK });
  const officer = await person(browser);
  let [one, two] = ["", ""];

  await t.test("two students apply and read that their school is asked", async () => {
    one = await apply(first, platform.people[0], "scholarship-first");
    two = await apply(second, platform.people[1], "scholarship-second");
  });

  await t.test("the office cannot decide yet", async () => {
    await signInStaff(officer, platform, "education");
    await officer.page.getByRole("link", { name: one }).click();
    await officer.page.locator('form[action$="/take"] button').first().click();
    await officer.page.getByText(/等待示範高中確認/).waitFor();
    assert.equal(await officer.page.locator('form[action$="/approve"] button[data-key="a"]').count(), 0);
    await looked(officer, "scholarship-officer-waits");
  });

  await t.test("the school looks at the list, downloads the sheet, and is told of the wrong row", async () => {
    await signInStaff(school, platform, "school");
    await looked(school, "school-list");
    const rows = [await row(school, one), await row(school, two)];
    await looked(school, "school-one");
    await school.page.setViewportSize(PHONE);
    await looked(school, "school-one-phone");
    await school.page.goto(`${platform.portal}/office/confirm`);
    await looked(school, "school-list-phone");
    await school.page.setViewportSize(DESK);
    const [download] = await Promise.all([school.page.waitForEvent("download"), school.page.getByRole("link", { name: "下載試算表" }).click()]);
    assert.match(download.suggestedFilename(), /\.xlsx$/);
    const upload = async (name, buffer) => {
      await school.page.goto(`${platform.portal}/office/confirm`);
      await school.page.locator('input[type="file"]').setInputFiles({ name, mimeType: "application/octet-stream", buffer });
      await school.page.getByRole("button", { name: "上傳並預覽" }).click();
    };
    await upload("grades.xlsx", Buffer.from("案號,姓名\n1,2\n"));
    await school.page.getByText("這不是試算表").first().waitFor();
    await looked(school, "school-no-sheet");
    const wrong = [...rows[1]];
    wrong[8] = "880";
    const low = [...rows[0]];
    low[8] = "78";
    await upload("grades.ods", ods([HEAD, low, wrong]));
    await school.page.getByText("1 件可以確認").waitFor();
    await school.page.getByText(/不能大於 100/).waitFor();
    await looked(school, "school-preview");
    await school.page.setViewportSize(PHONE);
    await looked(school, "school-preview-phone");
    await school.page.setViewportSize(DESK);
    await school.page.getByRole("button", { name: "確認這 1 件" }).click();
    await school.page.getByText("已確認 1 件。").waitFor();
    // the wrong row put right, the other one as it was: one is new, the other changes nothing
    await upload("grades.ods", ods([HEAD, low, rows[1]]));
    await school.page.getByText(/1 列以前已經確認過/).waitFor();
    await school.page.getByRole("button", { name: "確認這 1 件" }).click();
    await school.page.getByText("現在沒有等待確認的申請。").waitFor();
    await looked(school, "school-done");
  });

  await t.test("the officer sees both words and decides", async () => {
    await officer.page.reload();
    await officer.page.getByText("78（本人填：88）").waitFor();
    await looked(officer, "scholarship-officer-confirmed");
    await officer.page.locator("details.office-act[data-key=r] summary").click();
    await officer.page.locator('form[action$="/refuse"] button').first().click();
    await officer.page.goto(`${platform.portal}/office`);
    await officer.page.getByRole("link", { name: two }).click();
    await officer.page.locator('form[action$="/take"] button').first().click();
    await officer.page.locator('form[action$="/approve"] button[data-key="a"]').click();
  });

  await t.test("one student is in the ranking, the other appeals", async () => {
    for (const [who, word] of [[second, "核准"], [first, "不符合"]]) {
      for (let tries = 0; ; tries += 1) {
        assert.ok(tries < 60, "the letter did not leave");
        await who.page.goto(`${platform.portal}/applications`);
        if (await who.page.getByText(word, { exact: true }).count()) break;
        await who.page.waitForTimeout(500);
      }
      await who.page.getByRole("link", { name: "學生就學獎助學金" }).click();
    }
    await second.page.getByText("您符合資格，會在").waitFor();
    await looked(second, "scholarship-ticket");
    await first.page.getByRole("link", { name: /可以提起訴願/ }).click();
    await looked(first, "appeal-form");
    await first.page.getByRole("button", { name: "提起訴願" }).click();
    await looked(first, "appeal-empty");
    await first.page.locator("#text").fill("學校登記的成績不對，成績單是 88 分。");
    await first.page.getByRole("button", { name: "提起訴願" }).click();
    await first.page.getByText("重新審查中").waitFor();
    await looked(first, "appeal-lodged");
  });

  await t.test("the office examines its decision again and sets it aside", async () => {
    await officer.page.goto(`${platform.portal}/office/appeals`);
    await looked(officer, "office-appeals");
    await officer.page.getByRole("link", { name: one }).click();
    await looked(officer, "office-appeal");
    await officer.page.setViewportSize(PHONE);
    await looked(officer, "office-appeal-phone");
    await officer.page.setViewportSize(DESK);
    await officer.page.getByText("有理由：撤銷原決定").click();
    await officer.page.locator("#reason").fill("學校更正了成績");
    await officer.page.getByRole("button", { name: "撤銷原決定，重新審查" }).click();
    await officer.page.getByText("已撤銷原決定。請重新審查、作成決定。").waitFor();
    await looked(officer, "office-appeal-set-aside");
    await first.page.reload();
    await first.page.getByText("原決定已撤銷").first().waitFor();
    await looked(first, "appeal-set-aside");
  });

  await Promise.all([first, second, school, officer].map((who) => who.context.close()));
});
