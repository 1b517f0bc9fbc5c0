//! What a case refuses: acts out of their place, older revisions, other people.

use cases::staff::Role;
use cases::{CaseError, Person, Staff, State, collect, correct, measure, mine, pay, review};
use civic::ids::ApplicationId;
use jiff::civil::date;

use crate::support::{Kit, ZH, each_engine, raw};

/// Brings a new case of the person into a state.
async fn brought_to(kit: &Kit, person: &Person, officer: &Staff, state: State) -> ApplicationId {
    let desk = &kit.desk;
    if state == State::Draft {
        let id = kit.open(person).await;
        kit.fill(person, id).await;
        return id;
    }
    let (id, _) = kit.submitted(person).await;
    if state == State::Withdrawn {
        collect::withdraw(desk, person, id, kit.revision(id).await)
            .await
            .unwrap();
    }
    if matches!(state, State::Submitted | State::Withdrawn) {
        return id;
    }
    review::take(desk, officer, id, kit.revision(id).await).await.unwrap();
    let revision = kit.revision(id).await;
    match state {
        State::Correction => review::request_correction(desk, officer, id, revision, "請補。", date(2026, 12, 20))
            .await
            .unwrap(),
        State::Approved | State::Completed => review::approve(desk, officer, id, revision, "").await.unwrap(),
        State::Refused => review::refuse(desk, officer, id, revision, "資料不實。").await.unwrap(),
        _ => {}
    }
    if state == State::Completed {
        kit.wait(1);
        kit.work().await;
    }
    id
}

/// Every act of a person or an officer, and the states it has its place in.
async fn act(kit: &Kit, name: &str, person: &Person, officer: &Staff, id: ApplicationId) -> Result<(), CaseError> {
    let (desk, row) = (&kit.desk, kit.row(id).await);
    let revision = row.revision;
    match name {
        "submit" => collect::submit(desk, person, id, revision, uuid::Uuid::nil())
            .await
            .map(|_| ()),
        "save" => collect::save(
            desk,
            person,
            id,
            revision,
            "contact",
            raw(&[("phone", "0912345678"), ("registered_address", "臺中市西區民生路1號")]),
            ZH,
        )
        .await
        .map(|_| ()),
        "agree" => collect::agree(desk, person, id, ZH).await,
        "withdraw" => collect::withdraw(desk, person, id, revision).await,
        "correct" => correct::submit(desk, person, id, revision).await,
        "take" => review::take(desk, officer, id, revision).await,
        "give back" => review::give_back(desk, officer, id, revision).await,
        "approve" => review::approve(desk, officer, id, revision, "").await,
        "refuse" => review::refuse(desk, officer, id, revision, "資料不實。").await,
        "ask" => review::request_correction(desk, officer, id, revision, "請補。", date(2026, 12, 20)).await,
        "undo" => review::undo(desk, officer, id, revision).await,
        "answer survey" => measure::answer(desk, person, id, 5, "").await,
        _ => unreachable!(),
    }
}

const STATES: [State; 8] = [
    State::Draft,
    State::Submitted,
    State::Review,
    State::Correction,
    State::Approved,
    State::Refused,
    State::Withdrawn,
    State::Completed,
];

