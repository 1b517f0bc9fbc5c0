//! The listener for this side's own systems: plain HTTP on a network of its own, a key for each system.

use super::{Caller, exchange};
use crate::body::{self, Body};
use crate::exchange::{last, set};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::provider::meta;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Answers a request of an own system.
pub(crate) async fn answer(inner: &Arc<Inner>, request: Request<Incoming>) -> Response<Body> {
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let id = last(request.headers(), &inner.config.dialect.headers.id.0)
        .ok()
        .flatten()
        .map(str::to_owned);
    match run(inner, request).await {
        Ok(response) => response,
        Err(fault) => told(inner, &fault, accept.as_deref(), id.as_deref()).0,
    }
}

async fn run(inner: &Arc<Inner>, request: Request<Incoming>) -> Result<Response<Body>, Fault> {
    let key = last(request.headers(), &inner.config.dialect.headers.key.0)?.unwrap_or_default();
    let shown = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    let mut systems = inner.config.systems.iter().zip(&inner.system_keys);
    let found = systems.find(|(_, known)| bool::from(known.as_slice().ct_eq(shown.as_ref())));
    let Some((system, _)) = found else {
        return Err(Fault::new(
            Place::Client,
            Kind::AuthenticationFailed,
            "the gateway knows no system with this key",
        ));
    };
    if request.uri().path() == "/listClients" && request.method() == Method::GET {
        return Ok(json(&meta::clients(inner.current.get().directory())));
    }
    let caller = Caller {
        system: &system.name,
        clients: &system.clients,
    };
    exchange(inner, &caller, request).await
}

pub(crate) fn json(value: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(body::full(value.to_string()));
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// A fault as an answer, and the bytes of its body.
pub(crate) fn told(inner: &Inner, fault: &Fault, accept: Option<&str>, id: Option<&str>) -> (Response<Body>, Bytes) {
    let dialect = &inner.config.dialect;
    let (kind, media_type, bytes) = fault.body(dialect, accept);
    let bytes = Bytes::from(bytes);
    let mut response = Response::new(body::full(bytes.clone()));
    let status = dialect
        .error_statuses
        .get(&fault.kind)
        .and_then(|status| hyper::StatusCode::from_u16(*status).ok());
    *response.status_mut() = status.unwrap_or(fault.status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    set(headers, &dialect.headers.error.0, &kind);
    if let Some(id) = id {
        set(headers, &dialect.headers.id.0, id);
    }
    if fault.is(Place::Client, Kind::AuthenticationFailed) {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Key"));
    }
    (response, bytes)
}
