//! What the city holds already (不重複提供): earlier applications of the same person are offered to a new one, so that nothing
//! is asked or uploaded twice.
//!
//! The person is told what would be taken over, from where and how old it is, and agrees; only then is the earlier case read
//! for the purpose of the new one, and the ledger says so. What has expired by the days in the data files is not offered.

use crate::boxed;
use std::collections::{BTreeMap, BTreeSet};

use civic::ids::ApplicationId;
use civic::{Language, Purpose};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use rules::Entity;
use serde_json::Value;
use services::Service;
use services::form::{APPLICANT, Answer, Answers, Field, FieldKind, Form, Source};
use sha2::{Digest as _, Sha256};
use store::ledger;
use store::tables::{application, reuse};
use uuid::Uuid;

use crate::change::{Change, same_revision};
use crate::find::{Asked, Screening};
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, Record};
use crate::{CaseError, Desk, State};

/// Earlier cases looked at, the newest first.
const CASES: u64 = 20;
/// Of each service at most so many: earlier ones asked the same, and each is opened and noted.
const OF_A_SERVICE: usize = 3;

/// A value that could be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Key of the answer in the new application.
    pub key: String,
    /// The page it stands on, and whom it is about.
    pub about: Option<String>,
    /// The question it answers.
    pub label: String,
    /// The value as people read it.
    pub shown: String,
    /// Number of the application it comes from, or the name of its service while it has none.
    pub number: String,
    /// The day it was given or issued.
    pub given: Date,
    /// The last day on which it may be used again.
    pub until: Date,
    /// Whether a register or a MyData set said it.
    pub is_official: bool,
}

/// Whose an earlier answer is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    /// Of the application or the family.
    Nobodys,
    /// The applicant's.
    Applicants,
    /// Another person's, by national id.
    Of(String),
}

/// An answer of an earlier case that is still good.
struct Past {
    whose: Whose,
    /// Id of the fact, for inputs of the rules; service, group and id of the field for others.
    what: What,
    value: Value,
    source: Source,
    at: Timestamp,
    until: Date,
    from: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Fact(String),
    /// Whether it is of the group of persons, and the id of a field that fills no input.
    Field(bool, String),
}

/// Another person of an earlier family.
struct Relative {
    id: String,
    name: Option<String>,
}

/// All that is held.
struct Holdings {
    past: Vec<Past>,
    relatives: Vec<Relative>,
}

/// The days for which an answer may be used again.
fn valid_days(desk: &Desk, source: &Source, of_fact: Option<u32>) -> Option<u32> {
    match source {
        Source::MyData { resource, .. } => desk.catalogue.mapping(resource)?.valid_days,
        Source::Wallet { card, .. } => desk.catalogue.card(card)?.valid_days,
        Source::Register | Source::Body { .. } | Source::Person | Source::Screening => of_fact,
        // the account fills it anew each time
        Source::Profile => None,
        Source::Earlier { of, .. } => valid_days(desk, of, of_fact),
    }
}

/// The source of an answer as the next application keeps it, with the day that counts.
fn earlier(answer: &Answer, number: &str) -> (Source, Date) {
    if let Source::Earlier { given, .. } = &answer.source {
        return (answer.source.clone(), *given);
    }
    let given = match &answer.source {
        Source::MyData { issued: Some(day), .. } => *day,
        _ => civic::legal_day(answer.at),
    };
    let source = Source::Earlier {
        number: number.to_owned(),
        given,
        of: Box::new(answer.source.clone()),
    };
    (source, given)
}

/// Earlier cases of a person that may be read again, newest first.
async fn cases(desk: &Desk, person: &Person, but: Option<ApplicationId>) -> Result<Vec<application::Model>, CaseError> {
    // one more than is looked at, for the case that asks
    let rows = application::with_answers(desk.store.read(), person.id.uuid(), CASES + 1).await?;
    let mut looked_at: BTreeMap<String, usize> = BTreeMap::new();
    let good = |row: &application::Model| {
        if Some(row.id) == but.map(|id| id.uuid()) || desk.catalogue.get(&row.service).is_none() {
            return false;
        }
        let of_service = looked_at.entry(row.service.clone()).or_default();
        *of_service += 1;
        *of_service <= OF_A_SERVICE
    };
    Ok(rows.into_iter().filter(good).collect())
}

