//! Identifiers in addresses, and the way on after an act.

use axum::response::{IntoResponse, Redirect, Response};
use civic::ids::ApplicationId;
use uuid::Uuid;

use crate::Problem;

/// An identifier of an address; one that is none names nothing.
pub(crate) fn id(text: &str) -> Result<Uuid, Problem> {
    Uuid::try_parse(text).map_err(|_| Problem::NotFound)
}

/// The application an address names.
pub(crate) fn application(text: &str) -> Result<ApplicationId, Problem> {
    id(text).map(ApplicationId::from_uuid)
}

/// Goes on to a page after an act, so that a reload does not repeat it.
pub(crate) fn onward(path: &str) -> Response {
    Redirect::to(path).into_response()
}
