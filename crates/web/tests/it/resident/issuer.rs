//! The whole portal at an issuer nobody of ours wrote: the certified library `oidc-provider` (tests/peers/oidc-provider).

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use axum::extract::{Form, State};
use axum::http::Method;
use axum::routing::post;
use cases::identity::{Issuer, Methods};
use civic::Text;
use jiff::Timestamp;
use store::tables::security_event;
use tokio::sync::mpsc;
use url::Url;

use super::identity::level;
use crate::kit::{CATALOGUE, Kit, SERVICE};
use crate::town::{Browser, Page, Town, site};

/// The process. It ends when its standard input is closed.
struct Running {
    child: Child,
    address: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Starts it; `None` where its packages are not installed.
fn start(logout: &str) -> Option<Running> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/oidc-provider");
    if !folder.join("node_modules/oidc-provider").exists() {
        println!("skipped: oidc-provider is not installed (npm ci --prefix tests/peers/oidc-provider)");
        return None;
    }
    let mut child = Command::new("node")
        .arg("issuer.mjs")
        .args(["https://city.example/sign-in/return/city", logout])
        .current_dir(folder)
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
    Some(Running { child, address })
}

/// The person's browser at the issuer: keeps cookies, follows redirects until they leave it.
struct Outside {
    client: reqwest::Client,
    cookies: HashMap<String, String>,
}

impl Outside {
    fn new() -> Outside {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Outside {
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

    /// Opens an address and follows it: the path and query at the city that it ends at, or the page.
    async fn open(&mut self, to: &str) -> Result<String, String> {
        let mut url: Url = to.parse().unwrap();
        for _ in 0..12 {
            if url.host_str() == Some("city.example") {
                return Ok(url[url::Position::BeforePath..].to_owned());
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

/// Where the issuer announces logouts: the tokens as they come.
async fn announced() -> (String, mpsc::UnboundedReceiver<String>) {
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

/// Signs in, or steps up, from the page of the methods; gives what came back.
async fn sign_in(browser: &mut Browser, outside: &mut Outside, page: &Page) -> Page {
    let page = browser.submit(page.is(200), "/sign-in/go", &[]).await;
    let back = outside.open(&page.is(303).location).await.unwrap();
    browser.get(&back).await
}

async fn logout(town: &Town, token: &str) -> Page {
    let body = format!("logout_token={token}").into_bytes();
    let kind = Some("application/x-www-form-urlencoded");
    town.browser()
        .send(Method::POST, "/sign-in/logout/city", kind, body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_signs_in_steps_up_and_signs_out_both_ways_at_an_independent_issuer() {
    let (address, mut tokens) = announced().await;
    let Some(issuer) = start(&address) else { return };
    let config = toml::from_str(&format!(
        "issuer = \"{}\"\nclient_id = \"city\"\nclient_secret = \"secret-of-the-city-secret-of-the-city\"\n\
         redirect_url = \"https://city.example/sign-in/return/city\"\nscopes = [\"profile\"]\n[client]\nhttps_only = false\n",
        issuer.address
    ))
    .unwrap();
    #[derive(serde::Deserialize)]
    struct Rules {
        levels: exchange::oidc::Levels,
    }
    let rules: Rules = toml::from_str(
        "levels = [{ claim = \"acr\", value = \"level-1\", level = 1 }, { claim = \"acr\", value = \"level-2\", level = 2 }]",
    )
    .unwrap();
    let issuer_of = Issuer::new("city".to_owned(), Text::chinese("獨立驗證中心"), rules.levels, config);
    let kit = Kit::at(Timestamp::now(), Arc::clone(&CATALOGUE), None).await;
    let kit = kit.changed(|desk| {
        desk.identity = Methods {
            issuers: vec![issuer_of],
            least: Some(level(1)),
            ..Methods::default()
        };
    });
    let town = Town::on(kit, site()).await;
    let (mut browser, mut outside) = (town.browser(), Outside::new());

    let page = browser.get(&format!("/sign-in?return=/services/{SERVICE}")).await;
    let page = sign_in(&mut browser, &mut outside, &page).await;
    assert_eq!(page.is(303).location, format!("/services/{SERVICE}"));
    browser.get("/applications").await.is(200).has("王小明");

    // asked for nothing, this issuer says nothing of how strongly it verified: that is no level; asked for more, it verifies anew
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let page = browser.submit(&page, &format!("/services/{SERVICE}/start"), &[]).await;
    let page = browser.follow(&page).await;
    page.is(200).has("您現在的登入方式：獨立驗證中心。");
    let page = sign_in(&mut browser, &mut outside, &page).await;
    assert_eq!(page.is(303).location, format!("/services/{SERVICE}"));
    let page = browser.get(&format!("/services/{SERVICE}")).await;
    let page = browser.submit(&page, &format!("/services/{SERVICE}/start"), &[]).await;
    assert!(page.is(303).location.ends_with("/notice"));

    // a return without its sign-in, over another issuer's address, or twice, is refused
    let page = browser.get("/sign-in").await;
    let page = browser.submit(&page, "/sign-in/go", &[]).await;
    let back = outside.open(&page.is(303).location).await.unwrap();
    town.browser().get(&back).await.is(422);
    let elsewhere = back.replace("/return/city", "/return/other");
    browser.get(&elsewhere).await.is(422);
    browser.get(&back).await.is(422);

    // the issuer changes its keys while people sign in
    let rotate = outside.client.post(format!("{}/rotate", issuer.address));
    outside.send(rotate).await;
    let mut second = town.browser();
    let page = second.get("/sign-in").await;
    let page = sign_in(&mut second, &mut outside, &page).await;
    assert_eq!(page.is(303).location, "/applications");
    let mut stranger = town.resident(7).await.1;

    // signed out here and at the issuer, which tells of the session's end; the other window's is over with it. The ID token
    // of the second is the one under the issuer's new key
    second.get("/applications").await.is(200);
    let page = second.post("/sign-out", &[]).await;
    assert!(page.is(303).location.starts_with(&issuer.address));
    second.get("/applications").await.is(303);
    let page = outside.open(&page.location).await.unwrap_err();
    let xsrf = page.split("name=\"xsrf\" value=\"").nth(1).unwrap();
    let xsrf = xsrf.split('"').next().unwrap().to_owned();
    let confirm = outside
        .client
        .post(format!("{}/session/end/confirm", issuer.address))
        .form(&[("xsrf", xsrf.as_str()), ("logout", "yes")]);
    let gone = outside.send(confirm).await;
    assert!(
        gone.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("https://city.example/")
    );
    let token = tokio::time::timeout(std::time::Duration::from_secs(10), tokens.recv())
        .await
        .unwrap()
        .unwrap();
    browser.get("/applications").await.is(200);
    let altered = format!("{}A", &token[..token.len() - 2]);
    logout(&town, &altered).await.is(400);
    browser.get("/applications").await.is(200);
    let told = logout(&town, &token).await;
    assert_eq!(told.is(200).header("cache-control"), ["no-store"]);
    browser.get("/applications").await.is(303);
    stranger.get("/applications").await.is(200);
    logout(&town, &token).await.is(400);
    let rows = security_event::newest(town.kit.desk.store.read(), Some("sign_in."), 50)
        .await
        .unwrap();
    let mut kinds: Vec<&str> = rows.iter().map(|row| row.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "sign_in.logout.replayed",
            "sign_in.oidc.issuer_refused",
            "sign_in.oidc.issuer_refused"
        ]
    );
}
