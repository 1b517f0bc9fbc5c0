//! Nobody is paid twice: random sequences of what cashiers, the bank and the resident do, with reports that come again and
//! callers that go away in the middle.

use std::time::Duration;

use cases::pay::hold;
use cases::staff::Role;
use cases::{CaseError, Month, Person, Staff, claim, pay};
use civic::ids::{ApplicationId, BatchId};
use proptest::prelude::*;
use store::tables::payment::{self, State};
use store::tables::{payment_batch, security_event};

use crate::support::{self, Bank, Kit, SERVICE, ZH, raw};

#[derive(Clone, Debug)]
enum Step {
    Prepare {
        month: i32,
    },
    Make {
        month: i32,
    },
    Release {
        which: usize,
    },
    Cancel {
        which: usize,
    },
    /// The bank carries a released order out, refusing those of these numbers, and its report is imported.
    Bank {
        which: usize,
        refuse: u8,
        code: usize,
    },
    /// The order goes to the bank twice; the report on the first is on its way while the refusal of the second is imported.
    Twice {
        which: usize,
    },
    /// A report of before is imported again.
    Replay {
        which: usize,
    },
    Retry {
        which: usize,
    },
    NewAccount {
        person: usize,
    },
    /// The caller of the next step goes away after so many microseconds.
    Cut {
        micros: u64,
    },
}

const CODES: [&str; 3] = ["AC04", "AM04", "MS03"];

fn step() -> impl Strategy<Value = Step> {
    let some = 0..4_usize;
    prop_oneof![
        2 => (0..2_i32).prop_map(|month| Step::Prepare { month }),
        3 => (0..2_i32).prop_map(|month| Step::Make { month }),
        3 => some.clone().prop_map(|which| Step::Release { which }),
        1 => some.clone().prop_map(|which| Step::Cancel { which }),
        4 => (some.clone(), any::<u8>(), 0..3_usize).prop_map(|(which, refuse, code)| Step::Bank { which, refuse, code }),
        2 => some.clone().prop_map(|which| Step::Twice { which }),
        2 => some.clone().prop_map(|which| Step::Replay { which }),
        2 => some.prop_map(|which| Step::Retry { which }),
        2 => (0..3_usize).prop_map(|person| Step::NewAccount { person }),
        2 => (0..3_000_u64).prop_map(|micros| Step::Cut { micros }),
    ]
}

struct World {
    kit: Kit,
    people: Vec<(Person, ApplicationId)>,
    officer: Staff,
    maker: Staff,
    releaser: Staff,
    bank: Bank,
    reports: Vec<Vec<u8>>,
}

impl World {
    async fn new(kit: Kit) -> World {
        let officer = kit.staff("officer", Role::Officer).await;
        let maker = kit.staff("maker", Role::Cashier).await;
        let releaser = kit.staff("releaser", Role::Cashier).await;
        let mut people = Vec::new();
        for number in 1..=3 {
            let person = kit.person(number).await;
            let (id, _) = kit.submitted(&person).await;
            kit.approved(&officer, id).await;
            people.push((person, id));
        }
        kit.wait(24 * 14);
        World {
            kit,
            people,
            officer,
            maker,
            releaser,
            bank: Bank::default(),
            reports: Vec::new(),
        }
    }

    fn month(&self, n: i32) -> Month {
        "2026-11".parse::<Month>().unwrap().plus(n)
    }

    async fn batches(&self) -> Vec<payment_batch::Model> {
        payment_batch::newest(self.kit.desk.store.read(), 100).await.unwrap()
    }

    /// The payments of a person, by attempt.
    async fn rows(&self, person: usize) -> Vec<payment::Model> {
        payment::of_application(self.kit.desk.store.read(), self.people[person].1.uuid())
            .await
            .unwrap()
    }

    async fn states(&self, person: usize) -> Vec<(State, Option<String>)> {
        let rows = self.rows(person).await;
        rows.into_iter().map(|row| (row.state, row.reason)).collect()
    }

    /// Makes a batch of what is due, releases it and gives its order.
    async fn ordered(&self) -> Vec<u8> {
        let (desk, month) = (&self.kit.desk, self.month(0));
        let batch = pay::batch::make(desk, &self.maker, SERVICE, month).await.unwrap();
        pay::batch::release(desk, &self.releaser, batch).await.unwrap();
        pay::batch::file(desk, &self.maker, batch).await.unwrap()
    }

    async fn import(&self, report: &[u8]) -> pay::report::Imported {
        pay::report::import(&self.kit.desk, &self.maker, report).await.unwrap()
    }

    async fn retry(&self, person: usize) {
        let id = self.rows(person).await[0].id;
        pay::retry(&self.kit.desk, &self.maker, id.into()).await.unwrap();
    }

