//! Files and facts nobody should send: each is answered, none stops the program.

use serde_json::json;

use crate::kit::{Folder, ON, case, rules, step};

fn loads(sql: &str) -> Result<(), String> {
    let folder = Folder::new(&rules("outcome = \"outcome\"", &step("outcome", "case", sql)));
    folder
        .load()
        .map(drop)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_expression_nested_too_deep_is_refused() {
    for (open, close) in [("(", ")"), ("NOT (", ")"), ("CASE WHEN ", " THEN true ELSE false END")] {
        let deep = format!("{}{}{}", open.repeat(20_000), "applicant.b", close.repeat(20_000));
        assert!(loads(&deep).is_err(), "{open}");
    }
}

#[test]
fn a_chain_is_as_long_as_it_may_be_and_no_longer() {
    for (terms, fits) in [(190, true), (300, false), (100_000, false)] {
        let chain = vec!["applicant.b"; terms].join(" OR ");
        match loads(&chain) {
            Ok(()) => assert!(fits, "{terms}"),
            Err(told) => assert!(!fits && told.contains("split it into steps"), "{told}"),
        }
    }
    let chain = vec!["applicant.i"; 190].join(" + ") + " > 0";
    let folder = Folder::new(&rules("outcome = \"outcome\"", &step("outcome", "case", &chain)));
    let decision = folder
        .load()
        .unwrap()
        .decide(&case(&[json!({ "i": 1 })], json!({}), json!({})), ON);
    assert_eq!(decision.unwrap().outcome, Some(true));
}

/// Steps of which each reads the one before, down to an input; `outcome` and `decide` go all the way.
fn chain(steps: usize, each: &str) -> Result<Option<bool>, String> {
    let mut text = step("s0", "person", "i + 0");
    for number in 1..steps {
        let before = format!("s{}", number - 1);
        text += &step(&format!("s{number}"), "person", &each.replace("{}", &before));
    }
    text += &step("outcome", "case", &format!("applicant.s{} > 0", steps - 1));
    let folder = Folder::new(&rules("outcome = \"outcome\"", &text));
    let set = folder.load().map_err(|mistakes| mistakes[0].to_string())?;
    let known = set
        .decide(&case(&[json!({ "i": 1 })], json!({}), json!({})), ON)
        .unwrap();
    let waiting = set.decide(&case(&[json!({})], json!({}), json!({})), ON).unwrap();
    let waits: Vec<String> = waiting.waiting.iter().map(ToString::to_string).collect();
    assert_eq!((waiting.outcome, waits), (None, vec!["person.p1.i".to_owned()]));
    Ok(known.outcome)
}

#[test]
fn steps_go_as_deep_as_they_may_and_no_deeper() {
    assert_eq!(chain(300, "{} + 0"), Ok(Some(true)));
    let told = chain(900, "{} + 0").unwrap_err();
    assert!(told.contains("deeper than"), "{told}");
    let told = chain(60, &format!("{}{{}}{}", "(0 + ".repeat(20), ")".repeat(20))).unwrap_err();
    assert!(told.contains("deeper than"), "{told}");
    let told = chain(5_000, "1").unwrap_err();
    assert!(told.contains("steps"), "{told}");
}

/// Forty steps that each name the one before twice lead to an input in a million million ways; it is asked once.
#[test]
fn what_is_reached_in_many_ways_is_asked_once() {
    assert_eq!(chain(40, "{} + {} - {}"), Ok(Some(true)));
    let mut text = step("s0", "person", "i > 0") + &step("t0", "person", "j > 0");
    for number in 1..40 {
        let (s, t) = (format!("s{}", number - 1), format!("t{}", number - 1));
        text += &step(&format!("s{number}"), "person", &format!("{s} AND {t}"));
        text += &step(&format!("t{number}"), "person", &format!("{t} AND {s}"));
    }
    text += &step("outcome", "case", "applicant.s39 AND applicant.t39");
    let folder = Folder::new(&rules("outcome = \"outcome\"", &text));
    let set = folder.load().unwrap();
    let person = json!({ "i": 0, "j": 1 });
    let decision = set.decide(&case(&[person], json!({}), json!({})), ON).unwrap();
    assert_eq!(
        (decision.outcome, decision.minimum),
        (Some(false), vec!["s0".to_owned()])
    );
    let decision = set.decide(&case(&[json!({})], json!({}), json!({})), ON).unwrap();
    let waits: Vec<String> = decision.waiting.iter().map(ToString::to_string).collect();
    assert_eq!(waits, ["person.p1.i", "person.p1.j"]);
}

#[test]
fn steps_in_a_large_circle_are_told_once() {
    let steps: Vec<String> = (0..900)
        .map(|number| step(&format!("s{number}"), "person", &format!("s{} + 1", (number + 1) % 900)))
        .collect();
    let text = steps.join("\n") + &step("outcome", "case", "applicant.s0 > 0");
    let mistakes = Folder::new(&rules("outcome = \"outcome\"", &text)).load().unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].message.len() < 1_000, "{}", mistakes[0].message);
}

