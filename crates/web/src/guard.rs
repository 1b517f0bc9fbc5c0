//! Around every request: its reference, the security headers, and a line in the log without personal data.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use crate::frame::Site;

/// The reference of a request: what a caller tells the hotline, and what the log is searched for.
#[derive(Clone, Debug)]
pub struct Reference(pub String);

/// Gives the request a reference and logs its route (never its address: that holds ids), status and time.
pub(crate) async fn trace(mut request: Request, next: Next) -> Response {
    let reference = Reference(Uuid::new_v4().simple().to_string());
    let method = request.method().clone();
    request.extensions_mut().insert(reference.clone());
    let begun = Instant::now();
    let mut response = next.run(request).await;
    let route = response
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(%method, route, status, milliseconds, reference = reference.0, "request");
    } else {
        tracing::info!(%method, route, status, milliseconds, reference = reference.0, "request");
    }
    if let Ok(value) = HeaderValue::from_str(&reference.0) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// Hands the route's pattern to [`trace`], which stands outside of the router.
pub(crate) async fn name_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    response.extensions_mut().extend(
        route
            .map(|route| {
                let mut extensions = axum::http::Extensions::new();
                extensions.insert(route);
                extensions
            })
            .unwrap_or_default(),
    );
    response
}

/// Sets what every answer carries. Pages are never kept by a cache unless a handler says so.
pub(crate) async fn headers(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let targets = site
        .outside
        .iter()
        .fold(String::from("'self'"), |all, one| format!("{all} {one}"));
    let policy = format!(
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action {targets}"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if site.https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}
