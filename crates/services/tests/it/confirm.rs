//! What outside bodies confirm: the folder's mistakes, the sheet there and back, and files that are refused whole.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::{Arc, LazyLock};

use civic::Language;
use jiff::Timestamp;
use proptest::prelude::*;
use rust_xlsxwriter::{Format, Workbook};
use serde_json::{Value, json};
use services::Service;
use services::confirm::{About, MOST_ROWS, Read, Refusal, SheetRow, read, write};
use services::form::{Answers, Source};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::folder::root;

const ZH: Language = Language::ZhTw;

static SCHOLARSHIP: LazyLock<Arc<Service>> = LazyLock::new(|| {
    let catalogue = services::Catalogue::load(&root().join("services"), &root().join("datasets"));
    let found = catalogue.get("scholarship").cloned();
    found.unwrap_or_else(|| panic!("withdrawn: {:#?}", catalogue.withdrawn()))
});

fn now() -> Timestamp {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

fn taken(bytes: &[u8]) -> Result<Read, Refusal> {
    let confirmation = SCHOLARSHIP.confirmation.as_ref().unwrap();
    read(confirmation, &SCHOLARSHIP.form, bytes, ZH, now())
}

/// Headings, then what stands in the row of a senior.
fn headings() -> Vec<String> {
    let confirmation = SCHOLARSHIP.confirmation.as_ref().unwrap();
    let fields = confirmation
        .columns(&SCHOLARSHIP.form)
        .map(|field| field.label.get(ZH).to_owned());
    ["申請案號", "姓名", "身分證或居留證統一編號"]
        .map(str::to_owned)
        .into_iter()
        .chain(fields)
        .collect()
}

fn senior(number: &str) -> Vec<String> {
    let cells = [
        number,
        "陳小明",
        "B120000775",
        "高中、高職、五專前三年",
        "是",
        "日間部",
        "114 學年度第 2 學期",
        "",
        "88",
        "50",
        "否",
        "否",
        "",
    ];
    cells.map(str::to_owned).into()
}

fn sheet(rows: &[Vec<String>]) -> Workbook {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in rows.iter().enumerate() {
        for (column, text) in cells.iter().enumerate() {
            sheet.write_string(row as u32, column as u16, text).unwrap();
        }
    }
    book
}

fn xlsx(rows: &[Vec<String>]) -> Vec<u8> {
    sheet(rows).save_to_buffer().unwrap()
}

/// A ZIP of these parts.
fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An OpenDocument spreadsheet with these rows of XML.
fn ods(rows: &str) -> Vec<u8> {
    ods_with(rows, "")
}

fn ods_with(rows: &str, manifest: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet><table:table table:name=\"a\">{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let manifest = format!("<manifest>{manifest}</manifest>");
    zipped(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ])
}

fn ods_row(cells: &[String]) -> String {
    let cell = |text: &String| match text.as_str() {
        "" => "<table:table-cell/>".to_owned(),
        text if text.parse::<i64>().is_ok() => format!(
            "<table:table-cell office:value-type=\"float\" office:value=\"{text}\"><text:p>{text}</text:p></table:table-cell>"
        ),
        text => format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"),
    };
    format!(
        "<table:table-row>{}</table:table-row>",
        cells.iter().map(cell).collect::<String>()
    )
}

