//! A breach of personal data, from its discovery to its end.

use std::collections::BTreeMap;

use cases::breach::{self, File, Means, Opening, Scope, State, Told};
use cases::staff::Role;
use cases::{CaseError, Staff, mine, review};
use jiff::SignedDuration;
use store::ledger::{ActorKind, Entry};
use store::tables::message;
use uuid::Uuid;

use crate::support::{Kit, each_engine};

async fn file(kit: &Kit, staff: &Staff, id: Uuid) -> File {
    breach::file(&kit.desk, staff, id).await.unwrap()
}

fn input(result: Result<(), CaseError>) -> (&'static str, &'static str) {
    match result {
        Err(CaseError::Input { field, problem }) => (field, problem),
        other => panic!("{other:?}"),
    }
}

fn report(kit: &Kit) -> BTreeMap<String, String> {
    let fields = kit.desk.breach.report.fields.iter();
    fields
        .map(|field| {
            let first = field.choices.first().map(|choice| choice.name.clone());
            (field.name.clone(), first.unwrap_or_else(|| "如附件說明".to_owned()))
        })
        .collect()
}

async fn opened(kit: &Kit, staff: &Staff, drill: bool) -> Uuid {
    let opening = Opening {
        title: "承辦帳號遭冒用".to_owned(),
        discovered: kit.desk.now(),
        drill,
    };
    breach::open(&kit.desk, staff, opening).await.unwrap()
}

