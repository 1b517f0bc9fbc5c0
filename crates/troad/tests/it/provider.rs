//! The other member calls the city: certificate, signature, agreement, rights, metaservices.

use crate::support::{City, OFFERED, Wishes, ours};
use peers::road::{AGENCY, CITY, OTHER, PORTAL, REGISTERS, Reply, Wrong};
use troad::dialect::Spelling;
use troad::directory::Endpoint;
use troad::log::{Filter, Outcome, Side};

pub fn fault(reply: &Reply) -> String {
    reply.header("x-road-error").unwrap_or("none").to_owned()
}

fn json(reply: &Reply) -> serde_json::Value {
    serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&reply.body)))
}

#[tokio::test]
async fn a_call_reaches_the_citys_system_and_its_answer_is_proven() {
    let city = City::start().await;
    let mut message = city.road.message("GET", &ours(), "/headers?x=1", b"");
    message.headers.push(("x-road-userid".to_owned(), "TW777".to_owned()));
    message.headers.push(("x-own".to_owned(), "kept".to_owned()));
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.proven && reply.hash_matches && reply.whole);
    assert_eq!(reply.header("x-road-service"), Some(ours().as_str()));
    assert_eq!(reply.header("x-own-header"), Some("kept"));
    assert_eq!(
        reply.header("x-road-error"),
        None,
        "the system's own claim of a road fault is taken off"
    );
    assert!(reply.header("x-for-one-hop").is_none() && reply.header("server").is_none());
    let seen = json(&reply);
    assert_eq!(seen["x-own"][0], "kept");
    assert_eq!(seen["x-road-userid"][0], "TW777");
    assert_eq!(seen["x-road-client"][0], format!("{AGENCY}/{REGISTERS}"));
    for name in ["x-road-signature", "te", "trailer"] {
        assert!(seen.get(name).is_none(), "{name}: {seen}");
    }
    let record = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!((record.side, record.outcome), (Side::Provider, Outcome::Done));
    assert_eq!(record.endpoint.as_deref(), Some("/**"), "the pattern, never the path");
    assert_eq!(record.agreement.as_deref(), Some("示範字第1160001號"));
    city.running.shutdown().await;
}

#[tokio::test]
async fn bodies_of_every_size_pass_both_ways_signed_before_or_behind() {
    let city = City::start().await;
    for (size, trailing) in [
        (1, false),
        (1, true),
        (70_000, false),
        (70_000, true),
        (3_000_000, true),
        (3_000_000, false),
    ] {
        let body: Vec<u8> = (0..size).map(|at| (at % 241) as u8).collect();
        let mut message = city.road.message("POST", &ours(), "/echo", &body);
        message.trailing = trailing;
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(
            reply.status,
            200,
            "{size} {trailing}: {:?}",
            String::from_utf8_lossy(&reply.body[..200.min(reply.body.len())])
        );
        assert!(
            reply.proven && reply.hash_matches && reply.body == body,
            "{size} {trailing}"
        );
    }
    let left: Vec<_> = std::fs::read_dir(city.log().join("spool")).unwrap().collect();
    assert!(left.is_empty(), "no body is left behind");
}

#[tokio::test]
async fn what_is_not_signed_rightly_never_reaches_the_system() {
    let city = City::start().await;
    let cases = [
        (
            "unsigned",
            Wrong {
                unsigned: true,
                ..Wrong::default()
            },
            "InvalidSignatureValue",
        ),
        (
            "signature",
            Wrong {
                signature: true,
                ..Wrong::default()
            },
            "InvalidSignatureValue",
        ),
        (
            "header",
            Wrong {
                header: true,
                ..Wrong::default()
            },
            "InvalidSignatureValue",
        ),
        (
            "body",
            Wrong {
                body: true,
                ..Wrong::default()
            },
            "InvalidSignatureValue",
        ),
        (
            "late",
            Wrong {
                late_s: 200,
                ..Wrong::default()
            },
            "InvalidSignatureValue.ClockSkew",
        ),
        (
            "early",
            Wrong {
                late_s: -200,
                ..Wrong::default()
            },
            "InvalidSignatureValue.ClockSkew",
        ),
    ];
    for (name, wrong, expected) in cases {
        for trailing in [false, true] {
            let mut message = city.road.message("POST", &ours(), "/echo", b"content");
            message.wrong = wrong.clone();
            message.trailing = trailing;
            let reply = city.road.call(city.outside(), &message).await.unwrap();
            assert_eq!(fault(&reply), format!("Server.ServerProxy.{expected}"), "{name}");
            assert_eq!(reply.status, 500, "{name}");
        }
    }
    // signed by another member's key
    let message = city.road.message("GET", &ours(), "/headers", b"");
    let foreign = city
        .road
        .call_as(city.outside(), &city.road.authentication, &city.road.other.1, &message)
        .await;
    assert_eq!(fault(&foreign.unwrap()), "Server.ServerProxy.InvalidSignatureValue");
    let road = Filter {
        outcome: Some(Outcome::Road),
        ..Filter::default()
    };
    assert_eq!(city.gateway().recent(&road, 100).len(), 13);
}

