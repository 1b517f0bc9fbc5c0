//! What a browser's session holds: who is signed in, and the token its forms carry.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cases::identity::Verified;
use civic::ids::{AuthorisationId, PersonId, StaffId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::session::MARKS;
use subtle::ConstantTimeEq;
use tower_sessions::Session;

use crate::Problem;

/// Seconds without a request after which a session ends.
pub const IDLE_SECONDS: i64 = 30 * 60;

/// Seconds after which a request renews the session. A session counts from when it was last written, so without this it
/// would end half an hour after sign-in, in the middle of a form; written at every request, it would cost each page a transaction.
const RENEW_SECONDS: i64 = 60;

const KEY: &str = "visit";
/// The id of the issuer and its ID token, shown again when the person signs out. Not part of [`Visit`]: it is long, and read once.
const ID_TOKEN: &str = "id-token";

/// Who is signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// Nobody.
    #[default]
    Nobody,
    /// A resident, for their own matters.
    Resident(PersonId),
    /// A member of the staff.
    Staff(StaffId),
}

/// For whom a session acts. The authorisation is looked at anew at every request; this only finds it, and names the principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActingFor {
    /// The authorisation.
    pub authorisation: AuthorisationId,
    /// Name of the principal, for the line on every page.
    pub name: String,
}

/// The facts of a session. Kept on the server; the browser has a random token only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Who is signed in.
    pub who: Who,
    /// What every form of this session carries, so that another site can't send one in its name.
    token: String,
    /// When the session would have ended as it was last written, in seconds since 1970.
    #[serde(default)]
    until: i64,
    /// For whom who is signed in acts at the moment.
    #[serde(default)]
    pub acting: Option<ActingFor>,
    /// How a resident proved who they are; nothing for the staff, and for sessions of earlier versions.
    #[serde(default)]
    pub verified: Option<Verified>,
}

/// What comes with a sign-in beside the person. `Debug` is empty.
#[derive(Clone, Default)]
pub struct Proof {
    /// How, how strongly and when.
    pub verified: Option<Verified>,
    /// By what the session is found when the issuer ends it.
    pub marks: Vec<[u8; 32]>,
    /// The issuer's id and its ID token.
    pub id_token: Option<(String, String)>,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof")
    }
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("who", &self.who).finish_non_exhaustive()
    }
}

impl Visit {
    /// The visit of a session; an empty one where none has begun. Renews the session when its last minute is over.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the sessions can't be read.
    pub async fn of(session: &Session) -> Result<Visit, Problem> {
        let Some(mut visit) = take::<Visit>(session, KEY).await? else {
            return Ok(Visit::default());
        };
        let until = ends(session);
        if until.saturating_sub(visit.until) >= RENEW_SECONDS {
            visit.until = until;
            put(session, KEY, &visit).await?;
        }
        Ok(visit)
    }

