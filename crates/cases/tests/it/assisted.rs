//! Who acts through an organisation, and the village officer's assisted session with the resident's one-time password.

use cases::agents::{self, AssistError, Kind, NewAssistance, NewAuthorisation, Party, To, act};
use cases::staff::{NewStaff, Role, Staff};
use cases::{CaseError, Person, collect, jobs, mine, staff};
use jiff::civil::date;
use store::ledger::ActorKind;
use store::tables::{authorisation, security_event};
use zeroize::Zeroizing;

use crate::agents::{USUAL, is_refused, kinds, opened, shown, to_person};
use crate::support::{Kit, SERVICE, each_engine, national_id};

async fn account(kit: &Kit, name: &str, role: Role, agency: &str) -> Staff {
    let new = NewStaff {
        account: name.to_owned(),
        name: format!("{name} 先生"),
        role,
        agency: agency.to_owned(),
        password: Zeroizing::new("a long enough password".to_owned()),
        totp_secret: Zeroizing::new(vec![7; 20]),
    };
    let id = staff::add(&kit.desk, new).await.unwrap();
    staff::get(&kit.desk, id).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_acts_through_its_own_people() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        agents::add(desk, "04595257", "長照協會").await.unwrap();
        assert!(matches!(agents::add(desk, "04595257", "又一個").await, Err(CaseError::Store(error)) if error.is_duplicate()));
        assert!(matches!(agents::add(desk, "12345678", "不對").await, Err(CaseError::Input { .. })));
        let mother = kit.person(1).await;
        let worker = account(&kit, "worker", Role::Organisation, "04595257").await;
        let stranger = account(&kit, "stranger", Role::Organisation, "22099131").await;
        let new = NewAuthorisation {
            to: To::Organisation { number: "０４５９５２５７".to_owned() },
            ..to_person(2, &USUAL, date(2027, 1, 1))
        };
        let id = agents::give(desk, &mother, new).await.unwrap();
        assert!(agents::entrusted(desk, &Party::Staff(&stranger)).await.unwrap().is_empty());
        let party = Party::Staff(&worker);
        let view = agents::one(desk, &party, id).await.unwrap();
        assert_eq!((view.kind, view.agent.as_str()), (Kind::Organisation, "長照協會"));
        agents::accept(desk, &party, id, view.revision, shown()).await.unwrap();
        assert!(matches!(act(desk, &Party::Staff(&stranger), id).await, Err(CaseError::Stopped)));
        let person = act(desk, &party, id).await.unwrap();
        let case = opened(&kit, &person).await;
        let draft = kit.fill(&person, case).await;
        collect::submit(desk, &person, case, draft.revision, draft.form_token).await.unwrap();
        let seen = mine::case(desk, &mother, case).await.unwrap();
        assert_eq!(seen.events[0].name.as_deref(), Some("長照協會（worker 先生）"));
        let done = agents::done(desk, Some(&mother), None, id).await.unwrap();
        assert!(done.iter().all(|one| one.entry.actor == ActorKind::Organisation || one.entry.action == "accept"));
        assert!(done.iter().any(|one| one.entry.action == "submit"));
        // closed by the city: nobody acts for it any more
        agents::close(desk, "04595257").await.unwrap();
        assert!(matches!(act(desk, &party, id).await, Err(CaseError::Stopped)));
        assert!(matches!(agents::close(desk, "99999999").await, Err(CaseError::NotFound(_))));
    })
    .await;
}

/// The password in the newest notice of a person.
async fn password(kit: &Kit, person: &Person) -> String {
    let notices = agents::notices(&kit.desk, person).await.unwrap();
    let text = &notices
        .iter()
        .find(|one| one.text.contains("一次性") || one.subject.contains("一次性"))
        .unwrap()
        .text;
    let digits = text
        .lines()
        .find(|line| line.len() == 6 && line.bytes().all(|c| c.is_ascii_digit()));
    digits.unwrap().to_owned()
}

