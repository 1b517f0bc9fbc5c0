//! From the first click to the destruction of the data.

use cases::staff::Role;
use cases::{Act, CaseError, Month, State, collect, correct, dispose, measure, mine, pay, review};
use jiff::civil::date;
use store::StoreError;
use store::tables::{data_key, payment};

use crate::support::{Bank, SERVICE, ZH, each_engine, raw};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let person = kit.person(1).await;
        let officer = kit.staff("officer", Role::Officer).await;
        let maker = kit.staff("maker", Role::Cashier).await;
        let releaser = kit.staff("releaser", Role::Cashier).await;

        // Opening twice continues the one draft; the form knows who signed in.
        let id = kit.open(&person).await;
        assert_eq!(kit.open(&person).await, id);
        let draft = collect::draft(desk, &person, id).await.unwrap();
        assert!(draft.agreed);
        assert_eq!(draft.answers.value("members.p1.name").unwrap(), "林阿梅1");
        assert_eq!(draft.decision.outcome, None);
        let early = collect::submit(desk, &person, id, draft.revision, draft.form_token).await;
        assert!(matches!(early, Err(CaseError::Incomplete(pages)) if pages.contains(&"payment".to_owned())));

        // A page that can't be read comes back with what was typed, and nothing is kept of it.
        let wrong = raw(&[("phone", "12"), ("registered_address", "臺中市西區民生路1號")]);
        let refused = collect::save(desk, &person, id, draft.revision, "contact", wrong, ZH).await;
        assert!(matches!(refused, Err(CaseError::Invalid(invalid)) if invalid.errors[0].key == "phone" && invalid.raw["phone"] == ["12"]));
        assert_eq!(kit.revision(id).await, draft.revision);

        let draft = kit.fill(&person, id).await;
        assert_eq!(draft.decision.outcome, Some(true));
        assert_eq!(draft.decision.amounts["monthly_amount"], Some(8329));

        // A double click hands in one application.
        let (one, other) = tokio::join!(
            collect::submit(desk, &person, id, draft.revision, draft.form_token),
            collect::submit(desk, &person, id, draft.revision, draft.form_token),
        );
        let receipts: Vec<_> = [one, other].into_iter().filter_map(|answer| match answer {
            Err(CaseError::Conflict(_)) => None,
            answer => Some(answer.unwrap()),
        }).collect();
        let again = collect::submit(desk, &person, id, draft.revision, draft.form_token).await.unwrap();
        assert!(receipts.iter().all(|receipt| *receipt == again));
        assert_eq!(again.number, "115-SA-000001");
        // 30 days end on Sunday 20 December; the period runs to the next working day.
        assert_eq!(again.deadline, date(2026, 12, 21));

        // The officer takes it from the queue and asks for a correction; the clock stands still.
        let queue = review::queue(desk, &officer, &review::Filter::default(), 0, 20).await.unwrap();
        assert_eq!((queue.total, queue.rows[0].finding.as_deref()), (1, Some("eligible")));
        review::take(desk, &officer, id, queue.rows[0].revision).await.unwrap();
        let file = review::case(desk, &officer, id).await.unwrap();
        assert!(file.assigned_to_me && file.allowed.contains(&Act::Approve));
        assert_eq!(file.decision.amounts["monthly_amount"], Some(8329));
        review::request_correction(desk, &officer, id, file.revision, "請再確認帳號。", date(2026, 12, 10)).await.unwrap();
        kit.wait(72);
        let mine = mine::case(desk, &person, id).await.unwrap();
        assert_eq!(mine.correction.unwrap().message, "請再確認帳號。");
        assert_eq!(mine.letters[0].kind, "correction");
        let account = raw(&[("account.bank", "812"), ("account.account", "1234567890123")]);
        let draft = collect::save(desk, &person, id, mine.mine.revision, "payment", account, ZH).await.unwrap();
        correct::submit(desk, &person, id, draft.revision).await.unwrap();
        let row = kit.row(id).await;
        assert_eq!((row.state, row.stopped_days, row.deadline.as_deref()), (State::Review, 3, Some("2026-12-24")));

        // Approved, taken back within the time of grace, approved again: one letter leaves.
        review::approve(desk, &officer, id, row.revision, "").await.unwrap();
        assert_eq!(mine::case(desk, &person, id).await.unwrap().mine.state, State::Review, "what may be taken back is nobody's news");
        kit.clock.advance(jiff::SignedDuration::from_mins(5));
        kit.work().await;
        review::undo(desk, &officer, id, kit.revision(id).await).await.unwrap();
        kit.wait(1);
        kit.work().await;
        assert_eq!(kit.row(id).await.state, State::Review);
        review::approve(desk, &officer, id, kit.revision(id).await, "資料齊全。").await.unwrap();
        kit.wait(1);
        kit.work().await;
        assert_eq!(kit.work().await, 0);
        let done = mine::case(desk, &person, id).await.unwrap();
        assert_eq!((done.mine.state, done.mine.outcome.as_deref()), (State::Completed, Some("approved")));
        assert_eq!(done.letters.iter().filter(|letter| letter.kind == "approved").count(), 1);
        let pdf = mine::letter(desk, &person, done.letters.iter().find(|letter| letter.kind == "approved").unwrap().id).await.unwrap();
        assert!(pdf.starts_with(b"%PDF"));
        let late = review::undo(desk, &officer, id, kit.revision(id).await).await;
        assert!(matches!(late, Err(CaseError::Illegal(_))));

        // Two people see every batch; the bank refuses the account, which comes back as work.
        let month: Month = "2026-11".parse().unwrap();
        assert_eq!(pay::prepare(desk, &maker, SERVICE, month).await.unwrap(), 1);
        assert_eq!(pay::prepare(desk, &maker, SERVICE, month).await.unwrap(), 0);
        let batch = pay::batch::make(desk, &maker, SERVICE, month).await.unwrap();
        assert!(matches!(pay::batch::release(desk, &maker, batch).await, Err(CaseError::Refused(_))));
        assert!(matches!(pay::batch::file(desk, &releaser, batch).await, Err(CaseError::Input { problem: "not_released", .. })));
        pay::batch::release(desk, &releaser, batch).await.unwrap();
        let order = pay::batch::file(desk, &maker, batch).await.unwrap();
        assert!(String::from_utf8_lossy(&order).contains("1234567890123"), "the corrected account is paid to");
        let mut bank = Bank::default();
        let report = bank.carry_out(&order, |_| Some("AC04"));
        let imported = pay::report::import(desk, &maker, &report).await.unwrap();
        assert_eq!((imported.paid, imported.rejected, imported.repeated), (0, 1, false));
        assert!(pay::report::import(desk, &maker, &report).await.unwrap().repeated);
        let work = pay::overview(desk, &maker).await.unwrap();
        assert_eq!(work.rejected.len(), 1);
        assert!(work.rejected[0].waits_for_account);
        assert!(matches!(pay::retry(desk, &maker, work.rejected[0].id).await, Err(CaseError::Input { .. })));

        // Another account, another attempt: paid once whatever is sent again.
        assert!(mine::case(desk, &person, id).await.unwrap().account_refused);
        let account = raw(&[("account.bank", "013"), ("account.account", "00099988877766")]);
        pay::new_account(desk, &person, id, account.clone(), ZH).await.unwrap();
        assert!(pay::overview(desk, &maker).await.unwrap().rejected.is_empty());
        let second = pay::batch::make(desk, &maker, SERVICE, month).await.unwrap();
        pay::batch::release(desk, &releaser, second).await.unwrap();
        let order = pay::batch::file(desk, &maker, second).await.unwrap();
        let report = bank.carry_out(&order, |_| None);
        assert_eq!(pay::report::import(desk, &maker, &report).await.unwrap().paid, 1);
        assert_eq!(pay::prepare(desk, &maker, SERVICE, month).await.unwrap(), 0);
        assert!(matches!(pay::batch::make(desk, &maker, SERVICE, month).await, Err(CaseError::Input { problem: "nothing_due", .. })));
        assert_eq!(bank.moved.values().sum::<i64>(), 8329);

        // The survey, once; the indicators by the plan's formula.
        measure::answer(desk, &person, id, 4, "很方便").await.unwrap();
        assert!(matches!(measure::answer(desk, &person, id, 1, "").await, Err(CaseError::Conflict(_))));
        let numbers = measure::count(desk, &measure::Period::default()).await.unwrap();
        assert_eq!((numbers.applications, numbers.approved, numbers.documents_saved), (1, 1, 6));
        assert_eq!((numbers.satisfaction, numbers.online_share), (Some(4.0), Some(1.0)));
        // Decided on the day of the correction, three days after the submission, all of them standing still.
        assert_eq!(numbers.days.median, Some(0.0));

        // Everything that was done to the data stands in the ledger, readable by the person.
        let entries = kit.ledger_holds().await;
        let uses = mine::uses(desk, &person, None, 1000).await.unwrap();
        assert_eq!(uses.len() as u64, entries, "every entry is about this one person");
        for action in ["open", "submit", "read", "decide", "notify", "pay", "account"] {
            assert!(uses.iter().any(|one| one.entry.action == action), "{action}");
        }
        assert!(uses.iter().all(|one| one.entry.purpose.code == "057" && one.entry.purpose.basis.contains("老人福利法")));

        // Five years later the key goes, and with it the data.
        assert_eq!(dispose::run(desk).await.unwrap(), 0);
        kit.wait(24 * 1827);
        assert_eq!(dispose::run(desk).await.unwrap(), 1);
        let row = kit.row(id).await;
        assert_eq!((row.state, row.answers, row.person_id), (State::Disposed, None, None));
        use store::sea_orm::EntityTrait as _;
        let key = data_key::Entity::find_by_id(row.key_id).one(desk.store.read()).await.unwrap().unwrap();
        assert_eq!((key.wrapped, key.destroyed_why.as_deref()), (None, Some("retention")));
        let place = store::seal::Place::new("application", "answers", &row.id);
        let sealing = desk.store.seal().seal(desk.store.read(), row.key_id.into(), place, b"x").await;
        assert!(matches!(sealing, Err(StoreError::KeyDestroyed(_))));
        assert!(matches!(mine::case(desk, &person, id).await, Err(CaseError::NotFound(_))));
        let books = payment::of_application(desk.store.read(), row.id).await.unwrap();
        assert_eq!(books.iter().filter(|one| one.state == payment::State::Paid).count(), 1, "the books stay");
        assert!(books.iter().all(|one| one.account.is_none()));
        assert_eq!(measure::count(desk, &measure::Period::default()).await.unwrap().satisfaction, Some(4.0), "the measure stays");
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_never_comes_goes_back_to_the_officer() {
    each_engine(|kit| async move {
        let (person, officer) = (kit.person(1).await, kit.staff("officer", Role::Officer).await);
        let (id, _) = kit.submitted(&person).await;
        review::take(&kit.desk, &officer, id, kit.revision(id).await)
            .await
            .unwrap();
        review::request_correction(
            &kit.desk,
            &officer,
            id,
            kit.revision(id).await,
            "請補。",
            date(2026, 11, 30),
        )
        .await
        .unwrap();
        kit.wait(24 * 10);
        assert_eq!(
            cases::jobs::tidy(&kit.desk).await.unwrap().lapsed,
            0,
            "the last day is still the person's"
        );
        kit.wait(24);
        assert_eq!(cases::jobs::tidy(&kit.desk).await.unwrap().lapsed, 1);
        let row = kit.row(id).await;
        assert_eq!((row.state, row.stopped_days, row.correction), (State::Review, 11, None));
        assert_eq!(row.assigned_to, Some(officer.id.uuid()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_nobody_touches_is_destroyed() {
    each_engine(|kit| async move {
        let person = kit.person(1).await;
        let id = kit.open(&person).await;
        kit.wait(24 * 89);
        assert_eq!(dispose::run(&kit.desk).await.unwrap(), 0);
        kit.wait(25);
        assert_eq!(dispose::run(&kit.desk).await.unwrap(), 1);
        assert_eq!(kit.row(id).await.state, State::Disposed);
        assert_ne!(kit.open(&person).await, id, "a new draft can be opened");
    })
    .await;
}
