//! Students and their schools: an application of a scholarship as the school confirms it, one by one and by a sheet.

use std::collections::BTreeMap;

use cases::confirm::{self, ConfirmationState};
use cases::staff::{NewStaff, Role, Staff};
use cases::{CaseError, Person, State, collect, correct, jobs, mine, review};
use civic::Channel;
use civic::ids::ApplicationId;
use rust_xlsxwriter::Workbook;
use serde_json::json;
use services::confirm::Refusal;
use services::form::{Raw, SHOWN, Source};
use zeroize::Zeroizing;

use crate::support::{Kit, ZH, each_engine, raw};

const SERVICE: &str = "scholarship";
const SCHOOL: &str = "demo-senior";

async fn account(kit: &Kit, name: &str, role: Role, agency: &str) -> Staff {
    let new = NewStaff {
        account: name.to_owned(),
        name: format!("{name} 先生"),
        role,
        agency: agency.to_owned(),
        password: Zeroizing::new("a long enough password".to_owned()),
        totp_secret: Zeroizing::new(vec![7; 20]),
    };
    let id = cases::staff::add(&kit.desk, new).await.unwrap();
    cases::staff::get(&kit.desk, id).await.unwrap()
}

/// A member of a school's staff.
pub async fn school(kit: &Kit, name: &str, body: &str) -> Staff {
    account(kit, name, Role::Confirmer, body).await
}

/// An officer of the education bureau.
pub async fn bureau(kit: &Kit, name: &str, role: Role) -> Staff {
    let office = kit.desk.service(SERVICE).unwrap().meta.agency.get(ZH).to_owned();
    account(kit, name, role, &office).await
}

fn typed(keys: &[String], school: &str, average: &str) -> Raw {
    let mut raw = Raw::from([(SHOWN.to_owned(), keys.to_vec())]);
    for key in keys {
        let entry = match key.rsplit('.').next().unwrap() {
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
            "school_name" => "外縣市高中",
            "level" => "senior",
            "enrolled" | "members" => "yes",
            "choice_1" => "merit-senior",
            "choice_2" | "choice_3" | "listed_status" | "hardship" | "other_award" => "none",
            "division" => "day",
            "grade_term" => "114-2",
            "average_whole" => average,
            "average_decimals" => "50",
            "failed_subject" | "demerit" | "teacher_certificate" | "student" | "first_year" => "no",
            "phone" => "0912-345-678",
            "email" => "student@people.example",
            "registered_address" => "臺中市西區民生路1號",
            "account_of" => "student",
            other => panic!("nothing to type for {other}"),
        };
        raw.insert(key.clone(), vec![entry.to_owned()]);
    }
    raw
}

/// An application of the student of this number, handed in.
pub async fn applied(kit: &Kit, number: u32, school: &str, average: &str) -> (Person, ApplicationId) {
    let desk = &kit.desk;
    let person = kit.person(number).await;
    let id = collect::open(desk, &person, SERVICE, Channel::Online, ZH)
        .await
        .unwrap();
    collect::agree(desk, &person, id, ZH).await.unwrap();
    let mut draft = collect::draft(desk, &person, id).await.unwrap();
    while let Some(first) = draft.questions.first() {
        let page = first.address.clone();
        let asked = draft.questions.iter().filter(|asked| asked.address == page);
        let keys: Vec<String> = asked.map(|asked| asked.key.clone()).collect();
        draft = collect::save(
            desk,
            &person,
            id,
            draft.revision,
            &page,
            typed(&keys, school, average),
            ZH,
        )
        .await
        .unwrap();
    }
    collect::submit(desk, &person, id, draft.revision, draft.form_token)
        .await
        .unwrap();
    (person, id)
}

/// What a page of the school sends for a student with this average.
fn page(average: &str) -> Raw {
    raw(&[
        ("level", "senior"),
        ("enrolled", "yes"),
        ("division", "day"),
        ("grade_term", "114-2"),
        ("average_whole", average),
        ("average_decimals", "50"),
        ("failed_subject", "no"),
        ("demerit", "no"),
    ])
}

