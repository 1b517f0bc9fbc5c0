//! Letters (公文書): made, stored sealed and noted in the same transaction as everything that follows from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use civic::ids::{FileId, LetterId};
use civic::{Language, Money, legal_day, roc};
use jiff::Timestamp;
use rules::Decision;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::outbox::Outcome;
use store::seal::Place;
use store::tables::{entitlement, letter, measure, round_entry, survey, ticket};
use uuid::Uuid;

use super::Draft;
use crate::change::Change;
use crate::collect::withdrawn_row;
use crate::guard::{self, Action, Who};
use crate::record::{self, Record};
use crate::transition::{Act, State};
use crate::{CaseError, Desk, Month, appeal, decide, history, round, succession, wanted};

/// Kind of the work that makes and sends the letter of a decision.
pub(crate) const DECISION: &str = "letter.decision";

/// Name of the work for one decision: a decision taken back and made again has a letter of its own.
pub(crate) fn key(application: Uuid, decided_at: i64) -> String {
    format!("letter:{application}:{decided_at}")
}

/// The PDF of a letter.
///
/// # Errors
/// [`CaseError::Letter`].
pub(crate) async fn pdf(record: &Record, kind: &'static str, data: Value) -> Result<Vec<u8>, CaseError> {
    let service = Arc::clone(&record.service);
    let made = tokio::task::spawn_blocking(move || service.letter(kind, &data)).await;
    made.map_err(|error| CaseError::Outside {
        party: "letter press",
        problem: error.to_string(),
    })?
    .map_err(CaseError::from)
}

/// What a letter tells, for its template.
///
/// # Errors
/// The store's.
pub(crate) async fn data(
    desk: &Desk,
    record: &Record,
    decision: &Decision,
    number: &str,
    text: &str,
) -> Result<Value, CaseError> {
    let form = &record.service.form;
    let today = desk.today();
    let language = Language::ZhTw;
    let amounts: Vec<Value> = decision
        .amounts
        .iter()
        .filter_map(|(name, amount)| {
            let title = record
                .service
                .rules
                .steps()
                .iter()
                .find(|step| step.name == *name)
                .map_or(name.as_str(), |step| step.title.get(language));
            amount.map(|amount| json!({ "name": title, "amount": amount, "text": Money(amount).to_string() }))
        })
        .collect();
    let later = succession::later(desk, &record.row).await?;
    let first = match &later {
        Some(later) => later.from,
        None => Month::of(submitted(record).unwrap_or(today)),
    };
    let last = record.service.meta.payment.last_month(first);
    let mut data = json!({
        "city": desk.city.name.get(language),
        "agency": record.service.meta.agency.get(language),
        "phone": desk.city.phone,
        "service": record.service.meta.name.get(language),
        "number": number,
        "date": roc::plain(today),
        "submitted": submitted(record).map(roc::plain),
        "recipient": {
            "name": wanted::profile(form, &record.answers, "name").unwrap_or_default(),
            "address": wanted::profile(form, &record.answers, "address").unwrap_or_default(),
        },
        "reference_date": roc::plain(decision.reference_date),
        "amounts": amounts,
        "first_month": month(first),
        "last_month": month(last),
        "reasons": reasons(record, decision, language),
        "text": text,
        "legal_basis": record.service.meta.legal_basis,
    });
    if let Some(later) = later {
        let kind = match later.kind {
            succession::Kind::Change => "change",
            succession::Kind::Review => "review",
        };
        data["later"] = json!({ "kind": kind, "number": later.number, "from": month(later.from) });
    } else if let Some(round) = round::told(desk, record, decision).await? {
        data["round"] = round;
    }
    Ok(data)
}

/// A month as letters write it.
pub(crate) fn month(month: Month) -> String {
    format!("民國{}年{}月", month.roc_year(), month.number())
}

fn submitted(record: &Record) -> Option<jiff::civil::Date> {
    record
        .row
        .submitted_at
        .and_then(|at| Timestamp::from_microsecond(at).ok())
        .map(legal_day)
}

/// The conditions that a refusal rests on, each with its article of law.
fn reasons(record: &Record, decision: &Decision, language: Language) -> Vec<Value> {
    let steps = record.service.rules.steps();
    let names = if decision.minimum.is_empty() {
        &decision.failed
    } else {
        &decision.minimum
    };
    let found = names
        .iter()
        .filter_map(|name| steps.iter().find(|step| step.name == *name));
    found
        .map(|step| json!({ "title": step.title.get(language), "law": step.law }))
        .collect()
}

