//! Digital agents: what is entrusted and nothing else, recorded, told, and ended at once.

use cases::agents::{self, NewAuthorisation, Party, Power, Shown, Standing, To, act};
use cases::staff::Role;
use cases::{CaseError, Person, State, appeal, collect, correct, dispose, jobs, measure, mine, pay, review, roll};
use civic::Channel;
use civic::ids::{ApplicationId, AuthorisationId};
use jiff::ToSpan as _;
use jiff::civil::date;
use store::ledger::ActorKind;
use store::tables::{authorisation, consent, event, notice};

use crate::support::{Kit, SERVICE, ZH, each_engine, national_id, raw, sqlite};

pub const USUAL: [Power; 5] = [
    Power::Fill,
    Power::Submit,
    Power::Correct,
    Power::Letters,
    Power::Account,
];

pub fn to_person(number: u32, powers: &[Power], until: jiff::civil::Date) -> NewAuthorisation {
    NewAuthorisation {
        to: To::Person {
            national_id: national_id(number).reveal().to_owned(),
            name: "女兒".to_owned(),
        },
        services: vec![SERVICE.to_owned()],
        powers: powers.to_vec(),
        until: Some(until),
        email: String::new(),
    }
}

pub fn shown() -> Shown {
    Shown {
        digest: "0".repeat(64),
        language: ZH,
    }
}

/// The principal has authorised the agent, who accepted.
pub async fn entrusted(
    kit: &Kit,
    principal: &Person,
    agent: &Person,
    number: u32,
    powers: &[Power],
) -> AuthorisationId {
    let id = agents::give(&kit.desk, principal, to_person(number, powers, date(2027, 2, 1)))
        .await
        .unwrap();
    accept(kit, agent, id).await.unwrap();
    id
}

pub async fn accept(kit: &Kit, agent: &Person, id: AuthorisationId) -> Result<(), CaseError> {
    let party = Party::Person(agent);
    let view = agents::one(&kit.desk, &party, id).await?;
    agents::accept(&kit.desk, &party, id, view.revision, shown()).await
}

pub async fn acting(kit: &Kit, agent: &Person, id: AuthorisationId) -> Person {
    act(&kit.desk, &Party::Person(agent), id).await.unwrap()
}

/// An application opened by who acts, with the notice agreed to.
pub async fn opened(kit: &Kit, person: &Person) -> ApplicationId {
    let id = collect::open(&kit.desk, person, SERVICE, person.channel(), ZH)
        .await
        .unwrap();
    collect::agree(&kit.desk, person, id, ZH).await.unwrap();
    id
}

pub fn is_refused<T>(result: Result<T, CaseError>) -> bool {
    matches!(result, Err(CaseError::Refused(_)))
}

