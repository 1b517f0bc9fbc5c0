//! The road's other member against itself: what is sent rightly is accepted, every fault shows.

use peers::road::{
    self, AGENCY, Authority, BodyFault, CITY, Faults, Message, PORTAL, Purpose, REGISTERS, Reply, Road, Wish, Wrong,
};
use tempfile::TempDir;

async fn start(kept: &TempDir) -> Road {
    let config = road::Config {
        folder: kept.path().to_path_buf(),
        registers: road::sample(),
        denied: vec!["business-registry".to_owned()],
    };
    road::start(config).await.unwrap()
}

/// A call of the city to the member.
fn message(road: &Road, method: &str, code: &str, rest: &str, body: &[u8]) -> Message {
    let mut message = road.message(method, &format!("{AGENCY}/{REGISTERS}/{code}"), rest, body);
    message.headers[0].1 = format!("{CITY}/{PORTAL}");
    message
}

async fn call(road: &Road, message: &Message) -> Result<Reply, String> {
    let (tls, signer, expected) = (&road.city_authentication, &road.city_signing, &road.signing.certificate);
    let answered = road.call_expecting(road.gateway, tls, signer, expected, message).await;
    answered.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_register_answers_what_is_signed() {
    let kept = TempDir::new().unwrap();
    let road = start(&kept).await;
    let person = message(&road, "GET", "household-registry", "/persons/A123456789", b"");
    let reply = call(&road, &person).await.unwrap();
    assert!(reply.status == 200 && reply.proven && reply.hash_matches && reply.whole);
    assert!(String::from_utf8_lossy(&reply.body).contains("王小明"));
    let permits = message(
        &road,
        "POST",
        "disability-permits",
        "/permits/search",
        b"[\"A123456789\",\"B1\"]",
    );
    let mut permits = Message {
        trailing: true,
        ..permits
    };
    permits
        .headers
        .push(("content-type".to_owned(), "application/json".to_owned()));
    let reply = call(&road, &permits).await.unwrap();
    assert!(
        reply.proven && String::from_utf8_lossy(&reply.body).contains("中度"),
        "{reply:?}"
    );
    let long = call(&road, &message(&road, "GET", "exercise", "/bytes/300000", b""))
        .await
        .unwrap();
    assert!(long.proven && long.body.len() == 300_000);
    let unknown = call(&road, &message(&road, "GET", "household-registry", "/persons/X", b""))
        .await
        .unwrap();
    assert!(unknown.status == 404 && unknown.proven && unknown.header("x-road-error").is_none());
    let denied = call(
        &road,
        &message(&road, "GET", "business-registry", "/businesses/04595257", b""),
    )
    .await
    .unwrap();
    assert_eq!(
        (denied.status, denied.header("x-road-error")),
        (500, Some("Server.ServerProxy.AccessDenied"))
    );
    assert_eq!(road.seen().len(), 5);
}

#[tokio::test]
async fn what_is_signed_wrongly_is_refused() {
    let kept = TempDir::new().unwrap();
    let road = start(&kept).await;
    for wrong in [
        Wrong {
            unsigned: true,
            ..Wrong::default()
        },
        Wrong {
            signature: true,
            ..Wrong::default()
        },
        Wrong {
            header: true,
            ..Wrong::default()
        },
        Wrong {
            body: true,
            ..Wrong::default()
        },
    ] {
        let mut bad = message(&road, "POST", "exercise", "/echo", b"content");
        bad.wrong = wrong.clone();
        let reply = call(&road, &bad).await.unwrap();
        assert_eq!(
            reply.header("x-road-error"),
            Some("Server.ServerProxy.InvalidSignatureValue"),
            "{wrong:?}"
        );
    }
    let good = message(&road, "GET", "exercise", "/headers", b"");
    let stranger = Authority::new(&kept.path().join("other"))
        .unwrap()
        .issue("x", Wish::of(Purpose::Gateway))
        .unwrap();
    let expected = &road.signing.certificate;
    assert!(
        road.call_expecting(road.gateway, &stranger, &road.city_signing, expected, &good)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn every_fault_shows() {
    let kept = TempDir::new().unwrap();
    let road = start(&kept).await;
    let good = message(&road, "GET", "exercise", "/status/200", b"");
    type Shows = fn(&Reply) -> bool;
    let cases: [(Faults, Shows); 7] = [
        (
            Faults {
                wrong_hash: true,
                ..Faults::default()
            },
            |reply| !reply.hash_matches && reply.proven,
        ),
        (
            Faults {
                bad_signature: true,
                ..Faults::default()
            },
            |reply| !reply.proven,
        ),
        (
            Faults {
                unsigned: true,
                ..Faults::default()
            },
            |reply| reply.header("x-road-signature").is_none(),
        ),
        (
            Faults {
                foreign_signature: true,
                ..Faults::default()
            },
            |reply| !reply.proven,
        ),
        (
            Faults {
                altered: true,
                ..Faults::default()
            },
            |reply| !reply.proven,
        ),
        (
            Faults {
                other_message: true,
                ..Faults::default()
            },
            |reply| reply.header("x-road-id") == Some("another-message"),
        ),
        (
            Faults {
                status: Some(503),
                ..Faults::default()
            },
            |reply| reply.status == 503 && reply.proven,
        ),
    ];
    for (faults, shows) in cases {
        road.misbehave(faults.clone());
        let reply = call(&road, &good).await.unwrap();
        assert!(shows(&reply), "{faults:?}: {reply:?}");
    }
    road.misbehave(Faults {
        body: BodyFault::Truncated,
        ..Faults::default()
    });
    assert!(call(&road, &good).await.map_or(true, |reply| !reply.whole));
    road.misbehave(Faults {
        outdated: true,
        ..Faults::default()
    });
    assert!(call(&road, &good).await.is_err());
}

#[tokio::test]
async fn the_authority_lists_what_it_took_back() {
    let kept = TempDir::new().unwrap();
    let authority = Authority::new(kept.path()).unwrap();
    let issued = authority.issue("機關", Wish::of(Purpose::Signing)).unwrap();
    let list = |text: String| openssl::x509::X509Crl::from_pem(text.as_bytes()).unwrap();
    assert!(list(authority.crl(1).unwrap()).get_revoked().is_none());
    authority.revoke(&issued).unwrap();
    let now = list(authority.crl(1).unwrap());
    let found = now.get_revoked().unwrap();
    assert_eq!(found.len(), 1);
}
