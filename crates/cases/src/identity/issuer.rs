//! OpenID Connect issuers: found when they are first needed, so that one that is down at the start is not down for good.

use crate::boxed;
use civic::{NationalId, Text};
use exchange::Remember;
use exchange::oidc::{Config, Level, Levels, OidcError, Pending, Provider, StepUp};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use store::session::Sessions;
use tokio::sync::OnceCell;
use url::Url;

use super::watch::{self, Whose};
use super::{Method, Proven, Refusal, Verified};
use crate::Desk;

/// One issuer as the city registered with it.
#[derive(Debug)]
pub struct Issuer {
    /// Short name in addresses and in the configuration.
    pub id: String,
    /// What people call it.
    pub name: Text,
    /// Which claims mean which level.
    pub levels: Levels,
    config: Config,
    found: OnceCell<Provider>,
}

impl Issuer {
    /// An issuer that is found later.
    #[must_use]
    pub fn new(id: String, name: Text, levels: Levels, config: Config) -> Issuer {
        Issuer {
            id,
            name,
            levels,
            config,
            found: OnceCell::new(),
        }
    }

    /// The strongest level its rules know.
    #[must_use]
    pub fn best(&self) -> Option<Level> {
        self.levels
            .0
            .iter()
            .map(|rule| rule.level)
            .min_by_key(|level| level.number())
    }

    /// The issuer by its own description; asked once, and again only as long as it did not answer.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn provider(&self) -> Result<&Provider, OidcError> {
        self.found
            .get_or_try_init(|| Provider::discover(self.config.clone()))
            .await
    }
}

async fn provider<'a>(desk: &'a Desk, id: &str) -> Result<(&'a Issuer, &'a Provider), Refusal> {
    let issuer = desk.identity.issuer(id).ok_or(Refusal::No("off"))?;
    match issuer.provider().await {
        Ok(provider) => Ok((issuer, provider)),
        Err(error) => {
            tracing::warn!(%error, issuer = id, "sign-in");
            Err(Refusal::No("unreachable"))
        }
    }
}

/// Where to send the browser, and what to keep in its session. With `needed` the issuer is asked for a verification of that
/// strength, where its rules name `acr` values for it. `session` is a value that only this session has.
///
/// # Errors
/// [`Refusal::No`] with `off`, `unreachable` or `too-many`; the store's.
#[boxed]
pub async fn begin(desk: &Desk, id: &str, needed: Option<Level>, session: &str) -> Result<(Url, Pending), Refusal> {
    watch::attempt(desk, Whose::Session(session)).await?;
    let (issuer, provider) = provider(desk, id).await?;
    let ask = StepUp {
        acr_values: needed.map_or_else(Vec::new, |needed| issuer.levels.acr_values(needed)),
        // a stronger proof is a new one: without this an issuer may answer from the sign-in there is
        max_age: needed.map(|_| 0),
    };
    provider.step_up(&ask, desk.now()).map_err(|error| {
        tracing::warn!(%error, issuer = id, "sign-in");
        Refusal::No("unreachable")
    })
}

/// Takes the query of the return, as sent and not decoded, and what the caller has taken out of the session.
///
/// # Errors
/// [`Refusal::No`] says what to do; the store's.
#[boxed]
pub async fn finish(
    desk: &Desk,
    id: &str,
    query: &str,
    pending: Pending,
    needed: Option<Level>,
) -> Result<Proven, Refusal> {
    let (issuer, provider) = provider(desk, id).await?;
    let now = desk.now();
    let identity = match provider.finish(query, pending, now).await {
        Ok(identity) => identity,
        Err(error) => return refused(desk, &error).await,
    };
    let life = SignedDuration::from_secs(provider.config().pending_seconds.saturating_mul(2));
    let remember = Remember {
        key: hex::encode(Sha256::digest(format!("{id}\n{query}"))),
        until: now.saturating_add(life).unwrap_or(jiff::Timestamp::MAX),
    };
    watch::once(desk, "oidc", remember).await?;
    let verified = Verified {
        method: Method::Issuer(issuer.id.clone()),
        level: issuer.levels.of(&identity),
        at: identity.verified_at.unwrap_or(now),
    };
    if !verified.reaches(needed) {
        return Err(Refusal::No("too-weak"));
    }
    let said = identity
        .national_id
        .as_deref()
        .and_then(|text| NationalId::parse(text).ok());
    let Some(national_id) = said else {
        return Err(Refusal::No("issuer-no-id"));
    };
    let subject = mark(desk, &issuer.id, "sub", &identity.subject);
    let second = match &identity.session {
        Some(session) => mark(desk, &issuer.id, "sid", session),
        None => mark(desk, &issuer.id, "sub-alone", &identity.subject),
    };
    Ok(Proven {
        national_id,
        name: identity.name,
        verified,
        marks: vec![subject, second],
        id_token: Some(identity.id_token),
    })
}

