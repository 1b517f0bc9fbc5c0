//! The law of authorisations: whatever is done in whatever order, an act of an agent is carried out exactly while the
//! authorisation is in force.

use cases::agents::{self, NewAuthorisation, Party, Power, Shown, To, act};
use cases::{CaseError, Person, collect};
use civic::ids::{ApplicationId, AuthorisationId};
use jiff::ToSpan as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use store::testing;

use crate::support::{Kit, SERVICE, ZH, each_engine, national_id, raw};

/// What somebody does.
#[derive(Clone, Debug)]
enum Step {
    /// The principal authorises, until a day from today.
    Give(i64),
    Accept,
    Decline,
    Revoke,
    Leave,
    /// A new request of the agent that writes.
    Act,
    /// A request that began at the last `Act` writes only now.
    Late,
    /// Hours go by, and the platform tidies up, or has not yet.
    Wait(i64, bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0_i64..4).prop_map(Step::Give),
        3 => Just(Step::Accept),
        1 => Just(Step::Decline),
        1 => Just(Step::Revoke),
        1 => Just(Step::Leave),
        4 => Just(Step::Act),
        3 => Just(Step::Late),
        2 => ((1_i64..40), any::<bool>()).prop_map(|(hours, tidy)| Step::Wait(hours, tidy)),
    ]
}

/// What must be true of the newest authorisation.
#[derive(Clone, Copy, PartialEq)]
enum Model {
    None,
    Offered,
    Accepted,
    Over,
}

struct World {
    kit: Kit,
    mother: Person,
    daughter: Person,
    id: Option<AuthorisationId>,
    model: Model,
    until: jiff::civil::Date,
    /// A request that has begun.
    begun: Option<(Person, AuthorisationId)>,
    case: Option<ApplicationId>,
}

impl World {
    fn in_force(&self) -> bool {
        self.model == Model::Accepted && self.kit.desk.today() <= self.until
    }

    /// One write of who acts.
    async fn write(&mut self, person: &Person) -> Result<(), CaseError> {
        let desk = &self.kit.desk;
        let case = match self.case {
            Some(case) => case,
            None => {
                let case = collect::open(desk, person, SERVICE, person.channel(), ZH).await?;
                self.case = Some(case);
                case
            }
        };
        let revision = self.kit.revision(case).await;
        let page = raw(&[
            ("_field", "registered_address"),
            ("registered_address", "臺中市西區民生路1號"),
        ]);
        collect::save(desk, person, case, revision, "contact", page, ZH)
            .await
            .map(|_| ())
    }

    async fn go(&mut self, step: &Step) {
        let desk = std::sync::Arc::clone(&self.kit.desk);
        let daughter = self.daughter.clone();
        let party = Party::Person(&daughter);
        match step {
            Step::Give(days) => {
                self.until = desk.today().saturating_add(days.days());
                let new = NewAuthorisation {
                    to: To::Person {
                        national_id: national_id(2).reveal().to_owned(),
                        name: "女兒".to_owned(),
                    },
                    services: vec![SERVICE.to_owned()],
                    powers: vec![Power::Fill, Power::Earlier],
                    until: Some(self.until),
                    email: String::new(),
                };
                // one at a time, so that the newest is the only one
                if let Some(id) = self.id {
                    agents::revoke(&desk, &self.mother, id).await.unwrap();
                }
                self.id = Some(agents::give(&desk, &self.mother, new).await.unwrap());
                self.model = Model::Offered;
            }
            Step::Accept => {
                let Some(id) = self.id else { return };
                let revision = agents::one(&desk, &party, id).await.unwrap().revision;
                let shown = Shown {
                    digest: String::new(),
                    language: ZH,
                };
                let may = self.model == Model::Offered && desk.today() <= self.until;
                let done = agents::accept(&desk, &party, id, revision, shown).await;
                assert_eq!(done.is_ok(), may, "accept: {done:?}");
                if may {
                    self.model = Model::Accepted;
                }
            }
            Step::Decline => {
                let Some(id) = self.id else { return };
                let done = agents::decline(&desk, &party, id).await;
                assert!(done.is_ok() || self.model != Model::Offered || desk.today() > self.until);
                if done.is_ok() {
                    self.model = Model::Over;
                }
            }
            Step::Revoke => {
                let Some(id) = self.id else { return };
                agents::revoke(&desk, &self.mother, id).await.unwrap();
                self.model = Model::Over;
            }
            Step::Leave => {
                let Some(id) = self.id else { return };
                agents::leave(&desk, &party, id).await.unwrap();
                self.model = Model::Over;
            }
            Step::Act => {
                let Some(id) = self.id else { return };
                match act(&desk, &party, id).await {
                    Ok(person) => {
                        assert!(self.in_force(), "an agent acts outside of an authorisation");
                        self.write(&person).await.unwrap();
                        self.begun = Some((person, id));
                    }
                    Err(CaseError::Stopped) => assert!(!self.in_force()),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Late => {
                let Some((person, id)) = self.begun.clone() else { return };
                let may = self.in_force() && self.id == Some(id);
                let done = self.write(&person).await;
                assert_eq!(done.is_ok(), may, "a late write: {done:?}");
                if !may {
                    assert!(matches!(done, Err(CaseError::Stopped)), "{done:?}");
                }
            }
            Step::Wait(hours, tidy) => {
                self.kit.wait(*hours);
                if *tidy {
                    cases::jobs::tidy(&desk).await.unwrap();
                }
            }
        }
    }
}

async fn walk(kit: Kit, steps: &[Step]) {
    let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
    let until = kit.desk.today();
    let mut world = World {
        kit,
        mother,
        daughter,
        id: None,
        model: Model::None,
        until,
        begun: None,
        case: None,
    };
    for step in steps {
        world.go(step).await;
    }
    // what the ledger has of the agent lies within what was in force: nothing stands in it that the model did not allow
    world.kit.ledger_holds().await;
}

#[test]
fn an_agent_acts_exactly_while_the_authorisation_is_in_force() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let engines = if std::env::var_os(testing::POSTGRES).is_some() {
        2
    } else {
        1
    };
    let config = Config {
        cases: 24 / engines,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..30), |steps| {
            runtime.block_on(each_engine(|kit| {
                let steps = steps.clone();
                async move { walk(kit, &steps).await }
            }));
            Ok(())
        })
        .unwrap();
}
