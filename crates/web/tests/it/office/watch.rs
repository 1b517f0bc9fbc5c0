//! Indicators, the ledger, the platform.

use cases::measure;
use cases::{CaseError, Role};
use rules::{Mistake, RuleError};
use services::Catalogue;
use store::StoreError;
use store::outbox::{self, Outcome, Relay, Task};
use store::sea_orm::ConnectionTrait as _;
use web::Problem;

use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn indicators_are_counted_from_what_is_there_and_say_how() {
    let town = Town::new().await;
    let officer = town.kit.staff("officer", Role::Officer).await;
    for (number, grade) in [(1, 5), (2, 4)] {
        let person = town.kit.person(number).await;
        let id = town.kit.submitted(&person).await;
        town.kit.approved(&officer, id).await;
        measure::answer(&town.kit.desk, &person, id, grade, "").await.unwrap();
    }
    town.submitted(3).await;
    let (_, mut chief) = town.on_duty("chief", Role::Supervisor).await;
    let page = chief.get("/office/indicators").await;
    page.is(200)
        .has(">4.50<")
        .has("（5×1＋4×1＋3×0＋2×0＋1×0）÷ 2 份回答")
        .has(">100.0%<")
        .has("÷ 3 件")
        .has("已決定 2 件");
    page.has("<svg class=\"chart\"")
        .has("114/11")
        .has("每月數字")
        .has("線上＋代理人線上");
    chief
        .get("/office/indicators?from=2025-12")
        .await
        .has("尚無資料")
        .lacks("<svg class=\"chart\"");
    chief
        .get("/office/indicators?from=114/11")
        .await
        .is(422)
        .has("月份請用西元年和月")
        .has("value=\"114/11\"");
    chief
        .get("/office/indicators?from=2025-12&to=2025-11")
        .await
        .is(422)
        .has("結束的月份要在開始的月份之後");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_finds_who_read_a_case_and_whether_the_ledger_is_whole() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    officer.get(&format!("/office/cases/{}", id.uuid())).await.is(200);
    officer.sign_in("lin", "a wrong password here", "1").await.is(422);
    let (_, mut auditor) = town.on_duty("watch", Role::Auditor).await;
    let page = auditor.get("/office/audit?number=114-sa-000001").await;
    page.is(200)
        .has("lin 先生")
        .has("查看")
        .has("answers、decision、evidence")
        .has("staff.sign_in_refused");
    page.lacks("林阿梅").lacks("A123456789");
    auditor
        .get("/office/audit?number=114-SA-000009")
        .await
        .is(422)
        .has("沒有這個案號");
    auditor
        .get("/office/audit?from=114/11/20&to=2025-11-20")
        .await
        .is(200)
        .has("lin 先生");
    auditor
        .get("/office/audit?to=2025-11-19")
        .await
        .is(200)
        .has("沒有符合條件的紀錄");
    auditor.get("/office/audit?from=soon").await.is(422).has("日期請寫成");

    auditor.post("/office/audit/verify", &[]).await.is(200).has("紀錄完整");
    let store = &town.kit.desk.store;
    let forge = "UPDATE ledger SET at = at + 1 WHERE seq = 2";
    store
        .write(move |tx| {
            Box::pin(async move { tx.execute_unprepared(forge).await.map(drop).map_err(StoreError::from) })
        })
        .await
        .unwrap();
    auditor
        .post("/office/audit/verify", &[])
        .await
        .is(200)
        .has("紀錄不完整")
        .has("entry 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_sees_why_a_service_is_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("service.toml"), "id = \"broken\"\nname = <b>\n").unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let town = Town::with(Catalogue::load(folder.path(), &root.join("datasets"))).await;
    town.kit.staff("root", Role::Administrator).await;
    let mut browser = town.browser();
    let page = browser.sign_in("root", "a long enough password", &town.code()).await;
    assert_eq!(page.location, "/office/admin");
    let page = browser.follow(&page).await;
    page.is(200)
        .has("broken")
        .has("service.toml:2:8")
        .has("暫停提供的服務")
        .has("root 先生")
        .has("使用中");
    page.lacks("name = <b>");
}

/// On a day before any amount was in force no service can decide, and the page says which row is missing where.
#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_sees_which_service_has_no_value_for_today() {
    let heading = "無法判斷資格的服務";
    let town = Town::new().await;
    let (_, mut root) = town.on_duty("root", Role::Administrator).await;
    root.get("/office/admin").await.is(200).lacks(heading);
    let town = Town::new().await;
    town.kit.clock.set("2015-06-01T02:00:00Z".parse().unwrap());
    let (_, mut root) = town.on_duty("root", Role::Administrator).await;
    root.get("/office/admin")
        .await
        .is(200)
        .has(heading)
        .has("senior-allowance")
        .has("has no value in force on 2015-06-01")
        .has("its earliest");
}

/// Whose fault it is decides the page: of the rules, or of what the rules were given.
#[test]
fn a_fault_of_the_rules_has_a_page_of_its_own() {
    let mistake = Mistake {
        file: "rules.toml".to_owned(),
        line: 7,
        column: 3,
        message: "the step `share` can't be calculated: it divides by zero".to_owned(),
        suggestion: None,
    };
    let step = RuleError::Step {
        step: "share".to_owned(),
        mistake: Box::new(mistake),
    };
    let fault = RuleError::Service {
        service: "gift".to_owned(),
        error: Box::new(step),
    };
    assert_eq!(
        fault.to_string(),
        "the service `gift`: rules.toml:7:3: the step `share` can't be calculated: it divides by zero"
    );
    let (status, page) = Problem::from(CaseError::Rules(fault)).kind();
    assert_eq!((status.as_u16(), page), (503, "undecided"));
    let unreadable = RuleError::Population("it is no Parquet file".to_owned());
    assert_eq!(Problem::from(CaseError::Rules(unreadable)), Problem::Broken);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_work_is_shown_and_tried_again() {
    let town = Town::new().await;
    let store = &town.kit.desk.store;
    store
        .write(|tx| Box::pin(async move { outbox::put(tx, Task::new("deliver", "a", &1)).await.map(drop) }))
        .await
        .unwrap();
    let failing = Relay::default().on("deliver", |_| async {
        Err::<Outcome, _>("the mail server said <no>".to_owned())
    });
    for _ in 0..30 {
        failing.round(store).await.unwrap();
        town.kit.wait(2);
    }
    let (_, mut admin) = town.on_duty("root", Role::Administrator).await;
    let page = admin.get("/office/admin").await;
    page.is(200)
        .has("傳送通知")
        .has("the mail server said &#60;no&#62;")
        .has("有工作放棄")
        .has("待查證的金額");
    let id = page.between("/office/admin/tasks/", "/retry");
    let page = admin.post(&format!("/office/admin/tasks/{id}/retry"), &[]).await;
    admin
        .follow(&page)
        .await
        .has("工作已重新排入")
        .has("等待中的背景工作")
        .lacks("有工作放棄");
    admin
        .post(&format!("/office/admin/tasks/{id}/retry"), &[])
        .await
        .is(409);
}
