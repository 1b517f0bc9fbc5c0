//! The city calls: headers of PR-REST §3.2, agreements, quotas, the switch.

use crate::support::{City, Wishes, ask, ours, portal, pour, theirs, usual};
use bytes::Bytes;
use futures::StreamExt;
use hyper::StatusCode;
use hyper::body::Frame;
use peers::road::{AGENCY, EXERCISE, HOUSEHOLD, REGISTERS};
use troad::log::{Filter, Outcome, Side};
use troad::{Call, CallError};

#[tokio::test]
async fn a_record_comes_over_the_road_signed_and_logged() {
    let city = City::start().await;
    let reply = city.get("household-registry/persons/A123456789").await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    assert_eq!(reply.json()["name"], "王小明");
    assert_eq!(
        reply.header("x-road-service"),
        Some(theirs(HOUSEHOLD).to_string().as_str())
    );
    assert!(reply.header("x-road-request-hash").is_some());
    assert!(reply.header("x-road-error").is_none());
    assert!(
        reply.header("x-road-signature").is_none(),
        "the signature ends at the gateway"
    );
    let records = city.gateway().recent(&Filter::default(), 10);
    assert_eq!(records.len(), 1);
    let record = &records[0].1;
    assert_eq!(
        (record.side, record.outcome, record.status),
        (Side::Consumer, Outcome::Done, 200)
    );
    assert_eq!(record.id, reply.header("x-road-id").unwrap());
    assert_eq!(record.request_id, reply.header("x-road-request-id").unwrap());
    assert_eq!(record.agreement.as_deref(), Some("示範字第115000號"));
    assert_eq!(record.system.as_deref(), Some("case management"));
    let line = serde_json::to_string(&**record).unwrap();
    assert!(
        !line.contains("A123456789") && !line.contains("王小明"),
        "no content in the record: {line}"
    );
    city.running.shutdown().await;
}

