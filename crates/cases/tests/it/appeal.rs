//! After the decision: appeals, decisions made anew, reminders, and a case given to a colleague.

use cases::appeal::{self, State as Step};
use cases::staff::Role;
use cases::{CaseError, State, jobs, mine, review};
use civic::ids::ApplicationId;
use store::tables::{decision, entitlement, letter, message};

use crate::support::{Kit, each_engine};

async fn refused(kit: &Kit, officer: &cases::Staff, id: ApplicationId) {
    let desk = &kit.desk;
    review::take(desk, officer, id, kit.revision(id).await).await.unwrap();
    review::refuse(desk, officer, id, kit.revision(id).await, "資料不足")
        .await
        .unwrap();
    kit.wait(1);
    kit.work().await;
}

async fn messages(kit: &Kit, id: ApplicationId, kind: &str) -> usize {
    let rows = message::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
    rows.iter().filter(|row| row.kind == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_set_aside_is_made_anew_and_both_are_kept() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let person = kit.person(1).await;
        let (id, _) = kit.submitted(&person).await;
        // nothing to appeal against before the letter has left
        assert!(!appeal::mine(desk, &person, id).await.unwrap().may_lodge);
        assert!(matches!(
            appeal::lodge(desk, &person, id, "不服").await,
            Err(CaseError::Conflict(_))
        ));
        refused(&kit, &officer, id).await;
        let found = appeal::mine(desk, &person, id).await.unwrap();
        assert!(found.may_lodge && !found.over);
        // the letter left on Friday 20 November 2026: thirty days, the last of which is a Sunday
        assert_eq!(found.until.unwrap().to_string(), "2026-12-21");

        let stranger = kit.person(2).await;
        assert!(matches!(
            appeal::lodge(desk, &stranger, id, "不服").await,
            Err(CaseError::NotFound(_))
        ));
        for (text, problem) in [("  ", "empty"), (&"長".repeat(4001) as &str, "too_long")] {
            let told = appeal::lodge(desk, &person, id, text).await;
            assert!(
                matches!(told, Err(CaseError::Input { problem: why, .. }) if why == problem),
                "{told:?}"
            );
        }
        appeal::lodge(desk, &person, id, "我的收入沒有那麼多").await.unwrap();
        assert!(matches!(
            appeal::lodge(desk, &person, id, "再一次").await,
            Err(CaseError::Conflict(_))
        ));
        assert_eq!(messages(&kit, id, "appeal_lodged").await, 1);
        // nothing is destroyed while it is open
        assert_eq!(kit.row(id).await.dispose_after, None);

        let lines = appeal::list(desk, &officer).await.unwrap();
        assert_eq!((lines.len(), lines[0].application, lines[0].late), (1, id, false));
        let (found, documents) = appeal::of_case(desk, &officer, id).await.unwrap();
        assert!(
            documents
                .iter()
                .any(|one| one.kind == "refused" && one.digest.is_some())
        );
        let one = &found.all[0];
        assert_eq!(
            (one.state, one.text.as_str(), one.paper),
            (Step::Lodged, "我的收入沒有那麼多", false)
        );
        let cashier = kit.staff("cashier", Role::Cashier).await;
        assert!(matches!(
            appeal::of_case(desk, &cashier, id).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            appeal::set_aside(desk, &cashier, one.id, one.revision, "理由").await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            appeal::set_aside(desk, &officer, one.id, one.revision + 1, "理由").await,
            Err(CaseError::Conflict(_))
        ));
        appeal::set_aside(desk, &officer, one.id, one.revision, "重新計算後符合")
            .await
            .unwrap();
        assert!(matches!(
            appeal::forward(desk, &officer, one.id, one.revision, "答辯").await,
            Err(CaseError::Conflict(_))
        ));
        let row = kit.row(id).await;
        assert_eq!(
            (row.state, row.outcome, row.assigned_to),
            (State::Review, None, Some(officer.id.uuid()))
        );

        // decided anew: the new decision beside the old one, a letter for each, and what it gives is due
        review::approve(desk, &officer, id, kit.revision(id).await, "")
            .await
            .unwrap();
        kit.wait(1);
        kit.work().await;
        let db = desk.store.read();
        let letters = letter::of_application(db, id.uuid()).await.unwrap();
        let kinds: Vec<&str> = letters.iter().map(|letter| letter.kind.as_str()).collect();
        assert_eq!(kinds, ["approved", "refused"]);
        assert_ne!(decision::latest(db, id.uuid()).await.unwrap(), None);
        assert!(!entitlement::of_application(db, id.uuid()).await.unwrap().is_empty());
        let found = appeal::mine(desk, &person, id).await.unwrap();
        assert_eq!(found.all[0].state, Step::Decided);
        assert_eq!(found.all[0].answer.as_deref(), Some("重新計算後符合"));
        // the new decision can be appealed against like any other
        assert!(found.may_lodge);
        assert_eq!(mine::case(desk, &person, id).await.unwrap().letters.len(), 2);
        assert!(appeal::list(desk, &officer).await.unwrap().is_empty());
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_earlier_decision_gave_ends_when_the_new_one_gives_nothing() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let person = kit.person(1).await;
        let (id, _) = kit.submitted(&person).await;
        kit.approved(&officer, id).await;
        let db = desk.store.read();
        assert!(!entitlement::of_application(db, id.uuid()).await.unwrap().is_empty());
        appeal::lodge(desk, &person, id, "金額不對").await.unwrap();
        let one = appeal::mine(desk, &person, id).await.unwrap().all.remove(0);
        appeal::set_aside(desk, &officer, one.id, one.revision, "資料有誤")
            .await
            .unwrap();
        review::refuse(desk, &officer, id, kit.revision(id).await, "不符合")
            .await
            .unwrap();
        kit.wait(1);
        kit.work().await;
        assert_eq!(entitlement::of_application(db, id.uuid()).await.unwrap(), []);
        assert_eq!(kit.row(id).await.outcome.as_deref(), Some("refused"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_forwarded_noted_on_paper_late_or_taken_back() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let mut cases = Vec::new();
        for number in 1..=3 {
            let person = kit.person(number).await;
            let (id, _) = kit.submitted(&person).await;
            refused(&kit, &officer, id).await;
            cases.push((person, id));
        }
        let [(first, forwarded), (second, paper), (third, withdrawn)] = cases.as_slice() else {
            panic!()
        };
        appeal::lodge(desk, first, *forwarded, "不服").await.unwrap();
        let one = appeal::mine(desk, first, *forwarded).await.unwrap().all.remove(0);
        assert!(matches!(
            appeal::forward(desk, &officer, one.id, one.revision, " ").await,
            Err(CaseError::Input { problem: "empty", .. })
        ));
        appeal::forward(desk, &officer, one.id, one.revision, "原決定並無不當")
            .await
            .unwrap();
        let seen = appeal::mine(desk, first, *forwarded).await.unwrap();
        assert_eq!(seen.all[0].state, Step::Forwarded);
        assert_eq!(seen.all[0].answer.as_deref(), Some("原決定並無不當"));
        assert_eq!(kit.row(*forwarded).await.state, State::Completed);
        assert!(kit.row(*forwarded).await.dispose_after.is_some());
        assert!(matches!(
            appeal::withdraw(desk, first, one.id, seen.all[0].revision).await,
            Err(CaseError::Conflict(_))
        ));

        // on paper, received after the period that began with the delivery
        let left = desk.today();
        kit.wait(24 * 50);
        let delivered = desk.calendar.add_calendar_days(left, 5);
        for (delivered, received, field) in [
            (Some(desk.today()), left, "delivered"),
            (None, desk.today().tomorrow().unwrap(), "received"),
            (
                Some(left.yesterday().unwrap().yesterday().unwrap()),
                desk.today(),
                "delivered",
            ),
        ] {
            let told = appeal::record_paper(desk, &officer, *paper, delivered, received, "不服").await;
            assert!(
                matches!(told, Err(CaseError::Input { field: at, .. }) if at == field),
                "{told:?}"
            );
        }
        appeal::record_paper(desk, &officer, *paper, Some(delivered), desk.today(), "不服")
            .await
            .unwrap();
        let seen = appeal::mine(desk, second, *paper).await.unwrap();
        assert_eq!((seen.all[0].late, seen.all[0].paper), (true, true));
        assert_eq!(seen.all[0].delivered, Some(delivered));
        // after the period the portal takes it too, marked; only the appeal body may reject it
        assert!(appeal::mine(desk, third, *withdrawn).await.unwrap().over);
        appeal::lodge(desk, third, *withdrawn, "我晚收到").await.unwrap();
        let one = appeal::mine(desk, third, *withdrawn).await.unwrap().all.remove(0);
        assert!(one.late);
        assert!(matches!(
            appeal::withdraw(desk, second, one.id, one.revision).await,
            Err(CaseError::NotFound(_))
        ));
        appeal::withdraw(desk, third, one.id, one.revision).await.unwrap();
        assert!(!appeal::mine(desk, third, *withdrawn).await.unwrap().may_lodge);
        assert_eq!(messages(&kit, *withdrawn, "appeal_withdrawn").await, 1);
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_and_offices_are_reminded_once() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let person = kit.person(1).await;
        let (id, receipt) = kit.submitted(&person).await;
        review::take(desk, &officer, id, kit.revision(id).await).await.unwrap();
        let due = desk.calendar.add_calendar_days(desk.today(), 14);
        review::request_correction(desk, &officer, id, kit.revision(id).await, "請補", due)
            .await
            .unwrap();
        jobs::tidy(desk).await.unwrap();
        assert_eq!(messages(&kit, id, "correction_due").await, 0);
        // three working days before Friday 4 December is Tuesday
        kit.wait(24 * 11);
        jobs::tidy(desk).await.unwrap();
        jobs::tidy(desk).await.unwrap();
        assert_eq!(messages(&kit, id, "correction_due").await, 1);

        // the legal deadline of another case comes near: marked in the queue, listed once a working day
        let other = kit.person(2).await;
        let (near, _) = kit.submitted(&other).await;
        let marked = || async {
            let queue = review::queue(desk, &officer, &review::Filter::default(), 0, 50)
                .await
                .unwrap();
            queue.rows.into_iter().find(|row| row.id == near).unwrap().urgent
        };
        assert!(!marked().await);
        let put = || async {
            use store::sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
            use store::tables::outbox;
            let all = outbox::Entity::find().filter(outbox::Column::Kind.eq("mail.digest"));
            all.count(desk.store.read()).await.unwrap()
        };
        assert_eq!(put().await, 0);
        let deadline = kit
            .row(near)
            .await
            .deadline
            .unwrap()
            .parse::<jiff::civil::Date>()
            .unwrap();
        assert!(deadline > receipt.deadline);
        while desk.calendar.working_days_between(desk.today(), deadline) > 5 {
            kit.wait(24);
        }
        assert!(marked().await);
        jobs::tidy(desk).await.unwrap();
        jobs::tidy(desk).await.unwrap();
        assert_eq!(put().await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_gives_a_case_to_a_colleague_of_the_office() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let second = kit.staff("second", Role::Officer).await;
        let supervisor = kit.staff("supervisor", Role::Supervisor).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let (id, _) = kit.submitted(&kit.person(1).await).await;
        let revision = kit.revision(id).await;
        assert!(matches!(
            review::assign(desk, &officer, id, revision, second.id).await,
            Err(CaseError::Refused(_))
        ));
        assert!(review::assignable(desk, &officer, id).await.unwrap().is_empty());
        let names: Vec<_> = review::assignable(desk, &supervisor, id).await.unwrap();
        assert_eq!(
            names.iter().map(|one| one.id).collect::<Vec<_>>(),
            [officer.id, second.id, supervisor.id]
        );
        assert!(matches!(
            review::assign(desk, &supervisor, id, revision, cashier.id).await,
            Err(CaseError::Input { field: "colleague", .. })
        ));
        review::assign(desk, &supervisor, id, revision, officer.id)
            .await
            .unwrap();
        assert_eq!(kit.row(id).await.assigned_to, Some(officer.id.uuid()));
        assert!(matches!(
            review::assign(desk, &supervisor, id, revision, second.id).await,
            Err(CaseError::Conflict(_))
        ));
        review::assign(desk, &supervisor, id, kit.revision(id).await, second.id)
            .await
            .unwrap();
        // who held it before decides no more
        assert!(matches!(
            review::approve(desk, &officer, id, kit.revision(id).await, "").await,
            Err(CaseError::Input { field: "assigned", .. })
        ));
        review::approve(desk, &second, id, kit.revision(id).await, "")
            .await
            .unwrap();
        let file = review::case(desk, &second, id).await.unwrap();
        assert_eq!(file.events.iter().filter(|event| event.kind == "assigned").count(), 2);
    })
    .await;
}
