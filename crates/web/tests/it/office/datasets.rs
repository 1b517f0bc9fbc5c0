//! Lookups of a case, and the pages of a data steward, as browsers see them.

use std::path::Path;

use cases::datasets::{Datasets, Places};
use cases::{Role, collect};
use civic::{Channel, Language};
use tempfile::TempDir;

use crate::kit::{Kit, national_id};
use crate::town::{Town, site};

const PERMITS: &str = "disabled-parking-permits";

/// A town with permits of two residents; that of the second has a wrong day.
async fn town() -> (Town, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../datasets")
        .join(PERMITS);
    let places = Places {
        folders: home.path().join("datasets"),
        lake: home.path().join("lake"),
        work: home.path().join("work"),
        keys: home.path().join("keys"),
    };
    let folder = places.folders.join(PERMITS);
    let inbox = places.work.join("inbox").join(PERMITS);
    for folder in [&folder, &inbox, &places.keys] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::copy(from.join("owners.csv"), folder.join("owners.csv")).unwrap();
    let text = std::fs::read_to_string(from.join("dataset.toml")).unwrap();
    std::fs::write(folder.join("dataset.toml"), text.replace("\"big5\"", "\"utf-8\"")).unwrap();
    std::fs::write(places.keys.join(format!("{PERMITS}.key")), "00".repeat(16)).unwrap();
    let csv = format!(
        "識別證號,身分證字號,姓名,車號,車主關係,生效日期,有效期限,身障證明期限,備註\n\
         P1,{},林阿梅1,ABC-1234,1,113/01/15,118/01/14,永久,\nP2,{},林阿梅2,無,無,113/13/15,118/01/14,永久,\n",
        national_id(1).reveal(),
        national_id(2).reveal()
    );
    std::fs::write(inbox.join("permits.csv"), csv).unwrap();
    let (datasets, unusable) = Datasets::open(&places).unwrap();
    assert!(unusable.is_empty(), "{unusable:?}");
    let kit = Kit::new(None).await.changed(|desk| desk.datasets = Some(datasets));
    bring_in(&kit).await;
    (Town::on(kit, site()).await, home)
}

async fn bring_in(kit: &Kit) {
    let unusable = kit.desk.datasets.as_ref().unwrap().bring_in(kit.desk.now()).await;
    assert!(unusable.is_empty(), "{unusable:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_looks_a_person_up_and_is_told_how_old_it_is() {
    let (town, _home) = town().await;
    let person = town.kit.person(1).await;
    let desk = &town.kit.desk;
    let id = collect::open(desk, &person, "low-income", Channel::Online, Language::ZhTw)
        .await
        .unwrap();
    town.kit
        .sql("UPDATE application SET state = 'review' WHERE service = 'low-income'")
        .await;
    town.kit.wait(72);
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    let here = format!("/office/cases/{}", id.uuid());
    officer
        .get(&here)
        .await
        .is(200)
        .has("資料查調")
        .has("身心障礙者專用停車位識別證");
    let ask = format!("{here}/lookup");
    let page = officer.post(&ask, &[("lookup", "0"), ("item", "p1")]).await;
    page.is(200)
        .has("民國118年1月14日")
        .has("3 天")
        .has("臺中市政府社會局")
        .has("社會救助法 §44-3")
        // what the service does not ask for
        .lacks("ABC-1234");
    officer.post(&ask, &[("lookup", "0"), ("item", "p9")]).await.is(404);
    officer.post(&ask, &[("lookup", "x"), ("item", "p1")]).await.is(422);
    town.kit
        .sql("UPDATE application SET state = 'completed' WHERE service = 'low-income'")
        .await;
    officer.get(&here).await.is(200).lacks("資料查調");
    officer.post(&ask, &[("lookup", "0"), ("item", "p1")]).await.is(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steward_sees_what_waits_and_mends_what_was_not_taken() {
    let (town, home) = town().await;
    let (_, mut steward) = town.on_duty("wu", Role::Steward).await;
    let list = steward.get("/office/datasets").await;
    list.is(200)
        .has("身心障礙者專用停車位識別證")
        .has("如期")
        .lacks("林阿梅");
    let here = format!("/office/datasets/{PERMITS}");
    let page = steward.get(&here).await;
    page.is(200)
        .has("已發布第 1 版")
        .has("生效日：不是定義格式的日期 × 1")
        .lacks("林阿梅");
    let rejects = format!("{here}/rejects/{}", page.between("/rejects/", "\""));
    steward.get(&rejects).await.is(200).has("林阿梅2").has("113/13/15");
    let mend = |day: &'static str| [("place", "3"), ("page", "1"), ("cell-生效日期", day)];
    let still = steward.post(&rejects, &mend("113/14/15")).await;
    steward.follow(&still).await.is(200).has("更正後仍不符合");
    let done = steward.post(&rejects, &mend("113/02/15")).await;
    // the last one: the way leads back to the dataset
    let back = steward.follow(&done).await;
    steward
        .follow(&back)
        .await
        .is(200)
        .has("已匯入更正後的資料列")
        .has("沒有未匯入的資料列");
    steward.post(&rejects, &mend("113/02/15")).await.is(409);
    // a file that the source has changed
    let inbox = home.path().join("work/inbox").join(PERMITS).join("next.csv");
    std::fs::write(&inbox, "識別證號,身分證\nP1,x\n").unwrap();
    bring_in(&town.kit).await;
    steward
        .get(&here)
        .await
        .is(200)
        .has("等待您處理的檔案")
        .has("身分證字號")
        .lacks("放行匯入");
    let wait = format!("{here}/waiting");
    steward
        .post(&wait, &[("file", "other.csv"), ("act", "discard")])
        .await
        .is(409);
    steward
        .post(&wait, &[("file", "next.csv"), ("act", "nothing")])
        .await
        .is(422);
    let done = steward.post(&wait, &[("file", "next.csv"), ("act", "discard")]).await;
    steward
        .follow(&done)
        .await
        .is(200)
        .has("已刪除檔案")
        .lacks("等待您處理的檔案");
    assert!(!inbox.exists());
    steward.get("/office/datasets/other").await.is(404);
    let (_, mut administrator) = town.on_duty("chen", Role::Administrator).await;
    for page in ["/office/datasets", &here, &rejects] {
        administrator.get(page).await.is(403);
    }
}
