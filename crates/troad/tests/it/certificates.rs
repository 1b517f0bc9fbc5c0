//! Certificates that must not serve: expired, not yet valid, revoked, self-signed, for another purpose, unknown.

use crate::support::{City, Wishes, logged, ours, theirs};
use hyper::StatusCode;
use peers::road::{AGENCY, Authority, Faults, HOUSEHOLD, Issued, Purpose, REGISTERS, Wish};
use pki::CertificateError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use troad::directory::Directory;
use troad::log::{Filter, Outcome, Record};

const PATH: &str = "household-registry/persons/A123456789";

/// What is wrong with a certificate, and how it is issued.
fn kinds() -> [(&'static str, Wish); 3] {
    let good = Wish::of(Purpose::Gateway);
    [
        (
            "expired",
            Wish {
                from: -20,
                until: -10,
                ..good
            },
        ),
        (
            "not yet valid",
            Wish {
                from: 10,
                until: 20,
                ..good
            },
        ),
        (
            "self-signed",
            Wish {
                self_signed: true,
                ..good
            },
        ),
    ]
}

fn name(directory: &mut Directory, issued: &Issued, signs: bool) {
    let member = &mut directory.members[1];
    let list = if signs {
        &mut member.signing
    } else {
        &mut member.authentication
    };
    list.push(issued.certificate_pem());
}

/// The exchange logged last.
fn newest(city: &City) -> std::sync::Arc<Record> {
    std::sync::Arc::clone(&city.gateway().recent(&Filter::default(), 1)[0].1)
}

/// Whether a gateway with this certificate gets an answer to a good message.
async fn gets_through(city: &City, identity: &Issued, signer: &Issued) -> Result<u16, String> {
    let message = city.road.message("GET", &ours(), "/headers", b"");
    let answered = city.road.call_as(city.outside(), identity, signer, &message).await;
    answered.map(|reply| reply.status).map_err(|error| error.to_string())
}

#[tokio::test]
async fn gateways_with_certificates_that_do_not_serve_get_no_connection() {
    let city = City::start().await;
    assert_eq!(
        gets_through(&city, &city.road.authentication, &city.road.signing).await,
        Ok(200)
    );
    let mut all: Vec<(&str, Issued)> = kinds()
        .into_iter()
        .map(|(kind, wish)| (kind, city.road.authority.issue("示範戶政司", wish).unwrap()))
        .collect();
    let stamping = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Stamping))
        .unwrap();
    all.push(("for timestamps", stamping));
    let encryption = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Encryption))
        .unwrap();
    all.push(("for encryption", encryption));
    city.change(|directory| all.iter().for_each(|(_, issued)| name(directory, issued, false)));
    let unknown = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Gateway))
        .unwrap();
    all.push(("good, but in no directory", unknown));
    let refused = |city: &City| {
        let filter = Filter {
            fault: Some("Server.ServerProxy.SslAuthenticationFailed".to_owned()),
            ..Filter::default()
        };
        city.gateway().recent(&filter, 100)
    };
    for (at, (kind, issued)) in all.iter().enumerate() {
        let got = gets_through(&city, issued, &city.road.signing).await;
        assert!(got.is_err(), "{kind}: {got:?}");
        logged(|| refused(&city).len() == at + 1).await;
        let record = &refused(&city)[0].1;
        assert_eq!((record.outcome, record.status), (Outcome::Road, 0), "{kind}");
    }
    assert!(
        city.road.dial(city.outside(), None).await.is_err() || {
            // TLS 1.3 tells the client with its first answer
            let mut stream = city.road.dial(city.outside(), None).await.unwrap();
            stream.read_u8().await.is_err()
        }
    );
    // the same for those the city calls
    for (kind, issued) in all.iter().filter(|(kind, _)| *kind != "good, but in no directory") {
        let (facts, _) = pki::read(&issued.certificate.to_der().unwrap()).unwrap();
        let expected = match *kind {
            "expired" => CertificateError::Expired(facts.not_after),
            "not yet valid" => CertificateError::NotYetValid(facts.not_before),
            "self-signed" => CertificateError::UnknownIssuer,
            _ => CertificateError::WrongPurpose,
        };
        let listed = city.gateway().expiries();
        let found = listed.iter().find(|one| one.facts == facts);
        assert_eq!(found.unwrap().problem, Some(expected), "{kind}");
    }
    // the management page counts them
    let counted: u64 = city.gateway().log().counts(|counts| {
        let faults = counts
            .days()
            .filter_map(|(_, day)| day.faults.get("Server.ServerProxy.SslAuthenticationFailed"));
        faults.sum()
    });
    assert!(counted >= all.len() as u64, "{counted}");
    let ends: Vec<_> = city
        .gateway()
        .expiries()
        .iter()
        .map(|one| one.facts.not_after)
        .collect();
    assert!(ends.is_sorted(), "those that end first stand first");
}

