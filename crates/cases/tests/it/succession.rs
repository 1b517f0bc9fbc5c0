//! Later cases: a reported change, the yearly look at everybody who receives, and what was paid too much.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use cases::claim::{self, Receipt, State as ClaimState};
use cases::pay::{self, hold, stop};
use cases::roll::{self, RollState, Standing};
use cases::staff::{Role, Staff};
use cases::succession::{self, Reporting};
use cases::{CaseError, Month, Person, State, collect, jobs, mine, register, review};
use civic::ids::ApplicationId;
use civic::{Channel, Money};
use jiff::civil::date;
use parquet::arrow::ArrowWriter;
use services::form::{Raw, SHOWN};
use store::tables::payment::State as Paid;
use store::tables::{entitlement, message, payment};

use crate::support::{Kit, SERVICE, ZH, each_engine, national_id};

const ROLL: &str = "116";

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

/// Sends what is due for a month to the bank.
async fn paid(kit: &Kit, cashier: &Staff, period: &str) {
    let desk = &kit.desk;
    pay::prepare(desk, cashier, SERVICE, month(period)).await.unwrap();
    let batch = pay::batch::make(desk, cashier, SERVICE, month(period)).await.unwrap();
    let other = kit.staff(&format!("releaser-{period}"), Role::Cashier).await;
    pay::batch::release(desk, &other, batch).await.unwrap();
}

/// What a case is given: amount, first and last month.
async fn given(kit: &Kit, id: ApplicationId) -> Vec<(i64, String, String)> {
    let spans = entitlement::of_application(kit.desk.store.read(), id.uuid())
        .await
        .unwrap();
    spans
        .into_iter()
        .map(|span| (span.amount, span.first_month, span.last_month))
        .collect()
}

/// Payments of a case: month, amount, state.
async fn payments(kit: &Kit, id: ApplicationId) -> Vec<(String, i64, Paid)> {
    let rows = payment::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
    rows.into_iter()
        .map(|row| (row.period, row.amount, row.state))
        .collect()
}

