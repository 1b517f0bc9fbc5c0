//! The answer of the provider's gateway: whose it is, to which request, whether it is what was signed.

use super::{Sent, internal, own};
use crate::body::{self, Body, BodyError, Bounds, Passing, Start};
use crate::canonical::{request_hash, strip_hop};
use crate::directory::Interface;
use crate::exchange::Draft;
use crate::exchange::{body_fault, check_proof, head, keep};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::ids::MemberId;
use crate::log::Part;
use crate::registry::Registry;
use crate::replay::lock;
use crate::statement::{self, Direction, Message};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Largest body of a fault of the road.
const FAULT_BYTES: u64 = 64 << 10;

/// What the signature of an answer is held against.
struct Expected {
    registry: Arc<Registry>,
    owner: MemberId,
    subject: statement::Subject,
    headers: [u8; 64],
    status: u16,
    request_hash: String,
}

impl Expected {
    fn prove(
        &self,
        inner: &Inner,
        draft: &mut Draft,
        body: crate::canonical::Hashed,
        proof: Option<&HeaderValue>,
    ) -> Result<(), Fault> {
        let message = Message {
            headers: self.headers,
            body,
        };
        let hash = Some((self.status, self.request_hash.as_str()));
        let text = statement::text(Direction::Response, &self.subject, &message, hash);
        // what came is noted even where its signature is wrong
        draft.record.response = Some(Part::new(&message, None));
        let signed = (Direction::Response, text.as_str());
        let now = inner.now();
        let (proof, certified) = check_proof(
            inner,
            &self.registry,
            Place::ClientProxy,
            &self.owner,
            proof,
            signed,
            now,
        )?;
        draft.note(Direction::Response, &message, proof, certified.named());
        Ok(())
    }
}

/// What the head of an answer says.
struct Stated {
    expected: Expected,
    /// Start line and headers in their one form.
    text: Vec<u8>,
    /// Type of the fault of the road, where it is one.
    fault: Option<String>,
    /// The provider's hash of the request.
    request_hash: Option<String>,
    /// Whether it answers the message that was sent.
    is_ours: bool,
    signature: Option<HeaderValue>,
}

impl Stated {
    /// Reads a head and takes the signature out of it.
    fn read(
        inner: &Inner,
        registry: &Arc<Registry>,
        owner: &MemberId,
        sent: &Sent,
        parts: &mut hyper::http::response::Parts,
    ) -> Stated {
        let names = &inner.config.dialect.headers;
        let text = |name: &crate::dialect::Name| parts.headers.get(&name.0).and_then(|value| value.to_str().ok());
        let request_hash = text(&names.request_hash).map(str::to_owned);
        let fault = text(&names.error).map(str::to_owned);
        let is_ours = text(&names.id) == Some(sent.subject.id.as_str())
            && text(&names.request_id) == Some(sent.subject.request_id.as_str());
        let status = parts.status.as_u16();
        let (text, headers) = head(&inner.config.dialect, &format!("HTTP/1.1 {status}"), &parts.headers);
        Stated {
            expected: Expected {
                registry: Arc::clone(registry),
                owner: owner.clone(),
                subject: sent.subject.clone(),
                headers,
                status,
                request_hash: request_hash.clone().unwrap_or_else(|| "none".to_owned()),
            },
            text,
            fault,
            request_hash,
            is_ours,
            signature: parts.headers.remove(&names.signature.0),
        }
    }

    /// Notes what the record says of the head.
    fn note(&self, draft: &mut Draft) {
        draft.record.status = self.expected.status;
        draft.record.request_hash = self.request_hash.clone().filter(|hash| hash.len() <= 100);
    }

    /// The fault of the road of type `kind` that an answer with this head brings. A gateway that refuses before it has understood
    /// the message can't sign; one that signs must do it rightly.
    fn refusal(&self, inner: &Inner, draft: &mut Draft, kind: &str, start: &Start) -> Fault {
        if self.signature.is_some()
            && let Err(fault) = self
                .expected
                .prove(inner, draft, start.hashed(), self.signature.as_ref())
        {
            return fault;
        }
        let status = StatusCode::from_u16(self.expected.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Fault::read(&inner.config.dialect, kind, status, &start.joined())
    }
}

/// Reads the body of a fault of the road.
async fn fault_body(inner: &Inner, incoming: &mut Incoming) -> Result<Start, Fault> {
    let limits = &inner.config.limits;
    let pause = Duration::from_secs(limits.pause_s);
    let until = Instant::now() + Duration::from_secs(limits.body_s);
    let read = body::start(incoming, FAULT_BYTES, FAULT_BYTES, pause, until).await;
    read.map_err(|error| match error {
        BodyError::TooLarge => own(
            Kind::ServiceFailed,
            "the provider's gateway refuses with more text than a fault has",
        ),
        error => body_fault(Place::ClientProxy, error),
    })
}

/// A refusal that came before the whole request had left.
pub(super) struct Early {
    stated: Stated,
    kind: String,
    body: Result<Start, Fault>,
}

impl Early {
    /// Reads an answer that came too early; none where it is no fault of the road.
    pub(super) async fn read(
        inner: &Inner,
        registry: &Arc<Registry>,
        owner: &MemberId,
        sent: &Sent,
        response: Response<Incoming>,
    ) -> Option<Early> {
        let (mut parts, mut incoming) = response.into_parts();
        let stated = Stated::read(inner, registry, owner, sent, &mut parts);
        let kind = stated.fault.clone()?;
        let body = fault_body(inner, &mut incoming).await;
        Some(Early { stated, kind, body })
    }

