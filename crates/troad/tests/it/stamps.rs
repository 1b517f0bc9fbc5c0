//! Timestamps over the message log: asked for, checked, and what is none.

use crate::log::{lines, record, settings};
use crate::support::{City, Wishes};
use der::{Decode, Encode};
use hyper::StatusCode;
use jiff::ToSpan;
use peers::road::Faults;
use troad::command::verify_log;
use troad::log::{Filter, Log, LogError, Stamp, find, merkle};

const PATH: &str = "household-registry/persons/A123456789";

#[tokio::test]
async fn without_an_authority_nothing_waits_for_a_timestamp() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| config.timestamp = None)),
        ..Wishes::default()
    })
    .await;
    for _ in 0..3 {
        assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    }
    assert_eq!(city.gateway().log().pending_count(), 0);
    city.running.shutdown().await;
    // what was written then waits once an authority is configured
    let log = Log::open(&settings(&city.folder.join("log")), None).unwrap();
    assert_eq!(log.pending_count(), 3);
}

#[tokio::test]
async fn two_stampings_at_once_take_each_record_once() {
    let city = City::start().await;
    for _ in 0..3 {
        assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    }
    let (one, other) = tokio::join!(city.gateway().stamp(), city.gateway().stamp());
    assert_eq!(one.unwrap() + other.unwrap(), 3);
    let sound = verify_log(&city.log(), Some(&city.road.authority.root_pem()), None).unwrap();
    assert_eq!((sound.timestamps, sound.unstamped), (1, 0));
}

