//! The other side misbehaves: nothing false is handed on as true.

use crate::support::{City, Wishes, portal, pour, theirs};
use bytes::Bytes;
use futures::StreamExt;
use hyper::StatusCode;
use hyper::body::Frame;
use peers::road::{AGENCY, BodyFault, Faults, HOUSEHOLD, REGISTERS};
use troad::log::{Filter, Outcome};
use troad::{Call, CallError};

const PATH: &str = "household-registry/persons/A123456789";

#[tokio::test]
async fn a_false_answer_is_never_handed_on() {
    let city = City::start().await;
    let faults = [
        (
            "hash",
            Faults {
                wrong_hash: true,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidHash",
        ),
        (
            "signature",
            Faults {
                bad_signature: true,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue",
        ),
        (
            "none",
            Faults {
                unsigned: true,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue",
        ),
        (
            "foreign",
            Faults {
                foreign_signature: true,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue",
        ),
        (
            "altered",
            Faults {
                altered: true,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue",
        ),
        (
            "late",
            Faults {
                late_s: 300,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue.ClockSkew",
        ),
        (
            "early",
            Faults {
                late_s: -300,
                ..Faults::default()
            },
            "Server.ClientProxy.InvalidSignatureValue.ClockSkew",
        ),
        (
            "other",
            Faults {
                other_message: true,
                ..Faults::default()
            },
            "Server.ClientProxy.ServiceFailed",
        ),
    ];
    for (name, fault, expected) in faults {
        city.road.misbehave(fault);
        let reply = city.get(PATH).await;
        assert_eq!(
            (reply.status.as_u16(), reply.fault().as_str()),
            (500, expected),
            "{name}"
        );
        assert!(!String::from_utf8_lossy(&reply.body).contains("王小明"), "{name}");
        let error = reply.json();
        assert!(
            error["type"] == expected && error["detail"].as_str().unwrap().len() == 36,
            "{name}: {error}"
        );
        let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
        assert_eq!(
            (logged.outcome, logged.fault.as_deref()),
            (Outcome::Road, Some(expected)),
            "{name}"
        );
    }
    city.road.misbehave(Faults::default());
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_outdated_certificate_of_the_other_gateway_is_refused() {
    let city = City::start().await;
    // the directory even names it; it is out of date all the same
    city.change(|directory| {
        directory.members[1]
            .authentication
            .push(city.road.outdated().certificate_pem())
    });
    city.road.misbehave(Faults {
        outdated: true,
        ..Faults::default()
    });
    let reply = city.get(PATH).await;
    assert_eq!(reply.fault(), "Server.ClientProxy.SslAuthenticationFailed");
}

#[tokio::test]
async fn faults_of_the_other_gateway_keep_their_type_in_both_spellings() {
    for unsigned in [false, true] {
        let city = City::start().await;
        for (kind, status) in [
            ("Server.ServerProxy.AccessDenied", 500),
            ("server.serverproxy.access_denied", 500),
            ("Client.BadRequest", 400),
            ("Server.ServerProxy.ServiceFailed.InvalidHttpResponse", 500),
        ] {
            city.road.misbehave(Faults {
                refuse: Some(kind.to_owned()),
                refuse_unsigned: unsigned,
                ..Faults::default()
            });
            let reply = city.get(PATH).await;
            assert_eq!((reply.status.as_u16(), reply.fault().as_str()), (status, kind));
            assert_eq!(reply.json()["detail"], "detail-1");
        }
        let denied = Filter {
            fault: Some("Server.ServerProxy.AccessDenied".to_owned()),
            ..Filter::default()
        };
        assert_eq!(
            city.gateway().recent(&denied, 10).len(),
            2,
            "either spelling is the same fault"
        );
    }
}

#[tokio::test]
async fn a_refusal_with_a_false_signature_is_no_refusal_of_theirs() {
    let city = City::start().await;
    city.road.misbehave(Faults {
        refuse: Some("Server.ServerProxy.AccessDenied".to_owned()),
        bad_signature: true,
        ..Faults::default()
    });
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.InvalidSignatureValue");
}

#[tokio::test]
async fn the_providers_own_errors_pass_as_they_are() {
    let city = City::start().await;
    for status in [302, 404, 422, 503] {
        let reply = city.get(&format!("exercise/status/{status}")).await;
        assert_eq!((reply.status.as_u16(), reply.fault().as_str()), (status, "none"));
        assert_eq!(reply.json()["error"], "as asked");
    }
    city.road.misbehave(Faults {
        status: Some(500),
        ..Faults::default()
    });
    match city
        .gateway()
        .call(Call::get(portal(), theirs(HOUSEHOLD), "/persons/A123456789"))
        .await
    {
        Err(CallError::Application(answer)) => assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR),
        other => panic!("{other:?}"),
    }
    city.road.misbehave(Faults::default());
    let redirect = city.get("exercise/redirect").await;
    assert_eq!(
        redirect.status,
        StatusCode::FOUND,
        "a redirect is passed on, never followed"
    );
    assert_eq!(redirect.header("location"), Some("http://127.0.0.1:1/elsewhere"));
}

impl City {
    async fn hasty() -> City {
        City::with(Wishes {
            config: Some(Box::new(|config| {
                config.limits.pause_s = 1;
                config.limits.answer_s = 1;
                config.limits.answer_bytes = 1 << 20;
            })),
            ..Wishes::default()
        })
        .await
    }
}

#[tokio::test]
async fn slow_cut_off_and_huge_answers_end_in_time() {
    let city = City::hasty().await;
    let began = std::time::Instant::now();
    for (fault, expected) in [
        (BodyFault::Slow, "Server.ClientProxy.NetworkError.Timeout"),
        (BodyFault::Declared, "Server.ClientProxy.BodyTooLarge"),
    ] {
        city.road.misbehave(Faults {
            body: fault,
            ..Faults::default()
        });
        let reply = city.get(PATH).await;
        assert_eq!(reply.fault(), expected, "{fault:?}");
    }
    for fault in [BodyFault::Truncated, BodyFault::Endless] {
        city.road.misbehave(Faults {
            body: fault,
            ..Faults::default()
        });
        let reply = city.get(PATH).await;
        // where the head had gone out before the trouble came the body is visibly not whole
        assert!(
            !reply.whole || reply.fault() == "Server.ClientProxy.NetworkError",
            "{fault:?}"
        );
        assert!(reply.body.len() <= 1 << 20, "{fault:?}");
        assert!(matches!(
            city.gateway()
                .call(Call::get(portal(), theirs(HOUSEHOLD), "/persons/A123456789"))
                .await,
            Err(CallError::Road(_))
        ));
    }
    city.road.misbehave(Faults {
        silent: true,
        ..Faults::default()
    });
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.NetworkError.Timeout");
    assert!(began.elapsed().as_secs() < 20);
    // a long answer whose trailing signature is false
    city.road.misbehave(Faults {
        bad_signature: true,
        ..Faults::default()
    });
    let reply = city.get("exercise/bytes/500000").await;
    assert!(
        !reply.whole && reply.body.len() < 500_000,
        "the end is held back: {}",
        reply.body.len()
    );
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(
        logged.fault.as_deref(),
        Some("Server.ClientProxy.InvalidSignatureValue")
    );
}

#[tokio::test]
async fn a_long_request_refused_before_its_end_is_told_why() {
    let city = City::start().await;
    let kind = "Server.ServerProxy.AccessDenied";
    for (refuse_unsigned, bad_signature, expected) in [
        (false, false, kind),
        (true, false, kind),
        (false, true, "Server.ClientProxy.InvalidSignatureValue"),
    ] {
        city.road.misbehave(Faults {
            refuse: Some(kind.to_owned()),
            hasty: true,
            refuse_unsigned,
            bad_signature,
            ..Faults::default()
        });
        let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
        let pieces = futures::stream::iter([Ok(Frame::data(Bytes::from(vec![1; 200_000])))]);
        // the rest never comes
        let reply = pour(city.inside(), &path, pieces.chain(futures::stream::pending())).await;
        assert_eq!(reply.fault(), expected);
        let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
        assert_eq!(
            (logged.outcome, logged.fault.as_deref()),
            (Outcome::Road, Some(expected))
        );
    }
}

#[tokio::test]
async fn a_refusal_of_too_many_words_is_the_other_sides_fault() {
    let city = City::start().await;
    city.road.misbehave(Faults {
        refuse: Some("Server.ServerProxy.AccessDenied".to_owned()),
        wordy: 100_000,
        ..Faults::default()
    });
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.ServiceFailed");
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(logged.outcome, Outcome::Road);
}

#[tokio::test]
async fn a_gateway_that_does_not_take_the_connection_is_passed_over() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| config.limits.connect_s = 1)),
        ..Wishes::default()
    })
    .await;
    // a port that takes connections and says nothing
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = silent.local_addr().unwrap().to_string();
    city.change(|directory| {
        let gateways = &mut directory.members[1].gateways;
        let mut first = gateways[0].clone();
        first.address = at;
        gateways.insert(0, first);
    });
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_that_is_none_is_logged_like_any_fault() {
    let city = City::start().await;
    city.change(|directory| directory.members[1].gateways[0].address = "no address".to_owned());
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.InternalError");
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(
        (logged.outcome, logged.fault.as_deref()),
        (Outcome::Own, Some("Server.ClientProxy.InternalError"))
    );
}

#[tokio::test]
async fn a_gateway_that_is_nowhere_is_a_fault_of_the_road() {
    let city = City::start().await;
    city.change(|directory| directory.members[1].gateways[0].address = "127.0.0.1:1".to_owned());
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.NetworkError");
    // a second gateway is tried where the first can't be reached
    let at = city.road.gateway.to_string();
    city.change(|directory| {
        directory.members[1].gateways.push(troad::directory::Site {
            code: "second".to_owned(),
            address: at,
        });
    });
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
}
