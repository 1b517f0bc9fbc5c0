//! The consumer's side: a call of an own system is checked against its agreement, signed, sent to the provider's gateway; the
//! answer's hash and signature are checked before its end is handed on.

mod answer;
mod call;
pub(crate) mod inside;

pub use call::{Answer, Call, CallError};

use crate::body::{self, Body, BodyError, Bounds, Passing, Start};
use crate::canonical::{Hashed, strip_hop};
use crate::connect::{Pool, SendError};
use crate::directory::{Interface, Site};
use crate::exchange::{Draft, aimed_at, body_fault, check_optional, head, is_id, keep, last, set, sign};
use crate::fault::{Fault, Kind, Place};
use crate::gateway::Inner;
use crate::ids::MemberId;
use crate::log::Side;
use crate::registry::Registry;
use crate::replay::lock;
use crate::statement::{Direction, Message, Subject};
use crate::target::{Target, TargetError};
use bytes::Bytes;
use civic::legal_day;
use hyper::body::{Body as HttpBody, Incoming};
use hyper::header::{ACCEPT, CONTENT_LENGTH, HeaderValue, TE, TRAILER};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request, Response, Uri, Version};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Who of the own side calls.
pub(crate) struct Caller<'a> {
    /// Its name in the log.
    pub system: &'a str,
    /// The clients it may call as.
    pub clients: &'a [MemberId],
}

/// Hash of a body that has passed whole, the body where it is kept, and the record it belongs to.
type Whole = (Hashed, Option<Vec<u8>>, Draft);

/// What was sent, shared with the body that is still on its way.
pub(crate) struct Sent {
    subject: Subject,
    headers: [u8; 64],
    head: Vec<u8>,
    /// The body's hash, once it has passed whole.
    body: Mutex<Option<Whole>>,
}

/// Makes one exchange. A fault is in the log when it is returned; a success is when its answer's body has ended.
pub(crate) async fn exchange<B>(
    inner: &Arc<Inner>,
    caller: &Caller<'_>,
    request: Request<B>,
) -> Result<Response<Body>, Fault>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
{
    let mut draft = Some(Draft::new(Side::Consumer, inner.now(), request.method().as_str()));
    match run(inner, &mut draft, caller, request).await {
        Ok(response) => Ok(response),
        Err(fault) => {
            if let Some(mut draft) = draft {
                draft.fail(&fault);
                // a refusal stands in the log like a success; its caller learns of the fault either way
                let _ = draft.settle(inner).await;
            }
            Err(fault)
        }
    }
}

fn own(kind: Kind, what: impl Into<String>) -> Fault {
    Fault::new(Place::ClientProxy, kind, what)
}

fn internal() -> Fault {
    own(Kind::InternalError, "the gateway lost the exchange")
}

/// What a call is about, after everything that needs no network.
struct Checked {
    registry: Arc<Registry>,
    target: Target,
    client: MemberId,
    interface: Option<Arc<Interface>>,
    sites: Vec<Site>,
    owner: MemberId,
}

async fn run<B>(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    caller: &Caller<'_>,
    request: Request<B>,
) -> Result<Response<Body>, Fault>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
{
    let (mut parts, mut body) = request.into_parts();
    let draft = slot.as_mut().ok_or_else(internal)?;
    let checked = check(inner, draft, caller, &mut parts)?;
    let limits = &inner.config.limits;
    let limit = checked.interface.as_ref().and_then(|interface| interface.request_bytes);
    let limit = limit.unwrap_or(limits.request_bytes).min(limits.request_bytes);
    let pause = Duration::from_secs(limits.pause_s);
    let until = Instant::now() + Duration::from_secs(limits.body_s);
    let start = body::start(&mut body, limits.small_bytes, limit, pause, until).await;
    let start = start.map_err(|error| body_fault(Place::ClientProxy, error))?;
    let (head_text, headers) = head(&inner.config.dialect, &start_line(&parts), &parts.headers);
    let sent = Arc::new(Sent {
        subject: draft.subject().ok_or_else(internal)?,
        headers,
        head: head_text,
        body: Mutex::new(None),
    });
    parts.headers.insert(TE, HeaderValue::from_static("trailers"));
    let pool = inner.road(&checked.owner)?;
    let response = if start.whole {
        send_whole(inner, slot, &checked, &sent, &parts, &start, &pool).await?
    } else {
        let bounds = Bounds {
            limit,
            pause,
            keep: keep(inner, checked.interface.as_ref()),
        };
        send_long(inner, slot, &checked, &sent, parts, (start, body, bounds), &pool).await?
    };
    answer::take(
        inner,
        slot,
        &checked.registry,
        checked.interface,
        &checked.owner,
        sent,
        response,
    )
    .await
}

