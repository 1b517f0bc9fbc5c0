//! Calls from within the process, with the three faults told apart (own side, road, provider's application).

use super::{Caller, exchange, internal};
use crate::body::{self, BodyError};
use crate::exchange::{body_fault, set};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Gateway;
use crate::ids::{MemberId, ServiceId};
use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// As whom: the own member or a subsystem of it.
    pub client: MemberId,
    /// What is called.
    pub service: ServiceId,
    /// HTTP method.
    pub method: Method,
    /// Path behind the service code with its query: empty, or beginning with `/` or `?`. Values in it are percent-encoded by
    /// the caller.
    pub path: String,
    /// Body and its media type.
    pub body: Option<(String, Bytes)>,
    /// Message id; none lets the gateway make one.
    pub id: Option<String>,
    /// The user behind the call, pseudonymous, with the letters of the country in front (`TW…`).
    pub user_id: Option<String>,
    /// Number of the case that causes the call.
    pub issue: Option<String>,
    /// On whose behalf: `[class/]member`.
    pub represented_party: Option<String>,
    /// Further headers, passed on unmodified.
    pub headers: HeaderMap,
    /// Largest body of the answer, bytes.
    pub answer_bytes: u64,
}

impl Call {
    /// A call without a body.
    #[must_use]
    pub fn get(client: MemberId, service: ServiceId, path: impl Into<String>) -> Call {
        Call {
            client,
            service,
            method: Method::GET,
            path: path.into(),
            body: None,
            id: None,
            user_id: None,
            issue: None,
            represented_party: None,
            headers: HeaderMap::new(),
            answer_bytes: 16 << 20,
        }
    }
}

/// An answer of the provider's application, proven and logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status under 400.
    pub status: StatusCode,
    /// Headers, those of the road among them.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Message id.
    pub id: String,
    /// Id of the exchange, in the logs of both sides.
    pub request_id: String,
}

/// Why there is no good answer. Who must act differs with the kind.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// The own side: the call itself, the agreement, the quota, this gateway. A repetition alone helps nothing; where the fault
    /// came after the call had left, such as a log that can't be written, the provider may have acted on it.
    #[error("the call failed on this side: {0}")]
    Own(Fault),
    /// The road: the network, certificates, the provider's gateway. May be tried again later.
    #[error("the road failed: {0}")]
    Road(Fault),
    /// The provider's application answered with an error, which is proven and logged like any answer.
    #[error("the provider's application answered with status {}", .0.status.as_u16())]
    Application(Box<Answer>),
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        if fault.is_own() {
            CallError::Own(fault)
        } else {
            CallError::Road(fault)
        }
    }
}

impl Gateway {
    /// Makes a call and reads its whole answer.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        let dialect = &self.inner.config.dialect;
        let names = &dialect.headers;
        let uri = format!("/{}/{}{}", dialect.prefix, call.service, call.path);
        let (media_type, content) = call
            .body
            .map_or((None, Bytes::new()), |(kind, bytes)| (Some(kind), bytes));
        let mut request = Request::new(body::full(content));
        *request.method_mut() = call.method;
        *request.uri_mut() = uri
            .parse()
            .map_err(|_| Fault::bad_request("the path holds what a path can't hold; percent-encode its values"))?;
        *request.headers_mut() = call.headers;
        let headers = request.headers_mut();
        set(headers, &names.client.0, &call.client.to_string());
        let optional = [
            (&names.id.0, call.id),
            (&names.user_id.0, call.user_id),
            (&names.issue.0, call.issue),
            (&names.represented_party.0, call.represented_party),
            (&CONTENT_TYPE, media_type),
        ];
        for (name, value) in optional {
            let Some(value) = value else { continue };
            let value = hyper::header::HeaderValue::from_str(&value)
                .map_err(|_| Fault::bad_request(format!("`{name}` can't hold this text")))?;
            headers.insert(name, value);
        }
        let client = call.client;
        if !client.same_owner(&self.inner.config.member) {
            return Err(Fault::new(
                Place::ClientProxy,
                Kind::AccessDenied,
                "the client is none of this side's",
            )
            .into());
        }
        // a task of its own: who calls may give up waiting, and what has left this side must stand in the log
        let inner = Arc::clone(&self.inner);
        let running = tokio::spawn(async move {
            let caller = Caller {
                system: "platform",
                clients: &[client],
            };
            exchange(&inner, &caller, request).await
        });
        let response = running.await.map_err(|_| internal())??;
        let (parts, mut body) = response.into_parts();
        let limits = &self.inner.config.limits;
        let pause = Duration::from_secs(limits.pause_s);
        let until = Instant::now() + Duration::from_secs(limits.body_s);
        let read = body::start(&mut body, call.answer_bytes, call.answer_bytes, pause, until).await;
        let start = read.map_err(|error| match error {
            BodyError::TooLarge => Fault::new(
                Place::ClientProxy,
                Kind::BodyTooLarge,
                "the answer is larger than the caller takes",
            ),
            error => body_fault(Place::ClientProxy, error),
        })?;
        let header = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value: &hyper::header::HeaderValue| value.to_str().ok())
        };
        let answer = Answer {
            status: parts.status,
            id: header(&names.id.0).unwrap_or_default().to_owned(),
            request_id: header(&names.request_id.0).unwrap_or_default().to_owned(),
            body: start.joined(),
            headers: parts.headers,
        };
        match answer.status.is_client_error() || answer.status.is_server_error() {
            true => Err(CallError::Application(Box::new(answer))),
            false => Ok(answer),
        }
    }
}