/// The work behind a decision: makes its letter once the time of grace is over, and with it everything that follows.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn decided(desk: &Desk, application: Uuid, decided_at: i64) -> Result<Outcome, CaseError> {
    let row = record::row(desk, application.into()).await?;
    if !matches!(row.state, State::Approved | State::Refused) || row.decided_at != Some(decided_at) {
        // Taken back in the meantime, or done before.
        return Ok(Outcome::Done);
    }
    let approved = row.state == State::Approved;
    let kind = if approved { "approved" } else { "refused" };
    let record = record::open(desk, &Who::System, Action::Notify, row).await?;
    let decision = match decide::latest(desk, &record).await? {
        Some(decision) => decision,
        None => decide::decide(
            &record.service,
            &record.answers,
            crate::collect::law_day(desk, &record.row),
        )?,
    };
    let text = history::latest_text(desk, &record, kind).await?.unwrap_or_default();
    let number = record.row.number.clone().unwrap_or_default();
    let told = data(desk, &record, &decision, &number, &text).await?;
    let bytes = pdf(&record, kind, told).await?;
    let letter = letter(desk, &record, kind, &bytes, key(application, decided_at)).await?;

    let mut change = Change::act(desk, &Who::System, &record.row, Act::Complete)?;
    let now = desk.now();
    change.row.completed_at = Some(now.as_microsecond());
    withdrawn_row(desk, &mut change.row, &record.service);
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &Who::System,
        Action::Notify,
        record.id(),
        &record.service,
        subject,
        &["answers", "decision"],
    ));
    let message = Draft::new(
        desk,
        &record,
        if approved { "approved" } else { "refused" },
        BTreeMap::new(),
    )
    .with(LetterId::from_uuid(letter.id));
    let link = succession::of(desk, application).await?;
    // with rounds an approval opens the way to the draw; what is paid, if anything, follows from the place
    let drawn = record.service.rounds.is_some() && link.is_none();
    let entitlements = if approved && !drawn {
        entitlements(desk, &record, &decision).await?
    } else {
        Vec::new()
    };
    let tickets = if approved && link.is_none() {
        round::tickets(desk, &record, &decision).await?
    } else {
        Vec::new()
    };
    let earlier = appeal::settled(desk, application).await?;
    let surveyed = survey::of_application(desk.store.read(), application).await?.is_some();
    let survey = survey::Model {
        id: civic::ids::SurveyId::generate(desk.clock.as_ref()).uuid(),
        application_id: application,
        offered_at: now.as_microsecond(),
        answered_at: None,
        grade: None,
        comment: None,
    };
    let (measure_id, days) = (record.row.measure_id, days(&record, decided_at));
    let (seal, clock) = (desk.store.seal().clone(), Arc::clone(&desk.clock));
    let service = record.service.id.clone();
    let letter_id = letter.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                letter::insert(tx, letter).await?;
                letter::leave(tx, letter_id, tx.now().as_microsecond()).await?;
                match (link, earlier) {
                    // a later case takes the place of the earlier ones, also when it is decided anew
                    (Some(link), appeal) => {
                        if let Some(appeal) = appeal {
                            appeal.close(tx).await?;
                        }
                        succession::settle(tx, clock.as_ref(), &link, &service, entitlements).await?;
                    }
                    // a decision made anew takes the place of what the earlier one gave
                    (None, Some(appeal)) => appeal.write(tx, entitlements).await?,
                    (None, None) => {
                        for row in entitlements {
                            entitlement::insert(tx, row).await?;
                        }
                    }
                }
                for row in tickets {
                    ticket::insert(tx, row).await?;
                }
                if !approved {
                    // whoever was refused may take part through another application
                    round_entry::delete_of(tx, application).await?;
                }
                if !surveyed {
                    survey::insert(tx, survey).await?;
                }
                if let Some(measure) = measure_id {
                    measure::set_outcome(tx, measure, Some(kind), days).await?;
                }
                message.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await?;
    Ok(Outcome::Done)
}

/// Stores the PDF sealed and gives the row that names it.
pub(crate) async fn letter(
    desk: &Desk,
    record: &Record,
    kind: &str,
    pdf: &[u8],
    key: String,
) -> Result<letter::Model, CaseError> {
    let file: FileId = desk
        .store
        .files()
        .put(&desk.store, record.row.key_id.into(), pdf)
        .await?;
    Ok(letter::Model {
        id: LetterId::generate(desk.clock.as_ref()).uuid(),
        application_id: record.row.id,
        kind: kind.to_owned(),
        language: Language::ZhTw.tag().to_owned(),
        idempotency_key: key,
        file_id: file.uuid(),
        digest: hex::encode(Sha256::digest(pdf)),
        made_at: desk.now().as_microsecond(),
        left_at: None,
    })
}

/// Legal days from submission to decision without those the clock stood still.
fn days(record: &Record, decided_at: i64) -> Option<i32> {
    let decided = legal_day(Timestamp::from_microsecond(decided_at).ok()?);
    let days = submitted(record)?.until(decided).ok()?.get_days();
    Some((days - record.row.stopped_days).max(0))
}

/// What the person is entitled to by the decision: each amount, from the month of the application on.
async fn entitlements(desk: &Desk, record: &Record, decision: &Decision) -> Result<Vec<entitlement::Model>, CaseError> {
    let mut rows = Vec::new();
    if record.service.meta.payment.every == services::Every::Never {
        // its amounts say what the decision is worth, such as a tax that is not levied; nobody pays them out
        return Ok(rows);
    }
    let first = match succession::from(desk, record).await? {
        Some(first) => first,
        None => Month::of(submitted(record).unwrap_or_else(|| desk.today())),
    };
    let last = record.service.meta.payment.last_month(first);
    for (purpose, amount) in decision
        .amounts
        .iter()
        .filter_map(|(name, amount)| amount.filter(|amount| *amount > 0).map(|amount| (name, amount)))
    {
        let id = civic::ids::EntitlementId::generate(desk.clock.as_ref()).uuid();
        let account = match wanted::payee(&record.service.form, &record.answers) {
            Some(account) => Some(
                record::seal(
                    desk,
                    desk.store.read(),
                    record.row.key_id.into(),
                    Place::new("entitlement", "account", &id),
                    &account,
                )
                .await?,
            ),
            None => None,
        };
        rows.push(entitlement::Model {
            id,
            application_id: record.row.id,
            service: record.service.id.clone(),
            purpose: purpose.clone(),
            amount,
            first_month: first.to_string(),
            last_month: last.to_string(),
            // who gave none is asked for one, as after a refusal of the bank
            account_refused: account.is_none(),
            account,
            made_at: desk.now().as_microsecond(),
            revision: 1,
        });
    }
    Ok(rows)
}
