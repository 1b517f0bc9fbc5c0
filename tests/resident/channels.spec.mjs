// Where somebody wants to be told: opened and proven on a phone, told on every one of them, ended; and without script on a desk.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ELDER } from "../support/answers.mjs";
import { DESK, PHONE, launch, looked, person } from "../support/browser.mjs";
import { start } from "../support/platform.mjs";
import { answer, fetchData, handIn, signIn, signInStaff } from "../support/steps.mjs";

let platform;
let browser;

before(async () => {
  [platform, browser] = await Promise.all([start(), launch()]);
});
after(async () => {
  await browser?.close();
  await platform?.stop();
});

/** Everything that came by text message, LINE and push, the newest first: way and text. */
async function came() {
  const page = await (await fetch(platform.messages)).text();
  const rows = [...page.matchAll(/<tr><td>(sms|line|push)<\/td><td>[^<]*<\/td><td><pre>([^<]*)<\/pre>/g)];
  return rows.map(([, way, text]) => ({ way, text }));
}

/** Waits for a message of a way that holds a text. */
async function arrived(way, text) {
  for (let tries = 0; ; tries += 1) {
    const found = (await came()).find((one) => one.way === way && text.test(one.text));
    if (found) return found.text;
    assert.ok(tries < 60, `nothing came by ${way} with ${text}`);
    await new Promise((soon) => setTimeout(soon, 250));
  }
}

/** What somebody writes to the city's LINE account. */
async function write(text) {
  const answered = await fetch(`${platform.messages}/line/write`, { method: "POST", body: new URLSearchParams({ text }), redirect: "manual" });
  assert.ok(answered.status < 400, `LINE's call was answered with an error: ${answered.status}`);
}

for (const [name, options] of [["channels-phone", { width: PHONE }], ["channels-desk", { width: DESK, script: false }]]) {
  test(`somebody chooses where they are told (${name})`, async (t) => {
    const elder = platform.people[name === "channels-phone" ? 0 : 1];
    const me = await person(browser, options);
    const { page, script } = me;
    const part = (word) => page.locator(`#channel-${word}`);
    if (script) {
      await me.context.grantPermissions(["notifications"]);
      // the push service of the demonstration stands in for the browser's own
      await page.exposeFunction("subscribed", async () => (await fetch(`${platform.messages}/browser`, { method: "POST" })).json());
      await page.addInitScript(() => {
        globalThis.PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
          if (!applicationServerKey) throw new Error("no key");
          return globalThis.subscribed();
        };
      });
    }

    await t.test("the page says what there is and that nothing is chosen", async () => {
      await signIn(me, platform, elder);
      await page.goto(`${platform.portal}/my-data`);
      await page.getByRole("link", { name: "選擇要用什麼方式收到通知" }).click();
      await looked(me, name);
      assert.equal(await page.getByText("使用中").count(), 0);
    });

    await t.test("a mobile number counts once its code was typed", async () => {
      await part("sms").getByLabel("手機號碼").fill("12345");
      await part("sms").getByRole("button", { name: "傳確認碼" }).click();
      await page.locator(".govuk-error-summary").waitFor();
      assert.equal(await page.locator("#sms").inputValue(), "12345", "what was typed is kept");
      await looked(me, `${name}-error`);
      await page.locator("#sms").fill(script ? "0912345678" : "0922-333-444");
      await part("sms").getByRole("button", { name: "傳確認碼" }).click();
      await page.getByText("確認碼傳出去了").waitFor();
      await looked(me, `${name}-code`);
      const code = (await arrived("sms", /確認碼 \d{6}/)).match(/\d{6}/)[0];
      await page.locator("#code-sms").fill(code === "000000" ? "111111" : "000000");
      await page.getByRole("button", { name: "確認", exact: true }).click();
      await page.locator(".govuk-error-summary").getByText("確認碼不對").waitFor();
      await looked(me, `${name}-code-wrong`);
      await page.locator("#code-sms").fill(code);
      await page.getByRole("button", { name: "確認", exact: true }).click();
      await page.getByText("設定好了").waitFor();
      await part("sms").getByText("使用中").waitFor();
      assert.equal(await page.getByText("0912345678").count(), 0, "the number is not shown whole");
    });

    await t.test("a LINE account is linked by writing a code to the city's", async () => {
      await part("line").getByRole("button", { name: "連結 LINE" }).click();
      const code = (await page.locator("#line-code").textContent()).trim();
      await looked(me, `${name}-line`);
      await write(code.toLowerCase());
      await page.goto(`${platform.portal}/my-data/channels`);
      await part("line").getByText("使用中").waitFor();
      await arrived("line", /已連結/);
    });

    await t.test("a browser is offered where it has script, and told in words where not", async () => {
      if (!script) {
        await page.getByText("這個瀏覽器不能收推播").waitFor();
        assert.equal(await part("push").getByRole("button").count(), 0);
        return;
      }
      assert.ok(await part("push").getByText("沒有開啟推播").isHidden(), "nothing has failed yet");
      await part("push").getByRole("button", { name: "在這台裝置開啟推播" }).click();
      await page.getByText("設定好了").waitFor();
      await part("push").getByText("使用中").waitFor();
      const worker = await page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
      assert.equal(worker, `${platform.portal}/`);
      await looked(me, `${name}-all`);
    });

    if (script) {
      await t.test("an application is told on every one of them", async () => {
        await fetchData(me, platform, name);
        await answer(me, ELDER, name);
        const number = await handIn(me, name, "預計符合資格");
        for (const way of ["sms", "line", "push"]) {
          const text = await arrived(way, new RegExp(number));
          assert.ok(!text.includes("津貼") && !text.includes("元"), `${way} says too much: ${text}`);
        }
      });
    }

    await t.test("what is ended is ended", async () => {
      await page.goto(`${platform.portal}/my-data/channels`);
      await part("sms").getByRole("button", { name: /^停止/ }).click();
      await page.getByText("已經停止").waitFor();
      assert.equal(await part("sms").getByText("使用中").count(), 0);
      await looked(me, `${name}-ended`);
    });
    assert.deepEqual(me.problems, []);
  });
}

test("the administrator sees how many messages went out, and no address", async () => {
  const admin = await person(browser, { width: DESK });
  await signInStaff(admin, platform, "admin");
  await admin.page.getByRole("link", { name: "訊息遞送", exact: true }).click();
  await looked(admin, "office-messages");
  await admin.page.getByText("沒有卡住的訊息").waitFor();
  assert.equal(await admin.page.getByText("0912345678").count(), 0);
  assert.deepEqual(admin.problems, []);
});
