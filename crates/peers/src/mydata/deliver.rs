//! What follows a consent: the package, the notification of the city, the code the browser goes back with.

use super::kept::{Outcome, Ticket, Visit};
use super::{Shared, cipher, notify, package};
use serde_json::json;
use uuid::Uuid;

/// Makes the package, notifies the city, and says which code the browser goes back with.
pub async fn deliver(shared: &Shared, visit: &Visit) -> u16 {
    let note = |code| shared.kept().note(&visit.tx_id, Outcome::Code(code), shared.now());
    note("429");
    let faults = shared.faults.now();
    let Some((zip, failed)) = package::make(shared, &visit.pid, &visit.resources, &faults).await else {
        note("504");
        return 504;
    };
    let key = Uuid::new_v4().simple().to_string();
    let sealing = if faults.wrong_key {
        Uuid::new_v4().simple().to_string()
    } else {
        key.clone()
    };
    let (Some(envelope), Some(secret_key)) = (
        cipher::envelope(&shared.facts, &sealing, &zip),
        cipher::seal(&shared.facts, &key),
    ) else {
        note("504");
        return 504;
    };
    let is_slow = visit
        .resources
        .iter()
        .any(|id| shared.resource(id).is_some_and(|resource| !resource.immediate));
    let all_failed = failed.len() == visit.resources.len();
    let id = Uuid::new_v4();
    let made = shared.now();
    // kept before the city hears of it: it may ask before its own answer has come back to us
    shared.kept().tickets.insert(
        id,
        Ticket {
            tx_id: visit.tx_id.clone(),
            national_id: visit.pid.clone(),
            key,
            package: Some(envelope),
            failed: all_failed,
            made,
            ready: made.saturating_add(if is_slow { shared.wait } else { 0 }),
            answered: None,
            taken: false,
        },
    );
    let mut notice = json!({ "tx_id": visit.tx_id, "apiKey": shared.facts.api_key, "permission_ticket": id });
    if faults.forged {
        notice["apiKey"] = json!("another-key-than-registered");
    }
    if faults.wrong_ticket {
        notice["permission_ticket"] = json!(Uuid::new_v4());
    }
    if failed.is_empty() {
        notice["secret_key"] = json!(secret_key);
    } else {
        notice["unable_to_deliver"] = json!(failed);
    }
    let answered = notify::post(&shared.notify_url, &notice).await.unwrap_or(0);
    let (outcome, code) = match answered {
        200 | 201 if all_failed => ("504", 504),
        200 | 201 if !failed.is_empty() => ("403", 504),
        200 => ("200", 200),
        // the platform's own inconsistency: the browser is told 200, and the fetch will be refused
        201 => ("201", 200),
        _ => ("410", 410),
    };
    settle(shared, id, answered, &visit.tx_id, outcome);
    if faults.repeated {
        notify::post(&shared.notify_url, &notice).await;
    }
    if faults.replayed {
        notice["permission_ticket"] = json!(Uuid::new_v4());
        notify::post(&shared.notify_url, &notice).await;
    }
    code
}

/// Keeps the city's answer and what is known of the transaction in one step: who asks sees both or neither.
fn settle(shared: &Shared, id: Uuid, answered: u16, tx_id: &str, outcome: &'static str) {
    let mut kept = shared.kept();
    if let Some(ticket) = kept.tickets.get_mut(&id) {
        ticket.answered = Some(answered);
    }
    kept.note(tx_id, Outcome::Code(outcome), shared.now());
}
