//! The answer of the provider's gateway: whose it is, to which request, whether it is what was signed.

use super::{Sent, internal, own};
use crate::body::{self, Body, BodyError, Bounds, Passing};
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
        draft.note(Direction::Response, &message, &proof, &certified.der);
        Ok(())
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
    draft.record.status = status.as_u16();
    let expected_hash = request_hash(&sent.headers, &request_body);
    let text = |name: &crate::dialect::Name| parts.headers.get(&name.0).and_then(|value| value.to_str().ok());
    let stated_hash = text(&names.request_hash).map(str::to_owned);
    let error = text(&names.error).map(str::to_owned);
    let same = text(&names.id) == Some(sent.subject.id.as_str())
        && text(&names.request_id) == Some(sent.subject.request_id.as_str());
    let (head_text, headers) = head(
        &inner.config.dialect,
        &format!("HTTP/1.1 {}", status.as_u16()),
        &parts.headers,
    );
    let expected = Expected {
        registry: Arc::clone(registry),
        owner: owner.clone(),
        subject: sent.subject.clone(),
        headers,
        status: status.as_u16(),
        request_hash: stated_hash.clone().unwrap_or_else(|| "none".to_owned()),
    };
    draft.record.request_hash = stated_hash.clone().filter(|hash| hash.len() <= 100);
    let signature = parts.headers.remove(&names.signature.0);
    let pause = Duration::from_secs(limits.pause_s);
    let until = Instant::now() + Duration::from_secs(limits.body_s);
    if let Some(kind) = error {
        let read = body::start(&mut incoming, FAULT_BYTES, FAULT_BYTES, pause, until).await;
        let start = read.map_err(|error| body_fault(Place::ClientProxy, error))?;
        // a gateway that refuses before it has understood the message can't sign; one that signs must do it rightly
        if signature.is_some() {
            expected.prove(inner, draft, start.hashed(), signature.as_ref())?;
        }
        return Err(Fault::read(&inner.config.dialect, &kind, status, &start.joined()));
    }
    if !same {
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
