//! A government is reminded of what runs out: once, at the contact its plan names, and of nothing that is done.

use grants::execution::Report;
use store::ledger;
use store::sea_orm::EntityTrait as _;
use store::tables::outbox;
use subsidies::{Decision, Filing, Kind, REMINDER, Reminder, decide, draft, hand_in, remind, reminder, send};
use uuid::Uuid;

use crate::kit::{Kit, LAST_SECOND, MINISTRY, each_engine};

const PORTAL: &str = "https://service.example.org";

/// The keys of the reminders so far without the plan, and their payloads, in the order of the keys.
async fn put(kit: &Kit, plan: Uuid) -> Vec<(String, Vec<u8>)> {
    let rows = outbox::Entity::find().all(kit.desk.store.read()).await.unwrap();
    let of_plan = format!("remind:{plan}:");
    let mut found: Vec<(String, Vec<u8>)> = rows
        .into_iter()
        .filter(|row| row.kind == REMINDER)
        .filter_map(|row| Some((row.key.strip_prefix(&of_plan)?.to_owned(), row.payload)))
        .collect();
    found.sort();
    found
}

async fn keys(kit: &Kit, plan: Uuid) -> Vec<String> {
    put(kit, plan).await.into_iter().map(|(key, _)| key).collect()
}

/// The message of the newest reminder as it would leave now.
async fn message(kit: &Kit, plan: Uuid, key: &str) -> Option<Reminder> {
    let all = put(kit, plan).await;
    let (_, payload) = all.iter().find(|(known, _)| known == key).unwrap();
    reminder(&kit.desk, payload, PORTAL).await.unwrap()
}

/// A plan that is decided: granted with this amount, or refused.
async fn decided(kit: &Kit, amount: Option<i64>) -> (subsidies::Member, Uuid) {
    let writer = kit.writer("KEE").await;
    kit.at(LAST_SECOND);
    let id = kit.sent(&writer).await;
    let officer = kit.member("officer", "grant_officer", MINISTRY).await;
    for name in ["a", "b", "c"] {
        let reviewer = kit.member(&format!("panel-{name}"), "grant_reviewer", MINISTRY).await;
        let programme = kit.desk.programme(crate::kit::PROGRAMME).unwrap();
        let given = programme.criteria.iter().map(|one| grants::review::Score {
            criterion: one.id.clone(),
            tenths: one.points * 8,
            comment: String::new(),
        });
        subsidies::score(&kit.desk, &reviewer, id, given.collect(), 0)
            .await
            .unwrap();
    }
    kit.at("2024-07-01T02:00:00Z");
    let decision = match amount {
        Some(amount) => Decision::Grant {
            amount: civic::Money(amount),
            conditions: String::new(),
        },
        None => Decision::Refuse {
            reason: "與其他計畫重複".to_owned(),
        },
    };
    decide(&kit.desk, &officer, id, 2, decision).await.unwrap();
    (writer, id)
}

#[tokio::test]
async fn a_draft_is_recalled_once_for_each_of_the_days_and_no_more_once_it_is_sent() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        kit.at("2024-05-01T02:00:00Z");
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        // the call closes on 31 May; the programme recalls 30, 14, 7, 3 and 1 days before
        kit.at("2024-05-23T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 0);
        kit.at("2024-05-23T16:00:00Z");
        let before = ledger::head(desk.store.read()).await.unwrap().seq;
        assert_eq!(remind(desk).await.unwrap(), 1);
        assert_eq!(ledger::head(desk.store.read()).await.unwrap().seq, before + 1);
        // however often somebody looks on that day
        kit.at("2024-05-24T10:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 0);
        assert_eq!(keys(&kit, id).await, ["call:2024-05-31:7"]);
        let seen = draft(desk, &writer, id).await.unwrap();
        let told: Vec<_> = seen.history.iter().filter(|act| act.act == "remind").collect();
        assert_eq!((told.len(), told[0].by.as_str()), (1, "系統"));
        let mail = message(&kit, id, "call:2024-05-31:7").await.unwrap();
        assert_eq!(mail.to, "grants@example.org");
        assert!(mail.subject.contains("提案受理：還有 7 天"), "{}", mail.subject);
        assert!(!mail.subject.contains('\n') && mail.id.len() == 64);
        for part in [
            seen.plan.title.as_str(),
            "民國113年5月31日",
            "視同放棄",
            &format!("{PORTAL}/programme/plans/{id}"),
        ] {
            assert!(mail.text.contains(part), "{part} in {}", mail.text);
        }
        assert!(!mail.text.contains('{'), "{}", mail.text);
        // sent meanwhile: nothing leaves, and the next day recalls nothing
        send(desk, &writer, id).await.unwrap();
        assert!(message(&kit, id, "call:2024-05-31:7").await.is_none());
        kit.at("2024-05-28T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_plan_without_a_contact_is_not_written_to() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = subsidies::open(&kit.desk, &writer, crate::kit::PROGRAMME)
            .await
            .unwrap();
        kit.at("2024-05-30T02:00:00Z");
        assert_eq!(remind(&kit.desk).await.unwrap(), 0);
        let contact = grants::plan::Contact {
            email: "不是地址".to_owned(),
            ..Default::default()
        };
        subsidies::save(&kit.desk, &writer, id, subsidies::Part::Contact(contact), 0)
            .await
            .unwrap();
        assert_eq!(remind(&kit.desk).await.unwrap(), 0);
    })
    .await;
}

