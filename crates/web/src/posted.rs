//! A form that comes back. Its content can only be had together with the check of its token.

use std::collections::BTreeMap;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, header};
use tower_sessions::Session;

use crate::Problem;
use crate::visit::Visit;

/// Names and values as typed; the shape that `services::form` reads.
pub type Raw = BTreeMap<String, Vec<String>>;

/// What was typed first under a name; empty where nothing was.
pub(crate) fn first<'a>(raw: &'a Raw, name: &str) -> &'a str {
    let values = raw.get(name).and_then(|values| values.first());
    values.map(String::as_str).unwrap_or_default()
}

/// Name of the hidden input with the session's token.
const TOKEN: &str = "_token";

/// A posted form whose token is this session's. `Debug` shows names only.
pub struct Posted {
    /// Names and values, without the token.
    pub raw: Raw,
    /// Uploaded files by the name of their input.
    pub files: BTreeMap<String, Upload>,
}

/// An uploaded file.
pub struct Upload {
    /// Name the browser gave; never a path to write to.
    pub name: String,
    /// Content.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Posted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Posted")
            .field("names", &self.raw.keys())
            .finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let session = request.extensions().get::<Session>().cloned().ok_or(Problem::Token)?;
        let visit = Visit::of(&session).await?;
        let mut posted = if is_multipart(request.headers()) {
            multipart(
                Multipart::from_request(request, state)
                    .await
                    .map_err(|_| Problem::Unusable)?,
            )
            .await?
        } else {
            let bytes =
                Bytes::from_request(request, state)
                    .await
                    .map_err(|rejection| match rejection.status().as_u16() {
                        413 => Problem::TooLarge,
                        _ => Problem::Unusable,
                    })?;
            let mut raw = Raw::new();
            for (name, value) in url::form_urlencoded::parse(&bytes) {
                raw.entry(name.into_owned()).or_default().push(value.into_owned());
            }
            Posted {
                raw,
                files: BTreeMap::new(),
            }
        };
        let token = posted.raw.remove(TOKEN).unwrap_or_default().concat();
        if visit.owns(&token) {
            Ok(posted)
        } else {
            Err(Problem::Token)
        }
    }
}

fn is_multipart(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/form-data"))
}

async fn multipart(mut parts: Multipart) -> Result<Posted, Problem> {
    let mut posted = Posted {
        raw: Raw::new(),
        files: BTreeMap::new(),
    };
    let unusable = |error: axum::extract::multipart::MultipartError| match error.status().as_u16() {
        413 => Problem::TooLarge,
        _ => Problem::Unusable,
    };
    while let Some(part) = parts.next_field().await.map_err(unusable)? {
        let Some(name) = part.name().map(str::to_owned) else {
            continue;
        };
        match part.file_name().map(str::to_owned) {
            Some(file) => {
                let bytes = part.bytes().await.map_err(unusable)?;
                // a browser sends an empty part for a file input nobody used
                if !bytes.is_empty() {
                    posted.files.insert(name, Upload { name: file, bytes });
                }
            }
            None => posted
                .raw
                .entry(name)
                .or_default()
                .push(part.text().await.map_err(unusable)?),
        }
    }
    Ok(posted)
}

impl Posted {
    /// The first value of a name, without blanks around it; empty if there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.raw
            .get(name)
            .and_then(|values| values.first())
            .map_or("", |value| value.trim())
    }

    /// A hidden or chosen value that our own page wrote, such as a revision.
    ///
    /// # Errors
    /// [`Problem::Unusable`] when it is missing or of another shape.
    pub fn value<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        self.text(name).parse().map_err(|_| Problem::Unusable)
    }
}
