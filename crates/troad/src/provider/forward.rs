//! The way to the provider's system and back: a fixed base address, no redirect, no header of the road's that the system made
//! up itself.

use super::{fault, internal, mark, sent_body};
use crate::body::{self, Body, BodyError, Bounds, Passing};
use crate::canonical::strip_hop;
use crate::connect::SendError;
use crate::directory::Interface;
use crate::exchange::{Draft, body_fault, head, keep, set, sign};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::spool::Spooled;
use crate::statement::{Direction, Message};
use crate::target::Target;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TE, TRAILER};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode, Uri};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The address a call goes to: the base, the rest of the path, the query. Neither can change host or port.
fn address(base: &url::Url, target: &Target) -> Result<Uri, Fault> {
    let mut text = base.as_str().trim_end_matches('/').to_owned();
    text.push_str(&target.rest);
    if target.rest.is_empty() {
        text.push('/');
    }
    if let Some(query) = &target.query {
        text.push('?');
        text.push_str(query);
    }
    let uri: Uri = text
        .parse()
        .map_err(|_| Fault::bad_request("the path can't be put behind the service's base"))?;
    let same =
        uri.host() == base.host_str() && uri.scheme_str() == Some(base.scheme()) && uri.port_u16() == base.port();
    match same {
        true => Ok(uri),
        false => Err(Fault::bad_request("the path would lead away from the service's base")),
    }
}

/// Whether a request says that its sender takes headers behind the body (RFC 9110 §10.1.4).
fn takes_trailers(headers: &HeaderMap) -> bool {
    let values = headers.get_all(TE).iter().filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case("trailers"))
}

/// Forwards a checked call and hands its answer on, signed. `kept` is the request's content, where it is to be kept.
pub(super) async fn forward(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    interface: &Arc<Interface>,
    target: &Target,
    parts: Parts,
    spooled: Spooled,
    kept: Option<[Vec<u8>; 2]>,
) -> Result<Response<Body>, Fault> {
    let names = &inner.config.dialect.headers;
    let limits = &inner.config.limits;
    let base = interface.base.as_ref().ok_or_else(internal)?;
    let uri = address(base, target)?;
    let bytes = spooled.start.running.bytes;
    let body = spooled
        .into_body()
        .map_err(|_| fault(Kind::InternalError, "the gateway can't read the body it kept"))?;
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    let mut headers = parts.headers;
    let takes_trailers = takes_trailers(&headers);
    strip_hop(&mut headers);
    for name in [&names.signature, &names.request_hash, &names.key] {
        headers.remove(&name.0);
    }
    if bytes > 0 {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    }
    *request.headers_mut() = headers;
    let sent = inner.systems.send(request, Duration::from_secs(limits.answer_s)).await;
    let response = sent.map_err(|error| match error {
        SendError::Timeout => fault(Kind::Timeout, "the provider's system does not answer in time"),
        SendError::Connect | SendError::Tls => fault(Kind::NetworkError, "the provider's system can't be reached"),
        SendError::Body | SendError::Broken => fault(
            Kind::ServiceFailed,
            "the provider's system broke off or answers no HTTP",
        ),
    })?;
    let (mut parts, mut incoming) = response.into_parts();
    let limit = interface
        .answer_bytes
        .unwrap_or(limits.answer_bytes)
        .min(limits.answer_bytes);
    let pause = Duration::from_secs(limits.pause_s);
    let until = Instant::now() + Duration::from_secs(limits.body_s);
    let read = body::start(&mut incoming, limits.small_bytes, limit, pause, until).await;
    let start = read.map_err(|error| match error {
        BodyError::TooLarge => fault(
            Kind::ServiceFailed,
            "the answer of the provider's system is larger than allowed",
        ),
        error => body_fault(Place::ServerProxy, error),
    })?;
    let draft = slot.as_mut().ok_or_else(internal)?;
    strip_hop(&mut parts.headers);
    for name in [&names.error, &names.signature, &names.request_hash, &names.key] {
        parts.headers.remove(&name.0);
    }
    mark(inner, draft, &mut parts.headers);
    draft.answered(parts.status);
    let (head_text, headers) = head(
        &inner.config.dialect,
        &format!("HTTP/1.1 {}", parts.status.as_u16()),
        &parts.headers,
    );
    let keep = keep(inner, Some(interface));
    if start.whole {
        let message = Message {
            headers,
            body: start.hashed(),
        };
        let bytes = start.joined();
        if keep.is_some_and(|most| bytes.len() as u64 <= most) {
            draft.content = kept.map(|[head, body]| [head, body, head_text, bytes.to_vec()]);
        }
        let signature = sign_answer(inner, draft, parts.status, &message)?;
        parts.headers.insert(&names.signature.0, signature);
        let draft = slot.take().ok_or_else(internal)?;
        draft
            .settle(inner)
            .await
            .map_err(|error| body_fault(Place::ServerProxy, error))?;
        return Ok(Response::from_parts(parts, body::full(bytes)));
    }
    if !takes_trailers {
        return Err(Fault::bad_request(
            "a long answer is signed behind its end: send `TE: trailers`",
        ));
    }
    let name = names.signature.0.clone();
    set(&mut parts.headers, &TRAILER, name.as_str());
    let mut draft = slot.take().ok_or_else(internal)?;
    let (for_body, status) = (Arc::clone(inner), parts.status);
    let finish: body::Finish = Box::new(move |mut end| {
        let message = Message {
            headers,
            body: end.hashed,
        };
        let mut result = match end.error {
            Some(error) => Err(error),
            None => sign_answer(&for_body, &mut draft, status, &message)
                .map(|value| Some(HeaderMap::from_iter([(name, value)])))
                .map_err(|_| BodyError::NotProven),
        };
        if let (Some([head, body]), Some(answer)) = (kept, end.kept.take()) {
            draft.content = Some([head, body, head_text, answer]);
        }
        draft.ended(Place::ServerProxy, &end);
        let written = draft.write(&for_body);
        Box::pin(async move {
            if let Err(error) = crate::exchange::settled(written).await {
                result = Err(error);
            }
            result
        })
    });
    let bounds = Bounds { limit, pause, keep };
    Ok(Response::from_parts(
        parts,
        Passing::after(start, incoming, bounds, finish),
    ))
}

fn sign_answer(inner: &Inner, draft: &mut Draft, status: StatusCode, message: &Message) -> Result<HeaderValue, Fault> {
    let subject = draft.subject().ok_or_else(internal)?;
    let hash = draft.record.request_hash.clone().unwrap_or_else(|| "none".to_owned());
    sign(
        inner,
        draft,
        &subject,
        Direction::Response,
        message,
        Some((status.as_u16(), &hash)),
    )
}

/// An answer of the gateway itself, signed and logged.
pub(super) async fn own_answer(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    media_type: &'static str,
    bytes: Vec<u8>,
) -> Result<Response<Body>, Fault> {
    let draft = slot.as_mut().ok_or_else(internal)?;
    let hashed = sent_body(draft, &bytes);
    let mut response = Response::new(body::full(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    mark(inner, draft, headers);
    draft.answered(StatusCode::OK);
    let (_, headers) = head(&inner.config.dialect, "HTTP/1.1 200", response.headers());
    let message = Message { headers, body: hashed };
    let signature = sign_answer(inner, draft, StatusCode::OK, &message)?;
    response
        .headers_mut()
        .insert(&inner.config.dialect.headers.signature.0, signature);
    let draft = slot.take().ok_or_else(internal)?;
    draft
        .settle(inner)
        .await
        .map_err(|error| body_fault(Place::ServerProxy, error))?;
    Ok(response)
}