/// Reports another income in a year, through the form.
async fn reported(kit: &Kit, person: &Person, id: ApplicationId, income: &str) -> ApplicationId {
    let desk = &kit.desk;
    let later = succession::report(desk, person, id, Channel::Online, ZH).await.unwrap();
    collect::agree(desk, person, later, ZH).await.unwrap();
    let draft = collect::draft(desk, person, later).await.unwrap();
    assert!(
        draft.questions.is_empty(),
        "everything is there already: {:?}",
        draft.questions
    );
    let place = draft
        .service
        .form
        .places(&draft.answers)
        .into_iter()
        .find(|place| place.page.fields.iter().any(|field| field.id == "other_income"))
        .unwrap();
    let key = "members.p1.other_income".to_owned();
    let raw = Raw::from([(SHOWN.to_owned(), vec![key.clone()]), (key, vec![income.to_owned()])]);
    let draft = collect::save(desk, person, later, draft.revision, &place.address(), raw, ZH)
        .await
        .unwrap();
    collect::submit(desk, person, later, draft.revision, draft.form_token)
        .await
        .unwrap();
    later
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_change_counts_from_its_month_and_what_was_too_much_comes_back() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let chief = kit.staff("chief", Role::Supervisor).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let person = kit.person(1).await;
        let (first, _) = kit.submitted(&person).await;
        // nothing to report before it is decided
        let row = kit.row(first).await;
        assert_eq!(succession::reporting(desk, &person, &row).await.unwrap(), Reporting::No);
        kit.approved(&officer, first).await;
        assert_eq!(
            given(&kit, first).await,
            [(8_329, "2026-11".to_owned(), "2026-12".to_owned())]
        );
        paid(&kit, &cashier, "2026-11").await;

        let row = kit.row(first).await;
        assert_eq!(
            succession::reporting(desk, &person, &row).await.unwrap(),
            Reporting::Open
        );
        let stranger = kit.person(2).await;
        assert!(matches!(
            succession::report(desk, &stranger, first, Channel::Online, ZH).await,
            Err(CaseError::NotFound(_))
        ));
        let later = reported(&kit, &person, first, "360000").await;
        assert_eq!(
            succession::reporting(desk, &person, &row).await.unwrap(),
            Reporting::UnderWay(later)
        );
        assert!(matches!(
            succession::report(desk, &person, first, Channel::Online, ZH).await,
            Err(CaseError::Input {
                problem: "under_way",
                ..
            })
        ));

        review::take(desk, &officer, later, kit.revision(later).await)
            .await
            .unwrap();
        let revision = kit.revision(later).await;
        for wrong in ["2026-10", "2027-01"] {
            let told = succession::set_from(desk, &officer, later, revision, month(wrong)).await;
            assert!(
                matches!(
                    told,
                    Err(CaseError::Input {
                        problem: "out_of_range",
                        ..
                    })
                ),
                "{told:?}"
            );
        }
        succession::set_from(desk, &officer, later, revision, month("2026-11"))
            .await
            .unwrap();
        kit.approved_taken(&officer, later).await;
        assert_eq!(given(&kit, first).await, []);
        assert_eq!(
            given(&kit, later).await,
            [(4_164, "2026-11".to_owned(), "2026-12".to_owned())]
        );
        // the month that was paid is not paid again; the next one is, once and by the new decision
        assert_eq!(
            pay::prepare(desk, &cashier, SERVICE, month("2026-11")).await.unwrap(),
            0
        );
        kit.wait(24 * 14);
        assert_eq!(
            pay::prepare(desk, &cashier, SERVICE, month("2026-12")).await.unwrap(),
            1
        );
        assert_eq!(payments(&kit, later).await, [("2026-12".to_owned(), 4_164, Paid::Due)]);

        let found = claim::list(desk, &officer, true).await.unwrap();
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!(
            (one.application, one.state, one.total),
            (later, ClaimState::Found, Money(4_165))
        );
        // nobody is told by an account alone
        assert!(claim::mine(desk, &person, later).await.unwrap().is_empty());
        assert!(matches!(
            claim::tell(desk, &officer, one.id, one.revision, " ").await,
            Err(CaseError::Input { problem: "empty", .. })
        ));
        assert!(matches!(
            claim::tell(desk, &cashier, one.id, one.revision, "收入增加").await,
            Err(CaseError::Refused(_))
        ));
        let receipt = |amount, reference: &str| Receipt {
            amount,
            day: date(2026, 12, 4),
            reference: reference.to_owned(),
        };
        assert!(matches!(
            claim::receive(desk, &cashier, one.id, one.revision, &receipt(1, "R1")).await,
            Err(CaseError::Conflict(_))
        ));
        claim::tell(desk, &officer, one.id, one.revision, "收入增加")
            .await
            .unwrap();
        assert!(matches!(
            claim::tell(desk, &officer, one.id, one.revision, "收入增加").await,
            Err(CaseError::Conflict(_))
        ));
        let told = claim::mine(desk, &person, later).await.unwrap();
        assert_eq!(told[0].months, [(month("2026-11"), Money(4_165))]);
        let case = mine::case(desk, &person, later).await.unwrap();
        assert!(case.letters.iter().any(|letter| letter.kind == "recovery"));
        let messages = message::of_application(desk.store.read(), later.uuid()).await.unwrap();
        assert_eq!(messages.iter().filter(|one| one.kind == "recovery").count(), 1);

        // money comes back in two parts; a receipt counts once, and never more than is left
        let revision = claim::view(desk, &cashier, one.id).await.unwrap().row.revision;
        claim::receive(desk, &cashier, one.id, revision, &receipt(4_000, "R1"))
            .await
            .unwrap();
        for (receipt, field) in [
            (receipt(165, "R1"), "reference"),
            (receipt(166, "R2"), "amount"),
            (receipt(0, "R2"), "amount"),
            (receipt(165, ""), "reference"),
        ] {
            let told = claim::receive(desk, &cashier, one.id, revision + 1, &receipt).await;
            assert!(
                matches!(told, Err(CaseError::Input { field: at, .. }) if at == field),
                "{told:?}"
            );
        }
        claim::receive(desk, &cashier, one.id, revision + 1, &receipt(165, "R2"))
            .await
            .unwrap();
        let done = claim::view(desk, &chief, one.id).await.unwrap();
        assert_eq!((done.row.state, done.row.left()), (ClaimState::Settled, Money(0)));
        assert!(matches!(
            claim::waive(desk, &chief, one.id, done.row.revision, "太晚").await,
            Err(CaseError::Conflict(_))
        ));
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_for_the_better_is_paid_back_to_its_month() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let person = kit.person(1).await;
        let (first, _) = kit.submitted(&person).await;
        kit.approved(&officer, first).await;
        paid(&kit, &cashier, "2026-11").await;
        let lower = reported(&kit, &person, first, "360000").await;
        kit.approved(&officer, lower).await;
        kit.wait(24 * 14);
        paid(&kit, &cashier, "2026-12").await;
        // the income is gone again: December was paid by half
        let better = reported(&kit, &person, lower, "0").await;
        kit.approved(&officer, better).await;
        assert_eq!(
            given(&kit, lower).await,
            [(4_164, "2026-11".to_owned(), "2026-11".to_owned())]
        );
        assert_eq!(
            given(&kit, better).await,
            [(8_329, "2026-12".to_owned(), "2026-12".to_owned())]
        );
        assert_eq!(payments(&kit, better).await, [("2026-12".to_owned(), 4_165, Paid::Due)]);
        assert_eq!(
            pay::prepare(desk, &cashier, SERVICE, month("2026-12")).await.unwrap(),
            0
        );
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_end_too_late_are_claimed_back_once() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let chief = kit.staff("chief", Role::Supervisor).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let person = kit.person(1).await;
        let (id, _) = kit.submitted(&person).await;
        kit.approved(&officer, id).await;
        paid(&kit, &cashier, "2026-11").await;
        kit.wait(24 * 14);
        paid(&kit, &cashier, "2026-12").await;
        stop::stop(desk, &officer, id, kit.revision(id).await, "死亡", month("2026-11"))
            .await
            .unwrap();
        stop::stop(desk, &officer, id, kit.revision(id).await, "死亡", month("2026-10"))
            .await
            .unwrap();
        let found = claim::list(desk, &officer, true).await.unwrap();
        let totals: Vec<i64> = found.iter().map(|one| one.total.0).collect();
        assert_eq!(totals, [8_329, 8_329], "December, then November");
        claim::tell(desk, &officer, found[0].id, found[0].revision, "死亡")
            .await
            .unwrap();
        // somebody else waives it, and officers don't
        let revision = claim::view(desk, &chief, found[0].id).await.unwrap().row.revision;
        assert!(matches!(
            claim::waive(desk, &officer, found[0].id, revision, "遺產不足").await,
            Err(CaseError::Refused(_))
        ));
        claim::waive(desk, &chief, found[0].id, revision, "遺產不足")
            .await
            .unwrap();
        assert_eq!(claim::list(desk, &officer, true).await.unwrap().len(), 1);
        assert_eq!(
            claim::list(desk, &officer, false).await.unwrap()[0].state,
            ClaimState::Waived
        );
        kit.ledger_holds().await;
    })
    .await;
}

