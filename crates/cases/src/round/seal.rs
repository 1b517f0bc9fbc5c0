//! The sealed list (籤號名冊): after the window, once every application is decided.

use crate::boxed;
use civic::{Language, legal_time};
use lottery::{Draw, Place, SealedList, Seats, Ticket, Unfilled};
use services::round::{Round, Rounds};
use store::tables::{round as table, round_entry, ticket};
use uuid::Uuid;

use super::find;
use super::spec::Spec;
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Seals the list of a round and publishes it. From then on nothing of it changes.
///
/// # Errors
/// [`CaseError::Input`] while the window is open or applications are not decided; [`CaseError::Conflict`] when it was
/// sealed before; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn seal(desk: &Desk, staff: &Staff, service: &str, round: &str) -> Result<(), CaseError> {
    let service = desk.service(service)?;
    guard::office_of(desk, staff, Action::Round, service)?;
    let (rounds, round) = find(service, round)?;
    let refuse = |problem| CaseError::Input {
        field: "round",
        problem,
    };
    if legal_time(desk.now()) < round.closes {
        return Err(refuse("still_open"));
    }
    if table::find(desk.store.read(), &service.id, &round.id).await?.is_some() {
        return Err(CaseError::Conflict("round"));
    }
    if round_entry::undecided(desk.store.read(), &service.id, &round.id).await? > 0 {
        return Err(refuse("undecided"));
    }
    let rows = ticket::of_round(desk.store.read(), &service.id, &round.id).await?;
    let (mut marks, mut tickets) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|row| row.state == ticket::State::Qualified) {
        let name = format!("{}/{}/{}", service.id, round.id, row.id);
        let mark = hex::encode(desk.store.seal().lookup("ticket", &name));
        marks.push((row.id, mark.clone()));
        tickets.push(Spec::read(&row.spec)?.ticket(mark));
    }
    if tickets.is_empty() {
        return Err(refuse("nobody"));
    }
    // a place that was chosen keeps its row in seats.csv: a reduction counts until the list is sealed, a removal does not
    let has = |place: &String, class: &String| round.seats.get(place).is_some_and(|seats| seats.contains_key(class));
    let lost = |ticket: &Ticket| {
        let mut choices = ticket.choices.iter();
        choices.any(|place| ticket.needs.keys().any(|class| !has(place, class)))
    };
    if tickets.iter().any(lost) {
        return Err(refuse("seats_missing"));
    }
    let list = list(&service.id, rounds, round, tickets);
    let sealed = tokio::task::spawn_blocking(move || {
        let sealed = Draw::seal(list)?;
        let text = serde_json::to_vec(&sealed).map_err(|error| CaseError::corrupt("round", &error))?;
        Ok::<_, CaseError>((sealed.list_digest, text))
    });
    let (digest, sealed) = sealed.await.map_err(|error| CaseError::Outside {
        party: "lottery",
        problem: error.to_string(),
    })??;
    let row = table::Model {
        id: Uuid::new_v4(),
        service: service.id.clone(),
        round: round.id.clone(),
        digest,
        sealed,
        sealed_at: desk.now().as_microsecond(),
        sealed_by: staff.id.uuid(),
        seed: None,
        drawn: None,
        drawn_at: None,
        drawn_by: None,
        revision: 1,
    };
    let written = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                table::insert(tx, row).await?;
                for (id, mark) in marks {
                    ticket::mark(tx, id, &mark).await?;
                }
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match written {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("round")),
        other => other,
    }
}

fn list(service: &str, rounds: &Rounds, round: &Round, tickets: Vec<Ticket>) -> SealedList {
    let unfilled = if rounds.keeps_unfilled {
        Unfilled::Kept
    } else {
        Unfilled::Open
    };
    let seats = |seats: &services::round::Seats| Seats {
        capacity: seats.capacity,
        reserved: seats.reserved,
    };
    SealedList {
        round: format!("{service}-{}", round.id),
        seed_rule: round.seed_rule.get(Language::ZhTw).to_owned(),
        places: round
            .seats
            .iter()
            .map(|(id, classes)| Place {
                id: id.clone(),
                seats: classes.iter().map(|(class, of)| (class.clone(), seats(of))).collect(),
                unfilled,
            })
            .collect(),
        tickets,
    }
}
