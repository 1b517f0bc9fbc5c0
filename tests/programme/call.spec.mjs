// A subsidy programme: two governments write and send their plans, a panel scores them, the ministry decides, one is corrected.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

const CALL = "數位發展部114年度補助地方政府資訊應用實施計畫";
const SAVE = { name: "儲存", exact: true };

/** Somebody of the programme at a browser. */
async function seated(account, how = {}) {
  const who = await person(browser, how);
  await signInStaff(who, platform, account);
  return who;
}

/** Opens the plan of a government and answers its address. */
async function opened(who) {
  const { page } = who;
  await page.getByRole("link", { name: CALL }).click();
  await looked(who, `programme-call-${who.name}`);
  await page.getByRole("button", { name: "開始撰寫計畫" }).click();
  await looked(who, `programme-empty-${who.name}`);
  return page.url();
}

/** Says of each item of a stage where it stands; those that are not named are not done. */
async function stage(who, plan, id, { platform: built, items, refused }) {
  const { page } = who;
  await page.goto(`${plan}/assessment/${id}`);
  await looked(who, `programme-stage-${id}-empty-${who.name}`);
  await page.getByRole("button", SAVE).click();
  await page.getByText("請選擇平臺目前的情形").first().waitFor();
  await looked(who, `programme-stage-${id}-error-${who.name}`);
  await page.getByRole("radio", { name: built ? /已建置/ : /由本計畫規劃建置/ }).check();
  if (built) {
    await page.locator('[name="evidence.0.title"]').fill(built);
    await page.locator('[name="evidence.0.address"]').fill("https://service.example.org/");
  }
  for (const [item, [standing, text]] of Object.entries(items)) {
    await page.locator(`[id="item.${item}.${standing}"]`).check();
    const field = standing === "done" ? "address" : "text";
    await page.locator(`[id="item.${item}.${standing}.${field}"]`).fill(text);
  }
  for (const item of refused) {
    await page.locator(`[id="item.${item}.refused"]`).check();
    await page.locator(`[id="item.${item}.refused.text"]`).fill("現由其他計畫辦理，本年度暫無需求。");
  }
  await looked(who, `programme-stage-${id}-${who.name}`);
  await page.getByRole("button", SAVE).click();
  await page.getByText("已儲存").first().waitFor();
}

