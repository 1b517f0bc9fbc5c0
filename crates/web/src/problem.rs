//! When something goes wrong: every failure is a page in plain words with a way on, or JSON for programs (RFC 9457).

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use cases::CaseError;
use serde_json::json;
use tower_sessions::Session;

use crate::frame::{self, Frame, Site};
use crate::guard::Reference;
use crate::visit::Visit;

/// Why a request is not answered as asked. It carries no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is nothing here, or the caller may not know of it.
    NotFound,
    /// The caller may not do this.
    Forbidden,
    /// The form's token is missing or old.
    Token,
    /// Somebody else was faster, or the act has no place in this state.
    Conflict,
    /// What was sent can't be read.
    Unusable,
    /// More was sent than is taken.
    TooLarge,
    /// The address knows other methods.
    Method,
    /// Our fault.
    Broken,
    /// Too much to do just now.
    Busy,
    /// An outside party does not answer.
    Outside,
    /// The rules of a service have no answer, by a fault of the rules and not of what was given.
    Undecided,
    /// The authorisation to act for somebody has ended.
    Stopped,
    /// The act asks for a stronger sign-in.
    StepUp {
        /// The service that asks for it.
        service: String,
        /// Where to come back to; the page of the service without one.
        back: Option<String>,
    },
    /// The page is for people who signed in.
    SignIn {
        /// Address of the sign-in.
        to: &'static str,
        /// Where to come back to.
        back: Option<String>,
    },
}

impl Problem {
    /// Status and stem of the text keys.
    #[must_use]
    pub fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::Token => (StatusCode::FORBIDDEN, "token"),
            Self::Conflict => (StatusCode::CONFLICT, "conflict"),
            Self::Unusable => (StatusCode::UNPROCESSABLE_ENTITY, "unusable"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method"),
            Self::Broken => (StatusCode::INTERNAL_SERVER_ERROR, "broken"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Outside => (StatusCode::SERVICE_UNAVAILABLE, "outside"),
            Self::Undecided => (StatusCode::SERVICE_UNAVAILABLE, "undecided"),
            Self::SignIn { .. } | Self::StepUp { .. } | Self::Stopped => (StatusCode::SEE_OTHER, "forbidden"),
        }
    }

    /// Every kind with a page, for the tests.
    #[must_use]
    pub fn all() -> [Problem; 11] {
        [
            Self::NotFound,
            Self::Forbidden,
            Self::Token,
            Self::Conflict,
            Self::Unusable,
            Self::TooLarge,
            Self::Method,
            Self::Broken,
            Self::Busy,
            Self::Outside,
            Self::Undecided,
        ]
    }

    /// The problem a bare status of a library stands for.
    fn of_status(status: StatusCode) -> Option<Problem> {
        match status {
            StatusCode::NOT_FOUND => Some(Self::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::Method),
            StatusCode::PAYLOAD_TOO_LARGE => Some(Self::TooLarge),
            StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => Some(Self::Busy),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Some(Self::Unusable)
            }
            status if status.is_server_error() => Some(Self::Broken),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    /// A response that [`dress`] turns into a page in the reader's language.
    fn into_response(self) -> Response {
        if let Self::SignIn { to, back } = &self {
            let query = back.as_deref().map_or_else(String::new, |back| {
                let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
                format!("?return={back}")
            });
            return Redirect::to(&format!("{to}{query}")).into_response();
        }
        if let Self::StepUp { service, back } = &self {
            let back = back.clone().unwrap_or_else(|| format!("/services/{service}"));
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("for", service)
                .append_pair("return", &back)
                .finish();
            return Redirect::to(&format!("/sign-in?{query}")).into_response();
        }
        if self == Self::Stopped {
            return Redirect::to("/agent/stopped").into_response();
        }
        let mut response = self.kind().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Problem {
    /// The problem of a verb's error, with the page to come back to after a stronger sign-in.
    #[must_use]
    pub fn on(error: CaseError, back: &str) -> Problem {
        match Problem::from(error) {
            Problem::StepUp { service, .. } => Problem::StepUp {
                service,
                back: Some(back.to_owned()),
            },
            other => other,
        }
    }
}

impl From<CaseError> for Problem {
    /// The page of a verb's error. What the log keeps has no personal data.
    fn from(error: CaseError) -> Problem {
        match error {
            CaseError::NotFound(_) | CaseError::NoService(_) => Problem::NotFound,
            CaseError::Conflict(_)
            | CaseError::Illegal(_)
            | CaseError::Incomplete(_)
            | CaseError::Closed { .. }
            | CaseError::Entered
            | CaseError::OnRoll
            | CaseError::Channel
            | CaseError::NoPlace => Problem::Conflict,
            CaseError::Refused(_) => Problem::Forbidden,
            CaseError::Stopped => Problem::Stopped,
            CaseError::Weak(service) => Problem::StepUp { service, back: None },
            CaseError::Input { .. } | CaseError::Invalid(_) => Problem::Unusable,
            CaseError::Outside { party, problem } => {
                tracing::warn!(party, problem, "outside party");
                Problem::Outside
            }
            CaseError::Hub(error) => {
                tracing::warn!(%error, "dataset");
                Problem::Outside
            }
            CaseError::Rules(error) if error.mistake().is_some() => {
                // it names the service and the place in its folder, and no value
                tracing::error!(%error, "rules");
                Problem::Undecided
            }
            error if error.is_temporary() => Problem::Busy,
            error => {
                tracing::error!(%error, "case");
                Problem::Broken
            }
        }
    }
}

/// The page of a problem.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    text: String,
    reference: Option<String>,
}

/// Gives every bare failure its page. A handler's own pages (they have a body) pass untouched.
pub(crate) async fn dress(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let language = frame::language(request.headers());
    let uri = request.uri().clone();
    let session = request.extensions().get::<Session>().cloned();
    let reference = request.extensions().get::<Reference>().cloned();
    let response = next.run(request).await;
    let ours = response.extensions().get::<Problem>().cloned();
    // the refusals of the framework are bare or plain text; everything else is a handler's own answer
    let is_bare = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let theirs = || Problem::of_status(response.status()).filter(|_| is_bare);
    let Some(problem) = ours.or_else(theirs) else {
        return response;
    };
    let status = problem.kind().0;
    let reference = reference
        .filter(|_| status.is_server_error())
        .map(|reference| reference.0);
    let programs = ["/api/", "/mydata/provider/", "/wallet/"];
    if uri.path() == "/mydata/notify" || programs.iter().any(|start| uri.path().starts_with(start)) {
        return program_problem(&problem, reference.as_deref());
    }
    let visit = match session {
        Some(session) => Visit::of(&session).await.unwrap_or_default(),
        None => Visit::default(),
    };
    let frame = Frame::new(site, language, visit, &uri);
    let stem = problem.kind().1;
    let title = frame.t(&format!("problem-{stem}-title"));
    let text = frame.t(&format!("problem-{stem}-text"));
    let mut page = frame::page_with(
        status,
        &ProblemPage {
            frame,
            title,
            text,
            reference,
        },
    )
    .unwrap_or_else(|_| status.into_response());
    if let Some(allow) = response.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if problem == Problem::Busy {
        page.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    page
}

fn program_problem(problem: &Problem, reference: Option<&str>) -> Response {
    let (status, stem) = problem.kind();
    let body = json!({
        "type": format!("urn:tongban:problem:{stem}"),
        "title": status.canonical_reason().unwrap_or("error"),
        "status": status.as_u16(),
        "instance": reference.map(|reference| format!("urn:tongban:request:{reference}")),
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
}
