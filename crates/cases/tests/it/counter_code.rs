//! MyData at the counter: the code, the one-time password, an agent's own number, and what opens nothing.

use cases::collect::MyDataState;
use cases::counter::{self, NewVisit};
use cases::{CaseError, Role};
use store::tables::{security_event, witness};

use crate::counter::{agent, document, handed_in, opened, served};
use crate::mydata::{Scene, scenes};
use crate::support::{ZH, national_id};

/// The person at the platform's pages: a code for some data sets; gives the code and the session of the page.
async fn box_of(scene: &Scene, number: u32, sets: &[&str]) -> (String, String) {
    let chosen: String = sets.iter().map(|set| format!("&resource={set}")).collect();
    let page = scene
        .at_platform("counter/box", &format!("pid={}{chosen}", national_id(number).reveal()))
        .await;
    (
        between(&page, "id=\"code\">", "<"),
        between(&page, "name=\"session\" value=\"", "\""),
    )
}

fn between(page: &str, open: &str, close: &str) -> String {
    let (_, rest) = page.split_once(open).unwrap_or_else(|| panic!("no `{open}` in {page}"));
    rest.split_once(close).unwrap().0.to_owned()
}

const SETS: [&str; 6] = [
    "API.HouseReg01",
    "API.IncomeYr01",
    "API.Property01",
    "API.Disabled01",
    "API.EntryExit1",
    "API.Welfare001",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_the_counter_brings_the_data_once() {
    scenes(Default::default(), |scene| async move {
        let kit = &scene.kit;
        let desk = &kit.desk;
        let (_, visit) = served(kit, "clerk", 1).await;
        let id = opened(kit, &visit).await;
        let (code, session) = box_of(&scene, 1, &SETS).await;
        let offer = counter::code(desk, &visit, id, &code.to_lowercase(), ZH).await.unwrap();
        assert_eq!(offer.sets.len(), 6);
        let page = scene
            .at_platform("counter/show", &format!("session={session}&act=look"))
            .await;
        let password = between(&page, "id=\"password\">", "<");
        let state = counter::password(desk, &visit, id, offer.transaction, &code, &password)
            .await
            .unwrap();
        assert_eq!(state, MyDataState::Arriving);
        kit.work().await;
        let draft = counter::draft(desk, &visit, id).await.unwrap();
        assert!(
            matches!(draft.mydata, MyDataState::Arrived { sets: 6, .. }),
            "{:?}",
            draft.mydata
        );
        assert_eq!(draft.answers.get("members.p1.house_value").unwrap().value, 350_000);
        assert_eq!(
            witness::of_application(desk.store.read(), id.uuid())
                .await
                .unwrap()
                .len(),
            2
        );
        assert!(scene.security_events().await.is_empty());
        // the same code again
        let used = counter::code(desk, &visit, id, &code, ZH).await;
        assert!(matches!(
            used,
            Err(CaseError::Input {
                field: "code",
                problem: "used"
            })
        ));
        assert_eq!(scene.security_events().await, ["mydata.counter"]);
        let receipt = handed_in(kit, &visit, id).await;
        assert_eq!(kit.row(receipt.id).await.uploads, 0);
    })
    .await;
}

/// An agent takes a person's data to the counter with their own number, and with the person's one-time password.
#[tokio::test(flavor = "multi_thread")]
async fn an_agents_number_opens_what_the_person_agreed_to() {
    scenes(Default::default(), |scene| async move {
        let kit = &scene.kit;
        let desk = &kit.desk;
        let clerk = kit.staff("clerk", Role::Clerk).await;
        let new = NewVisit {
            agent: Some(agent(2)),
            ..document(1)
        };
        counter::begin(desk, &clerk, new).await.unwrap();
        let visit = counter::current(desk, &clerk).await.unwrap().unwrap();
        let id = opened(kit, &visit).await;
        let (code, session) = box_of(&scene, 1, &SETS).await;
        let refused = |found: Result<counter::Offer, CaseError>| match found {
            Err(CaseError::Input { field, problem }) => (field, problem),
            other => panic!("{other:?}"),
        };
        // the person's own code in the hand of somebody else
        assert_eq!(
            refused(counter::code(desk, &visit, id, &code, ZH).await),
            ("code", "agent")
        );
        let agent_id = national_id(2).reveal().to_owned();
        let named = format!("session={session}&agent={agent_id}&birth=1950-03-15");
        let page = scene.at_platform("counter/agent/name", &named).await;
        assert!(page.contains("等代辦人同意"), "{page}");
        let asked = scene.at_platform("counter/agent", &format!("pid={agent_id}")).await;
        let own = between(&asked, "name=\"session\" value=\"", "\"");
        let agreed = scene
            .at_platform("counter/agent", &format!("pid={agent_id}&session={own}&act=agree"))
            .await;
        let number = between(&agreed, "id=\"number\">", "<");
        let offer = counter::code(desk, &visit, id, &number, ZH).await.unwrap();
        let page = scene
            .at_platform("counter/show", &format!("session={session}&act=look"))
            .await;
        let password = between(&page, "id=\"password\">", "<");
        counter::password(desk, &visit, id, offer.transaction, &number, &password)
            .await
            .unwrap();
        kit.work().await;
        let draft = counter::draft(desk, &visit, id).await.unwrap();
        assert!(matches!(draft.mydata, MyDataState::Arrived { sets: 6, .. }));
        assert_eq!(scene.security_events().await, ["mydata.counter"], "the first code");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_opens_nothing_is_told_apart_and_recorded() {
    scenes(Default::default(), |scene| async move {
        let kit = &scene.kit;
        let desk = &kit.desk;
        let (_, visit) = served(kit, "clerk", 1).await;
        let id = opened(kit, &visit).await;
        let refused = |found: Result<counter::Offer, CaseError>| match found {
            Err(CaseError::Input { field, problem }) => (field, problem),
            other => panic!("{other:?}"),
        };
        // a slip of the hand is no event; a code nobody has, or another person's, is
        assert_eq!(
            refused(counter::code(desk, &visit, id, "ABC", ZH).await),
            ("code", "form")
        );
        assert!(scene.security_events().await.is_empty());
        assert_eq!(
            refused(counter::code(desk, &visit, id, "ABCD2345", ZH).await),
            ("code", "unknown")
        );
        let (other, _) = box_of(&scene, 2, &SETS).await;
        assert_eq!(
            refused(counter::code(desk, &visit, id, &other, ZH).await),
            ("code", "other")
        );
        assert_eq!(scene.security_events().await.len(), 2);
        // no more is taken than the service uses, and a code with nothing of it is refused
        let (code, _) = box_of(&scene, 1, &["API.HouseReg01"]).await;
        let offer = counter::code(desk, &visit, id, &code, ZH).await.unwrap();
        assert_eq!(offer.sets, ["API.HouseReg01"]);
        // a wrong password, and one that is none
        for (password, problem) in [("12", "form"), ("abcdef", "form"), ("000000", "wrong")] {
            let found = counter::password(desk, &visit, id, offer.transaction, &code, password).await;
            match found {
                Err(CaseError::Input { field, problem: said }) => assert_eq!((field, said), ("password", problem)),
                other => panic!("{other:?}"),
            }
        }
        // somebody else's transaction
        let (_, stranger) = served(kit, "other", 2).await;
        let theirs = opened(kit, &stranger).await;
        let found = counter::password(desk, &stranger, theirs, offer.transaction, &code, "123456").await;
        assert!(matches!(found, Err(CaseError::NotFound(_))));
        // five mistakes close the counter
        for _ in 0..2 {
            counter::code(desk, &visit, id, "ZZZZ2345", ZH).await.unwrap_err();
        }
        assert_eq!(
            refused(counter::code(desk, &visit, id, &code, ZH).await),
            ("code", "locked")
        );
        let events = security_event::newest(desk.store.read(), None, 100).await.unwrap();
        assert!(
            events.iter().all(|event| !event.detail.contains(&code)),
            "no code is recorded"
        );
    })
    .await;
}