/** Fills in fields by name: a text, or what to choose. */
async function fill(who, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = who.page.locator(`[name="${name}"]`).first();
    if ((await field.evaluate((node) => node.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
}

/** Writes every chapter of a plan, page by page, by the link to the next one. */
async function write(who, plan, { title, own, subsidy }) {
  const { page } = who;
  const tables = {
    title: async () => fill(who, { text: title }),
    indicators: async () =>
      fill(who, {
        "indicator.0.title": "民眾服務滿意度",
        "indicator.0.printed": "satisfaction",
        "indicator.0.formula": "（5×非常滿意＋4×滿意＋3×普通＋2×不滿意＋1×非常不滿意）÷ 全部回答",
        "indicator.0.base": "一站式平臺每次申辦後的問卷",
        "indicator.0.source": "平臺問卷",
        "indicator.0.target.114": "平均 4 分以上",
        "indicator.0.target.115": "平均 4.2 分以上",
        "indicator.1.title": "線上申辦使用率",
        "indicator.1.formula": "線上申辦件數 ÷ 總申辦件數",
        "indicator.1.base": "總申辦件數",
        "indicator.1.source": "平臺統計",
        "indicator.1.target.114": "60% 以上",
        "indicator.1.target.115": "80% 以上",
      }),
    budget: async () => {
      await fill(who, {
        "line.0.work": "長者津貼線上申請與發放",
        "line.0.year": "114",
        "line.0.amount": "3,000,000",
        "line.0.kind": "capital",
        "line.1.work": "問卷與統計",
        "line.1.year": "114",
        "line.1.amount": "1500000",
        "line.1.kind": "current",
      });
      await page.getByRole("button", { name: "增加空白列" }).click();
      assert.equal(await page.locator('[name="line.0.work"]').inputValue(), "長者津貼線上申請與發放", "more lines keep what was typed");
      await fill(who, { "line.2.work": "維運與推廣", "line.2.year": "115", "line.2.amount": "1000000", "line.2.kind": "current" });
      for (const [line, indicator] of [[0, "K1"], [1, "K1"], [2, "K2"]]) {
        await page.locator(`[name="line.${line}.items"][value="A1.2"]`).check();
        await page.locator(`[name="line.${line}.indicators"][value="${indicator}"]`).check();
      }
    },
    subsidy: async () => {
      await fill(who, { "year.114.total": "四百五十萬" });
      await page.getByRole("button", SAVE).click();
      await page.getByText("請填整數金額").first().waitFor();
      await looked(who, `programme-subsidy-error-${who.name}`);
      await fill(who, {
        "year.114.total": "4500000",
        "year.114.own": String(own),
        "year.114.capital": String(subsidy[0]),
        "year.114.current": String(subsidy[1]),
        "year.115.total": "1000000",
        "year.115.own": "1000000",
        "year.115.capital": "0",
        "year.115.current": "0",
      });
    },
    checkpoints: async () => {
      for (const [quarter, progress, spending] of [[1, 20, 500000], [2, 50, 2000000], [3, 80, 3500000], [4, 100, 4500000]]) {
        await fill(who, {
          [`quarter.${quarter}.progress`]: String(progress),
          [`quarter.${quarter}.spending`]: String(spending),
          [`quarter.${quarter}.text`]: `第 ${quarter} 季的工作完成並經確認`,
        });
      }
    },
    contact: async () => fill(who, { unit: "社會局資訊小組", name: "承辦人", telephone: "04-0000-0000", email: "grants@example.org" }),
  };
  await page.goto(`${plan}/parts/title`);
  for (let pages = 0; page.url() !== plan; pages += 1) {
    assert.ok(pages < 60, "the chapters do not end");
    const part = decodeURIComponent(page.url().split("/").pop());
    if (part === "assessment") {
      await page.getByText("下一項").getByRole("link").click();
      continue;
    }
    const isTable = part in tables;
    if (isTable) await tables[part]();
    else await page.locator("#text").fill(`${title}：${await page.locator("h1").textContent()}。依現況逐項說明，並寫出受益對象與作法。`);
    if (isTable || part === "text:goals") await looked(who, `programme-${part.replace(/\W/g, "-")}-${who.name}`);
    const here = page.url();
    await page.getByRole("button", { name: "儲存並到下一項" }).click();
    await page.waitForURL((url) => url.href !== here);
  }
}

/** The plan passes the check and is sent. */
async function send(who, plan) {
  const { page } = who;
  await page.goto(`${plan}/check`);
  await page.getByText("沒有需要修正的地方").waitFor();
  await looked(who, `programme-check-${who.name}`);
  await page.getByRole("button", { name: "送出計畫" }).click();
  await page.getByText("計畫已送出").waitFor();
  await looked(who, `programme-sent-${who.name}`);
}

test("a programme from the call to the corrected plan", async (t) => {
  const lin = { ...(await seated("taichung", { width: DESK })), name: "taichung" };
  const wu = { ...(await seated("taichung2", { width: PHONE })), name: "taichung2" };
  // the other government does without script
  const hsu = { ...(await seated("keelung", { width: DESK, script: false })), name: "keelung" };
  const ministry = { ...(await seated("ministry", { width: DESK })), name: "ministry" };
  const panel = [];
  for (const account of ["panel", "panel2", "panel3", "panel4"]) {
    panel.push({ ...(await seated(account, { width: account === "panel2" ? PHONE : DESK })), name: account });
  }
  let taichung;
  let keelung;

  await t.test("a government reads the call and opens its plan", async () => {
    await looked(lin, "programme-calls");
    taichung = await opened(lin);
    await wu.page.reload();
    await looked(wu, "programme-calls-phone");
    await wu.page.getByRole("link", { name: "我們的計畫" }).click();
    assert.equal(wu.page.url(), taichung, "a colleague finds the same plan");
    await looked(wu, "programme-empty-phone");
    keelung = await opened(hsu);
    assert.notEqual(keelung, taichung);
  });

  await t.test("nothing can be sent yet, and each thing leads to its place", async () => {
    await lin.page.goto(`${taichung}/check`);
    await looked(lin, "programme-check-empty");
    assert.equal(await lin.page.getByRole("button", { name: "送出計畫" }).count(), 0, "nothing can be sent");
    await lin.page.locator(".programme-findings").getByRole("link", { name: /計畫目標/ }).click();
    await lin.page.getByRole("heading", { name: /計畫目標/ }).waitFor();
  });

  await t.test("the self-assessment goes stage by stage and comes out as the table of the annex", async () => {
    const refused = ["A1.3", "A1.4", "A1.5"];
    const items = { "A1.1": ["done", "https://service.example.org/kindergarten"], "A1.2": ["planned", "長者多，紙本申請費時；發展線上申請與主動發放。"] };
    await stage(lin, taichung, "A1", { platform: "一站式服務平臺", items, refused });
    await looked(lin, "programme-assessment");
    assert.match(await lin.page.locator(".programme-annex").textContent(), /計畫發展指定項目長者津貼/);
    await wu.page.goto(`${taichung}/assessment`);
    await looked(wu, "programme-assessment-phone");
    await wu.page.goto(`${taichung}/assessment/A1`);
    await looked(wu, "programme-stage-phone");
    await stage(hsu, keelung, "A1", { platform: "雲端聯合服務中心", items, refused });
  });

  await t.test("the chapters are written, and two who save the same one don't overwrite each other", async () => {
    await write(lin, taichung, { title: "長者津貼主動發放計畫", own: 1_800_000, subsidy: [1_500_000, 1_200_000] });
    await lin.page.goto(`${taichung}/parts/text:goals`);
    await wu.page.goto(`${taichung}/parts/text:goals`);
    await looked(wu, "programme-part-phone");
    await lin.page.locator("#text").fill("讓每位長者都能在家申請津貼。");
    await lin.page.getByRole("button", SAVE).click();
    await lin.page.getByText("已儲存").first().waitFor();
    await wu.page.locator("#text").fill("讓津貼主動送到長者手中。");
    await wu.page.getByRole("button", SAVE).click();
    await wu.page.getByRole("heading", { name: "有同仁先存了這個部分" }).waitFor();
    assert.equal(await wu.page.locator("#text").inputValue(), "讓津貼主動送到長者手中。", "what was typed is kept");
    await looked(wu, "programme-conflict-phone");
    await wu.page.getByRole("button", SAVE).click();
    await wu.page.getByText("已儲存").first().waitFor();
    await wu.page.locator("#comment").fill("目標和指標一致嗎？");
    await wu.page.getByRole("button", { name: "送出意見" }).click();
    await wu.page.getByText("意見已送出").waitFor();
    await lin.page.reload();
    await lin.page.getByText("目標和指標一致嗎？").waitFor();
    await looked(lin, "programme-part-comments");
    await lin.page.getByRole("link", { name: "版本與差異" }).click();
    await looked(lin, "programme-versions");
    assert.ok((await lin.page.locator("ins, del").count()) > 2, "the versions differ");
    await wu.page.goto(`${taichung}/parts/budget`);
    await looked(wu, "programme-budget-phone");
    await wu.page.goto(taichung);
    await looked(wu, "programme-plan-phone");
  });

  await t.test("the plan goes out as a document and comes back, not into another government's", async () => {
    await lin.page.goto(taichung);
    await looked(lin, "programme-plan");
    const [download] = await Promise.all([lin.page.waitForEvent("download"), lin.page.getByRole("link", { name: "下載 ODT" }).click()]);
    const buffer = await readFile(await download.path());
    const file = { name: "plan.odt", mimeType: "application/vnd.oasis.opendocument.text", buffer };
    await lin.page.locator("#document").setInputFiles(file);
    await lin.page.getByRole("button", { name: "匯入", exact: true }).click();
    await lin.page.getByText("檔案和目前的內容相同").waitFor();
    await looked(lin, "programme-imported");
    const [pdf] = await Promise.all([lin.page.waitForEvent("download"), lin.page.getByRole("link", { name: "下載 PDF（草稿）" }).click()]);
    assert.match((await readFile(await pdf.path())).subarray(0, 5).toString(), /%PDF-/);
    await hsu.page.goto(keelung);
    await hsu.page.locator("#document").setInputFiles(file);
    await hsu.page.getByRole("button", { name: "匯入", exact: true }).click();
    await hsu.page.getByText("這是另一個機關的計畫").first().waitFor();
    await looked(hsu, "programme-import-error");
  });

  await t.test("both are sent, and neither sees the other's", async () => {
    await write(hsu, keelung, { title: "敬老禮金線上發放計畫", own: 2_250_000, subsidy: [1_250_000, 1_000_000] });
    await send(lin, taichung);
    await send(hsu, keelung);
    for (const [who, plan] of [[lin, keelung], [hsu, taichung]]) {
      for (const end of ["", "/assessment", "/parts/text:goals", "/parts/contact/versions", "/document", "/pdf", "/pdf/sent", "/check"]) {
        const answer = await who.context.request.get(`${plan}${end}`);
        assert.equal(answer.status(), 404, `${who.name} at ${end}`);
      }
    }
  });

  await t.test("a reviewer with a conflict of interest has no part, the others score", async () => {
    const [one, two, , four] = panel;
    const page = four.page;
    await page.getByRole("link", { name: "收到的計畫" }).click();
    await looked(four, "programme-received-panel");
    const plan = await page.getByRole("link", { name: "臺中市", exact: true }).getAttribute("href");
    await page.getByRole("button", { name: "申報迴避" }).click();
    await page.locator(".govuk-error-message").first().waitFor();
    await looked(four, "programme-declare-error");
    await page.locator("#government").selectOption({ label: "臺中市" });
    await page.locator("#reason").fill("三年內曾任該府資訊顧問");
    await page.getByRole("button", { name: "申報迴避" }).click();
    await page.getByText("已記錄利益迴避").waitFor();
    await looked(four, "programme-declared");
    for (const end of ["", "/sheet"]) {
      const answer = await four.context.request.get(`${platform.portal}${plan}${end}`);
      assert.ok([403, 404].includes(answer.status()), `a conflict at ${end}: ${answer.status()}`);
    }
    const points = {
      panel: { 臺中市: ["28", "27", "18", "9", "8"], 基隆市: ["24", "25", "15", "8", ""] },
      panel2: { 臺中市: ["25", "24.5", "16", "8", "6"], 基隆市: ["21", "22", "13", "7", "5"] },
      panel3: { 臺中市: ["29", "28", "19", "9.5", "9"], 基隆市: ["26", "26", "17", "9", "7"] },
      panel4: { 基隆市: ["25", "24", "16", "8", "6"] },
    };
    for (const reviewer of panel) {
      for (const [government, given] of Object.entries(points[reviewer.name])) {
        await reviewer.page.goto(`${platform.portal}/programme`);
        await reviewer.page.getByRole("link", { name: "收到的計畫" }).click();
        await reviewer.page.getByRole("link", { name: government, exact: true }).click();
        if (reviewer === one && government === "臺中市") await looked(one, "programme-sent-panel");
        await reviewer.page.getByRole("link", { name: "填寫評分表" }).click();
        const names = ["complete", "workable", "joined", "protected", "inclusion"];
        if (reviewer === two && government === "臺中市") {
          await looked(two, "programme-sheet-phone");
          await reviewer.page.locator('[id="points.complete"]').fill("31");
          await reviewer.page.getByRole("button", { name: "儲存評分表" }).click();
          await reviewer.page.getByText("請填 0 到 30 的分數").first().waitFor();
          await looked(two, "programme-sheet-error-phone");
        }
        for (const [at, name] of names.entries()) await reviewer.page.locator(`[id="points.${name}"]`).fill(given[at]);
        await reviewer.page.locator('[id="comment.complete"]').fill("自評具體，問題清楚。");
        await reviewer.page.getByRole("button", { name: "儲存評分表" }).click();
        await reviewer.page.getByText("評分表已儲存").waitFor();
        if (reviewer === one) await looked(one, "programme-sheet");
      }
    }
  });

  await t.test("the ministry convenes the meeting and draws, and each government sees its own time", async () => {
    const { page } = ministry;
    await page.getByRole("link", { name: "收到的計畫" }).click();
    await page.getByRole("link", { name: "審查會議" }).click();
    await looked(ministry, "programme-meeting-none");
    await page.getByRole("button", { name: "儲存時間地點" }).click();
    await page.locator(".govuk-error-message").first().waitFor();
    await looked(ministry, "programme-meeting-error");
    const day = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
    for (const [field, value] of [["day", day], ["place", "部本部 301 會議室，臺北市中正區延平南路 143 號"], ["begins", "11:40"], ["minutes", "20"], ["pause", "12:00"], ["pause_until", "13:30"]]) {
      await page.locator(`#${field}`).fill(value);
    }
    await page.getByRole("button", { name: "儲存時間地點" }).click();
    await page.getByText("已儲存審查會議的時間地點").waitFor();
    await looked(ministry, "programme-meeting-convened");
    await lin.page.goto(taichung);
    await lin.page.getByText("順序還沒有排定").waitFor();
    await page.locator("#seed").fill("07-12-19-23-31-38");
    await page.getByRole("button", { name: "抽籤", exact: true }).click();
    await page.getByText("已抽籤").first().waitFor();
    await looked(ministry, "programme-meeting-drawn");
    await page.setViewportSize(PHONE);
    await looked(ministry, "programme-meeting-drawn-phone");
    await page.setViewportSize(DESK);
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "下載抽籤紀錄" }).click()]);
    const draw = JSON.parse(await readFile(await file.path(), "utf8"));
    assert.deepEqual([...draw.result[0].placed].sort(), ["KEE", "TXG"]);
    const times = { [draw.result[0].placed[0]]: "11:40–12:00", [draw.result[0].placed[1]]: "13:30–13:50" };
    await page.getByRole("button", { name: "儲存順序" }).click();
    await page.getByText("調整順序要寫原因").first().waitFor();
    await looked(ministry, "programme-meeting-arrange-error");
    for (const [who, plan, id, other] of [[lin, taichung, "TXG", "KEE"], [hsu, keelung, "KEE", "TXG"]]) {
      await who.page.goto(plan);
      await who.page.getByText(times[id]).waitFor();
      assert.equal(await who.page.getByText(times[other]).count(), 0, `${who.name} sees another's time`);
      await looked(who, `programme-meeting-own-${who.name}`);
      const answer = await who.context.request.get(`${platform.portal}/programme/calls/moda-114/meeting`);
      assert.equal(answer.status(), 403);
    }
    await wu.page.goto(taichung);
    await looked(wu, "programme-meeting-own-phone");
    const two = panel[1];
    await two.page.goto(`${platform.portal}/programme/calls/moda-114/meeting`);
    await two.page.getByText("11:40–12:00").waitFor();
    await looked(two, "programme-meeting-panel-phone");
    await page.goto(`${platform.portal}/programme`);
  });

  await t.test("the ministry ranks, works out what a budget holds, and decides", async () => {
    const { page } = ministry;
    await page.getByRole("link", { name: "收到的計畫" }).click();
    await looked(ministry, "programme-received-ministry");
    await page.getByRole("link", { name: "雷同比對" }).click();
    await looked(ministry, "programme-alike");
    const open = async (government) => {
      await page.goto(`${platform.portal}/programme/calls/moda-114/received`);
      await page.getByRole("link", { name: government, exact: true }).click();
    };
    for (const [government, urgency] of [["臺中市", "5"], ["基隆市", "3"]]) {
      await open(government);
      await page.getByRole("checkbox", { name: "有必要" }).check();
      await page.getByRole("checkbox", { name: "可行", exact: true }).check();
      await page.locator("#urgency").selectOption(urgency);
      await page.locator("#feasibility").selectOption("4");
      await page.getByRole("button", { name: "儲存評估" }).click();
      await page.getByText("已儲存優先順序的評估").waitFor();
    }
    await looked(ministry, "programme-sent-ministry");
    await page.goto(`${platform.portal}/programme/calls/moda-114/ranking`);
    await looked(ministry, "programme-ranking");
    await page.locator("#budget").fill("3,000,000");
    await page.getByRole("button", { name: "試算" }).click();
    await page.getByText("試算結果").first().waitFor();
    await looked(ministry, "programme-what-if");
    await page.locator("#steer-KEE").selectOption("in");
    await page.locator("#steer-TXG").selectOption("in");
    await page.getByRole("button", { name: "試算" }).click();
    await page.getByText("超過總預算").first().waitFor();
    await looked(ministry, "programme-what-if-error");
    await page.setViewportSize(PHONE);
    await looked(ministry, "programme-ranking-phone");
    await open("臺中市");
    await looked(ministry, "programme-sent-ministry-phone");
    await page.setViewportSize(DESK);
    await page.locator("#amount").fill("4,600,000");
    await page.getByRole("button", { name: "核定補助並請修正" }).click();
    await page.getByText("超過財力級次或上限").first().waitFor();
    await looked(ministry, "programme-grant-error");
    await page.locator("#amount").fill("2,700,000");
    await page.locator("#conditions").fill("請補充個資外洩時的通報流程。");
    await page.getByRole("button", { name: "核定補助並請修正" }).click();
    await page.getByText("已核定補助").first().waitFor();
    await looked(ministry, "programme-granted");
    await open("基隆市");
    await page.locator("#reason").fill("與其他計畫重複，請先整合。");
    await page.getByRole("button", { name: "核定不予補助" }).click();
    await page.getByText("已核定不予補助").waitFor();
  });

  await t.test("each government reads its decision, and the plan is corrected", async () => {
    await hsu.page.goto(keelung);
    await hsu.page.getByText("與其他計畫重複").waitFor();
    await looked(hsu, "programme-refused");
    await lin.page.goto(taichung);
    await lin.page.getByText("請補充個資外洩時的通報流程").waitFor();
    await looked(lin, "programme-correction");
    await wu.page.goto(taichung);
    await looked(wu, "programme-correction-phone");
    await lin.page.getByRole("link", { name: /外洩/ }).click();
    await lin.page.locator("#text").fill("發現外洩後一小時內通報資安長，七十二小時內通知當事人，並留存紀錄。");
    await lin.page.getByRole("button", SAVE).click();
    await lin.page.goto(`${taichung}/check`);
    await looked(lin, "programme-check-correction");
    await lin.page.getByRole("button", { name: "送出修正計畫" }).click();
    await lin.page.getByText("修正計畫在期限內送出").waitFor();
    await looked(lin, "programme-corrected");
    await ministry.page.goto(`${platform.portal}/programme/calls/moda-114/received`);
    await ministry.page.getByRole("link", { name: "臺中市", exact: true }).click();
    await ministry.page.getByText("七十二小時內通知當事人").waitFor();
  });
});
