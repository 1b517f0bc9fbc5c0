//! What the command line does: serve, check, verify, evidence; and what a wrong set-up is told.

use crate::support::{City, KEY, OFFERED, sha256_hex};
use civic::SystemClock;
use hyper::StatusCode;
use std::sync::Arc;
use troad::command;
use troad::config::{Config, ConfigError};
use troad::directory::{Directory, DirectoryError};

#[tokio::test]
async fn a_gateway_is_served_checked_and_gives_evidence_from_its_files() {
    let City {
        road,
        running,
        _kept,
        folder,
        ..
    } = City::start().await;
    running.shutdown().await;
    let file = folder.join("gateway.toml");
    let report = command::check(&file, &SystemClock, false).unwrap();
    assert_eq!(report.counts, [3, 5, 5, 1]);
    assert_eq!(report.certificates.len(), 6);
    assert!(report.certificates.iter().all(|one| one.problem.is_none()));
    let running = command::serve(&file, Arc::new(SystemClock), None).await.unwrap();
    let path = "/r1/TW/GOV/A01000000A/registers/household-registry/persons/A123456789";
    let reply = crate::support::ask(running.inside.unwrap(), "GET", path, &crate::support::usual(), b"").await;
    assert_eq!(reply.status, StatusCode::OK);
    running.gateway.stamp().await.unwrap();
    running.shutdown().await;
    let id = reply.header("x-road-id").unwrap();
    let made = command::evidence(&folder.join("log"), id, &folder, true, None).unwrap();
    assert!(folder.join(&made[0].name).exists());
    assert_eq!(
        command::verify_log(&folder.join("log"), Some(&road.authority.root_pem()), None)
            .unwrap()
            .records,
        1
    );
}

#[tokio::test]
async fn a_wrong_set_up_is_told_what_is_wrong() {
    let city = City::start().await;
    let file = city.folder.join("gateway.toml");
    let sound = std::fs::read_to_string(&file).unwrap();
    let cases = [
        (
            "member = \"TW/GOV/379000000A\"",
            "member = \"TW/GOV/379000000A/sub\"",
            "member",
        ),
        ("[log]", "[limits]\nreplay_s = 1\n[log]", "replay_s"),
        (sha256_hex(KEY).as_str(), "abc", "key_sha256"),
        ("inside = \"127.0.0.1:0\"", "inside = \"0.0.0.0:0\"", "private address"),
        ("clients = [\"TW/GOV/379000000A", "clients = [\"TW/GOV/OTHER", "clients"),
        ("[log]", "[dialect]\nprefix = \"\"\n[log]", "prefix"),
        (
            "[log]",
            "[dialect.headers]\nclient = \"not a name\"\n[log]",
            "not a name",
        ),
        ("sign.key", "tls.key", "signing key"),
        ("root.pem", "missing.pem", "missing.pem"),
        ("[log]", "[unknown]\nx = 1\n[log]", "unknown"),
        (
            "roots = \"root.pem\"\ninterval_s",
            "roots = \"absent.pem\"\ninterval_s",
            "absent.pem",
        ),
        (
            "roots = \"root.pem\"\ninterval_s",
            "roots = \"tls.key\"\ninterval_s",
            "timestamp.roots",
        ),
        ("crls = [", "system_roots = \"nowhere.pem\"\ncrls = [", "nowhere.pem"),
    ]
    .map(|(from, to, says)| (from.to_owned(), to.to_owned(), says));
    for (from, to, says) in cases {
        assert!(sound.contains(&from), "{from}");
        std::fs::write(&file, sound.replacen(&from, &to, 1)).unwrap();
        let error = command::check(&file, &SystemClock, false).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    std::fs::write(&file, sound).unwrap();
    let config = Config::read(&file).unwrap();
    let taken = Config {
        outside: Some(city.outside()),
        log: troad::config::Log {
            folder: city.folder.join("another-log"),
            ..config.log.clone()
        },
        ..config
    };
    let gateway = troad::Gateway::open(taken, Directory::default(), Arc::new(SystemClock), None).unwrap();
    assert!(matches!(gateway.start().await, Err(ConfigError::Listen { .. })));
}

#[tokio::test]
async fn a_directory_that_contradicts_itself_is_refused_whole() {
    let city = City::start().await;
    let sound = city.gateway().directory();
    type Change = fn(&mut Directory);
    let cases: [(&str, Change); 9] = [
        ("member twice", |d| d.members.push(d.members[0].clone())),
        ("interface twice", |d| d.interfaces.push(d.interfaces[0].clone())),
        ("agreement twice", |d| d.agreements.push(d.agreements[0].clone())),
        ("interface of nobody", |d| {
            d.interfaces[0].id.provider.member = "NOBODY".to_owned()
        }),
        ("agreement of nobody", |d| {
            d.agreements[0].client.member = "NOBODY".to_owned()
        }),
        ("right to nothing", |d| d.rights[0].service.code = "nothing".to_owned()),
        ("base with a query", |d| {
            d.interfaces[4].base = Some("http://127.0.0.1/x?y=1".parse().unwrap())
        }),
        ("base of a file", |d| {
            d.interfaces[4].base = Some("file:///etc/passwd".parse().unwrap())
        }),
        ("no certificate", |d| d.members[1].signing.push("nothing".to_owned())),
    ];
    for (name, change) in cases {
        let mut directory = sound.clone();
        change(&mut directory);
        assert!(
            matches!(city.gateway().set_directory(directory), Err(ConfigError::Directory(_))),
            "{name}"
        );
    }
    assert_eq!(city.gateway().directory(), sound, "the one of before stays");
    let mut pattern = sound.clone();
    pattern.interfaces[4].endpoints[0].path = "/**/x".to_owned();
    let error = city.gateway().set_directory(pattern).unwrap_err();
    assert!(matches!(error, ConfigError::Directory(DirectoryError::Pattern { .. })));
    assert_eq!(sound.interfaces[4].id.code, OFFERED);
    assert!(Directory::from_toml("[[member]]\nid = \"TW/GOV\"").is_err());
}