/// Everything that can be decided from the head of a call: form, client, target, agreement, quota, where to.
fn check(inner: &Inner, draft: &mut Draft, caller: &Caller<'_>, parts: &mut Parts) -> Result<Checked, Fault> {
    let now = inner.now();
    let dialect = &inner.config.dialect;
    let names = &dialect.headers;
    draft.record.system = Some(caller.system.to_owned());
    let registry = inner.current.get();
    if parts.version != Version::HTTP_11 {
        return Err(Fault::bad_request("the road speaks HTTP/1.1 alone"));
    }
    let client = last(&parts.headers, &names.client.0)?
        .ok_or_else(|| Fault::bad_request(format!("the header `{:?}` is missing", names.client)))?;
    let client: MemberId = client
        .parse()
        .map_err(|error| Fault::bad_request(format!("`{:?}`: {error}", names.client)))?;
    draft.record.client = Some(client.clone());
    let id = last(&parts.headers, &names.id.0)?.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned);
    if !is_id(&id) {
        return Err(Fault::bad_request(format!(
            "`{:?}` must be 1 to 255 visible characters",
            names.id
        )));
    }
    draft.record.id = id;
    draft.record.request_id = uuid::Uuid::new_v4().to_string();
    check_optional(dialect, &parts.headers)?;
    let aimed = aimed_at(dialect, &parts.headers)?;
    inner.admit(&registry, Place::ClientProxy, now)?;
    if !caller.clients.contains(&client) {
        return Err(own(
            Kind::AccessDenied,
            format!("this system may not call as `{client}`"),
        ));
    }
    let target = read_target(inner, &registry, &parts.uri)?;
    let provider = &target.service.provider;
    let owner = registry.member(provider).ok_or_else(|| {
        own(
            Kind::UnknownMember,
            format!("there is no member `{}`", provider.owner()),
        )
    })?;
    draft.record.service = Some(target.service.clone());
    let sites = sites(aimed, owner)?;
    let owner = owner.id.owner();
    let mut interface = None;
    if target.meta.is_none() {
        let (of, agreement) = registry.agreement(Place::ClientProxy, &target.service, &client, now)?;
        if !of.repeated_parameters {
            target
                .refuse_repeated()
                .map_err(|error| Fault::bad_request(error.to_string()))?;
        }
        draft.record.endpoint = Registry::endpoint(&of, parts.method.as_str(), &target.parts);
        if !inner
            .quotas
            .take(&agreement.number, agreement.daily_quota, legal_day(now))
        {
            return Err(own(
                Kind::QuotaExceeded,
                "the day's calls under this agreement are used up",
            ));
        }
        draft.record.agreement = Some(agreement.number.clone());
        interface = Some(of);
    }
    let headers = &mut parts.headers;
    strip_hop(headers);
    for name in [
        &names.key,
        &names.request_hash,
        &names.signature,
        &names.error,
        &names.service,
    ] {
        headers.remove(&name.0);
    }
    set(headers, &names.client.0, &client.to_string());
    set(headers, &names.id.0, &draft.record.id);
    set(headers, &names.request_id.0, &draft.record.request_id);
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    Ok(Checked {
        registry,
        target,
        client,
        interface,
        sites,
        owner,
    })
}

fn read_target(inner: &Inner, registry: &Registry, uri: &Uri) -> Result<Target, Fault> {
    let known = |id: &_| registry.interface(id).is_some();
    Target::read(&inner.config.dialect.prefix, uri, inner.config.limits.uri, known)
        .map_err(|error: TargetError| Fault::bad_request(error.to_string()))
}

/// The gateways of the provider a call may go to, in their order.
fn sites(aimed: Option<(MemberId, String)>, owner: &crate::directory::Member) -> Result<Vec<Site>, Fault> {
    let sites: Vec<Site> = match aimed {
        None => owner.gateways.clone(),
        Some((member, code)) if member == owner.id.owner() => owner
            .gateways
            .iter()
            .filter(|site| site.code == code)
            .cloned()
            .collect(),
        Some(_) => Vec::new(),
    };
    if sites.is_empty() {
        return Err(own(Kind::UnknownMember, format!("`{}` has no such gateway", owner.id)));
    }
    Ok(sites)
}

fn start_line(parts: &Parts) -> String {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("{} {path} HTTP/1.1", parts.method)
}

fn address(parts: &Parts, site: &Site) -> Result<Uri, Fault> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    format!("https://{}{path}", site.address).parse().map_err(|_| {
        own(
            Kind::InternalError,
            format!("the address of the gateway `{}` is none", site.code),
        )
    })
}

fn outgoing(parts: &Parts, uri: Uri, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = parts.headers.clone();
    request
}

fn unsent(error: SendError) -> Fault {
    match error {
        SendError::Connect => own(Kind::NetworkError, "the provider's gateway can't be reached"),
        SendError::Tls => own(
            Kind::SslAuthenticationFailed,
            "the provider's gateway and this one do not accept each other's certificates",
        ),
        SendError::Timeout => own(Kind::Timeout, "the provider's gateway does not answer in time"),
        SendError::Body => own(Kind::NetworkError, "the request's body broke off"),
        SendError::Broken => own(Kind::NetworkError, "the connection to the provider's gateway broke"),
    }
}

