//! The copy of one's own data in a machine-readable form (製給複製本, 個資法 §3 ②): all the platform keeps of a person, at once
//! and without asking anybody.

use serde_json::{Value, json};
use store::ledger;
use store::tables::consent;

use super::BASIS;
use crate::boxed;
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record;
use crate::{CaseError, Desk, history, mine};

/// Entries of the usage ledger in a copy; older ones stand on the page.
const USES: u64 = 10_000;

/// All that is kept of a person: the account, the cases with their answers as they were given, letters, payments, consents,
/// requests, and who used it.
///
/// # Errors
/// [`CaseError::Refused`] to whoever acts for another; the store's.
#[boxed]
pub async fn copy(desk: &Desk, person: &Person) -> Result<Value, CaseError> {
    let who = person.who();
    guard::profile(desk, &who, person.id, Action::Exercise.word())?;
    let db = desk.store.read();
    let mut cases = Vec::new();
    for one in mine::cases(desk, person).await? {
        if !one.on_offer || one.state == crate::State::Disposed {
            cases.push(
                json!({ "number": one.number, "service": one.service_id, "state": crate::transition::name(one.state) }),
            );
            continue;
        }
        let record = record::own(desk, person, one.id, Action::View).await?;
        let case = mine::case(desk, person, one.id).await?;
        let events = case.events.iter();
        let consents = consent::of_application(db, one.id.uuid()).await?;
        cases.push(json!({
            "number": one.number,
            "service": one.service_id,
            "name": one.service.get(civic::Language::ZhTw),
            "state": crate::transition::name(one.state),
            "opened": one.opened.to_string(),
            "submitted": one.submitted.map(|at| at.to_string()),
            "outcome": one.outcome,
            "answers": record.answers,
            "history": events.map(|event| json!({ "at": event.at.to_string(), "what": event.kind })).collect::<Vec<_>>(),
            "letters": case.letters.iter().map(|letter| json!({
                "kind": letter.kind,
                "at": letter.at.to_string(),
            })).collect::<Vec<_>>(),
            "payments": case.payments.iter().map(|payment| json!({
                "period": payment.period,
                "amount": payment.amount,
                "paid": payment.paid_at.map(|at| at.to_string()),
            })).collect::<Vec<_>>(),
            "consents": consents.iter().map(|consent| json!({
                "kind": consent.kind,
                "sha256": consent.digest,
                "agreed": history::time(consent.agreed_at).to_string(),
                "withdrawn": consent.withdrawn_at.map(|at| history::time(at).to_string()),
            })).collect::<Vec<_>>(),
        }));
    }
    let requests = super::mine(desk, person).await?;
    let uses = ledger::of_subject(db, &person.lookup, None, USES).await?;
    let copy = json!({
        "city": desk.city.name.get(civic::Language::ZhTw),
        "made": desk.now().to_string(),
        "basis": BASIS,
        "person": {
            "name": person.name,
            "national_id": person.national_id.reveal(),
            "email": person.email,
            "phone": person.phone,
        },
        "cases": cases,
        "requests": requests.iter().map(|request| json!({
            "made": request.made.map(|day| day.to_string()),
            "due": request.due.map(|day| day.to_string()),
            "text": request.text,
            "answer": request.answer,
        })).collect::<Vec<_>>(),
        "uses": uses.iter().map(|one| json!({
            "number": one.seq,
            "at": one.entry.at.to_string(),
            "action": one.entry.action,
            "purpose": one.entry.purpose.code,
            "basis": one.entry.purpose.basis,
            "fields": one.entry.fields,
        })).collect::<Vec<_>>(),
    });
    let (actor, actor_id) = who.in_ledger();
    let used = ledger::Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: Action::Exercise.word().to_owned(),
        purpose: guard::of_person(BASIS, Action::Exercise.word()),
        application: None,
        subject: Some(person.lookup),
        fields: vec!["copy".to_owned()],
        count: 1,
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    Ok(copy)
}
