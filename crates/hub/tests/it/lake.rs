//! Modes, versions, idempotence, conflicts, and what stands on the disk.

use hub::{At, HubError, Outcome};

use crate::kit::{City, PLAIN, line};

fn incremental() -> String {
    PLAIN.replace("mode = \"full\"", "mode = \"incremental\"\ntime = \"day\"")
}

fn changes(time: bool) -> String {
    let mode =
        "mode = \"changes\"\noperation = { from = \"op\", insert = [\"A\"], update = [\"U\"], delete = [\"D\"] }";
    let mode = if time {
        format!("{mode}\ntime = \"day\"")
    } else {
        mode.to_owned()
    };
    PLAIN.replace("mode = \"full\"", &mode)
}

#[tokio::test]
async fn a_whole_source_takes_the_place_of_what_was_there() {
    let city = City::of(PLAIN);
    let one = city.load("id,name,day\n1,a,2026-01-01\n2,b,\n").await;
    assert_eq!(
        line(&one),
        "published 1; read 2 added 2 replaced 0 deleted 0 superseded 0 rejected 0 rows 2"
    );
    let two = city.load("id,name,day\n2,c,\n").await;
    assert_eq!(
        line(&two),
        "published 2; read 1 added 1 replaced 0 deleted 0 superseded 0 rejected 0 rows 1"
    );
    assert_eq!(city.rows().await, ["2 c -"]);
    assert_eq!(city.rows_at(At::Version(1)).await, ["1 a 2026-01-01", "2 b -"]);
    assert_eq!(city.rows_at(At::Version(0)).await, Vec::<String>::new());
    let error = hub::each_batch(&city.lake, &city.dataset, At::Version(9), None, &mut |_| Ok(())).await;
    assert!(matches!(error, Err(HubError::NoVersion(_))), "{error:?}");
}

#[tokio::test]
async fn the_same_source_changes_nothing() {
    let city = City::of(PLAIN);
    let (first, second) = ("id,name,day\n1,a,\n", "id,name,day\n1,b,\n");
    city.load(first).await;
    assert_eq!(city.load(first).await.outcome, Outcome::AlreadyPublished);
    city.load(second).await;
    // an older whole source is another load than the latest, and may be wanted again
    assert_eq!(city.load(first).await.outcome, Outcome::Published(3));
    assert_eq!(city.rows().await, ["1 a -"]);
    assert_eq!(city.rows_at(At::Version(1)).await, ["1 a -"]);
    let city = City::of(&changes(false));
    let (first, second) = ("op,id,name,day\nA,1,a,\n", "op,id,name,day\nU,1,b,\n");
    city.load(first).await;
    city.load(second).await;
    assert_eq!(city.load(first).await.outcome, Outcome::AlreadyPublished);
    assert_eq!(city.rows().await, ["1 b -"]);
}

#[tokio::test]
async fn of_a_key_the_first_row_is_taken_and_the_others_are_kept_as_rejects() {
    let city = City::of(PLAIN);
    let report = city.load("id,name,day\n1,a,\n2,b,\n1,c,\n").await;
    assert_eq!(
        line(&report),
        "published 1; read 3 added 2 replaced 0 deleted 0 superseded 0 rejected 1 rows 2"
    );
    let rejects = hub::rejected(&city.lake, &city.dataset, &report.load, None)
        .await
        .unwrap();
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].place, 4);
    assert_eq!(rejects[0].cells[1].1.as_deref(), Some("c"));
    assert_eq!(
        rejects[0].reasons[0].text,
        "another row of the load, at 2, has the same values by the rule `key`"
    );
}

#[tokio::test]
async fn the_later_row_of_a_key_stands() {
    let city = City::of(&incremental());
    city.load("id,name,day\n1,a,2026-01-02\n2,b,2026-01-02\n").await;
    let report = city
        .load("id,name,day\n1,old,2026-01-01\n2,new,2026-01-03\n3,c,2026-01-01\n3,d,2026-01-02\n")
        .await;
    assert_eq!(
        line(&report),
        "published 2; read 4 added 1 replaced 1 deleted 0 superseded 2 rejected 0 rows 3"
    );
    assert_eq!(
        city.rows().await,
        ["1 a 2026-01-02", "2 new 2026-01-03", "3 d 2026-01-02"]
    );
}

