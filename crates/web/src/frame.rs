//! What surrounds every page: language, city, who is signed in, and the way to render.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{ACCEPT_LANGUAGE, COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use civic::{Language, Text};
use tower_sessions::Session;

use crate::texts::{OFFERED, Words};
use crate::visit::{Visit, Who};
use crate::{Problem, visit};

/// Name of the cookie that remembers the language; it says nothing else.
pub const LANGUAGE_COOKIE: &str = "language";

/// What the pages know of the place they stand in.
#[derive(Clone, Debug)]
pub struct Site {
    /// Name of the city.
    pub city: Text,
    /// Whether this is a demonstration with made-up people.
    pub demo: bool,
    /// Whether browsers reach the portal by https; cookies are then marked `Secure`.
    pub https: bool,
    /// Origins (`https://host`) that a form of ours may lead to by a redirect, such as the MyData platform.
    pub outside: Vec<String>,
    /// Whom to tell of a weakness, as an address (`mailto:`, `https:` or `tel:`).
    pub security: Option<String>,
}

/// What a page's template needs for its surroundings. Every page struct has it as `frame`.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The words of the page's language.
    pub words: Words,
    /// The place.
    pub site: Arc<Site>,
    /// Who is signed in, and the forms' token.
    pub visit: Visit,
    /// Path and query of this page.
    pub path: String,
}

impl<S> FromRequestParts<S> for Frame
where
    S: Send + Sync,
    Arc<Site>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let visit = visit::visit(parts).await?;
        Ok(Frame::new(
            Arc::from_ref(state),
            language(&parts.headers),
            visit,
            &parts.uri,
        ))
    }
}

impl Frame {
    pub(crate) fn new(site: Arc<Site>, language: Language, visit: Visit, uri: &Uri) -> Frame {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Frame {
            words: Words::new(language),
            site,
            visit,
            path: path.to_owned(),
        }
    }

    /// The same surroundings with a token for a form that is shown before sign-in.
    ///
    /// # Errors
    /// [`Problem::Broken`] when the session can't be kept.
    pub async fn with_token(mut self, session: &Session) -> Result<Frame, Problem> {
        self.visit = Visit::begin(session).await?;
        Ok(self)
    }

    /// Text of a key.
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// Language of the page.
    #[must_use]
    pub fn language(&self) -> Language {
        self.words.language
    }

    /// Name of the city.
    #[must_use]
    pub fn city(&self) -> &str {
        self.words.of(&self.site.city)
    }

    /// Name of the portal.
    #[must_use]
    pub fn site_name(&self) -> String {
        self.words.t1("site-name", "city", self.city())
    }

    /// Whether a resident is signed in.
    #[must_use]
    pub fn resident(&self) -> bool {
        matches!(self.visit.who, Who::Resident(_))
    }

    /// Whether a member of the staff is signed in.
    #[must_use]
    pub fn staff(&self) -> bool {
        matches!(self.visit.who, Who::Staff(_))
    }

    /// For whom who is signed in acts at the moment.
    #[must_use]
    pub fn acting(&self) -> Option<&str> {
        self.visit.acting.as_ref().map(|acting| acting.name.as_str())
    }

    /// The hidden input every form begins with. Its value has letters, digits, `-` and `_` only.
    #[must_use]
    pub fn token(&self) -> String {
        format!(
            "<input type=\"hidden\" name=\"_token\" value=\"{}\">",
            self.visit.token()
        )
    }

    /// The other languages: address of the switch, language.
    #[must_use]
    pub fn other_languages(&self) -> Vec<(String, Language)> {
        let back: String = url::form_urlencoded::byte_serialize(self.path.as_bytes()).collect();
        let others = OFFERED.into_iter().filter(|language| *language != self.words.language);
        others
            .map(|language| (format!("/language/{}?return={back}", language.tag()), language))
            .collect()
    }
}

/// The language a browser asks for: its own choice here first, then its settings, then Chinese.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut chosen = cookies.filter_map(|cookie| {
        cookie
            .trim()
            .strip_prefix(LANGUAGE_COOKIE)?
            .strip_prefix('=')?
            .parse()
            .ok()
    });
    if let Some(language) = chosen.next() {
        return language;
    }
    let wanted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let mut wanted = wanted.split(',').filter_map(|part| {
        let tag = part.split(';').next().unwrap_or(part).trim();
        OFFERED.into_iter().find(|language| {
            let base = language.tag().split('-').next().unwrap_or("");
            tag.split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case(base))
        })
    });
    wanted.next().unwrap_or_default()
}

/// A page with status 200.
///
/// # Errors
/// [`Problem::Broken`] when the template can't be rendered.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    page_with(StatusCode::OK, template)
}

/// A page with another status, as 422 for a form that comes back with errors.
///
/// # Errors
/// [`Problem::Broken`] when the template can't be rendered.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => Ok((status, Html(html)).into_response()),
        Err(error) => {
            tracing::error!(%error, "template");
            Err(Problem::Broken)
        }
    }
}
