//! The message log: its chain, its timestamps, its archives, its end.

use crate::support::{City, Wishes, ask, theirs, usual};
use der::{Decode, Encode};
use hyper::StatusCode;
use jiff::ToSpan;
use peers::road::{AGENCY, CITY, Faults, HOUSEHOLD, REGISTERS};
use std::path::{Path, PathBuf};
use troad::command::verify_log;
use troad::config;
use troad::log::{Filter, Log, LogError, Outcome, Record, Side, Stamp, find, merkle};

const PATH: &str = "household-registry/persons/A123456789";

fn record(time: i64, id: &str) -> Record {
    Record {
        time,
        side: Side::Consumer,
        client: Some("TW/GOV/379000000A/portal".parse().unwrap()),
        service: Some(theirs(HOUSEHOLD)),
        method: "GET".to_owned(),
        endpoint: None,
        id: id.to_owned(),
        request_id: format!("r-{id}"),
        agreement: Some("字第1號".to_owned()),
        system: None,
        status: 200,
        outcome: Outcome::Done,
        fault: None,
        detail: None,
        request: None,
        response: None,
        request_hash: None,
        latency_us: 1500,
        content: None,
    }
}

fn settings(folder: &Path) -> config::Log {
    config::Log {
        folder: folder.to_path_buf(),
        keep_days: 30,
        wait: config::Wait::Disk,
        recent: 100,
    }
}

fn lines(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "jsonl"))
        .collect();
    files.sort();
    files.pop().unwrap()
}

async fn filled(folder: &Path, count: i64) {
    let log = Log::open(&settings(folder), None).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let waits: Vec<_> = (0..count)
        .map(|at| log.append(record(now + at, &format!("m{at}")), None, Vec::new()))
        .collect();
    for (at, wait) in waits.into_iter().enumerate() {
        assert_eq!(wait.await.unwrap().unwrap().seq, at as u64 + 1);
    }
}

#[tokio::test]
async fn a_line_removed_changed_moved_or_added_is_found() {
    let kept = tempfile::tempdir().unwrap();
    filled(kept.path(), 10).await;
    let sound = verify_log(kept.path(), None, None).unwrap();
    assert_eq!((sound.records, sound.seq), (10, 10));
    let path = lines(kept.path());
    let text = std::fs::read_to_string(&path).unwrap();
    let all: Vec<&str> = text.lines().collect();
    let mut swapped = all.clone();
    swapped.swap(3, 4);
    let changed = text.replacen("\"status\":200", "\"status\":201", 1);
    let cases = [
        ("first removed", all[1..].join("\n") + "\n"),
        ("middle removed", [&all[..4], &all[5..]].concat().join("\n") + "\n"),
        ("changed", changed),
        ("swapped", swapped.join("\n") + "\n"),
        ("doubled", [&all[..5], &all[4..]].concat().join("\n") + "\n"),
        ("torn", text[..text.len() - 5].to_owned()),
        ("no line", text.clone() + "{}\n"),
    ];
    for (name, wrong) in cases {
        std::fs::write(&path, wrong).unwrap();
        assert!(
            matches!(verify_log(kept.path(), None, None), Err(LogError::Broken { .. })),
            "{name}"
        );
    }
    // the end cut off holds in itself, but not against a line noted outside
    std::fs::write(&path, all[..8].join("\n") + "\n").unwrap();
    assert_eq!(verify_log(kept.path(), None, None).unwrap().records, 8);
    let anchor = (sound.seq, sound.head.as_str());
    assert!(matches!(
        verify_log(kept.path(), None, Some(anchor)),
        Err(LogError::Broken { .. })
    ));
    std::fs::write(&path, &text).unwrap();
    assert!(verify_log(kept.path(), None, Some(anchor)).is_ok());
    // a chain that does not hold is not written on
    std::fs::write(&path, text.replacen("\"status\":200", "\"status\":201", 1)).unwrap();
    assert!(matches!(
        Log::open(&settings(kept.path()), None),
        Err(LogError::Broken { .. })
    ));
}

