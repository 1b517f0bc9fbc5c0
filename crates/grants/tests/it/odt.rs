//! The plan as an OpenDocument text and back.

use std::io::{Cursor, Read, Write};

use civic::Money;
use grants::assessment::{Assessment, Done, Entry, Evidence, Extra, Refused, Row};
use grants::odt::{OdtError, read, write, write_versioned};
use grants::plan::{Checkpoint, Contact, Kind, Line, Plan, PlanIndicator, PlanTarget, Subsidy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::kit::{plan, programme};

/// Any text, awkward ones often: spaces, tabs, breaks, markup, labels and control characters.
fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop_oneof![
        Just(" ".to_owned()),
        Just("  ".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\t".to_owned()),
        Just("<&>\"'".to_owned()),
        Just("門別：".to_owned()),
        Just("計算方式：".to_owned()),
        Just("資本門：".to_owned()),
        Just("]]>".to_owned()),
        Just("\u{3000}".to_owned()),
        Just("\u{b}".to_owned()),
        Just("𪄣é".to_owned()),
        Just("、".to_owned()),
        Just("&#8203;".to_owned()),
        Just("無。".to_owned()),
    ];
    vec(
        prop_oneof![3 => "[甲乙丙a-c]{1,6}", 2 => awkward, 1 => "\\PC{0,4}"],
        0..6,
    )
    .prop_map(|parts| parts.concat())
}

fn some_text() -> impl Strategy<Value = String> {
    any_text().prop_map(|text| format!("字{text}"))
}

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.<&_-]{1,8}"
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (any_text(), any_text(), any::<bool>(), any_text(), option::of(id())).prop_map(
        |(title, address, login, account, group)| Evidence {
            title,
            address,
            login,
            account,
            group,
        },
    )
}

fn row() -> impl Strategy<Value = Row> {
    let done = (id(), option::of(any_text()), any_text(), any::<bool>(), any_text()).prop_map(
        |(item, title, address, login, account)| Done {
            item,
            title,
            address,
            login,
            account,
        },
    );
    let entry = (id(), option::of(any_text()), any_text()).prop_map(|(item, title, text)| Entry { item, title, text });
    let extra =
        (any_text(), any_text(), option::of(id()), option::of(id())).prop_map(|(title, text, redesigns, group)| {
            Extra {
                title,
                text,
                redesigns,
                group,
            }
        });
    let refused = (option::of(id()), option::of(id()), option::of(any_text()), any_text()).prop_map(
        |(item, group, title, reason)| Refused {
            item,
            group,
            title,
            reason,
        },
    );
    let stage = prop_oneof![Just("A1".to_owned()), Just("B".to_owned()), id()];
    (
        stage,
        vec(evidence(), 0..3),
        vec(done, 0..3),
        vec(entry, 0..3),
        vec(extra, 0..3),
        vec(refused, 0..12),
        option::of(any_text()),
        vec(id(), 0..2),
    )
        .prop_map(
            |(stage, evidence, done, planned, extra, refused, nothing, empty_groups)| Row {
                stage,
                evidence,
                done,
                planned,
                extra,
                refused,
                nothing,
                empty_groups,
            },
        )
}

prop_compose! {
    fn indicator()(
        id in any_text(), title in any_text(), formula in any_text(), base in any_text(), source in any_text(),
        printed in option::of(some_text()), measure in option::of(some_text()),
        first in option::of(any_text()), second in option::of(any_text()),
    ) -> PlanIndicator {
        let targets = [(114, first), (115, second)];
        let targets = targets.into_iter().filter_map(|(year, text)| Some(PlanTarget { year, text: text? }));
        PlanIndicator { id, title, formula, base, source, printed, measure, targets: targets.collect() }
    }
}

prop_compose! {
    fn line()(
        year in any::<i16>(), work in any_text(), amount in any::<i64>(), capital in any::<bool>(),
        items in vec(id(), 0..3), indicators in vec(id(), 0..3), note in any_text(),
    ) -> Line {
        let kind = if capital { Kind::Capital } else { Kind::Current };
        Line { year, work, amount: Money(amount), kind, items, indicators, note }
    }
}