/// By what the sessions of a person, or a session, at an issuer are found.
fn mark(desk: &Desk, issuer: &str, kind: &str, name: &str) -> [u8; 32] {
    let seal = desk.store.seal();
    seal.lookup("session-mark", &format!("{issuer}\n{kind}\n{name}"))
}

/// The word for an error; told to the administrator where somebody may be up to something.
async fn refused(desk: &Desk, error: &OidcError) -> Result<Proven, Refusal> {
    tracing::warn!(%error, "sign-in refused");
    let word = "issuer-refused";
    match error {
        OidcError::Denied(_) => Err(Refusal::No("issuer-cancelled")),
        OidcError::TooLate => Err(Refusal::No("lost")),
        OidcError::Assurance | OidcError::Stale => Err(Refusal::No("too-weak")),
        OidcError::Issuer(_) | OidcError::Client(_) | OidcError::Address(_) => Err(Refusal::No("unreachable")),
        OidcError::State | OidcError::Query => {
            let detail = "a return from an issuer that does not belong to the sign-in of its session";
            watch::refuse(desk, "oidc", word, "warning", detail).await
        }
        OidcError::OtherIssuer => {
            let detail = "a return that names another issuer than the one the person was sent to";
            watch::refuse(desk, "oidc", word, "alarm", detail).await
        }
        _ => {
            let detail = "a code or an ID token that is not acceptable; the log says which check failed";
            watch::refuse(desk, "oidc", word, "warning", detail).await
        }
    }
}

/// Tells the administrator that a return came over the address of another issuer, and refuses it.
///
/// # Errors
/// [`Refusal::No`] always; the store's.
#[boxed]
pub async fn mixed_up<T>(desk: &Desk) -> Result<T, Refusal> {
    let detail = "a return came over the address of another issuer than the person was sent to";
    watch::refuse(desk, "oidc", "issuer-refused", "alarm", detail).await
}

/// Where to send the browser so that the person is signed out at the issuer, too; nothing where it offers none.
#[boxed]
pub async fn logout_url(desk: &Desk, id: &str, id_token: &str) -> Option<Url> {
    let issuer = desk.identity.issuer(id)?;
    // somebody who signs out is not kept waiting for an issuer that was never there
    let provider = issuer.found.get()?;
    let back = Url::parse(&format!("{}/", desk.city.portal)).ok()?;
    provider.logout_url(id_token, &back, "")
}

/// Ends the sessions that an issuer says are over (back-channel logout); gives how many. The issuer is answered 200, or 400 for
/// a refusal.
///
/// # Errors
/// [`Refusal::No`]; the store's.
#[boxed]
pub async fn logout(desk: &Desk, id: &str, token: &str) -> Result<usize, Refusal> {
    let (issuer, provider) = provider(desk, id).await?;
    let token = match provider.read_logout(token, desk.now()).await {
        Ok(token) => token,
        Err(OidcError::Logout(why)) => {
            tracing::warn!(why, issuer = id, "logout token refused");
            // anybody may post one: the first few are told
            watch::attempt(desk, Whose::Session(&format!("logout\n{id}"))).await?;
            let detail = "a logout token that is not acceptable; the log says which check failed";
            return watch::refuse(desk, "oidc", "issuer-refused", "warning", detail).await;
        }
        Err(error) => {
            tracing::warn!(%error, issuer = id, "logout");
            return Err(Refusal::No("unreachable"));
        }
    };
    watch::once(desk, "logout", token.remember).await?;
    let named = |kind: &str, name: &str| mark(desk, &issuer.id, kind, name);
    let marks = match (&token.session, &token.subject) {
        // one session, and those of the person whose issuer did not name its session
        (Some(session), subject) => {
            let alone = subject.iter().map(|subject| named("sub-alone", subject));
            std::iter::once(named("sid", session)).chain(alone).collect()
        }
        (None, Some(subject)) => vec![named("sub", subject)],
        (None, None) => return Err(Refusal::No("issuer-refused")),
    };
    Ok(Sessions::new(desk.store.clone()).await?.end(marks).await?)
}
