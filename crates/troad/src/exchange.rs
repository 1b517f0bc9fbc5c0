//! What both sides of an exchange do: begin a record, check a signature, end the record.

use crate::body::{BodyError, End};
use crate::canonical::Digest;
use crate::dialect::Dialect;
use crate::directory::{Interface, Keep};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::ids::MemberId;
use crate::log::{Certificate, LogError, Outcome, Part, Record, Side, Written};
use crate::registry::{Certified, Registry};
use crate::signature::Proof;
use crate::statement::{self, Direction, Message, Subject};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use jiff::Timestamp;
use pki::Purpose;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Longest value of the road's headers, bytes.
const LONGEST_HEADER: usize = 512;

/// A record in the making.
pub struct Draft {
    began: Instant,
    /// What is known so far.
    pub record: Record,
    /// Certificates of its signatures.
    pub certificates: Vec<Certificate>,
    /// Content to keep: headers and body of the request, headers and body of the answer.
    pub content: Option<[Vec<u8>; 4]>,
}

impl Draft {
    /// Begins a record.
    #[must_use]
    pub fn new(side: Side, now: Timestamp, method: &str) -> Draft {
        Draft {
            began: Instant::now(),
            record: Record {
                time: now.as_millisecond(),
                side,
                client: None,
                service: None,
                method: method.chars().take(20).collect(),
                endpoint: None,
                id: String::new(),
                request_id: String::new(),
                agreement: None,
                system: None,
                status: 0,
                outcome: Outcome::Done,
                fault: None,
                detail: None,
                request: None,
                response: None,
                request_hash: None,
                latency_us: 0,
                content: None,
            },
            certificates: Vec::new(),
            content: None,
        }
    }

    /// What is the same in both statements.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let record = &self.record;
        (!record.id.is_empty() && !record.request_id.is_empty()).then_some(())?;
        Some(Subject {
            client: record.client.clone()?,
            service: record.service.clone()?,
            id: record.id.clone(),
            request_id: record.request_id.clone(),
            method: record.method.clone(),
        })
    }

    /// Notes a message that was signed here or checked: the signature as it travels and the signer's certificate.
    pub fn note(
        &mut self,
        direction: Direction,
        message: &Message,
        proof: String,
        (fingerprint, der): (&[u8; 32], &Arc<[u8]>),
    ) {
        let part = Some(Part::new(message, Some(proof)));
        match direction {
            Direction::Request => self.record.request = part,
            Direction::Response => self.record.response = part,
        }
        if self.certificates.iter().all(|(known, _)| known != fingerprint) {
            self.certificates.push((*fingerprint, Arc::clone(der)));
        }
    }

    /// Notes a fault.
    pub fn fail(&mut self, fault: &Fault) {
        self.record.status = fault.status.as_u16();
        self.record.outcome = if fault.is_own() { Outcome::Own } else { Outcome::Road };
        self.record.fault = Some(fault.kind.clone());
        self.record.detail = Some(fault.detail.clone());
    }

    /// Notes an answer of the provider's application.
    pub fn answered(&mut self, status: StatusCode) {
        self.record.status = status.as_u16();
        let is_error = status.is_client_error() || status.is_server_error();
        self.record.outcome = if is_error { Outcome::Application } else { Outcome::Done };
    }

    /// Notes how a passing body ended.
    pub fn ended(&mut self, place: Place, end: &End) {
        let Some(error) = end.error else { return };
        if error == BodyError::Abandoned {
            self.record.outcome = Outcome::Aborted;
            return;
        }
        let kind = body_kind(error);
        self.record.outcome = Outcome::Road;
        self.record.fault = Some(format!("{}.{}", place.prefix(), kind.word()));
    }

    /// Ends the record and hands it to the log.
    pub fn write(mut self, inner: &Inner) -> oneshot::Receiver<Result<Written, LogError>> {
        self.record.latency_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let content = self.content.and_then(|parts| inner.seal_content(&parts));
        inner.log.append(self.record, content, self.certificates)
    }

    /// The same, and waits as the configuration says.
    ///
    /// # Errors
    /// [`BodyError::NotLogged`]
    pub async fn settle(self, inner: &Inner) -> Result<(), BodyError> {
        let written = self.write(inner);
        settled(written).await
    }
}

/// Waits until a record is written, or on disk, as the configuration says.
///
/// # Errors
/// [`BodyError::NotLogged`]
pub async fn settled(written: oneshot::Receiver<Result<Written, LogError>>) -> Result<(), BodyError> {
    match written.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(BodyError::NotLogged),
    }
}

/// What a body's trouble is called.
#[must_use]
pub fn body_kind(error: BodyError) -> Kind {
    match error {
        BodyError::TooLarge => Kind::BodyTooLarge,
        BodyError::Slow => Kind::Timeout,
        BodyError::Broken | BodyError::Abandoned => Kind::NetworkError,
        BodyError::NotProven => Kind::InvalidSignature,
        BodyError::NotLogged => Kind::LoggingFailed,
    }
}

/// The fault of a body that could not be read.
#[must_use]
pub fn body_fault(place: Place, error: BodyError) -> Fault {
    let place = if error == BodyError::TooLarge {
        Place::Client
    } else {
        place
    };
    Fault::new(place, body_kind(error), error.to_string())
}

/// Whether an interface keeps content, and how much.
#[must_use]
pub fn keep(inner: &Inner, interface: Option<&Arc<Interface>>) -> Option<u64> {
    let full = interface.is_some_and(|interface| interface.keep == Keep::Full);
    full.then_some(inner.config.limits.content_bytes)
}