#[tokio::test]
async fn a_batch_that_lost_its_first_day_proves_nothing_any_more() {
    let kept = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    let log = Log::open(&settings(kept.path()), None).unwrap();
    let mut time = 0;
    for days in [40, 2] {
        time = (now - (days * 24).hours()).as_millisecond();
        for at in 0..3 {
            let written = log.append(record(time, &format!("d{days}-{at}")), None, Vec::new());
            written.await.unwrap().unwrap();
        }
    }
    let leaves: Vec<_> = log.pending(10).iter().map(|one| one.leaf).collect();
    let stamp = Stamp {
        time,
        first: 1,
        last: 6,
        count: 6,
        root: hex(&merkle::root(&leaves).unwrap()),
        token: String::new(),
    };
    log.append_stamp(stamp.clone()).await.unwrap().unwrap();
    let found = find(kept.path(), "d2-1").unwrap();
    let (of, steps) = found[0].stamp.as_ref().unwrap();
    assert_eq!(
        (of, hex(&merkle::climb(leaves[4], steps))),
        (&stamp, stamp.root.clone())
    );
    log.archive(now, false).unwrap();
    assert_eq!(log.prune(now).unwrap().days.len(), 1);
    assert!(find(kept.path(), "d2-1").unwrap()[0].stamp.is_none());
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_signature_over_something_else_is_no_timestamp() {
    let city = City::start().await;
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    assert_eq!(city.gateway().stamp().await.unwrap(), 1);
    let id = city.gateway().recent(&Filter::default(), 1)[0].1.id.clone();
    city.running.shutdown().await;
    let log = city.folder.join("log");
    let (stamp, _) = find(&log, &id).unwrap().remove(0).stamp.unwrap();
    let token = openssl::base64::decode_block(&stamp.token).unwrap();
    let content = signed(&token).encap_content_info.econtent.unwrap().value().to_vec();
    let stamps = city.road.folder().join("stamps");
    std::fs::write(stamps.join("content.der"), content).unwrap();
    let roots = city.road.authority.root_pem();
    let path = lines(&log);
    let text = std::fs::read_to_string(&path).unwrap();
    for (is_stated, sound) in [(true, true), (false, false)] {
        let mut command = std::process::Command::new("openssl");
        command
            .current_dir(&stamps)
            .args(["cms", "-sign", "-binary", "-nodetach"]);
        command.args([
            "-outform",
            "DER",
            "-md",
            "sha256",
            "-in",
            "content.der",
            "-out",
            "made.der",
        ]);
        command.args(["-signer", "signer.pem", "-inkey", "signer.key"]);
        if is_stated {
            command.args(["-econtent_type", "1.2.840.113549.1.9.16.1.4"]);
        }
        assert!(command.output().unwrap().status.success());
        let made = std::fs::read(stamps.join("made.der")).unwrap();
        let mut inside = signed(&made);
        // what the container says beside the signature is anybody's to write
        inside.encap_content_info.econtent_type = "1.2.840.113549.1.9.16.1.4".parse().unwrap();
        let info = cms::content_info::ContentInfo {
            content_type: "1.2.840.113549.1.7.2".parse().unwrap(),
            content: der::Any::encode_from(&inside).unwrap(),
        };
        let made = openssl::base64::encode_block(&info.to_der().unwrap());
        std::fs::write(&path, text.replace(&stamp.token, &made)).unwrap();
        let found = verify_log(&log, Some(&roots), None);
        assert_eq!(found.is_ok(), sound, "{found:?}");
    }
}

fn signed(token: &[u8]) -> cms::signed_data::SignedData {
    let info = cms::content_info::ContentInfo::from_der(token).unwrap();
    info.content.decode_as().unwrap()
}

#[tokio::test]
async fn every_record_gets_a_timestamp_that_is_checked() {
    let city = City::start().await;
    for _ in 0..3 {
        assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    }
    assert_eq!(city.gateway().stamp().await.unwrap(), 3);
    assert_eq!(city.gateway().stamp().await.unwrap(), 0);
    let id = city.gateway().recent(&Filter::default(), 1)[0].1.id.clone();
    assert!(find(&city.log(), &id).unwrap()[0].stamp.is_some());
    let roots = city.road.authority.root_pem();
    let sound = verify_log(&city.log(), Some(&roots), None).unwrap();
    assert_eq!((sound.records, sound.timestamps, sound.unstamped), (3, 1, 0));
    // another authority's root proves nothing
    let other = peers::road::Authority::new(&city.folder.join("other")).unwrap();
    assert!(matches!(
        verify_log(&city.log(), Some(&other.root_pem()), None),
        Err(LogError::Stamp { .. })
    ));
}

#[tokio::test]
async fn without_timestamps_traffic_stops_after_the_period() {
    let city = City::start().await;
    city.road.misbehave(Faults {
        no_stamps: true,
        ..Faults::default()
    });
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    assert!(city.gateway().stamp().await.is_err());
    city.clock.by(14_000);
    assert!(city.gateway().is_open().is_ok());
    city.clock.by(14_500);
    assert!(city.gateway().is_open().is_err());
    assert_eq!(
        city.get(PATH).await.fault(),
        "Server.ClientProxy.LoggingFailed.TimestamperFailed"
    );
    let message = city.road.message("GET", &crate::support::ours(), "/headers", b"");
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        reply.header("x-road-error"),
        Some("Server.ServerProxy.LoggingFailed.TimestamperFailed")
    );
    // an authority whose clock is far from ours does not help
    city.road.misbehave(Faults::default());
    assert!(matches!(city.gateway().stamp().await, Err(troad::StampError::Skew(_))));
    city.clock.by(0);
    // and neither does a stamp on something else
    city.road.misbehave(Faults {
        other_stamps: true,
        ..Faults::default()
    });
    assert_eq!(city.gateway().stamp().await, Err(troad::StampError::Other));
    city.road.misbehave(Faults::default());
    assert!(city.gateway().stamp().await.unwrap() >= 1);
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_stamper_works_by_itself() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| {
            if let Some(stamping) = &mut config.timestamp {
                stamping.interval_s = 1;
            }
        })),
        ..Wishes::default()
    })
    .await;
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    for _ in 0..50 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if city.gateway().log().pending_count() == 0 {
            break;
        }
    }
    assert_eq!(city.gateway().log().pending_count(), 0);
    city.running.shutdown().await;
}
