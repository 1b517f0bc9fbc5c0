//! A portal on a fresh store, and browsers that keep a cookie.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use cases::{Person, Role, Staff};
use civic::Text;
use civic::ids::ApplicationId;
use services::Catalogue;
use store::session::Sessions;
use tower::ServiceExt as _;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};
use web::visit::{Visit, Who};
use web::{App, Site};

use crate::html::{self, Element};
use crate::kit::Kit;

/// The portal and what stands behind it.
pub struct Town {
    pub kit: Kit,
    pub router: Router,
    sessions: Sessions,
}

/// The place of the tests.
pub fn site() -> Site {
    Site {
        city: Text::chinese("示範市"),
        demo: false,
        https: false,
        outside: Vec::new(),
        security: None,
    }
}

impl Town {
    pub async fn new() -> Town {
        Town::on(Kit::new(None).await, site()).await
    }

    /// A town with other services.
    pub async fn with(catalogue: Catalogue) -> Town {
        Town::on(Kit::new(Some(catalogue)).await, site()).await
    }

    /// A town at a place.
    pub async fn on(kit: Kit, site: Site) -> Town {
        let app = App {
            desk: kit.desk.clone(),
            subsidies: kit.subsidies(),
            site: Arc::new(site),
        };
        let sessions = Sessions::new(kit.desk.store.clone()).await.unwrap();
        Town {
            router: web::app(app, sessions.clone()),
            sessions,
            kit,
        }
    }

    /// A browser nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser {
            router: self.router.clone(),
            cookies: Vec::new(),
            token: String::new(),
            headers: Vec::new(),
        }
    }

    /// A browser with a session in which this person, or member of the staff, is signed in.
    pub async fn signed_in(&self, who: Who) -> Browser {
        // the clock of the store stands still or leaps, that of the sessions' library does neither
        let end = OffsetDateTime::now_utc() + Duration::weeks(5000);
        let store = Arc::new(self.sessions.clone());
        let session = Session::new(None, store, Some(Expiry::AtDateTime(end)));
        let visit = Visit::sign_in(&session, who).await.unwrap();
        session.save().await.unwrap();
        let mut browser = self.browser();
        browser.token = visit.token().to_owned();
        browser
            .cookies
            .push(("session".to_owned(), session.id().unwrap().to_string()));
        browser
    }

    /// The resident of this number, signed in.
    pub async fn resident(&self, number: u32) -> (Person, Browser) {
        let person = self.kit.person(number).await;
        let browser = self.signed_in(Who::Resident(person.id)).await;
        (person, browser)
    }

    /// The one-time code of now.
    pub fn code(&self) -> String {
        let totp = totp_rs::Builder::new().with_secret(vec![7; 20]).build().unwrap();
        totp.generate(u64::try_from(self.kit.desk.now().as_second()).unwrap())
            .to_string()
    }

    /// A new member of staff, signed in.
    pub async fn on_duty(&self, account: &str, role: Role) -> (Staff, Browser) {
        let staff = self.kit.staff(account, role).await;
        let mut browser = self.browser();
        let page = browser.sign_in(account, "a long enough password", &self.code()).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
        (staff, browser)
    }

    /// An application of the resident of this number, handed in.
    pub async fn submitted(&self, number: u32) -> ApplicationId {
        let person = self.kit.person(number).await;
        self.kit.submitted(&person).await
    }
}

/// A browser without script.
#[derive(Clone)]
pub struct Browser {
    router: Router,
    cookies: Vec<(String, String)>,
    /// Token of the last page with a form.
    pub token: String,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub location: String,
    pub kind: String,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Page {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The page as a browser reads it.
    #[track_caller]
    pub fn html(&self) -> Element {
        html::parse(&self.text())
    }

    /// A header's values.
    pub fn header(&self, name: &str) -> Vec<&str> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    #[track_caller]
    pub fn has(&self, text: &str) -> &Page {
        assert!(
            self.text().contains(text),
            "`{text}` is not on the page ({}):\n{}",
            self.status,
            self.text()
        );
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Page {
        assert!(!self.text().contains(text), "`{text}` is on the page");
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Page {
        assert_eq!(self.status.as_u16(), status, "to `{}`:\n{}", self.location, self.text());
        self
    }

    /// What stands between two marks, the first time.
    pub fn between(&self, open: &str, close: &str) -> String {
        let text = self.text();
        let (_, rest) = text.split_once(open).unwrap_or_else(|| panic!("no `{open}` in {text}"));
        rest.split_once(close).unwrap().0.to_owned()
    }
}

impl Browser {
    pub fn session(&self) -> String {
        self.cookies
            .iter()
            .find(|(name, _)| name == "session")
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    pub fn in_english(&mut self) {
        self.speaks("en");
    }

    /// Chooses a language.
    pub fn speaks(&mut self, tag: &str) {
        self.cookies.retain(|(name, _)| name != "language");
        self.cookies.push(("language".to_owned(), tag.to_owned()));
    }

    pub async fn send(&mut self, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        for set in response.headers().get_all(SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(other, _)| other != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        let header = |name| {
            response
                .headers()
                .get(name)
                .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
        };
        let (status, location, kind) = (response.status(), header(LOCATION), header(CONTENT_TYPE));
        let headers = response.headers().clone();
        let bytes = to_bytes(response.into_body(), 64 * 1024 * 1024).await.unwrap().to_vec();
        let page = Page {
            status,
            location,
            kind,
            headers,
            bytes,
        };
        if page.kind.starts_with("text/html") && page.text().contains("name=\"_token\"") {
            self.token = page.between("name=\"_token\" value=\"", "\"");
        }
        page
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, None, Vec::new()).await
    }

    /// Sends a form with the token of the last page.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token.clone();
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.append_pair("_token", &token).extend_pairs(fields);
        self.send(
            Method::POST,
            path,
            Some("application/x-www-form-urlencoded"),
            body.finish().into_bytes(),
        )
        .await
    }

    /// Sends the page's form to an address with this end, as it stands but for some values.
    pub async fn submit(&mut self, page: &Page, action: &str, changes: &[(&str, &str)]) -> Page {
        let html = page.html();
        let form = html.form(action);
        let is_kept = |(name, _): &(String, String)| changes.iter().all(|(changed, _)| changed != name);
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form.sent().into_iter().filter(is_kept))
            .extend_pairs(changes);
        let kind = Some("application/x-www-form-urlencoded");
        let body = body.finish().into_bytes();
        self.send(Method::POST, form.attr("action"), kind, body).await
    }

    /// Sends a file with the token of the last page.
    pub async fn upload(&mut self, path: &str, name: &str, content: &[u8]) -> Page {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"_token\"\r\n\r\n{}\r\n--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"../../a.xml\"\r\nContent-Type: text/xml\r\n\r\n",
            self.token
        );
        let body = [head.as_bytes(), content, b"\r\n--x--\r\n"].concat();
        self.send(Method::POST, path, Some("multipart/form-data; boundary=x"), body)
            .await
    }

    pub async fn sign_in(&mut self, account: &str, password: &str, code: &str) -> Page {
        self.get("/office/sign-in").await.is(200);
        self.post(
            "/office/sign-in",
            &[("account", account), ("password", password), ("code", code)],
        )
        .await
    }

    /// Follows the redirect of a page.
    #[track_caller]
    pub fn follow<'a>(&'a mut self, page: &'a Page) -> impl Future<Output = Page> + 'a {
        page.is(303);
        let location = page.location.clone();
        async move { self.get(&location).await }
    }
}