#[tokio::test]
async fn every_header_has_its_rule() {
    let city = City::start().await;
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/headers?a=1&b=%20");
    let call = |extra: &[(&'static str, &str)]| {
        let mut headers = usual();
        headers.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let (address, path) = (city.inside(), path.clone());
        async move { ask(address, "GET", &path, &headers, b"").await }
    };
    // passed on, made, removed
    let reply = call(&[
        ("x-road-id", "my-own-id"),
        ("x-road-userid", "TW12345"),
        ("x-road-issue", "case 7"),
        ("x-road-represented-party", "COM/04595257"),
        ("x-road-request-hash", "not for a request"),
        ("authorization", "Bearer eyJ"),
        ("x-own", "kept"),
        ("user-agent", "hidden"),
        ("connection", "x-hop"),
        ("x-hop", "gone"),
    ])
    .await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let seen = reply.json();
    let got = |name: &str| seen[name][0].as_str();
    assert_eq!(got("x-road-client"), Some(portal().to_string().as_str()));
    assert_eq!(got("x-road-id"), Some("my-own-id"));
    assert_eq!(got("x-road-userid"), Some("TW12345"));
    assert_eq!(got("x-road-issue"), Some("case 7"));
    assert_eq!(got("x-road-represented-party"), Some("COM/04595257"));
    assert_eq!(got("authorization"), Some("Bearer eyJ"), "own headers pass unmodified");
    assert_eq!(got("x-own"), Some("kept"));
    assert_eq!(got("accept"), Some("application/json"), "the default");
    for name in ["x-gateway-key", "x-road-request-hash", "user-agent", "x-hop"] {
        assert!(seen.get(name).is_none(), "`{name}` must not travel: {seen}");
    }
    assert_eq!(reply.header("x-own-header"), Some("kept"));
    assert_eq!(reply.header("x-road-id"), Some("my-own-id"));
    assert!(reply.header("x-for-one-hop").is_none() && reply.header("server").is_none());
    assert!(
        city.road.seen()[0].line.contains("?a=1&b=%20"),
        "the query is unchanged"
    );
    // the last of several clients counts
    let mut headers = usual();
    headers.insert(1, ("x-road-client", "TW/GOV/WRONG/first".to_owned()));
    assert_eq!(
        ask(city.inside(), "GET", &path, &headers, b"").await.status,
        StatusCode::OK
    );
    // an id is made where there is none
    let made = call(&[]).await;
    assert_eq!(made.header("x-road-id").map(str::len), Some(36));
    // one gateway of the provider
    let aimed = call(&[("x-road-security-server", &format!("{AGENCY}/gateway"))]).await;
    assert_eq!(aimed.status, StatusCode::OK);
    let refused = [
        (
            "x-road-security-server",
            format!("{AGENCY}/no-such"),
            "Server.ClientProxy.UnknownMember",
        ),
        ("x-road-security-server", "TW/GOV".to_owned(), "Client.BadRequest"),
        ("x-road-userid", "12345".to_owned(), "Client.BadRequest"),
        ("x-road-userid", "T".to_owned(), "Client.BadRequest"),
        ("x-road-represented-party", "a/b/c".to_owned(), "Client.BadRequest"),
        ("x-road-id", "with a blank".to_owned(), "Client.BadRequest"),
        ("x-road-id", "x".repeat(300), "Client.BadRequest"),
        ("x-road-issue", "x".repeat(600), "Client.BadRequest"),
        ("x-road-client", "TW/GOV".to_owned(), "Client.BadRequest"),
        (
            "x-road-client",
            "TW/GOV/A01000000A/registers".to_owned(),
            "Server.ClientProxy.AccessDenied",
        ),
    ];
    for (name, value, fault) in refused {
        let reply = call(&[(name, &value)]).await;
        assert_eq!(reply.fault(), fault, "{name}: {value}");
        let status = if fault == "Client.BadRequest" { 400 } else { 500 };
        assert_eq!(reply.status.as_u16(), status, "{name}: {value}");
    }
    let none = [("x-gateway-key", crate::support::KEY.to_owned())];
    assert_eq!(
        ask(city.inside(), "GET", &path, &none, b"").await.fault(),
        "Client.BadRequest"
    );
    city.running.shutdown().await;
}

#[tokio::test]
async fn only_known_systems_may_call() {
    let city = City::start().await;
    for key in ["", "another key"] {
        let headers = [
            ("x-gateway-key", key.to_owned()),
            ("x-road-client", portal().to_string()),
        ];
        let reply = ask(city.inside(), "GET", "/listClients", &headers, b"").await;
        assert_eq!(
            (reply.status, reply.fault().as_str()),
            (StatusCode::UNAUTHORIZED, "Client.AuthenticationFailed")
        );
    }
    let reply = ask(city.inside(), "GET", "/listClients", &usual(), b"").await;
    let members = reply.json()["member"].as_array().unwrap().clone();
    assert_eq!(members.len(), 6, "three members and a subsystem of each");
    assert!(members.iter().any(|one| one["id"]["subsystem_code"] == "registers"));
}

#[tokio::test]
async fn an_agreement_gates_every_call() {
    let city = City::start().await;
    let path = "household-registry/persons/A123456789";
    let household = theirs(HOUSEHOLD);
    type Change = fn(&mut troad::directory::Agreement);
    let changes: [(&str, Change); 4] = [
        ("switched off", |agreement| agreement.enabled = false),
        ("over", |agreement| agreement.to = "2024-12-31".parse().unwrap()),
        ("not begun", |agreement| agreement.from = "2099-01-01".parse().unwrap()),
        ("of another", |agreement| {
            agreement.client = "TW/GOV/379000000A/another".parse().unwrap()
        }),
    ];
    let sound = city.gateway().directory();
    for (name, change) in changes {
        city.change(|directory| {
            directory
                .agreements
                .iter_mut()
                .filter(|one| one.service == household)
                .for_each(change);
        });
        assert_eq!(
            city.get(path).await.fault(),
            "Server.ClientProxy.AccessDenied",
            "{name}"
        );
        city.gateway().set_directory(sound.clone()).unwrap();
    }
    assert_eq!(city.get(path).await.status, StatusCode::OK);
    assert_eq!(city.get("no-such/x").await.fault(), "Server.ClientProxy.UnknownService");
    let far = ask(city.inside(), "GET", "/r1/TW/GOV/NOBODY/x/y", &usual(), b"").await;
    assert_eq!(far.fault(), "Server.ClientProxy.UnknownMember");
    // an agreement of the whole member covers its subsystems, but a system calls only as those it is configured for
    city.change(|directory| {
        let of = directory.agreements.iter_mut().filter(|one| one.service == household);
        of.for_each(|agreement| agreement.client = "TW/GOV/379000000A".parse().unwrap());
    });
    assert_eq!(city.get(path).await.status, StatusCode::OK);
    let mut headers = usual();
    headers[1].1 = "TW/GOV/379000000A/another".to_owned();
    let full = format!("/r1/{AGENCY}/{REGISTERS}/{path}");
    let reply = ask(city.inside(), "GET", &full, &headers, b"").await;
    assert_eq!(reply.fault(), "Server.ClientProxy.AccessDenied");
    // refusals stand in the log like successes
    let refused = Filter {
        outcome: Some(Outcome::Own),
        ..Filter::default()
    };
    assert_eq!(city.gateway().recent(&refused, 100).len(), 7);
    let seen = city.road.seen();
    assert_eq!(seen.len(), 2, "nothing that was refused has left");
}

#[tokio::test]
async fn the_kill_switch_and_the_quota_act_at_once() {
    let city = City::with(Wishes {
        directory: Some(Box::new(|directory| {
            let of = theirs(HOUSEHOLD);
            directory
                .agreements
                .iter_mut()
                .filter(|one| one.service == of)
                .for_each(|one| one.daily_quota = Some(3));
        })),
        ..Wishes::default()
    })
    .await;
    let path = "household-registry/persons/A123456789";
    assert_eq!(city.get(path).await.status, StatusCode::OK);
    city.gateway().switch(&theirs(HOUSEHOLD), false).unwrap();
    assert_eq!(city.get(path).await.fault(), "Server.ClientProxy.ServiceDisabled");
    city.gateway().switch(&theirs(HOUSEHOLD), true).unwrap();
    assert_eq!(city.get(path).await.status, StatusCode::OK);
    assert_eq!(city.get(path).await.status, StatusCode::OK);
    assert_eq!(city.get(path).await.fault(), "Server.ClientProxy.QuotaExceeded");
    assert_eq!(city.gateway().quota_used("示範字第115000號"), 3);
    let today = civic::legal_day(jiff::Timestamp::now());
    let used = city
        .gateway()
        .log()
        .counts(|counts| counts.quota_used("示範字第115000號", today));
    assert_eq!(used, 3, "a refused call is not counted");
    assert!(city.gateway().switch(&theirs("unknown"), false).is_err());
}

#[tokio::test]
async fn no_change_beside_it_undoes_the_kill_switch() {
    let city = City::start().await;
    let service = theirs(HOUSEHOLD);
    let is_on = |gateway: &troad::Gateway| {
        let directory = gateway.directory();
        directory.interfaces.iter().any(|one| one.id == service && one.enabled)
    };
    for _ in 0..20 {
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        city.gateway().reload_trust().unwrap();
                    }
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
            city.gateway().switch(&service, false).unwrap();
        });
        assert!(!is_on(city.gateway()), "what was switched off stays off");
        city.gateway().switch(&service, true).unwrap();
    }
}