    /// Makes sure that the session has a token, for a form shown before sign-in.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn begin(session: &Session) -> Result<Visit, Problem> {
        let visit = Visit::of(session).await?;
        if !visit.token.is_empty() {
            return Ok(visit);
        }
        let visit = Visit {
            who: visit.who,
            token: random()?,
            until: ends(session),
            acting: visit.acting,
            verified: visit.verified,
        };
        put(session, KEY, &visit).await?;
        Ok(visit)
    }

    /// Signs somebody in: everything the session held before is dropped, and it gets a new id and a new token.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn sign_in(session: &Session, who: Who) -> Result<Visit, Problem> {
        Visit::sign_in_by(session, who, Proof::default()).await
    }

    /// Signs a resident in with what their method proved: as [`Visit::sign_in`].
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn sign_in_by(session: &Session, who: Who, proof: Proof) -> Result<Visit, Problem> {
        session.clear().await;
        session.cycle_id().await.map_err(|error| broken(&error))?;
        let visit = Visit {
            who,
            token: random()?,
            until: ends(session),
            acting: None,
            verified: proof.verified,
        };
        put(session, KEY, &visit).await?;
        keep(session, proof.marks, proof.id_token).await?;
        Ok(visit)
    }

    /// The same person has proved anew who they are: the session gets a new id and keeps all it held, the token of its forms
    /// too, so that nothing that was filled in is lost.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn step_up(session: &Session, proof: Proof) -> Result<Visit, Problem> {
        let visit = Visit {
            verified: proof.verified,
            ..Visit::of(session).await?
        };
        session.cycle_id().await.map_err(|error| broken(&error))?;
        put(session, KEY, &visit).await?;
        keep(session, proof.marks, proof.id_token).await?;
        Ok(visit)
    }

    /// Takes out the issuer's id and the ID token of the sign-in, if it was at one.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be read.
    pub async fn id_token(session: &Session) -> Result<Option<(String, String)>, Problem> {
        session.remove(ID_TOKEN).await.map_err(|error| broken(&error))
    }

    /// Begins to act for somebody, or stops: like a new sign-in, so that no page from before can do anything afterwards.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn act_for(session: &Session, who: Who, acting: Option<ActingFor>) -> Result<Visit, Problem> {
        let verified = Visit::of(session).await?.verified;
        let marks: Option<Vec<String>> = take(session, MARKS).await?;
        let id_token: Option<(String, String)> = take(session, ID_TOKEN).await?;
        session.clear().await;
        session.cycle_id().await.map_err(|error| broken(&error))?;
        let visit = Visit {
            who,
            token: random()?,
            until: ends(session),
            acting,
            verified,
        };
        put(session, KEY, &visit).await?;
        // the issuer may end the session whomever the person acts for
        if let Some(marks) = marks {
            put(session, MARKS, &marks).await?;
        }
        if let Some(id_token) = id_token {
            put(session, ID_TOKEN, &id_token).await?;
        }
        Ok(visit)
    }

    /// Ends the session, here and in the store.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the store can't forget it.
    pub async fn sign_out(session: &Session) -> Result<(), Problem> {
        session.flush().await.map_err(|error| broken(&error))
    }

    /// The token for a hidden input; empty where no session has begun.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether a form's token is this session's. Takes the same time however much of it is right.
    #[must_use]
    pub fn owns(&self, token: &str) -> bool {
        !self.token.is_empty() && bool::from(self.token.as_bytes().ct_eq(token.as_bytes()))
    }
}

/// Keeps by what an issuer ends the session, beside what is there from an earlier sign-in, and its ID token.
async fn keep(session: &Session, marks: Vec<[u8; 32]>, id_token: Option<(String, String)>) -> Result<(), Problem> {
    if !marks.is_empty() {
        let mut all: Vec<String> = take(session, MARKS).await?.unwrap_or_default();
        for mark in marks.into_iter().map(hex::encode) {
            if !all.contains(&mark) {
                all.push(mark);
            }
        }
        put(session, MARKS, &all).await?;
    }
    if let Some(id_token) = id_token {
        put(session, ID_TOKEN, &id_token).await?;
    }
    Ok(())
}

/// When the session ends if it is written now.
fn ends(session: &Session) -> i64 {
    session.expiry_date().unix_timestamp()
}

/// Keeps a value in the session.
///
/// # Errors
/// [`Problem::Broken`] when it can't be kept.
pub async fn put<T: Serialize>(session: &Session, key: &str, value: &T) -> Result<(), Problem> {
    session.insert(key, value).await.map_err(|error| broken(&error))
}

/// A value of the session.
///
/// # Errors
/// [`Problem::Broken`] when the sessions can't be read.
pub async fn take<T: DeserializeOwned>(session: &Session, key: &str) -> Result<Option<T>, Problem> {
    session.get(key).await.map_err(|error| broken(&error))
}

fn broken(error: &tower_sessions::session::Error) -> Problem {
    tracing::error!(%error, "session");
    Problem::Broken
}

