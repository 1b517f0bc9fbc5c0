// A service that no code knows: a folder made by `tongban service new` and filled with data, offered after a restart of the
// same program, applied for, approved and paid. Then somebody breaks the folder: it is withdrawn, and everything else goes on.

import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PHONE, launch, looked, person } from "../support/browser.mjs";
import { approve } from "../support/office.mjs";
import { start } from "../support/platform.mjs";
import { copy, day, run } from "../support/services.mjs";
import { answer, fetchData, handIn, letter, signIn, signInStaff, untilCaseSays } from "../support/steps.mjs";

const ID = "funeral-aid";
const NAME = "示範喪葬補助";
const FILLED = fileURLToPath(new URL(`../services/${ID}`, import.meta.url));

let services;
let platform;
let browser;

before(async () => {
  services = copy();
  [platform, browser] = await Promise.all([start({ services: services.path }), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
  services?.remove();
});

test("a folder of data becomes a service, and a broken one takes nothing else with it", async (t) => {
  const me = await person(browser, { width: PHONE });
  const { page } = me;
  const [year, month, date] = day(-20).split("-").map(Number);

  await t.test("the folder is made, filled in and checked", async () => {
    const folder = services.file(ID);
    const made = run("service", "new", folder, "--json");
    assert.equal(made.status, 0, made.stderr);
    cpSync(FILLED, folder, { recursive: true });
    // what the example left behind is the first thing the check tells
    const first = run("service", "check", folder, "--json");
    assert.equal(first.status, 1);
    assert.ok(JSON.parse(first.stdout).services[0].mistakes.some((mistake) => /allowance|registered/.test(mistake.file + mistake.message)));
    for (const name of ["parameters/allowance.csv", "parameters/days-needed.csv", "cases/registered-for-179-days.toml", "cases/registered-for-180-days.toml"]) {
      services.drop(ID, name);
    }
    const checked = run("service", "check", folder, "--json");
    const [report] = JSON.parse(checked.stdout).services;
    assert.deepEqual(report.mistakes, []);
    assert.equal(checked.status, 0);
    assert.deepEqual([report.examples, report.letters, report.untested], [7, 3, []]);
  });

  await t.test("the same program offers it after a restart", async () => {
    await page.goto(platform.portal);
    assert.equal(await page.getByRole("link", { name: NAME }).count(), 0);
    await platform.restart();
    await page.goto(platform.portal);
    await page.getByRole("link", { name: NAME }).waitFor();
    await looked(me, "seventh-home");
  });

  await t.test("a resident applies without paper, an officer approves, the letter is a PDF", async () => {
    await signIn(me, platform, platform.resident("列冊低收入戶"));
    await fetchData(me, platform, "seventh", ID);
    await answer(
      me,
      {
        relation: "parent",
        "death_date.year": String(year - 1911),
        "death_date.month": String(month),
        "death_date.day": String(date),
        phone: "0912345678",
        address: "臺中市西區民生路1號",
        "account.bank": "700",
        "account.account": "00012345678901",
      },
      "seventh",
    );
    await page.getByText(/新臺幣 32,000 元/).first().waitFor();
    const number = await handIn(me, "seventh", "預計符合資格");
    assert.match(number, /^115-FA-\d{6}$/);
    await approve(browser, platform, "officer", [number], "seventh");
    await untilCaseSays(me, platform, NAME, "核定函");
    await looked(me, "seventh-case-approved");
    await letter(me, platform, /核定函/);
  });

  await t.test("a broken edit withdraws it, says why with file and line, and everything else goes on", async () => {
    const rules = services.file(ID, "rules.toml");
    const sound = readFileSync(rules, "utf8");
    writeFileSync(rules, sound.replace("is_entitled AND is_in_time", "is_entitled AND is_in_tiem"));
    const line = sound.split("\n").findIndex((text) => text.includes("is_entitled AND is_in_time")) + 1;
    await platform.restart();

    const admin = await person(browser);
    await signInStaff(admin, platform, "admin");
    await admin.page.goto(`${platform.portal}/office/admin`);
    await looked(admin, "seventh-admin-withdrawn");
    await admin.page.getByText(new RegExp(`rules\\.toml:${line}:\\d+`)).waitFor();
    await admin.page.getByText("is_in_tiem").first().waitFor();

    await page.goto(platform.portal);
    assert.equal(await page.getByRole("link", { name: NAME }).count(), 0);
    await page.getByRole("link", { name: "中低收入老人生活津貼" }).waitFor();
    const gone = await page.goto(`${platform.portal}/services/${ID}`);
    assert.equal(gone.status(), 404);
    await looked(me, "seventh-gone");
    // what was applied for is still listed
    await page.goto(`${platform.portal}/applications`);
    await looked(me, "seventh-applications-withdrawn");
    await page.getByRole("heading", { name: NAME }).waitFor();
    await page.getByText("暫時打不開").waitFor();
    assert.equal(await page.getByRole("link", { name: NAME }).count(), 0);
    await page.goto(`${platform.portal}/services/senior-allowance`);
    await page.getByRole("button", { name: "開始申請" }).click();
    await page.getByRole("button", { name: "我已閱讀並同意" }).waitFor();

    writeFileSync(rules, sound);
    await platform.restart();
    await page.goto(`${platform.portal}/services/${ID}`);
    await page.getByRole("button", { name: "開始申請" }).waitFor();
    await untilCaseSays(me, platform, NAME, "核定函");
    await admin.page.goto(`${platform.portal}/office/admin`);
    assert.equal(await admin.page.getByText("is_in_tiem").count(), 0);
    await admin.context.close();
  });
  await me.context.close();
});