/// Checks the signature of a message: whose certificate it is, whether that serves now, the time, the value. Returns the
/// signature as it travelled and its certificate.
///
/// # Errors
/// `InvalidSignatureValue`, `ClockSkew`
pub fn check_proof(
    inner: &Inner,
    registry: &Registry,
    place: Place,
    owner: &MemberId,
    proof: Option<&HeaderValue>,
    signed: (Direction, &str),
    now: Timestamp,
) -> Result<(String, Arc<Certified>), Fault> {
    let wrong = |what: String| Fault::new(place, Kind::InvalidSignature, what);
    let (direction, statement) = signed;
    let text = proof
        .ok_or_else(|| wrong(format!("the {} is not signed", direction.word())))?
        .to_str()
        .map_err(|_| wrong("the signature can't be read".to_owned()))?;
    let proof: Proof = text.parse().map_err(|error| wrong(format!("{error}")))?;
    let certified = registry
        .signing_certificate(&proof.certificate)
        .filter(|certified| certified.owner.same_owner(owner))
        .ok_or_else(|| {
            wrong(format!(
                "the {} is signed with a certificate that is none of `{owner}`",
                direction.word()
            ))
        })?;
    certified
        .serves(Purpose::Signing, now)
        .map_err(|error| wrong(format!("signature of the {}: {error}", direction.word())))?;
    let skew = i64::try_from(inner.config.limits.skew_s).unwrap_or(i64::MAX);
    if proof.time.saturating_sub(now.as_second()).saturating_abs() > skew {
        return Err(Fault::new(
            place,
            Kind::ClockSkew,
            format!(
                "the {} was signed more than {skew} seconds from now; compare the clocks of both gateways",
                direction.word()
            ),
        ));
    }
    let holds = certified
        .key
        .as_ref()
        .is_some_and(|key| proof.holds(key, direction, statement));
    if !holds {
        return Err(wrong(format!(
            "the signature does not belong to the {} that came",
            direction.word()
        )));
    }
    Ok((text.to_owned(), Arc::clone(certified)))
}

/// Signs a message of this side and notes it.
///
/// # Errors
/// `InternalError`
pub fn sign(
    inner: &Inner,
    draft: &mut Draft,
    subject: &Subject,
    direction: Direction,
    message: &Message,
    answer: Option<(u16, &str)>,
) -> Result<HeaderValue, Fault> {
    let place = match direction {
        Direction::Request => Place::ClientProxy,
        Direction::Response => Place::ServerProxy,
    };
    let internal = || Fault::new(place, Kind::InternalError, "the message can't be signed");
    let text = statement::text(direction, subject, message, answer);
    let proof = inner
        .signer
        .sign(direction, &text, inner.now())
        .map_err(|_| internal())?;
    let proof = proof.to_string();
    let value = HeaderValue::from_str(&proof).map_err(|_| internal())?;
    draft.note(direction, message, proof, inner.signer.certificate());
    Ok(value)
}

/// The headers of a message in their one form, and their hash.
#[must_use]
pub fn head(dialect: &Dialect, start: &str, headers: &HeaderMap) -> (Vec<u8>, Digest) {
    let text = crate::canonical::text(dialect, start, headers);
    let digest = crate::canonical::sha512(&text);
    (text, digest)
}

/// The last value of a header as text: where one of the road's headers comes several times, the last counts.
///
/// # Errors
/// `Client.BadRequest` for a value that is no text of bearable length.
pub fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Fault> {
    let Some(value) = headers.get_all(name).iter().next_back() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|text| text.len() <= LONGEST_HEADER);
    text.map(|text| Some(text.trim()))
        .ok_or_else(|| Fault::bad_request(format!("`{name}` is too long or no plain text")))
}

/// Checks the optional headers of a request: the user has the letters of a country in front, the represented party is
/// `[class/]member`.
///
/// # Errors
/// `Client.BadRequest`
pub fn check_optional(dialect: &Dialect, headers: &HeaderMap) -> Result<(), Fault> {
    let names = &dialect.headers;
    if let Some(user) = last(headers, &names.user_id.0)? {
        let country: Vec<char> = user.chars().take(2).collect();
        if user.chars().count() < 3 || !country.iter().all(char::is_ascii_uppercase) || country.len() != 2 {
            return Err(Fault::bad_request(format!(
                "`{:?}` must begin with the two letters of a country",
                names.user_id
            )));
        }
    }
    if let Some(party) = last(headers, &names.represented_party.0)? {
        let parts: Vec<&str> = party.split('/').collect();
        let is_party = parts.len() <= 2
            && parts
                .iter()
                .enumerate()
                .all(|(at, text)| crate::ids::part(text, at).is_ok());
        if !is_party {
            return Err(Fault::bad_request(format!(
                "`{:?}` must read `[class/]member`",
                names.represented_party
            )));
        }
    }
    last(headers, &names.issue.0)?;
    Ok(())
}

/// The gateway a request is meant for: owner and code.
///
/// # Errors
/// `Client.BadRequest`
pub fn aimed_at(dialect: &Dialect, headers: &HeaderMap) -> Result<Option<(MemberId, String)>, Fault> {
    let Some(text) = last(headers, &dialect.headers.security_server.0)? else {
        return Ok(None);
    };
    let id: MemberId = text
        .parse()
        .map_err(|_| Fault::bad_request("the gateway's identifier must read `instance/class/member/code`"))?;
    match id.subsystem.clone() {
        Some(code) => Ok(Some((id.owner(), code))),
        None => Err(Fault::bad_request(
            "the gateway's identifier must read `instance/class/member/code`",
        )),
    }
}

/// A message id: what is visible in ASCII, of bearable length.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Sets one header.
pub fn set(headers: &mut HeaderMap, name: &HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
