//! How plans stand before the ministry: what never came, what was given up, and what the checks leave to a person.

use cases::Role;

use super::call::{Call, PROGRAMME, sound_of};
use super::execution::{at, granted};
use crate::kit::PROGRAMMES;

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_name_what_never_came_and_what_was_given_up() {
    let call = Call::new().await;
    let (mut writer, mut officer, here, received) = granted(&call).await;
    let mut reviewer = call.reviewer("panel4").await;
    let list = format!("/programme/calls/{PROGRAMME}/received");
    let ranking = format!("/programme/calls/{PROGRAMME}/ranking");
    // while the call is open others may still come, which is the ministry's to follow
    officer
        .get(&list)
        .await
        .has("已核定，待修正")
        .has("尚未送出：")
        .has("臺中市")
        .lacks("視同放棄");
    reviewer.get(&list).await.is(200).lacks("尚未送出：");
    // the last minute of the last late day, and the minute after it
    at(&call, "2024-06-18T15:59:00Z");
    officer
        .get(&list)
        .await
        .has("已核定，待修正")
        .has("截止前沒有送出，視同放棄：")
        .lacks("逾期未修正");
    officer
        .get(&format!("{ranking}?budget=9,000,000"))
        .await
        .has("已核定補助")
        .has("3,150,000")
        .lacks("name=\"steer.KEE\"");
    at(&call, "2024-06-18T16:00:00Z");
    for page in [&list, &ranking, &received] {
        officer
            .get(page)
            .await
            .is(200)
            .has("逾期未修正，視同放棄")
            .lacks("已核定，待修正");
    }
    writer.get(&here).await.has("逾期未修正，視同放棄");
}

#[tokio::test(flavor = "multi_thread")]
async fn ministry_and_panel_read_what_the_checks_leave_to_a_person() {
    let call = Call::new().await;
    let told = "這個項目沒有列入任何一種情形";
    let (staff, mut writer) = call.somebody("hsu", Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let member = subsidies::Member {
        id: staff.id,
        role: staff.role.word().to_owned(),
        agency: staff.agency.clone(),
    };
    // as in example 5 of the annex, one designated item stands nowhere
    let mut plan = sound_of("KEE");
    plan.assessment.rows[0].refused.pop().unwrap();
    let part = subsidies::Part::of(&plan, &PROGRAMMES[0], "assessment").unwrap();
    let id = here.rsplit('/').next().unwrap().parse().unwrap();
    subsidies::save(&call.desk, &member, id, part, 1).await.unwrap();
    let check = writer.get(&format!("{here}/check")).await;
    check.is(200).has("沒有需要修正的地方").has(told);
    let sent = writer.submit(&check, "/check", &[]).await;
    writer.follow(&sent).await.has("計畫已送出");
    let received = here.replace("/plans/", "/received/");
    let (mut officer, mut reviewer) = (call.officer("chou").await, call.reviewer("panel").await);
    for browser in [&mut officer, &mut reviewer] {
        browser.get(&received).await.is(200).has("請留意").has(told);
    }
    let (_, _, sound) = call.sent("lin", "TXG").await;
    officer.get(&sound).await.is(200).lacks("請留意");
}
