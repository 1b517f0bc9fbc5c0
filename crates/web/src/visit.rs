//! What a browser's session holds: who is signed in, and the token its forms carry.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use civic::ids::{PersonId, StaffId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tower_sessions::Session;

use crate::Problem;

/// Seconds without a request after which a session ends.
pub const IDLE_SECONDS: i64 = 30 * 60;

const KEY: &str = "visit";

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

/// The facts of a session. Kept on the server; the browser has a random token only.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Who is signed in.
    pub who: Who,
    /// What every form of this session carries, so that another site can't send one in its name.
    token: String,
}

impl std::fmt::Debug for Visit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visit").field("who", &self.who).finish_non_exhaustive()
    }
}

impl Visit {
    /// The visit of a session; an empty one where none has begun.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the sessions can't be read.
    pub async fn of(session: &Session) -> Result<Visit, Problem> {
        Ok(take(session, KEY).await?.unwrap_or_default())
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
        let visit = Visit { who: visit.who, token: random()? };
        put(session, KEY, &visit).await?;
        Ok(visit)
    }

    /// Signs somebody in: everything the session held before is dropped, and it gets a new id and a new token.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn sign_in(session: &Session, who: Who) -> Result<Visit, Problem> {
        session.clear().await;
        session.cycle_id().await.map_err(|error| broken(&error))?;
        let visit = Visit { who, token: random()? };
        put(session, KEY, &visit).await?;
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
            _ => Err(Problem::SignIn { to: "/sign-in", back: back(parts) }),
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
            _ => Err(Problem::SignIn { to: "/office/sign-in", back: back(parts) }),
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
    let is_local = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t']);
    if is_local { path } else { "/" }
}
