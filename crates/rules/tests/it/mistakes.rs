//! What is said of a mistaken rules file: where it is, what is wrong, what to do.

use std::fmt::Write as _;

use expect_test::expect_file;

use crate::kit::{Folder, rules, step};

const HEAD: &str = "outcome = \"outcome\"";

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let good = step("outcome", "case", "applicant.i > 0");
    let files: &[(&str, String)] = &[
        (
            "a name nearly right",
            rules(HEAD, &step("outcome", "case", "applicant.ii > 0")),
        ),
        (
            "a function nearly right",
            rules(HEAD, &step("outcome", "case", "applicant.i > rond(applicant.d)")),
        ),
        (
            "types that don't compare",
            rules(HEAD, &step("outcome", "case", "applicant.i = 'a'")),
        ),
        (
            "a number where a condition belongs",
            rules(HEAD, &step("outcome", "case", "applicant.i AND applicant.b")),
        ),
        (
            "an outcome that is a number",
            rules(HEAD, &step("outcome", "case", "applicant.i + 1")),
        ),
        (
            "a value the input does not have",
            rules(HEAD, &step("outcome", "case", "applicant.t = 'z'")),
        ),
        (
            "steps in a circle",
            rules(
                HEAD,
                &[
                    step("one", "person", "two + 1"),
                    step("two", "person", "one + 1"),
                    step("outcome", "case", "applicant.one > 0"),
                ]
                .join("\n"),
            ),
        ),
        ("a step twice", rules(HEAD, &[good.clone(), good.clone()].join("\n"))),
        ("an outcome that is no step", rules("outcome = \"outcom\"", &good)),
        (
            "an amount that is no number",
            rules("outcome = \"outcome\"\namounts = [\"outcome\"]", &good),
        ),
        (
            "a further step that is none",
            rules("outcome = \"outcome\"\nalso = [\"valu\"]", &good),
        ),
        (
            "an aggregate of an aggregate",
            rules(
                HEAD,
                &step("outcome", "case", "household.total > 0").replace(
                    "[[step]]",
                    &format!("{}\n[[step]]", step("total", "household", "SUM(MAX(person.i))")),
                ),
            ),
        ),
        (
            "a person's value without saying whose",
            rules(HEAD, &step("outcome", "case", "i > 0")),
        ),
        (
            "half an expression",
            rules(HEAD, &step("outcome", "case", "applicant.i >")),
        ),
        (
            "two expressions",
            rules(HEAD, &step("outcome", "case", "applicant.i > 0; 1")),
        ),
        ("a query", rules(HEAD, &step("outcome", "case", "EXISTS (SELECT 1)"))),
        (
            "a parameter without its key",
            rules(HEAD, &step("outcome", "case", "by_kind() > 0")),
        ),
        (
            "too many arguments",
            rules(HEAD, &step("outcome", "case", "age_on(applicant.x) > 0")),
        ),
        (
            "a name that is a word of SQL",
            rules(HEAD, &[step("select", "person", "1"), good.clone()].join("\n")),
        ),
        ("an unknown key", rules("outcome = \"outcome\"\namuonts = []", &good)),
        (
            "no file at all of a parameter",
            rules(HEAD, &good).replace("rate.csv", "rates.csv"),
        ),
        (
            "a text without English",
            rules(HEAD, &good).replace(", en = \"outcome\"", ""),
        ),
        ("not TOML", "[decision\n".to_owned()),
        ("nothing", String::new()),
    ];
    let mut told = String::from("# What is said of mistaken rules. UPDATE_EXPECT=1 writes this file anew.\n");
    for (what, rules) in files {
        let folder = Folder::new(rules);
        writeln!(told, "\n{what}").unwrap();
        match folder.load() {
            Ok(_) => writeln!(told, "  (loads)").unwrap(),
            Err(mistakes) => {
                for mistake in mistakes {
                    writeln!(told, "  {mistake}").unwrap();
                }
            }
        }
    }
    let folder = Folder::new("");
    folder.put("rules.toml", b"[decision]\noutcome = \"\xff\"\n");
    writeln!(told, "\nnot UTF-8").unwrap();
    for mistake in folder.load().unwrap_err() {
        writeln!(told, "  {mistake}").unwrap();
    }
    for (what, text) in [
        (
            "a parameter of two rows for one day",
            "from,value,unit,source\n2026-01-01,1,NT$,a\n2026-01-01,2,NT$,a\n",
        ),
        (
            "a parameter without source",
            "from,value,unit,source\n2026-01-01,1,NT$,\n",
        ),
        (
            "a parameter whose day is none",
            "from,value,unit,source\n2026-02-30,1,NT$,a\n",
        ),
        (
            "a parameter whose value is none",
            "from,value,unit,source\n2026-01-01,ten,NT$,a\n",
        ),
        ("a parameter without columns", "x\n1\n"),
    ] {
        let folder = Folder::new(&rules(HEAD, &good));
        folder.put("parameters/rate.csv", text.as_bytes());
        writeln!(told, "\n{what}").unwrap();
        match folder.load() {
            Ok(_) => writeln!(told, "  (loads)").unwrap(),
            Err(mistakes) => {
                for mistake in mistakes {
                    writeln!(told, "  {mistake}").unwrap();
                }
            }
        }
    }
    expect_file!["mistakes.txt"].assert_eq(&told);
}
