// A daughter applies for her mother: authorised, accepted, filled in with the data the mother fetches herself, sent, read by
// both, ended at once. And a village officer assists an elder who tells the password.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
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

const SERVICE = "中低收入老人生活津貼";
const ANSWERS = {
  email: "resident@city.example",
  phone: "0912345678",
  lives_at_registration: "yes",
  in_custody: "no",
  exclusion: "none",
  claims_as_dependant: "no",
  lives_together: "yes",
  in_public_care: "no",
  other_allowance: "none",
  other_public_aid: "0",
  land_value_relief: "no",
  "account.bank": "004",
  "account.account": "012345678901",
};

/** The mother authorises by the form. */
async function authorise(who, agent, powers = []) {
  await who.page.goto(`${platform.portal}/agents/new`);
  await who.page.locator("#national_id").fill(agent.national_id);
  await who.page.locator("#name").fill("女兒");
  await who.page.getByRole("checkbox", { name: SERVICE }).check();
  for (const power of powers) await who.page.getByRole("checkbox", { name: power }).check();
}

for (const [width, where] of [
  [DESK, "desk"],
  [PHONE, "phone"],
]) {
  test(`a daughter applies for her mother, at ${width.width} px`, async () => {
    const elder = platform.resident(where === "desk" ? "可領全額" : "收入超過上限");
    const [daughter] = platform.people.filter((one) => one.national_id !== elder.national_id && !one.note.includes("可領全額") && !one.note.includes("收入超過上限"));
    const mother = await person(browser, { width, script: where === "desk" });
    const agent = await person(browser, { width });

    await signIn(mother, platform, elder);
    await mother.page.goto(`${platform.portal}/agents`);
    await looked(mother, `agent-${where}-none`);
    await mother.page.goto(`${platform.portal}/agents/new`);
    await looked(mother, `agent-${where}-new`);
    await mother.page.getByRole("button", { name: "送出授權" }).click();
    await looked(mother, `agent-${where}-new-errors`);
    await authorise(mother, daughter, ["看機關和 MyData 提供的資料", "看、填和更換匯款帳戶"]);
    await mother.page.getByRole("button", { name: "送出授權" }).click();
    await looked(mother, `agent-${where}-given`);
    await mother.page.getByText("等對方接受").first().waitFor();
    const given = mother.page.url();

    await signIn(agent, platform, daughter);
    await agent.page.goto(`${platform.portal}/agent`);
    await looked(agent, `agent-${where}-asked`);
    await agent.page.getByRole("link", { name: elder.name }).click();
    await looked(agent, `agent-${where}-accept`);
    await agent.page.getByRole("button", { name: "接受授權" }).click();
    await looked(agent, `agent-${where}-accepted`);
    await agent.page.getByRole("button", { name: /^開始代/ }).click();
    await looked(agent, `agent-${where}-acting`);
    const banner = agent.page.locator(".acting");
    assert.match(await banner.textContent(), new RegExp(elder.name));

    await agent.page.goto(`${platform.portal}/services/senior-allowance`);
    await looked(agent, `agent-${where}-service`);
    await agent.page.getByRole("button", { name: "開始申請" }).click();
    await agent.page.getByRole("button", { name: "我已閱讀並同意" }).click();
    await looked(agent, `agent-${where}-mydata`);
    assert.equal(await agent.page.getByRole("button", { name: "前往 MyData" }).count(), 0, "MyData is the mother's own");
    await agent.page.getByRole("button", { name: /自己取得/ }).click();
    await looked(agent, `agent-${where}-mydata-asked`);
    const mydata = agent.page.url().split("?")[0];

    // the mother is told, and fetches her data herself
    await mother.page.goto(`${platform.portal}/agents`);
    await looked(mother, `agent-${where}-told`);
    await mother.page.getByText("請您自己從 MyData 取得資料").first().waitFor();
    await mother.page.goto(mydata);
    await mother.page.getByRole("button", { name: "前往 MyData" }).click();
    await mother.page.getByRole("button", { name: "驗證身分" }).click();
    await mother.page.getByRole("button", { name: "同意傳送" }).click();
    await mother.page.waitForURL(`${platform.portal}/**`);
    for (let tries = 0; (await mother.page.getByText("已收到").count()) === 0; tries += 1) {
      assert.ok(tries < 60, "the data of MyData did not arrive");
      await mother.page.waitForTimeout(500);
      await mother.page.goto(mydata);
    }

    // the daughter goes on
    await agent.page.goto(mydata);
    await looked(agent, `agent-${where}-mydata-here`);
    await agent.page.getByRole("link", { name: "繼續", exact: true }).click();
    await answer(agent, ANSWERS, `agent-${where}`);
    await looked(agent, `agent-${where}-check`);
    assert.equal(await agent.page.getByText(elder.national_id).count(), 0, "her number is not shown");
    assert.ok(await banner.isVisible(), "for whom stands on every page");
    await agent.page.getByRole("button", { name: "送出申請" }).click();
    await looked(agent, `agent-${where}-done`);
    const number = (await agent.page.locator(".govuk-panel .number").textContent()).trim();

    // both read what was done
    await mother.page.goto(given);
    await looked(mother, `agent-${where}-did`);
    await mother.page.getByText("送出申請").last().waitFor();
    await mother.page.goto(`${platform.portal}/my-data`);
    await looked(mother, `agent-${where}-my-data`);
    assert.ok((await mother.page.getByText(`代理人 ${daughter.name}`).count()) > 0);
    await mother.page.goto(`${platform.portal}/applications`);
    await mother.page.getByRole("link", { name: SERVICE }).first().click();
    await looked(mother, `agent-${where}-case`);
    await mother.page.getByText(number).first().waitFor();
    await mother.page.getByText("代為送出申請").waitFor();

    // the mother ends it; the daughter's open page is over with the next click
    await mother.page.goto(given);
    await mother.page.getByRole("button", { name: "立刻終止" }).click();
    await looked(mother, `agent-${where}-ended`);
    await agent.page.getByRole("link", { name: "看這件申請" }).click();
    await looked(agent, `agent-${where}-stopped`);
    await agent.page.getByRole("heading", { name: "代理已經終止" }).waitFor();
    assert.equal(await agent.page.locator(".acting").count(), 0);
    await agent.page.goto(`${platform.portal}/agent`);
    await agent.page.getByRole("link", { name: elder.name }).first().click();
    await looked(agent, `agent-${where}-read-back`);
    assert.equal(await agent.page.getByRole("button", { name: /^開始代/ }).count(), 0);
    await Promise.all([mother.context.close(), agent.context.close()]);
  });
}

