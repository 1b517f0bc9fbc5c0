//! The city as data provider: what it reads of a call, what it asks the platform, and the package it makes.

use std::collections::BTreeMap;
use std::io::Read as _;

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use exchange::mydata::Verification;
use exchange::mydata::provider::{
    Config, ConfigError, LogQuery, Offered, PackError, PlatformError, Provider, Request, RequestError,
};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use serde_json::{Value, json};
use std::sync::LazyLock;

const RESOURCE: &str = "API.CityLowInc";
const TRANSACTION: &str = "0d9f1a52-6c1b-4f3e-9a77-5c1d2e3f4a5b";

/// A certificate with its key, made once: keys are slow.
static PAIR: LazyLock<(X509, PKey<Private>)> = LazyLock::new(|| {
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "示範市政府").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    let day = |days| openssl::asn1::Asn1Time::days_from_now(days).unwrap();
    builder.set_not_before(&day(0)).unwrap();
    builder.set_not_after(&day(30)).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
});

fn config(platform: &str) -> Config {
    let (certificate, key) = &*PAIR;
    Config {
        platform: platform.parse().unwrap(),
        resources: BTreeMap::from([(
            RESOURCE.to_owned(),
            Offered {
                secret: "s3cret".to_owned(),
            },
        )]),
        certificate: String::from_utf8(certificate.to_pem().unwrap()).unwrap(),
        private_key: String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap(),
        client: exchange::ClientConfig {
            https_only: false,
            ..Default::default()
        },
        token_prefix: "mydata::".to_owned(),
        meta_folder: "META-INFO".to_owned(),
        longest_seconds: 5400,
    }
}

fn provider() -> Provider {
    Provider::new(config("http://127.0.0.1:9")).unwrap()
}

fn token() -> String {
    format!("mydata::{}", "a1".repeat(32))
}

fn request(headers: &[(&str, &str)]) -> Result<Request, RequestError> {
    let header = |name: &str| headers.iter().find(|(one, _)| *one == name).map(|(_, value)| *value);
    provider().read(header, &["INQ_YR"])
}

#[test]
fn a_call_is_read_from_its_headers() {
    let bearer = format!("Bearer {}", token());
    let read = request(&[
        ("authorization", &bearer),
        ("transaction_uid", TRANSACTION),
        ("INQ_YR", " 115 "),
        ("carNo", "not asked for"),
    ])
    .unwrap();
    assert_eq!(read.transaction_uid.to_string(), TRANSACTION);
    assert_eq!(
        read.parameters,
        BTreeMap::from([("INQ_YR".to_owned(), "115".to_owned())])
    );
    assert!(!format!("{read:?}").contains("a1a1"));

    let upper = format!("Bearer mydata::{}", "A1".repeat(32));
    let other = format!("Bearer mydatadev::{}", "a1".repeat(32));
    for wrong in ["", "Bearer", "Bearer mydata::", &upper, &other, &token()] {
        let told = request(&[("authorization", wrong), ("transaction_uid", TRANSACTION)]);
        assert_eq!(told.unwrap_err(), RequestError::Token, "{wrong}");
    }
    let told = request(&[("authorization", &bearer), ("transaction_uid", "7")]);
    assert_eq!(told.unwrap_err(), RequestError::Transaction);
    let told = request(&[
        ("authorization", &bearer),
        ("transaction_uid", TRANSACTION),
        ("INQ_YR", "1\u{7}"),
    ]);
    assert_eq!(told.unwrap_err(), RequestError::Parameter("INQ_YR".to_owned()));
}

#[test]
fn unusable_configurations_are_refused() {
    let with = |change: fn(&mut Config)| {
        let mut config = config("https://mydata.example");
        change(&mut config);
        Provider::new(config).unwrap_err()
    };
    assert!(matches!(with(|one| one.certificate.clear()), ConfigError::Certificate));
    assert!(matches!(with(|one| one.private_key.clear()), ConfigError::Key));
    assert!(matches!(
        with(|one| one.platform = "data:x".parse().unwrap()),
        ConfigError::Platform
    ));
    assert!(matches!(
        with(|one| {
            let empty = Offered { secret: String::new() };
            one.resources.insert("API.Another001".to_owned(), empty);
        }),
        ConfigError::Resource(_)
    ));
    assert!(matches!(
        with(|one| {
            let other = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
            one.private_key = String::from_utf8(other.private_key_to_pem_pkcs8().unwrap()).unwrap();
        }),
        ConfigError::Pair
    ));
    assert!(!format!("{:?}", config("https://mydata.example")).contains("s3cret"));
}

