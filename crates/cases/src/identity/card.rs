//! 自然人憑證: the card signs a text that was made for this one sign-in; then chain, purpose, revocation, and whose card it is.

use crate::boxed;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use civic::NationalId;
use exchange::certificate::ics::{Belongs, Ics};
use exchange::certificate::sign_in::{Challenge, SignIn, SignInError};
use exchange::certificate::{CertificateError, CmsError, Evidence, EvidenceError};
use exchange::oidc::Level;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::watch::{self, Whose};
use super::{Method, Proven, Refusal, Verified, national_id};
use crate::Desk;

/// The method as the city configured it.
#[derive(Debug)]
pub struct Card {
    /// Chain, purpose and challenge.
    pub sign_in: SignIn,
    /// What authorities say of revocation.
    pub lists: Arc<Lists>,
    /// Whose card it is.
    pub ics: Ics,
    /// How strongly it proves who somebody is.
    pub level: Level,
    /// Address of the page that reaches the card; the challenge is added as `challenge`. Without one the signature is put in by
    /// hand.
    pub component: Option<Url>,
}

/// A folder of revocation lists (`*.crl`) and OCSP answers (`*.ocsp`), DER. It is read again whenever a file of it changes.
#[derive(Debug)]
pub struct Lists {
    folder: Option<PathBuf>,
    required: bool,
    skew: SignedDuration,
    kept: Mutex<Option<(Vec<Stamp>, Arc<Evidence>)>>,
}

/// A file, when it was changed, its bytes.
type Stamp = (PathBuf, Option<SystemTime>, u64);

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// It, or a file in it, can't be read.
    #[error("{path}: {why}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A file is not what its name says, or there are too many.
    #[error("{file}: {why}", file = file.display())]
    Wrong {
        /// Which.
        file: PathBuf,
        /// Why.
        why: EvidenceError,
    },
}

impl Lists {
    /// The lists of a folder. With `required` a certificate of which none speaks is refused; `skew` is how far an authority's
    /// clock may be ahead.
    #[must_use]
    pub fn new(folder: Option<PathBuf>, required: bool, skew: SignedDuration) -> Lists {
        Lists {
            folder,
            required,
            skew,
            kept: Mutex::new(None),
        }
    }

    /// What the folder holds now.
    ///
    /// # Errors
    /// [`ListsError`]: one file that can't be read refuses all, because it may be the one that revokes.
    pub fn read(&self) -> Result<Arc<Evidence>, ListsError> {
        let stamps = match &self.folder {
            Some(folder) => stamps(folder)?,
            None => Vec::new(),
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, evidence)) = &*kept
            && *known == stamps
        {
            return Ok(Arc::clone(evidence));
        }
        let of = |ending: &str| -> Result<(Vec<PathBuf>, Vec<Vec<u8>>), ListsError> {
            let files = stamps.iter().map(|(path, ..)| path).filter(|path| ends(path, ending));
            let files: Vec<PathBuf> = files.cloned().collect();
            let bytes = files
                .iter()
                .map(|path| std::fs::read(path).map_err(unreadable(path)))
                .collect::<Result<_, _>>()?;
            Ok((files, bytes))
        };
        let (list_files, lists) = of("crl")?;
        let (answer_files, answers) = of("ocsp")?;
        let evidence = Evidence::read(&lists, &answers, self.required, self.skew).map_err(|why| {
            let named = match &why {
                EvidenceError::List(at) => list_files.get(*at),
                EvidenceError::Answer(at) => answer_files.get(*at),
                EvidenceError::TooLarge(_) => None,
            };
            let file = named.or(self.folder.as_ref()).cloned().unwrap_or_default();
            ListsError::Wrong { file, why }
        })?;
        let evidence = Arc::new(evidence);
        *kept = Some((stamps, Arc::clone(&evidence)));
        Ok(evidence)
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> ListsError + '_ {
    |why| ListsError::Unreadable {
        path: path.to_owned(),
        why,
    }
}

fn ends(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// The files that count, in the order of their names.
fn stamps(folder: &Path) -> Result<Vec<Stamp>, ListsError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if ends(&path, "crl") || ends(&path, "ocsp") {
            let about = std::fs::metadata(&path).map_err(unreadable(&path))?;
            found.push((path, about.modified().ok(), about.len()));
        }
    }
    found.sort();
    Ok(found)
}

/// A challenge that waits for its signature, kept in the session. `Debug` is empty.
#[derive(Clone, Serialize, Deserialize)]
pub struct Signing {
    challenge: Challenge,
    person: String,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}

impl Signing {
    /// A challenge that was made elsewhere, for the person of this national id.
    ///
    /// # Errors
    /// [`Refusal::No`] where it is none.
    pub fn of(challenge: Challenge, typed: &str) -> Result<Signing, Refusal> {
        let person = national_id(typed)?.reveal().to_owned();
        Ok(Signing { challenge, person })
    }

    /// The text to sign.
    #[must_use]
    pub fn text(&self) -> &str {
        self.challenge.text()
    }
}

