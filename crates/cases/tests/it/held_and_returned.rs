//! Holds and returns: nothing that is held leaves or is lost, and what came back is paid once more, to another account.

use std::collections::BTreeMap;

use cases::pay::{self, hold, returns, run, stop};
use cases::staff::Role;
use cases::{CaseError, Month, Person, Staff, jobs};
use civic::ids::{ApplicationId, BatchId};
use proptest::prelude::*;
use store::tables::payment::{self, State};
use store::tables::{application, exclusion, payment_batch};

use crate::support::{Bank, Kit, SERVICE, ZH, each_engine, raw, sqlite};

struct World {
    kit: Kit,
    officer: Staff,
    maker: Staff,
    releaser: Staff,
    cases: Vec<(Person, ApplicationId)>,
    bank: Bank,
    /// Dollars that came back, by EndToEndId.
    back: BTreeMap<String, i64>,
}

fn month(n: i32) -> Month {
    "2026-11".parse::<Month>().unwrap().plus(n)
}

impl World {
    async fn new(kit: Kit, people: u32) -> World {
        let officer = kit.staff("officer", Role::Officer).await;
        let maker = kit.staff("maker", Role::Cashier).await;
        let releaser = kit.staff("releaser", Role::Cashier).await;
        let mut cases = Vec::new();
        for number in 1..=people {
            let person = kit.person(number).await;
            let (id, _) = kit.submitted(&person).await;
            kit.approved(&officer, id).await;
            cases.push((person, id));
        }
        kit.wait(24 * 12);
        World {
            kit,
            officer,
            maker,
            releaser,
            cases,
            bank: Bank::default(),
            back: BTreeMap::new(),
        }
    }

    async fn rows(&self, case: usize) -> Vec<payment::Model> {
        payment::of_application(self.kit.desk.store.read(), self.cases[case].1.uuid())
            .await
            .unwrap()
    }

    async fn hold(&self, case: usize, until: Option<&str>) -> Result<(), CaseError> {
        let id = self.cases[case].1;
        let until = until.map(|day| day.parse().unwrap());
        hold::hold(
            &self.kit.desk,
            &self.officer,
            id,
            self.kit.revision(id).await,
            "住址待查",
            until,
        )
        .await
    }

    async fn resume(&self, case: usize) -> Result<(), CaseError> {
        let id = self.cases[case].1;
        hold::resume(&self.kit.desk, &self.officer, id, self.kit.revision(id).await).await
    }

