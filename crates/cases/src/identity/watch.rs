//! What serves once, how often somebody may try, and what the administrator is told. Nothing of it names a person.

use crate::boxed;
use civic::ids::SecurityEventId;
use exchange::Remember;
use jiff::SignedDuration;
use store::tables::{once_seen, security_event, sign_in_attempt};

use super::Refusal;
use crate::{CaseError, Desk};

/// Time in which attempts are counted.
const SPAN: SignedDuration = SignedDuration::from_mins(15);
/// Most attempts of one session in that time.
const MOST_OF_SESSION: i32 = 20;
/// Most attempts for one national id in that time: each of them may ring a phone that is not the caller's.
const MOST_OF_PERSON: i32 = 8;

/// Whose attempt is counted.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// A session, by a value that only it has.
    Session(&'a str),
    /// A person, by the keyed hash of the national id.
    Person(&'a [u8; 32]),
}

/// Counts an attempt, and refuses it where there were too many.
///
/// # Errors
/// [`Refusal::No`]; the store's.
pub async fn attempt(desk: &Desk, whose: Whose<'_>) -> Result<(), Refusal> {
    let seal = desk.store.seal();
    let (key, most, detail) = match whose {
        Whose::Session(name) => (
            seal.lookup("sign-in-session", name),
            MOST_OF_SESSION,
            "one session tried to sign in too often",
        ),
        Whose::Person(lookup) => (
            seal.lookup_bytes("sign-in-person", lookup),
            MOST_OF_PERSON,
            "somebody tried too often to sign in as one person",
        ),
    };
    let now = desk.now();
    let until = now.saturating_add(SPAN).map_err(|_| Refusal::No("card-clock"))?;
    let count = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                let count = sign_in_attempt::add(tx, &key, now.as_microsecond(), until.as_microsecond()).await?;
                Ok::<_, CaseError>(count)
            })
        })
        .await?;
    if count <= most {
        return Ok(());
    }
    // told once in a span, not at every further attempt
    if count == most.saturating_add(1) {
        tell(desk, "sign_in.too_many", "warning", detail).await?;
    }
    Err(Refusal::No("too-many"))
}

/// Notes that something was used, and refuses what was used before.
///
/// # Errors
/// [`Refusal::No`]; the store's.
#[boxed]
pub async fn once(desk: &Desk, kind: &'static str, remember: Remember) -> Result<(), Refusal> {
    let row = once_seen::Model {
        key: format!("{kind}:{}", remember.key),
        until: remember.until.as_microsecond(),
    };
    let done = desk
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(once_seen::insert(tx, row).await?) }))
        .await;
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => {
            refuse(
                desk,
                kind,
                "replayed",
                "alarm",
                "something that serves once was brought again",
            )
            .await
        }
        other => Ok(other?),
    }
}

/// Tells the administrator of a refusal and gives it.
pub(crate) async fn refuse<T>(
    desk: &Desk,
    method: &str,
    word: &'static str,
    severity: &'static str,
    detail: &'static str,
) -> Result<T, Refusal> {
    let word_alone = word
        .strip_prefix(method)
        .map_or(word, |rest| rest.trim_start_matches('-'));
    let kind = format!("sign_in.{method}.{}", word_alone.replace('-', "_"));
    tell(desk, &kind, severity, detail).await?;
    Err(Refusal::No(word))
}

/// Writes a security event: a code, a time and a sentence, and nobody's name or address.
pub(crate) async fn tell(desk: &Desk, kind: &str, severity: &str, detail: &str) -> Result<(), CaseError> {
    let event = security_event::Model {
        id: SecurityEventId::generate(desk.clock.as_ref()).uuid(),
        at: desk.now().as_microsecond(),
        kind: kind.to_owned(),
        severity: severity.to_owned(),
        application_id: None,
        origin: None,
        detail: detail.to_owned(),
    };
    desk.store
        .write(move |tx| Box::pin(async move { Ok::<_, CaseError>(security_event::insert(tx, event).await?) }))
        .await
}

/// Forgets what is over: uses that nobody could repeat any more, and counts of attempts. Gives how many.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn prune(store: &store::Store) -> Result<u64, store::StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_microsecond();
                let uses = once_seen::prune(tx, now).await?;
                Ok(uses + sign_in_attempt::prune(tx, now).await?)
            })
        })
        .await
}
