//! The message log: its chain, its counts, its archives, its end.

use crate::support::{City, ask, theirs, usual};
use hyper::StatusCode;
use jiff::ToSpan;
use peers::road::{AGENCY, CITY, HOUSEHOLD, REGISTERS};
use std::path::{Path, PathBuf};
use troad::command::verify_log;
use troad::config;
use troad::log::{Filter, Log, LogError, Outcome, Record, Side};

const PATH: &str = "household-registry/persons/A123456789";

pub fn record(time: i64, id: &str) -> Record {
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

pub fn settings(folder: &Path) -> config::Log {
    config::Log {
        folder: folder.to_path_buf(),
        keep_days: 30,
        wait: config::Wait::Disk,
        recent: 100,
    }
}

pub fn lines(folder: &Path) -> PathBuf {
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
async fn a_log_that_cannot_be_written_stops_everything() {
    let city = City::start().await;
    assert_eq!(city.get(PATH).await.status, StatusCode::OK);
    city.gateway().log().close();
    assert_eq!(city.get(PATH).await.fault(), "Server.ClientProxy.LoggingFailed");
    assert_eq!(city.road.seen().len(), 1, "nothing leaves that can't be logged");
}
