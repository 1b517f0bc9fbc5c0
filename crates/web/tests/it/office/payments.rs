//! The month's run with its comparison, holds, and returns, as pages.

use cases::Role;

use crate::town::Town;

const SERVICE: [(&str, &str); 2] = [("service", "senior-allowance"), ("month", "2025-11")];

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shows_its_progress_its_totals_and_the_month_before() {
    let town = Town::new().await;
    let officer = town.kit.staff("officer", Role::Officer).await;
    for number in [1, 2] {
        let id = town.submitted(number).await;
        town.kit.approved(&officer, id).await;
    }
    let (_, mut maker) = town.on_duty("maker", Role::Cashier).await;
    let (_, mut other) = town.on_duty("other", Role::Cashier).await;
    maker.get("/office/payments").await.has("開始月底撥款作業");
    for (service, month, words) in [
        ("senior-allowance", "114/11", "請用西元年和月"),
        ("senior-allowance", "2025-12", "這個月份還沒到"),
        ("none", "2025-11", "請選擇服務項目"),
    ] {
        let page = maker
            .post("/office/payments/runs", &[("service", service), ("month", month)])
            .await;
        page.is(422).has(words);
    }
    let page = maker.post("/office/payments/runs", &SERVICE).await;
    let run = page.location.split('?').next().unwrap().to_owned();
    maker
        .follow(&page)
        .await
        .is(200)
        .has("正在產生應付款")
        .has("更新進度")
        .has("停止作業");
    maker
        .post("/office/payments/runs", &SERVICE)
        .await
        .is(422)
        .has("正在進行");
    town.kit.work().await;
    let page = maker.get(&run).await;
    page.is(200)
        .has("清冊已備妥")
        .has("16,658")
        .has("新增（上月沒有）")
        .has("114-SA-000001")
        .lacks("林阿梅");
    maker.post(&format!("{run}/stop"), &[]).await.is(409);
    let batch = page.between("href=\"/office/payments/batches/", "\"");
    let page = other.get(&format!("/office/payments/batches/{batch}")).await;
    page.is(200)
        .has("先和上個月比較")
        .has("/office/payments/compare/senior-allowance/2025-11");
    other
        .get("/office/payments/compare/senior-allowance/2025-11")
        .await
        .is(200)
        .has("每筆金額")
        .has("8,329")
        .lacks("林阿梅");
    other.get("/office/payments/compare/senior-allowance/xx").await.is(404);
    // a supervisor finds what waits, sees what is paid to which case, and releases it, but pays nothing
    let (_, mut supervisor) = town.on_duty("supervisor", Role::Supervisor).await;
    supervisor.get("/office").await.has("href=\"/office/payments/release\"");
    let page = supervisor.get("/office/payments/release").await;
    page.is(200)
        .has("核對並放行")
        .has(&format!("/office/payments/batches/{batch}"));
    let page = supervisor.get(&format!("/office/payments/batches/{batch}")).await;
    page.is(200)
        .has("/release\"")
        .has("每月津貼")
        .has("8,329")
        .lacks("解散清冊")
        .lacks("林阿梅");
    supervisor
        .get("/office/payments/compare/senior-allowance/2025-11")
        .await
        .is(200);
    supervisor.get("/office/payments").await.is(403);
    supervisor
        .post(&format!("/office/payments/batches/{batch}/cancel"), &[])
        .await
        .is(403);
    let page = supervisor
        .post(&format!("/office/payments/batches/{batch}/release"), &[])
        .await;
    supervisor.follow(&page).await.is(200).has("已放行").lacks("/file\"");
    supervisor
        .get(&format!("/office/payments/batches/{batch}/file"))
        .await
        .is(403);
    let page = maker.get("/office/payments/release").await;
    page.is(200).has("目前沒有等您放行的清冊");
    other
        .get("/office/payments")
        .await
        .has("月底撥款作業")
        .has("清冊已備妥");
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_held_released_and_returned() {
    let town = Town::new().await;
    let (_, mut officer) = town.on_duty("officer", Role::Officer).await;
    let staff = town.kit.staff("decides", Role::Officer).await;
    let id = town.submitted(1).await;
    let early = town.kit.row(id).await.revision.to_string();
    let here = format!("/office/cases/{id}/payments");
    let page = officer.get(&here).await;
    page.is(200).has("還沒有付款");
    let page = officer
        .post(&format!("{here}/hold"), &[("revision", &early), ("reason", "查址")])
        .await;
    page.is(422).has("只有核准並已發文");
    town.kit.approved(&staff, id).await;
    let (_, mut cashier) = town.on_duty("maker", Role::Cashier).await;
    cashier.get("/office/payments").await;
    cashier.post("/office/payments/prepare", &SERVICE).await;
    cashier.get(&here).await.is(403);
    let revision = town.kit.row(id).await.revision.to_string();
    officer.get(&here).await.is(200).has("8,329").has("應付");
    for (reason, until, words) in [
        ("", "", "請寫下暫停的原因"),
        ("查址", "2020-01-01", "已經過了"),
        ("查址", "明天", "請選擇日期"),
    ] {
        let typed = [("revision", revision.as_str()), ("reason", reason), ("until", until)];
        officer.post(&format!("{here}/hold"), &typed).await.is(422).has(words);
    }
    officer
        .post(&format!("{here}/hold"), &[("revision", &early), ("reason", "查址")])
        .await
        .is(409);
    let page = officer
        .post(
            &format!("{here}/hold"),
            &[("revision", &revision), ("reason", "<b>查址</b>")],
        )
        .await;
    officer
        .follow(&page)
        .await
        .has("已暫停給付")
        .has("&#60;b&#62;查址")
        .has("恢復給付")
        .has("暫停</td>");
    let page = cashier.get("/office/payments").await;
    page.has("暫停給付的案件").has("114-SA-000001").lacks("查址");
    cashier.post("/office/payments/batch", &SERVICE).await.is(422);
    let revision = town.kit.row(id).await.revision.to_string();
    let page = officer
        .post(&format!("{here}/resume"), &[("revision", &revision)])
        .await;
    officer.follow(&page).await.has("已恢復給付");
    officer
        .post(&format!("{here}/resume"), &[("revision", &revision)])
        .await
        .is(409);

    let revision = town.kit.row(id).await.revision.to_string();
    for (reason, last, words) in [
        ("", "2025-11", "請寫下停止的原因"),
        ("死亡", "114/11", "請用西元年和月"),
        ("死亡", "2099-11", "已經結束"),
    ] {
        let typed = [("revision", revision.as_str()), ("stop_reason", reason), ("last", last)];
        officer.post(&format!("{here}/stop"), &typed).await.is(422).has(words);
    }
    let typed = [
        ("revision", revision.as_str()),
        ("stop_reason", "死亡"),
        ("last", "2025-11"),
    ];
    let page = officer.post(&format!("{here}/stop"), &typed).await;
    officer.follow(&page).await.has("已停止給付").has("114年11月");

    cashier.get("/office/payments").await;
    for (file, words) in [
        (b"not a file".as_slice(), "不是我們看得懂的退匯檔"),
        (b"", "請選擇檔案"),
        (b"payment,amount,reason,date\n", "不是我們看得懂的退匯檔"),
    ] {
        cashier
            .upload("/office/payments/returns", "returns", file)
            .await
            .is(422)
            .has(words);
    }
    let file = b"payment,amount,reason,date\n00000000000000000000000000000000,1,AC04,2025-11-20\n";
    cashier
        .upload("/office/payments/returns", "returns", file)
        .await
        .is(200)
        .has("對不上 1 筆");
}
