//! A breach of personal data on its pages: who sees it, and what is typed while the platform counts.

use cases::Role;

use crate::town::Town;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_kept_when_the_count_was_faster() {
    let town = Town::new().await;
    let (_, mut privacy) = town.on_duty("wu", Role::Privacy).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    officer.get("/office/breaches").await.is(403);
    let list = "/office/breaches";
    privacy.get(list).await.is(200);
    privacy
        .post(
            list,
            &[("title", ""), ("discovered", "114/11/19 09:00"), ("kind", "real")],
        )
        .await
        .is(422)
        .has("請填寫");
    let when = [("title", "備份遺失"), ("discovered", "九點"), ("kind", "drill")];
    privacy.post(list, &when).await.is(422).has("備份遺失").has("請寫成");
    let opened = [
        ("title", "備份遺失"),
        ("discovered", "114/11/19 08:00"),
        ("kind", "real"),
    ];
    let opened = privacy.post(list, &opened).await;
    let here = opened.header("location")[0]
        .split('?')
        .next()
        .unwrap_or_default()
        .to_owned();
    privacy.follow(&opened).await.is(200).has("已開立").has("114-PD-0001");
    officer.get(&here).await.is(403);
    // the scope is said, and the report begun on the page of before
    let scope = [
        ("revision", "2"),
        ("means", "kept"),
        ("from", "114/11/19 00:00"),
        ("to", "114/11/19 09:30"),
    ];
    privacy.post(&format!("{here}/scope"), &scope).await.is(303);
    let report = [("revision", "2"), ("report-cause", "備份硬碟在搬遷時遺失")];
    privacy
        .post(&format!("{here}/save"), &report)
        .await
        .is(409)
        .has("您填的內容保留在下面")
        .has("備份硬碟在搬遷時遺失");
    let report = [("revision", "3"), ("report-cause", "備份硬碟在搬遷時遺失")];
    privacy.post(&format!("{here}/save"), &report).await.is(303);
    privacy
        .get(&format!("{here}/report"))
        .await
        .is(200)
        .has("備份硬碟在搬遷時遺失");
}