/// The downloaded sheet with some cells typed over: row from 1, column from 0, text.
async fn filled(kit: &Kit, school: &Staff, cells: &[(u32, u16, &str)]) -> Vec<u8> {
    let bytes = confirm::sheet(&kit.desk, school, SERVICE, ZH).await.unwrap();
    let service = kit.desk.service(SERVICE).unwrap();
    let confirmation = service.confirmation.as_ref().unwrap();
    let now = kit.desk.now();
    let read = services::confirm::read(confirmation, &service.form, &bytes, ZH, now).unwrap();
    assert_eq!(read.errors, []);
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let fields: Vec<_> = confirmation.columns(&service.form).collect();
    let heads = ["申請案號", "姓名", "身分證或居留證統一編號"].into_iter();
    for (column, text) in heads.chain(fields.iter().map(|field| field.label.get(ZH))).enumerate() {
        sheet.write_string(0, column as u16, text).unwrap();
    }
    for line in &read.lines {
        let row = line.row - 1;
        for (column, text) in [&line.number, &line.about.name, &line.about.identity]
            .into_iter()
            .enumerate()
        {
            sheet.write_string(row, column as u16, text).unwrap();
        }
        for (column, field) in fields.iter().enumerate() {
            if let Some(value) = line.values.get(&field.id) {
                sheet
                    .write_string(row, column as u16 + 3, field.shown(value, ZH))
                    .unwrap();
            }
        }
    }
    for (row, column, text) in cells {
        sheet.write_string(row - 1, *column, *text).unwrap();
    }
    book.save_to_buffer().unwrap()
}