#[tokio::test]
async fn changes_come_and_go_in_their_order() {
    let city = City::of(&changes(false));
    city.load("op,id,name,day\nA,1,a,\nA,2,b,\nA,3,c,\n").await;
    let report = city
        .load("op,id,name,day\nD,1,,\nU,2,x,\nU,2,y,\nA,4,d,\nD,4,,\nD,3,,\nA,3,again,\nD,9,,\nQ,5,,\n")
        .await;
    assert_eq!(
        line(&report),
        "published 2; read 9 added 0 replaced 2 deleted 1 superseded 3 rejected 1 rows 2"
    );
    assert_eq!(city.rows().await, ["2 y -", "3 again -"]);
}

#[tokio::test]
async fn nothing_of_a_person_stands_on_the_disk() {
    let text = PLAIN
        .replace("legal_basis", "purposes = [\"057\"]\nlegal_basis")
        .replace(
            "type = \"text\"\npersonal = \"none\"",
            "type = \"text\"\npersonal = \"ordinary\"",
        );
    let city = City::of(&text);
    let secret = "VERYSECRETNAME";
    // one row is taken, one rejected, and the load stops before it is published, so that staging is left
    let report = city.load(format!("id,name,day\n1,{secret},\nx,{secret},\n")).await;
    assert_eq!(report.rejected, 1);
    let path = city.file("other", format!("id,name,day\n1,{secret}2,\nx,{secret}2,\n"));
    let mut job = city.job();
    job.follow = std::sync::Arc::new(|_| false);
    let stopped = hub::ingest(&city.lake, &city.dataset, &path, &job).await;
    assert!(matches!(stopped, Err(HubError::Stopped)));
    let mut looked = 0;
    for folder in ["lake", "staging"] {
        let mut waiting = vec![city.home().join(folder)];
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                    continue;
                }
                looked += 1;
                let bytes = std::fs::read(&path).unwrap();
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
    assert!(looked > 8, "{looked}");
    assert_eq!(city.rows().await, [format!("1 {secret} -")]);
    let wrong = hub::each_batch(
        &city.lake,
        &city.dataset,
        At::Latest,
        Some(b"another key, 16."),
        &mut |_| Ok(()),
    )
    .await;
    let wrong = wrong.unwrap_err().to_string();
    assert!(wrong.contains("written with another key"), "{wrong}");
    let none = hub::each_batch(&city.lake, &city.dataset, At::Latest, None, &mut |_| Ok(())).await;
    assert!(matches!(none, Err(HubError::KeyMissing(_))));
    // the log says how many rows there are, and nothing of the column
    let log = std::fs::read_to_string(city.table().join("_delta_log/00000000000000000001.json")).unwrap();
    assert!(log.contains("numRecords"));
    let add = log.lines().find(|line| line.contains("\"add\"")).unwrap();
    assert!(add.contains("\\\"id\\\"") && !add.contains("\\\"name\\\""), "{add}");
}

