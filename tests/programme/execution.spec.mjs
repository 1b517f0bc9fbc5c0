// Two funded plans are carried out: two quarters, a change, acceptance, settlement, the payment, the audit file and the public page.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { TABLES, fill, grant, handIn, score, written } from "../support/programme.mjs";
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

async function seated(account, how = {}) {
  const who = await person(browser, how);
  await signInStaff(who, platform, account);
  return who;
}

/** Today's legal day. */
function today() {
  return new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10);
}

/** One more announcement moves clocks to a minute that is over; the platform reads it when it starts again. */
async function over(...clocks) {
  const now = new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 16);
  const past = new Date(Date.now() + 8 * 3600_000 - 24 * 3600_000).toISOString().slice(0, 16);
  const moves = clocks.map((clock) => `    { clock = "${clock}", ${clock.startsWith("report") ? `opens = "2026-01-01T00:00", ` : ""}until = "${past}" },\n`);
  const text = `\n[[announcement]]\nnumber = "示範公告第2號"\npublished = "${now}"\nreason = { zh-TW = "示範期限已過。", en = "The date is over." }\nmove = [\n${moves.join("")}]\n`;
  appendFileSync(join(platform.data, "programmes", "moda-114", "announcements.toml"), text);
  await platform.restart();
}

/** Sends the form of a filing. */
async function file(who, address, values, name) {
  const { page } = who;
  await page.goto(address);
  await looked(who, `${name}-form`);
  await fill(page, values);
  await page.getByRole("button", { name: "送出", exact: true }).click();
}

// the platform counts for its own city only, so another's indicator is bound to nothing
const { "indicator.0.measure": _, ...indicators } = TABLES.indicators;

/** Another government's plan, of a tier that is given 70 per cent. */
const KEELUNG = {
  title: { text: "家戶需求主動發現計畫" },
  indicators,
  subsidy: {
    "year.114.total": "4500000",
    "year.114.own": "1350000",
    "year.114.capital": "1950000",
    "year.114.current": "1200000",
    "year.115.total": "1000000",
    "year.115.own": "1000000",
    "year.115.capital": "0",
    "year.115.current": "0",
  },
};

