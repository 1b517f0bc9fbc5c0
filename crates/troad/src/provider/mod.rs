//! The provider's side: a call of another member's gateway is held against its certificate, its signature, the agreement and
//! the rights before one byte of it reaches the provider's system.

mod forward;
pub(crate) mod meta;

use crate::body::Body;
use crate::canonical::{Hashed, Running, request_hash};
use crate::consumer::inside::told;
use crate::directory::{Agreement, Interface};
use crate::exchange::{Draft, aimed_at, body_fault, check_optional, check_proof, head, is_id, keep, last, set, sign};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::ids::MemberId;
use crate::log::Side;
use crate::registry::Registry;
use crate::replay::Seen;
use crate::spool::{self, SpoolError};
use crate::statement::{self, Direction, Message};
use crate::target::{Meta, Target};
use civic::legal_day;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderValue};
use hyper::{HeaderMap, Request, Response, Version};
use pki::Purpose;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn fault(kind: Kind, what: impl Into<String>) -> Fault {
    Fault::new(Place::ServerProxy, kind, what)
}

fn internal() -> Fault {
    fault(Kind::InternalError, "the gateway lost the exchange")
}

/// Answers a request of another gateway, whose certificate has the fingerprint `peer`.
pub(crate) async fn answer(inner: &Arc<Inner>, peer: &[u8; 32], request: Request<Incoming>) -> Response<Body> {
    let mut slot = Some(Draft::new(Side::Provider, inner.now(), request.method().as_str()));
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    match run(inner, &mut slot, peer, request).await {
        Ok(response) => response,
        Err(fault) => refuse(inner, slot, &fault, accept.as_deref()).await,
    }
}

/// A fault as an answer: signed where the request told enough to be named, and in the log.
async fn refuse(inner: &Inner, slot: Option<Draft>, fault: &Fault, accept: Option<&str>) -> Response<Body> {
    let (mut response, bytes) = told(inner, fault, accept, None);
    let Some(mut draft) = slot else {
        return response;
    };
    draft.fail(fault);
    let status = response.status().as_u16();
    draft.record.status = status;
    mark(inner, &draft, response.headers_mut());
    if let Some(subject) = draft.subject() {
        let (_, headers) = head(&inner.config.dialect, &format!("HTTP/1.1 {status}"), response.headers());
        let message = Message {
            headers,
            body: sent_body(&draft, &bytes),
        };
        let hash = draft.record.request_hash.clone().unwrap_or_else(|| "none".to_owned());
        let signed = sign(
            inner,
            &mut draft,
            &subject,
            Direction::Response,
            &message,
            Some((status, &hash)),
        );
        if let Ok(signature) = signed {
            response
                .headers_mut()
                .insert(&inner.config.dialect.headers.signature.0, signature);
        }
    }
    let _ = draft.settle(inner).await;
    response
}

/// The hash of the body an answer of the gateway's own travels with: to `HEAD` there is none.
fn sent_body(draft: &Draft, bytes: &[u8]) -> Hashed {
    let mut running = Running::default();
    if draft.record.method != "HEAD" {
        running.update(bytes);
    }
    running.finish()
}

/// The road's headers of an answer.
fn mark(inner: &Inner, draft: &Draft, headers: &mut HeaderMap) {
    let names = &inner.config.dialect.headers;
    let record = &draft.record;
    if let Some(client) = &record.client {
        set(headers, &names.client.0, &client.to_string());
    }
    if let Some(service) = &record.service {
        set(headers, &names.service.0, &service.to_string());
    }
    if !record.id.is_empty() {
        set(headers, &names.id.0, &record.id);
    }
    if !record.request_id.is_empty() {
        set(headers, &names.request_id.0, &record.request_id);
    }
    if let Some(hash) = &record.request_hash {
        set(headers, &names.request_hash.0, hash);
    }
}

/// What a call is about, once its head is checked.
struct Checked {
    registry: Arc<Registry>,
    target: Target,
    client: MemberId,
    allowed: Allowed,
}