/// Makes a challenge for somebody's card. `session` is a value that only this session has, for the count of attempts.
///
/// # Errors
/// [`Refusal::No`] with `national-id` or `too-many`; the store's.
#[boxed]
pub async fn challenge(desk: &Desk, typed: &str, session: &str) -> Result<Signing, Refusal> {
    let card = desk.identity.card.as_ref().ok_or(Refusal::No("off"))?;
    // looked at before an attempt is counted: a slip of the finger is none
    national_id(typed)?;
    watch::attempt(desk, Whose::Session(session)).await?;
    let mut random = [0; 32];
    let halves = [Uuid::new_v4(), Uuid::new_v4()];
    for (half, from) in random.chunks_exact_mut(16).zip(&halves) {
        half.copy_from_slice(from.as_bytes());
    }
    Signing::of(card.sign_in.challenge(&random, desk.now()), typed)
}

/// Where the browser goes so that the card signs; nothing where the signature is put in by hand.
#[must_use]
pub fn component(desk: &Desk, signing: &Signing) -> Option<Url> {
    let mut to = desk.identity.card.as_ref()?.component.clone()?;
    to.query_pairs_mut().append_pair("challenge", signing.text());
    Some(to)
}

/// Takes a signature (PKCS#7 in Base64) over a challenge that the caller has taken out of the session.
///
/// # Errors
/// [`Refusal::No`] says which check failed; the store's.
#[boxed]
pub async fn finish(desk: &Desk, signing: Signing, signature: &str) -> Result<Proven, Refusal> {
    let card = desk.identity.card.as_ref().ok_or(Refusal::No("off"))?;
    let person = NationalId::parse(&signing.person).map_err(|_| Refusal::No("national-id"))?;
    let lists = Arc::clone(&card.lists);
    let read = tokio::task::spawn_blocking(move || lists.read()).await;
    let evidence = match read
        .map_err(|error| error.to_string())
        .and_then(|read| read.map_err(|error| error.to_string()))
    {
        Ok(evidence) => evidence,
        Err(error) => {
            tracing::error!(error, "revocation lists");
            let detail = "the revocation lists can't be read, so nobody can sign in by card; see the log";
            return watch::refuse(desk, "card", "card-unknown-standing", "alarm", detail).await;
        }
    };
    let now = desk.now();
    let holder = match card.sign_in.verify(&signing.challenge, signature, &evidence, now) {
        Ok(holder) => holder,
        Err(error) => return refused(desk, &error).await,
    };
    watch::once(desk, "card", holder.remember).await?;
    let lookup = desk.store.seal().lookup("national_id", person.reveal());
    watch::attempt(desk, Whose::Person(&lookup)).await?;
    match card.ics.ask(&holder.serial, &person, now).await {
        Ok(Belongs::Yes) => Ok(Proven {
            national_id: person,
            name: None,
            verified: Verified {
                method: Method::Card,
                level: Some(card.level),
                at: now,
            },
            marks: Vec::new(),
            id_token: None,
        }),
        Ok(Belongs::No) => {
            let detail = "a good card was used with a national id that is not its holder's";
            watch::refuse(desk, "card", "card-not-yours", "warning", detail).await
        }
        Ok(Belongs::NotActivated) => Err(Refusal::No("card-not-activated")),
        Err(error) => {
            tracing::warn!(%error, "ICS");
            Err(Refusal::No("unreachable"))
        }
    }
}

/// The word for an error; each is told to the administrator but for what comes of waiting too long or copying badly.
async fn refused(desk: &Desk, error: &SignInError) -> Result<Proven, Refusal> {
    let certificate = |error: &CertificateError| match error {
        CertificateError::Expired(_) => ("card-expired", "notice", "a card whose certificate has expired"),
        CertificateError::NotYetValid(_) => ("card-not-yet", "notice", "a card whose certificate is not valid yet"),
        CertificateError::UnknownIssuer => (
            "card-unknown-issuer",
            "warning",
            "a certificate that leads to no configured root, such as a self-signed one",
        ),
        CertificateError::WrongPurpose => (
            "card-wrong-purpose",
            "warning",
            "a certificate that may not sign, such as one for sealing or of an authority",
        ),
        CertificateError::Revoked => ("card-revoked", "warning", "a card whose certificate was revoked"),
        CertificateError::UnknownStanding => (
            "card-unknown-standing",
            "warning",
            "no list in the folder speaks of a card, or the lists are out of date; fetch them again",
        ),
        CertificateError::Unreadable
        | CertificateError::WrongChainSignature
        | CertificateError::WeakAlgorithm
        | CertificateError::PathTooLong
        | CertificateError::Chain(_)
        | CertificateError::UnknownSignature => (
            "card-signature",
            "warning",
            "a signature or a chain of certificates that does not hold",
        ),
    };
    let (word, severity, detail) = match error {
        SignInError::Base64 => return Err(Refusal::No("card-form")),
        SignInError::TooLate => return Err(Refusal::No("card-too-late")),
        SignInError::TooEarly => (
            "card-clock",
            "warning",
            "a challenge from the future: the clocks of the city's servers differ",
        ),
        SignInError::Signature(CmsError::Certificate(error)) => certificate(error),
        SignInError::Signature(CmsError::OtherContent) => (
            "card-other-text",
            "alarm",
            "a signature over another text than the challenge of this session",
        ),
        SignInError::Signature(CmsError::Form | CmsError::TooLarge) => return Err(Refusal::No("card-form")),
        SignInError::Signature(_) => (
            "card-signature",
            "warning",
            "a signature in a form that is not accepted, such as by SHA-1 or by two signers",
        ),
    };
    watch::refuse(desk, "card", word, severity, detail).await
}