async fn standing(kit: &Kit, id: ApplicationId) -> ConfirmationState {
    confirm::standing(&kit.desk, id).await.unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_confirms_its_own_students_and_the_office_decides_after_it() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (student, id) = applied(&kit, 1, SCHOOL, "88").await;
        let (_, other) = applied(&kit, 2, "demo-university", "88").await;
        let school = school(&kit, "school", SCHOOL).await;
        let officer = bureau(&kit, "officer", Role::Officer).await;

        // the school sees its own, and of them what it has to confirm; nothing else opens
        let groups = confirm::waiting(desk, &school).await.unwrap();
        let numbers: Vec<_> = groups.iter().flat_map(|group| &group.rows).map(|row| row.id).collect();
        assert_eq!(numbers, [id]);
        let opened = confirm::one(desk, &school, id).await.unwrap();
        assert_eq!(opened.about.name, student.name);
        assert!(opened.keys.contains(&"average_whole".to_owned()));
        for hidden in ["account", "phone", "listed_status", "registered_address"] {
            assert!(opened.answers.get(hidden).is_none() && !opened.keys.contains(&hidden.to_owned()));
        }
        assert!(matches!(
            confirm::one(desk, &school, other).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            review::case(desk, &school, id).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            confirm::waiting(desk, &officer).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            confirm::one(desk, &officer, id).await,
            Err(CaseError::Refused(_))
        ));

        // nothing is decided before
        review::take(desk, &officer, id, kit.revision(id).await).await.unwrap();
        for result in [
            review::approve(desk, &officer, id, kit.revision(id).await, "").await,
            review::refuse(desk, &officer, id, kit.revision(id).await, "理由").await,
        ] {
            assert!(
                matches!(
                    result,
                    Err(CaseError::Input {
                        field: "confirmation",
                        ..
                    })
                ),
                "{result:?}"
            );
        }

        // a field left out and a grade that cannot be are told, and nothing is kept of them
        let revision = kit.revision(id).await;
        let mut wrong = page("101");
        wrong.remove("demerit");
        let told = confirm::answer(desk, &school, id, revision, &wrong, ZH).await;
        let Err(CaseError::Invalid(invalid)) = told else {
            panic!("{told:?}")
        };
        assert_eq!(invalid.errors[0].key, "average_whole");
        wrong.insert("average_whole".to_owned(), vec!["78".to_owned()]);
        let told = confirm::answer(desk, &school, id, revision, &wrong, ZH).await;
        let Err(CaseError::Invalid(invalid)) = told else {
            panic!("{told:?}")
        };
        assert_eq!(invalid.errors[0].key, "demerit");
        assert_eq!(kit.revision(id).await, revision);
        assert!(matches!(
            confirm::answer(desk, &school, id, revision - 1, &page("78"), ZH).await,
            Err(CaseError::Conflict(_))
        ));

        // the school corrects the average; what the student said stands beside it, and the rules run again
        confirm::answer(desk, &school, id, revision, &page("78"), ZH)
            .await
            .unwrap();
        assert_eq!(standing(&kit, id).await, ConfirmationState::Confirmed);
        let file = review::case(desk, &officer, id).await.unwrap();
        assert_eq!(file.decision.outcome, Some(false));
        let row = file.rows.iter().find(|row| row.key == "average_whole").unwrap();
        assert_eq!((row.form.as_str(), row.source.as_deref()), ("78", Some("78")));
        assert_eq!((row.before.as_deref(), row.differs), (Some("88"), true));
        assert_eq!(row.source_name.as_deref(), Some("示範高中"));
        let same = file.rows.iter().find(|row| row.key == "demerit").unwrap();
        assert_eq!((same.before.as_deref(), same.differs), (None, false));
        let event = file
            .events
            .iter()
            .find(|event| event.kind == "confirmed_with_changes")
            .unwrap();
        assert_eq!(event.text.as_deref(), Some("示範高中"));
        // what is confirmed is not confirmed again
        assert!(matches!(
            confirm::answer(desk, &school, id, kit.revision(id).await, &page("90"), ZH).await,
            Err(CaseError::NotFound(_))
        ));
        review::refuse(desk, &officer, id, kit.revision(id).await, "")
            .await
            .unwrap();

        // the student is told, and sees who used the data
        let messages = store::tables::message::of_application(desk.store.read(), id.uuid())
            .await
            .unwrap();
        assert_eq!(messages.iter().filter(|message| message.kind == "confirmed").count(), 1);
        let uses = mine::uses(desk, &student, None, 100).await.unwrap();
        assert!(uses.iter().any(|used| used.entry.action == "confirm"));
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_looked_at_row_by_row_and_applied_as_a_whole() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let mut ids = Vec::new();
        for number in 1..=4 {
            ids.push(applied(&kit, number, SCHOOL, "88").await.1);
        }
        let (_, stranger) = applied(&kit, 5, "demo-university", "88").await;
        let school = school(&kit, "school", SCHOOL).await;
        let colleague = self::school(&kit, "school2", SCHOOL).await;

        // row 2 stays, row 3 gets another average, row 4 a grade that cannot be, row 5 another name; row 6 is another
        // school's, row 7 nobody's
        let foreign = kit.row(stranger).await.number.unwrap();
        let mut cells = vec![
            (3, 8, "91"),
            (4, 8, "101"),
            (5, 1, "王大明"),
            (6, 0, foreign.as_str()),
            (7, 0, "115-SC-999999"),
        ];
        for row in [6, 7] {
            cells.extend([(row, 3, "國小"), (row, 4, "是")]);
        }
        let bytes = filled(&kit, &school, &cells).await;
        let before: Vec<i64> = {
            let mut all = Vec::new();
            for id in &ids {
                all.push(kit.revision(*id).await);
            }
            all
        };
        let preview = confirm::check(desk, &school, SERVICE, bytes.clone(), ZH)
            .await
            .unwrap()
            .unwrap();
        let rows: Vec<(u32, usize)> = preview
            .rows
            .iter()
            .map(|row| (row.row, row.differences.len()))
            .collect();
        assert_eq!(rows, [(2, 0), (3, 1)]);
        assert_eq!(preview.rows[1].differences[0].after, "91");
        let wrong: Vec<u32> = preview.errors.iter().map(|error| error.row).collect();
        assert_eq!(wrong, [4, 5, 6, 7]);
        // whether a number is another school's or nobody's is not told
        assert_eq!(preview.errors[2].message, preview.errors[3].message);
        for (id, revision) in ids.iter().zip(&before) {
            assert_eq!(kit.revision(*id).await, *revision, "a preview changes nothing");
        }

        // only who handed it in applies it, and a change in between stops all of it
        let upload = preview.upload.unwrap();
        assert!(matches!(
            confirm::apply(desk, &colleague, upload).await,
            Err(CaseError::NotFound(_))
        ));
        let first = kit.row(ids[0]).await;
        let waiting = confirm::waiting(desk, &school).await.unwrap();
        let order: Vec<ApplicationId> = waiting.iter().flat_map(|group| &group.rows).map(|row| row.id).collect();
        confirm::answer(desk, &school, order[0], kit.revision(order[0]).await, &page("88"), ZH)
            .await
            .unwrap();
        assert!(matches!(
            confirm::apply(desk, &school, upload).await,
            Err(CaseError::Conflict(_))
        ));
        assert_eq!(standing(&kit, order[1]).await, ConfirmationState::Waiting);
        assert_eq!(first.id, ids[0].uuid());

        // looked at again, the row that was confirmed meanwhile changes nothing, and the other is applied
        let preview = confirm::check(desk, &school, SERVICE, bytes.clone(), ZH)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((preview.rows.len(), preview.again), (1, 1));
        let upload = preview.upload.unwrap();
        assert_eq!(confirm::apply(desk, &school, upload).await.unwrap(), 1);
        assert_eq!(standing(&kit, order[1]).await, ConfirmationState::Confirmed);
        assert!(matches!(
            confirm::apply(desk, &school, upload).await,
            Err(CaseError::NotFound(_))
        ));

        // the same file once more changes nothing at all
        let again = confirm::check(desk, &school, SERVICE, bytes, ZH)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((again.rows.len(), again.again, again.upload), (0, 2, None));

        // what is no sheet is refused, and whoever is of no body of the service has no sheet
        let refused = confirm::check(desk, &school, SERVICE, b"a,b,c".to_vec(), ZH)
            .await
            .unwrap();
        assert_eq!(refused, Err(Refusal::NotASpreadsheet));
        let nobody = self::school(&kit, "nobody", "no-such-school").await;
        assert!(matches!(
            confirm::sheet(desk, &nobody, SERVICE, ZH).await,
            Err(CaseError::NotFound(_))
        ));
        let elsewhere = confirm::check(desk, &school, "senior-allowance", Vec::new(), ZH).await;
        assert!(matches!(elsewhere, Err(CaseError::NotFound(_))));
        // an upload nobody confirmed is gone after a day
        let rest = filled(&kit, &school, &[]).await;
        let preview = confirm::check(desk, &school, SERVICE, rest, ZH).await.unwrap().unwrap();
        kit.wait(25);
        jobs::tidy(desk).await.unwrap();
        assert!(matches!(
            confirm::apply(desk, &school, preview.upload.unwrap()).await,
            Err(CaseError::NotFound(_))
        ));
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_that_does_not_answer_holds_nobody_up_for_ever() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (_, id) = applied(&kit, 1, SCHOOL, "88").await;
        let officer = bureau(&kit, "officer", Role::Officer).await;
        // ten working days from Friday 20 November 2026
        kit.wait(24 * 14);
        assert_eq!(jobs::tidy(desk).await.unwrap().unconfirmed, 0);
        kit.wait(24);
        assert_eq!(jobs::tidy(desk).await.unwrap().unconfirmed, 1);
        assert_eq!(jobs::tidy(desk).await.unwrap().unconfirmed, 0);
        assert_eq!(standing(&kit, id).await, ConfirmationState::Lapsed);
        let messages = store::tables::message::of_application(desk.store.read(), id.uuid())
            .await
            .unwrap();
        assert_eq!(
            messages.iter().filter(|message| message.kind == "unconfirmed").count(),
            1
        );
        let school = school(&kit, "school", SCHOOL).await;
        assert!(matches!(
            confirm::one(desk, &school, id).await,
            Err(CaseError::NotFound(_))
        ));
        kit.approved(&officer, id).await;
        assert_eq!(kit.row(id).await.state, State::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_corrected_later_is_confirmed_again_and_another_school_is_asked_by_nobody() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (student, id) = applied(&kit, 1, SCHOOL, "88").await;
        let (_, outside) = applied(&kit, 2, "other", "88").await;
        assert_eq!(confirm::standing(desk, outside).await.unwrap(), None);
        let officer = bureau(&kit, "officer", Role::Officer).await;
        kit.approved(&officer, outside).await;
        let school = school(&kit, "school", SCHOOL).await;
        confirm::answer(desk, &school, id, kit.revision(id).await, &page("78"), ZH)
            .await
            .unwrap();
        review::take(desk, &officer, id, kit.revision(id).await).await.unwrap();
        let due = desk.calendar.add_calendar_days(desk.today(), 14);
        review::request_correction(desk, &officer, id, kit.revision(id).await, "請確認成績", due)
            .await
            .unwrap();
        // the student puts their own number back in force: the school is asked again before anything is decided
        let answers = raw(&[(SHOWN, "average_whole"), ("average_whole", "95")]);
        collect::save(desk, &student, id, kit.revision(id).await, "average", answers, ZH)
            .await
            .unwrap();
        correct::submit(desk, &student, id, kit.revision(id).await)
            .await
            .unwrap();
        assert_eq!(standing(&kit, id).await, ConfirmationState::Waiting);
        let refused = review::approve(desk, &officer, id, kit.revision(id).await, "").await;
        assert!(matches!(
            refused,
            Err(CaseError::Input {
                field: "confirmation",
                ..
            })
        ));
        confirm::answer(desk, &school, id, kit.revision(id).await, &page("85"), ZH)
            .await
            .unwrap();
        let file = review::case(desk, &officer, id).await.unwrap();
        let answer = file.answers.get("average_whole").unwrap();
        assert_eq!(answer.value, json!(85));
        assert!(matches!(&answer.source, Source::Body { id, .. } if id == SCHOOL));
        // withdrawn, it waits for nobody any more
        let (person, gone) = applied(&kit, 3, SCHOOL, "88").await;
        collect::withdraw(desk, &person, gone, kit.revision(gone).await)
            .await
            .unwrap();
        assert!(matches!(
            confirm::one(desk, &school, gone).await,
            Err(CaseError::NotFound(_))
        ));
        let lines: BTreeMap<_, _> = confirm::waiting(desk, &school)
            .await
            .unwrap()
            .into_iter()
            .flat_map(|group| group.rows)
            .map(|row| (row.id.uuid(), row.number))
            .collect();
        assert!(lines.is_empty());
    })
    .await;
}