fn assistance(number: u32) -> NewAssistance {
    NewAssistance {
        national_id: national_id(number).reveal().to_owned(),
        services: vec![SERVICE.to_owned()],
        powers: USUAL.to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_village_officer_assists_who_tells_the_password() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (elder, village) = (kit.person(1).await, kit.staff("village", Role::VillageOfficer).await);
        let officer = kit.staff("officer", Role::Officer).await;
        assert!(is_refused(agents::ask(desk, &officer, assistance(1), "").await));
        let unknown = agents::ask(desk, &village, assistance(77), "10.0.0.1").await;
        assert!(matches!(
            unknown,
            Err(CaseError::Input {
                field: "national_id",
                problem: "unknown"
            })
        ));
        let id = agents::ask(desk, &village, assistance(1), "").await.unwrap();
        let party = Party::Staff(&village);
        assert!(
            matches!(act(desk, &party, id).await, Err(CaseError::Stopped)),
            "not before the password"
        );
        let accepted = agents::accept(desk, &party, id, 1, shown()).await;
        assert!(matches!(accepted, Err(CaseError::NotFound(_))), "a password is needed");
        let right = password(&kit, &elder).await;
        let wrong = if right == "000000" { "000001" } else { "000000" };
        let refused = agents::begin(desk, &village, id, wrong, "10.0.0.1").await;
        assert!(matches!(refused, Err(AssistError::Wrong { left: 4 })));
        let colleague = kit.staff("village2", Role::VillageOfficer).await;
        let theirs = agents::begin(desk, &colleague, id, &right, "").await;
        assert!(matches!(theirs, Err(AssistError::Case(CaseError::NotFound(_)))));
        let spaced = format!(" {} {} ", &right[..3], &right[3..]);
        agents::begin(desk, &village, id, &spaced, "").await.unwrap();
        let again = agents::begin(desk, &village, id, &right, "").await;
        assert!(matches!(again, Err(AssistError::Over)), "a password begins one session");
        assert!(kinds(&kit, &elder).await.contains(&"assist-begun".to_owned()));
        let person = act(desk, &party, id).await.unwrap();
        let case = opened(&kit, &person).await;
        let draft = kit.fill(&person, case).await;
        collect::submit(desk, &person, case, draft.revision, draft.form_token)
            .await
            .unwrap();
        let seen = mine::case(desk, &elder, case).await.unwrap();
        assert_eq!(
            (seen.events[0].actor.as_str(), seen.events[0].name.as_deref()),
            ("assistant", Some("village 先生"))
        );

        // without use it ends; used it goes on, but not for ever
        kit.clock.advance(jiff::SignedDuration::from_mins(14));
        act(desk, &party, id).await.unwrap();
        kit.clock.advance(jiff::SignedDuration::from_mins(14));
        act(desk, &party, id).await.unwrap();
        kit.clock.advance(jiff::SignedDuration::from_mins(15));
        assert!(matches!(act(desk, &party, id).await, Err(CaseError::Stopped)));
        assert_eq!(jobs::tidy(desk).await.unwrap().agents, 1);
        assert!(matches!(
            agents::begin(desk, &village, id, &right, "").await,
            Err(AssistError::Over)
        ));
        let events = security_event::newest(desk.store.read(), Some("assist."), 50)
            .await
            .unwrap();
        assert!(events.len() >= 3, "{events:?}");
        assert!(events.iter().all(|one| !one.detail.contains(&right)));

        // the resident ends a running one from their own page
        kit.wait(2);
        let id = agents::ask(desk, &village, assistance(1), "").await.unwrap();
        let right = password(&kit, &elder).await;
        agents::begin(desk, &village, id, &right, "").await.unwrap();
        act(desk, &party, id).await.unwrap();
        agents::revoke(desk, &elder, id).await.unwrap();
        assert!(matches!(act(desk, &party, id).await, Err(CaseError::Stopped)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_late_after_minutes_and_gone_after_wrong_tries_also_many_at_once() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (elder, village) = (kit.person(1).await, kit.staff("village", Role::VillageOfficer).await);
        let id = agents::ask(desk, &village, assistance(1), "").await.unwrap();
        let right = password(&kit, &elder).await;
        kit.clock.advance(jiff::SignedDuration::from_mins(5));
        assert!(matches!(
            agents::begin(desk, &village, id, &right, "").await,
            Err(AssistError::Over)
        ));
        // twenty guesses at the same moment are five
        let id = agents::ask(desk, &village, assistance(1), "").await.unwrap();
        let right = password(&kit, &elder).await;
        let guesses: Vec<String> = (0..20_u32)
            .map(|n| format!("{n:06}"))
            .filter(|guess| *guess != right)
            .collect();
        let tries = guesses
            .iter()
            .map(|guess| agents::begin(desk, &village, id, guess, "10.0.0.1"));
        let all = futures(tries.collect()).await;
        let counted = all
            .iter()
            .filter(|one| matches!(one, Err(AssistError::Wrong { .. })))
            .count();
        assert_eq!(counted, 4, "the fifth wrong one ends it");
        let row = authorisation::by_id(desk.store.read(), id.uuid())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (row.tries, row.state.as_str(), row.ended_by.as_deref()),
            (5, "ended", Some("tries"))
        );
        assert!(matches!(
            agents::begin(desk, &village, id, &right, "").await,
            Err(AssistError::Over)
        ));
        // and a resident is not flooded with passwords
        for _ in 0..3 {
            agents::ask(desk, &village, assistance(1), "").await.unwrap();
        }
        let flood = agents::ask(desk, &village, assistance(1), "").await;
        assert!(matches!(
            flood,
            Err(CaseError::Input {
                field: "national_id",
                problem: "too_many"
            })
        ));
    })
    .await;
}

/// All at once.
async fn futures<T>(all: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        let mut waits = false;
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *slot = Some(value),
                    std::task::Poll::Pending => waits = true,
                }
            }
        }
        if waits {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