fn scope(kit: &Kit, means: Means) -> Scope {
    let now = kit.desk.now();
    Scope {
        means,
        from: now - SignedDuration::from_hours(24),
        to: now + SignedDuration::from_hours(1),
        account: None,
        number: None,
        service: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_account_in_wrong_hands_concerns_is_told_by_the_ledger_and_each_once() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        let officer = kit.staff("officer", Role::Officer).await;
        let (one, other, untouched) = (kit.person(1).await, kit.person(2).await, kit.person(3).await);
        let mut cases = Vec::new();
        for person in [&one, &other, &untouched] {
            cases.push(kit.submitted(person).await.0);
        }
        for id in &cases[..2] {
            review::take(desk, &officer, *id, kit.revision(*id).await)
                .await
                .unwrap();
            review::case(desk, &officer, *id).await.unwrap();
        }
        kit.wait(1);

        let id = opened(&kit, &privacy, false).await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.number, "115-PD-0001");
        assert_eq!(seen.line.concerned, None);
        // nobody else handles it
        assert!(matches!(breach::list(desk, &officer).await, Err(CaseError::Refused(_))));
        assert!(matches!(
            breach::file(desk, &officer, id).await,
            Err(CaseError::Refused(_))
        ));

        let wrong = Scope {
            account: Some("nobody".to_owned()),
            ..scope(&kit, Means::Used)
        };
        assert_eq!(
            input(breach::scope(desk, &privacy, id, seen.revision, wrong).await),
            ("account", "unknown")
        );
        let by_account = Scope {
            account: Some("officer".to_owned()),
            ..scope(&kit, Means::Used)
        };
        breach::scope(desk, &privacy, id, seen.revision, by_account)
            .await
            .unwrap();
        kit.work().await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.concerned, Some(2), "who was not looked at is not concerned");
        assert_eq!(seen.told(Told::No), 2);

        // nothing is told before it is ascertained
        assert_eq!(
            input(breach::tell(desk, &privacy, id, seen.revision, "說明").await),
            ("text", "not_ready")
        );
        breach::ascertain(desk, &privacy, id, seen.revision, desk.now())
            .await
            .unwrap();
        let seen = file(&kit, &privacy, id).await;
        let due = seen.line.report_due.unwrap();
        assert_eq!(
            due.duration_since(seen.ascertained.unwrap()),
            SignedDuration::from_hours(72)
        );

        // the report is complete before it is sent
        assert_eq!(
            input(breach::report_sent(desk, &privacy, id, seen.revision, desk.now(), "電子公文").await),
            ("reported", "incomplete")
        );
        breach::save_report(desk, &privacy, id, seen.revision, report(&kit))
            .await
            .unwrap();
        let seen = file(&kit, &privacy, id).await;
        breach::report_sent(desk, &privacy, id, seen.revision, desk.now(), "府資字第1號")
            .await
            .unwrap();
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.report_due, None);

        assert!(breach::mine(desk, &one).await.unwrap().is_empty());
        breach::tell(desk, &privacy, id, seen.revision, "您的案件被不該看的人看過。")
            .await
            .unwrap();
        // told once, whatever is tried again
        assert!(matches!(
            breach::tell(desk, &privacy, id, seen.revision, "再一次").await,
            Err(CaseError::Conflict(_))
        ));
        kit.work().await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!((seen.line.state, seen.told(Told::No)), (State::Told, 0));
        let mut told = Vec::new();
        for case in &cases {
            let rows = message::of_application(desk.store.read(), case.uuid()).await.unwrap();
            told.push(rows.iter().filter(|row| row.kind == "breach").count());
        }
        assert_eq!(told, [1, 1, 0]);
        assert_eq!(
            breach::mine(desk, &one).await.unwrap()[0].text,
            "您的案件被不該看的人看過。"
        );
        assert!(breach::mine(desk, &untouched).await.unwrap().is_empty());

        // the names are shown to who tells them, and that is itself told
        let (persons, next) = breach::persons(desk, &privacy, id, &[Told::Message, Told::Page], None)
            .await
            .unwrap();
        assert_eq!((persons.len(), next), (2, None));
        assert!(persons.iter().all(|person| person.name.is_some() && person.uses > 0));
        let newest = mine::uses(desk, &one, None, 1).await.unwrap();
        assert_eq!(newest[0].entry.action, "breach");

        // no mail server: both read it on their page, and the office tells them itself before it is closed
        assert_eq!(seen.told(Told::Page), 2);
        assert_eq!(
            input(breach::close(desk, &privacy, id, seen.revision, "改用安全金鑰").await),
            ("measures", "not_told")
        );
        breach::told_otherwise(desk, &privacy, id, seen.revision, "雙掛號寄出")
            .await
            .unwrap();
        assert_eq!(file(&kit, &privacy, id).await.told(Told::Otherwise), 2);
        let seen = file(&kit, &privacy, id).await;
        breach::close(desk, &privacy, id, seen.revision, "改用安全金鑰")
            .await
            .unwrap();
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.state, State::Closed);
        let done: Vec<&str> = seen.history.iter().map(|(event, _)| event.what.as_str()).collect();
        assert_eq!(done.first(), Some(&"opened"));
        assert_eq!(done.last(), Some(&"closed"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_goes_the_whole_way_and_tells_nobody() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        let person = kit.person(1).await;
        let (case, _) = kit.submitted(&person).await;
        let id = opened(&kit, &privacy, true).await;
        let kept = Scope {
            service: Some("senior-allowance".to_owned()),
            ..scope(&kit, Means::Kept)
        };
        let revision = file(&kit, &privacy, id).await.revision;
        breach::scope(desk, &privacy, id, revision, kept).await.unwrap();
        kit.work().await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.concerned, Some(1));
        // nobody's name is needed for a drill, and no use of it is recorded
        let before = kit.ledger_holds().await;
        let (persons, _) = breach::persons(desk, &privacy, id, &[Told::No], None).await.unwrap();
        assert!(persons.len() == 1 && persons[0].name.is_none());
        assert_eq!(kit.ledger_holds().await, before);
        breach::ascertain(desk, &privacy, id, seen.revision, desk.now())
            .await
            .unwrap();
        let revision = file(&kit, &privacy, id).await.revision;
        breach::tell(desk, &privacy, id, revision, "演練").await.unwrap();
        kit.work().await;
        let rows = message::of_application(desk.store.read(), case.uuid()).await.unwrap();
        assert!(rows.iter().all(|row| row.kind != "breach"));
        assert!(breach::mine(desk, &person).await.unwrap().is_empty());
        let revision = file(&kit, &privacy, id).await.revision;
        breach::close(desk, &privacy, id, revision, "演練檢討").await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_count_is_the_same_whatever_is_asked_twice() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        for number in 1..=3 {
            let person = kit.person(number).await;
            kit.submitted(&person).await;
        }
        let id = opened(&kit, &privacy, false).await;
        let mut counts = Vec::new();
        for means in [Means::Used, Means::Kept, Means::Used, Means::Kept] {
            let revision = file(&kit, &privacy, id).await.revision;
            breach::scope(desk, &privacy, id, revision, scope(&kit, means))
                .await
                .unwrap();
            kit.work().await;
            kit.work().await;
            counts.push(file(&kit, &privacy, id).await.line.concerned.unwrap());
        }
        assert_eq!(counts[0], counts[2]);
        assert_eq!(counts[1], counts[3]);
        assert!(counts[0] >= 3 && counts[1] >= 3, "{counts:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_in_somebody_elses_case_is_not_told_through_it() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        let officer = kit.staff("officer", Role::Officer).await;
        let (applicant, member) = (kit.person(1).await, kit.person(2).await);
        let (case, _) = kit.submitted(&applicant).await;
        // as a lookup of a member of the family writes it: the member's data, for the applicant's case
        let used = Entry {
            at: desk.now(),
            actor: ActorKind::Staff,
            actor_id: Some(officer.id.uuid()),
            action: "lookup".to_owned(),
            purpose: civic::Purpose {
                code: "057".to_owned(),
                basis: "社會救助法 §44-3".to_owned(),
                function: "lookup".to_owned(),
                application: Some(case),
            },
            application: Some(case),
            subject: Some(member.lookup),
            fields: vec!["permits.plate".to_owned()],
            count: 1,
        };
        let written = desk.store.write(move |tx| {
            Box::pin(async move { Ok::<_, CaseError>(store::ledger::append(tx, used).await.map(drop)?) })
        });
        written.await.unwrap();
        kit.wait(1);
        let id = opened(&kit, &privacy, false).await;
        let revision = file(&kit, &privacy, id).await.revision;
        breach::scope(desk, &privacy, id, revision, scope(&kit, Means::Used))
            .await
            .unwrap();
        kit.work().await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!(seen.line.concerned, Some(2));
        breach::ascertain(desk, &privacy, id, seen.revision, desk.now())
            .await
            .unwrap();
        let revision = file(&kit, &privacy, id).await.revision;
        breach::tell(desk, &privacy, id, revision, "說明").await.unwrap();
        kit.work().await;
        let seen = file(&kit, &privacy, id).await;
        assert_eq!((seen.line.state, seen.told(Told::No)), (State::Told, 0));
        let rows = message::of_application(desk.store.read(), case.uuid()).await.unwrap();
        assert_eq!(rows.iter().filter(|row| row.kind == "breach").count(), 1);
        assert_eq!(breach::mine(desk, &member).await.unwrap().len(), 1);
    })
    .await;
}
