//! Who may do what, as a file that people review: every actor, every action, every thing.

use std::fmt::Write as _;

use civic::Purpose;
use expect_test::expect_file;
use store::access::{Access, Actor, Resource};
use uuid::Uuid;

const ME: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const THING: Uuid = Uuid::from_u128(3);

const ACTIONS: &[&str] = &[
    "view",
    "correct",
    "answer",
    "object",
    "report",
    "provide",
    "road",
    "road_change",
    "approve",
    "letters",
    "payments",
    "account",
    "data",
    "mydata",
    "survey",
    "uses",
    "authorise",
    "revoke",
    "entrust",
    "accept",
    "act",
    "follow_up",
    "assist",
    "open",
    "fill",
    "submit",
    "withdraw",
    "reuse",
    "leave",
    "import",
    "notify",
    "dispose",
    "read",
    "decide",
    "assign",
    "confirm",
    "appeal",
    "pay",
    "release",
    "queue",
    "measure",
    "round",
    "draw",
    "roll",
    "concur",
    "grant",
    "sweep",
    "list",
    "outreach",
    "invite",
    "visit",
    "prefer",
    "exercise",
    "answer_request",
    "privacy",
    "breach",
    "channels",
    "audit",
    "administer",
    "profile",
    "serve",
    "call",
    "panel",
    "ranking",
    "progress",
    "convene",
    "plan_write",
    "plan_view",
    "plan_read",
    "plan_score",
    "plan_decide",
    "plan_execute",
    "plan_settle",
    "lookup",
    "steward",
    "mend",
];
const ROLES: &[&str] = &[
    "officer",
    "supervisor",
    "cashier",
    "auditor",
    "administrator",
    "clerk",
    "confirmer",
    "organisation",
    "village_officer",
    "grant_writer",
    "grant_reviewer",
    "grant_officer",
    "privacy",
    "steward",
];
const STATES: [&str; 9] = [
    "draft",
    "submitted",
    "review",
    "correction",
    "approved",
    "refused",
    "withdrawn",
    "completed",
    "disposed",
];

fn purpose(function: &str) -> Purpose {
    Purpose {
        code: "057".into(),
        basis: "老人福利法 §12".into(),
        function: function.into(),
        application: None,
    }
}

fn codes(code: &str) -> [String; 1] {
    [code.to_owned()]
}