/// Why it is allowed.
enum Allowed {
    /// Any known member may ask.
    Meta(Meta),
    /// By this agreement.
    Service(Arc<Interface>, Arc<Agreement>),
}

async fn run(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    peer: &[u8; 32],
    request: Request<Incoming>,
) -> Result<Response<Body>, Fault> {
    let (parts, mut incoming) = request.into_parts();
    let draft = slot.as_mut().ok_or_else(internal)?;
    let checked = check(inner, draft, peer, &parts)?;
    let limits = &inner.config.limits;
    let interface = match &checked.allowed {
        Allowed::Service(interface, _) => Some(interface),
        Allowed::Meta(_) => None,
    };
    let limit = interface
        .and_then(|interface| interface.request_bytes)
        .unwrap_or(limits.request_bytes);
    let bounds = spool::Bounds {
        memory: limits.memory_bytes,
        limit: limit.min(limits.request_bytes),
        pause: Duration::from_secs(limits.pause_s),
        until: Instant::now() + Duration::from_secs(limits.body_s),
    };
    let spooled = spool::read(&mut incoming, bounds, &inner.spool)
        .await
        .map_err(|error| match error {
            SpoolError::Body(error) => body_fault(Place::ServerProxy, error),
            SpoolError::File(why) => {
                tracing::error!(why, "a long body can't be kept");
                fault(Kind::InternalError, "the gateway can't keep a body of this size")
            }
        })?;
    let draft = slot.as_mut().ok_or_else(internal)?;
    let names = &inner.config.dialect.headers;
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let (head_text, headers) = head(
        &inner.config.dialect,
        &format!("{} {path} HTTP/1.1", parts.method),
        &parts.headers,
    );
    let message = Message {
        headers,
        body: spooled.start.hashed(),
    };
    let trailing = spooled
        .start
        .trailers
        .as_ref()
        .and_then(|trailers| trailers.get(&names.signature.0));
    let proof = trailing.or(parts.headers.get(&names.signature.0));
    verify(inner, draft, &checked, &message, proof)?;
    let draft = slot.as_mut().ok_or_else(internal)?;
    match &checked.allowed {
        Allowed::Meta(kind) => {
            let answer = meta::answer(&checked.registry, *kind, &checked.target, &checked.client);
            let (media_type, bytes) = answer?;
            forward::own_answer(inner, slot, media_type, bytes).await
        }
        Allowed::Service(interface, agreement) => {
            let today = legal_day(inner.now());
            if !inner.quotas.take(&agreement.number, agreement.daily_quota, today) {
                return Err(fault(
                    Kind::QuotaExceeded,
                    "the day's calls under this agreement are used up",
                ));
            }
            draft.record.agreement = Some(agreement.number.clone());
            let keep = keep(inner, Some(interface)).filter(|most| spooled.in_memory() && message.body.bytes <= *most);
            let kept = keep.map(|_| [head_text, spooled.start.joined().to_vec()]);
            forward::forward(inner, slot, interface, &checked.target, parts, spooled, kept).await
        }
    }
}