fn expected() -> BTreeMap<String, Value> {
    [
        ("level", json!("senior")),
        ("enrolled", json!(true)),
        ("division", json!("day")),
        ("grade_term", json!("114-2")),
        ("average_whole", json!(88)),
        ("average_decimals", json!(50)),
        ("failed_subject", json!(false)),
        ("demerit", json!(false)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

#[test]
fn the_sheet_that_goes_out_comes_back_with_the_same_values() {
    let confirmation = SCHOLARSHIP.confirmation.as_ref().unwrap();
    let row = SheetRow {
        number: "115-SC-000001".to_owned(),
        about: About {
            name: "陳小明".to_owned(),
            identity: "B120000775".to_owned(),
        },
        values: senior("")[3..].to_vec(),
    };
    for language in [Language::ZhTw, Language::En] {
        let mut row = row.clone();
        if language == Language::En {
            let form = &SCHOLARSHIP.form;
            let shown = confirmation.columns(form).map(|field| {
                expected()
                    .get(&field.id)
                    .map_or_else(String::new, |value| field.shown(value, language))
            });
            row.values = shown.collect();
        }
        let bytes = write(confirmation, &SCHOLARSHIP.form, &[row], language).unwrap();
        // handed back on a page in the other language, it is read all the same
        let found = taken(&bytes).unwrap();
        assert_eq!(found.errors, []);
        let [line] = found.lines.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!((line.row, line.number.as_str()), (2, "115-SC-000001"));
        assert_eq!(line.about.name, "陳小明");
        assert_eq!(line.values, expected());
    }
}

#[test]
fn both_kinds_of_spreadsheet_say_the_same() {
    let rows = [headings(), senior("115-SC-000001"), senior("115-SC-000002")];
    let of_xlsx = taken(&xlsx(&rows)).unwrap();
    let of_ods = taken(&ods(&rows.iter().map(|row| ods_row(row)).collect::<String>())).unwrap();
    assert_eq!(of_xlsx, of_ods);
    assert_eq!(of_xlsx.lines.len(), 2);
}

#[test]
fn numbers_and_words_are_read_as_people_write_them() {
    for (column, text, key, value) in [
        (8, "８８", "average_whole", json!(88)),
        (8, " 88 ", "average_whole", json!(88)),
        (4, "yes", "enrolled", json!(true)),
        (4, "沒有", "enrolled", json!(false)),
        (3, "senior", "level", json!("senior")),
        (3, "Primary school", "level", json!("primary")),
    ] {
        let mut row = senior("115-SC-000001");
        row[column] = text.to_owned();
        let found = taken(&xlsx(&[headings(), row])).unwrap();
        assert_eq!(found.errors, [], "{text}");
        assert_eq!(found.lines[0].values[key], value, "{text}");
    }
    // a number of the spreadsheet, not a text
    let mut book = sheet(&[headings(), senior("115-SC-000001")]);
    book.worksheet_from_index(0).unwrap().write_number(1, 8, 91.0).unwrap();
    let found = taken(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(found.lines[0].values["average_whole"], json!(91));
}

#[test]
fn each_wrong_cell_is_told_by_row_and_column() {
    let mut wrong = senior("115-SC-000002");
    wrong[8] = "101".to_owned();
    wrong[9] = "87.5".to_owned();
    wrong[3] = "高中部".to_owned();
    let mut nameless = senior("");
    nameless[4] = "也許".to_owned();
    let rows = [
        headings(),
        senior("115-SC-000001"),
        wrong,
        nameless,
        senior("115-SC-000001"),
    ];
    let found = taken(&xlsx(&rows)).unwrap();
    assert_eq!(found.lines.len(), 1);
    let told: Vec<(u32, &str)> = found
        .errors
        .iter()
        .map(|error| (error.row, error.column.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (3, "D 學制"),
            (3, "I 小數點前面"),
            (3, "J 小數點後面兩位"),
            (4, "A 申請案號"),
            (4, "E 這學期在學嗎？"),
            (5, "A 申請案號"),
        ]
    );
    assert!(found.errors[1].message.contains("100"), "{:?}", found.errors);
    assert!(found.errors[5].message.contains("第 2 列"), "{:?}", found.errors);
    // a day where a number belongs
    let mut book = sheet(&[headings(), senior("115-SC-000001")]);
    let day = Format::new().set_num_format("yyyy/mm/dd");
    book.worksheet_from_index(0)
        .unwrap()
        .write_number_with_format(1, 8, 46_000.0, &day)
        .unwrap();
    let found = taken(&book.save_to_buffer().unwrap()).unwrap();
    assert_eq!(found.errors[0].column, "I 小數點前面");
}

#[test]
fn what_is_no_clean_spreadsheet_is_refused_as_a_whole() {
    let good = [headings(), senior("115-SC-000001")];
    let merged = {
        let mut book = sheet(&good);
        let format = Format::new();
        book.worksheet_from_index(0)
            .unwrap()
            .merge_range(5, 0, 5, 2, "x", &format)
            .unwrap();
        book.save_to_buffer().unwrap()
    };
    let formula = {
        let mut book = sheet(&good);
        book.worksheet_from_index(0)
            .unwrap()
            .write_formula(1, 8, "=80+8")
            .unwrap();
        book.save_to_buffer().unwrap()
    };
    let mut other = good.clone();
    other[0].swap(8, 9);
    let mut longer = good.clone();
    longer[0].push("備註".to_owned());
    let csv = good.iter().map(|row| row.join(",")).collect::<Vec<_>>().join("\n");
    let whole = xlsx(&good);
    let mut office = whole.clone();
    office.truncate(whole.len() / 2);
    let macros = zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/vbaProject.bin", b"x"),
    ]);
    let named_macros = zipped(&[
        (
            "[Content_Types].xml",
            b"<Types><Override ContentType=\"application/vnd.ms-excel.sheet.macroEnabled.main+xml\"/></Types>",
        ),
        ("xl/workbook.xml", b"<workbook/>"),
    ]);
    let basic = {
        let content = b"<a/>";
        zipped(&[
            ("mimetype", content),
            ("content.xml", content),
            ("Basic/script-lc.xml", content),
        ])
    };
    let spanned = ods(
        "<table:table-row><table:table-cell table:number-columns-spanned=\"3\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>",
    );
    let computed = ods(
        "<table:table-row><table:table-cell table:formula=\"of:=1+1\" office:value-type=\"float\" office:value=\"2\"/></table:table-row>",
    );
    let closed = ods_with(&ods_row(&headings()), "<encryption-data/>");
    let word = zipped(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<document/>"),
    ]);
    let table: Vec<(&str, Vec<u8>, Refusal)> = vec![
        ("empty", Vec::new(), Refusal::NotASpreadsheet),
        ("csv", csv.into_bytes(), Refusal::NotASpreadsheet),
        ("big5", vec![0xA5, 0xD3, 0xBD, 0xD0], Refusal::NotASpreadsheet),
        ("pdf", b"%PDF-1.7".to_vec(), Refusal::NotASpreadsheet),
        ("word", word, Refusal::NotASpreadsheet),
        (
            "password",
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1rest".to_vec(),
            Refusal::Locked,
        ),
        ("ods with password", closed, Refusal::Locked),
        ("xlsm", macros, Refusal::Macros),
        ("xlsm by type", named_macros, Refusal::Macros),
        ("ods with macros", basic, Refusal::Macros),
        ("half", office, Refusal::Damaged),
        ("merged", merged, Refusal::Merged(Some("A6:C6".to_owned()))),
        ("ods merged", spanned, Refusal::Merged(None)),
        ("formula", formula, Refusal::Formula(Some("I2".to_owned()))),
        ("ods formula", computed, Refusal::Formula(None)),
        (
            "nothing",
            xlsx(&[]),
            Refusal::Header {
                column: "A".to_owned(),
                found: String::new(),
                expected: "申請案號".to_owned(),
            },
        ),
        ("headings only", xlsx(&[headings()]), Refusal::Empty),
        (
            "swapped",
            xlsx(&other),
            Refusal::Header {
                column: "I".to_owned(),
                found: "小數點後面兩位".to_owned(),
                expected: "小數點前面".to_owned(),
            },
        ),
        (
            "one more",
            xlsx(&longer),
            Refusal::Header {
                column: "N".to_owned(),
                found: "備註".to_owned(),
                expected: String::new(),
            },
        ),
    ];
    for (what, bytes, expected) in table {
        assert_eq!(taken(&bytes), Err(expected.clone()), "{what}");
        for language in [Language::ZhTw, Language::En] {
            assert!(expected.message(language).chars().count() > 10, "{what}");
        }
    }
}

#[test]
fn what_would_fill_the_memory_is_refused_before_it_does() {
    // a hundred megabytes of blanks in a part that packs to almost nothing
    let blanks = vec![b' '; 100 << 20];
    let bomb = zipped(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", &blanks)]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(taken(&bomb), Err(Refusal::TooLarge));
    // more rows than are taken
    let mut rows = vec![headings()];
    rows.extend((0..=MOST_ROWS).map(|number| senior(&format!("115-SC-{number:06}"))));
    assert_eq!(taken(&xlsx(&rows)), Err(Refusal::TooManyRows));
    rows.pop();
    assert_eq!(taken(&xlsx(&rows)).unwrap().lines.len(), MOST_ROWS);
    let many: Vec<Vec<String>> = std::iter::once(headings())
        .chain((0..100_000).map(|n| vec![n.to_string()]))
        .collect();
    assert_eq!(taken(&xlsx(&many)), Err(Refusal::TooManyRows));
    // a cell in the last corner of a sheet, before which all would have to be filled
    let mut book = sheet(&[headings(), senior("115-SC-000001")]);
    book.worksheet_from_index(0)
        .unwrap()
        .write_string(1_048_575, 16_383, "x")
        .unwrap();
    assert_eq!(taken(&book.save_to_buffer().unwrap()), Err(Refusal::TooManyRows));
    // one row repeated a million times, and one cell sixteen thousand times
    let repeated = ods(
        "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>",
    );
    assert_eq!(taken(&repeated), Err(Refusal::TooManyRows));
    let wide = ods(
        "<table:table-row><table:table-cell table:number-columns-repeated=\"16384\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row>",
    );
    assert_eq!(taken(&wide), Err(Refusal::TooManyRows));
    let untyped = ods(
        "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell><text:p>x</text:p></table:table-cell></table:table-row>",
    );
    assert_eq!(taken(&untyped), Err(Refusal::TooManyRows));
    // the empty rest of a sheet is no row
    let rest = format!(
        "{}{}<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>",
        ods_row(&headings()),
        ods_row(&senior("115-SC-000001"))
    );
    assert_eq!(taken(&ods(&rest)).unwrap().lines.len(), 1);
    // more than is taken before anything is looked at
    assert_eq!(taken(&vec![b'P'; 5 << 20]), Err(Refusal::TooLarge));
}

#[test]
fn what_a_body_says_is_in_force_and_what_the_person_said_stands_beside_it() {
    let body = |id: &str| Source::Body {
        id: id.to_owned(),
        name: "示範高中".to_owned(),
    };
    let mut answers = Answers::default();
    answers.answer("average_whole", Some(json!(88)), now());
    assert!(!answers.confirm("average_whole", json!(88), body("demo-senior"), now()));
    assert_eq!(answers.get("average_whole").unwrap().changed_from, None);
    answers.answer("average_whole", Some(json!(90)), now());
    assert!(answers.confirm("average_whole", json!(78), body("demo-senior"), now()));
    assert!(answers.confirm("average_whole", json!(79), body("demo-senior"), now()));
    let answer = answers.get("average_whole").unwrap();
    assert_eq!((&answer.value, &answer.source), (&json!(79), &body("demo-senior")));
    let before = answer.changed_from.as_ref().unwrap();
    assert_eq!((&before.value, &before.source), (&json!(90), &Source::Person));
    // a source that comes later does not put the person's word back in force
    let confirmation = SCHOLARSHIP.confirmation.as_ref().unwrap();
    assert!(confirmation.unconfirmed(&answers, "demo-senior").is_empty());
    assert_eq!(confirmation.unconfirmed(&answers, "demo-university"), ["average_whole"]);
    answers.answer("average_whole", Some(json!(95)), now());
    assert_eq!(confirmation.unconfirmed(&answers, "demo-senior"), ["average_whole"]);
}

#[test]
fn every_mistake_of_confirm_toml_and_bodies_csv_is_told_with_its_place() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("scholarship");
    copy(&root().join("services/scholarship"), &folder);
    let change = |file: &str, from: &str, to: &str| {
        let path = folder.join(file);
        let before = std::fs::read_to_string(&path).unwrap();
        assert!(before.contains(from), "{from}");
        std::fs::write(&path, before.replacen(from, to, 1)).unwrap();
        let told = Service::load(&folder, None).map(|_| ()).unwrap_err();
        std::fs::write(&path, before).unwrap();
        told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert!(Service::load(&folder, None).is_ok());
    for (file, from, to, expected) in [
        (
            "confirm.toml",
            "\"level\"",
            "\"levle\"",
            "confirm.toml:8:3: the form has no field `levle`",
        ),
        (
            "confirm.toml",
            "\"level\"",
            "\"registered_since\"",
            "may not come from outside",
        ),
        ("confirm.toml", "\"level\"", "\"account\"", "does not fit into a cell"),
        (
            "confirm.toml",
            "\"level\", \"enrolled\"",
            "\"enrolled\", \"enrolled\"",
            "stands here twice",
        ),
        (
            "confirm.toml",
            "body = \"school\"",
            "body = \"choice_1\"",
            "does not offer the bodies",
        ),
        (
            "confirm.toml",
            "body = \"school\"",
            "body = \"scool\"",
            "the form has no field `scool`",
        ),
        ("confirm.toml", "\"seat\"", "\"points\"", "no step of persons `points`"),
        ("confirm.toml", "days = 10", "days = 0", "must be 1 to 120 days"),
        ("confirm.toml", "\"decide\"", "\"forget\"", "says not what happens"),
        (
            "confirm.toml",
            ", en = \"Confirmation by the school\"",
            "",
            "no translation `en`",
        ),
        ("confirm.toml", "days = 10", "days = 10\ndyas = 1", "unknown field"),
        ("bodies.csv", "demo-junior,", "demo-primary,", "stands here twice"),
        ("bodies.csv", "demo-junior,", "Demo Junior,", "can't name a body"),
        ("bodies.csv", "示範國中", "", "no name in both languages"),
    ] {
        let told = change(file, from, to);
        assert!(told.contains(expected), "{to}: {told}");
    }
    std::fs::remove_file(folder.join("confirm.toml")).unwrap();
    let told = Service::load(&folder, None).map(|_| ()).unwrap_err();
    assert!(
        told.iter()
            .any(|mistake| mistake.message.contains("nothing says what these bodies confirm"))
    );
    assert!(
        told.iter()
            .any(|mistake| mistake.message.contains("the service has no bodies"))
    );
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_from_anywhere_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut archive = b"PK\x03\x04".to_vec();
        archive.extend(&bytes);
        for bytes in [bytes, archive] {
            prop_assert!(taken(&bytes).is_err());
        }
    }

    #[test]
    fn a_spreadsheet_with_a_byte_changed_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = xlsx(&[headings(), senior("115-SC-000001")]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = taken(&bytes);
    }

    #[test]
    fn any_text_in_any_cell_is_a_value_or_a_mistake(column in 0_usize..13, text in "\\PC{0,40}") {
        let mut row = senior("115-SC-000001");
        row[column] = text;
        if let Ok(found) = taken(&xlsx(&[headings(), row])) {
            prop_assert!(found.lines.len() + usize::from(!found.errors.is_empty()) == 1);
        }
    }
}
