// A plan of a subsidy programme that is written, sent, scored, granted and corrected, without looking at the pages on the way.

const SAVE = { name: "儲存", exact: true };

/** Fills in fields by name: a text, or what to choose. */
export async function fill(page, values) {
  for (const [name, value] of Object.entries(values)) {
    const field = page.locator(`[name="${name}"]`).first();
    if ((await field.evaluate((node) => node.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
}

/** The tables of a plan of the platform's own city. */
export const TABLES = {
  title: { text: "長者津貼主動發放計畫" },
  indicators: {
    "indicator.0.title": "民眾服務滿意度",
    "indicator.0.printed": "satisfaction",
    "indicator.0.measure": "all",
    "indicator.0.formula": "（5×非常滿意＋4×滿意＋3×普通＋2×不滿意＋1×非常不滿意）÷ 全部回答",
    "indicator.0.base": "一站式平臺每次申辦後的問卷",
    "indicator.0.source": "平臺問卷",
    "indicator.0.target.114": "平均 4 分以上",
    "indicator.0.target.115": "平均 4.2 分以上",
    "indicator.1.title": "犯罪破獲率上升比例",
    "indicator.1.printed": "clearance",
    "indicator.1.formula": "（分析後－分析前）÷ 分析前",
    "indicator.1.base": "分析前破獲率",
    "indicator.1.source": "警察局統計",
    "indicator.1.target.114": "20% 以上",
    "indicator.1.target.115": "40% 以上",
  },
  budget: {
    "line.0.work": "長者津貼線上申請與發放",
    "line.0.year": "114",
    "line.0.amount": "3,000,000",
    "line.0.kind": "capital",
    "line.1.work": "問卷與統計",
    "line.1.year": "114",
    "line.1.amount": "1500000",
    "line.1.kind": "current",
  },
  subsidy: {
    "year.114.total": "4500000",
    "year.114.own": "1800000",
    "year.114.capital": "1500000",
    "year.114.current": "1200000",
    "year.115.total": "1000000",
    "year.115.own": "1000000",
    "year.115.capital": "0",
    "year.115.current": "0",
  },
  checkpoints: Object.fromEntries(
    [
      [1, 20, 500000],
      [2, 50, 2000000],
      [3, 80, 3500000],
      [4, 100, 4500000],
    ].flatMap(([quarter, progress, spending]) => [
      [`quarter.${quarter}.progress`, String(progress)],
      [`quarter.${quarter}.spending`, String(spending)],
      [`quarter.${quarter}.text`, `第 ${quarter} 季的工作完成並經確認`],
    ]),
  ),
  contact: { unit: "社會局資訊小組", name: "承辦人", telephone: "04-0000-0000", email: "grants@example.org" },
};

/** Writes the whole plan of a writer's government, `own` standing instead of the usual tables; answers its address. */
export async function written(page, platform, { look = async () => {}, own = {} } = {}) {
  const tables = { ...TABLES, ...own };
  await page.goto(`${platform.portal}/programme/calls/moda-114`);
  await page.getByRole("button", { name: "開始撰寫計畫" }).click();
  const plan = page.url();
  await page.goto(`${plan}/assessment/A1`);
  await page.getByRole("radio", { name: /已建置/ }).check();
  await fill(page, { "evidence.0.title": "一站式服務平臺", "evidence.0.address": "https://service.example.org/" });
  await page.locator('[id="item.A1.1.done"]').check();
  await page.locator('[id="item.A1.1.done.address"]').fill("https://service.example.org/kindergarten");
  await page.locator('[id="item.A1.2.planned"]').check();
  await page.locator('[id="item.A1.2.planned.text"]').fill("長者多，紙本申請費時；發展線上申請與主動發放。");
  for (const item of ["A1.3", "A1.4", "A1.5"]) {
    await page.locator(`[id="item.${item}.refused"]`).check();
    await page.locator(`[id="item.${item}.refused.text"]`).fill("現由其他計畫辦理，本年度暫無需求。");
  }
  await page.getByRole("button", SAVE).click();
  await page.getByText("已儲存").first().waitFor();
  await page.goto(`${plan}/parts/title`);
  while (page.url() !== plan) {
    const part = decodeURIComponent(page.url().split("/").pop());
    if (part === "assessment") {
      await page.getByText("下一項").getByRole("link").click();
      continue;
    }
    if (part in tables) {
      await fill(page, tables[part]);
      if (part === "budget") {
        await page.getByRole("button", { name: "增加空白列" }).click();
        await fill(page, { "line.2.work": "維運與推廣", "line.2.year": "115", "line.2.amount": "1000000", "line.2.kind": "current" });
        for (const [line, indicator] of [[0, "K1"], [1, "K1"], [2, "K2"]]) {
          await page.locator(`[name="line.${line}.items"][value="A1.2"]`).check();
          await page.locator(`[name="line.${line}.indicators"][value="${indicator}"]`).check();
        }
      }
      await look(part);
    } else {
      await page.locator("#text").fill(`${await page.locator("h1").textContent()}。依現況逐項說明，並寫出受益對象與作法。`);
    }
    const here = page.url();
    await page.getByRole("button", { name: "儲存並到下一項" }).click();
    await page.waitForURL((url) => url.href !== here);
  }
  return plan;
}

/** Sends the plan, or the corrected plan. */
export async function handIn(page, plan, name) {
  await page.goto(`${plan}/check`);
  await page.getByRole("button", { name }).click();
  await page.waitForURL((url) => !url.pathname.endsWith("/check"));
}

/** A member of the panel scores a plan at the ministry's address. */
export async function score(page, received) {
  await page.goto(`${received}/sheet`);
  const points = { complete: "28", workable: "27", joined: "18", protected: "9", inclusion: "8" };
  for (const [name, value] of Object.entries(points)) await page.locator(`[id="points.${name}"]`).fill(value);
  await page.getByRole("button", { name: "儲存評分表" }).click();
  await page.getByText("評分表已儲存").waitFor();
}

/** The ministry grants an amount. */
export async function grant(page, received, amount) {
  await page.goto(received);
  await page.locator("#amount").fill(amount);
  await page.getByRole("button", { name: "核定補助並請修正" }).click();
  await page.getByText("已核定補助").first().waitFor();
}
