//! Against an issuer nobody of ours wrote: the certified library `oidc-provider` (tests/peers/oidc-provider), with its own
//! reading of sign-in, step-up, change of keys and logout.

use axum::extract::{Form, State};
use axum::routing::post;
use exchange::oidc::{Config, Identity, OidcError, Provider, StepUp};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tokio::sync::mpsc;
use url::Url;

/// The process. It ends when its standard input is closed.
struct Issuer {
    child: Child,
    address: String,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/oidc-provider")
}

/// Starts it; `None` where its packages are not installed.
fn start(logout: &str) -> Option<Issuer> {
    if !folder().join("node_modules/oidc-provider").exists() {
        println!("skipped: oidc-provider is not installed (npm ci --prefix tests/peers/oidc-provider)");
        return None;
    }
    let mut child = Command::new("node")
        .arg("issuer.mjs")
        .args(["https://city.example/signin/return", logout])
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = said["issuer"].as_str().unwrap().to_owned();
    Some(Issuer { child, address })
}

/// A browser: keeps cookies, follows redirects until they leave the issuer.
struct Browser {
    client: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Browser {
    fn new() -> Browser {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Browser {
            client,
            cookies: HashMap::new(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> reqwest::Response {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    /// Opens an address and follows it; the address outside that it ends at, or the page.
    async fn open(&mut self, url: Url) -> Result<Url, String> {
        let (host, mut url) = (url.host_str().unwrap().to_owned(), url);
        for _ in 0..12 {
            if url.host_str() != Some(&host) {
                return Ok(url);
            }
            let request = self.client.get(url.clone());
            let answer = self.send(request).await;
            match answer.headers().get("location") {
                Some(location) => url = url.join(location.to_str().unwrap()).unwrap(),
                None => return Err(answer.text().await.unwrap()),
            }
        }
        panic!("the issuer sends the browser round in circles")
    }
}

fn config(issuer: &str) -> Config {
    toml::from_str(&format!(
        "issuer = \"{issuer}\"\nclient_id = \"city\"\nclient_secret = \"secret-of-the-city-secret-of-the-city\"\n\
         redirect_url = \"https://city.example/signin/return\"\nscopes = [\"profile\"]\n[client]\nhttps_only = false\n"
    ))
    .unwrap()
}

async fn sign_in(provider: &Provider, browser: &mut Browser, ask: &StepUp) -> Result<Identity, OidcError> {
    let (url, pending) = provider.step_up(ask, Timestamp::now()).unwrap();
    let back = browser.open(url).await.unwrap();
    provider.finish(back.query().unwrap(), pending, Timestamp::now()).await
}

/// The city's address for logout tokens.
async fn city() -> (String, mpsc::UnboundedReceiver<String>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = async |State(sender): State<mpsc::UnboundedSender<String>>,
                      Form(form): Form<HashMap<String, String>>| {
        sender.send(form["logout_token"].clone()).unwrap();
    };
    let router = axum::Router::new().route("/logout", post(take)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/logout", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, receiver)
}

#[tokio::test]
async fn an_independent_issuer_signs_in_steps_up_changes_keys_and_logs_out() {
    let (logout, mut tokens) = city().await;
    let Some(issuer) = start(&logout) else { return };
    let provider = Provider::discover(config(&issuer.address)).await.unwrap();
    let mut browser = Browser::new();

    let identity = sign_in(&provider, &mut browser, &StepUp::default()).await.unwrap();
    assert_eq!(identity.subject, "person-7");
    assert_eq!(identity.national_id.as_deref(), Some("A123456789"));
    assert_eq!(identity.name.as_deref(), Some("王小明"));
    assert!(identity.session.is_some(), "the issuer names its session");

    let strong = StepUp {
        acr_values: vec!["level-1".to_owned()],
        max_age: Some(0),
    };
    let stepped = sign_in(&provider, &mut browser, &strong).await.unwrap();
    assert_eq!(stepped.acr.as_deref(), Some("level-1"));
    assert!(stepped.verified_at.is_some());

    // a return of one browser's sign-in does not end another's
    let (_, other) = provider.step_up(&StepUp::default(), Timestamp::now()).unwrap();
    let (url, _) = provider.step_up(&StepUp::default(), Timestamp::now()).unwrap();
    let back = browser.open(url).await.unwrap();
    let stolen = provider.finish(back.query().unwrap(), other, Timestamp::now()).await;
    assert!(matches!(stolen, Err(OidcError::State)));

    // a code is good once
    let (url, pending) = provider.step_up(&StepUp::default(), Timestamp::now()).unwrap();
    let back = browser.open(url).await.unwrap();
    provider
        .finish(back.query().unwrap(), pending.clone(), Timestamp::now())
        .await
        .unwrap();
    let twice = provider.finish(back.query().unwrap(), pending, Timestamp::now()).await;
    assert!(matches!(twice, Err(OidcError::Code(what)) if what == "invalid_grant"));

    let rotate = browser.client.post(format!("{}/rotate", issuer.address));
    browser.send(rotate).await;
    let identity = sign_in(&provider, &mut browser, &StepUp::default()).await.unwrap();
    assert_eq!(identity.subject, "person-7", "under the new key");

    let back: Url = "https://city.example/bye".parse().unwrap();
    let url = provider.logout_url(&identity.id_token, &back, "state-7").unwrap();
    let page = browser.open(url).await.unwrap_err();
    let xsrf = page
        .split("name=\"xsrf\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let confirm = browser
        .client
        .post(format!("{}/session/end/confirm", issuer.address))
        .form(&[("xsrf", xsrf.as_str()), ("logout", "yes")]);
    let gone = browser.send(confirm).await;
    assert_eq!(gone.headers()["location"], "https://city.example/bye?state=state-7");

    let token = tokio::time::timeout(std::time::Duration::from_secs(10), tokens.recv())
        .await
        .unwrap()
        .unwrap();
    let told = provider.read_logout(&token, Timestamp::now()).await.unwrap();
    assert_eq!(told.subject.as_deref(), Some("person-7"));
    assert_eq!(told.session, identity.session);
}
