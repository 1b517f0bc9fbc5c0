//! The village officer's assisted session (里幹事協助): for a resident who stands before them, begun by the one-time password
//! that the resident was sent and tells, ended by either or after a time without use. It is an authorisation of one day.

use crate::boxed;
use civic::NationalId;
use civic::ids::{AuthorisationId, PersonId, SecurityEventId};
use jiff::SignedDuration;
use store::ledger;
use store::tables::{authorisation, person, security_event};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::give::{insert, offered, scope};
use super::view::{self, Kind, Names, Party};
use super::{Power, tell};
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, people};

/// An assisted session to be begun.
pub struct NewAssistance {
    /// National id of the resident as typed.
    pub national_id: String,
    /// Folder names of the services.
    pub services: Vec<String>,
    /// What may be done and seen.
    pub powers: Vec<Power>,
}

/// Why an assisted session did not begin.
#[derive(Debug, thiserror::Error)]
pub enum AssistError {
    /// The password is wrong.
    #[error("the password is wrong; {left} tries are left")]
    Wrong {
        /// How many more are taken.
        left: i32,
    },
    /// Its time is over, or it was wrong too often.
    #[error("the password is not taken any more; ask for a new one")]
    Over,
    /// Anything else.
    #[error(transparent)]
    Case(#[from] CaseError),
}

impl From<store::StoreError> for AssistError {
    fn from(error: store::StoreError) -> Self {
        Self::Case(error.into())
    }
}

fn hash(desk: &Desk, id: Uuid, password: &str) -> [u8; 32] {
    desk.store.seal().lookup("assist", &format!("{id}:{password}"))
}

/// Six digits of a random number.
fn password() -> String {
    // the low half of a random UUID has 62 random bits: a remainder of 10⁶ is as good as even
    let number = Uuid::new_v4().as_u64_pair().1 % 1_000_000;
    format!("{number:06}")
}

fn event(desk: &Desk, kind: &str, severity: &str, origin: &str, detail: &str) -> security_event::Model {
    security_event::Model {
        id: SecurityEventId::generate(desk.clock.as_ref()).uuid(),
        at: desk.now().as_microsecond(),
        kind: kind.to_owned(),
        severity: severity.to_owned(),
        application_id: None,
        origin: Some(origin.to_owned()).filter(|origin| !origin.is_empty()),
        detail: detail.to_owned(),
    }
}

/// May a member of staff assist residents.
///
/// # Errors
/// [`CaseError::Refused`].
pub fn may_assist(desk: &Desk, staff: &Staff) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Assist)
}

/// Asks for a session: the resident is sent a password, by mail and on their own page. `origin` is the caller's address.
///
/// # Errors
/// [`CaseError::Input`] for what can't be asked; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn ask(desk: &Desk, staff: &Staff, new: NewAssistance, origin: &str) -> Result<AuthorisationId, CaseError> {
    guard::office(desk, staff, Action::Assist)?;
    let limits = desk.agents;
    let input = |field, problem| CaseError::Input { field, problem };
    let id = NationalId::parse(&new.national_id).map_err(|_| input("national_id", "unusable"))?;
    let scope = scope(desk, &new.services, &new.powers)?;
    let lookup = desk.store.seal().lookup("national_id", id.reveal());
    let Some(found) = person::by_lookup(desk.store.read(), &lookup).await? else {
        let event = event(
            desk,
            "assist.unknown",
            "notice",
            origin,
            "an assisted session was asked for somebody who never signed in",
        );
        desk.store
            .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(security_event::insert(tx, event).await?) }))
            .await?;
        return Err(input("national_id", "unknown"));
    };
    let principal = PersonId::from_uuid(found.id);
    let now = desk.now();
    let since = now
        .checked_sub(SignedDuration::from_hours(1))
        .unwrap_or(jiff::Timestamp::MIN)
        .as_microsecond();
    let known = authorisation::of_principal(desk.store.read(), found.id).await?;
    let asked = known
        .iter()
        .filter(|row| row.kind == Kind::Assisted.word() && row.offered_at >= since);
    if asked.count() >= limits.passwords_an_hour {
        return Err(input("national_id", "too_many"));
    }
    let names = Names {
        principal: people::of(desk, principal).await?.name,
        agent: format!("{}（{}）", staff.name, staff.agency),
        masked: None,
        email: None,
    };
    let password = zeroize::Zeroizing::new(password());
    let mut row = offered(desk, Kind::Assisted, principal, scope, desk.today());
    row.agent_id = Some(staff.id.uuid());
    row.password = Some(hash(desk, row.id, &password).to_vec());
    let until = now
        .checked_add(SignedDuration::from_mins(limits.password_minutes))
        .unwrap_or(now);
    row.password_until = Some(until.as_microsecond());
    let entry = view::entry(desk, &staff.who(), "assist", Some(lookup));
    let note = tell::principal(desk, &row, &names, "assist-password")
        .await?
        .with("password", &password)
        .with("minutes", &limits.password_minutes.to_string());
    insert(desk, row, &names, entry, vec![note]).await
}