fn random() -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "random bytes");
        Problem::Broken
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The signed-in resident. A handler that takes it is for residents; others are sent to sign in and come back.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn(pub PersonId);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match visit(parts).await?.who {
            Who::Resident(person) => Ok(SignedIn(person)),
            _ => Err(Problem::SignIn {
                to: "/sign-in",
                back: back(parts),
            }),
        }
    }
}

/// The signed-in member of the staff. Others are sent to the staff's sign-in page and come back.
#[derive(Clone, Copy, Debug)]
pub struct OnDuty(pub StaffId);

impl<S: Send + Sync> FromRequestParts<S> for OnDuty {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match visit(parts).await?.who {
            Who::Staff(staff) => Ok(OnDuty(staff)),
            _ => Err(Problem::SignIn {
                to: "/office/sign-in",
                back: back(parts),
            }),
        }
    }
}

pub(crate) async fn visit(parts: &Parts) -> Result<Visit, Problem> {
    match parts.extensions.get::<Session>() {
        Some(session) => Visit::of(session).await,
        None => Ok(Visit::default()),
    }
}

/// Where to come back to: only a page that can be fetched again.
fn back(parts: &Parts) -> Option<String> {
    (parts.method == axum::http::Method::GET).then(|| parts.uri.path().to_owned())
}

/// A path of this site, or the start page: an address from outside must not lead elsewhere.
#[must_use]
pub fn local(path: &str) -> &str {
    // a control character can't stand in a header, and browsers leave some of them out
    let is_plain = !path.chars().any(|c| c.is_control() || c == '\\');
    let is_local = path.starts_with('/') && !path.starts_with("//") && is_plain;
    if is_local { path } else { "/" }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use std::sync::{Arc, Mutex};

    use tower_sessions::session::{Id, Record};
    use tower_sessions::session_store::Result;
    use tower_sessions::{Expiry, SessionStore};

    use super::*;

    /// Keeps one session.
    #[derive(Debug, Default)]
    struct Kept(Mutex<Option<Record>>);

    #[async_trait::async_trait]
    impl SessionStore for Kept {
        async fn save(&self, record: &Record) -> Result<()> {
            *self.0.lock().unwrap() = Some(record.clone());
            Ok(())
        }
        async fn load(&self, id: &Id) -> Result<Option<Record>> {
            Ok(self.0.lock().unwrap().clone().filter(|record| record.id == *id))
        }
        async fn delete(&self, _: &Id) -> Result<()> {
            *self.0.lock().unwrap() = None;
            Ok(())
        }
    }

    /// Whether a page read `seconds` after the session was last written has it written again.
    async fn renewed(seconds: i64) -> bool {
        let kept = Arc::new(Kept::default());
        let open = |id| Session::new(id, kept.clone(), Some(Expiry::OnInactivity(time_of(IDLE_SECONDS))));
        let first = open(None);
        let visit = Visit::begin(&first).await.unwrap();
        put(
            &first,
            KEY,
            &Visit {
                until: visit.until - seconds,
                ..visit.clone()
            },
        )
        .await
        .unwrap();
        first.save().await.unwrap();
        let later = open(first.id());
        assert!(
            Visit::of(&later).await.unwrap().owns(visit.token()),
            "the form's token outlives a renewal"
        );
        later.is_modified()
    }

    fn time_of(seconds: i64) -> tower_sessions::cookie::time::Duration {
        tower_sessions::cookie::time::Duration::seconds(seconds)
    }

    #[tokio::test]
    async fn a_session_is_renewed_while_somebody_works_but_not_at_every_page() {
        assert!(!renewed(0).await);
        assert!(!renewed(RENEW_SECONDS - 10).await);
        assert!(renewed(RENEW_SECONDS).await);
        assert!(renewed(IDLE_SECONDS - 1).await);
    }

    #[tokio::test]
    async fn reading_a_session_that_holds_nothing_writes_nothing() {
        let session = Session::new(
            None,
            Arc::new(Kept::default()),
            Some(Expiry::OnInactivity(time_of(IDLE_SECONDS))),
        );
        assert!(Visit::of(&session).await.unwrap() == Visit::default());
        assert!(!session.is_modified());
    }
}