#[tokio::test]
async fn an_old_directory_stops_everything() {
    let city = City::start().await;
    city.change(|directory| directory.valid_until = Some("2024-01-01T00:00:00Z".parse().unwrap()));
    let reply = city.get("household-registry/persons/A123456789").await;
    assert_eq!(reply.fault(), "Server.ClientProxy.OutdatedGlobalConf");
    let message = city.road.message("GET", &ours(), "/headers", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        reply.header("x-road-error"),
        Some("Server.ServerProxy.OutdatedGlobalConf")
    );
}

#[tokio::test]
async fn a_call_from_within_tells_three_faults_apart() {
    let city = City::start().await;
    let call = |path: &str| Call::get(portal(), theirs(HOUSEHOLD), path);
    let answer = city.gateway().call(call("/persons/A123456789")).await.unwrap();
    assert_eq!(answer.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&answer.body).contains("王小明"));
    // the provider's application
    match city.gateway().call(call("/persons/B100000001")).await {
        Err(CallError::Application(answer)) => assert_eq!(answer.status, StatusCode::NOT_FOUND),
        other => panic!("{other:?}"),
    }
    // the own side
    let own = Call {
        client: "TW/GOV/379000000A/unknown".parse().unwrap(),
        ..call("/persons/A123456789")
    };
    assert!(matches!(city.gateway().call(own).await, Err(CallError::Own(_))));
    assert!(matches!(
        city.gateway().call(call("/a b")).await,
        Err(CallError::Own(_))
    ));
    let far = Call {
        client: "TW/GOV/A99000000X/systems".parse().unwrap(),
        ..call("/persons/A123456789")
    };
    assert!(matches!(city.gateway().call(far).await, Err(CallError::Own(_))));
    // the road
    city.road.misbehave(peers::road::Faults {
        refuse: Some("server.serverproxy.access_denied".to_owned()),
        ..Default::default()
    });
    match city.gateway().call(call("/persons/A123456789")).await {
        Err(CallError::Road(fault)) => {
            assert!(
                fault.is(troad::fault::Place::ServerProxy, troad::fault::Kind::AccessDenied),
                "either spelling"
            );
            assert_eq!(fault.detail, "detail-1");
        }
        other => panic!("{other:?}"),
    }
    let outcomes: Vec<Outcome> = city
        .gateway()
        .recent(&Filter::default(), 10)
        .iter()
        .map(|(_, one)| one.outcome)
        .collect();
    use Outcome::{Application, Done, Own, Road};
    assert_eq!(
        outcomes,
        [Road, Own, Application, Done],
        "newest first; what never became a call is not logged"
    );
}

#[tokio::test]
async fn bodies_of_every_size_pass_both_ways() {
    let city = City::start().await;
    for size in [0, 1, 65_536, 65_537, 300_000, 5_000_000] {
        let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        let reply = city.post("exercise/echo", &body).await;
        assert_eq!(reply.status, StatusCode::OK, "{size}: {reply:?}");
        assert!(reply.whole && reply.body == body, "{size}");
    }
    let trailing: Vec<bool> = city.road.seen().iter().map(|seen| seen.trailing).collect();
    assert_eq!(
        trailing,
        [false, false, false, true, true, true],
        "long bodies are signed behind their end"
    );
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
    let pieces = futures::stream::iter(0..200).map(|_| Ok(Frame::data(Bytes::from(vec![b'y'; 10_000]))));
    let reply = pour(city.inside(), &path, pieces).await;
    assert_eq!((reply.whole, reply.body.len()), (true, 2_000_000));
    let records = city.gateway().recent(&Filter::default(), 10);
    assert!(records.iter().all(|(_, record)| record.outcome == Outcome::Done));
    assert_eq!(records[0].1.request.as_ref().unwrap().bytes, 2_000_000);
    assert_eq!(records[0].1.service, Some(theirs(EXERCISE)));
}