/// Opens earlier cases and collects what is still good of them; of each fact what was said last.
async fn holdings(
    desk: &Desk,
    person: &Person,
    purpose: &Purpose,
    but: Option<ApplicationId>,
) -> Result<Holdings, CaseError> {
    // only the person themself lets an earlier case be read again; an agent is offered nothing of it
    if person.acting().is_some() {
        return Ok(Holdings {
            past: Vec::new(),
            relatives: Vec::new(),
        });
    }
    let mut best: BTreeMap<(Whose, What), Past> = BTreeMap::new();
    let mut relatives: Vec<Relative> = Vec::new();
    for row in cases(desk, person, but).await? {
        let service = desk.service(&row.service)?;
        let grant = guard::reuse(desk, &person.who(), &row, service, purpose.clone())?;
        let Some(sealed) = &row.answers else { continue };
        let place = store::seal::Place::new("application", "answers", &row.id);
        let answers: Answers = record::unseal(desk, &grant, row.key_id.into(), place, sealed).await?;
        let number = row.number.clone().unwrap_or_else(|| {
            service
                .meta
                .name
                .get(row.language.parse().unwrap_or_default())
                .to_owned()
        });
        // the family of the newest case that has one
        if relatives.is_empty() {
            relatives = family(&service.form, &answers);
        }
        for past in of_case(desk, service, &answers, &number, row.id) {
            let key = (past.whose.clone(), past.what.clone());
            match best.get(&key) {
                Some(known) if known.at >= past.at => {}
                _ => {
                    best.insert(key, past);
                }
            }
        }
    }
    Ok(Holdings {
        past: best.into_values().collect(),
        relatives,
    })
}

/// The national id of an item, where its group tells items apart by one.
fn identity(form: &Form, answers: &Answers, item: &str) -> Option<String> {
    let group = form.person_group()?;
    let key = format!("{}.{item}.{}", group.id, group.identity.as_deref()?);
    answers.value(&key)?.as_str().map(str::to_owned)
}

fn family(form: &Form, answers: &Answers) -> Vec<Relative> {
    let Some(group) = form.person_group() else {
        return Vec::new();
    };
    let others = answers.items(&group.id).iter().filter(|item| *item != APPLICANT);
    others
        .filter_map(|item| {
            let label = group
                .label
                .as_deref()
                .map(|label| format!("{}.{item}.{label}", group.id));
            Some(Relative {
                id: identity(form, answers, item)?,
                name: label.and_then(|key| answers.value(&key)?.as_str().map(str::to_owned)),
            })
        })
        .collect()
}

/// The answers of one case that are still good.
fn of_case(desk: &Desk, service: &Service, answers: &Answers, number: &str, from: Uuid) -> Vec<Past> {
    let form = &service.form;
    let vocabulary = desk.catalogue.vocabulary();
    let persons = form.person_group().map(|group| group.id.as_str());
    let mut found = Vec::new();
    for place in form.all_places(answers) {
        let of_persons = place.page.group.is_some();
        if of_persons && place.page.group.as_deref() != persons {
            continue;
        }
        let whose = match place.item.as_deref() {
            None => Whose::Nobodys,
            Some(APPLICANT) => Whose::Applicants,
            Some(item) => match identity(form, answers, item) {
                Some(id) => Whose::Of(id),
                None => continue,
            },
        };
        for field in &place.page.fields {
            let Some(answer) = answers.get(&place.key(field)) else {
                continue;
            };
            let fact = field
                .input
                .as_ref()
                .and_then(|input| vocabulary.of_input(&service.id, input));
            let (what, whose, value, of_fact) = match fact {
                Some(fact) => {
                    let Some(value) = fact.value_from(field, &answer.value) else {
                        continue;
                    };
                    let whose = match (fact.entity, &whose) {
                        (Entity::Person, Whose::Nobodys) => Whose::Applicants,
                        _ => whose.clone(),
                    };
                    (What::Fact(fact.id.clone()), whose, value, fact.valid_days)
                }
                // a file stays with its case; who somebody is has no age
                None if matches!(field.kind, FieldKind::File { .. }) => continue,
                None => (
                    What::Field(of_persons, field.id.clone()),
                    whose.clone(),
                    answer.value.clone(),
                    vocabulary.valid_days(),
                ),
            };
            let (source, given) = earlier(answer, number);
            let days = valid_days(desk, &answer.source, of_fact);
            let until = days.and_then(|days| given.checked_add(i64::from(days).days()).ok());
            let Some(until) = until.filter(|until| *until >= desk.today()) else {
                continue;
            };
            found.push(Past {
                whose,
                what,
                value,
                source,
                at: answer.at,
                until,
                from,
            });
        }
    }
    found
}