    /// Releases every batch that may be released, dissolves the others, and lets the bank pay.
    async fn pay(&mut self) {
        let desk = self.kit.desk.clone();
        for batch in payment_batch::newest(desk.store.read(), 100).await.unwrap() {
            if batch.state != payment_batch::State::Made {
                continue;
            }
            let id = BatchId::from_uuid(batch.id);
            match pay::batch::release(&desk, &self.releaser, id).await {
                Ok(()) => {
                    let order = pay::batch::file(&desk, &self.maker, id).await.unwrap();
                    let report = self.bank.carry_out(&order, |_| None);
                    pay::report::import(&desk, &self.maker, &report).await.unwrap();
                }
                Err(CaseError::Input { problem: "stopped", .. }) => {
                    pay::batch::cancel(&desk, &self.maker, id).await.unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn run(&self, month: Month) {
        match run::start(&self.kit.desk, &self.maker, SERVICE, month).await {
            Ok(_) => {
                jobs::relay(&self.kit.desk).round(&self.kit.desk.store).await.unwrap();
            }
            Err(CaseError::Input { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    async fn returned(&mut self, rows: &[&payment::Model]) -> returns::Imported {
        let mut file = "payment,amount,reason,date\n".to_owned();
        for row in rows {
            file.push_str(&format!("{},{},AC04,2026-12-03\n", row.end_to_end, row.amount));
            if row.state == State::Paid {
                self.back.insert(row.end_to_end.clone(), row.amount);
            }
        }
        returns::import(&self.kit.desk, &self.maker, file.as_bytes())
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_stays_and_is_paid_when_the_hold_ends() {
    each_engine(|kit| async move {
        let mut world = World::new(kit, 2).await;
        let desk = world.kit.desk.clone();
        // a batch made before the hold can't be released with it
        pay::prepare(&desk, &world.maker, SERVICE, month(0)).await.unwrap();
        let batch = pay::batch::make(&desk, &world.maker, SERVICE, month(0)).await.unwrap();
        world.hold(0, None).await.unwrap();
        assert!(matches!(world.hold(0, None).await, Err(CaseError::Conflict(_))));
        assert_eq!(
            pay::batch::view(&desk, &world.releaser, batch, None)
                .await
                .unwrap()
                .stopped,
            1
        );
        let released = pay::batch::release(&desk, &world.releaser, batch).await;
        assert!(matches!(released, Err(CaseError::Input { problem: "stopped", .. })));
        pay::batch::cancel(&desk, &world.maker, batch).await.unwrap();
        assert_eq!(world.rows(0).await[0].state, State::Held);
        world.run(month(0)).await;
        world.pay().await;
        assert_eq!(world.rows(1).await[0].state, State::Paid);
        assert_eq!(world.rows(0).await[0].state, State::Held);
        // the next month is made and held too
        world.kit.wait(24 * 7);
        world.run(month(1)).await;
        world.pay().await;
        assert_eq!(
            world.rows(0).await.iter().map(|row| row.state).collect::<Vec<_>>(),
            [State::Held; 2]
        );
        let shown = pay::overview(&desk, &world.maker).await.unwrap().holds;
        assert_eq!(shown.len(), 1);
        let view = hold::view(&desk, &world.officer, world.cases[0].1).await.unwrap();
        assert_eq!(view.open().unwrap().reason.as_deref(), Some("住址待查"));
        world.resume(0).await.unwrap();
        assert!(matches!(world.resume(0).await, Err(CaseError::Conflict(_))));
        for n in [0, 1] {
            world.run(month(n)).await;
        }
        world.pay().await;
        assert_eq!(
            world.rows(0).await.iter().map(|row| row.state).collect::<Vec<_>>(),
            [State::Paid; 2]
        );
        assert_eq!(world.bank.moved.len(), 4);
        world.kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_ends_after_its_last_day() {
    let world = World::new(sqlite().await, 1).await;
    let desk = &world.kit.desk;
    let today = desk.today().to_string();
    world.hold(0, Some(&today)).await.unwrap();
    pay::prepare(desk, &world.maker, SERVICE, month(0)).await.unwrap();
    assert_eq!(jobs::tidy(desk).await.unwrap().resumed, 0);
    world.kit.wait(24);
    assert_eq!(jobs::tidy(desk).await.unwrap().resumed, 1);
    assert_eq!(world.rows(0).await[0].state, State::Due);
    assert_eq!(jobs::tidy(desk).await.unwrap().resumed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_need_a_reason_a_day_to_come_and_an_approved_case() {
    let world = World::new(sqlite().await, 1).await;
    let desk = &world.kit.desk;
    let id = world.cases[0].1;
    let revision = world.kit.revision(id).await;
    let long = "長".repeat(501);
    for (reason, until, field) in [
        (" ", None, "reason"),
        (long.as_str(), None, "reason"),
        ("有", Some("2026-01-01"), "until"),
    ] {
        let until = until.map(|day| day.parse().unwrap());
        let result = hold::hold(desk, &world.officer, id, revision, reason, until).await;
        assert!(matches!(result, Err(CaseError::Input { field: wrong, .. }) if wrong == field));
    }
    assert!(matches!(
        hold::hold(desk, &world.officer, id, revision - 1, "有", None).await,
        Err(CaseError::Conflict(_))
    ));
    assert!(matches!(
        hold::hold(desk, &world.maker, id, revision, "有", None).await,
        Err(CaseError::Refused(_))
    ));
    assert!(matches!(
        hold::view(desk, &world.maker, id).await,
        Err(CaseError::Refused(_))
    ));
    let (open, _) = world.kit.submitted(&world.kit.person(9).await).await;
    let result = hold::hold(desk, &world.officer, open, world.kit.revision(open).await, "有", None).await;
    assert!(matches!(result, Err(CaseError::Input { field: "case", .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_paid_once_more_to_another_account() {
    each_engine(|kit| async move {
        let mut world = World::new(kit, 2).await;
        let desk = world.kit.desk.clone();
        world.run(month(0)).await;
        let waiting = world.rows(0).await[0].clone();
        // what has not been paid can't come back, nor what nobody sent
        assert_eq!(world.returned(&[&waiting]).await.unfit, 1);
        world.pay().await;
        let paid = world.rows(0).await[0].clone();
        let other = payment::Model {
            amount: paid.amount - 1,
            ..world.rows(1).await[0].clone()
        };
        world.back.clear();
        let done = world.returned(&[&paid, &other]).await;
        world.back.remove(&other.end_to_end);
        assert_eq!((done.returned, done.sum.0, done.unfit), (1, paid.amount, 1));
        let again = world.returned(&[&paid]).await;
        assert_eq!((again.returned, again.known), (0, 1));
        let work = pay::overview(&desk, &world.maker).await.unwrap().rejected;
        assert_eq!(work.len(), 1);
        assert!(work[0].waits_for_account);
        let told = store::tables::message::of_application(desk.store.read(), world.cases[0].1.uuid())
            .await
            .unwrap();
        assert_eq!(told.iter().filter(|message| message.kind == "account").count(), 1);
        // nothing leaves before there is another account
        world.run(month(0)).await;
        assert_eq!(world.rows(0).await.len(), 1);
        let account = raw(&[("account.bank", "013"), ("account.account", "00099988877766")]);
        let (person, id) = world.cases[0].clone();
        pay::new_account(&desk, &person, id, account, ZH).await.unwrap();
        world.run(month(0)).await;
        world.pay().await;
        let rows = world.rows(0).await;
        assert_eq!(
            rows.iter().map(|row| (row.state, row.attempt)).collect::<Vec<_>>(),
            [(State::Rejected, 1), (State::Paid, 2)]
        );
        assert_eq!(rows[1].amount, paid.amount);
        for wrong in [b"".as_slice(), b"<a/>", b"payment\n", &[0xff; 40]] {
            assert!(matches!(
                returns::import(&desk, &world.maker, wrong).await,
                Err(CaseError::Outside { .. })
            ));
        }
        let refused = returns::import(&desk, &world.officer, b"payment,amount,reason,date\n").await;
        assert!(matches!(refused, Err(CaseError::Refused(_))));
        world.kit.ledger_holds().await;
    })
    .await;
}

/// Lets the case of a person stand otherwise than as approved, as while it is decided anew.
async fn reopen(world: &World, case: usize, state: application::State) {
    let id = world.cases[case].1.uuid();
    world
        .kit
        .desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = application::by_id(tx, id).await?.unwrap();
                row.state = state;
                assert!(application::replace(tx, &row).await?);
                Ok::<_, CaseError>(())
            })
        })
        .await
        .unwrap();
}

/// Puts a person on the list of exclusions, or takes them off it.
async fn leave_out(world: &World, case: usize, out: bool) {
    let seal = world.kit.desk.store.seal().clone();
    let subject = world.cases[case].0.lookup.to_vec();
    world
        .kit
        .desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !out {
                    assert!(exclusion::remove(tx, SERVICE, &subject).await?);
                    return Ok(());
                }
                let key = seal.system_key(tx, "exclusions").await?;
                let row = exclusion::Model {
                    id: uuid::Uuid::now_v7(),
                    service: SERVICE.to_owned(),
                    subject,
                    reason: "deceased".to_owned(),
                    key_id: key.uuid(),
                    sealed: Vec::new(),
                    made_at: tx.now().as_microsecond(),
                    made_by: None,
                    until: None,
                };
                exclusion::put(tx, row).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_died_or_whose_case_is_open_again_is_not_paid() {
    each_engine(|kit| async move {
        let mut world = World::new(kit, 3).await;
        let desk = world.kit.desk.clone();
        // known before the month: no payment is made
        leave_out(&world, 0, true).await;
        reopen(&world, 1, application::State::Review).await;
        world.run(month(0)).await;
        assert_eq!((world.rows(0).await.len(), world.rows(1).await.len()), (0, 0));
        world.pay().await;
        assert_eq!(world.rows(2).await[0].state, State::Paid);
        // known between payment and batch: the payment stays behind, and the cashier sees that it waits
        leave_out(&world, 0, false).await;
        reopen(&world, 1, application::State::Completed).await;
        pay::prepare(&desk, &world.maker, SERVICE, month(0)).await.unwrap();
        leave_out(&world, 0, true).await;
        let due = pay::overview(&desk, &world.maker).await.unwrap().due;
        assert_eq!((due[0].count, due[0].waiting), (2, 1));
        let batch = pay::batch::make(&desk, &world.maker, SERVICE, month(0)).await.unwrap();
        assert_eq!(world.rows(0).await[0].state, State::Due);
        assert_eq!(world.rows(1).await[0].state, State::Batched);
        // known between batch and release: the batch can't leave
        reopen(&world, 1, application::State::Review).await;
        let released = pay::batch::release(&desk, &world.releaser, batch).await;
        assert!(matches!(released, Err(CaseError::Input { problem: "stopped", .. })));
        world.pay().await;
        assert_eq!(world.bank.moved.len(), 1);
        // and when it was a mistake nothing is lost
        leave_out(&world, 0, false).await;
        reopen(&world, 1, application::State::Completed).await;
        world.run(month(0)).await;
        world.pay().await;
        for case in [0, 1, 2] {
            assert_eq!(world.rows(case).await[0].state, State::Paid);
        }
        assert_eq!(world.bank.moved.len(), 3);
        world.kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_is_paid_up_to_its_last_month() {
    each_engine(|kit| async move {
        let mut world = World::new(kit, 2).await;
        let desk = world.kit.desk.clone();
        let id = world.cases[0].1;
        world.run(month(0)).await;
        world.pay().await;
        // the next month is due, and in a batch of the other case
        world.kit.wait(24 * 7);
        pay::prepare(&desk, &world.maker, SERVICE, month(1)).await.unwrap();
        let batch = pay::batch::make(&desk, &world.maker, SERVICE, month(1)).await.unwrap();
        let stop = async |reason: &str, last: Month| {
            let revision = world.kit.revision(id).await;
            stop::stop(&desk, &world.officer, id, revision, reason, last).await
        };
        assert!(matches!(
            stop(" ", month(0)).await,
            Err(CaseError::Input { field: "reason", .. })
        ));
        assert!(matches!(
            stop("死亡", month(600)).await,
            Err(CaseError::Input { field: "last", .. })
        ));
        stop("死亡", month(0)).await.unwrap();
        assert!(matches!(
            stop("死亡", month(0)).await,
            Err(CaseError::Input { problem: "ended", .. })
        ));
        let revision = world.kit.revision(id).await;
        assert!(matches!(
            stop::stop(&desk, &world.maker, id, revision, "死亡", month(0)).await,
            Err(CaseError::Refused(_))
        ));
        let released = pay::batch::release(&desk, &world.releaser, batch).await;
        assert!(matches!(released, Err(CaseError::Input { problem: "stopped", .. })));
        // dissolved and made again without it
        world.pay().await;
        for n in [1, 2] {
            world.run(month(n)).await;
            world.pay().await;
        }
        let rows = world.rows(0).await;
        assert_eq!(
            rows.iter()
                .map(|row| (row.period.as_str(), row.state))
                .collect::<Vec<_>>(),
            [("2026-11", State::Paid)]
        );
        assert_eq!(world.rows(1).await[1].state, State::Paid);
        let told = store::tables::message::of_application(desk.store.read(), id.uuid())
            .await
            .unwrap();
        assert_eq!(told.iter().filter(|message| message.kind == "stopped").count(), 1);
        let view = hold::view(&desk, &world.officer, id).await.unwrap();
        assert_eq!(view.spans[0].last, "2026-11");
        // what is stopped before its first month is never paid
        let other = world.cases[1].1;
        let revision = world.kit.revision(other).await;
        stop::stop(&desk, &world.officer, other, revision, "遷出", month(-1))
            .await
            .unwrap();
        assert!(hold::view(&desk, &world.officer, other).await.unwrap().spans.is_empty());
        world.kit.ledger_holds().await;
    })
    .await;
}

#[derive(Clone, Debug)]
enum Step {
    Run(i32),
    Pay,
    Hold(usize),
    Resume(usize),
    Return(usize),
    NewAccount(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_i32).prop_map(Step::Run),
        4 => Just(Step::Pay),
        2 => (0..2_usize).prop_map(Step::Hold),
        2 => (0..2_usize).prop_map(Step::Resume),
        2 => (0..2_usize).prop_map(Step::Return),
        2 => (0..2_usize).prop_map(Step::NewAccount),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// Paid less returned is what stands as paid, for each case and month at most what it is entitled to; and once nothing is
    /// held or waits, exactly that.
    #[test]
    fn sums_balance_over_any_sequence(steps in proptest::collection::vec(step(), 8..30)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(sqlite().await, 2).await;
            let desk = world.kit.desk.clone();
            let tolerated = |result: Result<(), CaseError>| match result {
                Ok(()) | Err(CaseError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            };
            for step in steps.into_iter().chain([Step::Resume(0), Step::Resume(1), Step::NewAccount(0), Step::NewAccount(1)]) {
                match step {
                    Step::Run(n) => world.run(month(n)).await,
                    Step::Pay => world.pay().await,
                    Step::Hold(case) => tolerated(world.hold(case, None).await),
                    Step::Resume(case) => tolerated(world.resume(case).await),
                    Step::Return(case) => {
                        let rows = world.rows(case).await;
                        if let Some(row) = rows.iter().find(|row| row.state == State::Paid) {
                            assert_eq!(world.returned(&[row]).await.returned, 1);
                        }
                    }
                    Step::NewAccount(case) => {
                        let (person, id) = world.cases[case].clone();
                        let account = raw(&[("account.bank", "013"), ("account.account", "00099988877766")]);
                        tolerated(pay::new_account(&desk, &person, id, account, ZH).await);
                    }
                }
                balances(&world, None).await;
            }
            for n in [0, 1] {
                world.run(month(n)).await;
            }
            world.pay().await;
            for n in [0, 1] {
                world.run(month(n)).await;
            }
            world.pay().await;
            balances(&world, Some(2)).await;
            world.kit.ledger_holds().await;
        });
    }
}

async fn balances(world: &World, months: Option<i64>) {
    for case in 0..world.cases.len() {
        let rows = world.rows(case).await;
        let moved: i64 = rows
            .iter()
            .filter_map(|row| world.bank.moved.get(&row.end_to_end))
            .sum();
        let back: i64 = rows.iter().filter_map(|row| world.back.get(&row.end_to_end)).sum();
        let paid: i64 = rows
            .iter()
            .filter(|row| row.state == State::Paid)
            .map(|row| row.amount)
            .sum();
        assert_eq!(moved - back, paid, "{rows:#?}");
        let mut by_month: BTreeMap<&str, i64> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.state != State::Rejected) {
            *by_month.entry(&row.period).or_default() += row.amount;
        }
        assert!(by_month.values().all(|sum| *sum == 8329), "{rows:#?}");
        if let Some(months) = months {
            assert_eq!(paid, 8329 * months, "{rows:#?}");
        }
    }
}
