//! From the call to the corrected plan, by the forms as a browser without script sends them.

use std::path::Path;
use std::sync::Arc;

use cases::{Role, Staff};
use grants::Plan;
use store::session::Sessions;
use web::App;
use web::visit::Who;

use crate::kit::{Kit, PROGRAMMES};
use crate::town::{Browser, Page, Town, site};

pub const PROGRAMME: &str = "moda-114";
const MINISTRY: &str = "數位發展部";

/// Two governments, a panel and the ministry, on the last day of the call.
pub struct Call {
    pub town: Town,
    pub desk: Arc<subsidies::Desk>,
}

impl Call {
    pub async fn new() -> Call {
        let now = "2024-05-31T02:00:00Z".parse().unwrap();
        let kit = Kit::at(now, Arc::clone(&crate::kit::CATALOGUE), None).await;
        let town = Town::on(kit, site()).await;
        Call {
            desk: town.kit.subsidies(),
            town,
        }
    }

    /// The same with another programme than that of the repository.
    async fn with(programme: grants::Programme) -> Call {
        let Call { mut town, desk } = Call::new().await;
        let mut desk = desk.as_ref().clone();
        desk.programmes = vec![Arc::new(programme)];
        let desk = Arc::new(desk);
        let app = App {
            desk: Arc::clone(&town.kit.desk),
            subsidies: Arc::clone(&desk),
            site: Arc::new(site()),
        };
        let sessions = Sessions::new(town.kit.desk.store.clone()).await.unwrap();
        town.router = web::app(app, sessions);
        Call { town, desk }
    }

    /// Somebody of the programme, signed in.
    pub async fn somebody(&self, account: &str, role: Role, agency: &str) -> (Staff, Browser) {
        let staff = self.town.kit.staff_in(agency, account, role).await;
        let browser = self.town.signed_in(Who::Staff(staff.id)).await;
        (staff, browser)
    }

    pub async fn writer(&self, account: &str, government: &str) -> Browser {
        self.somebody(account, Role::GrantWriter, government).await.1
    }

    pub async fn reviewer(&self, account: &str) -> Browser {
        self.somebody(account, Role::GrantReviewer, MINISTRY).await.1
    }

    pub async fn officer(&self, account: &str) -> Browser {
        self.somebody(account, Role::GrantOfficer, MINISTRY).await.1
    }

    /// Opens the plan of a writer's government by the page; answers its address.
    pub async fn opened(&self, writer: &mut Browser) -> String {
        writer.get(&format!("/programme/calls/{PROGRAMME}")).await.is(200);
        let page = writer.post(&format!("/programme/calls/{PROGRAMME}/open"), &[]).await;
        page.is(303);
        page.location
    }

    /// Fills the plan of a government with a sound one, by the verbs, and answers its address.
    pub async fn filled(&self, staff: &Staff) -> String {
        let member = subsidies::Member {
            id: staff.id,
            role: staff.role.word().to_owned(),
            agency: staff.agency.clone(),
        };
        let id = subsidies::open(&self.desk, &member, PROGRAMME).await.unwrap();
        let plan = sound_of(&staff.agency);
        for name in subsidies::Part::names(&PROGRAMMES[0]) {
            let part = subsidies::Part::of(&plan, &PROGRAMMES[0], &name).unwrap();
            subsidies::save(&self.desk, &member, id, part, 0).await.unwrap();
        }
        format!("/programme/plans/{id}")
    }

    /// A plan of a government that was sent; the address of our plan, and of the plan received.
    pub async fn sent(&self, account: &str, government: &str) -> (Browser, String, String) {
        let (staff, mut writer) = self.somebody(account, Role::GrantWriter, government).await;
        let here = self.filled(&staff).await;
        let check = writer.get(&format!("{here}/check")).await;
        check.is(200).has("沒有需要修正的地方");
        let sent = writer.submit(&check, "/check", &[]).await;
        writer.follow(&sent).await.has("計畫已送出").has("已送出，審查中");
        let received = here.replace("/plans/", "/received/");
        (writer, here, received)
    }
}

