//! The settlement (核銷及結案), and the record of its payment.

use civic::ids::EventId;
use civic::{Money, legal_day};
use grants::clock::ACCEPT;
use grants::execution::Spent;
use jiff::civil::Date;
use store::Tx;
use store::tables::subsidy_filing::{self, Kind, State};
use store::tables::subsidy_settlement;
use uuid::Uuid;

use super::file::{Filing, replaced};
use super::look::{Amounts, Execution, loaded};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed, text};

/// Most characters of what is said beside the amounts.
const MOST_NOTE: usize = 2_000;
/// Most characters of the number of a payment.
const MOST_REFERENCE: usize = 100;

/// Settles a plan on its request for payment, under the request's revision the member saw: `struck` is what is struck (剔除) of each
/// budget line, in their order. Once settled nothing of it is changed; what is not paid lapses.
///
/// # Errors
/// [`SubsidyError::Settle`] for amounts that can't be; [`SubsidyError::Input`] where something is struck, or the request came late,
/// and no reason is given; [`SubsidyError::State`] without a request that waits, or where the work is not said to be complete; [`SubsidyError::Conflict`];
/// [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn settle(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    revision: i64,
    struck: &[Money],
    note: &str,
) -> Result<(), SubsidyError> {
    let row = guard::plan(desk, member, Action::Settle, plan).await?;
    let (ours, by) = (desk.clone(), member.clone());
    let (struck, note) = (struck.to_vec(), note.to_owned());
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                // all it is made of is read here, where nothing can be given back or sent in between
                let all = loaded(&ours, tx, &row).await?;
                let (amounts, note) = reckoned(&all, revision, &struck, &note)?;
                put(&ours, tx, &by, plan, &amounts, note).await
            })
        })
        .await;
    match done {
        Err(SubsidyError::Store(error)) if error.is_duplicate() => Err(SubsidyError::State),
        done => done,
    }
}

/// The amounts of a settlement, and what is said of them.
fn reckoned(all: &Execution, revision: i64, struck: &[Money], note: &str) -> Result<(Amounts, String), SubsidyError> {
    let filed = all.filed(Kind::Request, 1).ok_or(SubsidyError::State)?;
    if filed.state != State::Sent {
        return Err(SubsidyError::State);
    }
    if filed.revision != revision {
        return Err(SubsidyError::Conflict("filing"));
    }
    let Some(Filing::Request(request)) = &filed.sent else {
        return Err(SubsidyError::State);
    };
    // the work is complete before it is accepted, as when the request was sent: the completion may have been given back since
    if all.completion().is_none_or(|one| one.on > request.accepted_on) {
        return Err(SubsidyError::State);
    }
    if struck.len() != request.spent.len() {
        return Err(SubsidyError::input("struck", "amount"));
    }
    let lines: Vec<Spent> = request
        .spent
        .iter()
        .zip(struck)
        .map(|(amount, struck)| Spent {
            amount: *amount,
            struck: *struck,
        })
        .collect();
    let amounts = grants::execution::settle(&all.programme, &all.row.government, all.kept, &lines)?;
    let late = filed.first_sent_at.map_or(0, |at| all.programme.late(ACCEPT, at));
    let note = match amounts.struck.0 > 0 || late > 0 {
        true => text::needed("note", note, MOST_NOTE)?,
        false => text::optional("note", note, MOST_NOTE)?,
    };
    Ok((Amounts { lines, amounts }, note))
}

/// Writes the settlement, and that the request is accepted by it.
async fn put(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    plan: Uuid,
    amounts: &Amounts,
    note: String,
) -> Result<(), SubsidyError> {
    let json = serde_json::to_string(amounts).map_err(|error| SubsidyError::json("settlement", &error))?;
    let mut request = subsidy_filing::one(tx, plan, Kind::Request, 1)
        .await?
        .ok_or(SubsidyError::State)?;
    let at = tx.now().as_microsecond();
    let settlement = subsidy_settlement::Model {
        id: EventId::generate(desk.clock.as_ref()).uuid(),
        plan_id: plan,
        amounts: json,
        paid: amounts.amounts.paid.0,
        note: note.clone(),
        settled_by: member.id.uuid(),
        settled_at: at,
        paid_on: None,
        reference: None,
        paid_by: None,
        revision: 1,
    };
    subsidy_settlement::insert(tx, settlement).await?;
    request.state = State::Accepted;
    request.answer = Some(note);
    request.answered_by = Some(member.id.uuid());
    request.answered_at = Some(at);
    replaced(tx, &request).await?;
    guard::event(desk, tx, member, plan, "settle", None).await?;
    Ok(())
}

/// Records that the settled amount was paid, once.
///
/// # Errors
/// [`SubsidyError::Input`] for a day to come or before the settlement, or without a number; [`SubsidyError::State`] where nothing is
/// to be paid; [`SubsidyError::Conflict`]; [`SubsidyError::NotFound`]; the store's.
#[boxed]
pub async fn pay(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    revision: i64,
    on: Date,
    reference: &str,
) -> Result<(), SubsidyError> {
    guard::plan(desk, member, Action::Settle, plan).await?;
    let reference = text::needed("reference", reference, MOST_REFERENCE)?;
    let (ours, by) = (desk.clone(), member.clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let mut row = subsidy_settlement::of_plans(tx, &[plan])
                    .await?
                    .pop()
                    .ok_or(SubsidyError::State)?;
                if row.paid == 0 || row.paid_on.is_some() {
                    return Err(SubsidyError::State);
                }
                let settled = legal_day(crate::draft::time("subsidy_settlement", row.settled_at)?);
                if on < settled || on > legal_day(tx.now()) {
                    return Err(SubsidyError::input("on", "day"));
                }
                row.revision = revision;
                row.paid_on = Some(on.to_string());
                row.reference = Some(reference);
                row.paid_by = Some(by.id.uuid());
                if !subsidy_settlement::replace(tx, &row).await? {
                    return Err(SubsidyError::Conflict("settlement"));
                }
                guard::event(&ours, tx, &by, plan, "pay", None).await?;
                Ok(())
            })
        })
        .await
}
