//! Telling the persons concerned (通知當事人, 個資法 §12): each once, on the ways of a case of theirs.

use std::collections::BTreeMap;
use std::time::Instant;

use jiff::SignedDuration;
use store::outbox::Outcome;
use store::tables::{breach as table, breach_person};
use uuid::Uuid;

use super::{State, Told, case_of, content, write};
use crate::guard::{Action, Who};
use crate::jobs::{CHUNK, SITTING};
use crate::notify::Draft;
use crate::{CaseError, Desk, record};

/// Kind of the work that tells.
pub(crate) const TELL: &str = "breach.tell";

/// The work of telling, from where it stopped.
///
/// # Errors
/// The store's.
pub(crate) async fn work(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(row) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if row.state != State::Telling {
        return Ok(Outcome::Done);
    }
    let text = content(desk, &row).await?.told;
    let (started, most) = (Instant::now(), u64::try_from(CHUNK).unwrap_or(1));
    loop {
        let persons = breach_person::page(desk.store.read(), id, &[Told::No], None, most).await?;
        if persons.is_empty() {
            break;
        }
        chunk(desk, &row, &text, persons).await?;
        if started.elapsed() > SITTING {
            return Ok(Outcome::Later(SignedDuration::ZERO));
        }
    }
    let Some(mut row) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    let content = content(desk, &row).await?;
    row.state = State::Told;
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| Box::pin(async move { write(tx, &seal, row, &content).await }))
        .await?;
    Ok(Outcome::Done)
}

async fn chunk(
    desk: &Desk,
    breach: &table::Model,
    text: &str,
    persons: Vec<breach_person::Model>,
) -> Result<(), CaseError> {
    let (mut messages, mut reached, mut unreached) = (Vec::new(), Vec::new(), Vec::new());
    for one in persons {
        let case = match breach.drill {
            true => None,
            false => case_of(desk, &one).await?,
        };
        let Some(case) = case else {
            unreached.push(one.id);
            continue;
        };
        let record = record::open(desk, &Who::System, Action::Notify, case).await?;
        let number = record.row.number.clone().unwrap_or_default();
        let words = BTreeMap::from([
            ("text".to_owned(), text.to_owned()),
            ("incident".to_owned(), breach.number.clone()),
            ("link".to_owned(), format!("{}/my-data", desk.city.portal)),
        ]);
        messages.push((
            one.id,
            Draft::new(desk, &record, "breach", words).keyed(breach.id),
            number,
        ));
    }
    // in a drill everybody counts as told
    if breach.drill {
        reached.append(&mut unreached);
    }
    let seal = desk.store.seal().clone();
    let at = desk.now().as_microsecond();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for (id, draft, number) in messages {
                    let message = draft.seal(tx, &seal, &number).await?;
                    if message.has_ways() {
                        reached.push(id);
                    } else {
                        unreached.push(id);
                    }
                    message.write(tx).await?;
                }
                breach_person::told(tx, reached, Told::Message, at).await?;
                breach_person::told(tx, unreached, Told::Page, at).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}