test("a village officer assists an elder who tells the password", async () => {
  const elder = platform.resident("可領全額");
  const hers = await person(browser, { width: PHONE });
  await signIn(hers, platform, elder);
  const officer = await person(browser);
  await signInStaff(officer, platform, "village");
  await looked(officer, "agent-assist");
  await officer.page.locator("#national_id").fill(elder.national_id);
  await officer.page.getByRole("checkbox", { name: SERVICE }).check();
  await officer.page.getByRole("button", { name: "寄密碼給民眾" }).click();
  await looked(officer, "agent-assist-password");
  await hers.page.goto(`${platform.portal}/agents`);
  await looked(hers, "agent-assist-told");
  const told = await hers.page.locator(".told").allTextContents();
  const password = told.find((text) => /^\d{6}$/.test(text.trim())).trim();
  await officer.page.locator("#password").fill(password === "000000" ? "111111" : "000000");
  await officer.page.getByRole("button", { name: "開始協助" }).click();
  await looked(officer, "agent-assist-wrong");
  await officer.page.locator("#password").fill(password);
  await officer.page.getByRole("button", { name: "開始協助" }).click();
  await looked(officer, "agent-assist-acting");
  assert.match(await officer.page.locator(".acting").textContent(), new RegExp(elder.name));
  // the elder ends it on her own phone
  await hers.page.goto(`${platform.portal}/agents`);
  await hers.page.getByRole("link", { name: /里幹事/ }).first().click();
  await hers.page.getByRole("button", { name: "立刻終止" }).click();
  await looked(hers, "agent-assist-ended");
  await officer.page.goto(`${platform.portal}/applications`);
  await looked(officer, "agent-assist-stopped");
  await officer.page.getByRole("heading", { name: "代理已經終止" }).waitFor();
  await Promise.all([hers.context.close(), officer.context.close()]);
});