pub async fn kinds(kit: &Kit, person: &Person) -> Vec<String> {
    let rows = notice::of_person(kit.desk.store.read(), person.id.uuid(), 50)
        .await
        .unwrap();
    let mut kinds: Vec<String> = rows.into_iter().map(|row| row.kind).collect();
    kinds.sort();
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daughter_applies_for_her_mother_and_both_read_everything() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
        let id = entrusted(&kit, &mother, &daughter, 2, &USUAL).await;
        let person = acting(&kit, &daughter, id).await;
        assert_eq!((person.id, person.channel()), (mother.id, Channel::Agent));
        assert_eq!(
            (&person.email, &person.phone),
            (&None, &None),
            "the account is the mother's own"
        );

        let case = opened(&kit, &person).await;
        assert_eq!(opened(&kit, &person).await, case, "the one draft goes on");
        let draft = kit.fill(&person, case).await;
        assert_eq!(draft.answers.value("members.p1.name").unwrap(), "林阿梅1");
        assert_eq!(
            draft.answers.value("members.p1.national_id"),
            None,
            "her number is not shown"
        );
        let receipt = collect::submit(desk, &person, case, draft.revision, draft.form_token)
            .await
            .unwrap();
        assert_eq!(kit.row(case).await.channel, "agent");
        assert_eq!(
            measure::count(desk, &measure::Period::default()).await.unwrap().agent,
            1
        );
        let mut told = kinds(&kit, &mother).await;
        told.dedup();
        assert_eq!(told, ["agent-accepted", "agent-offered", "agent-submitted"]);
        let notices = agents::notices(desk, &mother).await.unwrap();
        assert!(
            notices
                .iter()
                .any(|one| one.text.contains(&receipt.number) && one.text.contains("林阿梅2"))
        );
        assert!(notices.iter().all(|one| !one.text.contains('{')), "no word is missing");

        // The history and the ledger have the daughter as the actor, the mother as the subject; both read the same.
        let events = event::of_application(desk.store.read(), case.uuid()).await.unwrap();
        assert_eq!(events[0].actor_id, Some(daughter.id.uuid()));
        let seen = mine::case(desk, &mother, case).await.unwrap();
        assert_eq!(
            (seen.events[0].actor.as_str(), seen.events[0].name.as_deref()),
            ("agent", Some("林阿梅2"))
        );
        let officer = kit.staff("officer", Role::Officer).await;
        let file = review::case(desk, &officer, case).await.unwrap();
        assert_eq!(
            file.events[0].name.as_deref(),
            Some("林阿梅2"),
            "the officer sees who acted"
        );
        let hers = agents::done(desk, Some(&mother), None, id).await.unwrap();
        let own = agents::done(desk, None, Some(&Party::Person(&daughter)), id)
            .await
            .unwrap();
        assert_eq!(hers, own);
        for action in ["accept", "open", "fill", "view", "submit"] {
            assert!(hers.iter().any(|one| one.entry.action == action), "{action}");
        }
        for one in &hers {
            assert_eq!(
                (one.entry.actor, one.entry.actor_id),
                (ActorKind::Resident, Some(daughter.id.uuid()))
            );
            assert_eq!(one.entry.subject, Some(mother.lookup));
        }
        let uses = mine::uses(desk, &mother, None, 1000).await.unwrap();
        assert!(hers.iter().all(|one| uses.contains(one)));
        assert!(
            mine::uses(desk, &daughter, None, 1000).await.unwrap().is_empty(),
            "nothing of it is about the daughter"
        );
        let consents = consent::of_application(desk.store.read(), case.uuid()).await.unwrap();
        assert_eq!(consents.len(), 1);

        // A correction, and the letter; then the mother ends it.
        review::take(desk, &officer, case, kit.revision(case).await)
            .await
            .unwrap();
        review::request_correction(
            desk,
            &officer,
            case,
            kit.revision(case).await,
            "請再確認帳號。",
            date(2026, 12, 10),
        )
        .await
        .unwrap();
        let view = mine::case(desk, &person, case).await.unwrap();
        assert!(view.may_correct && view.survey.is_none() && !view.can_withdraw);
        assert!(
            mine::letter(desk, &person, view.letters[0].id)
                .await
                .unwrap()
                .starts_with(b"%PDF")
        );
        let account = raw(&[("account.bank", "812"), ("account.account", "1234567890123")]);
        let draft = collect::save(desk, &person, case, view.mine.revision, "payment", account, ZH)
            .await
            .unwrap();
        correct::submit(desk, &person, case, draft.revision).await.unwrap();
        agents::revoke(desk, &mother, id).await.unwrap();
        agents::revoke(desk, &mother, id).await.unwrap();
        let stopped = act(desk, &Party::Person(&daughter), id).await;
        assert!(matches!(stopped, Err(CaseError::Stopped)));
        assert!(kinds(&kit, &daughter).await.contains(&"agent-over".to_owned()));
        let after = agents::done(desk, None, Some(&Party::Person(&daughter)), id)
            .await
            .unwrap();
        assert!(after.len() > own.len(), "what she did she can still read");
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_gets_nothing_that_was_not_entrusted() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
        let officer = kit.staff("officer", Role::Officer).await;
        let (earlier, _) = kit.submitted(&mother).await;
        kit.approved(&officer, earlier).await;
        let id = entrusted(&kit, &mother, &daughter, 2, &[Power::Fill]).await;
        let person = acting(&kit, &daughter, id).await;

        assert!(
            mine::cases(desk, &person).await.unwrap().is_empty(),
            "what she made herself is not entrusted"
        );
        assert!(is_refused(mine::case(desk, &person, earlier).await));
        assert!(is_refused(collect::draft(desk, &person, earlier).await));
        let letter = mine::case(desk, &mother, earlier).await.unwrap().letters[0].id;
        assert!(is_refused(mine::letter(desk, &person, letter).await));
        assert!(is_refused(measure::survey(desk, &person, earlier).await));
        assert!(is_refused(measure::answer(desk, &person, earlier, 5, "").await));
        assert!(is_refused(mine::uses(desk, &person, None, 10).await));
        assert!(is_refused(agents::given(desk, &person).await));
        assert!(is_refused(agents::notices(desk, &person).await));
        assert!(is_refused(
            agents::give(desk, &person, to_person(3, &USUAL, date(2027, 1, 1))).await
        ));
        assert!(is_refused(agents::revoke(desk, &person, id).await));
        for service in ["low-income", "social-housing"] {
            assert!(
                is_refused(collect::open(desk, &person, service, Channel::Agent, ZH).await),
                "{service}"
            );
        }
        // in the case she opened: to fill, not to send, take back, or ask MyData
        let case = opened(&kit, &person).await;
        let draft = kit.fill(&person, case).await;
        assert!(is_refused(
            collect::submit(desk, &person, case, draft.revision, draft.form_token).await
        ));
        assert!(is_refused(collect::withdraw(desk, &person, case, draft.revision).await));
        assert!(is_refused(collect::mydata::begin(desk, &person, case, ZH).await));
        assert_eq!(kit.row(case).await.state, State::Draft);
        assert!(draft.waits_for_account, "where the money goes is not hers to say");
        // the mother does it; the daughter sees the case, not its letters or payments
        let draft = kit.fill(&mother, case).await;
        collect::submit(desk, &mother, case, draft.revision, draft.form_token)
            .await
            .unwrap();
        let other = kit.staff("officer2", Role::Officer).await;
        kit.approved(&other, case).await;
        let view = mine::case(desk, &person, case).await.unwrap();
        assert!(view.letters.is_empty() && view.payments.is_empty() && view.survey.is_none() && !view.can_withdraw);
        let letter = mine::case(desk, &mother, case).await.unwrap().letters[0].id;
        assert!(is_refused(mine::letter(desk, &person, letter).await));
        // the survey is the mother's
        measure::answer(desk, &mother, case, 5, "").await.unwrap();
        // and a stranger gets nothing at all
        let stranger = kit.person(9).await;
        let party = Party::Person(&stranger);
        assert!(matches!(act(desk, &party, id).await, Err(CaseError::Stopped)));
        assert!(matches!(
            agents::one(desk, &party, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            agents::accept(desk, &party, id, 1, shown()).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            agents::decline(desk, &party, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            agents::leave(desk, &party, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            agents::revoke(desk, &stranger, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(matches!(
            agents::done(desk, Some(&stranger), None, id).await,
            Err(CaseError::NotFound(_))
        ));
        assert!(agents::entrusted(desk, &party).await.unwrap().is_empty());
        assert!(agents::given(desk, &stranger).await.unwrap().is_empty());
        // an officer's account is no agent's
        let officers = Party::Staff(&officer);
        assert!(matches!(act(desk, &officers, id).await, Err(CaseError::Stopped)));
        assert!(agents::entrusted(desk, &officers).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_may_not_see_they_cannot_change() {
    let kit = sqlite().await;
    let desk = &kit.desk;
    let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
    // the mother's own draft, with her account in it
    let case = kit.open(&mother).await;
    let draft = kit.fill(&mother, case).await;
    assert!(draft.answers.value("account").is_some());
    let id = entrusted(
        &kit,
        &mother,
        &daughter,
        2,
        &[Power::Fill, Power::Submit, Power::Earlier],
    )
    .await;
    let person = acting(&kit, &daughter, id).await;
    let draft = collect::draft(desk, &person, case).await.unwrap();
    assert_eq!(draft.answers.value("account"), None);
    assert_eq!(draft.answers.value("members.p1.national_id"), None);
    assert_eq!(draft.answers.value("members.p1.name").unwrap(), "林阿梅1");
    assert!(draft.questions.is_empty(), "what is hidden is not asked again");
    let theft = raw(&[("account.bank", "812"), ("account.account", "9999999999999")]);
    assert!(is_refused(
        collect::save(desk, &person, case, draft.revision, "payment", theft.clone(), ZH).await
    ));
    let mut named = theft;
    named.insert(services::form::SHOWN.to_owned(), vec!["account".to_owned()]);
    assert!(is_refused(
        collect::save(desk, &person, case, draft.revision, "payment", named, ZH).await
    ));
    let kept = collect::draft(desk, &mother, case).await.unwrap();
    assert_eq!(kept.answers.value("account").unwrap()["account"], "00012345678901");
    // a page without it she may change, and nothing hidden is lost by that
    let contact = raw(&[
        ("phone", "0987654321"),
        ("email", "other@people.example"),
        ("registered_address", "臺中市西區民生路2號"),
    ]);
    let mut named = contact;
    named.insert(services::form::SHOWN.to_owned(), vec!["registered_address".to_owned()]);
    collect::save(desk, &person, case, draft.revision, "contact", named, ZH)
        .await
        .unwrap();
    let after = collect::draft(desk, &mother, case).await.unwrap();
    assert_eq!(after.answers.value("account").unwrap()["account"], "00012345678901");
    assert_eq!(
        after.answers.value("registered_address").unwrap(),
        "臺中市西區民生路2號"
    );
    // with the power she sees it
    let more = entrusted(
        &kit,
        &mother,
        &daughter,
        2,
        &[Power::Fill, Power::Earlier, Power::Account, Power::Profile],
    )
    .await;
    let person = acting(&kit, &daughter, more).await;
    assert!(person.email.is_some());
    let draft = collect::draft(desk, &person, case).await.unwrap();
    assert!(draft.answers.value("account").is_some() && draft.answers.value("members.p1.national_id").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_effective_at_once_also_for_what_is_under_way() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
        for by_agent in [false, true] {
            let id = entrusted(&kit, &mother, &daughter, 2, &[&USUAL[..], &[Power::Earlier]].concat()).await;
            let person = acting(&kit, &daughter, id).await;
            let case = opened(&kit, &person).await;
            let draft = kit.fill(&person, case).await;
            if by_agent {
                agents::leave(desk, &Party::Person(&daughter), id).await.unwrap();
            } else {
                agents::revoke(desk, &mother, id).await.unwrap();
            }
            let before = kit.row(case).await;
            // a request that had begun before: everything that writes is refused in its transaction
            let page = raw(&[("account.bank", "812"), ("account.account", "1234567890123")]);
            for stopped in [
                collect::submit(desk, &person, case, draft.revision, draft.form_token)
                    .await
                    .map(|_| ()),
                collect::save(desk, &person, case, draft.revision, "payment", page, ZH)
                    .await
                    .map(|_| ()),
                collect::members(desk, &person, case, draft.revision, collect::Members::Complete)
                    .await
                    .map(|_| ()),
            ] {
                assert!(matches!(stopped, Err(CaseError::Stopped)), "{stopped:?}");
            }
            assert_eq!(kit.row(case).await, before);
            let view = agents::given(desk, &mother).await.unwrap();
            let view = view.iter().find(|view| view.id == id).unwrap();
            assert_eq!(view.standing, Standing::Ended);
            assert_eq!(
                view.ended_by.as_deref(),
                Some(if by_agent { "agent" } else { "principal" })
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_given_is_refused_with_its_field() {
    let kit = sqlite().await;
    let desk = &kit.desk;
    let mother = kit.person(1).await;
    let today = desk.today();
    let person = |id: &str, name: &str| To::Person {
        national_id: id.to_owned(),
        name: name.to_owned(),
    };
    let id = national_id(2);
    let new = |to| NewAuthorisation {
        to,
        ..to_person(2, &USUAL, today)
    };
    let organisation = |number: &str| To::Organisation {
        number: number.to_owned(),
    };
    let good = || new(person(id.reveal(), "女兒"));
    let bad = [
        ("national_id", "unusable", new(person("B20000000", "女兒"))),
        ("national_id", "oneself", new(person(mother.national_id.reveal(), "我"))),
        ("name", "empty", new(person(id.reveal(), "　 "))),
        ("name", "too_long", new(person(id.reveal(), &"林".repeat(61)))),
        ("number", "unusable", new(organisation("12345678"))),
        ("number", "not_registered", new(organisation("04595257"))),
        (
            "services",
            "empty",
            NewAuthorisation {
                services: Vec::new(),
                ..good()
            },
        ),
        (
            "services",
            "not_offered",
            NewAuthorisation {
                services: vec!["../other".to_owned()],
                ..good()
            },
        ),
        (
            "powers",
            "empty",
            NewAuthorisation {
                powers: Vec::new(),
                ..good()
            },
        ),
        ("until", "empty", NewAuthorisation { until: None, ..good() }),
        (
            "until",
            "past",
            NewAuthorisation {
                until: Some(today.saturating_sub(1.day())),
                ..good()
            },
        ),
        (
            "until",
            "too_long",
            NewAuthorisation {
                until: Some(today.saturating_add(366.days())),
                ..good()
            },
        ),
        (
            "email",
            "unusable",
            NewAuthorisation {
                email: "a@b\r\nBcc: c@d.tw".to_owned(),
                ..good()
            },
        ),
    ];
    for (field, problem, new) in bad {
        match agents::give(desk, &mother, new).await {
            Err(CaseError::Input { field: f, problem: p }) => assert_eq!((f, p), (field, problem)),
            other => panic!("{field} {problem}: {other:?}"),
        }
    }
    assert!(agents::given(desk, &mother).await.unwrap().is_empty());
    // the last day of a year is one, and three agents are as many as the law allows
    for number in 2..5 {
        let new = to_person(number, &USUAL, today.saturating_add(365.days()));
        agents::give(desk, &mother, new).await.unwrap();
    }
    let fourth = agents::give(desk, &mother, to_person(5, &USUAL, today)).await;
    assert!(matches!(
        fourth,
        Err(CaseError::Input {
            field: "services",
            problem: "too_many"
        })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_an_account_finds_the_offer_when_they_sign_in() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let mother = kit.person(1).await;
        let id = agents::give(desk, &mother, to_person(7, &USUAL, date(2026, 12, 31)))
            .await
            .unwrap();
        let row = authorisation::by_id(desk.store.read(), id.uuid())
            .await
            .unwrap()
            .unwrap();
        let kept = row.sealed.unwrap();
        assert!(!String::from_utf8_lossy(&kept).contains("女兒"), "names are sealed");
        let agent = kit.person(7).await;
        let found = agents::entrusted(desk, &Party::Person(&agent)).await.unwrap();
        assert_eq!((found.len(), found[0].principal.as_str()), (1, "林阿梅1"));
        assert!(
            matches!(act(desk, &Party::Person(&agent), id).await, Err(CaseError::Stopped)),
            "not accepted yet"
        );
        let other = agents::accept(desk, &Party::Person(&agent), id, found[0].revision + 1, shown()).await;
        assert!(
            matches!(other, Err(CaseError::Conflict(_))),
            "what was not seen is not accepted"
        );
        agents::decline(desk, &Party::Person(&agent), id).await.unwrap();
        assert!(matches!(accept(&kit, &agent, id).await, Err(CaseError::Stopped)));
        assert_eq!(kinds(&kit, &mother).await, ["agent-declined", "agent-offered"]);

        // an offer lapses after thirty days, an authorisation after its last day; in the end the names go with the key
        let late = agents::give(desk, &mother, to_person(7, &USUAL, date(2027, 6, 1)))
            .await
            .unwrap();
        let used = entrusted(&kit, &mother, &agent, 7, &USUAL).await;
        kit.wait(31 * 24);
        assert!(matches!(accept(&kit, &agent, late).await, Err(CaseError::Stopped)));
        assert_eq!(jobs::tidy(desk).await.unwrap().agents, 1);
        kit.wait(60 * 24);
        assert!(matches!(
            act(desk, &Party::Person(&agent), used).await,
            Err(CaseError::Stopped)
        ));
        assert_eq!(jobs::tidy(desk).await.unwrap().agents, 1);
        assert_eq!(jobs::tidy(desk).await.unwrap().agents, 0);
        assert!(kinds(&kit, &mother).await.contains(&"agent-ended".to_owned()));
        kit.wait((5 * 365 + 1) * 24);
        assert_eq!(jobs::tidy(desk).await.unwrap().agents, 3);
        let row = authorisation::by_id(desk.store.read(), used.uuid())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (row.state.as_str(), row.sealed, row.principal_id, row.agent_lookup),
            ("disposed", None, None, None)
        );
        assert!(agents::given(desk, &mother).await.unwrap().is_empty());
        assert!(agents::notices(desk, &mother).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_given_only_where_the_principal_said_so() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
        let all_but: Vec<Power> = Power::ALL
            .into_iter()
            .filter(|power| *power != Power::Account)
            .collect();
        let id = entrusted(&kit, &mother, &daughter, 2, &all_but).await;
        let person = acting(&kit, &daughter, id).await;
        let case = opened(&kit, &person).await;
        let draft = kit.fill(&person, case).await;
        assert!(draft.questions.is_empty() && draft.waits_for_account && !draft.may_account);
        let account = raw(&[
            (services::form::SHOWN, "account"),
            ("account.bank", "812"),
            ("account.account", "9999999999999"),
        ]);
        // also in the case she opened herself, where nothing is given yet
        let theft = collect::save(desk, &person, case, draft.revision, "payment", account.clone(), ZH).await;
        assert!(is_refused(theft));
        let sent = collect::submit(desk, &person, case, draft.revision, draft.form_token).await;
        assert!(
            matches!(&sent, Err(CaseError::Incomplete(pages)) if pages == &["payment"]),
            "{sent:?}"
        );
        let given = kit.fill(&mother, case).await;
        assert!(given.answers.value("account").is_some() && !given.waits_for_account);
        let draft = collect::draft(desk, &person, case).await.unwrap();
        assert_eq!(draft.answers.value("account"), None, "nor does she see it");
        assert!(!draft.waits_for_account);
        collect::submit(desk, &person, case, draft.revision, draft.form_token)
            .await
            .unwrap();
        let officer = kit.staff("officer", Role::Officer).await;
        kit.approved(&officer, case).await;
        assert!(is_refused(pay::new_account(desk, &person, case, account, ZH).await));
        assert!(!mine::case(desk, &person, case).await.unwrap().account_refused);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_the_principals_own_is_no_agents_with_every_power() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
        let id = entrusted(&kit, &mother, &daughter, 2, &Power::ALL).await;
        let person = acting(&kit, &daughter, id).await;
        let case = opened(&kit, &person).await;
        let draft = kit.fill(&person, case).await;
        collect::submit(desk, &person, case, draft.revision, draft.form_token)
            .await
            .unwrap();
        let revision = kit.revision(case).await;
        assert!(is_refused(roll::object(desk, &person, case, revision, "不服").await));
        let officer = kit.staff("officer", Role::Officer).await;
        kit.approved(&officer, case).await;
        assert!(is_refused(appeal::mine(desk, &person, case).await));
        assert!(is_refused(appeal::lodge(desk, &person, case, "不服").await));
        assert!(is_refused(measure::answer(desk, &person, case, 5, "").await));
        assert!(is_refused(
            agents::give(desk, &person, to_person(3, &USUAL, date(2027, 1, 1))).await
        ));
        // the mother does, and her agent can't take it back either
        appeal::lodge(desk, &mother, case, "不服").await.unwrap();
        let appeals = appeal::mine(desk, &mother, case).await.unwrap();
        let first = appeals.all.first().unwrap();
        assert!(is_refused(
            appeal::withdraw(desk, &person, first.id, first.revision).await
        ));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_of_a_case_goes_whoever_opened_it() {
    let kit = sqlite().await;
    let (mother, daughter) = (kit.person(1).await, kit.person(2).await);
    let id = entrusted(&kit, &mother, &daughter, 2, &USUAL).await;
    let person = acting(&kit, &daughter, id).await;
    let case = opened(&kit, &person).await;
    kit.wait(91 * 24);
    assert_eq!(dispose::run(&kit.desk).await.unwrap(), 1);
    assert_eq!(kit.row(case).await.state, State::Disposed);
    let left = authorisation::case::of_authorisation(kit.desk.store.read(), id.uuid())
        .await
        .unwrap();
    assert!(left.is_empty());
}
