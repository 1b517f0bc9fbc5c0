//! The review meeting by its pages, and the PDF of a plan for each side.

use super::call::{Call, PROGRAMME};
use crate::town::{Browser, Page};

fn here() -> String {
    format!("/programme/calls/{PROGRAMME}/meeting")
}

const DETAILS: [(&str, &str); 6] = [
    ("day", "113-06-18"),
    ("place", "部本部 301 會議室"),
    ("begins", "９:３０"),
    ("minutes", "20"),
    ("pause", "12:00"),
    ("pause_until", "13:30"),
];

async fn convened(officer: &mut Browser) -> Page {
    let page = officer.get(&here()).await;
    let saved = officer.submit(&page, "/convene", &DETAILS).await;
    let page = officer.follow(&saved).await;
    page.has("已儲存審查會議的時間地點")
        .has("民國113年6月18日 (二)")
        .has("部本部 301 會議室");
    page.has("09:30").has("12:00–13:30").has("還沒有排定報告順序");
    page
}

/// The value of the select in which a government's place is chosen, by its label.
fn place_of(page: &Page, government: &str) -> String {
    let text = page.text();
    let before = text.find(&format!(">{government}</label>")).unwrap();
    let from = text[..before].rfind("for=\"place-").unwrap() + "for=\"place-".len();
    format!("place.{}", &text[from..from + 36])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ministry_convenes_and_draws_and_each_government_sees_its_own_time() {
    let call = Call::new().await;
    let (mut lin, of_taichung, _) = call.sent("lin", "TXG").await;
    let (mut hsu, of_keelung, _) = call.sent("hsu", "KEE").await;
    let mut officer = call.officer("officer").await;
    let mut reviewer = call.reviewer("reviewer").await;
    let list = reviewer.get(&format!("/programme/calls/{PROGRAMME}/received")).await;
    let fields = [("government", "KEE"), ("reason", "曾任顧問")];
    reviewer.submit(&list, "/conflicts", &fields).await.is(303);
    lin.get(&of_taichung).await.lacks("審查會議");
    reviewer
        .get(&here())
        .await
        .is(200)
        .has("還沒有安排審查會議")
        .lacks("name=\"place\"");
    officer
        .get(&format!("/programme/calls/{PROGRAMME}/draw.json"))
        .await
        .is(404);
    convened(&mut officer).await;
    lin.get(&of_taichung).await.has("審查會議").has("順序還沒有排定");
    let page = officer.get(&here()).await;
    officer
        .submit(&page, "/draw", &[("seed", " ")])
        .await
        .is(422)
        .has("請填抽籤數值");
    let drawn = officer.submit(&page, "/draw", &[("seed", "07-12-19-23-31-38")]).await;
    let page = officer.follow(&drawn).await;
    page.has("已抽籤")
        .has("07-12-19-23-31-38")
        .has("09:30–09:50")
        .has("09:50–10:10");
    page.lacks("name=\"seed\"");
    let file = officer.get(&format!("/programme/calls/{PROGRAMME}/draw.json")).await;
    file.is(200).has("tongban-draw-1").has("07-12-19-23-31-38");
    // the panel sees the order, and who leaves the room for which plan
    reviewer
        .get(&here())
        .await
        .is(200)
        .has("09:30–09:50")
        .has("迴避的委員")
        .has("reviewer")
        .lacks("name=\"reason\"");
    // each government its own time alone
    let (taichung, keelung) = (lin.get(&of_taichung).await, hsu.get(&of_keelung).await);
    let is_first = taichung.text().contains("09:30–09:50");
    let (first, second) = if is_first {
        (taichung, keelung)
    } else {
        (keelung, taichung)
    };
    first
        .has("我們的報告時間")
        .has("09:30–09:50")
        .lacks("09:50–10:10")
        .lacks("07-12-19");
    second.has("09:50–10:10").lacks("09:30–09:50");
    first.has("審查會議時間");
    for path in [here(), format!("/programme/calls/{PROGRAMME}/draw.json")] {
        lin.get(&path).await.is(403);
    }
    // by hand: each place once, and for a reason
    let (a, b) = (place_of(&page, "臺中市"), place_of(&page, "基隆市"));
    let twice = [(a.as_str(), "1"), (b.as_str(), "1"), ("reason", "船班")];
    officer
        .submit(&page, "/arrange", &twice)
        .await
        .is(422)
        .has("不能重複")
        .has("船班");
    let swapped = match is_first {
        true => [(a.as_str(), "2"), (b.as_str(), "1")],
        false => [(a.as_str(), "1"), (b.as_str(), "2")],
    };
    officer
        .submit(&page, "/arrange", &swapped)
        .await
        .is(422)
        .has("調整順序要寫原因");
    let fields = [swapped[0], swapped[1], ("reason", "配合班機")];
    let saved = officer.submit(&page, "/arrange", &fields).await;
    officer
        .follow(&saved)
        .await
        .has("已儲存報告順序")
        .has("配合班機")
        .has("07-12-19-23-31-38");
    let now = lin.get(&of_taichung).await;
    assert_eq!(now.text().contains("09:50–10:10"), is_first);
    // the page of before is told that it is old
    officer.submit(&page, "/arrange", &fields).await.is(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_meeting_stands_at_its_field_and_is_kept() {
    let call = Call::new().await;
    let mut officer = call.officer("officer").await;
    let mut reviewer = call.reviewer("reviewer").await;
    let page = officer.get(&here()).await;
    page.is(200).has("安排審查會議").lacks("/draw\"");
    for (field, value, told) in [
        ("day", "不久", "請填日期"),
        ("day", "113-05-30", "日期已經過了"),
        ("place", "", "請填地點"),
        ("begins", "早上", "請填時間"),
        ("minutes", "兩", "請填 5 到 240"),
        ("pause", "14:00", "結束要晚於開始"),
        ("pause_until", "", "不休息就都留空"),
    ] {
        let mut fields = DETAILS;
        fields
            .iter_mut()
            .filter(|(name, _)| *name == field)
            .for_each(|one| one.1 = value);
        let refused = officer.submit(&page, "/convene", &fields).await;
        refused.is(422).has(told).has("govuk-error-summary");
        if field != "place" {
            refused.has("部本部 301 會議室");
        }
    }
    convened(&mut officer).await;
    reviewer
        .get(&format!("/programme/calls/{PROGRAMME}/received"))
        .await
        .is(200);
    let refused = reviewer.post(&format!("{}/convene", here()), &DETAILS).await;
    refused.is(403);
    officer
        .post(&format!("{}/cancel", here()), &[("revision", "1")])
        .await
        .is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_downloads_the_plan_as_a_pdf() {
    let call = Call::new().await;
    let (staff, mut lin) = call.somebody("lin", cases::Role::GrantWriter, "TXG").await;
    let here = call.filled(&staff).await;
    lin.get(&here).await.has("下載 PDF（草稿）").lacks("pdf/sent");
    let draft = lin.get(&format!("{here}/pdf")).await;
    assert_eq!((draft.status.as_u16(), draft.kind.as_str()), (200, "application/pdf"));
    lin.get(&format!("{here}/pdf/sent")).await.is(404);
    lin.get(&format!("{here}/pdf/other")).await.is(404);
    let (mut hsu, sent, received) = call.sent("hsu", "KEE").await;
    hsu.get(&sent).await.lacks("（草稿）").has("/pdf/sent");
    hsu.get(&format!("{sent}/pdf")).await.is(409);
    let own = hsu.get(&format!("{sent}/pdf/sent")).await;
    assert_eq!((own.status.as_u16(), own.kind.as_str()), (200, "application/pdf"));
    let mut officer = call.officer("officer").await;
    let mut reviewer = call.reviewer("reviewer").await;
    for member in [&mut officer, &mut reviewer] {
        member
            .get(&received)
            .await
            .has("下載 PDF")
            .has(&format!("{received}/pdf"));
        let seen = member.get(&format!("{received}/pdf")).await;
        assert_eq!((seen.status.as_u16(), seen.bytes == own.bytes), (200, true));
    }
}