/// What became of a password, inside the transaction.
enum Answer {
    Begun,
    Wrong(i32),
    Over,
}

/// Begins the session with the password the resident told. Each try is counted in the transaction that looks at it, so that
/// many at once are not more tries.
///
/// # Errors
/// [`AssistError`].
#[boxed]
pub async fn begin(
    desk: &Desk,
    staff: &Staff,
    id: AuthorisationId,
    password: &str,
    origin: &str,
) -> Result<(), AssistError> {
    guard::office(desk, staff, Action::Assist)?;
    let row = authorisation::by_id(desk.store.read(), id.uuid())
        .await
        .map_err(CaseError::from)?
        .ok_or(CaseError::NotFound("authorisation"))?;
    let grant = view::grant(desk, &Party::Staff(staff), &row, "accept")
        .await?
        .map_err(|_| CaseError::NotFound("authorisation"))?;
    if row.kind != Kind::Assisted.word() {
        return Err(CaseError::NotFound("authorisation").into());
    }
    let principal = row.principal_id.map(PersonId::from_uuid).ok_or(AssistError::Over)?;
    let typed: String = password.chars().filter(|c| !c.is_whitespace()).take(32).collect();
    let typed = hash(desk, row.id, &civic::fold_width(&typed));
    let names = view::names(desk, &grant, &row).await?;
    let entry = view::entry(desk, &staff.who(), "accept", view::subject(desk, principal).await?);
    let begun = tell::principal(desk, &row, &names, "assist-begun").await?;
    let refused = event(
        desk,
        "assist.password_refused",
        "warning",
        origin,
        "a wrong or late one-time password for an assisted session",
    );
    let (tries, today) = (desk.agents.password_tries, desk.today());
    let kept = today.saturating_add(jiff::Span::new().days(desk.agents.retention_days.clamp(0, 36500)));
    let answer = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_microsecond();
                let Some(row) = authorisation::by_id(tx, id.uuid()).await? else {
                    return Ok(Answer::Over);
                };
                let waits = row.state == "offered" && row.until >= today.to_string() && row.tries < tries;
                let in_time = row.password_until.is_some_and(|until| now < until);
                let mut next = row.clone();
                let right = row
                    .password
                    .as_deref()
                    .is_some_and(|kept| bool::from(kept.ct_eq(typed.as_slice())));
                let answer = match (waits && in_time, right) {
                    (true, true) => {
                        next.state = "accepted".to_owned();
                        next.password = None;
                        next.accepted_at = Some(now);
                        next.used_at = Some(now);
                        Answer::Begun
                    }
                    (true, false) => {
                        next.tries += 1;
                        Answer::Wrong(tries - next.tries)
                    }
                    (false, _) => Answer::Over,
                };
                if next.tries >= tries && row.state == "offered" {
                    next.state = "ended".to_owned();
                    next.ended_at = Some(now);
                    next.ended_by = Some("tries".to_owned());
                    next.password = None;
                    next.dispose_after = Some(kept.to_string());
                }
                if next != row && !authorisation::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("authorisation"));
                }
                match answer {
                    Answer::Begun => {
                        ledger::append(tx, entry).await?;
                        begun.write(tx).await?;
                    }
                    _ => security_event::insert(tx, refused).await?,
                }
                Ok(answer)
            })
        })
        .await?;
    match answer {
        Answer::Begun => Ok(()),
        Answer::Wrong(left) if left > 0 => Err(AssistError::Wrong { left }),
        Answer::Wrong(_) | Answer::Over => Err(AssistError::Over),
    }
}