test("two funded plans from their first reports to the payment", async (t) => {
  const lin = await seated("taichung", { width: DESK });
  const wu = await seated("taichung2", { width: PHONE });
  // the ministry does without script
  const ministry = await seated("ministry", { width: DESK, script: false });
  const auditor = await seated("ministry", { width: PHONE });
  const hsu = await seated("keelung", { width: DESK });
  let plan;
  let received;
  let execution;
  let other;

  await t.test("two plans are written, sent, scored, granted and corrected", async () => {
    const look = async (part) => {
      if (part === "indicators") await looked(lin, "execution-indicators");
    };
    [plan, other] = await Promise.all([
      written(lin.page, platform, { look }),
      written(hsu.page, platform, { own: KEELUNG }),
    ]);
    received = plan.replace("/plans/", "/received/");
    execution = `${plan}/execution`;
    await handIn(lin.page, plan, "送出計畫");
    await handIn(hsu.page, other, "送出計畫");
    assert.equal((await lin.context.request.get(execution)).status(), 403, "nothing is carried out before it is decided");
    const othersAddress = other.replace("/plans/", "/received/");
    for (const account of ["panel", "panel2", "panel3"]) {
      const reviewer = await seated(account);
      await score(reviewer.page, received);
      await score(reviewer.page, othersAddress);
      await reviewer.context.close();
    }
    await grant(ministry.page, received, "2,700,000");
    await grant(ministry.page, othersAddress, "3,150,000");
    const visitor = await person(browser);
    await visitor.page.goto(`${platform.portal}/results/moda-114`);
    await visitor.page.getByText("目前沒有可公開的計畫").waitFor();
    await looked(visitor, "execution-results-empty");
    await visitor.context.close();
    await handIn(lin.page, plan, "送出修正計畫");
    await handIn(hsu.page, other, "送出修正計畫");
    await lin.page.getByRole("heading", { name: "接下來要做的事" }).waitFor();
    await looked(lin, "execution-plan");
    await wu.page.goto(plan);
    await looked(wu, "execution-plan-phone");
    await lin.page.getByRole("link", { name: "執行與核銷" }).click();
    await looked(lin, "execution-empty");
  });

  await t.test("the first quarter goes as planned", async () => {
    await file(lin, `${execution}/report/1`, { progress: "20", spending: "500,000", done: "需求訪談完成，系統規格經確認。" }, "execution-report");
    await lin.page.getByText("已送出").first().waitFor();
    await looked(lin, "execution-reported");
    await ministry.page.goto(`${received}/execution`);
    await looked(ministry, "execution-follow");
    await ministry.page.getByRole("button", { name: "同意備查" }).click();
    await ministry.page.getByText("目前沒有等候處理的項目").waitFor();
    await looked(ministry, "execution-follow-noted");
  });

  await t.test("the second is behind: it says why, is given back, and mended on a phone", async () => {
    await file(wu, `${execution}/report/2`, { progress: "30", spending: "700000", done: "完成一半模組。" }, "execution-report-phone");
    await wu.page.getByText("請寫原因與改善作法").first().waitFor();
    await looked(wu, "execution-report-error-phone");
    await wu.page.locator("#reason").fill("戶籍介接較晚開通，八月補足人力。");
    await wu.page.getByRole("button", { name: "送出", exact: true }).click();
    await wu.page.getByText("進度落後 20 個百分點").first().waitFor();
    await looked(wu, "execution-behind-phone");
    await ministry.page.goto(`${platform.portal}/programme/calls/moda-114/progress`);
    await looked(ministry, "execution-progress");
    await auditor.page.goto(`${platform.portal}/programme/calls/moda-114/progress`);
    await looked(auditor, "execution-progress-phone");
    await ministry.page.getByRole("link", { name: "臺中市", exact: true }).click();
    await ministry.page.getByRole("button", { name: "退回補正" }).click();
    await ministry.page.locator(".govuk-error-message").first().waitFor();
    await looked(ministry, "execution-return-error");
    await ministry.page.locator('[id="answer.report.2"]').fill("請附八月起的時程。");
    await ministry.page.getByRole("button", { name: "退回補正" }).click();
    await ministry.page.getByText("已退回補正").waitFor();
    await wu.page.goto(`${execution}/report/2`);
    await wu.page.getByText("請附八月起的時程").waitFor();
    await looked(wu, "execution-returned-phone");
    await wu.page.locator("#reason").fill("戶籍介接較晚開通，八月補足人力，九月底達 70%。");
    await wu.page.getByRole("button", { name: "送出", exact: true }).click();
    await wu.page.getByText("已送出").first().waitFor();
    await auditor.page.goto(`${received}/execution`);
    await looked(auditor, "execution-follow-phone");
    await ministry.page.goto(`${received}/execution`);
    await ministry.page.getByRole("button", { name: "同意備查" }).click();
    await ministry.page.getByText("已同意").waitFor();
  });

  await t.test("the other government reports both quarters", async () => {
    for (const [quarter, progress, spending] of [[1, "20", "500,000"], [2, "50", "2,000,000"]]) {
      await file(hsu, `${other}/execution/report/${quarter}`, { progress, spending, done: "依進度完成。" }, `execution-other-${quarter}`);
      await hsu.page.getByText("已送出").first().waitFor();
    }
    await ministry.page.goto(`${platform.portal}/programme/calls/moda-114/progress`);
    for (const name of ["臺中市", "基隆市"]) await ministry.page.getByRole("link", { name, exact: true }).waitFor();
    await looked(ministry, "execution-progress-both");
  });

  await t.test("a change is granted, the next one comes too late and its draft is kept", async () => {
    await file(lin, `${execution}/change/1`, { change: "第三季進度調整。", why: "戶籍介接延後開通。", "quarter.2.progress": "45", "quarter.3.progress": "70" }, "execution-change");
    await lin.page.getByText("這一季已經報告過").first().waitFor();
    await looked(lin, "execution-change-error");
    await fill(lin.page, { "quarter.2.progress": "50" });
    await lin.page.getByRole("button", { name: "送出", exact: true }).click();
    await lin.page.getByText("已送出").first().waitFor();
    await ministry.page.goto(`${received}/execution`);
    await looked(ministry, "execution-follow-change");
    await ministry.page.getByRole("button", { name: "同意變更", exact: true }).click();
    await ministry.page.getByText("已同意").waitFor();
    await lin.page.goto(execution);
    await looked(lin, "execution-changed");
    await lin.page.getByRole("link", { name: "申請變更" }).click();
    await fill(lin.page, { change: "再順延一季。", why: "颱風。" });
    await over("change", "report-3", "complete");
    await lin.page.getByRole("button", { name: "送出", exact: true }).click();
    await lin.page.getByText("草稿仍然保留").first().waitFor();
    await looked(lin, "execution-change-late");
    await lin.page.goto(`${execution}/change/2`);
    assert.equal(await lin.page.locator("#change").inputValue(), "再順延一季。", "the draft is kept");
    await lin.page.goto(execution);
    await lin.page.getByText("不再受理變更").waitFor();
    await lin.page.getByText(/逾期 [12] 天/).first().waitFor();
    await looked(lin, "execution-late");
    await wu.page.goto(execution);
    await looked(wu, "execution-late-phone");
  });

  await t.test("the work is complete, accepted, and payment requested", async () => {
    await file(lin, `${execution}/report/3`, { progress: "70", spending: "3,400,000", done: "線上申請與主動發放上線。" }, "execution-report-late");
    await lin.page.getByText("已送出").first().waitFor();
    await file(lin, `${execution}/completion/1`, { on: today(), text: "全案上線並完成教育訓練。" }, "execution-completion");
    await lin.page.getByText("已送出").first().waitFor();
    const spent = { accepted_on: today(), "spent.0": "2,900,000", "spent.1": "1,300,000", note: "驗收紀錄 114-001" };
    await file(wu, `${execution}/request/1`, spent, "execution-request-phone");
    await wu.page.getByText("已送出").first().waitFor();
    await lin.page.goto(`${execution}/results/114`);
    await lin.page.getByText("平臺目前的統計").waitFor();
    await looked(lin, "execution-results-form");
    await lin.page.getByRole("button", { name: "送出", exact: true }).click();
    await lin.page.getByText("請填指標 K2 的每一個數字").first().waitFor();
    await looked(lin, "execution-results-error");
    await fill(lin.page, { "value.1.before": "5000", "value.1.after": "6100" });
    await lin.page.getByRole("button", { name: "送出", exact: true }).click();
    await lin.page.getByText("已送出").first().waitFor();
    await looked(lin, "execution-all-sent");
  });

  await t.test("the ministry strikes, settles and pays", async () => {
    const { page } = ministry;
    await page.goto(`${received}/execution`);
    await looked(ministry, "execution-settle");
    await auditor.page.goto(`${received}/execution`);
    await looked(auditor, "execution-settle-phone");
    await page.locator('[id="struck.1"]').fill("100,000");
    await page.getByRole("button", { name: "核銷並結案" }).click();
    await page.locator(".govuk-error-message").first().waitFor();
    await looked(ministry, "execution-settle-error");
    await page.locator("#note").fill("問卷獎品不在計畫範圍內。");
    await page.getByRole("button", { name: "核銷並結案" }).click();
    await page.getByText("已核銷").first().waitFor();
    // 4,100,000 at 60 %
    await page.getByText("新臺幣 2,460,000 元").first().waitFor();
    await looked(ministry, "execution-settled");
    await page.locator("#on").fill(today());
    await page.locator("#reference").fill("數位付字第1150000001號");
    await page.getByRole("button", { name: "記錄付款" }).click();
    await page.getByText("已記錄付款").waitFor();
    for (let left = await page.getByRole("button", { name: "同意備查" }).count(); left > 0; left -= 1) {
      await page.getByRole("button", { name: "同意備查" }).first().click();
      await page.getByText("已同意").waitFor();
    }
    await looked(ministry, "execution-paid");
    await page.goto(`${platform.portal}/programme/calls/moda-114/progress`);
    await page.getByText("已核銷並付款").waitFor();
    await looked(ministry, "execution-progress-one-paid");
    await lin.page.goto(execution);
    await lin.page.getByText("新臺幣 2,460,000 元").first().waitFor();
    await looked(lin, "execution-closed");
    await wu.page.goto(execution);
    await looked(wu, "execution-closed-phone");
  });

  await t.test("the other government completes, is settled and paid on its own", async () => {
    const { page } = ministry;
    await file(hsu, `${other}/execution/completion/1`, { on: today(), text: "全案完成。" }, "execution-other-completion");
    await hsu.page.getByText("已送出").first().waitFor();
    const spent = { accepted_on: today(), "spent.0": "3,000,000", "spent.1": "1,500,000", note: "驗收紀錄 114-070" };
    await file(hsu, `${other}/execution/request/1`, spent, "execution-other-request");
    await hsu.page.getByText("已送出").first().waitFor();
    const grades = { very_satisfied: "60", satisfied: "25", neutral: "10", dissatisfied: "4", very_dissatisfied: "1" };
    const results = { "value.1.before": "4000", "value.1.after": "5000" };
    for (const [grade, count] of Object.entries(grades)) results[`value.0.${grade}`] = count;
    await file(hsu, `${other}/execution/results/114`, results, "execution-other-results");
    await hsu.page.getByText("已送出").first().waitFor();
    await page.goto(`${other.replace("/plans/", "/received/")}/execution`);
    await page.getByRole("button", { name: "核銷並結案" }).click();
    // all of 4,500,000 at 70 %
    await page.getByText("新臺幣 3,150,000 元").first().waitFor();
    await page.locator("#on").fill(today());
    await page.locator("#reference").fill("數位付字第1150000002號");
    await page.getByRole("button", { name: "記錄付款" }).click();
    await page.getByText("已記錄付款").waitFor();
    await page.goto(`${platform.portal}/programme/calls/moda-114/progress`);
    await page.getByText("已核銷並付款").nth(1).waitFor();
    await looked(ministry, "execution-progress-both-paid");
    await lin.page.goto(execution);
    await lin.page.getByText("新臺幣 2,460,000 元").first().waitFor();
  });

  await t.test("the audit file checks itself, and another government gets nothing", async () => {
    const answer = await lin.context.request.get(`${plan}/audit`);
    assert.equal(answer.status(), 200);
    const folder = mkdtempSync(join(tmpdir(), "tongban-audit-"));
    const script = "import sys,zipfile,io; zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())).extractall(sys.argv[1])";
    execFileSync("python3", ["-c", script, folder], { input: await answer.body() });
    execFileSync("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder });
    rmSync(folder, { recursive: true, force: true });
    for (const [who, theirs] of [[hsu, plan], [lin, other]]) {
      const seen = theirs.replace("/plans/", "/received/");
      const ends = ["", "/check", "/parts/goals", "/parts/goals/versions", "/document", "/pdf", "/execution", "/execution/report/1", "/audit"];
      const addresses = [...ends.map((end) => theirs + end), seen, `${seen}/execution`, `${seen}/audit`, `${seen}/pdf`];
      for (const address of addresses) assert.equal((await who.context.request.get(address)).status(), 404, `${who.name} ${address}`);
    }
  });

  await t.test("everybody reads the results", async () => {
    const visitor = await person(browser);
    await visitor.page.goto(platform.portal);
    await visitor.page.getByRole("link", { name: "補助計畫成果" }).click();
    await looked(visitor, "execution-results-list");
    await visitor.page.getByRole("link", { name: /114年度/ }).click();
    await visitor.page.getByText("臺中市：長者津貼主動發放計畫").waitFor();
    await visitor.page.getByText("基隆市：家戶需求主動發現計畫").waitFor();
    // the formula as printed, and what it evidently means
    await visitor.page.getByText("所列公式：分析前破獲率/分析後破獲率：81.97%（照所列公式計算，達標與否依下列用意判斷）").waitFor();
    await visitor.page.getByText("用意：（分析後−分析前）/分析前：22%（達標）").waitFor();
    await looked(visitor, "execution-results");
    await visitor.page.setViewportSize(PHONE);
    await looked(visitor, "execution-results-phone");
    const english = await person(browser, { language: "en" });
    await english.page.goto(`${platform.portal}/results/moda-114`);
    await looked(english, "execution-results-english");
    for (const hidden of ["承辦人", "grants@example.org", "戶籍介接"]) {
      assert.equal(await visitor.page.getByText(hidden).count(), 0, hidden);
    }
  });
});