/// A register of persons who live alone: number of the resident and income in a year.
async fn import(kit: &Kit, rows: &[(u32, i64)]) {
    imported(kit, rows, false).await;
}

async fn imported(kit: &Kit, rows: &[(u32, i64)], thin: bool) -> register::Imported {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.parquet");
    written(&path, rows);
    register::import(&kit.desk, &path, date(2026, 11, 1), thin)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_register_is_not_paid_until_somebody_has_looked() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let mut cases = Vec::new();
        for number in 1..=3 {
            let person = kit.person(number).await;
            let (id, _) = kit.submitted(&person).await;
            kit.approved(&officer, id).await;
            cases.push(id);
        }
        // the third was never a resident: a register that does not have them says nothing of them
        let all: Vec<(u32, i64)> = [1, 2, 4, 5].map(|number| (number, 0)).into();
        let register::Imported::Taken { held: 0, .. } = imported(&kit, &all, false).await else {
            panic!("the first register has nobody to miss");
        };
        pay::prepare(desk, &cashier, SERVICE, month("2026-11")).await.unwrap();
        let register::Imported::Taken { held: 1, .. } = imported(&kit, &all[1..], false).await else {
            panic!("one person left");
        };
        for _ in 0..2 {
            jobs::relay(desk).round(&desk.store).await.unwrap();
        }
        let held = hold::to_settle(desk, &officer).await.unwrap();
        assert_eq!(
            held.iter()
                .map(|one| (one.application, one.made_by.clone()))
                .collect::<Vec<_>>(),
            [(cases[0], None)]
        );
        assert_eq!(
            payments(&kit, cases[0]).await,
            [("2026-11".to_owned(), 8_329, Paid::Held)]
        );
        assert_eq!(
            payments(&kit, cases[1]).await,
            [("2026-11".to_owned(), 8_329, Paid::Due)]
        );
        assert!(matches!(
            hold::to_settle(desk, &cashier).await,
            Err(CaseError::Refused(_))
        ));
        // the next register says the same of them: they stood in neither, and nothing is held twice
        let register::Imported::Taken { held: 0, .. } = imported(&kit, &all[1..], false).await else {
            panic!("nobody left since");
        };
        let view = hold::view(desk, &officer, cases[0]).await.unwrap();
        let open = view.open().unwrap();
        assert_eq!((open.made_by.clone(), open.reason.clone()), (None, None));
        hold::resume(desk, &officer, cases[0], view.revision).await.unwrap();
        assert_eq!(
            payments(&kit, cases[0]).await,
            [("2026-11".to_owned(), 8_329, Paid::Due)]
        );
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_lacks_too_many_is_not_believed() {
    let kit = crate::support::sqlite().await;
    let officer = kit.staff("officer", Role::Officer).await;
    let people = 22;
    for number in 1..=people {
        let person = kit.person(number).await;
        let (id, _) = kit.submitted(&person).await;
        kit.approved(&officer, id).await;
    }
    let all: Vec<(u32, i64)> = (1..=people).map(|number| (number, 0)).collect();
    import(&kit, &all).await;
    let thin = imported(&kit, &all[..1], false).await;
    assert_eq!(thin, register::Imported::Thin { paid: 22, missing: 21 });
    // it is still the one before
    let there = register::summary(&kit.desk).await.unwrap().unwrap();
    assert_eq!(there.persons, 22);
    let register::Imported::Taken { held: 21, .. } = imported(&kit, &all[..1], true).await else {
        panic!("it was said to be the whole register");
    };
}

fn written(path: &Path, rows: &[(u32, i64)]) {
    let born = date(1970, 1, 1).until(date(1950, 3, 15)).unwrap().get_days();
    let texts = |of: fn(u32) -> String| {
        Arc::new(StringArray::from_iter_values(
            rows.iter().map(|(number, _)| of(*number)),
        )) as ArrayRef
    };
    let batch = RecordBatch::try_from_iter_with_nullable(
        [
            (
                "household",
                Arc::new(Int64Array::from_iter_values(
                    rows.iter().map(|(number, _)| i64::from(*number)),
                )) as ArrayRef,
            ),
            (
                "birth_date",
                Arc::new(Date32Array::from_iter_values(rows.iter().map(|_| born))) as ArrayRef,
            ),
            (
                "other_income",
                Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, income)| *income))) as ArrayRef,
            ),
            (
                "profile.national_id",
                texts(|number| national_id(number).reveal().to_owned()),
            ),
            ("profile.name", texts(|_| "林阿梅".to_owned())),
            ("profile.area", texts(|_| "西區 民生里".to_owned())),
        ]
        .map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The later case of a resident who has two.