    /// The fault it tells, noted in the record.
    pub(super) fn told(self, inner: &Inner, draft: &mut Draft) -> Fault {
        self.stated.note(draft);
        match self.body {
            Ok(start) => self.stated.refusal(inner, draft, &self.kind, &start),
            Err(fault) => fault,
        }
    }
}

/// Takes an answer: a fault of the road is returned as such, any other answer is handed on.
pub(super) async fn take(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    registry: &Arc<Registry>,
    interface: Option<Arc<Interface>>,
    owner: &MemberId,
    sent: Arc<Sent>,
    response: Response<Incoming>,
) -> Result<Response<Body>, Fault> {
    let names = &inner.config.dialect.headers;
    let limits = &inner.config.limits;
    let (request_body, kept_request, draft) = lock(&sent.body).take().ok_or_else(internal)?;
    let draft = slot.insert(draft);
    let (mut parts, mut incoming) = response.into_parts();
    let status = parts.status;
    let stated = Stated::read(inner, registry, owner, &sent, &mut parts);
    stated.note(draft);
    if let Some(kind) = &stated.fault {
        let start = fault_body(inner, &mut incoming).await?;
        return Err(stated.refusal(inner, draft, kind, &start));
    }
    let Stated {
        expected,
        text: head_text,
        request_hash: stated_hash,
        is_ours,
        signature,
        ..
    } = stated;
    let expected_hash = request_hash(&sent.headers, &request_body);
    let pause = Duration::from_secs(limits.pause_s);
    let until = Instant::now() + Duration::from_secs(limits.body_s);
    if !is_ours {
        return Err(own(
            Kind::ServiceFailed,
            "the answer of the provider's gateway belongs to another message",
        ));
    }
    if stated_hash.as_deref() != Some(expected_hash.as_str()) {
        return Err(own(
            Kind::InvalidHash,
            "the provider's gateway states another hash of the request than this one sent",
        ));
    }
    strip_hop(&mut parts.headers);
    let limit = interface.as_ref().and_then(|interface| interface.answer_bytes);
    let limit = limit.unwrap_or(limits.answer_bytes).min(limits.answer_bytes);
    let read = body::start(&mut incoming, limits.small_bytes, limit, pause, until).await;
    let start = read.map_err(|error| match error {
        BodyError::TooLarge => own(Kind::BodyTooLarge, "the answer is larger than allowed"),
        error => body_fault(Place::ClientProxy, error),
    })?;
    let keep = keep(inner, interface.as_ref());
    if start.whole {
        let trailing = start
            .trailers
            .as_ref()
            .and_then(|trailers| trailers.get(&names.signature.0));
        expected.prove(inner, draft, start.hashed(), signature.as_ref().or(trailing))?;
        draft.answered(status);
        let bytes = start.joined();
        if keep.is_some_and(|most| bytes.len() as u64 <= most) {
            draft.content = kept_request.map(|request| [sent.head.clone(), request, head_text, bytes.to_vec()]);
        }
        let draft = slot.take().ok_or_else(internal)?;
        let logged = draft.settle(inner).await;
        logged.map_err(|error| body_fault(Place::ClientProxy, error))?;
        return Ok(Response::from_parts(parts, body::full(bytes)));
    }
    let mut draft = slot.take().ok_or_else(internal)?;
    let (for_body, name) = (Arc::clone(inner), names.signature.0.clone());
    let finish: body::Finish = Box::new(move |mut end| {
        let trailing = end
            .trailers
            .take()
            .and_then(|trailers: HeaderMap| trailers.get(&name).cloned());
        draft.answered(StatusCode::from_u16(expected.status).unwrap_or(StatusCode::OK));
        let mut broken = end.error;
        if broken.is_none() {
            if let Err(fault) = expected.prove(
                &for_body,
                &mut draft,
                end.hashed,
                signature.as_ref().or(trailing.as_ref()),
            ) {
                draft.fail(&fault);
                broken = Some(BodyError::NotProven);
            } else if let (Some(request), Some(answer)) = (kept_request, end.kept.take()) {
                draft.content = Some([sent.head.clone(), request, head_text, answer]);
            }
        }
        draft.ended(Place::ClientProxy, &end);
        let written = draft.write(&for_body);
        Box::pin(async move {
            crate::exchange::settled(written).await?;
            broken.map_or(Ok(None), Err)
        })
    });
    let bounds = Bounds { limit, pause, keep };
    Ok(Response::from_parts(
        parts,
        Passing::after(start, incoming, bounds, finish),
    ))
}
