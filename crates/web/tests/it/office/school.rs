//! The pages of a school's staff, of appeals, and of giving a case away: who sees what, and what a hostile file gets.

use cases::{Person, Role, collect};
use civic::ids::ApplicationId;
use civic::{Channel, Language};
use rust_xlsxwriter::Workbook;
use services::form::{Raw, SHOWN};
use std::sync::Arc;

use crate::kit::{CATALOGUE, Kit};
use crate::town::{Browser, Town, site};

const SERVICE: &str = "scholarship";
const HERE: &str = "/office/confirm";
const SHEET: &str = "/office/confirm/services/scholarship/sheet";

async fn town() -> Town {
    let kit = Kit::at("2026-11-20T02:00:00Z".parse().unwrap(), Arc::clone(&CATALOGUE), None).await;
    Town::on(kit, site()).await
}

fn typed(keys: &[String], school: &str) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    for key in keys {
        let text = match key.rsplit('.').next().unwrap() {
            "birth_date" | "registered_since" => {
                for (part, text) in [("year", "98"), ("month", "3"), ("day", "15")] {
                    raw.insert(format!("{key}.{part}"), vec![text.to_owned()]);
                }
                continue;
            }
            "account" => {
                raw.insert(format!("{key}.bank"), vec!["700".to_owned()]);
                raw.insert(format!("{key}.account"), vec!["00012345678901".to_owned()]);
                continue;
            }
            "applies_for" => "self",
            "region" => "taichung",
            "school" => school,
            "school_name" => "別的學校",
            "level" => "senior",
            "enrolled" | "members" => "yes",
            "choice_1" => "merit-senior",
            "choice_2" | "choice_3" | "listed_status" | "hardship" | "other_award" => "none",
            "division" => "day",
            "grade_term" => "114-2",
            "average_whole" => "88",
            "average_decimals" => "50",
            "failed_subject" | "demerit" | "student" => "no",
            "phone" => "0912-345-678",
            "email" => "student@people.example",
            "registered_address" => "臺中市西區民生路1號",
            "account_of" => "student",
            other => panic!("nothing to type for {other}"),
        };
        raw.insert(key.clone(), vec![text.to_owned()]);
    }
    raw
}

async fn applied(town: &Town, number: u32, school: &str) -> (Person, ApplicationId, String) {
    let (desk, zh) = (&town.kit.desk, Language::ZhTw);
    let person = town.kit.person(number).await;
    let id = collect::open(desk, &person, SERVICE, Channel::Online, zh)
        .await
        .unwrap();
    collect::agree(desk, &person, id, zh).await.unwrap();
    let mut draft = collect::draft(desk, &person, id).await.unwrap();
    while let Some(first) = draft.questions.first() {
        let page = first.address.clone();
        let asked = draft.questions.iter().filter(|asked| asked.address == page);
        let keys: Vec<String> = asked.map(|asked| asked.key.clone()).collect();
        draft = collect::save(desk, &person, id, draft.revision, &page, typed(&keys, school), zh)
            .await
            .unwrap();
    }
    let receipt = collect::submit(desk, &person, id, draft.revision, draft.form_token)
        .await
        .unwrap();
    (person, id, receipt.number)
}

/// A member of a school's staff, signed in.
async fn school(town: &Town, account: &str, body: &str) -> Browser {
    let new = cases::staff::NewStaff {
        account: account.to_owned(),
        name: format!("{account} 先生"),
        role: Role::Confirmer,
        agency: body.to_owned(),
        password: "a long enough password".to_owned().into(),
        totp_secret: vec![7; 20].into(),
    };
    let id = cases::staff::add(&town.kit.desk, new).await.unwrap();
    let mut browser = town.signed_in(web::visit::Who::Staff(id)).await;
    browser.get(HERE).await.is(200);
    browser
}

