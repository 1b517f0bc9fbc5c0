//! A funded plan is reported on, changed, settled and paid, by the forms as a browser without script sends them.

use super::call::{Call, PROGRAMME, score};
use crate::town::Browser;

/// A plan of Keelung that is approved: its writer, the officer, and both addresses.
pub async fn granted(call: &Call) -> (Browser, Browser, String, String) {
    let (writer, here, received) = call.sent("hsu", "KEE").await;
    for account in ["panel", "panel2", "panel3"] {
        let mut reviewer = call.reviewer(account).await;
        score(&mut reviewer, &received, ["28", "27", "18", "9", "8"])
            .await
            .is(303);
    }
    let mut officer = call.officer("chou").await;
    let page = officer.get(&received).await;
    let granted = officer.submit(&page, "/grant", &[("amount", "3,150,000")]).await;
    officer.follow(&granted).await.has("已核定補助");
    (writer, officer, here, received)
}

/// The same plan, corrected.
pub async fn funded(call: &Call) -> (Browser, Browser, String, String) {
    let (mut writer, officer, here, received) = granted(call).await;
    let check = writer.get(&format!("{here}/check")).await;
    let handed = writer.submit(&check, "/check", &[]).await;
    writer
        .follow(&handed)
        .await
        .has("修正計畫已送出")
        .has("接下來要做的事")
        .has("第 1 季執行報告");
    (writer, officer, here, received)
}

pub fn at(call: &Call, time: &str) {
    call.town.kit.clock.set(time.parse().unwrap());
}

pub async fn sent(writer: &mut Browser, form: &str, fields: &[(&str, &str)]) {
    let page = writer.get(form).await;
    page.is(200);
    let mut fields = fields.to_vec();
    fields.push(("what", "send"));
    let filed = writer.submit(&page, form, &fields).await;
    writer.follow(&filed).await.has("已送出").lacks(">programme-");
}

