//! Several people write one plan at a time: the page of the plan follows what colleagues save.

use super::call::Call;

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_plan_follows_what_colleagues_save() {
    let call = Call::new().await;
    let (mut lin, mut wu) = (call.writer("lin", "TXG").await, call.writer("wu", "TXG").await);
    let here = call.opened(&mut lin).await;
    let progress = format!("{here}/progress");
    let page = lin.get(&here).await;
    page.has("plan.js").has(&format!("data-progress=\"{progress}\""));
    let before = lin.get(&progress).await;
    before
        .is(200)
        .has("已完成 0 /")
        .has("處要修正，才能送出")
        .lacks("<html")
        .lacks("儲存了");
    // everything on the page that changes is found again in what the script asks for
    let names = |text: &str| {
        let parts = text.split("data-live=\"").skip(1);
        let names = parts.filter_map(|part| part.split('"').next());
        names.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(&page.text()), names(&before.text()));
    assert!(names(&page.text()).contains("chapter.goals"));
    call.town.kit.wait(1);
    let address = format!("{here}/parts/text:goals");
    let form = wu.get(&address).await;
    wu.submit(&form, &address, &[("text", "讓申辦更快")]).await.is(303);
    let after = lin.get(&progress).await;
    after.has("已完成 1 /").has("wu 先生儲存了「2. ");
    let (since, saved) = (
        page.between("data-since=\"", "\""),
        after.between("data-saved=\"", "\""),
    );
    assert!(saved.parse::<i64>().unwrap() > since.parse::<i64>().unwrap());
    // nobody is told of what they saved themselves
    wu.get(&progress).await.has("已完成 1 /").lacks("儲存了");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_sent_is_looked_at_no_more() {
    let call = Call::new().await;
    let (mut writer, here, _) = call.sent("hsu", "KEE").await;
    writer.get(&here).await.is(200).lacks("plan.js").lacks("data-progress");
    writer
        .get(&format!("{here}/progress"))
        .await
        .is(200)
        .has("已送出，審查中")
        .lacks("data-live=\"findings\"");
}