    async fn resume(&self, person: usize) -> Result<(), CaseError> {
        let id = self.people[person].1;
        hold::resume(&self.kit.desk, &self.officer, id, self.kit.revision(id).await).await
    }

    async fn warnings(&self) -> usize {
        security_event::newest(self.kit.desk.store.read(), Some("payment.contradicted"), 100)
            .await
            .unwrap()
            .len()
    }

    async fn step(&mut self, step: &Step, cut: Option<Duration>) {
        let desk = self.kit.desk.clone();
        let (maker, releaser) = (self.maker.clone(), self.releaser.clone());
        let batches = self.batches().await;
        let named = |which: usize| (!batches.is_empty()).then(|| BatchId::from_uuid(batches[which % batches.len()].id));
        match *step {
            Step::Prepare { month } => {
                let month = self.month(month);
                may_go(cut, async {
                    pay::prepare(&desk, &maker, SERVICE, month).await.map(|_| ())
                })
                .await;
            }
            Step::Make { month } => {
                let month = self.month(month);
                may_go(cut, async {
                    pay::batch::make(&desk, &maker, SERVICE, month).await.map(|_| ())
                })
                .await;
            }
            Step::Release { which } => {
                let Some(batch) = named(which) else { return };
                may_go(cut, pay::batch::release(&desk, &releaser, batch)).await;
            }
            Step::Cancel { which } => {
                let Some(batch) = named(which) else { return };
                may_go(cut, pay::batch::cancel(&desk, &maker, batch)).await;
            }
            Step::Bank { which, refuse, code } => {
                let Some(batch) = named(which) else { return };
                let Ok(order) = pay::batch::file(&desk, &maker, batch).await else {
                    return;
                };
                let report = self.bank.carry_out(&order, |id| {
                    let number = id.bytes().fold(0_u8, u8::wrapping_add) % 8;
                    (refuse & (1 << number) != 0).then_some(CODES[code])
                });
                self.reports.push(report.clone());
                may_go(cut, async {
                    pay::report::import(&desk, &maker, &report).await.map(|_| ())
                })
                .await;
            }
            Step::Twice { which } => {
                let Some(batch) = named(which) else { return };
                let Ok(order) = pay::batch::file(&desk, &maker, batch).await else {
                    return;
                };
                let report = self.bank.carry_out(&order, |_| None);
                self.reports.push(report);
                let refusal = support::refusal_of_a_second(&order);
                may_go(cut, async {
                    pay::report::import(&desk, &maker, &refusal).await.map(|_| ())
                })
                .await;
            }
            Step::Replay { which } => {
                let Some(report) = self.reports.get(which % self.reports.len().max(1)).cloned() else {
                    return;
                };
                may_go(cut, async {
                    pay::report::import(&desk, &maker, &report).await.map(|_| ())
                })
                .await;
            }
            Step::Retry { which } => {
                let rejected = pay::overview(&desk, &maker).await.unwrap().rejected;
                if rejected.is_empty() {
                    return;
                }
                let id = rejected[which % rejected.len()].id;
                may_go(cut, pay::retry(&desk, &maker, id)).await;
            }
            Step::NewAccount { person } => {
                let (person, id) = self.people[person].clone();
                let account = raw(&[("account.bank", "013"), ("account.account", "00099988877766")]);
                may_go(cut, pay::new_account(&desk, &person, id, account, ZH)).await;
            }
            Step::Cut { .. } => {}
        }
    }

    /// What must hold whatever was done.
    async fn holds(&self) {
        // What a caller that went away had queued is carried out before this write.
        self.kit
            .desk
            .store
            .write(|_| Box::pin(async { Ok::<_, CaseError>(()) }))
            .await
            .unwrap();
        let mut moved_for_case = 0;
        for (_, id) in &self.people {
            let rows = payment::of_application(self.kit.desk.store.read(), id.uuid())
                .await
                .unwrap();
            for month in [self.month(0), self.month(1)] {
                let rows: Vec<_> = rows.iter().filter(|row| row.period == month.to_string()).collect();
                let standing = rows.iter().filter(|row| row.state != State::Rejected).count();
                assert!(standing <= 1, "{rows:#?}");
                let moved: Vec<_> = rows
                    .iter()
                    .filter_map(|row| self.bank.moved.get(&row.end_to_end))
                    .collect();
                assert!(moved.len() <= 1, "the bank paid {id} twice for {month}: {rows:#?}");
                moved_for_case += moved.len();
                for row in &rows {
                    if row.state == State::Paid {
                        assert!(
                            self.bank.moved.contains_key(&row.end_to_end),
                            "paid here, not at the bank"
                        );
                    }
                    if row.state == State::Rejected {
                        assert!(
                            !self.bank.moved.contains_key(&row.end_to_end),
                            "refused here, paid at the bank"
                        );
                    }
                }
            }
        }
        assert_eq!(
            moved_for_case,
            self.bank.moved.len(),
            "the bank paid something that is nobody's"
        );
        self.kit.ledger_holds().await;
    }
}

