//! The program as a person at a terminal meets it: what it refuses, what it says, how it starts and stops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod programme;
mod rules;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn tongban(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
    command.args(arguments).env_remove("TONGBAN_LOG");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn example() -> String {
    String::from_utf8(tongban(&["config", "example"]).output().unwrap().stdout).unwrap()
}

/// Writes a configuration and says what `config check` makes of it: whether it can be used, and what is wrong.
fn check(folder: &Path, text: &str) -> (Option<i32>, String) {
    let file = folder.join("tongban.toml");
    std::fs::write(&file, text).unwrap();
    let output = tongban(&["config", "check", file.to_str().unwrap()]).output().unwrap();
    (output.status.code(), said(&output))
}

#[test]
fn the_example_configuration_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(check(folder.path(), &example()), (Some(0), String::new()));
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_the_nearest_known_one() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = check(folder.path(), &example().replace("portal = ", "portl = "));
    assert_eq!(code, Some(1));
    assert!(said.contains("tongban.toml:6:1: unknown field `portl`"), "{said}");
    assert!(said.contains("did you mean `portal`?"), "{said}");
}

#[test]
fn a_portal_that_others_reach_needs_https_and_no_path() {
    let folder = tempfile::tempdir().unwrap();
    for (address, wanted) in [
        ("http://e.example.gov.tw", "needs https"),
        ("https://e.example.gov.tw/portal", "without a path"),
    ] {
        let (code, said) = check(folder.path(), &example().replace("https://e.example.gov.tw", address));
        assert_eq!(code, Some(1));
        assert!(said.contains("`portal`") && said.contains(wanted), "{said}");
    }
}