/// What an earlier answer is called in another form, if it has a field for it that is of the same kind.
fn what(desk: &Desk, service: &Service, of_persons: bool, field: &Field) -> What {
    let vocabulary = desk.catalogue.vocabulary();
    match field
        .input
        .as_ref()
        .and_then(|input| vocabulary.of_input(&service.id, input))
    {
        Some(fact) => What::Fact(fact.id.clone()),
        None => What::Field(of_persons, field.id.clone()),
    }
}

/// What would be taken over into a draft.
struct Taken {
    answers: Answers,
    keys: Vec<(String, Date)>,
    from: BTreeSet<Uuid>,
}

/// Puts everything that is held into the answers of a draft where nothing stands yet.
fn put(desk: &Desk, record: &Record, held: &Holdings) -> Taken {
    let (service, form) = (&record.service, &record.service.form);
    let mut answers = record.answers.clone();
    let mut taken = Vec::new();
    let mut from = BTreeSet::new();
    if let Some(group) = form.person_group()
        && let Some(identity) = &group.identity
        && answers.items(&group.id).len() <= 1
    {
        for relative in &held.relatives {
            let Some(item) = answers.add_item(form, &group.id) else {
                break;
            };
            let key = format!("{}.{item}.{identity}", group.id);
            let whose = Whose::Of(relative.id.clone());
            let mut past = held.past.iter().filter(|past| past.whose == whose);
            if let Some(past) = past.next() {
                answers
                    .values
                    .insert(key.clone(), answer(Value::String(relative.id.clone()), past));
                taken.push((key, past.until));
                from.insert(past.from);
            } else {
                // nothing of this person is good any more
                answers.remove_item(&group.id, &item);
            }
        }
    }
    for place in form.all_places(&answers) {
        let of_persons = place.page.group.is_some();
        let whose = match place.item.as_deref() {
            None => Whose::Nobodys,
            Some(APPLICANT) => Whose::Applicants,
            Some(item) => match identity(form, &answers, item) {
                Some(id) => Whose::Of(id),
                None => continue,
            },
        };
        for field in &place.page.fields {
            let key = place.key(field);
            if answers.get(&key).is_some() {
                continue;
            }
            let wanted = what(desk, service, of_persons, field);
            let fact = match &wanted {
                What::Fact(id) => desk.catalogue.vocabulary().fact(id),
                What::Field(..) => None,
            };
            let whose = match fact {
                Some(fact) if fact.entity == Entity::Person && whose == Whose::Nobodys => Whose::Applicants,
                _ => whose.clone(),
            };
            let Some(past) = held.past.iter().find(|past| past.what == wanted && past.whose == whose) else {
                continue;
            };
            let value = match fact {
                Some(fact) => fact.value_in(field, &past.value),
                None => fits(field, &past.value).then(|| past.value.clone()),
            };
            if let Some(value) = value {
                answers.values.insert(key.clone(), answer(value, past));
                taken.push((key, past.until));
                from.insert(past.from);
            }
        }
    }
    Taken {
        answers,
        keys: taken,
        from,
    }
}

/// Whether a field that fills no input could hold what a field of the same id holds elsewhere.
fn fits(field: &Field, value: &Value) -> bool {
    match field.kind {
        FieldKind::BankAccount => value.get("bank").is_some() && value.get("account").is_some(),
        _ => field.takes(value),
    }
}

fn answer(value: Value, past: &Past) -> Answer {
    Answer {
        value,
        source: past.source.clone(),
        at: past.at,
        changed_from: None,
    }
}

/// The purpose of the new application, as the earlier case is read for it.
fn purpose(desk: &Desk, record: &Record) -> Purpose {
    desk.purpose(&record.service, "reuse", Some(record.id()))
}

/// What an own draft could take over from earlier applications; the person sees their own data, and nothing is taken yet.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn offered(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    language: Language,
) -> Result<Vec<Offer>, CaseError> {
    let record = record::own(desk, person, id, Action::Fill).await?;
    if record.row.state != State::Draft {
        return Ok(Vec::new());
    }
    let held = holdings(desk, person, &purpose(desk, &record), Some(id)).await?;
    let taken = put(desk, &record, &held);
    let form = &record.service.form;
    let mut offers = Vec::new();
    for (key, until) in &taken.keys {
        let (Some((page, field)), Some(answer)) = (form.field(key), taken.answers.get(key)) else {
            continue;
        };
        let Source::Earlier { number, given, .. } = &answer.source else {
            continue;
        };
        let item = key.split('.').nth(1).zip(page.group.as_deref());
        offers.push(Offer {
            about: item.map(|(item, group)| form.item_name(group, item, &taken.answers, language)),
            label: field.label.get(language).to_owned(),
            shown: field.shown(&answer.value, language),
            number: number.clone(),
            given: *given,
            until: *until,
            is_official: answer.source.is_official(),
            key: key.clone(),
        });
    }
    Ok(offers)
}