/// The sheet with a row for each number, about this person, with this average.
fn sheet(rows: &[(&str, &Person, &str)]) -> Vec<u8> {
    let service = CATALOGUE.get(SERVICE).unwrap();
    let confirmation = service.confirmation.as_ref().unwrap();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let heads = ["申請案號", "姓名", "身分證或居留證統一編號"].into_iter();
    let labels = confirmation
        .columns(&service.form)
        .map(|field| field.label.get(Language::ZhTw));
    for (column, text) in heads.chain(labels).enumerate() {
        sheet.write_string(0, column as u16, text).unwrap();
    }
    for (row, (number, person, average)) in rows.iter().enumerate() {
        let cells = [
            *number,
            &person.name,
            person.national_id.reveal(),
            "senior",
            "是",
            "日間部",
            "114-2",
            "",
            average,
            "50",
            "否",
            "否",
            "",
        ];
        for (column, text) in cells.into_iter().enumerate() {
            sheet.write_string(row as u32 + 1, column as u16, text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_sees_its_own_students_and_of_them_only_what_it_confirms() {
    let town = town().await;
    let (student, id, number) = applied(&town, 1, "demo-senior").await;
    let (_, other, foreign) = applied(&town, 2, "demo-university").await;
    let mut browser = school(&town, "school", "demo-senior").await;
    let list = browser.get(HERE).await;
    list.is(200)
        .has(&number)
        .has("示範高中")
        .lacks(&foreign)
        .lacks(&student.name);
    let page = browser.get(&format!("{HERE}/{}", id.uuid())).await;
    page.is(200).has(&student.name).has("小數點前面");
    for hidden in [
        "00012345678901",
        "0912-345-678",
        "0912345678",
        "民生路",
        "student@people.example",
        "列冊身分",
    ] {
        page.lacks(hidden);
    }
    browser.get(&format!("{HERE}/{}", other.uuid())).await.is(404);
    for path in [
        "/office",
        "/office/appeals",
        "/office/rounds",
        "/office/payments",
        "/office/audit",
        "/office/admin",
    ] {
        browser.get(path).await.is(403);
    }
    browser.get(&format!("/office/cases/{}", id.uuid())).await.is(403);
    let wrong = browser
        .submit(&page, &id.uuid().to_string(), &[("average_whole", "188")])
        .await;
    wrong.is(422).has("不能大於 100").has("188");
    let done = browser
        .submit(&page, &id.uuid().to_string(), &[("average_whole", "78")])
        .await;
    browser.follow(&done).await.has("已確認。").lacks(&number);
    // the page in another window
    browser.submit(&page, &id.uuid().to_string(), &[]).await.is(404);

    let mut resident = town.signed_in(web::visit::Who::Resident(student.id)).await;
    resident
        .get(&format!("/applications/{id}"))
        .await
        .has("示範高中已確認您填的資料");
    resident.get("/my-data").await.has("請學校或機構確認資料");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_shown_before_it_counts_and_each_bad_file_is_told_why() {
    let town = town().await;
    let (one, first, number) = applied(&town, 1, "demo-senior").await;
    let (two, second, other) = applied(&town, 2, "demo-senior").await;
    let mut browser = school(&town, "school", "demo-senior").await;
    let download = browser.get(SHEET).await;
    assert!(download.kind.contains("spreadsheetml") && download.bytes.starts_with(b"PK"));
    browser.get(HERE).await.is(200);
    let revisions = [town.kit.revision(first).await, town.kit.revision(second).await];
    for (file, told) in [
        (b"a,b\n1,2\n".to_vec(), "這不是試算表"),
        (Vec::new(), "請選擇要上傳的試算表"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), "有密碼保護"),
        (b"PK\x03\x04 and nothing more".to_vec(), "檔案打不開"),
        (vec![b'x'; 4_500_000], "檔案太大"),
    ] {
        let page = browser.upload(SHEET, "file", &file).await;
        page.is(422).has(told).has("href=\"#file-scholarship\"");
    }
    browser.upload(SHEET, "file", &vec![b'x'; 6 << 20]).await.is(413);
    browser
        .upload("/office/confirm/services/nothing/sheet", "file", b"x")
        .await
        .is(404);
    let page = browser
        .upload(
            SHEET,
            "file",
            &sheet(&[
                (&number, &one, "78"),
                (&other, &one, "88"),
                ("115-SC-999999", &two, "1"),
            ]),
        )
        .await;
    page.is(200)
        .has("1 件可以確認")
        .has("2 列有問題")
        .has("這一列可能錯位了")
        .has("沒有這個案號");
    assert_eq!(
        [town.kit.revision(first).await, town.kit.revision(second).await],
        revisions
    );
    // a colleague's upload is nobody else's to confirm
    let mut colleague = school(&town, "school2", "demo-senior").await;
    let action = page.html().form("/apply").attr("action").to_owned();
    colleague.post(&action, &[]).await.is(404);
    let done = browser.submit(&page, "/apply", &[]).await;
    browser
        .follow(&done)
        .await
        .has("已確認 1 件。")
        .has(&other)
        .lacks(&number);
    browser.submit(&page, "/apply", &[]).await.is(404);
    assert_eq!(town.kit.revision(second).await, revisions[1]);
    browser.in_english();
    browser.get(HERE).await.has("To be confirmed").lacks(">office-");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_office_sees_whose_word_it_waits_for_and_appeals_have_their_pages() {
    let town = town().await;
    let (student, id, number) = applied(&town, 1, "demo-senior").await;
    let officer = town.kit.staff_of(SERVICE, "officer", Role::Officer).await;
    let supervisor = town.kit.staff_of(SERVICE, "chief", Role::Supervisor).await;
    let mut browser = town.signed_in(web::visit::Who::Staff(officer.id)).await;
    let mut chief = town.signed_in(web::visit::Who::Staff(supervisor.id)).await;
    let case = format!("/office/cases/{}", id.uuid());
    let page = chief.get(&case).await;
    page.has("等待示範高中確認").has("改分給同仁");
    browser.get(&case).await.lacks("改分給同仁");
    let given = chief
        .submit(&page, "/assign", &[("colleague", &officer.id.uuid().to_string())])
        .await;
    chief.follow(&given).await.has("已改分。");
    let revision = town.kit.revision(id).await.to_string();
    browser
        .post(&format!("{case}/approve"), &[("revision", &revision)])
        .await
        .is(422)
        .has("還在等外部單位確認");

    // the school corrects, the office refuses, the student appeals
    let mut school = school(&town, "school", "demo-senior").await;
    let page = school.get(&format!("{HERE}/{}", id.uuid())).await;
    school
        .submit(&page, &id.uuid().to_string(), &[("average_whole", "70")])
        .await
        .is(303);
    browser
        .get(&case)
        .await
        .has("70（本人填：88）")
        .has("示範高中已確認資料。");
    let revision = town.kit.revision(id).await.to_string();
    browser
        .post(&format!("{case}/refuse"), &[("revision", &revision)])
        .await
        .is(303);
    town.kit.wait(1);
    town.kit.work().await;
    let mut resident = town.signed_in(web::visit::Who::Resident(student.id)).await;
    let here = format!("/applications/{id}/appeal");
    resident
        .get(&format!("/applications/{id}"))
        .await
        .has(&format!("href=\"{here}\""));
    let form = resident.get(&here).await;
    form.has("請在 民國115年12月21日");
    resident
        .submit(&form, &here, &[("text", " ")])
        .await
        .is(422)
        .has("請寫下訴願的理由");
    let lodged = resident.submit(&form, &here, &[("text", "成績不對 <b>")]).await;
    resident
        .follow(&lodged)
        .await
        .has("重新審查中")
        .has("&#60;b&#62;")
        .lacks("<b>\n");
    resident.submit(&form, &here, &[("text", "再一次")]).await.is(409);
    chief.get("/office/appeals").await.has(&number).lacks(&student.name);
    let page = browser.get(&format!("{case}/appeal")).await;
    page.has("成績不對").has("案卷目錄").has("訴願法第14條第1項");
    browser
        .submit(&page, "/set-aside", &[("reason", "")])
        .await
        .is(422)
        .has("請填寫內容");
    let aside = browser.submit(&page, "/set-aside", &[("reason", "重新查證")]).await;
    browser.follow(&aside).await.has("已撤銷原決定");
    browser.submit(&page, "/forward", &[("answer", "答辯")]).await.is(409);
    resident.get(&here).await.has("原決定已撤銷").has("重新查證");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_on_paper_is_noted_with_its_days() {
    let town = town().await;
    let officer = town.kit.staff_of(SERVICE, "officer", Role::Officer).await;
    let mut browser = town.signed_in(web::visit::Who::Staff(officer.id)).await;
    let (_, id, _) = applied(&town, 1, "other").await;
    town.kit.approved(&officer, id).await;
    let here = format!("/office/cases/{}/appeal", id.uuid());
    let page = browser.get(&here).await;
    for (delivered, received) in [
        ("", ""),
        ("昨天", "115-11-20"),
        ("", "116-01-01"),
        ("115-11-01", "115-11-20"),
    ] {
        let changes = [("delivered", delivered), ("received", received), ("text", "不服")];
        browser
            .submit(&page, &here, &changes)
            .await
            .is(422)
            .has("日期不對")
            .has("不服");
    }
    let changes = [("delivered", "115-11-20"), ("received", "115.11.20"), ("text", "不服")];
    let done = browser.submit(&page, &here, &changes).await;
    browser
        .follow(&done)
        .await
        .has("已登錄訴願")
        .has("紙本")
        .lacks("登錄紙本訴願");
}