async fn later_of(kit: &Kit, person: &Person) -> ApplicationId {
    let cases = mine::cases(&kit.desk, person).await.unwrap();
    assert_eq!(cases.len(), 2);
    cases[0].id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_yearly_look_goes_on_where_nothing_changed_and_asks_an_officer_where_it_did() {
    each_engine(async |kit| {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let chief = kit.staff("chief", Role::Supervisor).await;
        let cashier = kit.staff("cashier", Role::Cashier).await;
        let mut first = Vec::new();
        for number in 1..=5 {
            let person = kit.person(number).await;
            let (id, _) = kit.submitted(&person).await;
            if number == 5 {
                // never approved: not looked at
                first.push((person, id));
                continue;
            }
            kit.approved(&officer, id).await;
            first.push((person, id));
        }
        // the first as before; the second with more, the third with too much; the fourth is not in the register any more
        import(&kit, &[(1, 0), (2, 360_000), (3, 4_000_000), (5, 0)]).await;
        roll::begin(desk, &officer, SERVICE, ROLL).await.unwrap();
        while kit.work().await > 0 {}
        let view = roll::view(desk, &officer, SERVICE, ROLL).await.unwrap();
        assert_eq!(view.row.state, Some(RollState::Drawn));
        assert_eq!(view.standings.get(&Standing::Listed), Some(&1));
        assert_eq!(view.standings.get(&Standing::Objected), Some(&3));
        let apart = roll::lines(desk, &officer, SERVICE, ROLL, &[Standing::Objected], None)
            .await
            .unwrap();
        let mut reasons: Vec<&str> = apart.iter().filter_map(|line| line.reason.as_deref()).collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["changed", "ineligible", "unknown"]);
        // nobody is told before it is decided
        assert_eq!(mine::cases(desk, &first[0].0).await.unwrap().len(), 1);

        assert!(matches!(
            roll::grant(desk, &officer, SERVICE, ROLL, view.revision).await,
            Err(CaseError::Refused(_))
        ));
        roll::grant(desk, &chief, SERVICE, ROLL, view.revision).await.unwrap();
        while kit.work().await > 0 {}
        kit.wait(1);
        while kit.work().await > 0 {}
        let later = later_of(&kit, &first[0].0).await;
        assert_eq!(
            given(&kit, first[0].1).await,
            [(8_329, "2026-11".to_owned(), "2026-12".to_owned())]
        );
        assert_eq!(
            given(&kit, later).await,
            [(8_329, "2027-01".to_owned(), "2027-12".to_owned())]
        );

        // the third ends with the year; the officer decides it like any case
        let third = apart
            .iter()
            .find(|line| line.reason.as_deref() == Some("ineligible"))
            .unwrap();
        let third = third.application.unwrap();
        review::take(desk, &officer, third, kit.revision(third).await)
            .await
            .unwrap();
        let file = review::case(desk, &officer, third).await.unwrap();
        let income = file
            .rows
            .iter()
            .find(|row| row.key == "members.p1.other_income")
            .unwrap();
        assert!(income.differs, "what the register says stands beside what was said");
        review::refuse(desk, &officer, third, kit.revision(third).await, "")
            .await
            .unwrap();
        kit.wait(1);
        while kit.work().await > 0 {}
        assert_eq!(kit.row(third).await.state, State::Completed);
        assert_eq!(given(&kit, third).await, []);
        assert_eq!(
            given(&kit, first[2].1).await,
            [(8_329, "2026-11".to_owned(), "2026-12".to_owned())]
        );
        // no money moved for months that were right
        assert!(claim::list(desk, &officer, true).await.unwrap().is_empty());

        kit.wait(24 * 50);
        assert_eq!(
            pay::prepare(desk, &cashier, SERVICE, month("2027-01")).await.unwrap(),
            1
        );
        assert_eq!(payments(&kit, later).await, [("2027-01".to_owned(), 8_329, Paid::Due)]);
        kit.ledger_holds().await;
    })
    .await;
}
