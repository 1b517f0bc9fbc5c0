#![allow(clippy::unwrap_used)]
use civic::Purpose;
use uuid::Uuid;

use super::{Access, Actor, Resource};

fn purpose() -> Purpose {
    Purpose {
        code: "065".into(),
        basis: "老人福利法 §12".into(),
        function: "review".into(),
        application: None,
    }
}

const ME: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const CASE: Uuid = Uuid::from_u128(3);

fn staff<'a>(role: &'a str, agency: &'a str) -> Actor<'a> {
    Actor::Staff { id: ME, role, agency }
}

fn case(owner: Uuid, state: &'static str) -> Resource<'static> {
    Resource::Application {
        id: CASE,
        owner: Some(owner),
        agency: "social",
        state,
    }
}

#[test]
fn who_may_do_what() {
    let access = Access::built_in().unwrap();
    let batch = |made_by| Resource::Batch { id: CASE, made_by };
    let table = [
        (Actor::Resident(ME), "fill", case(ME, "draft"), true),
        (Actor::Resident(ME), "fill", case(OTHER, "draft"), false),
        (Actor::Resident(ME), "decide", case(ME, "review"), false),
        (Actor::Resident(ME), "profile", Resource::Profile(ME), true),
        (Actor::Resident(ME), "profile", Resource::Profile(OTHER), false),
        (staff("officer", "social"), "read", case(OTHER, "review"), true),
        (staff("officer", "health"), "read", case(OTHER, "review"), false),
        (staff("officer", "social"), "decide", case(OTHER, "disposed"), false),
        (staff("officer", "social"), "pay", Resource::Office("social"), false),
        (staff("cashier", "social"), "pay", case(OTHER, "completed"), true),
        (staff("cashier", "social"), "read", case(OTHER, "review"), false),
        (staff("cashier", "social"), "release", batch(OTHER), true),
        (staff("cashier", "social"), "release", batch(ME), false),
        (staff("supervisor", "social"), "release", batch(ME), false),
        (staff("auditor", "social"), "audit", Resource::Office("social"), true),
        (staff("auditor", "social"), "read", case(OTHER, "review"), false),
        (staff("administrator", "social"), "read", case(OTHER, "review"), false),
        (
            staff("administrator", "social"),
            "administer",
            Resource::Office("social"),
            true,
        ),
        (Actor::System, "import", case(OTHER, "draft"), true),
        (Actor::System, "decide", case(OTHER, "review"), false),
        (
            staff("officer", "social"),
            "no_such_action",
            case(OTHER, "review"),
            false,
        ),
    ];
    for (actor, action, resource, allowed) in table {
        assert_eq!(
            access.decide(actor, action, resource, purpose()).is_ok(),
            allowed,
            "{actor:?} {action} {resource:?}"
        );
    }
}

/// What is remembered of one question never answers another: neither while it is remembered nor when it has been forgotten.
#[test]
fn every_question_is_answered_for_itself() {
    let access = Access::built_in().unwrap();
    let fills = |resident, owner, state, purpose| {
        access
            .decide(Actor::Resident(resident), "fill", case(owner, state), purpose)
            .is_ok()
    };
    let nothing = Purpose {
        function: String::new(),
        ..purpose()
    };
    // more questions than are remembered, each unlike all others
    for round in 0..3000_u128 {
        let resident = Uuid::from_u128(1000 + round);
        for _ in 0..2 {
            assert!(fills(resident, resident, "draft", purpose()));
            assert!(!fills(resident, OTHER, "draft", purpose()));
            assert!(!fills(resident, resident, "disposed", purpose()));
            assert!(!fills(resident, resident, "draft", nothing.clone()));
        }
    }
    assert!(fills(Uuid::from_u128(1000), Uuid::from_u128(1000), "draft", purpose()));
}

#[test]
fn nothing_is_allowed_without_a_purpose() {
    let access = Access::built_in().unwrap();
    let none = Purpose {
        code: String::new(),
        basis: String::new(),
        function: String::new(),
        application: None,
    };
    assert!(
        access
            .decide(staff("officer", "social"), "read", case(OTHER, "review"), none)
            .is_err()
    );
}

#[test]
fn a_grant_covers_its_own_case_only() {
    let access = Access::built_in().unwrap();
    let grant = access
        .decide(Actor::Resident(ME), "fill", case(ME, "draft"), purpose())
        .unwrap();
    assert!(grant.covers("application", &CASE.to_string()));
    assert!(!grant.covers("application", &OTHER.to_string()));
    assert!(!grant.covers("person", &CASE.to_string()));
}

#[test]
fn policies_that_name_what_is_not_there_are_refused() {
    let wrong = "permit (principal is Staff, action == Action::\"read\", resource is Application) when { principal.rank == 1 };";
    let schema = include_str!("../../../../policies/tongban.cedarschema");
    assert!(Access::read(wrong, schema).is_err());
    assert!(Access::read("permit (", schema).is_err());
}