/// Everything that can be decided from the head of a call: whose it is, to what, by which right.
fn check(
    inner: &Inner,
    draft: &mut Draft,
    peer: &[u8; 32],
    parts: &hyper::http::request::Parts,
) -> Result<Checked, Fault> {
    let now = inner.now();
    let dialect = &inner.config.dialect;
    let names = &dialect.headers;
    let registry = inner.current.get();
    if parts.version != Version::HTTP_11 {
        return Err(Fault::bad_request("the road speaks HTTP/1.1 alone"));
    }
    let client = last(&parts.headers, &names.client.0)?
        .ok_or_else(|| Fault::bad_request(format!("the header `{:?}` is missing", names.client)))?;
    let client: MemberId = client
        .parse()
        .map_err(|error| Fault::bad_request(format!("`{:?}`: {error}", names.client)))?;
    // a connection lives longer than a certificate may: it is looked at with every call
    let certified = registry.gateway_certificate(peer).ok_or_else(|| {
        fault(
            Kind::SslAuthenticationFailed,
            "the gateway's certificate is no member's",
        )
    })?;
    certified
        .serves(Purpose::ClientAuthentication, now)
        .map_err(|error| fault(Kind::SslAuthenticationFailed, error.to_string()))?;
    if !certified.owner.same_owner(&client) {
        return Err(fault(
            Kind::SslAuthenticationFailed,
            format!("the gateway's certificate is not one of `{client}`"),
        ));
    }
    draft.record.client = Some(client.clone());
    let id = |name: &crate::dialect::Name| -> Result<String, Fault> {
        last(&parts.headers, &name.0)?
            .filter(|id| is_id(id))
            .map(str::to_owned)
            .ok_or_else(|| Fault::bad_request(format!("the header `{name:?}` is missing or no id")))
    };
    draft.record.id = id(&names.id)?;
    draft.record.request_id = id(&names.request_id)?;
    check_optional(dialect, &parts.headers)?;
    inner.admit(&registry, Place::ServerProxy, now)?;
    if let Some((owner, code)) = aimed_at(dialect, &parts.headers)?
        && (owner != inner.config.member || code != inner.config.server_code)
    {
        return Err(Fault::bad_request("the message is for another gateway"));
    }
    let known = |id: &_| registry.interface(id).is_some();
    let target = Target::read(&dialect.prefix, &parts.uri, inner.config.limits.uri, known)
        .map_err(|error| Fault::bad_request(error.to_string()))?;
    let provider = &target.service.provider;
    if !provider.same_owner(&inner.config.member) {
        return Err(fault(
            Kind::UnknownMember,
            format!("`{provider}` is not behind this gateway"),
        ));
    }
    draft.record.service = Some(target.service.clone());
    let allowed = match target.meta {
        Some(kind) => Allowed::Meta(kind),
        None => allow(draft, &registry, &target, &client, parts.method.as_str(), now)?,
    };
    Ok(Checked {
        registry,
        target,
        client,
        allowed,
    })
}

/// The agreement and the right a call has.
fn allow(
    draft: &mut Draft,
    registry: &Registry,
    target: &Target,
    client: &MemberId,
    method: &str,
    now: jiff::Timestamp,
) -> Result<Allowed, Fault> {
    let (interface, agreement) = registry.agreement(Place::ServerProxy, &target.service, client, now)?;
    if interface.base.is_none() {
        return Err(fault(
            Kind::UnknownService,
            format!("`{}` is not offered here", target.service),
        ));
    }
    draft.record.endpoint = Registry::endpoint(&interface, method, &target.parts);
    if !registry.has_right(&target.service, client, method, &target.parts) {
        return Err(fault(
            Kind::AccessDenied,
            format!("`{client}` has no right to this endpoint of `{}`", target.service),
        ));
    }
    if !interface.repeated_parameters {
        target
            .refuse_repeated()
            .map_err(|error| Fault::bad_request(error.to_string()))?;
    }
    Ok(Allowed::Service(interface, agreement))
}

/// Checks the signature and that the message is new.
fn verify(
    inner: &Inner,
    draft: &mut Draft,
    checked: &Checked,
    message: &Message,
    proof: Option<&HeaderValue>,
) -> Result<(), Fault> {
    let now = inner.now();
    let subject = draft.subject().ok_or_else(internal)?;
    let text = statement::text(Direction::Request, &subject, message, None);
    let signed = (Direction::Request, text.as_str());
    let found = check_proof(
        inner,
        &checked.registry,
        Place::ServerProxy,
        &checked.client,
        proof,
        signed,
        now,
    );
    let (proof, certified) = found?;
    draft.note(Direction::Request, message, proof, certified.named());
    draft.record.request_hash = Some(request_hash(&message.headers, &message.body));
    match inner.replays.see(&checked.client.to_string(), &subject.id, now) {
        Seen::First => Ok(()),
        Seen::Again => Err(fault(
            Kind::Replayed,
            "a message with this id was here before; a repetition needs an id of its own",
        )),
        Seen::Full => Err(fault(
            Kind::Overloaded,
            "too many messages in a short time; try again later",
        )),
    }
}