/// The sound plan of `cases/plan.toml` for a government; half of the costs are its own, which every tier may.
pub fn sound_of(government: &str) -> Plan {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../programmes/moda-114/cases/plan.toml");
    let mut file: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut plan: Plan = file.remove("plan").unwrap().try_into().unwrap();
    if plan.government != government {
        plan.government = government.to_owned();
        plan.subsidies[0].own = civic::Money(2_250_000);
        plan.subsidies[0].capital = civic::Money(1_250_000);
        plan.subsidies[0].current = civic::Money(1_000_000);
    }
    plan
}

/// A sheet filled in with these points, by its form.
pub async fn score(reviewer: &mut Browser, received: &str, points: [&str; 5]) -> Page {
    let sheet = reviewer.get(&format!("{received}/sheet")).await;
    sheet.is(200);
    let names = ["complete", "workable", "joined", "protected", "inclusion"];
    let fields: Vec<(String, &str)> = names
        .map(|name| format!("points.{name}"))
        .into_iter()
        .zip(points)
        .collect();
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    fields.push(("comment.complete", "自評具體"));
    reviewer.submit(&sheet, "/sheet", &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_call_tells_its_dates_and_opens_one_plan_a_government() {
    let call = Call::new().await;
    let mut lin = call.writer("lin", "TXG").await;
    lin.get("/programme").await.has("受理中").has("17:00");
    lin.get(&format!("/programme/calls/{PROGRAMME}"))
        .await
        .has("民國113年5月31日 (五) 17:00")
        .has("臺中市屬第 2 級，最高補助 60%")
        .has("新臺幣 2,700,000 元")
        .has("開始撰寫計畫");
    let here = call.opened(&mut lin).await;
    let mut wu = call.writer("wu", "TXG").await;
    assert_eq!(call.opened(&mut wu).await, here, "a colleague finds the same plan");
    wu.get(&here).await.is(200).has("已完成 0 /").has("還有");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_an_announcement_moves_keeps_the_former_one_and_the_reason() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programmes/moda-114");
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join(PROGRAMME);
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
    }
    let announced = r#"
        [[announcement]]
        number = "展延字第1號"
        published = "2024-05-31T12:00"
        reason = { zh-TW = "颱風停止上班", en = "offices closed for a typhoon" }
        move = [{ clock = "call", until = "2024-06-07T17:00" }]
    "#;
    std::fs::write(folder.join("announcements.toml"), announced).unwrap();
    let call = Call::with(grants::Programme::load(&folder).unwrap()).await;
    let mut lin = call.writer("lin", "TXG").await;
    let here = format!("/programme/calls/{PROGRAMME}");
    // before it is published nobody knows of it
    lin.get(&here)
        .await
        .is(200)
        .has("民國113年5月31日 (五) 17:00")
        .lacks("民國113年6月7日")
        .lacks("颱風停止上班")
        .lacks("<s>");
    call.town.kit.clock.set("2024-05-31T09:30:00Z".parse().unwrap());
    lin.get(&here)
        .await
        .has("受理中")
        .has("民國113年6月7日 (五) 17:00")
        .has("<s>民國113年5月31日 (五) 17:00 截止</s> 展延字第1號（民國113年5月31日 (五) 12:00 公告）：颱風停止上班");
    lin.in_english();
    lin.get(&here)
        .await
        .has("<s>Closes 2024-05-31 17:00</s>")
        .has("offices closed for a typhoon");
    // and the former end is the end of nothing any more
    lin.speaks("zh-TW");
    let here = call.opened(&mut lin).await;
    lin.get(&here).await.has("民國113年6月7日 (五) 17:00 截止");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_plan_opens_and_saves_what_it_shows() {
    let call = Call::new().await;
    let (staff, mut lin) = call.somebody("lin", Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let programme = &PROGRAMMES[0];
    for name in subsidies::Part::names(programme) {
        if name == "assessment" {
            continue;
        }
        let address = format!("{here}/parts/{name}");
        let page = lin.get(&address).await;
        page.is(200).lacks(">programme-").lacks("\"programme-rule");
        let saved = lin.submit(&page, &address, &[]).await;
        lin.follow(&saved).await.has("已儲存");
        let versions = lin.get(&format!("{address}/versions")).await;
        versions.is(200).has("這兩個版本沒有差異");
    }
    for stage in &programme.stages {
        let address = format!("{here}/assessment/{}", stage.id);
        let page = lin.get(&address).await;
        page.is(200).lacks(">programme-");
        let left_out = ("stands", "none");
        let has_row = sound_of("KEE").assessment.row(&stage.id).is_some();
        let changes: &[(&str, &str)] = if has_row { &[] } else { &[left_out] };
        let saved = lin.submit(&page, &address, changes).await;
        lin.follow(&saved).await.has("已儲存");
    }
    lin.get(&format!("{here}/assessment/versions")).await.is(404);
    lin.get(&format!("{here}/parts/assessment/versions"))
        .await
        .has("這兩個版本沒有差異");
    lin.get(&format!("{here}/check")).await.has("沒有需要修正的地方");
    // a page that was opened while all was well sends nothing once something is wrong
    let check = lin.get(&format!("{here}/check")).await;
    let address = format!("{here}/parts/title");
    let page = lin.get(&address).await;
    lin.submit(&page, &address, &[("text", "")]).await.is(303);
    let refused = lin.submit(&check, "/check", &[]).await;
    refused.is(422).has("還有 1 處要修正，沒有送出").lacks("name=\"what\"");
    lin.get(&here).await.has("撰寫中").has("1 處要修正");
    lin.get(&format!("{here}/parts/nothing")).await.is(404);
    lin.get(&format!("{here}/assessment/C")).await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_finding_leads_to_an_element_that_is_there() {
    let call = Call::new().await;
    let mut lin = call.writer("lin", "TXG").await;
    let here = call.opened(&mut lin).await;
    let forms: [(&str, &[(&str, &str)]); 5] = [
        (
            "/assessment/A1",
            &[
                ("stands", "built"),
                ("evidence.0.title", "平臺"),
                ("item.A1.1.planned", "1"),
                ("extra.0.title", "○○服務"),
            ],
        ),
        (
            "/assessment/B",
            &[("stands", "plan"), ("item.B.d2.refused", "1"), ("group.s.empty", "1")],
        ),
        ("/parts/indicators", &[("indicator.0.title", "滿意度")]),
        ("/parts/budget", &[("line.0.work", "介接"), ("line.1.note", "備註")]),
        ("/parts/checkpoints", &[("quarter.2.progress", "120%")]),
    ];
    for (end, fields) in forms {
        let address = format!("{here}{end}");
        let page = lin.get(&address).await;
        let saved = lin.submit(&page, &address, fields).await;
        // progress above all of the work is told at once; the quarters are still missing
        let expected = if end.ends_with("checkpoints") { 422 } else { 303 };
        saved.is(expected);
    }
    let check = lin.get(&format!("{here}/check")).await.text();
    let links: std::collections::BTreeSet<&str> = check
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|href| href.starts_with(&here) && **href != here)
        .collect();
    let anchored = links.iter().filter(|href| href.contains('#')).count();
    assert!(links.len() > 30 && anchored >= 8, "{links:?}");
    for href in &links {
        let (address, anchor) = href.split_once('#').unwrap_or((href, "main-content"));
        lin.get(address).await.is(200).has(&format!("id=\"{anchor}\""));
    }
    for wanted in [
        "#item-A1.1",
        "#item-B.d2",
        "#extra-1",
        "#indicator-1",
        "#line-1",
        "#line-2",
        "#year-114",
        "#quarter-4",
    ] {
        assert!(
            links.iter().any(|href| href.ends_with(wanted)),
            "nothing leads to {wanted}: {links:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_who_save_is_told_and_keeps_what_was_typed() {
    let call = Call::new().await;
    let mut lin = call.writer("lin", "TXG").await;
    let here = call.opened(&mut lin).await;
    let mut wu = call.writer("wu", "TXG").await;
    let address = format!("{here}/parts/text:goals");
    let (of_lin, of_wu) = (lin.get(&address).await, wu.get(&address).await);
    let saved = lin.submit(&of_lin, &address, &[("text", "讓申辦更快")]).await;
    saved.is(303);
    let refused = wu.submit(&of_wu, &address, &[("text", "讓資料互通")]).await;
    refused
        .is(409)
        .has("有同仁先存了這個部分")
        .has("讓資料互通")
        .has("讓申辦更快");
    // what she has seen now she may save over
    let again = wu.submit(&refused, &address, &[]).await;
    wu.follow(&again).await.has("讓資料互通").has("第 2 版");
    wu.get(&format!("{address}/versions?from=1&to=2"))
        .await
        .has("申辦更快")
        .has("資料互通")
        .has("<del>")
        .has("<ins>");
    // numbers that are none come back as typed
    let address = format!("{here}/parts/subsidy");
    let page = wu.get(&address).await;
    let refused = wu.submit(&page, &address, &[("year.114.total", "四百五十萬")]).await;
    refused.is(422).has("請填整數金額").has("四百五十萬");
    // more lines keep what was typed and save nothing
    let address = format!("{here}/parts/budget");
    let page = wu.get(&address).await;
    let more = wu
        .submit(&page, &address, &[("line.0.work", "介接戶政資料"), ("more", "1")])
        .await;
    more.is(200).has("介接戶政資料").has("工作項目 7");
    wu.get(&address).await.lacks("介接戶政資料");
    // a comment is for colleagues
    let page = wu.get(&address).await;
    wu.submit(&page, "/comments", &[("comment", " ")])
        .await
        .is(422)
        .has("請寫意見");
    let said = wu.submit(&page, "/comments", &[("comment", "經費請再確認")]).await;
    wu.follow(&said).await.has("意見已送出").has("經費請再確認");
    lin.get(&address).await.has("經費請再確認");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_goes_out_as_a_document_and_comes_back() {
    let call = Call::new().await;
    let (staff, mut lin) = call.somebody("lin", Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let document = lin.get(&format!("{here}/document")).await;
    document.is(200);
    assert_eq!(document.kind, "application/vnd.oasis.opendocument.text");
    lin.get(&here).await.is(200);
    let back = lin
        .upload(&format!("{here}/document"), "document", &document.bytes)
        .await;
    back.is(200).has("檔案和目前的內容相同");
    lin.upload(&format!("{here}/document"), "document", b"no document")
        .await
        .is(422)
        .has("這不是 ODT 檔");
    lin.upload(&format!("{here}/document"), "other", b"x")
        .await
        .is(422)
        .has("請選擇 ODT 檔案");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_sent_scored_decided_and_corrected() {
    let call = Call::new().await;
    let (mut lin, here, received) = call.sent("lin", "KEE").await;
    // it can't be written any more
    lin.get(&format!("{here}/parts/title"))
        .await
        .has("計畫目前不能修改")
        .lacks("name=\"seen\"");
    let mut officer = call.officer("chou").await;
    officer
        .get(&format!("/programme/calls/{PROGRAMME}/received"))
        .await
        .has("基隆市")
        .has("已送出，審查中");
    let page = officer.get(&received).await;
    page.is(200).has("還沒有委員評分").has("核定補助並請修正");
    let few = officer.submit(&page, "/grant", &[("amount", "1000000")]).await;
    few.is(422).has("只有 0 份評分表").has("1000000");
    for (account, points) in [
        ("panel", ["28", "27.5", "18", "9", "8"]),
        ("panel2", ["25", "26", "16", "8", ""]),
        ("panel3", ["29", "28", "19", "9.5", "9"]),
    ] {
        let mut reviewer = call.reviewer(account).await;
        for wrong in ["31", "30.1", "28.55", "x", ""] {
            score(&mut reviewer, &received, [wrong, "27", "18", "9", "8"])
                .await
                .is(422)
                .has("請填 0 到 30 的分數")
                .has(&format!("value=\"{wrong}\""));
        }
        let done = score(&mut reviewer, &received, points).await;
        reviewer.follow(&done).await.has("評分表已儲存").has("自評具體");
    }
    let page = officer.get(&received).await;
    page.has("3 份評分表").has("自評具體");
    officer
        .submit(&page, "/appraise", &[("urgency", ""), ("feasibility", "4")])
        .await
        .is(422)
        .has("請選 1 到 5");
    let appraised = officer
        .submit(
            &page,
            "/appraise",
            &[
                ("necessary", "1"),
                ("feasible", "1"),
                ("urgency", "5"),
                ("feasibility", "4"),
            ],
        )
        .await;
    let page = officer.follow(&appraised).await;
    let ranking = format!("/programme/calls/{PROGRAMME}/ranking");
    officer
        .get(&ranking)
        .await
        .has("1 基隆市")
        .has("原始分數")
        .has("校正後");
    officer
        .get(&format!("{ranking}?budget=5,000,000&steer.KEE=in"))
        .await
        .is(200)
        .has("指定補助");
    officer
        .get(&format!("{ranking}?budget=1&steer.KEE=in"))
        .await
        .is(422)
        .has("超過總預算");
    officer
        .get(&format!("{ranking}?budget=x"))
        .await
        .is(422)
        .has("請填整數金額");
    officer
        .submit(&page, "/grant", &[("amount", "4,500,001")])
        .await
        .is(422)
        .has("超過財力級次或上限");
    officer.submit(&page, "/refuse", &[]).await.is(422).has("請寫原因");
    let granted = officer
        .submit(
            &page,
            "/grant",
            &[("amount", "2,000,000"), ("conditions", "請補充資安措施")],
        )
        .await;
    officer.follow(&granted).await.has("已核定補助");
    // the same decision again has no place any more
    officer.submit(&page, "/grant", &[("amount", "1")]).await.is(409);
    // the government reads it at once, with its days: 15 after the day of the comments
    lin.get(&here)
        .await
        .has("核定補助")
        .has("新臺幣 2,000,000 元")
        .has("請補充資安措施")
        .has("民國113年6月15日")
        .has("民國113年6月18日");
    let address = format!("{here}/parts/text:goals");
    let page = lin.get(&address).await;
    lin.submit(&page, &address, &[("text", "依審查意見修正")]).await.is(303);
    // the corrected plan asks for what was approved, and the government bears the rest
    lin.get(&format!("{here}/check")).await.has("補助款超過核定金額");
    let address = format!("{here}/parts/subsidy");
    let page = lin.get(&address).await;
    let fields = [
        ("year.114.own", "2,500,000"),
        ("year.114.capital", "1,000,000"),
        ("year.114.current", "1,000,000"),
    ];
    lin.submit(&page, &address, &fields).await.is(303);
    lin.get(&format!("{here}/check")).await.lacks("補助款超過核定金額");
    // two days late
    call.town.kit.clock.set("2024-06-17T02:00:00Z".parse().unwrap());
    lin.get(&here).await.has("已逾期 2 天").has("新臺幣 1,600,000 元");
    let page = officer.get(&received).await;
    let deferred = officer.submit(&page, "/defer", &[("deferral", "等候議會審議")]).await;
    officer.follow(&deferred).await.has("已記錄緩議").has("等候議會審議");
    let check = lin.get(&format!("{here}/check")).await;
    let handed = lin.submit(&check, "/check", &[]).await;
    lin.follow(&handed).await.has("修正計畫已送出").has("逾期 2 天送出");
    officer.get(&received).await.has("依審查意見修正");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_last_minute_nothing_is_sent_and_the_draft_stays() {
    let call = Call::new().await;
    let (staff, mut lin) = call.somebody("lin", Role::GrantWriter, "KEE").await;
    let here = call.filled(&staff).await;
    let check = lin.get(&format!("{here}/check")).await;
    call.town.kit.clock.set("2024-05-31T09:00:00Z".parse().unwrap());
    lin.submit(&check, "/check", &[])
        .await
        .is(409)
        .has("沒有送出")
        .has("草稿仍然保留");
    lin.get(&here).await.has("撰寫中").has("已於");
    lin.get(&format!("{here}/parts/text:goals")).await.has("name=\"seen\"");
}