#[tokio::test]
async fn a_member_speaks_for_itself_alone() {
    let city = City::start().await;
    // another member's gateway with a good certificate, speaking as the agency
    let message = city.road.message("GET", &ours(), "/headers", b"");
    let other = city
        .road
        .call_as(city.outside(), &city.road.other.0, &city.road.signing, &message)
        .await
        .unwrap();
    assert_eq!(fault(&other), "Server.ServerProxy.SslAuthenticationFailed");
    // several clients: the last counts
    let mut message = city.road.message("GET", &ours(), "/headers", b"");
    message
        .headers
        .insert(0, ("x-road-client".to_owned(), format!("{OTHER}/systems")));
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn the_default_is_deny() {
    let city = City::start().await;
    let call = |method: &'static str, rest: &'static str| {
        let city = &city;
        async move {
            let message = city.road.message(method, &ours(), rest, b"");
            fault(&city.road.call(city.outside(), &message).await.unwrap())
        }
    };
    let sound = city.gateway().directory();
    assert_eq!(call("GET", "/headers").await, "none");
    city.change(|directory| directory.rights.clear());
    assert_eq!(
        call("GET", "/headers").await,
        "Server.ServerProxy.AccessDenied",
        "an agreement alone is no right"
    );
    city.gateway().set_directory(sound.clone()).unwrap();
    city.change(|directory| directory.agreements.retain(|one| one.service.to_string() != ours()));
    assert_eq!(
        call("GET", "/headers").await,
        "Server.ServerProxy.AccessDenied",
        "a right alone is no agreement"
    );
    city.gateway().set_directory(sound.clone()).unwrap();
    city.change(|directory| {
        let endpoint = |method: &str, path: &str| Endpoint {
            method: method.to_owned(),
            path: path.to_owned(),
        };
        directory.rights[0].endpoints = vec![endpoint("GET", "/status/*"), endpoint("POST", "/echo")];
    });
    for (method, rest, expected) in [
        ("GET", "/status/204", "none"),
        ("GET", "/status/204/", "Server.ServerProxy.AccessDenied"),
        ("GET", "/status", "Server.ServerProxy.AccessDenied"),
        ("GET", "/status/204/more", "Server.ServerProxy.AccessDenied"),
        ("POST", "/status/204", "Server.ServerProxy.AccessDenied"),
        ("POST", "/echo", "none"),
        ("GET", "/echo", "Server.ServerProxy.AccessDenied"),
        ("GET", "", "Server.ServerProxy.AccessDenied"),
    ] {
        assert_eq!(call(method, rest).await, expected, "{method} {rest}");
    }
    city.gateway().set_directory(sound).unwrap();
    city.gateway().switch(&ours().parse().unwrap(), false).unwrap();
    assert_eq!(call("GET", "/headers").await, "Server.ServerProxy.ServiceDisabled");
    // a service the city uses, but does not offer
    let message = city
        .road
        .message("GET", &format!("{AGENCY}/{REGISTERS}/exercise"), "/headers", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(fault(&reply), "Server.ServerProxy.UnknownMember");
    let message = city.road.message("GET", &format!("{CITY}/{PORTAL}/no-such"), "/x", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(fault(&reply), "Server.ServerProxy.UnknownService");
    assert!(reply.proven, "a refusal is signed too");
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused() {
    let city = City::start().await;
    for rest in [
        "/../secret",
        "/%2e%2e/secret",
        "/a%2fb",
        "/a%5cb",
        "/%252e%252e/x",
        "/%2525252e%2525252e/x",
        "/%2525252525252525252541/x",
        "/a//b",
        "/..;x=1/y",
        "/a%00b",
        "/a%zz",
        "/./a",
        "/headers?a=1&a=2",
        "/headers?a=1&%61=2",
    ] {
        let message = city.road.message("GET", &ours(), rest, b"");
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(
            (reply.status, fault(&reply).as_str()),
            (400, "Client.BadRequest"),
            "{rest}"
        );
    }
    let long = format!("/headers?x={}", "y".repeat(2000));
    let message = city.road.message("GET", &ours(), &long, b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(fault(&reply), "Client.BadRequest");
    // the redirect of the system is passed on, not followed
    let message = city.road.message("GET", &ours(), "/redirect", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        (reply.status, reply.header("location")),
        (302, Some("http://127.0.0.1:1/elsewhere"))
    );
    city.change(|directory| {
        let ours = directory.interfaces.iter_mut().find(|one| one.base.is_some()).unwrap();
        ours.repeated_parameters = true;
    });
    let message = city.road.message("GET", &ours(), "/headers?a=1&a=2", b"");
    assert_eq!(city.road.call(city.outside(), &message).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_message_counts_once() {
    let city = City::start().await;
    let message = city.road.message("GET", &ours(), "/headers", b"");
    assert_eq!(city.road.call(city.outside(), &message).await.unwrap().status, 200);
    let again = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(fault(&again), "Server.ServerProxy.Replayed");
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(logged.fault.as_deref(), Some("Server.ServerProxy.Replayed"));
    // over a restart too
    let City {
        road,
        running,
        _kept,
        folder,
        ..
    } = city;
    running.shutdown().await;
    let city = City::beside(road, _kept, Wishes::default()).await;
    assert_eq!(city.folder, folder);
    let again = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(fault(&again), "Server.ServerProxy.Replayed");
    // and the memory is bounded: when it is full of young ids, new messages wait outside
    let small = City::with(Wishes {
        config: Some(Box::new(|config| config.limits.replay_ids = 2)),
        ..Wishes::default()
    })
    .await;
    for expected in ["none", "none", "Server.ServerProxy.Overloaded"] {
        let message = small.road.message("GET", &ours(), "/headers", b"");
        assert_eq!(
            fault(&small.road.call(small.outside(), &message).await.unwrap()),
            expected
        );
    }
}

#[tokio::test]
async fn required_headers_are_required() {
    let city = City::start().await;
    for name in ["x-road-client", "x-road-id", "x-road-request-id"] {
        let mut message = city.road.message("GET", &ours(), "/headers", b"");
        message.headers.retain(|(of, _)| of != name);
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(
            (reply.status, fault(&reply).as_str()),
            (400, "Client.BadRequest"),
            "{name}"
        );
    }
    for (name, value) in [
        ("x-road-userid", "no country"),
        ("x-road-represented-party", "a/b/c"),
        ("x-road-security-server", "TW/GOV/379000000A/another"),
    ] {
        let mut message = city.road.message("GET", &ours(), "/headers", b"");
        message.headers.push((name.to_owned(), value.to_owned()));
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(fault(&reply), "Client.BadRequest", "{name}: {value}");
    }
    let mut message = city.road.message("GET", &ours(), "/headers", b"");
    message
        .headers
        .push(("x-road-security-server".to_owned(), format!("{CITY}/gateway")));
    assert_eq!(city.road.call(city.outside(), &message).await.unwrap().status, 200);
}

#[tokio::test]
async fn errors_have_the_configured_spelling_and_form() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| {
            config.dialect.spelling = Spelling::Snake;
            let renamed = (
                "Server.ServerProxy.UnknownService".to_owned(),
                "troad.no_such_interface".to_owned(),
            );
            config.dialect.error_types.extend([renamed]);
            config
                .dialect
                .error_statuses
                .insert("Server.ServerProxy.UnknownService".to_owned(), 404);
        })),
        directory: Some(Box::new(|directory| directory.rights.clear())),
        ..Wishes::default()
    })
    .await;
    let mut message = city.road.message("GET", &ours(), "/headers", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        (reply.status, fault(&reply).as_str()),
        (500, "server.serverproxy.access_denied")
    );
    assert_eq!(json(&reply)["type"], "server.serverproxy.access_denied");
    assert!(reply.proven);
    message
        .headers
        .push(("accept".to_owned(), "application/xml".to_owned()));
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains("<type>server.serverproxy.access_denied</type>"), "{text}");
    let message = city.road.message("GET", &format!("{CITY}/{PORTAL}/no-such"), "/x", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!((reply.status, fault(&reply).as_str()), (404, "troad.no_such_interface"));
    assert!(reply.proven, "the signature is over the status that is told");
}

#[tokio::test]
async fn the_dialect_changes_prefix_and_names() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| {
            config.dialect.prefix = "troad/v1".to_owned();
            config.dialect.headers.client = "x-troad-client".to_owned().try_into().unwrap();
        })),
        ..Wishes::default()
    })
    .await;
    let headers = [
        ("x-gateway-key", crate::support::KEY.to_owned()),
        ("x-troad-client", crate::support::portal().to_string()),
    ];
    let path = format!("/troad/v1/{AGENCY}/{REGISTERS}/household-registry/persons/A123456789");
    let _ = crate::support::ask(city.inside(), "GET", &path, &headers, b"").await;
    let seen = &city.road.seen()[0];
    assert!(seen.line.starts_with("GET /troad/v1/"), "{seen:?}");
    assert!(seen.headers.iter().any(|(name, _)| name == "x-troad-client"));
    assert!(seen.headers.iter().all(|(name, _)| name != "x-road-client"));
}

