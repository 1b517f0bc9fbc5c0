//! Indicators that are bound to what the platform counts: while the plan is written, for its readers, and in the results.

use store::tables::measure;
use uuid::Uuid;

use super::call::{Call, PROGRAMME};
use super::execution::{answered, at, funded, sent};

/// Applications of a year, with what was answered to the survey.
async fn counted(call: &Call, year: i16) {
    let store = &call.town.kit.desk.store;
    let written = store.write(move |tx| {
        Box::pin(async move {
            for (channel, grade, month) in [
                ("online", Some(5), format!("{year}-01")),
                ("online", Some(4), format!("{year}-05")),
                ("counter", Some(1), format!("{year}-12")),
                ("counter", None, format!("{year}-03")),
                ("online", Some(1), format!("{}-12", year - 1)),
            ] {
                let row = measure::Model {
                    id: Uuid::new_v4(),
                    service: "senior-allowance".to_owned(),
                    month,
                    channel: channel.to_owned(),
                    outcome: None,
                    days: None,
                    paper_documents: 0,
                    uploads: 0,
                    corrections: 0,
                    grade,
                };
                measure::insert(tx, row).await?;
            }
            Ok::<_, subsidies::SubsidyError>(())
        })
    });
    written.await.unwrap();
}

const ANSWERS: &str = "非常滿意件數 1、滿意件數 1、普通件數 0、不滿意件數 0、非常不滿意件數 1";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_counts_stands_beside_the_indicator_while_it_is_written() {
    let call = Call::new().await;
    counted(&call, 2024).await;
    let (staff, mut lin) = call.somebody("lin", cases::Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let address = format!("{here}/parts/indicators");
    let page = lin.get(&address).await;
    page.has(&format!("平臺 113 年目前的統計：{ANSWERS}"))
        .has("達4分為平均滿意以上：3.33（照所列公式計算")
        .has("非常滿意與滿意占全部件數：66.67%")
        .lacks("總申辦件數 4");
    // another one is bound to a service
    let fields = [("indicator.1.measure", "senior-allowance")];
    let saved = lin.submit(&page, &address, &fields).await;
    lin.follow(&saved)
        .await
        .has("線上申辦件數 2、總申辦件數 4；線上申辦件數/總申辦件數：50%")
        .has(ANSWERS);
    // what is being chosen and not saved yet has no numbers
    let page = lin.get(&address).await;
    let fields = [("indicator.0.measure", ""), ("more", "1")];
    lin.submit(&page, &address, &fields)
        .await
        .is(200)
        .lacks(ANSWERS)
        .has("總申辦件數 4");
    // of another city the platform counts nothing
    let (staff, mut wu) = call.somebody("wu", cases::Role::GrantWriter, "TXG").await;
    let theirs = call.filled(&staff).await;
    wu.get(&format!("{theirs}/parts/indicators"))
        .await
        .is(200)
        .lacks("目前的統計");
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_what_an_indicator_is_bound_to_and_what_was_counted() {
    let call = Call::new().await;
    let (mut writer, mut officer, here, received) = funded(&call).await;
    officer
        .get(&received)
        .await
        .has("採用計畫所列指標")
        .has("民眾服務滿意度")
        .has("平臺全部服務")
        .has("線上申辦使用率");
    counted(&call, 2025).await;
    at(&call, "2026-01-05T02:00:00Z");
    let results = format!("{here}/execution/results/114");
    writer.get(&results).await.has(ANSWERS);
    let fields = [("value.1.online", "61"), ("value.1.all", "100")];
    sent(&mut writer, &results, &fields).await;
    answered(&mut officer, &received, "/results/114", &[("what", "accept")]).await;
    let mut nobody = call.town.browser();
    nobody
        .get(&format!("/results/{PROGRAMME}"))
        .await
        .has("達4分為平均滿意以上：3.33（照所列公式計算")
        .has("非常滿意與滿意占全部件數：66.67%（達標）")
        .has("數字由平臺統計");
}
