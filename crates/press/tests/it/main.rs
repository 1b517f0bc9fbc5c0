//! What comes out of the press: tagged, the same again, within bounds, and nothing of the data taken for markup.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use press::{Bounds, Made, PressError, make, syntax};
use serde_json::{Value, json};

const BOUNDS: Bounds = Bounds {
    bytes: 4 << 10,
    pages: 3,
    seconds: 20,
};
const HEAD: &str =
    "#set document(title: [a])\n#set text(font: \"Tongban Sans TC\", lang: \"zh\")\n#let data = json(\"data.json\")\n";

fn made(template: &str, data: &Value) -> Result<Made, PressError> {
    let files = BTreeMap::from([("a.typ".to_owned(), format!("{HEAD}{template}").into_bytes())]);
    make(files, "a.typ", data, "test/a", BOUNDS)
}

#[test]
fn a_document_is_tagged_and_comes_out_the_same_again() {
    let first = made("= #data.name", &json!({ "name": "林阿梅" })).unwrap();
    for marker in ["%PDF-", "/StructTreeRoot", "pdfuaid"] {
        let found = first
            .pdf
            .windows(marker.len())
            .any(|window| window == marker.as_bytes());
        assert!(found, "{marker}");
    }
    assert_eq!(first.pages, 1);
    assert_eq!(first, made("= #data.name", &json!({ "name": "林阿梅" })).unwrap());
    assert_ne!(
        first.pdf,
        made("= #data.name", &json!({ "name": "王小明" })).unwrap().pdf
    );
}

#[test]
fn bounds_hold() {
    let long = made("#for n in range(9) { pagebreak() }", &json!({}));
    assert_eq!(long, Err(PressError::TooLong(10)));
    let much = made("#data.text", &json!({ "text": "字".repeat(2_000) }));
    assert!(matches!(much, Err(PressError::TooMuch(bytes)) if bytes > 6_000));
}

#[test]
fn a_template_reads_what_was_handed_in_and_no_more() {
    for read in [
        "#read(\"/etc/passwd\")",
        "#read(\"../a\")",
        "#import \"@preview/cetz:0.3.4\": *",
    ] {
        match made(read, &json!({})) {
            Err(PressError::Template(remark)) => assert_eq!((remark.file.as_str(), remark.line), ("a.typ", 4)),
            other => panic!("{read}: {other:?}"),
        }
    }
}

#[test]
fn data_is_text_and_what_the_font_lacks_is_written_by_its_code() {
    let tricky = json!({ "name": "#panic() *a* $x$ <b> @c \\ #read(\"/etc/passwd\")" });
    assert!(made("#data.name", &tricky).unwrap().missing.is_empty());
    let rare = made("#data.name", &json!({ "name": "林\u{2a123}" })).unwrap();
    assert_eq!(rare.missing, ['\u{2a123}']);
}

#[test]
fn a_mistake_of_syntax_is_told_at_its_place() {
    assert_eq!(syntax("a.typ", "#let a = 1\n#a"), []);
    let found = syntax("a.typ", "ok\n#let a = (\n");
    assert_eq!((found[0].file.as_str(), found[0].line), ("a.typ", 2), "{found:?}");
}