#[test]
fn the_package_holds_what_openssl_and_another_unzipper_accept() {
    let content = "{\"a\":1}".as_bytes();
    let packed = provider().pack(&[("資料 & 1.json", content), ("b.csv", b"x")]).unwrap();
    assert_eq!(
        packed,
        provider().pack(&[("資料 & 1.json", content), ("b.csv", b"x")]).unwrap(),
        "the same content gives the same bytes"
    );
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(packed)).unwrap();
    let mut file = |name: &str| {
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    assert_eq!(file("資料 & 1.json"), content);
    let manifest = file("META-INFO/manifest.xml");
    let (signature, certificate) = (
        file("META-INFO/manifest.sha256withrsa"),
        file("META-INFO/certificate.cer"),
    );
    let key = X509::from_der(&certificate).unwrap().public_key().unwrap();
    let mut verifier = openssl::sign::Verifier::new(MessageDigest::sha256(), &key).unwrap();
    assert!(verifier.verify_oneshot(&signature, &manifest).unwrap());
    let text = String::from_utf8(manifest).unwrap();
    let digest = hex::encode(openssl::sha::sha256(content));
    assert!(
        text.contains("<filename>資料 &amp; 1.json</filename>") && text.contains(&digest),
        "{text}"
    );

    assert_eq!(provider().pack(&[]), Err(PackError::Empty));
    for name in ["", "../a.json", "a/b.json", "a\\b.json", ".hidden", "c:a", "a\n"] {
        let told = provider().pack(&[(name, b"x")]);
        assert_eq!(told, Err(PackError::Name(name.to_owned())), "{name}");
    }
    assert!(provider().pack(&[("a.json", b"x"), ("A.JSON", b"y")]).is_err());
}

/// A platform that says what a test wants.
async fn platform(introspection: (StatusCode, Value), userinfo: (StatusCode, Value)) -> Provider {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route(
            "/connect/introspect",
            post(move |headers: HeaderMap, Form(form): Form<BTreeMap<String, String>>| async move {
                let basic = openssl::base64::encode_block(format!("{RESOURCE}:s3cret").as_bytes());
                assert_eq!(headers["authorization"], format!("Basic {basic}"));
                assert_eq!(form["token"], token());
                (introspection.0, Json(introspection.1)).into_response()
            }),
        )
        .route(
            "/connect/userinfo",
            get(move |headers: HeaderMap| async move {
                assert_eq!(headers["authorization"], format!("Bearer {}", token()));
                (userinfo.0, Json(userinfo.1)).into_response()
            }),
        )
        .route(
            "/log/dp",
            post(|Json(asked): Json<Value>| async move {
                assert_eq!(asked["stime"], "2026-11-01");
                Json(json!({ "resource_id": asked["resource_id"], "data": [
                    { "transaction_uid": TRANSACTION, "ctime": "2026-11-02 09:30:00", "event": "280", "ip": "10.0.0.1" },
                ] }))
            }),
        );
    tokio::spawn(async move { axum::serve(listener, router).await });
    Provider::new(config(&address)).unwrap()
}

fn call() -> Request {
    let bearer = format!("Bearer {}", token());
    request(&[("authorization", &bearer), ("transaction_uid", TRANSACTION)]).unwrap()
}

#[tokio::test]
async fn the_platform_is_asked_about_a_token() {
    let ok = StatusCode::OK;
    let person = |uid: &str, verified: Value| json!({ "uid": uid, "uid_verified": verified, "cn": "林阿梅", "birthdate": "1950-03-15" });
    let good = (ok, person("A123456789", json!("True")));
    let cases: [(StatusCode, Value, Result<Option<Verification>, PlatformError>); 5] = [
        (
            ok,
            json!({ "active": true, "verification": "CER" }),
            Ok(Some(Verification::Certificate)),
        ),
        (ok, json!({ "active": false }), Ok(None)),
        (StatusCode::UNAUTHORIZED, json!({}), Ok(None)),
        (ok, json!({ "alive": true }), Err(PlatformError::Answer)),
        (StatusCode::BAD_GATEWAY, json!({}), Err(PlatformError::Status(502))),
    ];
    for (status, body, expected) in cases {
        let provider = platform((status, body), good.clone()).await;
        assert_eq!(provider.introspect(RESOURCE, &call().token).await, expected);
        assert_eq!(
            provider.introspect("API.Another001", &call().token).await,
            Err(PlatformError::Unregistered("API.Another001".to_owned()))
        );
    }
    let active = (ok, json!({ "active": true, "verification": "NHI" }));
    let provider = platform(active.clone(), good).await;
    let holder = provider.holder(&call().token).await.unwrap().unwrap();
    assert_eq!(
        (holder.national_id.reveal(), holder.name.as_str()),
        ("A123456789", "林阿梅")
    );
    assert!(!format!("{holder:?}").contains("A123456789"));
    for (answer, expected) in [
        ((StatusCode::UNAUTHORIZED, json!({})), Ok(None)),
        ((ok, person("A123456789", json!("False"))), Err(PlatformError::Person)),
        ((ok, person("A123456788", json!("True"))), Err(PlatformError::Person)),
        ((ok, json!({ "uid": "A123456789" })), Err(PlatformError::Person)),
        ((ok, json!([])), Err(PlatformError::Answer)),
    ] {
        let provider = platform(active.clone(), answer).await;
        assert_eq!(provider.holder(&call().token).await, expected);
    }
}

#[tokio::test]
async fn the_platforms_record_is_read() {
    let nothing = (StatusCode::OK, json!({}));
    let provider = platform(nothing.clone(), nothing).await;
    let query = LogQuery {
        resource_id: RESOURCE,
        from: jiff::civil::date(2026, 11, 1),
        to: jiff::civil::date(2026, 11, 30),
        transactions: &[],
        events: &[],
    };
    let lines = provider.log(&query).await.unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0].event.as_str(), lines[0].at),
        ("280", jiff::civil::date(2026, 11, 2).at(9, 30, 0, 0))
    );
}