#[test]
fn a_file_nested_too_deep_or_too_large_is_refused() {
    let nested = [
        "[".repeat(100_000),
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{ a = ".repeat(100_000)),
        format!("{} = 1", vec!["a"; 100_000].join(".")),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        "#".repeat(5 * 1024 * 1024),
    ];
    for text in nested {
        let mistakes = Folder::new(&text).load().unwrap_err();
        assert_eq!(mistakes.len(), 1, "{:.20}", text);
        assert!(mistakes[0].message.len() < 1_000, "{:.20}", text);
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    for sql in [
        "applicant.i > 99999999999999999999",
        "applicant.d > 1.000001",
        "applicant.d > 123456789012345678901234567890.5",
        "applicant.x > DATE '2026-13-01'",
    ] {
        assert!(loads(sql).is_err(), "{sql}");
    }
}

#[test]
fn facts_that_do_not_fit_are_refused_with_their_name() {
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "applicant.i > 0"),
    ));
    let set = folder.load().unwrap();
    for (given, told) in [
        (json!({ "i": "1" }), "i"),
        (json!({ "i": 1.5 }), "i"),
        (json!({ "d": "1.00001" }), "d"),
        (json!({ "b": "yes" }), "b"),
        (json!({ "t": "z" }), "t"),
        (json!({ "x": "2026-02-30" }), "x"),
        (json!({ "ii": 1 }), "did you mean `i`?"),
        (json!({ "i": [1] }), "i"),
    ] {
        let error = set
            .decide(&case(&[given], json!({}), json!({})), ON)
            .unwrap_err()
            .to_string();
        assert!(error.contains(told) && !error.contains("2026-02-30"), "{error}");
    }
    let nobody = rules::CaseInput::default();
    assert!(set.decide(&nobody, ON).unwrap_err().to_string().contains("applicant"));
    let mut twice = case(&[json!({}), json!({})], json!({}), json!({}));
    twice.persons[1].applicant = true;
    assert!(set.decide(&twice, ON).is_err());
    twice.persons[1].applicant = false;
    twice.persons[1].id = "p1".to_owned();
    assert!(set.decide(&twice, ON).unwrap_err().to_string().contains("id"));
}

#[test]
fn a_population_that_does_not_fit_is_refused() {
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "applicant.i > 0"),
    ));
    let set = folder.load().unwrap();
    assert!(set.population(&[]).is_err());
    assert!(set.read_population(&folder.path().join("nothing.parquet")).is_err());
    assert!(set.sweep_file(&folder.path().join("rules.toml"), ON).is_err());
}

/// What a file of another office has in a column is taken as it is or not at all: never rounded, cut off, or left out as if it
/// were not known. The message says the column, and no value.
#[test]
fn a_column_that_would_lose_something_is_refused() {
    use arrow::array::{
        Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
    };
    use std::sync::Arc;
    let folder = Folder::new(&rules(
        "outcome = \"outcome\"",
        &step("outcome", "case", "applicant.i > 0"),
    ));
    let set = folder.load().unwrap();
    let texts = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text, text])) };
    let floats = |value: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![value, value])) };
    let decimals = |value: i128| -> ArrayRef {
        let array = Decimal128Array::from(vec![value, value]);
        Arc::new(array.with_precision_and_scale(20, 6).unwrap())
    };
    let read = |name: &str, column: &ArrayRef| {
        let household: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let mut columns = vec![(name, Arc::clone(column))];
        if name != "household" {
            columns.push(("household", household));
        }
        let batch = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
        set.population(&[batch]).map(drop).map_err(|error| error.to_string())
    };
    let good: [(&str, ArrayRef); 8] = [
        ("i", Arc::new(Int32Array::from(vec![1, 2]))),
        ("i", floats(3.0)),
        ("i", texts("12")),
        ("d", decimals(1_500_000)),
        ("d", texts("1.5")),
        ("x", Arc::new(Date32Array::from(vec![1, 2]))),
        ("x", texts("2026-02-28")),
        ("household", texts("7")),
    ];
    for (name, column) in good {
        // two rows of one text are one household
        assert_eq!(read(name, &column), Ok(()), "{name} of {}", column.data_type());
    }
    let bad: [(&str, ArrayRef); 12] = [
        ("i", floats(1.5)),
        ("i", floats(f64::NAN)),
        ("i", floats(1e300)),
        ("i", texts("abc")),
        ("i", texts("")),
        ("d", decimals(1_500_001)),
        ("d", texts("1.50001")),
        ("d", texts("123456789012345")),
        ("b", Arc::new(Int32Array::from(vec![5, 5]))),
        ("x", texts("2026-02-30")),
        ("t", texts("z")),
        ("household", floats(1.5)),
    ];
    for (name, column) in bad {
        let told = read(name, &column).unwrap_err();
        assert!(told.contains(&format!("`{name}`")), "{told}");
        assert!(
            !told.contains("abc") && !told.contains("2026") && !told.contains("1.5"),
            "{told}"
        );
    }
}