/// Takes everything over that is offered. `notice` is what the person was shown and agreed to. Doing it again takes over what
/// has come since.
///
/// # Errors
/// [`CaseError::Conflict`] when the draft was changed elsewhere; [`CaseError::NotFound`] when it is none; the store's.
#[boxed]
pub async fn take(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    revision: i64,
    notice: &str,
    language: Language,
) -> Result<usize, CaseError> {
    let mut record = record::own(desk, person, id, Action::Fill).await?;
    if record.row.state != State::Draft {
        return Err(CaseError::NotFound("draft"));
    }
    same_revision(&record.row, revision)?;
    let purpose = purpose(desk, &record);
    let held = holdings(desk, person, &purpose, Some(id)).await?;
    let taken = put(desk, &record, &held);
    if taken.keys.is_empty() {
        return Ok(0);
    }
    record.answers = taken.answers;
    let mut change = Change::quiet(desk, record.row.clone());
    let fields: BTreeSet<&str> = taken
        .keys
        .iter()
        .filter_map(|(key, _)| key.rsplit('.').next())
        .collect();
    let fields: Vec<&str> = fields.into_iter().collect();
    for earlier in &taken.from {
        let earlier = ApplicationId::from_uuid(*earlier);
        let entry = guard::reused(desk, &person.who(), earlier, purpose.clone(), person.lookup, &fields);
        change.entries.push(entry);
    }
    change.answers(desk, &record).await?;
    let sources: Vec<String> = taken.from.iter().map(Uuid::to_string).collect();
    let consent = reuse::Model {
        id: civic::ids::ConsentId::generate(desk.clock.as_ref()).uuid(),
        person_id: person.id.uuid(),
        application_id: id.uuid(),
        digest: hex::encode(Sha256::digest(notice)),
        language: language.tag().to_owned(),
        sources: sources.join(" "),
        agreed_at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                reuse::insert(tx, consent).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(taken.keys.len())
}

/// Puts what the city holds of a person into a questionnaire, when they agree: the family of the last application and every
/// fact that is still good. Gives how many facts. The ledger says for each case that it was read.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn screening(desk: &Desk, person: &Person, screening: &mut Screening) -> Result<usize, CaseError> {
    let purpose = guard::screening();
    let held = holdings(desk, person, &purpose, None).await?;
    let mut members = BTreeMap::new();
    for relative in &held.relatives {
        if let Some(item) = screening.add(relative.name.as_deref().unwrap_or_default()) {
            members.insert(relative.id.clone(), item);
        }
    }
    let (mut count, mut from, mut fields) = (0, BTreeSet::new(), BTreeSet::new());
    for past in &held.past {
        let What::Fact(fact) = &past.what else { continue };
        let whose = match &past.whose {
            Whose::Nobodys => None,
            Whose::Applicants => Some(APPLICANT.to_owned()),
            Whose::Of(id) => match members.get(id) {
                Some(item) => Some(item.clone()),
                None => continue,
            },
        };
        let asked = Asked {
            fact: fact.clone(),
            person: whose,
        };
        screening.hold(&asked, past.value.clone(), past.source.clone(), past.at);
        count += 1;
        from.insert(past.from);
        fields.insert(fact.as_str());
    }
    let fields: Vec<&str> = fields.into_iter().collect();
    let entries: Vec<ledger::Entry> = from
        .into_iter()
        .map(|earlier| {
            let earlier = ApplicationId::from_uuid(earlier);
            guard::reused(desk, &person.who(), earlier, purpose.clone(), person.lookup, &fields)
        })
        .collect();
    if !entries.is_empty() {
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    for entry in entries {
                        ledger::append(tx, entry).await?;
                    }
                    Ok::<_, CaseError>(())
                })
            })
            .await?;
    }
    Ok(count)
}

/// Whether there is an earlier application that might be read again.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn has_any(desk: &Desk, person: &Person) -> Result<bool, CaseError> {
    Ok(!cases(desk, person, None).await?.is_empty())
}