#[tokio::test]
async fn signatures_with_certificates_that_do_not_serve_are_wrong() {
    let city = City::start().await;
    let signing = Wish::of(Purpose::Signing);
    let mut all: Vec<(&str, Issued)> = kinds()
        .into_iter()
        .map(|(kind, wish)| {
            (
                kind,
                Wish {
                    purpose: Purpose::Signing,
                    ..wish
                },
            )
        })
        .map(|(kind, wish)| (kind, city.road.authority.issue("示範戶政司", wish).unwrap()))
        .collect();
    let tls = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Gateway))
        .unwrap();
    all.push(("for TLS", tls));
    let encryption = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Encryption))
        .unwrap();
    all.push(("for encryption", encryption));
    city.change(|directory| all.iter().for_each(|(_, issued)| name(directory, issued, true)));
    for (kind, issued) in &all {
        assert_eq!(
            gets_through(&city, &city.road.authentication, issued).await,
            Ok(500),
            "{kind}"
        );
        assert_eq!(
            newest(&city).fault.as_deref(),
            Some("Server.ServerProxy.InvalidSignatureValue"),
            "{kind}"
        );
        // the same in answers to the city
        city.road.misbehave(Faults {
            signs: Some(issued.clone()),
            ..Faults::default()
        });
        let expected = "Server.ClientProxy.InvalidSignatureValue";
        assert_eq!(city.get(PATH).await.fault(), expected, "{kind}");
        let record = newest(&city);
        assert_eq!(
            (record.outcome, record.fault.as_deref()),
            (Outcome::Road, Some(expected)),
            "{kind}"
        );
    }
    // a second good one serves, also with an RSA key
    for wish in [signing, Wish { rsa: true, ..signing }] {
        let second = city.road.authority.issue("示範戶政司", wish).unwrap();
        city.change(|directory| name(directory, &second, true));
        assert_eq!(
            gets_through(&city, &city.road.authentication, &second).await,
            Ok(200),
            "rsa: {}",
            wish.rsa
        );
    }
}

#[tokio::test]
async fn gateways_that_show_certificates_that_do_not_serve_are_not_called() {
    let city = City::start().await;
    let issue = |wish: Wish| city.road.authority.issue("示範戶政司", wish).unwrap();
    let mut all: Vec<(&str, Issued)> = kinds().into_iter().map(|(kind, wish)| (kind, issue(wish))).collect();
    all.push(("for timestamps", issue(Wish::of(Purpose::Stamping))));
    let revoked = issue(Wish::of(Purpose::Gateway));
    city.road.authority.revoke(&revoked).unwrap();
    std::fs::write(city.folder.join("revoked.pem"), city.road.authority.crl(30).unwrap()).unwrap();
    city.gateway().reload_trust().unwrap();
    all.push(("revoked", revoked));
    city.change(|directory| all.iter().for_each(|(_, issued)| name(directory, issued, false)));
    all.push(("good, but in no directory", issue(Wish::of(Purpose::Gateway))));
    for (kind, issued) in all {
        city.road.misbehave(Faults {
            shows: Some(issued),
            ..Faults::default()
        });
        let expected = "Server.ClientProxy.SslAuthenticationFailed";
        assert_eq!(city.get(PATH).await.fault(), expected, "{kind}");
        let record = newest(&city);
        assert_eq!(
            (record.outcome, record.fault.as_deref()),
            (Outcome::Road, Some(expected)),
            "{kind}"
        );
    }
    assert!(city.road.seen().is_empty(), "nothing was said to them");
}