/// Decided on 1 July: 15 days, and three more at a price.
#[tokio::test]
async fn a_correction_is_recalled_by_its_own_days() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (writer, id) = decided(&kit, Some(3_000_000)).await;
        let mut expected = Vec::new();
        for (day, key) in [
            ("2024-07-08", None),
            ("2024-07-09", Some("correction:2024-07-16:7")),
            ("2024-07-15", Some("correction:2024-07-16:1")),
            ("2024-07-16", Some("correction:2024-07-16:0")),
            ("2024-07-17", None),
            ("2024-07-18", Some("correction-late:2024-07-19:1")),
            ("2024-07-19", Some("correction-late:2024-07-19:0")),
        ] {
            kit.at(&format!("{day}T02:00:00Z"));
            assert_eq!(remind(desk).await.unwrap(), u64::from(key.is_some()), "{day}");
            assert_eq!(remind(desk).await.unwrap(), 0, "{day}");
            expected.extend(key.map(str::to_owned));
        }
        expected.sort();
        assert_eq!(keys(&kit, id).await, expected);
        let mail = message(&kit, id, "correction-late:2024-07-19:0").await.unwrap();
        assert!(mail.subject.contains("修正計畫書：今天是最後一天"), "{}", mail.subject);
        assert!(mail.text.contains("已扣減核定補助款 20%"), "{}", mail.text);
        // what was for the first days leaves no more
        assert!(message(&kit, id, "correction:2024-07-16:0").await.is_none());
        kit.as_approved(&writer, id, 3_000_000).await;
        hand_in(desk, &writer, id).await.unwrap();
        assert!(message(&kit, id, "correction-late:2024-07-19:0").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_was_refused_or_given_up_is_recalled_nothing() {
    each_engine(|kit| async move {
        let (_, refused) = decided(&kit, None).await;
        for day in ["2024-07-16", "2025-04-07", "2025-10-31", "2025-12-31"] {
            kit.at(&format!("{day}T02:00:00Z"));
            assert_eq!(remind(&kit.desk).await.unwrap(), 0, "{day}");
        }
        assert!(keys(&kit, refused).await.is_empty());
    })
    .await;
    each_engine(|kit| async move {
        let (_, given_up) = decided(&kit, Some(3_000_000)).await;
        for day in ["2024-07-20", "2025-04-07", "2025-11-23"] {
            kit.at(&format!("{day}T02:00:00Z"));
            assert_eq!(remind(&kit.desk).await.unwrap(), 0, "{day}");
        }
        assert!(keys(&kit, given_up).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_carried_out_is_recalled_until_it_is_handed_in() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (writer, id) = decided(&kit, Some(3_000_000)).await;
        kit.as_approved(&writer, id, 3_000_000).await;
        hand_in(desk, &writer, id).await.unwrap();
        // a report is not recalled before it can be sent: 30 days before 10 April it can't
        kit.at("2025-03-11T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 0);
        kit.at("2025-04-03T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 1);
        assert_eq!(keys(&kit, id).await, ["report-1:2025-04-10:7"]);
        let seen = draft(desk, &writer, id).await.unwrap();
        let told = seen.history.iter().find(|act| act.act == "remind").unwrap();
        assert_eq!(told.note.as_deref(), Some("report:1"));
        let report = Filing::Report(Report {
            quarter: 1,
            progress: 20,
            spending: civic::Money(900_000),
            done: "名冊模組完成".to_owned(),
            reason: String::new(),
        });
        assert_eq!(report.kind(), Kind::Report);
        subsidies::file(desk, &writer, id, 1, report, 0, true).await.unwrap();
        assert!(message(&kit, id, "report-1:2025-04-10:7").await.is_none());
        kit.at("2025-04-07T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 0);
        // the work is complete by the end of October, and payment requested a month later
        kit.at("2025-10-24T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 1);
        kit.at("2025-11-23T02:00:00Z");
        assert_eq!(remind(desk).await.unwrap(), 1);
        let all = keys(&kit, id).await;
        assert!(all.contains(&"complete:2025-10-31:7".to_owned()), "{all:?}");
        assert!(all.contains(&"accept:2025-11-30:7".to_owned()), "{all:?}");
    })
    .await;
}
