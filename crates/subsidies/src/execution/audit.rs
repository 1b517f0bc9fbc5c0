//! The audit file of a plan: the plan as sent and as corrected, the decision, everything handed in with each sending, the settlement
//! and the history, with the digest of each. That of the ministry also says how the decision came about: what panel and ministry said
//! before it, which no government is told.

use std::collections::HashMap;

use serde_json::{Value, json};
use store::tables::subsidy_plan::Model;
use store::tables::{
    subsidy_conflict, subsidy_event, subsidy_filing, subsidy_meeting, subsidy_sending, subsidy_settlement,
    subsidy_sheet, subsidy_submission,
};
use uuid::Uuid;

use super::file::word;
use super::look::{loaded, side};
use crate::draft::{names, time};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed, decide, review, view};

/// The audit file as a ZIP archive, for the plan's government or the ministry. Making it is an entry of the usage ledger, because the
/// plan names its contact.
///
/// # Errors
/// [`SubsidyError::NotFound`]; [`SubsidyError::Refused`] before the corrected plan is there; the store's.
#[boxed]
pub async fn audit(desk: &Desk, member: &Member, plan: Uuid) -> Result<Vec<u8>, SubsidyError> {
    let action = side(member);
    let row = guard::plan(desk, member, action, plan).await?;
    view::note_use(desk, member, action, &row.programme).await?;
    let db = desk.store.read();
    let all = loaded(desk, desk.store.read(), &row).await?;
    let names = names(desk.store.read()).await?;
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_default();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for sent in subsidy_submission::of_plan(db, plan).await? {
        let what = if sent.round == 1 { "plan" } else { "plan-corrected" };
        files.push((format!("{what}.json"), view::opened(desk, db, &sent).await?.to_vec()));
    }
    let correction = decide::correction(desk, &row)?;
    let decision = json!({
        "approved": row.amount,
        "conditions": row.note,
        "decided_at": row.decided_at.map(|at| time("subsidy_plan", at)).transpose()?,
        "decided_by": row.decided_by.map(name),
        "commented_on": row.commented_on,
        "handed_in_at": row.handed_in_at.map(|at| time("subsidy_plan", at)).transpose()?,
        "deferred_on": row.deferred_on,
        "deferral_reason": row.deferral_reason,
        "correction_last_day": correction.as_ref().map(|found| found.last_day),
        "kept": all.kept,
    });
    files.push(("decision.json".to_owned(), pretty(&decision)?));
    let filings = subsidy_filing::of_plans(db, &[plan]).await?;
    let ids: Vec<Uuid> = filings.iter().map(|one| one.id).collect();
    let sendings = subsidy_sending::of_filings(db, &ids).await?;
    for one in &filings {
        for sent in sendings.iter().filter(|sent| sent.filing_id == one.id) {
            let name = format!("{}-{}/sending-{}.json", word(one.kind), one.number, sent.sending);
            files.push((name, sent.content.clone().into_bytes()));
        }
        let of_it = |sent: &&subsidy_sending::Model| sent.filing_id == one.id;
        let sent: Vec<Value> = sendings
            .iter()
            .filter(of_it)
            .map(|sent| {
                let at = time("subsidy_sending", sent.sent_at)?;
                Ok(json!({ "sending": sent.sending, "sent_at": at, "sent_by": name(sent.sent_by), "sha256": hex::encode(&sent.digest) }))
            })
            .collect::<Result<_, SubsidyError>>()?;
        if sent.is_empty() {
            continue;
        }
        let answer = json!({
            "state": format!("{:?}", one.state).to_lowercase(),
            "answer": one.answer,
            "answered_at": one.answered_at.map(|at| time("subsidy_filing", at)).transpose()?,
            "answered_by": one.answered_by.map(name),
            "sendings": sent,
        });
        files.push((
            format!("{}-{}/answer.json", word(one.kind), one.number),
            pretty(&answer)?,
        ));
    }
    for settled in subsidy_settlement::of_plans(db, &[plan]).await? {
        let amounts: Value =
            serde_json::from_str(&settled.amounts).map_err(|error| SubsidyError::json("settlement", &error))?;
        let settlement = json!({
            "amounts": amounts,
            "note": settled.note,
            "settled_at": time("subsidy_settlement", settled.settled_at)?,
            "settled_by": name(settled.settled_by),
            "paid_on": settled.paid_on,
            "reference": settled.reference,
            "paid_by": settled.paid_by.map(name),
        });
        files.push(("settlement.json".to_owned(), pretty(&settlement)?));
    }
    let whole = action == Action::Settle;
    if whole {
        files.extend(reviewed(desk, &row, &names).await?);
    }
    let mut history = Vec::new();
    for event in subsidy_event::of_plan(db, plan).await? {
        if !whole && guard::is_inner(&event.act) {
            continue;
        }
        let at = time("subsidy_event", event.done_at)?;
        let by = event.done_by.map_or_else(|| guard::PLATFORM.to_owned(), name);
        history.push(json!({ "act": event.act, "of": event.note, "by": by, "at": at }));
    }
    files.push(("history.json".to_owned(), pretty(&Value::Array(history))?));
    let about = json!({
        "programme": all.programme.id,
        "government": view::government(&all.programme, &row.government),
        "plan": plan,
        "title": all.plan.title,
    });
    Ok(grants::execution::pack(&about, &files)?)
}