#[tokio::test]
async fn of_two_loads_at_once_one_waits_for_a_better_day() {
    let city = City::of(&incremental());
    let one = city.file("one", "id,name,day\n1,a,2026-01-01\n");
    let two = city.file("two", "id,name,day\n2,b,2026-01-01\n");
    let (first, second) = tokio::join!(city.try_load(&one), city.try_load(&two));
    let busy = [&first, &second]
        .iter()
        .filter(|done| matches!(done, Err(HubError::Busy(_))))
        .count();
    assert_eq!(busy, 1, "{first:?} {second:?}");
    // with staging folders of their own, as on two machines, the commit decides
    let mut jobs = [city.job(), city.job()];
    jobs[0].staging = city.home().join("machine-1");
    jobs[1].staging = city.home().join("machine-2");
    let three = city.file("three", "id,name,day\n3,c,2026-01-01\n");
    let four = city.file("four", "id,name,day\n4,d,2026-01-01\n");
    let (first, second) = tokio::join!(
        hub::ingest(&city.lake, &city.dataset, &three, &jobs[0]),
        hub::ingest(&city.lake, &city.dataset, &four, &jobs[1])
    );
    for (done, path, job) in [(first, &three, &jobs[0]), (second, &four, &jobs[1])] {
        match done {
            Ok(report) => assert!(matches!(report.outcome, Outcome::Published(_))),
            Err(HubError::Overtaken(_)) => {
                hub::ingest(&city.lake, &city.dataset, path, job).await.unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
    for path in [&one, &two] {
        city.try_load(path).await.unwrap();
    }
    assert_eq!(city.rows().await.len(), 4);
}

#[tokio::test]
async fn a_new_column_comes_by_itself_and_one_that_changes_only_with_a_whole_source() {
    let mut city = City::of(&incremental());
    city.load("id,name,day\n1,a,2026-01-01\n").await;
    let column = PLAIN.rfind("[[column]]").unwrap();
    let more = PLAIN[column..].replace("\"day\"", "\"note\"").replace(
        "type = \"date\"\npersonal = \"none\"\nformats = [\"iso\"]",
        "type = \"text\"\npersonal = \"none\"",
    );
    city.change(&(incremental() + &more));
    let report = city
        .load("id,name,day,note\n2,b,2026-01-02,x\n1,a,2026-01-03,y\n")
        .await;
    assert_eq!(
        line(&report),
        "published 2; read 2 added 1 replaced 1 deleted 0 superseded 0 rejected 0 rows 2"
    );
    assert_eq!(city.rows().await, ["1 a 2026-01-03 y", "2 b 2026-01-02 x"]);
    assert_eq!(city.rows_at(At::Version(1)).await, ["1 a 2026-01-01"]);
    city.change(&incremental().replace("type = \"text\"", "type = \"integer\"\nunit = \"1\""));
    let report = city.load("id,name,day\n3,7,2026-01-02\n").await;
    assert!(
        line(&report)
            .starts_with("held: the folder no longer has the columns `name`, `note` of the table as they were"),
        "{}",
        line(&report)
    );
    city.change(&PLAIN.replace("type = \"text\"", "type = \"integer\"\nunit = \"1\""));
    city.load("id,name,day\n3,7,2026-01-02\n").await;
    assert_eq!(city.rows().await, ["3 7 2026-01-02"]);
}

#[tokio::test]
async fn an_instant_tells_rows_apart() {
    let text = incremental().replace("key = [\"id\"]", "key = [\"at\"]");
    let at = "[[column]]\nname = \"at\"\ntitle = { \"zh-TW\" = \"時\", en = \"At\" }\nmeaning = { \"zh-TW\" = \"時\", en = \"At\" }\n\
              type = \"timestamp\"\npersonal = \"none\"\nformats = [\"iso\"]\nrequired = true\nfrom = \"at\"\n";
    let city = City::of(&(text + at));
    let heading = "id,name,day,at\n";
    city.load(format!(
        "{heading}1,a,2026-01-01,2026-01-01T08:00:00+08:00\n2,b,2026-01-01,2026-01-01T08:00:01+08:00\n"
    ))
    .await;
    let again = city
        .load(format!("{heading}3,c,2026-01-02,2026-01-01T00:00:00Z\n"))
        .await;
    assert_eq!((again.replaced, again.rows), (1, 2));
    assert_eq!(
        city.rows().await,
        [
            "2 b 2026-01-01 2026-01-01T00:00:01Z",
            "3 c 2026-01-02 2026-01-01T00:00:00Z"
        ]
    );
}

#[test]
fn the_next_load_is_expected_by_the_folder() {
    use hub::{Period, Refresh};
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    let table = [
        (Period::Once, None, "2026-11-28", None),
        (Period::Hour, None, "2026-11-28", Some("2026-11-28")),
        (Period::Day, None, "2026-11-28", Some("2026-11-29")),
        // a Saturday: the week after ends on Sunday the 6th
        (Period::Week, None, "2026-11-28", Some("2026-12-06")),
        (Period::Week, Some(2), "2026-11-28", Some("2026-12-01")),
        (Period::Month, Some(5), "2026-11-05", Some("2026-12-05")),
        (Period::Month, None, "2026-12-31", Some("2027-01-31")),
        (Period::Quarter, Some(10), "2026-11-28", Some("2027-01-10")),
        (Period::Year, None, "2026-11-28", Some("2027-12-31")),
    ];
    for (every, expected_by_day, loaded, expected) in table {
        let refresh = Refresh { every, expected_by_day };
        assert_eq!(refresh.expected(day(loaded)), expected.map(day), "{every:?} {loaded}");
    }
}

#[tokio::test]
async fn what_became_of_loads_is_kept() {
    let rule = "[[quality]]\nname = \"not much less\"\nseverity = \"hold\"\ncheck = \"rows_change\"\nmin = 50\n";
    let city = City::of(&format!("{PLAIN}{rule}"));
    let heading = "id,name,day\n";
    city.load(format!("{heading}1,a,\n2,b,\n3,c,\nx,d,\n")).await;
    city.load(format!("{heading}1,a,\n2,b,\n3,c,\nx,d,\n")).await;
    city.load(format!("{heading}1,a,\n")).await;
    let runs = hub::runs(&city.lake, &city.dataset, 10).await.unwrap();
    let mut lines: Vec<String> = runs.iter().map(|run| line(&run.report)).collect();
    lines.sort();
    assert_eq!(lines.len(), 2, "the same source again is no run: {lines:?}");
    assert!(
        lines[0].starts_with("held: the rule `not much less` holds the load"),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("published 1; read 4 added 3"), "{lines:?}");
}
