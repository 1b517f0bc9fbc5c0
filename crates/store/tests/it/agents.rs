//! What an agent may do, as a table that people review: each power alone, and what stands outside of an authorisation.

use std::fmt::Write as _;

use civic::Purpose;
use expect_test::expect_file;
use store::access::{Access, Acting, Actor, Resource};
use uuid::Uuid;

const PRINCIPAL: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const CASE: Uuid = Uuid::from_u128(3);
const MINE: Uuid = Uuid::from_u128(4);
const ANOTHER: Uuid = Uuid::from_u128(5);

const POWERS: [&str; 11] = [
    "fill", "submit", "correct", "answer", "withdraw", "earlier", "letters", "payments", "account", "data", "profile",
];
const ACTIONS: &[&str] = &[
    "open",
    "fill",
    "submit",
    "withdraw",
    "view",
    "correct",
    "answer",
    "letters",
    "payments",
    "account",
    "data",
    "mydata",
    "survey",
    "profile",
    "uses",
    "authorise",
    "revoke",
    "accept",
    "act",
    "leave",
    "entrust",
    "read",
    "decide",
    "pay",
    "notify",
    "import",
    "assist",
    "object",
    "report",
    "appeal",
    "assign",
    "confirm",
    "serve",
    "roll",
    "grant",
    "concur",
    "sweep",
    "list",
    "release",
    "draw",
    "round",
    "queue",
    "audit",
    "administer",
    "dispose",
];

fn purpose(function: &str) -> Purpose {
    Purpose {
        code: "057".into(),
        basis: "老人福利法 §12".into(),
        function: function.into(),
        application: None,
    }
}

struct Case {
    owner: Option<Uuid>,
    service: &'static str,
    opened_under: Option<Uuid>,
    state: &'static str,
}

const OWN: Case = Case {
    owner: Some(PRINCIPAL),
    service: "chosen",
    opened_under: Some(MINE),
    state: "draft",
};

impl Case {
    fn resource(&self) -> Resource<'static> {
        Resource::Entrusted {
            id: CASE,
            owner: self.owner,
            agency: "social",
            state: self.state,
            service: self.service,
            opened_under: self.opened_under,
        }
    }
}

/// Everything an agent with these powers may do to this.
fn may(access: &Access, powers: &[&str], in_force: bool, resource: Resource<'_>) -> Vec<&'static str> {
    let (services, acts) = (
        vec!["chosen".to_owned()],
        powers.iter().map(|&one| one.to_owned()).collect::<Vec<_>>(),
    );
    let agent = Actor::Agent(Acting {
        id: MINE,
        principal: PRINCIPAL,
        services: &services,
        acts: &acts,
        in_force,
    });
    ACTIONS
        .iter()
        .copied()
        .filter(|action| access.decide(agent, action, resource, purpose(action)).is_ok())
        .collect()
}

#[test]
fn each_power_is_what_was_reviewed() {
    let access = Access::built_in().unwrap();
    let mut out = String::from(
        "# What an agent may do by each power alone (policies/agent.cedar). UPDATE_EXPECT=1 writes this file anew.\n\n",
    );
    for power in POWERS {
        for (what, resource) in [
            ("a case they opened", OWN.resource()),
            (
                "a case the principal made",
                Case {
                    opened_under: None,
                    ..OWN
                }
                .resource(),
            ),
            ("the principal's account", Resource::Profile(PRINCIPAL)),
        ] {
            let found = may(&access, &[power], true, resource);
            if !found.is_empty() {
                writeln!(out, "{power}: {what}: {}", found.join(", ")).unwrap();
            }
        }
    }
    expect_file!["agents.txt"].assert_eq(&out);
}

#[test]
fn nothing_stands_outside_of_an_authorisation_whatever_the_powers() {
    let access = Access::built_in().unwrap();
    assert!(may(&access, &POWERS, true, OWN.resource()).contains(&"submit"));
    let outside = [
        Case {
            owner: Some(OTHER),
            ..OWN
        },
        Case { owner: None, ..OWN },
        Case {
            service: "another",
            ..OWN
        },
    ];
    for case in outside {
        assert_eq!(may(&access, &POWERS, true, case.resource()), Vec::<&str>::new());
    }
    // without `earlier`, what another agent or the principal opened is out of reach
    let without: Vec<&str> = POWERS.into_iter().filter(|power| *power != "earlier").collect();
    for opened_under in [None, Some(ANOTHER)] {
        let case = Case { opened_under, ..OWN };
        assert_eq!(may(&access, &without, true, case.resource()), Vec::<&str>::new());
        assert!(may(&access, &POWERS, true, case.resource()).contains(&"view"));
    }
    for resource in [
        Resource::Profile(OTHER),
        Resource::Office("social"),
        Resource::Register(CASE),
        Resource::Confirmation {
            id: CASE,
            body: "social",
        },
        Resource::Roll {
            id: CASE,
            agency: "social",
            made_by: OTHER,
        },
        // the same case, met at the counter
        Resource::Served {
            id: CASE,
            owner: PRINCIPAL,
            agency: "social",
            state: "draft",
            channel: "counter",
            by: OTHER,
        },
        Resource::Batch {
            id: CASE,
            made_by: OTHER,
        },
        Resource::Authorisation {
            id: MINE,
            principal: Some(PRINCIPAL),
            person: Some(PRINCIPAL),
            staff: None,
        },
        // the same case, not met as an agent's
        Resource::Application {
            id: CASE,
            owner: Some(PRINCIPAL),
            agency: "social",
            state: "draft",
        },
    ] {
        assert_eq!(
            may(&access, &POWERS, true, resource),
            Vec::<&str>::new(),
            "{resource:?}"
        );
    }
    for resource in [OWN.resource(), Resource::Profile(PRINCIPAL)] {
        assert_eq!(
            may(&access, &POWERS, false, resource),
            Vec::<&str>::new(),
            "not in force"
        );
    }
    assert_eq!(may(&access, &[], true, OWN.resource()), ["view"]);
}

#[test]
fn authorisations_are_the_principals_and_the_agents_alone() {
    let access = Access::built_in().unwrap();
    let thing = |principal, person, staff| Resource::Authorisation {
        id: MINE,
        principal,
        person,
        staff,
    };
    let of = |actor, resource| -> Vec<&str> {
        ACTIONS
            .iter()
            .copied()
            .filter(|action| access.decide(actor, action, resource, purpose(action)).is_ok())
            .collect()
    };
    let me = Actor::Resident(PRINCIPAL);
    assert_eq!(of(me, thing(Some(PRINCIPAL), Some(OTHER), None)), ["revoke", "entrust"]);
    assert_eq!(
        of(me, thing(Some(OTHER), Some(PRINCIPAL), None)),
        ["accept", "act", "leave", "entrust"]
    );
    assert_eq!(of(me, thing(Some(OTHER), Some(OTHER), None)), Vec::<&str>::new());
    assert_eq!(of(me, thing(None, None, None)), Vec::<&str>::new());
    for (role, may) in [
        ("organisation", true),
        ("village_officer", true),
        ("officer", false),
        ("supervisor", false),
        ("administrator", false),
        ("auditor", false),
    ] {
        let staff = Actor::Staff {
            id: OTHER,
            role,
            agency: "social",
        };
        assert_eq!(
            !of(staff, thing(Some(PRINCIPAL), None, Some(OTHER))).is_empty(),
            may,
            "{role}"
        );
        assert!(
            of(staff, thing(Some(PRINCIPAL), None, Some(ANOTHER))).is_empty(),
            "{role}"
        );
    }
}
