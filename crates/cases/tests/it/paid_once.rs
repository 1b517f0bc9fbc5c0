//! Nobody is paid twice: random sequences of what cashiers, the bank and the resident do, with reports that come again and
//! callers that go away in the middle.

use std::time::Duration;

use cases::staff::Role;
use cases::{CaseError, Month, Person, Staff, pay};
use civic::ids::{ApplicationId, BatchId};
use proptest::prelude::*;
use store::tables::payment::{self, State};
use store::tables::payment_batch;

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
    maker: Staff,
    releaser: Staff,
    bank: Bank,
    reports: Vec<Vec<u8>>,
}

impl World {
    async fn new() -> World {
        let kit = crate::support::sqlite().await;
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
            let mut world = World::new().await;
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
    let mut world = World::new().await;
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