prop_compose! {
    fn any_plan()(
        title in any_text(),
        texts in proptest::collection::btree_map(proptest::sample::select(programme().text_ids()), any_text(), 0..8),
        rows in vec(row(), 0..4),
        indicators in vec(indicator(), 0..4),
        lines in vec(line(), 0..5),
        subsidies in vec((any::<i16>(), any::<i64>(), any::<i64>(), any::<i64>(), any::<i64>()), 0..3),
        cap_exception in option::of(some_text()),
        checkpoints in vec((any::<u8>(), any::<u8>(), any::<i64>(), any_text()), 0..5),
        contact in (any_text(), any_text(), any_text(), any_text()),
    ) -> Plan {
        let subsidies = subsidies.into_iter().map(|(year, total, own, capital, current)| Subsidy {
            year, total: Money(total), own: Money(own), capital: Money(capital), current: Money(current),
        });
        let checkpoints = checkpoints.into_iter().map(|(quarter, progress, spending, text)| Checkpoint {
            quarter, progress, spending: Money(spending), text,
        });
        let (unit, name, telephone, email) = contact;
        Plan {
            assessment: Assessment { rows }, title, texts, indicators, lines, cap_exception,
            subsidies: subsidies.collect(), checkpoints: checkpoints.collect(),
            contact: Contact { unit, name, telephone, email },
            ..plan()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_plan_comes_back_as_it_was(plan in any_plan()) {
        let programme = programme();
        let document = write(&plan, &programme).unwrap();
        let imported = read(&document, &programme).unwrap();
        prop_assert_eq!(imported.plan, plan.tidied().unwrap());
        prop_assert_eq!(imported.left_over, Vec::<String>::new());
        prop_assert_eq!(imported.versions, None);
    }

    #[test]
    fn a_document_keeps_from_which_versions_it_was_made(
        versions in proptest::collection::btree_map("[a-z:<&>\"' 甲]{1,12}", any::<i64>(), 0..8),
    ) {
        let programme = programme();
        let document = write_versioned(&plan(), &programme, &versions).unwrap();
        let imported = read(&document, &programme).unwrap();
        prop_assert_eq!(imported.versions, Some(versions));
        prop_assert_eq!(imported.plan, plan().tidied().unwrap());
    }

    #[test]
    fn a_damaged_document_is_refused_and_never_panics(at in 0..100_000_usize, byte in any::<u8>()) {
        let programme = programme();
        let mut document = write(&plan(), &programme).unwrap();
        let at = at % document.len();
        document[at] = byte;
        let _ = read(&document, &programme);
        let _ = read(&document[..at], &programme);
    }
}

fn file(document: &[u8], name: &str) -> String {
    let mut text = String::new();
    let mut archive = ZipArchive::new(Cursor::new(document)).unwrap();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// The document with one file changed, as another program would save it.
fn with(document: &[u8], name: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for one in [
        "mimetype",
        "content.xml",
        "styles.xml",
        "meta.xml",
        "META-INF/manifest.xml",
    ] {
        let text = file(document, one);
        zip.start_file(one, SimpleFileOptions::default()).unwrap();
        zip.write_all(if one == name { change(text) } else { text }.as_bytes())
            .unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_sound_plan_comes_back_and_its_document_has_the_thirteen_chapters() {
    let programme = programme();
    let plan = plan();
    let document = write(&plan, &programme).unwrap();
    assert_eq!(read(&document, &programme).unwrap().plan, plan);
    assert_eq!(document, write(&plan, &programme).unwrap());
    // the media type is the first file and not packed (ODF 1.3 part 2, 2.2.4)
    assert_eq!(&document[30..38], b"mimetype");
    assert_eq!(&document[38..77], b"application/vnd.oasis.opendocument.text");
    let content = file(&document, "content.xml");
    let headings: Vec<&str> = content
        .split("text:outline-level=\"1\">")
        .skip(1)
        .map(|rest| rest.split("</text:h>").next().unwrap())
        .collect();
    assert_eq!(headings.len(), 14);
    assert_eq!(headings[0], "一、前言（計畫緣起）");
    assert_eq!(headings[12], "十三、提報單位聯絡人");
    assert_eq!(headings[13], "附件2：數位發展現況階段自評說明對照表");
    assert!(!content.contains("撰寫建議"));
}

#[test]
fn a_document_that_people_edited_is_read_with_what_they_wrote() {
    let programme = programme();
    let plan = plan();
    let document = write(&plan, &programme).unwrap();
    let edited = with(&document, "content.xml", |content| {
        let goals = &plan.texts["goals"];
        let row = r#"<table:table-row><table:table-cell><text:p>5</text:p></table:table-cell><table:table-cell><text:p>115</text:p></table:table-cell><table:table-cell><text:p text:style-name="P7">擴充<text:span text:style-name="T1">長者</text:span>福利</text:p></table:table-cell><table:table-cell><text:p>１,０００元</text:p></table:table-cell><table:table-cell><text:p>門別：經常門</text:p><text:p>對應績效指標：K1、K2</text:p></table:table-cell></table:table-row>"#;
        content
            // a paragraph is split, has a comment, a space that only lays out, and a style of its own
            .replace(goals, "第一段<office:annotation><text:p>再想想</text:p></office:annotation>\n   續</text:p><text:p text:style-name=\"P1\">第二<text:s text:c=\"2\"/>段")
            .replacen("</table:table><text:p text:style-name=\"Label\">經費合計", &format!("{row}</table:table><text:p text:style-name=\"P2\">另記一段</text:p><text:p text:style-name=\"Label\">經費合計"), 1)
            .replace("<office:automatic-styles>", "<office:automatic-styles><style:style style:name=\"P9\" style:family=\"paragraph\" style:parent-style-name=\"Label\"/>")
            .replace("<text:p text:style-name=\"Label\">單位", "<text:p text:style-name=\"P9\">單位")
            .replace("以戶籍資料主動核定敬老禮金", "以戶籍與帳戶資料主動核定敬老禮金")
    });
    let imported = read(&edited, &programme).unwrap();
    assert_eq!(imported.plan.texts["goals"], "第一段 續\n第二  段");
    let line = imported.plan.lines.last().unwrap();
    assert_eq!(
        (line.year, line.amount, line.kind, line.work.as_str()),
        (115, Money(1000), Kind::Current, "擴充長者福利")
    );
    assert_eq!(line.indicators, ["K1", "K2"]);
    assert_eq!(imported.left_over, ["另記一段"]);
    assert_eq!(
        imported.plan.assessment.rows[0].planned[0].text,
        "以戶籍與帳戶資料主動核定敬老禮金，長者只須確認帳戶。"
    );
    assert_eq!(imported.plan.indicators, plan.indicators);
}

#[test]
fn every_example_of_annex_2_goes_through_a_document_in_the_layout_of_the_annex() {
    let programme = programme();
    for number in 1..=13 {
        let name = format!("cases/assessment-{number:02}.toml");
        let text = std::fs::read_to_string(crate::kit::folder().join(name)).unwrap();
        let case: toml::Value = toml::from_str(&text).unwrap();
        let case = &case["case"][0];
        let assessment: Assessment = case["given"].clone().try_into().unwrap();
        let document = write(
            &Plan {
                assessment: assessment.clone(),
                ..plan()
            },
            &programme,
        )
        .unwrap();
        assert_eq!(
            read(&document, &programme).unwrap().plan.assessment,
            assessment,
            "example {number}"
        );
        let content = file(&document, "content.xml");
        let annex = &content[content.find("附件2").unwrap()..];
        let printed: String = annex
            .split('<')
            .skip(1)
            .filter_map(|rest| rest.split_once('>'))
            .map(|(_, text)| text)
            .collect();
        let printed: String = printed.split_whitespace().collect();
        for row in case["expect"]["table"].as_array().unwrap() {
            let cells = ["stage", "evidence", "done", "plan"].map(|cell| row[cell].as_str().unwrap());
            assert!(
                printed.contains(&cells.concat()),
                "example {number}: {}\n{printed}",
                cells.concat()
            );
        }
    }
}

#[test]
fn what_can_not_be_read_says_where_and_what_to_do() {
    let programme = programme();
    let document = write(&plan(), &programme).unwrap();
    let content = |from: &str, to: &str| {
        let changed = with(&document, "content.xml", |content| {
            assert!(content.contains(from), "{from}");
            content.replace(from, to)
        });
        read(&changed, &programme).unwrap_err().to_string()
    };
    assert_eq!(
        content(
            "<text:p text:style-name=\"Table_20_Contents\">2,500,000</text:p>",
            "<text:p>兩百五十萬</text:p>"
        ),
        "table `budget`, row 1, column 4: this is no number; write digits, as 4,500,000"
    );
    assert_eq!(
        content("合計：3,150,000", "合計：3,150,001"),
        "table `subsidy`, row 1, column 4: 合計： is not the sum of 資本門： and 經常門：; correct one"
    );
    assert_eq!(
        content("門別：資本門", "門別：其他"),
        "table `budget`, row 1, column 5: 門別： is neither 資本門 nor 經常門; write one"
    );
    assert!(content("</office:text>", "").contains("damaged at byte"));
    assert!(
        content(
            "<office:document-content",
            "<!DOCTYPE x [<!ENTITY a \"b\">]><office:document-content"
        )
        .contains("document type")
    );
    let deep = content(
        "<office:text>",
        &format!("<office:text>{}", "<text:section>".repeat(100)),
    );
    assert!(deep.contains("nested too deeply"), "{deep}");
    let wide = content(
        "<office:text>",
        "<office:text><text:p><text:s text:c=\"999999999\"/></text:p>",
    );
    assert!(wide.contains("larger than allowed"), "{wide}");
    let other = with(&document, "meta.xml", |meta| meta.replace("moda-114", "moda-115"));
    assert_eq!(
        read(&other, &programme).unwrap_err(),
        OdtError::OtherProgramme("moda-115".to_owned())
    );
    let nobody = with(&document, "meta.xml", |meta| meta.replace("tongban.government", "x"));
    assert_eq!(read(&nobody, &programme).unwrap_err(), OdtError::NoPlan);
    assert!(matches!(read(b"PK", &programme), Err(OdtError::NotOdt(_))));
    let text = with(&document, "mimetype", |_| "application/zip".to_owned());
    assert!(matches!(read(&text, &programme), Err(OdtError::NotOdt(_))));
}

#[test]
fn a_tidied_plan_has_plain_line_breaks_and_no_control_characters() {
    let mut rough = plan();
    rough.title = "甲\r\n乙\r丙\u{b}\u{ffff}\t丁".to_owned();
    rough.texts.insert("goals".to_owned(), String::new());
    rough.indicators[0].targets[1].text.clear();
    let tidied = rough.tidied().unwrap();
    assert_eq!(tidied.title, "甲\n乙\n丙\t丁");
    assert!(!tidied.texts.contains_key("goals"));
    assert_eq!(tidied.indicators[0].targets.len(), 1);
    assert_eq!(plan().tidied().unwrap(), plan());
}

#[test]
fn what_has_no_place_in_the_layout_is_not_left_out_in_silence() {
    let programme = programme();
    let mut strange = plan();
    strange.texts.insert("appendix".to_owned(), "附錄".to_owned());
    assert_eq!(
        write(&strange, &programme),
        Err(OdtError::Unprintable("appendix".to_owned()))
    );
    let mut strange = plan();
    strange.indicators[0].targets[0].year = 116;
    assert_eq!(
        write(&strange, &programme),
        Err(OdtError::Unprintable("targets of K1".to_owned()))
    );
    let mut strange = plan();
    strange.lines[0].items.push("甲、乙".to_owned());
    assert_eq!(
        write(&strange, &programme),
        Err(OdtError::Unprintable("甲、乙".to_owned()))
    );
}