#[tokio::test]
async fn a_piece_of_a_line_that_a_crash_left_is_taken_off() {
    let kept = tempfile::tempdir().unwrap();
    filled(kept.path(), 3).await;
    let path = lines(kept.path());
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"seq\":4,\"prev");
    std::fs::write(&path, text).unwrap();
    let log = Log::open(&settings(kept.path()), None).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let written = log
        .append(record(now, "after"), None, Vec::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(written.seq, 4);
    assert_eq!(
        log.recent(&Filter::default(), 10).len(),
        4,
        "what stood there is known again"
    );
    log.close();
    assert_eq!(verify_log(kept.path(), None, None).unwrap().records, 4);
    let late = log.append(record(now, "late"), None, Vec::new()).await;
    assert!(late.is_err() || late.unwrap().is_err(), "a closed log says so");
    assert!(!log.is_sound());
}

#[tokio::test]
async fn counts_are_kept_while_records_come_and_over_a_restart() {
    let kept = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let log = Log::open(&settings(kept.path()), None).unwrap();
    for at in 0..100 {
        let mut one = record(now, &format!("m{at}"));
        one.latency_us = 1000 * (at + 1);
        if at % 10 == 0 {
            one.outcome = Outcome::Road;
            one.fault = Some("Server.ClientProxy.NetworkError".to_owned());
        }
        log.append(one, None, Vec::new()).await.unwrap().unwrap();
    }
    let mut made_up = record(now, "x");
    made_up.service = Some(theirs("made-up"));
    made_up.fault = Some("Server.ServerProxy.UnknownService".to_owned());
    log.append(made_up, None, Vec::new()).await.unwrap().unwrap();
    for (code, fault) in [
        ("listMethods", None),
        ("another", Some("Server.ClientProxy.UnknownMember")),
        ("a-third", Some("server.serverproxy.unknown_member")),
    ] {
        let mut made_up = record(now, code);
        made_up.service = Some(theirs(code));
        made_up.fault = fault.map(str::to_owned);
        made_up.agreement = None;
        log.append(made_up, None, Vec::new()).await.unwrap().unwrap();
    }
    log.close();
    for log in [log, Log::open(&settings(kept.path()), None).unwrap()] {
        log.counts(|counts| {
            let days: Vec<_> = counts.days().collect();
            assert_eq!(days.len(), 2, "what nobody knows has no row of its own");
            let found = days.iter().find(|(key, _)| key.service == Some(theirs(HOUSEHOLD)));
            let (_, day) = found.unwrap();
            assert_eq!((day.calls, day.outcomes[&Outcome::Road]), (100, 10));
            assert_eq!(day.faults["Server.ClientProxy.NetworkError"], 10);
            let near = |share: f64, wanted: f64| {
                let found = day.latency_us(share) as f64;
                assert!((found - wanted).abs() <= wanted * 0.02, "{share}: {found}");
            };
            near(0.5, 50_000.0);
            near(0.99, 99_000.0);
            let today = civic::legal_day(jiff::Timestamp::now());
            assert_eq!(counts.quota_used("字第1號", today), 101);
        });
        let road = Filter {
            outcome: Some(Outcome::Road),
            ..Filter::default()
        };
        assert_eq!(log.recent(&road, 5).len(), 5);
        assert_eq!(log.search(&road, 100).unwrap().len(), 10);
    }
}