#[test]
fn a_database_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = check(folder.path(), &format!("database = \"mysql://x\"\n{}", example()));
    assert_eq!(code, Some(1));
    assert!(said.contains("`database`: write `sqlite://path`"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_is_missing_or_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let text = format!("master_keys = \"secret\"\n{}", example());
    let (code, said) = check(folder.path(), &text);
    assert_eq!(code, Some(1));
    assert!(said.contains("`master_keys`") && said.contains("is missing"), "{said}");
    let key = folder.path().join("secret");
    std::fs::write(&key, "1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (code, said) = check(folder.path(), &text);
    assert_eq!(code, Some(1));
    assert!(said.contains("others may read") && said.contains("chmod 600"), "{said}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(check(folder.path(), &text).0, Some(0));
}

#[test]
fn wrong_usage_ends_with_two() {
    assert_eq!(tongban(&["serve"]).output().unwrap().status.code(), Some(2));
    assert_eq!(
        tongban(&["demo", "--residents", "many"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_demonstration_listens_on_this_machine_only_and_takes_no_real_platforms_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let output = tongban(&["demo", "--data", data, "--listen", "0.0.0.0:0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("this machine only"), "{}", said(&output));
    std::fs::write(folder.path().join("tongban.sqlite"), "").unwrap();
    let output = tongban(&["demo", "--data", data, "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("choose another folder"), "{}", said(&output));
}

/// A running demonstration; killed when the test ends, however it ends.
struct Demo {
    child: Child,
    facts: Value,
}

impl Demo {
    fn start(data: &Path, more: &[&str]) -> Demo {
        let data = data.to_str().unwrap();
        let mut child = tongban(&[
            "demo",
            "--residents",
            "2000",
            "--listen",
            "127.0.0.1:0",
            "--json",
            "--data",
            data,
        ])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let facts = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Demo { child, facts }
    }

    /// A page of the portal: its head and body.
    fn page(&self, path: &str) -> String {
        let portal = self.facts["portal"].as_str().unwrap().trim_start_matches("http://");
        let mut stream = TcpStream::connect(portal).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {portal}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// The exit status, within a minute.
    fn ended(&mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("still running after a minute");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn people(facts: &Value) -> Vec<&str> {
    facts["people"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["national_id"].as_str())
        .collect()
}

fn entries(data: &Path) -> u64 {
    let output = tongban(&["ledger", "verify", "--json", "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["sound"], true);
    told["entries"].as_u64().unwrap()
}

#[test]
fn a_demonstration_opens_stops_politely_and_opens_again_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut first = Demo::start(data, &[]);
    let home = first.page("/");
    assert!(home.starts_with("HTTP/1.1 200 OK"), "{home}");
    assert!(home.contains("中低收入老人生活津貼"), "{home}");
    assert_eq!(people(&first.facts).len(), 8);
    assert_eq!(first.facts["staff"].as_array().unwrap().len(), 31);

    // one folder, one process
    let second = tongban(&["demo", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(
        said(&second).contains("is in use by another process"),
        "{}",
        said(&second)
    );

    first.signal("-TERM");
    assert_eq!(first.ended(), Some(0));
    let past = entries(data);
    assert!(past > 100, "the past of the city is in the record of use: {past}");

    // cut off in the middle of everything
    let mut again = Demo::start(data, &[]);
    assert_eq!(people(&again.facts), people(&first.facts));
    assert_eq!(again.facts["staff"], first.facts["staff"]);
    again.signal("-KILL");
    assert_eq!(again.ended(), None);
    assert!(entries(data) >= past);

    let config = data.join("serve.toml");
    let text = example()
        .replace("data = \"data\"", "data = \".\"")
        .replace("127.0.0.1:8080", "127.0.0.1:0");
    std::fs::write(&config, text).unwrap();
    let output = tongban(&["serve", "--config", config.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("demonstration city's data"), "{}", said(&output));
}

#[test]
fn a_slow_or_endless_head_takes_nobody_elses_place() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path(), &["--no-history"]);
    let portal = demo.facts["portal"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://")
        .to_owned();
    let mut slow = TcpStream::connect(&portal).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").unwrap();
    let mut endless = TcpStream::connect(&portal).unwrap();
    let head: String = (0..100).map(|number| format!("x-{number}: 1\r\n")).collect();
    write!(endless, "GET / HTTP/1.1\r\nhost: {portal}\r\n{head}\r\n").unwrap();
    let mut answer = String::new();
    let _ = endless.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(demo.page("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_draw_is_worked_out_again_from_its_file_and_a_changed_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let tickets: Vec<Value> = (0..20)
        .map(|number| serde_json::json!({ "id": format!("t{number:02}"), "priority": 1, "needs": { "all": 1 }, "choices": ["a", "b"] }))
        .collect();
    let seats = serde_json::json!({ "all": { "capacity": 3 } });
    let list = serde_json::json!({
        "round": "test", "seed_rule": "the balls of the day", "tickets": tickets,
        "places": [{ "id": "a", "seats": seats }, { "id": "b", "seats": seats }],
    });
    std::fs::write(path("list.json"), list.to_string()).unwrap();
    let run = |arguments: &[&str]| tongban(arguments).output().unwrap();
    let done = run(&["lottery", "seal", &path("list.json"), "--out", &path("sealed.json")]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let done = run(&[
        "lottery",
        "draw",
        &path("sealed.json"),
        "--seed",
        "07,41",
        "--out",
        &path("draw.json"),
    ]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let verify = || {
        run(&[
            "lottery",
            "verify",
            &path("draw.json"),
            "--sealed",
            &path("sealed.json"),
        ])
    };
    assert_eq!(verify().status.code(), Some(0), "{}", said(&verify()));

    let good = std::fs::read_to_string(path("draw.json")).unwrap();
    for (from, to) in [
        ("07,41", "07,42"),
        ("\"capacity\": 3", "\"capacity\": 4"),
        ("\"t01\"", "\"t99\""),
    ] {
        assert!(good.contains(from));
        std::fs::write(path("draw.json"), good.replace(from, to)).unwrap();
        let told = verify();
        assert_eq!(told.status.code(), Some(1), "{from}");
        assert!(said(&told).starts_with("error: "), "{}", said(&told));
    }
    for wrong in ["", "{}", "[1,2", "\u{feff}draw"] {
        std::fs::write(path("draw.json"), wrong).unwrap();
        let told = verify();
        assert_ne!(told.status.code(), Some(0));
        assert!(
            said(&told).contains("draw.json") && !said(&told).contains("panicked"),
            "{}",
            said(&told)
        );
    }
    let told = run(&[
        "lottery",
        "draw",
        &path("sealed.json"),
        "--seed",
        " ",
        "--out",
        &path("draw.json"),
    ]);
    assert_ne!(told.status.code(), Some(0), "an empty public value draws nothing");
}

/// The drill: a city is backed up while it is open, its machine is gone, and the backup is restored on an empty one.
#[cfg(unix)]
#[test]
fn a_city_is_backed_up_while_open_and_restored_on_an_empty_machine() {
    let (old, new, apart) = (
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let path = |name: &str| apart.path().join(name).to_str().unwrap().to_owned();
    let (from, to) = (old.path().to_str().unwrap(), new.path().to_str().unwrap());
    let run = |arguments: &[&str]| tongban(arguments).output().unwrap();
    let good = |arguments: &[&str]| {
        let done = run(arguments);
        assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", said(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    let city = Demo::start(old.path(), &[]);
    good(&["backup", "create", "--data", from, "--out", &path("backup")]);
    let published = good(&["ledger", "publish", "--data", from]);
    assert!(published.contains("entries published in"), "{published}");

    // A disk that is full while the backup is written: 64 blocks of 512 bytes a file.
    let full = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_tongban"))
        .args(["backup", "create", "--data", from, "--out", &path("full")])
        .output()
        .unwrap();
    assert_eq!(full.status.code(), Some(1), "{}", said(&full));
    let told = run(&["backup", "verify", &path("full")]);
    assert_eq!(told.status.code(), Some(1));
    assert!(said(&told).contains("it was not finished"), "{}", said(&told));

    // What is kept apart: the keys with the register, and what was published.
    let copy = |what: &str, to: &str| {
        let done = Command::new("cp").args(["-a", &format!("{from}/{what}"), to]).status();
        assert!(done.unwrap().success());
    };
    copy("keys", &path("keys"));
    copy("published", &path("published"));
    copy("DEMONSTRATION", &path("DEMONSTRATION"));
    drop(city);
    drop(old);

    let told = run(&["backup", "restore", &path("backup"), "--data", to]);
    assert_eq!(told.status.code(), Some(1), "without the keys and the register");
    let done = Command::new("cp")
        .args(["-a", &path("keys"), &format!("{to}/keys")])
        .status();
    assert!(done.unwrap().success());
    let stated: Value = serde_json::from_str(&good(&["backup", "verify", &path("backup"), "--json"])).unwrap();
    let restored: Value =
        serde_json::from_str(&good(&["backup", "restore", &path("backup"), "--data", to, "--json"])).unwrap();
    assert_eq!(
        (&restored["head"], &restored["root"]),
        (&stated["head"], &stated["root"])
    );
    let entries = entries(new.path());
    assert_eq!(
        stated["head"].as_str().unwrap().split(':').next().unwrap(),
        entries.to_string()
    );
    let told = run(&["backup", "restore", &path("backup"), "--data", to]);
    assert!(said(&told).contains("is not empty"), "{}", said(&told));

    // Offline: a file, the published checkpoints and the public key.
    let (file, key) = (path("ledger"), path("published/key"));
    good(&["ledger", "export", "--data", to, "--out", &file]);
    good(&["ledger", "verify", "--file", &file]);
    let known = run(&[
        "ledger",
        "verify",
        "--file",
        &file,
        "--published",
        &path("published"),
        "--key",
        &key,
    ]);
    let published: u64 = published.split(' ').next().unwrap().parse().unwrap();
    match published > entries {
        true => assert!(
            said(&known).contains("was published, but the ledger ends"),
            "{}",
            said(&known)
        ),
        false => assert_eq!(known.status.code(), Some(0), "{}", said(&known)),
    }
    // One entry, proven to somebody who has the proof and the key alone.
    let place = Command::new("cp")
        .args(["-a", &path("published"), &format!("{to}/published")])
        .status();
    assert!(place.unwrap().success());
    let checkpoint = path(&format!("published/{published:016}.checkpoint"));
    if published <= entries {
        let proof = good(&[
            "ledger",
            "prove",
            "--data",
            to,
            "--entry",
            "2",
            "--checkpoint",
            &checkpoint,
        ]);
        std::fs::write(path("proof"), &proof).unwrap();
        let told = good(&["ledger", "verify", "--proof", &path("proof"), "--key", &key]);
        assert!(told.starts_with("entry 2 stands among the"), "{told}");
        std::fs::write(path("proof"), proof.replacen("\"count\": ", "\"count\": 1", 1)).unwrap();
        let told = run(&["ledger", "verify", "--proof", &path("proof"), "--key", &key]);
        assert_eq!(told.status.code(), Some(1), "{}", said(&told));
    }
    // The mark of a demonstration is the city's, not the data's; it opens with it.
    std::fs::copy(path("DEMONSTRATION"), new.path().join("DEMONSTRATION")).unwrap();
    let again = Demo::start(new.path(), &[]);
    assert!(again.page("/").starts_with("HTTP/1.1 200 OK"));
}