#[tokio::test]
async fn the_city_signs_with_rsa_too() {
    let city = City::with(Wishes {
        before: Some(Box::new(|road, folder| {
            let wish = Wish {
                rsa: true,
                ..Wish::of(Purpose::Signing)
            };
            let rsa = road.authority.issue("示範市政府", wish).unwrap();
            std::fs::write(folder.join("sign.pem"), rsa.certificate_pem()).unwrap();
            std::fs::write(folder.join("sign.key"), rsa.key_pem()).unwrap();
            std::fs::write(folder.join("rsa.pem"), rsa.certificate_pem()).unwrap();
        })),
        ..Wishes::default()
    })
    .await;
    let message = city.road.message("GET", &ours(), "/headers", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert!(
        reply.status == 200 && !reply.proven,
        "the other side expects the other certificate"
    );
    assert!(
        reply.header("x-road-signature").unwrap().len() > 400,
        "an RSA signature"
    );
}

/// Asks for something over a connection, without the ids a message needs.
async fn over(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let head = format!(
        "GET /r1/{} HTTP/1.1\r\nhost: g\r\nx-road-client: {AGENCY}/{REGISTERS}\r\n\r\n",
        ours()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = vec![0; 4096];
    let read = stream.read(&mut text).await.unwrap();
    String::from_utf8_lossy(&text[..read]).into_owned()
}

#[tokio::test]
async fn revoked_certificates_end_open_connections_too() {
    let city = City::start().await;
    let second = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Gateway))
        .unwrap();
    let signer = city
        .road
        .authority
        .issue("示範戶政司", Wish::of(Purpose::Signing))
        .unwrap();
    city.change(|directory| {
        name(directory, &second, false);
        name(directory, &signer, true);
    });
    assert_eq!(gets_through(&city, &second, &signer).await, Ok(200));
    assert_eq!(
        city.get(PATH).await.status,
        StatusCode::OK,
        "a connection to the other side is open now"
    );
    let mut open = city.road.dial(city.outside(), Some(&second)).await.unwrap();
    assert!(
        over(&mut open).await.contains("Client.BadRequest"),
        "the connection is open"
    );
    for revoked in [&second, &signer, &city.road.authentication] {
        city.road.authority.revoke(revoked).unwrap();
    }
    std::fs::write(city.folder.join("revoked.pem"), city.road.authority.crl(30).unwrap()).unwrap();
    city.gateway().reload_trust().unwrap();
    assert!(gets_through(&city, &second, &signer).await.is_err());
    let text = over(&mut open).await;
    assert!(text.contains("Server.ServerProxy.SslAuthenticationFailed"), "{text}");
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(
        logged.fault.as_deref(),
        Some("Server.ServerProxy.SslAuthenticationFailed")
    );
    assert_eq!(
        city.get(PATH).await.fault(),
        "Server.ClientProxy.SslAuthenticationFailed"
    );
    let problems: Vec<_> = city
        .gateway()
        .expiries()
        .into_iter()
        .filter_map(|one| one.problem)
        .collect();
    assert_eq!(problems, vec![CertificateError::Revoked; 3]);
    assert!(
        city.gateway()
            .directory()
            .interfaces
            .iter()
            .any(|one| one.id == theirs(HOUSEHOLD))
    );
}

#[tokio::test]
async fn without_a_current_list_of_the_revoked_nobody_is_trusted() {
    let city = City::start().await;
    std::fs::write(city.folder.join("revoked.pem"), "").unwrap();
    city.gateway().reload_trust().unwrap();
    assert_eq!(
        city.get(PATH).await.fault(),
        "Server.ClientProxy.SslAuthenticationFailed"
    );
    let problem = |city: &City| city.gateway().expiries()[0].problem.clone();
    assert_eq!(problem(&city), Some(CertificateError::UnknownStanding));
    // a list that has run out is none
    city.clock.by(40 * 86_400);
    std::fs::write(city.folder.join("revoked.pem"), city.road.authority.crl(30).unwrap()).unwrap();
    city.gateway().reload_trust().unwrap();
    assert_eq!(problem(&city), Some(CertificateError::UnknownStanding));
    city.clock.by(0);
    city.gateway().reload_trust().unwrap();
    assert_eq!(problem(&city), None);
}

#[tokio::test]
async fn where_no_list_is_required_an_old_one_refuses_the_revoked_alone() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| config.keys.require_crls = false)),
        ..Wishes::default()
    })
    .await;
    city.road.authority.revoke(&city.road.signing).unwrap();
    std::fs::write(city.folder.join("revoked.pem"), city.road.authority.crl(30).unwrap()).unwrap();
    city.clock.by(40 * 86_400);
    city.gateway().reload_trust().unwrap();
    let problems = |city: &City| -> Vec<_> {
        let all = city.gateway().expiries().into_iter();
        all.filter_map(|one| one.problem).collect()
    };
    assert_eq!(problems(&city), [CertificateError::Revoked]);
    // a list in the authority's name that another has signed tells nothing
    let other = Authority::new(&city.folder.join("other")).unwrap();
    std::fs::write(city.folder.join("revoked.pem"), other.crl(90).unwrap()).unwrap();
    city.gateway().reload_trust().unwrap();
    assert_eq!(problems(&city), vec![CertificateError::UnknownStanding; 6]);
}

#[tokio::test]
async fn a_certificate_that_ends_while_the_gateway_runs_serves_no_more() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| config.timestamp = None)),
        ..Wishes::default()
    })
    .await;
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    city.clock.by(400 * 86_400);
    let reply = city.get(PATH).await;
    assert!(
        [
            "Server.ClientProxy.SslAuthenticationFailed",
            "Server.ClientProxy.InvalidSignatureValue"
        ]
        .contains(&reply.fault().as_str()),
        "{reply:?}"
    );
}
