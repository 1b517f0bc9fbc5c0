//! Find what I may receive: the laws of the questionnaire on the real services, and the way into an application.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cases::find::{self, Asked, Next, Open, Screening, View};
use cases::{CaseError, collect, held};
use civic::Channel;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rules::{CaseInput, Entity};
use serde::Deserialize;
use serde_json::{Value, json};
use services::form::{APPLICANT, Field, FieldKind, Source};
use services::{Catalogue, Fact};

use crate::support::{SERVICE, ZH, catalogue, each_engine};

const TODAY: Date = date(2026, 11, 20);

fn at() -> Timestamp {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

/// A number from a seed and a name: the same in whatever order it is asked for.
fn draw(seed: u64, name: &str) -> u64 {
    let start = seed ^ 0xcbf2_9ce4_8422_2325;
    let hash = name.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 32)
}

/// What somebody could answer to a field.
fn value(field: &Field, draw: u64) -> Value {
    let one_of = |n: usize| usize::try_from(draw % n as u64).unwrap();
    match &field.kind {
        FieldKind::YesNo => json!(draw.is_multiple_of(2)),
        FieldKind::Radios(choices) | FieldKind::Select(choices) => json!(choices[one_of(choices.len())].value),
        FieldKind::Integer { min, max } | FieldKind::Money { min, max } => {
            let numbers = [0, 1, 40, 183, 350, 20_000, 300_000, 900_000, 5_000_000];
            json!(numbers[one_of(numbers.len())].clamp(*min, *max))
        }
        FieldKind::Date { .. } => json!(
            date(1940, 3, 15)
                .checked_add(jiff::Span::new().days(one_of(31_000) as i64))
                .unwrap()
                .to_string()
        ),
        FieldKind::Text { .. } => json!(format!("B{:011}", draw % 100)),
        other => panic!("no answer to {other:?}"),
    }
}

/// Whether some rules mean something by this fact not being given; what is asked then changes the outcome.
fn is_optional(catalogue: &Catalogue, fact: &Fact) -> bool {
    fact.inputs.iter().any(|(service, name)| {
        let service = catalogue.get(service).unwrap();
        let mut inputs = service.rules.inputs().iter();
        inputs.any(|input| input.entity == name.entity && input.name == name.name && input.optional)
    })
}

/// What a person of this seed says to a question; nothing where not saying it has a meaning of its own.
fn truth(catalogue: &Catalogue, seed: u64, asked: &Asked) -> Option<Value> {
    let fact = catalogue.vocabulary().fact(&asked.fact).unwrap();
    if is_optional(catalogue, fact) {
        return None;
    }
    let (_, field) = find::field(catalogue, asked).unwrap();
    Some(value(field, draw(seed, &asked.address())))
}

fn outcomes(view: &View) -> BTreeMap<String, Option<bool>> {
    let standings = view.standings.iter();
    standings
        .map(|standing| (standing.service.id.clone(), standing.outcome()))
        .collect()
}

/// Whether an outcome that is still open waits for this question.
fn is_waited_for(view: &View, next: &Next) -> bool {
    view.standings.iter().any(|standing| {
        standing.outcome().is_none()
            && standing.open.iter().any(|open| match (open, next) {
                (Open::Family, Next::Family) => true,
                (Open::Fact(asked), Next::Question(question)) => asked == question,
                _ => false,
            })
    })
}

/// Answers until nothing is asked any more; `choose` picks among the questions there are.
fn walk(
    catalogue: &Catalogue,
    relatives: usize,
    mut answer: impl FnMut(&Asked) -> Option<Value>,
    mut choose: impl FnMut(usize) -> usize,
) -> (Screening, Vec<String>) {
    let mut screening = Screening::default();
    let mut asked = Vec::new();
    let mut settled: BTreeMap<String, bool> = BTreeMap::new();
    loop {
        let view = find::look(catalogue, &screening, TODAY);
        for (service, outcome) in outcomes(&view) {
            if let Some(before) = settled.get(&service) {
                assert_eq!(
                    outcome,
                    Some(*before),
                    "{service} was settled, then changed after {asked:?}"
                );
            }
            if let Some(outcome) = outcome {
                settled.insert(service, outcome);
            }
        }
        if view.questions.is_empty() {
            return (screening, asked);
        }
        let next = &view.questions[choose(view.questions.len())];
        assert!(is_waited_for(&view, next), "nobody waits for {next:?}");
        assert!(!asked.contains(&next.address()), "{next:?} was asked before");
        asked.push(next.address());
        assert!(asked.len() < 1000, "the questions do not end");
        match next {
            Next::Family => {
                for _ in 0..relatives {
                    screening.add("").unwrap();
                }
                screening.complete();
            }
            Next::Question(question) => screening.answer(question, answer(question), Source::Screening, at()),
        }
    }
}