const ACTS: [(&str, &[State]); 12] = [
    ("submit", &[State::Draft]),
    ("save", &[State::Draft, State::Correction]),
    ("agree", &[State::Draft]),
    ("withdraw", &[State::Submitted, State::Review, State::Correction]),
    ("correct", &[State::Correction]),
    ("take", &[State::Submitted]),
    ("give back", &[State::Review]),
    ("approve", &[State::Review]),
    ("refuse", &[State::Review]),
    ("ask", &[State::Review]),
    ("undo", &[State::Approved, State::Refused]),
    ("answer survey", &[State::Completed]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_act_out_of_its_place_is_refused_with_a_reason_and_changes_nothing() {
    let kit = crate::support::sqlite().await;
    let officer = kit.staff("officer", Role::Officer).await;
    let mut number = 0;
    for state in STATES {
        number += 1;
        let mut person = kit.person(number).await;
        let mut id = brought_to(&kit, &person, &officer, state).await;
        for (name, places) in ACTS {
            let before = kit.row(id).await;
            assert_eq!(before.state, state);
            let result = act(&kit, name, &person, &officer, id).await;
            if places.contains(&state) {
                result.unwrap_or_else(|error| panic!("{name} in {state:?}: {error}"));
                // The case has moved on; the next act meets one that stands where this one stood.
                number += 1;
                person = kit.person(number).await;
                id = brought_to(&kit, &person, &officer, state).await;
            } else {
                let error = result.expect_err(&format!("{name} in {state:?}"));
                assert!(!error.to_string().is_empty());
                assert_eq!(kit.row(id).await, before, "{name} in {state:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_is_told_that_somebody_was_faster() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let person = kit.person(1).await;
        let (anna, bert) = (
            kit.staff("anna", Role::Officer).await,
            kit.staff("bert", Role::Officer).await,
        );
        let id = kit.open(&person).await;
        let contact = || raw(&[("phone", "0912345678"), ("registered_address", "臺中市西區民生路1號")]);
        let revision = kit.revision(id).await;
        collect::save(desk, &person, id, revision, "contact", contact(), ZH)
            .await
            .unwrap();
        assert!(matches!(
            collect::save(desk, &person, id, revision, "contact", contact(), ZH).await,
            Err(CaseError::Conflict(_))
        ));
        let draft = kit.fill(&person, id).await;
        assert!(matches!(
            collect::submit(desk, &person, id, revision, draft.form_token).await,
            Err(CaseError::Conflict(_))
        ));
        collect::submit(desk, &person, id, draft.revision, draft.form_token)
            .await
            .unwrap();
        let revision = kit.revision(id).await;
        let (one, other) = tokio::join!(
            review::take(desk, &anna, id, revision),
            review::take(desk, &bert, id, revision)
        );
        assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
        let holder = if one.is_ok() { &anna } else { &bert };
        let late = if one.is_ok() { &bert } else { &anna };
        assert_eq!(kit.row(id).await.assigned_to, Some(holder.id.uuid()));
        let revision = kit.revision(id).await;
        assert!(matches!(
            review::approve(desk, late, id, revision, "").await,
            Err(CaseError::Input { field: "assigned", .. })
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_what_is_not_theirs() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (owner, other) = (kit.person(1).await, kit.person(2).await);
        let (id, _) = kit.submitted(&owner).await;
        let entries = kit.ledger_holds().await;
        assert!(matches!(
            mine::case(desk, &other, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            collect::draft(desk, &other, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            collect::withdraw(desk, &other, id, 1).await,
            Err(CaseError::NotFound(_))
        ));
        for role in Role::ALL {
            let staff = kit.staff(role.word(), role).await;
            let decides = matches!(role, Role::Officer | Role::Supervisor);
            assert_eq!(review::case(desk, &staff, id).await.is_ok(), decides, "{role:?}");
            assert_eq!(
                review::queue(desk, &staff, &review::Filter::default(), 0, 10)
                    .await
                    .is_ok(),
                decides,
                "{role:?}"
            );
            assert_eq!(
                pay::overview(desk, &staff).await.is_ok(),
                role == Role::Cashier,
                "{role:?}"
            );
        }
        let mut stranger = kit.staff("stranger", Role::Officer).await;
        stranger.agency = "示範市政府衛生局".to_owned();
        assert!(matches!(
            review::case(desk, &stranger, id).await,
            Err(CaseError::Refused(_))
        ));
        assert_eq!(
            kit.ledger_holds().await,
            entries + 2,
            "each of the two who opened it stands in the ledger"
        );
        assert!(mine::uses(desk, &other, None, 10).await.unwrap().is_empty());
    })
    .await;
}