/// Sends a call whose body is here: signed in the header, tried at the next gateway where one can't be reached.
async fn send_whole(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    checked: &Checked,
    sent: &Arc<Sent>,
    parts: &Parts,
    start: &Start,
    pool: &Pool,
) -> Result<Response<Incoming>, Fault> {
    let mut draft = slot.take().ok_or_else(internal)?;
    let message = Message {
        headers: sent.headers,
        body: start.hashed(),
    };
    let signature = match sign(inner, &mut draft, &sent.subject, Direction::Request, &message, None) {
        Ok(signature) => signature,
        Err(fault) => {
            *slot = Some(draft);
            return Err(fault);
        }
    };
    let bytes = start.joined();
    let kept = keep(inner, checked.interface.as_ref()).filter(|most| bytes.len() as u64 <= *most);
    let kept = kept.map(|_| bytes.to_vec());
    *lock(&sent.body) = Some((message.body, kept, draft));
    let mut last = None;
    for site in &checked.sites {
        let uri = match address(parts, site) {
            Ok(uri) => uri,
            Err(fault) => {
                last = Some(fault);
                break;
            }
        };
        let mut request = outgoing(parts, uri, body::full(bytes.clone()));
        request
            .headers_mut()
            .insert(&inner.config.dialect.headers.signature.0, signature.clone());
        match pool
            .send(request, Duration::from_secs(inner.config.limits.answer_s))
            .await
        {
            Ok(response) => return Ok(response),
            Err(error) => {
                last = Some(unsent(error));
                if error != SendError::Connect {
                    break;
                }
            }
        }
    }
    *slot = lock(&sent.body).take().map(|(_, _, draft)| draft);
    Err(last.unwrap_or_else(|| unsent(SendError::Connect)))
}

/// Sends a call whose body is still coming: it passes as it comes, its signature follows as a trailer.
async fn send_long<B>(
    inner: &Arc<Inner>,
    slot: &mut Option<Draft>,
    checked: &Checked,
    sent: &Arc<Sent>,
    mut parts: Parts,
    (start, body, bounds): (Start, B, Bounds),
    pool: &Pool,
) -> Result<Response<Incoming>, Fault>
where
    B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
{
    let signature = inner.config.dialect.headers.signature.0.clone();
    set(&mut parts.headers, &TRAILER, signature.as_str());
    parts.headers.remove(CONTENT_LENGTH);
    let site = checked.sites.first().ok_or_else(internal)?;
    let uri = address(&parts, site)?;
    let mut draft = slot.take().ok_or_else(internal)?;
    let (give_back, given_back) = tokio::sync::oneshot::channel();
    let (for_body, shared) = (Arc::clone(inner), Arc::clone(sent));
    let finish: body::Finish = Box::new(move |end| {
        let message = Message {
            headers: shared.headers,
            body: end.hashed,
        };
        let signed = match end.error {
            Some(error) => Err(error),
            None => sign(
                &for_body,
                &mut draft,
                &shared.subject,
                Direction::Request,
                &message,
                None,
            )
            .map_err(|_| BodyError::NotProven),
        };
        let result = signed.map(|value| Some(HeaderMap::from_iter([(signature, value)])));
        match &result {
            Ok(_) => *lock(&shared.body) = Some((message.body, end.kept, draft)),
            Err(error) => {
                let _ = give_back.send((draft, *error));
            }
        }
        Box::pin(std::future::ready(result))
    });
    let request = outgoing(&parts, uri, Passing::after(start, body, bounds, finish));
    let total = Duration::from_secs(inner.config.limits.body_s.saturating_add(inner.config.limits.answer_s));
    let answered = pool.send(request, total).await;
    let is_whole = lock(&sent.body).is_some();
    match answered {
        Ok(response) if is_whole => Ok(response),
        answered => {
            let (early, broken) = match answered {
                Ok(response) => {
                    let (registry, owner) = (&checked.registry, &checked.owner);
                    (answer::Early::read(inner, registry, owner, sent, response).await, None)
                }
                Err(error) => (None, Some(error)),
            };
            // the body has ended in one way or the other, or ends now that its connection is given up
            let back = tokio::time::timeout(Duration::from_secs(1), given_back).await;
            let mut fault = broken.map_or_else(
                || {
                    own(
                        Kind::ServiceFailed,
                        "the provider's gateway answered before it had the whole request",
                    )
                },
                unsent,
            );
            *slot = lock(&sent.body).take().map(|(_, _, draft)| draft);
            if let Ok(Ok((draft, error))) = back {
                *slot = Some(draft);
                if error != BodyError::Abandoned {
                    fault = body_fault(Place::ClientProxy, error);
                }
            }
            if slot.is_none() {
                let mut draft = Draft::new(Side::Consumer, inner.now(), parts.method.as_str());
                draft.record.client = Some(checked.client.clone());
                draft.record.service = Some(checked.target.service.clone());
                draft.record.id = sent.subject.id.clone();
                draft.record.request_id = sent.subject.request_id.clone();
                *slot = Some(draft);
            }
            if let (Some(early), Some(draft)) = (early, slot.as_mut()) {
                fault = early.told(inner, draft);
            }
            Err(fault)
        }
    }
}