/// Everything a person of this seed could say, asked or not.
fn everything(catalogue: &Catalogue, seed: u64, walked: &Screening) -> Screening {
    let mut all = walked.clone();
    all.complete();
    let members: Vec<String> = walked.members.iter().map(|member| member.id.clone()).collect();
    for fact in catalogue.vocabulary().all() {
        let persons: Vec<Option<String>> = match fact.entity {
            Entity::Person => members.iter().cloned().map(Some).collect(),
            Entity::Household | Entity::Case => vec![None],
        };
        for person in persons {
            let asked = Asked {
                fact: fact.id.clone(),
                person,
            };
            if find::field(catalogue, &asked).is_some() && all.said(&asked).is_none() {
                let value = truth(catalogue, seed, &asked);
                all.answer(&asked, value, Source::Screening, at());
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// In whatever order the questions are answered, a settled outcome is the one the rules of the service come to with
    /// everything known; and no question is asked that no open outcome waits for, or twice.
    #[test]
    fn the_order_of_answers_does_not_change_the_result(seed: u64, other: u64, relatives in 0_usize..4) {
        let catalogue = catalogue();
        let say = |asked: &Asked| truth(&catalogue, seed, asked);
        let (walked, _) = walk(&catalogue, relatives, say, |_| 0);
        let mut turn = 0_u64;
        let any = |n: usize| {
            turn += 1;
            usize::try_from(draw(other, &turn.to_string()) % n as u64).unwrap()
        };
        let (otherwise, _) = walk(&catalogue, relatives, say, any);
        let known = outcomes(&find::look(&catalogue, &everything(&catalogue, seed, &walked), TODAY));
        for screening in [&walked, &otherwise] {
            for (service, outcome) in outcomes(&find::look(&catalogue, screening, TODAY)) {
                if outcome.is_some() {
                    prop_assert_eq!(outcome, known[&service], "{}", service);
                }
            }
        }
    }

    /// Who knows nothing is asked each question once, and is never told that they get something.
    #[test]
    fn not_knowing_ends_too(seed: u64) {
        let catalogue = catalogue();
        let (screening, _) = walk(&catalogue, 1, |_| None, |n| usize::try_from(seed % n as u64).unwrap());
        let view = find::look(&catalogue, &screening, TODAY);
        prop_assert!(view.standings.iter().all(|standing| standing.outcome() != Some(true)));
        prop_assert!(view.questions.is_empty());
    }
}

#[test]
fn the_question_most_outcomes_hang_on_comes_first_and_the_same_way_each_time() {
    let catalogue = catalogue();
    let first = find::look(&catalogue, &Screening::default(), TODAY);
    let again = find::look(&catalogue, &Screening::default(), TODAY);
    assert_eq!(first.questions, again.questions);
    assert_eq!(first.standings.len(), catalogue.all().len());
    // a fact only one service asks for never comes before one that each of them waits for alike
    let place = |fact: &str| {
        let mut all = first.questions.iter();
        all.position(|next| next.address() == fact).unwrap()
    };
    assert!(place("household.region") < place("social-housing.case.months_in_social_housing"));
}

#[test]
fn what_services_share_is_asked_once() {
    let catalogue = catalogue();
    let (screening, asked) = walk(&catalogue, 1, |asked| truth(&catalogue, 7, asked), |_| 0);
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len());
    assert!(screening.answered() <= asked.len());
    let fact = catalogue.vocabulary().fact("household.region").unwrap();
    assert!(fact.inputs.len() >= 5, "{:?}", fact.inputs);
    // the same name with another meaning stays apart
    assert!(catalogue.vocabulary().fact("person.student").is_none());
    assert!(catalogue.vocabulary().fact("scholarship.person.student").is_some());
}

/// The facts and the answer of a worked case.
#[derive(Deserialize)]
struct Worked {
    date: String,
    given: CaseInput,
    expect: Expected,
}

#[derive(Deserialize)]
struct Expected {
    outcome: Option<bool>,
}

/// Every worked case of every service, asked through the questionnaire, comes to the answer the law gives: nothing is lost
/// between the fact and the form of the service, and a family that is not complete decides nothing too early.
#[test]
fn worked_cases_come_to_their_answer() {
    let catalogue = catalogue();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let mut seen = 0;
    for service in catalogue.all() {
        for entry in std::fs::read_dir(root.join(&service.id).join("cases")).unwrap() {
            let path = entry.unwrap().path();
            let worked: Worked = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let on: Date = worked.date.parse().unwrap();
            let mut screening = Screening::default();
            let mut ids = BTreeMap::new();
            for person in &worked.given.persons {
                let id = match person.applicant {
                    true => APPLICANT.to_owned(),
                    false => screening.add("").unwrap(),
                };
                ids.insert(person.id.clone(), id);
            }
            let mut put = |entity: Entity, name: &str, person: Option<&str>, value: &Value| {
                let input = services::form::InputName {
                    entity,
                    name: name.to_owned(),
                };
                let fact = catalogue.vocabulary().of_input(&service.id, &input).unwrap();
                let person = (fact.entity == Entity::Person).then(|| person.unwrap_or(APPLICANT).to_owned());
                let asked = Asked {
                    fact: fact.id.clone(),
                    person,
                };
                screening.answer(&asked, Some(value.clone()), Source::Screening, at());
            };
            for (name, value) in &worked.given.case {
                put(Entity::Case, name, None, value);
            }
            for (name, value) in &worked.given.household {
                put(Entity::Household, name, None, value);
            }
            for person in &worked.given.persons {
                for (name, value) in &person.values {
                    put(Entity::Person, name, Some(&ids[&person.id]), value);
                }
            }
            let outcome = |screening: &Screening| {
                let view = find::look(&catalogue, screening, on);
                outcomes(&view)[&service.id]
            };
            let early = outcome(&screening);
            screening.complete();
            let answer = outcome(&screening);
            assert_eq!(answer, worked.expect.outcome, "{}", path.display());
            assert!(
                early.is_none() || early == answer,
                "{} decides too early",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_carried_into_the_application_once() {
    each_engine(|kit| async move {
        let person = kit.person(1).await;
        let mut screening = Screening::default();
        let region = Asked {
            fact: "household.region".to_owned(),
            person: None,
        };
        screening.answer(&region, Some(json!("taichung")), Source::Screening, kit.desk.now());
        let mother = screening.add("媽媽").unwrap();
        let relation = Asked {
            fact: "person.relation".to_owned(),
            person: Some(mother),
        };
        screening.answer(&relation, Some(json!("parent")), Source::Screening, kit.desk.now());
        screening.complete();
        let id = find::apply(&kit.desk, &person, SERVICE, &screening, ZH).await.unwrap();
        let draft = collect::draft(&kit.desk, &person, id).await.unwrap();
        assert!(!draft.agreed, "the notice comes before anything else");
        let said = draft.answers.get("region").unwrap();
        assert_eq!((&said.value, &said.source), (&json!("taichung"), &Source::Screening));
        assert_eq!(draft.answers.value("members.p2.relation"), Some(&json!("parent")));
        assert!(
            draft
                .questions
                .iter()
                .all(|asked| asked.address != "members" && asked.key != "region")
        );
        // what the person is called here is no name for a form
        assert_eq!(draft.answers.value("members.p2.name"), None);

        // again, from another device: nothing is doubled, and what was put right stands
        let again = find::apply(&kit.desk, &person, SERVICE, &screening, ZH).await.unwrap();
        assert_eq!(again, id);
        let after = collect::draft(&kit.desk, &person, id).await.unwrap();
        assert_eq!(
            (after.revision, after.answers.items("members").len()),
            (draft.revision, 2)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_case_is_offered_to_a_new_one_and_read_only_with_consent() {
    each_engine(|kit| async move {
        let person = kit.person(1).await;
        assert!(!held::has_any(&kit.desk, &person).await.unwrap());
        let (earlier, receipt) = kit.submitted(&person).await;
        let number = receipt.number;
        let id = collect::open(&kit.desk, &person, "low-income", Channel::Online, ZH).await.unwrap();
        collect::agree(&kit.desk, &person, id, ZH).await.unwrap();
        let before = collect::draft(&kit.desk, &person, id).await.unwrap();
        let offers = held::offered(&kit.desk, &person, id, ZH).await.unwrap();
        let region = offers.iter().find(|offer| offer.key == "region").unwrap();
        assert_eq!((region.number.as_str(), region.given), (number.as_str(), kit.desk.today()));
        assert!(region.until > region.given && !region.is_official);
        let reads = |uses: Vec<store::ledger::Recorded>| {
            let reuses = uses.into_iter().filter(|use_| use_.entry.action == "reuse");
            reuses.map(|use_| (use_.entry.application, use_.entry.purpose.basis)).collect::<Vec<_>>()
        };
        let uses = cases::mine::uses(&kit.desk, &person, None, 100).await.unwrap();
        assert_eq!(reads(uses), [], "to show a person their own data is no use for another purpose");

        let stale = held::take(&kit.desk, &person, id, before.revision + 1, "notice", ZH).await;
        assert!(matches!(stale, Err(CaseError::Conflict(_))));
        let taken = held::take(&kit.desk, &person, id, before.revision, "notice", ZH).await.unwrap();
        assert_eq!(taken, offers.len());
        let draft = collect::draft(&kit.desk, &person, id).await.unwrap();
        assert!(draft.questions.len() < before.questions.len());
        let answer = draft.answers.get("region").unwrap();
        assert!(matches!(&answer.source, Source::Earlier { number: from, of, .. } if *from == number && **of == Source::Person));
        let uses = cases::mine::uses(&kit.desk, &person, None, 100).await.unwrap();
        let basis = kit.desk.service("low-income").unwrap().meta.legal_basis.clone();
        assert_eq!(reads(uses), [(Some(earlier), basis)]);
        let consents = store::tables::reuse::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
        assert_eq!((consents.len(), consents[0].sources.as_str()), (1, earlier.to_string().as_str()));
        assert!(held::offered(&kit.desk, &person, id, ZH).await.unwrap().is_empty());

        // another person is offered nothing, and can't take anything
        let other = kit.person(2).await;
        assert!(matches!(held::offered(&kit.desk, &other, id, ZH).await, Err(CaseError::NotFound(_))));
        assert!(!held::has_any(&kit.desk, &other).await.unwrap());

        // the questionnaire asks nothing of it either
        let mut screening = Screening::default();
        assert!(held::screening(&kit.desk, &person, &mut screening).await.unwrap() > 0);
        let view = find::look(&kit.desk.catalogue, &screening, kit.desk.today());
        assert!(view.questions.iter().all(|next| next.address() != "household.region"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_not_offered() {
    each_engine(|kit| async move {
        let person = kit.person(1).await;
        kit.submitted(&person).await;
        kit.wait(24 * 100);
        let id = collect::open(&kit.desk, &person, "low-income", Channel::Online, ZH)
            .await
            .unwrap();
        let offers = held::offered(&kit.desk, &person, id, ZH).await.unwrap();
        let offered = |end: &str| offers.iter().any(|offer| offer.key.ends_with(end));
        assert!(offered("birth_date"), "who somebody is does not grow old");
        assert!(offered("region"), "half a year has not gone by");
        assert!(!offered("work_status"), "three months have");
        kit.wait(24 * 200);
        let offers = held::offered(&kit.desk, &person, id, ZH).await.unwrap();
        assert!(offers.iter().all(|offer| offer.key != "region"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_left_only_with_consent_and_ends_in_every_way() {
    use cases::find::follow;
    use cases::staff::Role;
    each_engine(|kit| async move {
        let person = kit.person(1).await;
        let officer = kit.staff("officer", Role::Officer).await;
        let auditor = kit.staff("auditor", Role::Auditor).await;
        let screening = Screening::default();
        let leave = async || {
            follow::leave(&kit.desk, &person, &screening, SERVICE, "the notice", ZH)
                .await
                .unwrap();
            follow::left(&kit.desk, &person).await.unwrap()[0].id
        };
        let first = leave().await;
        // left again it takes the place of the first
        let second = leave().await;
        assert_ne!(first, second);
        assert_eq!(follow::left(&kit.desk, &person).await.unwrap().len(), 1);
        assert_eq!(follow::waiting(&kit.desk, &officer).await.unwrap().len(), 1);
        let (_, left) = follow::open(&kit.desk, &officer, second).await.unwrap();
        assert_eq!((left.name.as_str(), left.outcome), (person.name.as_str(), None));
        let uses = cases::mine::uses(&kit.desk, &person, None, 20).await.unwrap();
        let actions: Vec<&str> = uses.iter().map(|one| one.entry.action.as_str()).collect();
        assert_eq!(actions, ["read", "follow_up", "follow_up"]);
        // nobody else reads, takes back or ends it
        assert!(matches!(
            follow::waiting(&kit.desk, &auditor).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            follow::open(&kit.desk, &auditor, second).await,
            Err(CaseError::Refused(_))
        ));
        let other = kit.person(2).await;
        assert!(matches!(
            follow::take_back(&kit.desk, &other, second).await,
            Err(CaseError::NotFound(_))
        ));
        // taken back
        follow::take_back(&kit.desk, &person, second).await.unwrap();
        assert!(matches!(
            follow::open(&kit.desk, &officer, second).await,
            Err(CaseError::NotFound(_))
        ));
        // done
        let third = leave().await;
        follow::close(&kit.desk, &officer, third).await.unwrap();
        assert!(follow::left(&kit.desk, &person).await.unwrap().is_empty());
        // over
        leave().await;
        cases::dispose::run(&kit.desk).await.unwrap();
        assert_eq!(follow::left(&kit.desk, &person).await.unwrap().len(), 1);
        kit.wait(24 * 61);
        cases::dispose::run(&kit.desk).await.unwrap();
        assert!(follow::left(&kit.desk, &person).await.unwrap().is_empty());
        // a service whose office takes none
        let none = follow::leave(&kit.desk, &person, &screening, "kindergarten", "the notice", ZH).await;
        assert!(matches!(none, Err(CaseError::NotFound(_))));
    })
    .await;
}
