//! Decisions through the pages, and what happens when somebody was faster.

use cases::{Role, State, collect};
use civic::ids::ApplicationId;
use serde_json::json;
use services::form::{Offered, Source};
use store::StoreError;
use store::seal::Place;
use store::tables::application::{self, Model};
use store::tables::evidence;
use uuid::Uuid;

use crate::town::{Browser, Page, Town};

async fn row(town: &Town, id: ApplicationId) -> Model {
    town.kit.row(id).await
}

/// Presses the button of an act on the page as it stands.
async fn act(browser: &mut Browser, id: ApplicationId, act: &str, fields: &[(&str, &str)]) -> Page {
    let here = format!("/office/cases/{}", id.uuid());
    let page = browser.get(&here).await;
    let revision = page.between("name=\"revision\" value=\"", "\"");
    let mut all = vec![("revision", revision.as_str())];
    all.extend_from_slice(fields);
    browser.post(&format!("{here}/{act}"), &all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_the_queue_to_its_letter() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;

    let queue = officer.get("/office").await;
    queue
        .is(200)
        .has("114-SA-000001")
        .has("剩 22 個工作天")
        .has("114/12/22")
        .has("符合")
        .has("收案");
    let take = queue.between("name=\"one\" value=\"", "\"");
    let page = officer.post("/office/take", &[("one", &take)]).await;
    let page = officer.follow(&page).await;
    page.is(200)
        .has("已收案")
        .has("規則判斷：符合")
        .has("8,329")
        .has("林阿梅1")
        .has("核准");
    assert_eq!(row(&town, id).await.state, State::Review);

    let preview = act(&mut officer, id, "preview/approve", &[("note", "一切符合")]).await;
    preview.is(200);
    assert_eq!(preview.kind, "application/pdf");
    assert!(preview.bytes.starts_with(b"%PDF"));
    assert_eq!(row(&town, id).await.state, State::Review, "a look decides nothing");

    let page = act(&mut officer, id, "approve", &[("note", "")]).await;
    officer.follow(&page).await.has("收回決定").has("公文在");
    assert_eq!(row(&town, id).await.state, State::Approved);
    let page = act(&mut officer, id, "undo", &[]).await;
    officer.follow(&page).await.has("已收回決定");
    assert_eq!(row(&town, id).await.state, State::Review);

    let page = act(
        &mut officer,
        id,
        "refuse",
        &[("reasons", "申請人來電表示放棄。"), ("prefilled", "")],
    )
    .await;
    officer.follow(&page).await.has("申請人來電表示放棄。");
    assert_eq!(row(&town, id).await.state, State::Refused);
    act(&mut officer, id, "undo", &[]).await.is(303);
    act(&mut officer, id, "approve", &[]).await.is(303);
    town.kit.wait(1);
    town.kit.work().await;
    let page = officer.get(&format!("/office/cases/{}", id.uuid())).await;
    page.has("公文發出，結案").has("核定函").lacks("收回決定</button>");
    let letter = page.between(&format!("/office/cases/{}/letters/", id.uuid()), "\"");
    let letter = officer
        .get(&format!("/office/cases/{}/letters/{letter}", id.uuid()))
        .await;
    assert!(letter.is(200).bytes.starts_with(b"%PDF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_names_its_fields_and_stops_the_clock() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    act(&mut officer, id, "take", &[]).await.is(303);

    let page = act(&mut officer, id, "correction", &[("message", " "), ("days", "14")]).await;
    page.is(422)
        .has("請勾選項目，或寫出要補正什麼。")
        .has("href=\"#message\"")
        .has("data-key=\"c\" open");
    assert_eq!(row(&town, id).await.state, State::Review);
    let long = "長".repeat(2001);
    act(&mut officer, id, "correction", &[("message", &long)])
        .await
        .is(422)
        .has("2,000")
        .has(&long);

    let page = act(
        &mut officer,
        id,
        "correction",
        &[
            ("message", "請附存摺封面。"),
            ("field", "撥款帳戶：帳戶"),
            ("days", "7"),
        ],
    )
    .await;
    let page = officer.follow(&page).await;
    page.has("・撥款帳戶：帳戶")
        .has("請附存摺封面。")
        .has("停止計算：等申請人補正")
        .has("114/11/27");
    assert_eq!(row(&town, id).await.state, State::Correction);
    officer
        .get("/office?state=correction")
        .await
        .has("停止計算：等申請人補正")
        .has("114-SA-000001");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_second_is_told_so() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    let here = format!("/office/cases/{}", id.uuid());
    let (_, mut one) = town.on_duty("lin", Role::Officer).await;
    let (_, mut other) = town.on_duty("wang", Role::Officer).await;
    let seen = one.get(&here).await.between("name=\"revision\" value=\"", "\"");
    other.get(&here).await;
    one.post(&format!("{here}/take"), &[("revision", &seen)]).await.is(303);
    let late = other.post(&format!("{here}/take"), &[("revision", &seen)]).await;
    late.is(409).has("有人先一步辦理了").has(&here);
    // the queue says so too, and takes what is left
    let two = town.submitted(2).await;
    let stale = format!("{}:{seen}", id.uuid());
    let fresh = format!("{}:{}", two.uuid(), town.kit.revision(two).await);
    let page = other
        .post(
            "/office/take",
            &[("take", &stale), ("take", &fresh), ("back", "/office?holder=nobody")],
        )
        .await;
    assert_eq!(page.location, "/office?holder=nobody&taken=1&missed=1");
    other.follow(&page).await.has("已收下 1 件").has("有 1 件沒有收下");

    // a case in a colleague's hand is not decided, on whatever revision
    let revision = town.kit.revision(id).await.to_string();
    let page = other.post(&format!("{here}/approve"), &[("revision", &revision)]).await;
    page.is(422).has("由別的同仁承辦");
    assert_eq!(row(&town, id).await.state, State::Review);
    let page = other.get(&here).await;
    page.has("只能查看").lacks("data-key=\"a\"");

    act(&mut one, id, "give-back", &[]).await.is(303);
    assert_eq!(row(&town, id).await.state, State::Submitted);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_stand_in_the_address_and_narrow_the_queue() {
    let town = Town::new().await;
    let (one, _two) = (town.submitted(1).await, town.submitted(2).await);
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    act(&mut officer, one, "take", &[]).await.is(303);
    officer.get("/office").await.has("共 2 件");
    officer
        .get("/office?holder=mine")
        .await
        .has("共 1 件")
        .has("114-SA-000001")
        .lacks("114-SA-000002");
    officer
        .get("/office?holder=nobody")
        .await
        .has("114-SA-000002")
        .lacks("114-SA-000001");
    officer.get("/office?state=review").await.has("共 1 件");
    officer
        .get("/office?finding=ineligible")
        .await
        .has("共 0 件")
        .has("沒有符合條件的案件");
    officer
        .get("/office?number=114-sa-000002")
        .await
        .has("共 1 件")
        .has("114-SA-000002");
    officer.get("/office?service=senior-allowance&page=9").await.is(200);
    let page = officer.get("/office?state=review&holder=mine").await;
    page.has("/office?state=submitted&#38;holder=mine")
        .has("name=\"state\" value=\"review\"");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_sees_where_cases_lie() {
    let town = Town::new().await;
    let id = town.submitted(1).await;
    town.submitted(2).await;
    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    act(&mut officer, id, "take", &[]).await.is(303);
    town.kit.wait(24 * 10);
    let (_, mut chief) = town.on_duty("chief", Role::Supervisor).await;
    let page = chief.get("/office/load").await;
    page.is(200)
        .has("還沒有人收")
        .has("lin 先生")
        .has("10 天")
        .has("8 到 14 天")
        .has("不比較個人快慢");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_says_otherwise_stands_beside_the_answer_with_the_law() {
    let town = Town::new().await;
    let (kit, desk) = (&town.kit, &town.kit.desk);
    let person = kit.person(1).await;
    let draft = kit.filled(&person).await;
    let id = draft.id;
    // the package of MyData says 350,000, and the person typed 7
    let key = "members.p1.house_value";
    let mut answers = draft.answers.clone();
    answers.answer(key, Some(json!(7)), desk.now());
    let source = Source::MyData {
        resource: "API.Property01".to_owned(),
        field: "persons.house".to_owned(),
        issued: Some(jiff::civil::date(2025, 11, 1)),
    };
    assert_eq!(
        answers.offer(key, json!(350_000), source, desk.now()),
        Offered::KeptBeside
    );
    let mut changed = row(&town, id).await;
    let plain = serde_json::to_vec(&answers).unwrap();
    let place = Place::new("application", "answers", &changed.id);
    let sealed = desk
        .store
        .seal()
        .seal(desk.store.read(), changed.key_id.into(), place, &plain)
        .await
        .unwrap();
    changed.answers = Some(sealed);
    let set = evidence::Model {
        id: Uuid::from_u128(1),
        application_id: id.uuid(),
        transaction_id: None,
        resource: "API.Property01".to_owned(),
        status: "received".to_owned(),
        digest: "0123456789abcdef".repeat(4),
        signer: Some("CN=財政部財政資訊中心".to_owned()),
        issued_at: Some(desk.now().as_microsecond()),
        received_at: desk.now().as_microsecond(),
        sealed: None,
    };
    let written = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                evidence::insert(tx, vec![set]).await?;
                Ok::<_, StoreError>(application::replace(tx, &changed).await?)
            })
        })
        .await;
    assert!(written.unwrap());
    collect::submit(desk, &person, id, kit.revision(id).await, draft.form_token)
        .await
        .unwrap();

    let (_, mut officer) = town.on_duty("lin", Role::Officer).await;
    let page = officer.get(&format!("/office/cases/{}", id.uuid())).await;
    page.is(200);
    let html = page.html();
    let rows = html.all("tr");
    let house = rows.iter().find(|row| {
        row.all("th")
            .first()
            .is_some_and(|label| label.text() == "房屋現值（元）")
    });
    let house = house.unwrap();
    assert_eq!(house.attr("class"), "office-differs");
    let cells: Vec<String> = house.all("td").iter().map(|cell| cell.text()).collect();
    assert_eq!(
        cells,
        ["新臺幣 7 元", "新臺幣 350,000 元 個人財產資料（含家屬）", "不同"]
    );
    // the data set with its signature, and the step that counts it with its article, are on the same page
    page.has("0123456789ab").has("CN=財政部財政資訊中心");
    let steps = html.all("li");
    for (title, law) in [
        ("不動產在上限以內", "中低收入老人生活津貼發給辦法 §2 I (2) 3、II，§4"),
        ("列入家庭的不動產", "中低收入老人生活津貼發給辦法 §4 I"),
    ] {
        let step = steps
            .iter()
            .find(|one| one.attr("class").starts_with("reason") && one.text().contains(title));
        let step = step.unwrap_or_else(|| panic!("no step `{title}`"));
        assert!(step.text().ends_with(law), "{}", step.text());
    }
}