#[tokio::test]
async fn metaservices_tell_what_there_is_and_what_is_allowed() {
    let city = City::with(Wishes {
        directory: Some(Box::new(|directory| {
            let mut second = directory
                .interfaces
                .iter()
                .find(|one| one.base.is_some())
                .unwrap()
                .clone();
            second.id.code = "second".to_owned();
            second.openapi = None;
            directory.interfaces.push(second);
            let first = directory
                .interfaces
                .iter_mut()
                .find(|one| one.id.code == OFFERED)
                .unwrap();
            first.openapi = Some("openapi: 3.0.3\ninfo:\n  title: 市府\n".to_owned());
        })),
        ..Wishes::default()
    })
    .await;
    let call = |code: &str, query: &str| {
        let message = city.road.message("GET", &format!("{CITY}/{PORTAL}/{code}"), query, b"");
        let (road, address) = (&city.road, city.outside());
        async move { road.call(address, &message).await.unwrap() }
    };
    let all = call("listMethods", "").await;
    assert!(all.status == 200 && all.proven);
    let services = json(&all)["service"].as_array().unwrap().clone();
    assert_eq!(services.len(), 2, "what is only used is not offered");
    let first = &services[0];
    assert_eq!(first["object_type"], "SERVICE");
    assert_eq!(
        (&first["service_code"], &first["service_type"]),
        (&OFFERED.into(), &"OPENAPI".into())
    );
    assert_eq!(first["subsystem_code"], PORTAL);
    assert_eq!(first["endpoint_list"][0]["path"], "/**");
    assert_eq!(services[1]["service_type"], "REST");
    let allowed = json(&call("allowedMethods", "").await);
    assert_eq!(allowed["service"].as_array().unwrap().len(), 1);
    let described = call("getOpenAPI", "?serviceCode=city-services").await;
    assert!(String::from_utf8_lossy(&described.body).contains("市府") && described.proven);
    assert_eq!(
        described.header("content-type"),
        Some("application/yaml; charset=utf-8")
    );
    assert_eq!(fault(&call("getOpenAPI", "").await), "Client.BadRequest");
    for code in ["second", "no-such"] {
        let reply = call("getOpenAPI", &format!("?serviceCode={code}")).await;
        assert_eq!(
            (reply.status, fault(&reply).as_str()),
            (500, "Server.ServerProxy.UnknownService")
        );
    }
    // and from the city's side
    let reply = city.get("listMethods").await;
    assert_eq!(reply.json()["service"][0]["service_code"], "household-registry");
}