#[tokio::test]
async fn names_that_callers_make_up_take_no_memory() {
    let city = City::start().await;
    let (made_up, nowhere) = (format!("{AGENCY}/{REGISTERS}/made-up"), format!("{AGENCY}/nowhere"));
    for (service, aimed) in [
        (&made_up, None),
        (&made_up, Some("TW/GOV")),
        (&made_up, Some("TW/GOV/A01000000A/no-such-gateway")),
    ] {
        let mut headers = usual();
        headers.extend(aimed.map(|aimed| ("x-road-security-server", aimed.to_owned())));
        let reply = ask(city.inside(), "GET", &format!("/r1/{service}/x"), &headers, b"").await;
        assert_ne!(reply.fault(), "none", "{aimed:?}");
    }
    for service in ["listMethods", "allowedMethods"] {
        let message = city.road.message("GET", &format!("{CITY}/invented/{service}"), "", b"");
        assert_eq!(city.road.call(city.outside(), &message).await.unwrap().status, 200);
        ask(city.inside(), "GET", &format!("/r1/{nowhere}/{service}"), &usual(), b"").await;
    }
    city.gateway().log().counts(|counts| {
        let named: Vec<_> = counts.days().filter_map(|(key, _)| key.service.clone()).collect();
        assert!(named.is_empty(), "{named:?}");
        assert_eq!(counts.days().map(|(_, day)| day.calls).sum::<u64>(), 7);
    });
}

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
async fn days_are_archived_in_a_chain_and_then_destroyed() {
    let kept = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    let log = Log::open(&settings(kept.path()), None).unwrap();
    let mut noted = Vec::new();
    for days in [50, 40, 2, 0] {
        noted.push(log.head());
        let time = (now - (days * 24).hours()).as_millisecond();
        for at in 0..5 {
            log.append(record(time, &format!("d{days}-{at}")), None, Vec::new())
                .await
                .unwrap()
                .unwrap();
        }
    }
    assert!(
        log.archive(now, true).unwrap().is_empty(),
        "what waits for its timestamp is not archived"
    );
    let made = log.archive(now, false).unwrap();
    assert_eq!(made.len(), 3);
    assert!(log.archive(now, false).unwrap().is_empty(), "once");
    assert_eq!(made[1].previous, made[0].sha256);
    let name = &made[0].file;
    assert!(name.starts_with("mlog-") && name.ends_with(".zip"), "{name}");
    let pruned = log.prune(now).unwrap();
    assert_eq!(pruned.days.len(), 2);
    let left = verify_log(kept.path(), None, None).unwrap();
    assert_eq!((left.records, left.archives, left.seq), (10, 3, 20));
    // what was noted outside is found in an archive, at the seam, and among the kept lines; another line is not
    for (seq, hash) in noted.iter().skip(1) {
        assert!(verify_log(kept.path(), None, Some((*seq, hash))).is_ok(), "{seq}");
        let other = hash.chars().rev().collect::<String>();
        assert!(
            verify_log(kept.path(), None, Some((*seq, other.as_str()))).is_err(),
            "{seq}"
        );
    }
    assert!(verify_log(kept.path(), None, Some((2, noted[1].1.as_str()))).is_err());
    log.close();
    // the log goes on where it was, also with nothing left but the archives
    let log = Log::open(&settings(kept.path()), None).unwrap();
    let next = log
        .append(record(now.as_millisecond(), "next"), None, Vec::new())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.seq, 21);
    log.close();
    // an archive that is changed or missing is found
    let path = kept.path().join("archives").join(&made[0].file);
    let bytes = std::fs::read(&path).unwrap();
    let mut wrong = bytes.clone();
    wrong[100] ^= 1;
    std::fs::write(&path, wrong).unwrap();
    assert!(matches!(
        verify_log(kept.path(), None, None),
        Err(LogError::Archive { .. })
    ));
    std::fs::remove_file(&path).unwrap();
    assert!(verify_log(kept.path(), None, None).is_err());
    std::fs::write(&path, bytes).unwrap();
    assert!(verify_log(kept.path(), None, None).is_ok());
    // anybody's tools open it
    let script =
        "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist())";
    let ran = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .output()
        .unwrap();
    assert!(ran.status.success() && String::from_utf8_lossy(&ran.stdout).contains("linking.txt"));
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
async fn a_log_that_cannot_be_written_stops_everything() {
    let city = City::start().await;
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    city.gateway().log().close();
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.LoggingFailed");
    assert_eq!(city.road.seen().len(), 1, "nothing leaves that can't be logged");
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
