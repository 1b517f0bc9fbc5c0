//! The public draw (公開抽籤): by somebody else than who sealed the list, with a value nobody knew then.

use crate::boxed;
use std::collections::{BTreeMap, HashMap};

use lottery::Draw;
use store::outbox::{Outcome, Task};
use store::tables::ticket::{State, Step};
use store::tables::{round as table, ticket};

use super::{find, offer};
use crate::agents::Hold;
use crate::guard::{self, Action, Who};
use crate::notify;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Kind of the work that tells every ticket what the draw gave it.
pub(crate) const SPREAD: &str = "round.spread";
/// Longest public value, in characters.
const LONGEST: usize = 500;
/// Tickets told in one transaction.
const CHUNK: usize = 100;

/// Draws with the public value, exactly as it was announced.
///
/// # Errors
/// [`CaseError::Input`] for an empty value or before the day of the draw; [`CaseError::Refused`] for who sealed the list;
/// [`CaseError::Conflict`] when it was drawn before; [`CaseError::NotFound`] before the list is sealed; the store's.
#[boxed]
pub async fn draw(desk: &Desk, staff: &Staff, service: &str, round: &str, seed: &str) -> Result<(), CaseError> {
    let service = desk.service(service)?;
    let (_, round) = find(service, round)?;
    let row = table::find(desk.store.read(), &service.id, &round.id)
        .await?
        .ok_or(CaseError::NotFound("round"))?;
    guard::draw(desk, staff, service, &row)?;
    let seed = seed.trim().to_owned();
    let refuse = |problem| CaseError::Input { field: "seed", problem };
    if seed.is_empty() {
        return Err(refuse("empty"));
    }
    if seed.chars().count() > LONGEST {
        return Err(refuse("too_long"));
    }
    if desk.today() < round.draw {
        return Err(refuse("too_early"));
    }
    if row.drawn_at.is_some() {
        return Err(CaseError::Conflict("round"));
    }
    let (sealed, digest, value) = (row.sealed, row.digest, seed.clone());
    let drawn = tokio::task::spawn_blocking(move || {
        let sealed = read(&sealed)?;
        let drawn = lottery::draw(sealed.list, &value)?;
        if drawn.list_digest != digest {
            return Err(CaseError::Corrupt {
                what: "round",
                why: "the sealed list is not the one that was published".to_owned(),
            });
        }
        serde_json::to_vec(&drawn).map_err(|error| CaseError::corrupt("round", &error))
    });
    let drawn = drawn.await.map_err(|error| CaseError::Outside {
        party: "lottery",
        problem: error.to_string(),
    })??;
    let (id, at, by) = (row.id, desk.now().as_microsecond(), staff.id.uuid());
    let task = Task::new(SPREAD, format!("spread:{id}"), &(service.id.clone(), round.id.clone()));
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !table::set_draw(tx, id, &seed, drawn, at, by).await? {
                    return Err(CaseError::Conflict("round"));
                }
                store::outbox::put(tx, task).await?;
                Ok(())
            })
        })
        .await
}

/// A published list or draw.
pub(super) fn read(text: &[u8]) -> Result<Draw, CaseError> {
    serde_json::from_slice(text).map_err(|error| CaseError::corrupt("round", &error))
}

/// What each mark holds by the result of a draw: the place's id.
pub(super) fn held(draw: &Draw) -> HashMap<&str, &str> {
    let placed = draw.result.iter().flatten();
    placed
        .flat_map(|result| result.placed.iter().map(|mark| (mark.as_str(), result.place.as_str())))
        .collect()
}

/// Tells every ticket what the draw gave it, a few at a time. What was told is not told again.
///
/// # Errors
/// The store's; the work is tried again.
pub(crate) async fn spread(desk: &Desk, service: &str, round: &str) -> Result<Outcome, CaseError> {
    let found = std::sync::Arc::clone(desk.service(service)?);
    let (_, of) = find(&found, round)?;
    let row = table::find(desk.store.read(), service, round)
        .await?
        .ok_or(CaseError::NotFound("round"))?;
    let Some(drawn) = &row.drawn else {
        return Ok(Outcome::Done);
    };
    let draw = read(drawn)?;
    let held = held(&draw);
    let choices: HashMap<&str, &[String]> = draw
        .list
        .tickets
        .iter()
        .map(|ticket| (ticket.id.as_str(), ticket.choices.as_slice()))
        .collect();
    let mut left: Vec<ticket::Model> = ticket::of_round(desk.store.read(), service, round).await?;
    left.retain(|row| row.state == State::Qualified && row.mark.is_some());
    for rows in left.chunks(CHUNK) {
        let mut steps = Vec::new();
        for row in rows {
            let mark = row.mark.as_deref().unwrap_or_default();
            let choice = held.get(mark).and_then(|place| {
                let number = choices.get(mark)?.iter().position(|choice| choice == place)?;
                i32::try_from(number).ok()
            });
            let step = Step {
                state: if choice.is_some() {
                    State::Offered
                } else {
                    State::Waiting
                },
                held: choice,
                due: choice.map(|_| of.answer_by.to_string()),
                at: desk.now().as_microsecond(),
            };
            steps.push((row.id, row.revision, step, tell(desk, row, choice).await?));
        }
        let seal = desk.store.seal().clone();
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    for (id, revision, step, message) in steps {
                        if !ticket::step(tx, id, revision, &step).await? {
                            return Err(CaseError::Conflict("ticket"));
                        }
                        if let Some((draft, number)) = message {
                            draft.seal(tx, &seal, &number).await?.write(tx).await?;
                        }
                    }
                    Ok(())
                })
            })
            .await?;
    }
    // who declined between sealing and draw left a seat behind
    offer::settle(desk, service, round, Hold::default(), |_| None).await?;
    Ok(Outcome::Done)
}

/// The message to a person whose ticket holds this choice now, or waits; with the number of the application. Nothing
/// for a case whose data is destroyed.
pub(super) async fn tell(
    desk: &Desk,
    row: &ticket::Model,
    choice: Option<i32>,
) -> Result<Option<(notify::Draft, String)>, CaseError> {
    let application = record::row(desk, row.application_id.into()).await?;
    let number = application.number.clone().unwrap_or_default();
    let record: Record = match record::open(desk, &Who::System, Action::Notify, application).await {
        Ok(record) => record,
        Err(CaseError::Refused(_) | CaseError::NoService(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let language = record.row.language.parse().unwrap_or_default();
    let spec = super::spec::Spec::read(&row.spec)?;
    let place = choice
        .and_then(|choice| spec.choices.get(usize::try_from(choice).ok()?))
        .and_then(|id| record.service.rounds.as_ref()?.place(id))
        .map(|place| place.name.get(language).to_owned());
    let kind = if place.is_some() { "placed" } else { "waiting" };
    let words = BTreeMap::from([("place".to_owned(), place.unwrap_or_default())]);
    let draft = notify::Draft::new(desk, &record, kind, words).keyed(format_args!("{}:{}", row.id, row.revision));
    Ok(Some((draft, number)))
}