pub async fn answered(officer: &mut Browser, received: &str, end: &str, fields: &[(&str, &str)]) {
    let here = format!("{received}/execution");
    let page = officer.get(&here).await;
    page.is(200).lacks(">programme-");
    let said = officer.submit(&page, end, fields).await;
    officer.follow(&said).await.is(200).lacks(">programme-");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_by_the_forms_of_both_sides() {
    let call = Call::new().await;
    let (mut writer, mut officer, here, received) = funded(&call).await;
    let execution = format!("{here}/execution");
    let first = format!("{execution}/report/1");
    // too early, then behind without a reason: nothing is sent and the draft is kept
    at(&call, "2025-03-01T02:00:00Z");
    let page = writer.get(&first).await;
    page.has("完成需求訪談與採購").has("20%");
    let fields = [
        ("progress", "5"),
        ("spending", "1,000"),
        ("done", "需求訪談"),
        ("what", "send"),
    ];
    let early = writer.submit(&page, "/report/1", &fields).await;
    early.is(422).has("起填報").has("沒有送出");
    at(&call, "2025-04-13T02:00:00Z");
    let refused = writer.submit(&early, "/report/1", &fields).await;
    refused.is(422).has("請寫原因與改善作法").has("value=\"5\"");
    writer.get(&execution).await.has("草稿").has("逾期 3 天");
    let unreadable = writer
        .submit(&refused, "/report/1", &[("progress", "兩成"), ("what", "save")])
        .await;
    unreadable.is(422).has("請填 0 到 100 的整數").has("兩成");
    sent(
        &mut writer,
        &first,
        &[("progress", "5"), ("reason", "招標流標，五月重招")],
    )
    .await;
    writer.get(&first).await.has("招標流標").lacks("name=\"progress\"");
    // the ministry sees who is behind, gives it back, takes note of it
    let progress = format!("/programme/calls/{PROGRAMME}/progress");
    officer
        .get(&progress)
        .await
        .has("進度落後 15 個百分點")
        .has("逾期 3 天送出")
        .has("基隆市");
    let page = officer.get(&format!("{received}/execution")).await;
    officer
        .submit(&page, "/report/1", &[("what", "return")])
        .await
        .is(422)
        .has("請寫原因");
    let fields = [("what", "return"), ("answer.report.1", "請附新的時程")];
    answered(&mut officer, &received, "/report/1", &fields).await;
    writer.get(&first).await.has("請附新的時程").has("退回補正");
    sent(&mut writer, &first, &[("reason", "招標流標，五月重招，六月趕上")]).await;
    answered(&mut officer, &received, "/report/1", &[("what", "accept")]).await;
    // a change is asked for and granted
    let change = format!("{execution}/change/1");
    let page = writer.get(&change).await;
    // the button and the first field share no name
    page.has("name=\"change\"");
    let falling = [
        ("what", "send"),
        ("change", "順延"),
        ("why", "流標"),
        ("quarter.3.progress", "40"),
    ];
    let refused = writer.submit(&page, "/change/1", &falling).await;
    refused.is(422);
    let fields = [
        ("why", "招標流標"),
        ("quarter.2.progress", "30"),
        ("quarter.3.progress", "70"),
    ];
    let page = writer.get(&change).await;
    let mut all = fields.to_vec();
    all.extend([("change", "第二、三季進度順延"), ("what", "send")]);
    let filed = writer.submit(&page, "/change/1", &all).await;
    writer.follow(&filed).await.has("已送出");
    answered(&mut officer, &received, "/change/1", &[("what", "accept")]).await;
    writer.get(&execution).await.has("同意變更").has("30%");
    // after the third quarter none is taken, and what was typed is kept
    at(&call, "2025-09-30T16:00:00Z");
    writer.get(&execution).await.lacks("申請變更</a>").has("不再受理變更");
    let page = writer.get(&format!("{execution}/change/2")).await;
    let late = writer
        .submit(
            &page,
            "/change/2",
            &[("change", "再順延"), ("why", "颱風"), ("what", "send")],
        )
        .await;
    late.is(422).has("草稿仍然保留").has("再順延");
    writer.get(&format!("{execution}/change/2")).await.has("再順延");
    // completion, request, settlement, payment
    at(&call, "2025-11-20T02:00:00Z");
    let completion = [("on", "2025-11-02"), ("text", "全案上線")];
    sent(&mut writer, &format!("{execution}/completion/1"), &completion).await;
    let request = format!("{execution}/request/1");
    let fields = [
        ("accepted_on", "2025-11-18"),
        ("spent.0", "2,400,000"),
        ("spent.1", "1,100,000"),
        ("spent.2", "600,000"),
        ("note", "驗收紀錄114-001"),
    ];
    sent(&mut writer, &request, &fields).await;
    let follow = officer.get(&format!("{received}/execution")).await;
    follow
        .has("逾期 2 天送出")
        .has("新臺幣 4,100,000 元")
        .has("新臺幣 2,870,000 元");
    let more = officer
        .submit(&follow, "/settlement", &[("struck.1", "1,100,001"), ("note", "x")])
        .await;
    more.is(422).has("剔除的金額不能超過請款");
    let settled = officer
        .submit(
            &follow,
            "/settlement",
            &[("struck.1", "100,000"), ("note", "逾計畫範圍")],
        )
        .await;
    officer
        .follow(&settled)
        .await
        .has("新臺幣 2,800,000 元")
        .has("新臺幣 350,000 元")
        .has("尚未付款");
    let page = officer.get(&format!("{received}/execution")).await;
    let paid = [("on", "2025-11-20"), ("reference", "付款字第1號")];
    let paid = officer.submit(&page, "/payment", &paid).await;
    officer
        .follow(&paid)
        .await
        .has("付款字第1號")
        .lacks("記錄付款</button>");
    writer.get(&execution).await.has("新臺幣 2,800,000 元");
    let audit = writer.get(&format!("{here}/audit")).await;
    audit.is(200);
    assert_eq!(audit.kind, "application/zip");
    officer.get(&format!("{received}/audit")).await.is(200);
    // everybody reads what was taken note of, and nothing of people
    let mut nobody = call.town.browser();
    nobody
        .get(&format!("/results/{PROGRAMME}"))
        .await
        .is(200)
        .has("基隆市：敬老禮金主動發放計畫")
        .has("新臺幣 2,800,000 元")
        .has("實際 5%，預定 20%")
        .lacks("招標流標")
        .lacks("承辦人")
        .lacks("grants@example.org")
        .lacks(">programme-");
    nobody.get("/results").await.is(200).has("補助地方政府資訊應用");
    nobody.get("/results/nothing").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_funded_plan_is_its_governments_and_the_ministrys_alone() {
    let call = Call::new().await;
    let (mut writer, _, here, received) = funded(&call).await;
    let mut strangers = [call.writer("lin", "TXG").await, call.reviewer("panel4").await];
    for browser in &mut strangers {
        browser.get("/programme").await.is(200);
        for address in [
            format!("{here}/execution"),
            format!("{here}/execution/report/1"),
            format!("{here}/execution/change/1"),
            format!("{here}/audit"),
            format!("{received}/execution"),
            format!("{received}/audit"),
        ] {
            let page = browser.get(&address).await;
            assert!([403, 404].contains(&page.status.as_u16()), "{address}: {}", page.status);
            page.lacks("敬老禮金主動發放計畫");
        }
        for (address, what) in [
            (format!("{here}/execution/report/1"), "send"),
            (format!("{received}/execution/report/1"), "accept"),
            (format!("{received}/settlement"), "settle"),
            (format!("{received}/payment"), "pay"),
        ] {
            let fields = [
                ("seen", "0"),
                ("revision", "1"),
                ("what", what),
                ("progress", "20"),
                ("spending", "1"),
                ("done", "x"),
                ("on", "2025-01-01"),
                ("reference", "x"),
            ];
            let page = browser.post(&address, &fields).await;
            assert!([403, 404].contains(&page.status.as_u16()), "{address}: {}", page.status);
        }
    }
    writer.get(&format!("{here}/execution")).await.lacks("草稿");
    // nobody answers themselves by the ministry's addresses
    writer.get(&format!("{received}/execution")).await.is(404);
    // a plan that is still being decided is nobody's to carry out, and stands on no public page
    let (mut lin, undecided, _) = call.sent("wu", "TXG").await;
    lin.get(&format!("{undecided}/execution")).await.is(403);
    let mut nobody = call.town.browser();
    nobody
        .get(&format!("/results/{PROGRAMME}"))
        .await
        .has("基隆市")
        .lacks("臺中市：");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_is_bound_to_the_platform_and_reported_with_both_readings() {
    let call = Call::new().await;
    let (mut writer, mut officer, here, received) = funded(&call).await;
    let results = format!("{here}/execution/results/114");
    let page = writer.get(&results).await;
    page.has("平臺目前的統計").has("線上申辦件數");
    let missing = writer.submit(&page, "/results/114", &[("what", "send")]).await;
    missing.is(422).has("請填指標 K2 的每一個數字");
    sent(
        &mut writer,
        &results,
        &[("value.1.online", "61"), ("value.1.all", "100")],
    )
    .await;
    let page = officer.get(&format!("{received}/execution")).await;
    page.has("線上申辦件數/總申辦件數：61%（達標）")
        .has("平均分數（所列公式）")
        .has("滿意比率（百分比目標值的用意）")
        .has("沒有可計算的數字")
        .has("數字由平臺統計");
    answered(&mut officer, &received, "/results/114", &[("what", "accept")]).await;
    let mut nobody = call.town.browser();
    nobody
        .get(&format!("/results/{PROGRAMME}"))
        .await
        .has("61%（達標）")
        .has("目標：60%");
    // the form of the indicators offers what the platform counts, for the platform's own city alone
    let (_, mut lin) = call.somebody("lin", cases::Role::GrantWriter, "TXG").await;
    let theirs = call.opened(&mut lin).await;
    lin.get(&format!("{theirs}/parts/indicators"))
        .await
        .lacks("平臺全部服務");
}