fn table(access: &Access) -> String {
    let mut actors = vec![
        ("the platform".to_owned(), Actor::System),
        ("a resident".to_owned(), Actor::Resident(ME)),
    ];
    for &role in ROLES {
        actors.push((
            format!("{role} of the office"),
            Actor::Staff {
                id: ME,
                role,
                agency: "social",
            },
        ));
        actors.push((
            format!("{role} of another office"),
            Actor::Staff {
                id: ME,
                role,
                agency: "health",
            },
        ));
    }
    let mut out = String::from(
        "# Who may do what (policies/*.cedar). What is not listed is refused. UPDATE_EXPECT=1 writes this file anew.\n",
    );
    for (name, actor) in actors {
        writeln!(out, "\n{name}").unwrap();
        for &action in ACTIONS {
            let may = |resource| access.decide(actor, action, resource, purpose(action)).is_ok();
            for (whose, owner) in [("own", Some(ME)), ("another's", Some(OTHER)), ("nobody's", None)] {
                let states: Vec<&str> = STATES
                    .into_iter()
                    .filter(|state| {
                        may(Resource::Application {
                            id: THING,
                            owner,
                            agency: "social",
                            state,
                        })
                    })
                    .collect();
                match states.len() {
                    0 => {}
                    9 => writeln!(out, "  {action}: {whose} case").unwrap(),
                    8 if !states.contains(&"disposed") => {
                        writeln!(out, "  {action}: {whose} case, unless disposed").unwrap()
                    }
                    _ => writeln!(out, "  {action}: {whose} case in {}", states.join(", ")).unwrap(),
                }
            }
            for (whose, channel, by) in [
                ("the case at the counter of the person they serve", "counter", ME),
                ("the online case of the person they serve", "online", ME),
                (
                    "the case at the counter of a person a colleague serves",
                    "counter",
                    OTHER,
                ),
            ] {
                let states = STATES.into_iter().filter(|state| {
                    may(Resource::Served {
                        id: THING,
                        owner: OTHER,
                        agency: "social",
                        state,
                        channel,
                        by,
                    })
                });
                match states.count() {
                    0 => {}
                    9 => writeln!(out, "  {action}: {whose}").unwrap(),
                    8 => writeln!(out, "  {action}: {whose}, unless disposed").unwrap(),
                    n => writeln!(out, "  {action}: {whose} in {n} states").unwrap(),
                }
            }
            let others = [
                (
                    "the profile of the person they serve",
                    Resource::ServedProfile { id: OTHER, by: ME },
                ),
                (
                    "the profile of a person a colleague serves",
                    Resource::ServedProfile { id: OTHER, by: OTHER },
                ),
                ("own profile", Resource::Profile(ME)),
                ("another's profile", Resource::Profile(OTHER)),
                ("the office", Resource::Office("social")),
                ("another office", Resource::Office("health")),
                (
                    "a list they sealed",
                    Resource::Round {
                        id: THING,
                        agency: "social",
                        sealed_by: ME,
                    },
                ),
                (
                    "a list a colleague sealed",
                    Resource::Round {
                        id: THING,
                        agency: "social",
                        sealed_by: OTHER,
                    },
                ),
                (
                    "a dataset about a case in review, for the dataset's purpose",
                    Resource::Lookup {
                        id: THING,
                        agency: "social",
                        state: "review",
                        dataset: "permits",
                        purposes: &codes("057"),
                    },
                ),
                (
                    "a dataset about a case in review, for another purpose",
                    Resource::Lookup {
                        id: THING,
                        agency: "social",
                        state: "review",
                        dataset: "permits",
                        purposes: &codes("063"),
                    },
                ),
                (
                    "a dataset about a completed case",
                    Resource::Lookup {
                        id: THING,
                        agency: "social",
                        state: "completed",
                        dataset: "permits",
                        purposes: &codes("057"),
                    },
                ),
                (
                    "a dataset of the office",
                    Resource::Dataset {
                        id: "permits",
                        steward: "social",
                    },
                ),
                (
                    "a dataset of another office",
                    Resource::Dataset {
                        id: "permits",
                        steward: "health",
                    },
                ),
                (
                    "a request about their own data",
                    Resource::Request {
                        id: THING,
                        owner: ME,
                        agency: Some("social"),
                    },
                ),
                (
                    "another's request about a case of the office",
                    Resource::Request {
                        id: THING,
                        owner: OTHER,
                        agency: Some("social"),
                    },
                ),
                (
                    "another's request about a case of another office",
                    Resource::Request {
                        id: THING,
                        owner: OTHER,
                        agency: Some("health"),
                    },
                ),
                (
                    "another's request about no case",
                    Resource::Request {
                        id: THING,
                        owner: OTHER,
                        agency: None,
                    },
                ),
                ("the register", Resource::Register(THING)),
                (
                    "a roll they drew up",
                    Resource::Roll {
                        id: THING,
                        agency: "social",
                        made_by: ME,
                    },
                ),
                (
                    "a roll a colleague drew up",
                    Resource::Roll {
                        id: THING,
                        agency: "social",
                        made_by: OTHER,
                    },
                ),
                (
                    "what their body confirms",
                    Resource::Confirmation {
                        id: THING,
                        body: "social",
                    },
                ),
                (
                    "what another body confirms",
                    Resource::Confirmation {
                        id: THING,
                        body: "health",
                    },
                ),
                (
                    "an authorisation they gave",
                    Resource::Authorisation {
                        id: THING,
                        principal: Some(ME),
                        person: Some(OTHER),
                        staff: Some(OTHER),
                    },
                ),
                (
                    "an authorisation given to them",
                    Resource::Authorisation {
                        id: THING,
                        principal: Some(OTHER),
                        person: Some(ME),
                        staff: Some(ME),
                    },
                ),
                (
                    "an authorisation between others",
                    Resource::Authorisation {
                        id: THING,
                        principal: Some(OTHER),
                        person: Some(OTHER),
                        staff: Some(OTHER),
                    },
                ),
                (
                    "invitations of the office",
                    Resource::Campaign {
                        id: THING,
                        agency: "social",
                    },
                ),
                (
                    "invitations of another office",
                    Resource::Campaign {
                        id: THING,
                        agency: "health",
                    },
                ),
                (
                    "an approval they asked for",
                    Resource::Approval { id: THING, made_by: ME },
                ),
                (
                    "an approval a colleague asked for",
                    Resource::Approval {
                        id: THING,
                        made_by: OTHER,
                    },
                ),
                ("a batch they made", Resource::Batch { id: THING, made_by: ME }),
                (
                    "a batch of a colleague",
                    Resource::Batch {
                        id: THING,
                        made_by: OTHER,
                    },
                ),
            ];
            let plan = |government, ministry, state, conflicted| Resource::Plan {
                id: THING,
                government,
                ministry,
                state,
                conflicted,
            };
            let others = others.into_iter().chain([
                ("a draft of their government", plan("social", "-", "draft", &[][..])),
                ("the sent plan of their government", plan("social", "-", "sent", &[])),
                ("a draft for their ministry", plan("-", "social", "draft", &[])),
                ("a plan sent to their ministry", plan("-", "social", "sent", &[])),
                (
                    "a plan sent to their ministry, in conflict",
                    plan("-", "social", "sent", &[ME]),
                ),
                (
                    "the corrected plan of their government",
                    plan("social", "-", "corrected", &[]),
                ),
                (
                    "a corrected plan of their ministry",
                    plan("-", "social", "corrected", &[]),
                ),
                ("a plan between others", plan("-", "-", "corrected", &[])),
            ]);
            for (what, resource) in others {
                if may(resource) {
                    writeln!(out, "  {action}: {what}").unwrap();
                }
            }
        }
    }
    out
}

#[test]
fn the_matrix_is_what_was_reviewed() {
    expect_file!["access.txt"].assert_eq(&table(&Access::built_in().unwrap()));
}

#[test]
fn the_policies_of_a_folder_are_the_ones_built_in() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies");
    let loaded = Access::load(std::path::Path::new(folder)).unwrap();
    assert_eq!(table(&loaded), table(&Access::built_in().unwrap()));
}

#[test]
fn nobody_may_do_anything_without_a_purpose() {
    let access = Access::built_in().unwrap();
    let case = Resource::Application {
        id: THING,
        owner: Some(ME),
        agency: "social",
        state: "review",
    };
    for (actor, action) in [
        (Actor::Resident(ME), "fill"),
        (Actor::System, "notify"),
        (
            Actor::Staff {
                id: OTHER,
                role: "officer",
                agency: "social",
            },
            "read",
        ),
    ] {
        assert!(access.decide(actor, action, case, purpose(action)).is_ok());
        for part in ["basis", "function"] {
            let mut lacking = purpose(action);
            if part == "basis" {
                lacking.basis.clear()
            } else {
                lacking.function.clear()
            }
            assert!(
                access.decide(actor, action, case, lacking).is_err(),
                "{action} without {part}"
            );
        }
    }
}
