//! Answers of the city to the other member: signed as they travel, and told when the provider's system gives none.

use crate::provider::fault;
use crate::support::{City, Wishes, ours};
use peers::road::{CITY, PORTAL};
use troad::log::{Filter, Outcome};

#[tokio::test]
async fn a_long_answer_needs_a_caller_that_takes_trailers() {
    let city = City::start().await;
    for (te, expected) in [
        ("gzip", "Client.BadRequest"),
        ("gzip, Trailers", "none"),
        ("TRAILERS", "none"),
    ] {
        let mut message = city.road.message("GET", &ours(), "/bytes/200000", b"");
        message.wrong.te = Some(te.to_owned());
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(fault(&reply), expected, "{te}");
        assert!(reply.proven, "{te}: nothing comes unsigned");
        // a short one needs none
        let mut message = city.road.message("GET", &ours(), "/bytes/2000", b"");
        message.wrong.te = Some(te.to_owned());
        assert!(city.road.call(city.outside(), &message).await.unwrap().proven, "{te}");
    }
}

#[tokio::test]
async fn answers_to_head_are_signed_as_they_travel() {
    let city = City::start().await;
    for (service, expected) in [
        (ours(), "none"),
        (format!("{CITY}/{PORTAL}/listMethods"), "none"),
        (format!("{CITY}/{PORTAL}/no-such"), "Server.ServerProxy.UnknownService"),
    ] {
        let message = city.road.message("HEAD", &service, "", b"");
        let reply = city.road.call(city.outside(), &message).await.unwrap();
        assert_eq!(fault(&reply), expected, "{service}");
        assert!(reply.body.is_empty() && reply.proven, "{service}");
    }
}

#[tokio::test]
async fn the_providers_system_may_be_away_slow_or_broken() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| {
            config.limits.pause_s = 1;
            config.limits.answer_s = 1;
            config.limits.answer_bytes = 1 << 20;
        })),
        ..Wishes::default()
    })
    .await;
    let call = |rest: &str| {
        let message = city.road.message("GET", &ours(), rest, b"");
        let (road, address) = (&city.road, city.outside());
        async move { road.call(address, &message).await.unwrap() }
    };
    assert_eq!(fault(&call("/slow").await), "Server.ServerProxy.NetworkError.Timeout");
    let cut = call("/truncated").await;
    // whether its head had gone out already is a matter of microseconds
    let told = fault(&cut) == "Server.ServerProxy.NetworkError" || fault(&cut) == "Server.ServerProxy.ServiceFailed";
    assert!(told || (!cut.whole && !cut.proven), "{:?}", cut.headers);
    // a bomb of the own system
    let bomb = call("/bytes/2147483648").await;
    assert!(
        !bomb.whole && !bomb.proven && bomb.body.len() <= 1 << 20,
        "{}",
        bomb.body.len()
    );
    let logged = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(
        (logged.outcome, logged.fault.as_deref()),
        (Outcome::Road, Some("Server.ServerProxy.BodyTooLarge"))
    );
    let own = call("/status/503").await;
    assert_eq!(
        (own.status, fault(&own).as_str()),
        (503, "none"),
        "the application's error is its own"
    );
    assert!(own.proven);
    city.change(|directory| {
        let ours = directory.interfaces.iter_mut().find(|one| one.base.is_some()).unwrap();
        ours.base = Some("http://127.0.0.1:1/".parse().unwrap());
    });
    assert_eq!(fault(&call("/headers").await), "Server.ServerProxy.NetworkError");
}
