//! The layers around the pages, and the few addresses that belong to nobody in particular.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use civic::Language;
use serde::Deserialize;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::Duration as CookieDuration;
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::frame::{LANGUAGE_COOKIE, Site};
use crate::visit::{IDLE_SECONDS, local};
use crate::{Problem, assets, guard, problem};

/// Most bytes of a request, files included.
pub const BODY_LIMIT: usize = 256 * 1024;

/// Time a request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Puts pages behind everything they may rely on: sessions, error pages, limits, security headers.
pub fn around<Store>(pages: Router, site: &Arc<Site>, sessions: Store) -> Router
where
    Store: SessionStore + Clone,
{
    let sessions = SessionManagerLayer::new(sessions)
        .with_name("session")
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_secure(site.https)
        .with_expiry(Expiry::OnInactivity(CookieDuration::seconds(IDLE_SECONDS)));
    let common = Router::new()
        .route("/assets/{hash}/{name}", get(assets::serve))
        .route("/language/{tag}", get(choose_language))
        .route("/robots.txt", get(robots));
    pages
        .merge(common)
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::Method)
        .layer(from_fn(guard::name_route))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIMEOUT))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            Problem::Broken.into_response()
        }))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(Arc::clone(site), problem::dress))
        .layer(sessions)
        .layer(from_fn_with_state(Arc::clone(site), guard::headers))
        .layer(from_fn(guard::trace))
}

#[derive(Deserialize)]
struct Return {
    #[serde(rename = "return", default)]
    to: String,
}

/// `GET /language/{tag}?return=`: remembers a language for a year and goes back.
async fn choose_language(Path(tag): Path<String>, Query(back): Query<Return>) -> Response {
    let Ok(language) = tag.parse::<Language>() else {
        return Problem::NotFound.into_response();
    };
    let mut response = Redirect::to(local(&back.to)).into_response();
    let cookie = format!(
        "{LANGUAGE_COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        language.tag()
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /applications\nDisallow: /counter\nDisallow: /my-data\nDisallow: /office\nDisallow: /programme\nDisallow: /sign-in\n"
}