/// Carries an act out, with a caller that may go away in the middle. What is refused is refused.
async fn may_go(cut: Option<Duration>, act: impl Future<Output = Result<(), CaseError>>) {
    let result = match cut {
        Some(after) => tokio::time::timeout(after, act).await.unwrap_or(Ok(())),
        None => act.await,
    };
    match result {
        Ok(())
        | Err(CaseError::Conflict(_) | CaseError::Input { .. } | CaseError::NotFound(_) | CaseError::Refused(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_paid_twice(steps in proptest::collection::vec(step(), 10..40)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(support::sqlite().await).await;
            let mut cut = None;
            for step in &steps {
                if let Step::Cut { micros } = step {
                    cut = Some(Duration::from_micros(*micros));
                    continue;
                }
                world.step(step, cut.take()).await;
                world.holds().await;
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_a_second_order_says_nothing_of_the_first() {
    let mut world = World::new(support::sqlite().await).await;
    for step in [
        Step::Prepare { month: 0 },
        Step::Make { month: 0 },
        Step::Release { which: 0 },
        Step::Twice { which: 0 },
    ] {
        world.step(&step, None).await;
        world.holds().await;
    }
    assert_eq!(world.bank.moved.len(), 3);
    // the report on the first order arrives after the refusal of the second, and is what counts
    world.step(&Step::Replay { which: 0 }, None).await;
    world.holds().await;
    for (_, id) in &world.people {
        let rows = payment::of_application(world.kit.desk.store.read(), id.uuid())
            .await
            .unwrap();
        assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Paid]);
    }
}

fn rejected(reason: &str) -> (State, Option<String>) {
    (State::Rejected, Some(reason.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_and_paid_after_all_holds_the_next_attempt() {
    support::each_engine(|kit| async move {
        let mut world = World::new(kit).await;
        let desk = world.kit.desk.clone();
        pay::prepare(&desk, &world.maker, SERVICE, world.month(0))
            .await
            .unwrap();
        let order = world.ordered().await;
        // the bank moves the money, and its first report says the opposite
        let paid = world.bank.carry_out(&order, |_| None);
        assert_eq!(
            world
                .import(&support::says(&order, "RJCT", Some("AM04")))
                .await
                .rejected,
            3
        );
        // the next attempt of the first is in a batch, that of the second is due, and the third has none
        world.retry(0).await;
        let second = pay::batch::make(&desk, &world.maker, SERVICE, world.month(0))
            .await
            .unwrap();
        world.retry(1).await;

        let found = world.import(&paid).await;
        assert_eq!((found.paid, found.rejected, found.contradicted), (0, 0, 3));
        assert_eq!(world.warnings().await, 3);
        assert_eq!(world.states(0).await, [rejected("ACSC"), (State::Batched, None)]);
        assert_eq!(world.states(1).await, [rejected("ACSC"), (State::Held, None)]);
        assert_eq!(world.states(2).await, [(State::Paid, None)]);
        // the pairs are work, with what to ask the bank
        let holds = pay::overview(&desk, &world.maker).await.unwrap().holds;
        assert_eq!(holds.len(), 2);
        let view = hold::view(&desk, &world.officer, world.people[1].1).await.unwrap();
        assert!(view.open().unwrap().reason.as_deref().unwrap().contains("銀行"));
        assert_eq!(view.payments.len(), 2);
        // nothing of it leaves
        let released = pay::batch::release(&desk, &world.releaser, second).await;
        assert!(matches!(released, Err(CaseError::Input { problem: "stopped", .. })));
        assert!(matches!(world.resume(0).await, Err(CaseError::Conflict("batch"))));
        pay::batch::cancel(&desk, &world.maker, second).await.unwrap();
        let nothing = pay::batch::make(&desk, &world.maker, SERVICE, world.month(0)).await;
        assert!(matches!(
            nothing,
            Err(CaseError::Input {
                problem: "nothing_due",
                ..
            })
        ));
        // a person has asked the bank: the first attempts stand, the next ones are taken out
        for person in [0, 1] {
            world.resume(person).await.unwrap();
            assert_eq!(world.states(person).await, [(State::Paid, None)]);
        }
        assert!(pay::overview(&desk, &world.maker).await.unwrap().rejected.is_empty());
        let again = pay::retry(&desk, &world.maker, world.rows(0).await[0].id.into()).await;
        assert!(matches!(again, Err(CaseError::Conflict(_))));
        let nothing = pay::batch::make(&desk, &world.maker, SERVICE, world.month(0)).await;
        assert!(matches!(
            nothing,
            Err(CaseError::Input {
                problem: "nothing_due",
                ..
            })
        ));
        world.holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_and_came_back_after_all_is_paid_by_the_next_attempt() {
    support::each_engine(|kit| async move {
        let mut world = World::new(kit).await;
        let desk = world.kit.desk.clone();
        pay::prepare(&desk, &world.maker, SERVICE, world.month(0))
            .await
            .unwrap();
        let order = world.ordered().await;
        world.import(&support::says(&order, "RJCT", Some("AM04"))).await;
        world.retry(0).await;
        assert_eq!(world.import(&support::says(&order, "ACSC", None)).await.contradicted, 3);
        let first = world.rows(0).await[0].clone();
        let file = format!(
            "payment,amount,reason,date\n{},{},AC04,2026-12-04\n",
            first.end_to_end, first.amount
        );
        let back = pay::returns::import(&desk, &world.maker, file.as_bytes())
            .await
            .unwrap();
        assert_eq!((back.returned, back.unfit), (1, 0));
        assert_eq!(
            pay::returns::import(&desk, &world.maker, file.as_bytes())
                .await
                .unwrap()
                .known,
            1
        );
        world.resume(0).await.unwrap();
        assert_eq!(world.states(0).await, [rejected("AC04"), (State::Due, None)]);
        let order = world.ordered().await;
        let paid = world.bank.carry_out(&order, |_| None);
        assert_eq!(world.import(&paid).await.paid, 1);
        assert_eq!(world.states(0).await, [rejected("AC04"), (State::Paid, None)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_by_both_attempts_is_claimed_back() {
    support::each_engine(|kit| async move {
        let mut world = World::new(kit).await;
        let desk = world.kit.desk.clone();
        pay::prepare(&desk, &world.maker, SERVICE, world.month(0))
            .await
            .unwrap();
        let order = world.ordered().await;
        let paid = world.bank.carry_out(&order, |_| None);
        world.import(&support::says(&order, "RJCT", Some("AM04"))).await;
        for person in 0..3 {
            world.retry(person).await;
        }
        let second = world.ordered().await;
        let found = world.import(&paid).await;
        assert_eq!((found.paid, found.contradicted), (0, 3));
        for person in 0..3 {
            assert_eq!(world.states(person).await, [rejected("ACSC"), (State::Released, None)]);
        }
        let claims = claim::list(&desk, &world.officer, true).await.unwrap();
        assert_eq!(claims.len(), 3);
        let amount = world.rows(0).await[0].amount;
        assert!(claims.iter().all(|row| row.total.0 == amount && row.recovered.0 == 0));
        let view = claim::view(&desk, &world.officer, claims[0].id).await.unwrap();
        assert_eq!(view.months.len(), 1);
        assert!(pay::overview(&desk, &world.maker).await.unwrap().holds.is_empty());
        // the same report in another file claims nothing twice
        assert_eq!(world.import(&support::says(&order, "ACCC", None)).await.contradicted, 3);
        assert_eq!(claim::list(&desk, &world.officer, true).await.unwrap().len(), 3);
        // the bank refuses the next attempt of the first person after all: paid once, and nothing to claim
        let refused = world.rows(0).await[1].end_to_end.clone();
        let answer = world.bank.carry_out(&second, |id| (id == refused).then_some("AM04"));
        let found = world.import(&answer).await;
        assert_eq!((found.paid, found.rejected, found.contradicted), (2, 1, 0));
        assert_eq!(world.states(0).await, [(State::Paid, None), rejected("AM04")]);
        assert_eq!(world.states(1).await, [rejected("ACSC"), (State::Paid, None)]);
        let claims = claim::list(&desk, &world.officer, true).await.unwrap();
        assert_eq!(claims.len(), 2);
        assert!(claims.iter().all(|row| row.application != world.people[0].1));
        assert!(pay::overview(&desk, &world.maker).await.unwrap().rejected.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refusal_of_what_is_paid_is_a_warning_and_turns_nothing_back() {
    support::each_engine(|kit| async move {
        let mut world = World::new(kit).await;
        let desk = world.kit.desk.clone();
        pay::prepare(&desk, &world.maker, SERVICE, world.month(0))
            .await
            .unwrap();
        let order = world.ordered().await;
        let paid = world.bank.carry_out(&order, |_| None);
        assert_eq!(world.import(&paid).await.paid, 3);
        let found = world.import(&support::says(&order, "RJCT", Some("AC04"))).await;
        assert_eq!((found.paid, found.rejected, found.contradicted), (0, 0, 3));
        assert_eq!(world.warnings().await, 3);
        for person in 0..3 {
            assert_eq!(world.states(person).await, [(State::Paid, None)]);
        }
        world.holds().await;
    })
    .await;
}
