//! The member's own system behind its gateway: a few registers, and an exercise service for tests.

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use futures::stream;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Registers by the service's code, then by the key a record is asked by.
pub type Registers = BTreeMap<String, BTreeMap<String, Value>>;

/// The services' codes.
pub const HOUSEHOLD: &str = "household-registry";
pub const BUSINESS: &str = "business-registry";
pub const DISABILITY: &str = "disability-permits";
pub const EXERCISE: &str = "exercise";

/// A few made-up records.
#[must_use]
pub fn sample() -> Registers {
    let one = |key: &str, value: Value| BTreeMap::from([(key.to_owned(), value)]);
    BTreeMap::from([
        (
            HOUSEHOLD.to_owned(),
            one(
                "A123456789",
                json!({"name": "王小明", "household": "示範戶號001", "village": "示範里", "since": "2015-03-01"}),
            ),
        ),
        (
            BUSINESS.to_owned(),
            one(
                "04595257",
                json!({"name": "示範股份有限公司", "status": "核准設立", "capital": 1_000_000}),
            ),
        ),
        (
            DISABILITY.to_owned(),
            one(
                "A123456789",
                json!({"category": "第七類", "degree": "中度", "until": "2028-12-31"}),
            ),
        ),
    ])
}

/// The system: `/{service}/{collection}/{key}`.
pub fn router(registers: Registers) -> Router {
    let registers = Arc::new(registers);
    Router::new()
        .route("/household-registry/persons/{key}", get(|s, p| record(HOUSEHOLD, s, p)))
        .route(
            "/business-registry/businesses/{key}",
            get(|s, p| record(BUSINESS, s, p)),
        )
        .route(
            "/disability-permits/permits/{key}",
            get(|s, p| record(DISABILITY, s, p)),
        )
        .route("/disability-permits/permits/search", post(search))
        .route("/exercise/bytes/{count}", get(bytes))
        .route("/exercise/echo", any(echo))
        .route("/exercise/headers", any(headers))
        .route("/exercise/redirect", get(redirect))
        .route("/exercise/status/{code}", any(status))
        .route("/exercise/slow", get(slow))
        .route("/exercise/truncated", get(truncated))
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(registers)
}

async fn record(service: &'static str, State(registers): State<Arc<Registers>>, Path(key): Path<String>) -> Response {
    match registers.get(service).and_then(|register| register.get(&key)) {
        Some(value) => Json(value.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "no such record"}))).into_response(),
    }
}

async fn search(State(registers): State<Arc<Registers>>, Json(wanted): Json<Vec<String>>) -> Json<Value> {
    let register = registers.get(DISABILITY);
    let found: BTreeMap<&String, Option<&Value>> = wanted
        .iter()
        .map(|key| (key, register.and_then(|register| register.get(key))))
        .collect();
    Json(json!(found))
}

/// A body of this many bytes, made while it is sent.
pub fn endless(count: u64) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> + Send {
    const PIECE: u64 = 64 << 10;
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    stream::unfold(count, move |left| {
        let piece = piece.clone();
        async move {
            let take = left.min(PIECE);
            (take > 0).then(|| (Ok(piece.slice(..take as usize)), left - take))
        }
    })
}

async fn bytes(Path(count): Path<u64>) -> Response {
    let body = Body::from_stream(endless(count));
    ([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response()
}

async fn echo(request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let mut response = Response::new(request.into_body());
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

async fn headers(headers: HeaderMap) -> Response {
    let all: BTreeMap<String, Vec<String>> = headers.keys().fold(BTreeMap::new(), |mut all, name| {
        let values = headers.get_all(name).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        all.insert(name.as_str().to_owned(), values.collect());
        all
    });
    let own = [
        ("x-own-header", "kept"),
        ("x-road-error", "made-up"),
        ("server", "hidden"),
        ("connection", "x-for-one-hop"),
        ("x-for-one-hop", "gone"),
    ];
    (own, Json(all)).into_response()
}

async fn redirect() -> Response {
    (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/elsewhere")]).into_response()
}

async fn status(Path(code): Path<u16>) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::IM_A_TEAPOT);
    (status, Json(json!({"error": "as asked"}))).into_response()
}

async fn slow() -> Response {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b".")), ()))
    }))
    .into_response()
}

async fn truncated() -> Response {
    let pieces = vec![
        Ok(Bytes::from(vec![b'x'; 200_000])),
        Err(std::io::Error::other("the system falls over")),
    ];
    Body::from_stream(stream::iter(pieces)).into_response()
}