/// How the decision came about: score sheets, conflicts of interest, the ministry's appraisal, the meeting and its draw.
async fn reviewed(
    desk: &Desk,
    row: &Model,
    names: &HashMap<Uuid, String>,
) -> Result<Vec<(String, Vec<u8>)>, SubsidyError> {
    let db = desk.store.read();
    let name = |id: Uuid| names.get(&id).cloned().unwrap_or_default();
    let read = |what: &'static str, text: &str| {
        serde_json::from_str::<Value>(text).map_err(|error| SubsidyError::json(what, &error))
    };
    let panel = review::panel(desk, desk.programme(&row.programme)?).await?;
    let mut sheets = Vec::new();
    for sheet in subsidy_sheet::of_plans(db, &[row.id]).await? {
        sheets.push(json!({
            "reviewer": name(sheet.reviewer),
            "counts": panel.may_judge(&sheet.reviewer.to_string(), &row.government),
            "scores": read("sheet", &sheet.scores)?,
            "saved_at": time("subsidy_sheet", sheet.saved_at)?,
        }));
    }
    let mut conflicts = Vec::new();
    for conflict in subsidy_conflict::of_programme(db, &row.programme).await? {
        if conflict.government == row.government {
            conflicts.push(json!({
                "reviewer": name(conflict.reviewer),
                "reason": conflict.reason,
                "declared_at": time("subsidy_conflict", conflict.declared_at)?,
            }));
        }
    }
    let mut files = vec![
        ("review/sheets.json".to_owned(), pretty(&Value::Array(sheets))?),
        ("review/conflicts.json".to_owned(), pretty(&Value::Array(conflicts))?),
    ];
    if let Some(appraisal) = &row.appraisal {
        let appraisal = read("appraisal", appraisal)?;
        files.push(("review/appraisal.json".to_owned(), pretty(&appraisal)?));
    }
    if let Some(meeting) = subsidy_meeting::of_programme(db, &row.programme).await? {
        let at = |at: Option<i64>| at.map(|at| time("subsidy_meeting", at)).transpose();
        let told = json!({
            "day": meeting.day,
            "place": meeting.place,
            "begins": meeting.begins,
            "minutes": meeting.minutes,
            "pause_from": meeting.pause_from,
            "pause_until": meeting.pause_until,
            "presentations": read("meeting", &meeting.presentations)?,
            "drawn_by": meeting.drawn_by.map(name),
            "drawn_at": at(meeting.drawn_at)?,
            "rearranged_for": meeting.reason,
            "arranged_by": meeting.arranged_by.map(name),
            "arranged_at": at(meeting.arranged_at)?,
        });
        files.push(("review/meeting.json".to_owned(), pretty(&told)?));
        // as it is published, to the byte, so that anybody's check of the draw goes for it
        files.extend(
            meeting
                .drawn
                .map(|draw| ("review/draw.json".to_owned(), draw.into_bytes())),
        );
    }
    Ok(files)
}

fn pretty(value: &Value) -> Result<Vec<u8>, SubsidyError> {
    serde_json::to_vec_pretty(value).map_err(|error| SubsidyError::json("audit", &error))
}
