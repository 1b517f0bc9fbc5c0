//! Writing the document.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};

use civic::Language;
use quick_xml::escape::escape;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::names::{
    ANSWERS, ASSESSMENT, BASE, BETWEEN, BUDGET, CAPITAL, CAPITAL_KIND, CHECKPOINTS, CONTACT, CURRENT, CURRENT_KIND,
    EXCEPTION, FORMULA, INDICATORS, ITEMS, KIND, LABEL, MEASURE, NOTE, PRINTED, PROPERTIES, QUARTERS, SOURCE, SUBSIDY,
    SUM, TITLE, encode,
};
use super::{MEDIA_TYPE, OdtError};
use crate::assessment::{Row, TableRow, group_of, grouped};
use crate::plan::{Kind, Plan};
use crate::programme::{Chapter, ChapterKind, Programme, Stage};

const STYLES: &str = include_str!("styles.xml");
const MANIFEST: &str = include_str!("manifest.xml");
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3"><office:automatic-styles><style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:border="0.5pt solid #000000" fo:padding="0.1cm"/></style:style><style:style style:name="Annex" style:family="paragraph" style:parent-style-name="Heading_20_1" style:master-page-name="Landscape"/></office:automatic-styles><office:body><office:text>"#;
const FOOT: &str = "</office:text></office:body></office:document-content>\n";
const NUMBERS: [&str; 13] = [
    "一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二", "十三",
];

/// The document of a plan, as [`Plan::tidied`] has it; the same plan gives the same bytes.
///
/// # Errors
/// [`OdtError::Unprintable`] for texts, targets and ids that the programme's layout has no place for.
pub fn write(plan: &Plan, programme: &Programme) -> Result<Vec<u8>, OdtError> {
    let plan = plan.tidied()?;
    printable(&plan, programme)?;
    let mut body = Body::default();
    body.label("Subtitle", &government(&plan, programme));
    body.section(TITLE, "Title", &plan.title);
    for (index, chapter) in programme.chapters.iter().enumerate() {
        let number = NUMBERS
            .get(index)
            .map_or_else(|| (index + 1).to_string(), |number| (*number).to_owned());
        body.heading(1, &format!("{number}、{}", chapter.title.get(Language::ZhTw)));
        match chapter.kind {
            ChapterKind::Text => texts(&mut body, chapter, &plan),
            ChapterKind::Indicators => indicators(&mut body, &plan, programme),
            ChapterKind::Budget => budget(&mut body, &plan),
            ChapterKind::Subsidy => subsidy(&mut body, &plan, programme),
            ChapterKind::Checkpoints => checkpoints(&mut body, &plan),
            ChapterKind::Contact => contact(&mut body, &plan),
        }
    }
    body.xml.push_str(
        r#"<text:h text:style-name="Annex" text:outline-level="1">附件2：數位發展現況階段自評說明對照表</text:h>"#,
    );
    assessment(&mut body, &plan, programme)?;
    let content = format!("{HEAD}{}{FOOT}", body.xml);
    pack(&content, &properties(&plan))
}

/// Whether everything of the plan has a place in the layout.
fn printable(plan: &Plan, programme: &Programme) -> Result<(), OdtError> {
    let texts = programme.text_ids();
    let unknown = plan.texts.keys().find(|id| !texts.contains(id));
    let years = &programme.period.years;
    let target = plan.indicators.iter().find(|one| {
        let mut seen = BTreeSet::new();
        one.targets
            .iter()
            .any(|target| !years.contains(&target.year) || !seen.insert(target.year))
    });
    let id =
        |id: &&String| id.is_empty() || id.trim() != *id || id.contains([BETWEEN, '\n', '\t']) || id.contains("  ");
    let ids = plan
        .lines
        .iter()
        .flat_map(|line| line.items.iter().chain(&line.indicators))
        .find(id);
    let options = plan
        .indicators
        .iter()
        .flat_map(|one| one.printed.iter().chain(&one.measure));
    let option = options.clone().find(|text| text.is_empty());
    let empty = plan.cap_exception.iter().find(|text| text.is_empty());
    match (unknown, target, ids, option.or(empty)) {
        (Some(id), ..) => Err(OdtError::Unprintable(id.chars().take(40).collect())),
        (_, Some(indicator), ..) => Err(OdtError::Unprintable(format!("targets of {}", indicator.id))),
        (.., Some(id), _) => Err(OdtError::Unprintable(id.chars().take(40).collect())),
        (.., Some(_)) => Err(OdtError::Unprintable("an empty choice".to_owned())),
        _ => Ok(()),
    }
}

fn government(plan: &Plan, programme: &Programme) -> String {
    let known = programme.government(&plan.government);
    known.map_or_else(|| plan.government.clone(), |known| format!("{}政府", known.name))
}

/// The body as it grows.
#[derive(Default)]
struct Body {
    xml: String,
}

impl Body {
    fn heading(&mut self, level: u8, text: &str) {
        self.xml.push_str(&format!(
            r#"<text:h text:style-name="Heading_20_{level}" text:outline-level="{level}">{}</text:h>"#,
            run(text)
        ));
    }

    /// Words for the reader only.
    fn label(&mut self, style: &str, text: &str) {
        self.xml
            .push_str(&format!(r#"<text:p text:style-name="{style}">{}</text:p>"#, run(text)));
    }

    /// A text under its name, a paragraph a line.
    fn section(&mut self, name: &str, style: &str, text: &str) {
        self.xml
            .push_str(&format!(r#"<text:section text:name="{}">"#, escape(name)));
        for line in text.split('\n') {
            self.label(style, line);
        }
        self.xml.push_str("</text:section>");
    }

    fn open_table(&mut self, name: &str, head: &[String]) {
        let columns = head.len();
        self.xml.push_str(&format!(
            r#"<table:table table:name="{}"><table:table-column table:number-columns-repeated="{columns}"/><table:table-header-rows>"#,
            escape(name)
        ));
        self.row(
            &head.iter().map(|title| vec![title.clone()]).collect::<Vec<_>>(),
            "Table_20_Heading",
        );
        self.xml.push_str("</table:table-header-rows>");
    }

    /// A row of cells, each of its paragraphs.
    fn row(&mut self, cells: &[Vec<String>], style: &str) {
        self.xml.push_str("<table:table-row>");
        for cell in cells {
            self.xml
                .push_str(r#"<table:table-cell table:style-name="Cell" office:value-type="string">"#);
            cell.iter().for_each(|paragraph| self.label(style, paragraph));
            self.xml.push_str("</table:table-cell>");
        }
        self.xml.push_str("</table:table-row>");
    }

    fn close_table(&mut self) {
        self.xml.push_str("</table:table>");
    }

    fn table(&mut self, name: &str, head: &[String], rows: &[Vec<Vec<String>>]) {
        self.open_table(name, head);
        rows.iter().for_each(|row| self.row(row, "Table_20_Contents"));
        self.close_table();
    }
}

/// Text within a paragraph: spaces that XML would fold, tabs and line breaks as elements (ODF 1.3 part 3, 6.1.2 to 6.1.5).
fn run(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    let mut after_text = false;
    let characters: Vec<char> = text.chars().collect();
    for (at, character) in characters.iter().enumerate() {
        match character {
            '\n' => xml.push_str("<text:line-break/>"),
            '\t' => xml.push_str("<text:tab/>"),
            ' ' if after_text && at + 1 < characters.len() => xml.push(' '),
            ' ' => xml.push_str("<text:s/>"),
            other => xml.push_str(&escape(&*other.encode_utf8(&mut [0; 4]))),
        }
        after_text = !matches!(character, ' ' | '\n' | '\t');
    }
    xml
}

fn heads(titles: &[&str]) -> Vec<String> {
    titles.iter().map(|title| (*title).to_owned()).collect()
}

fn texts(body: &mut Body, chapter: &Chapter, plan: &Plan) {
    if chapter.sections.is_empty() {
        body.section(&chapter.id, "Text_20_body", plan.text(&chapter.id));
        return;
    }
    for (index, section) in chapter.sections.iter().enumerate() {
        let number = NUMBERS
            .get(index)
            .map_or_else(|| (index + 1).to_string(), |number| (*number).to_owned());
        body.heading(2, &format!("（{number}）{}", section.title.get(Language::ZhTw)));
        let id = format!("{}.{}", chapter.id, section.id);
        body.section(&id, "Text_20_body", plan.text(&id));
    }
}

fn indicators(body: &mut Body, plan: &Plan, programme: &Programme) {
    let mut head = heads(&["項次", "項目"]);
    head.extend(programme.period.years.iter().map(|year| format!("{year}年目標值")));
    head.push("說明".to_owned());
    let rows = plan.indicators.iter().map(|one| {
        let mut cells = vec![vec![one.id.clone()], vec![one.title.clone()]];
        cells.extend(programme.period.years.iter().map(|year| {
            let target = one.targets.iter().find(|target| target.year == *year);
            vec![target.map(|target| target.text.clone()).unwrap_or_default()]
        }));
        let mut notes = vec![
            format!("{FORMULA}{}", one.formula),
            format!("{BASE}{}", one.base),
            format!("{SOURCE}{}", one.source),
        ];
        notes.extend(one.printed.iter().map(|printed| format!("{PRINTED}{printed}")));
        notes.extend(one.measure.iter().map(|measure| format!("{MEASURE}{measure}")));
        cells.push(notes);
        cells
    });
    body.table(INDICATORS, &head, &rows.collect::<Vec<_>>());
}

fn dollars(amount: i64) -> String {
    civic::Money(amount).grouped()
}

fn budget(body: &mut Body, plan: &Plan) {
    body.label(LABEL, "單位：新臺幣元");
    let between = BETWEEN.to_string();
    let rows = plan.lines.iter().enumerate().map(|(index, line)| {
        let kind = match line.kind {
            Kind::Capital => CAPITAL_KIND,
            Kind::Current => CURRENT_KIND,
        };
        let notes = vec![
            format!("{KIND}{kind}"),
            format!("{ITEMS}{}", line.items.join(&between)),
            format!("{ANSWERS}{}", line.indicators.join(&between)),
            format!("{NOTE}{}", line.note),
        ];
        vec![
            vec![(index + 1).to_string()],
            vec![line.year.to_string()],
            vec![line.work.clone()],
            vec![dollars(line.amount.0)],
            notes,
        ]
    });
    let head = heads(&["項次", "年度", "工作項目", "所需經費", "備註"]);
    body.table(BUDGET, &head, &rows.collect::<Vec<_>>());
    let total: civic::Money = plan.lines.iter().map(|line| line.amount).sum();
    body.label(LABEL, &format!("經費合計 {} 元", total.grouped()));
}

fn subsidy(body: &mut Body, plan: &Plan, programme: &Programme) {
    body.label(LABEL, "單位：新臺幣元");
    let rows = plan.subsidies.iter().map(|one| {
        let shares = vec![
            format!("{SUM}{}", dollars(one.ministry().0)),
            format!("{CAPITAL}{}", dollars(one.capital.0)),
            format!("{CURRENT}{}", dollars(one.current.0)),
        ];
        vec![
            vec![one.year.to_string()],
            vec![dollars(one.total.0)],
            vec![dollars(one.own.0)],
            shares,
        ]
    });
    let ministry = format!("{}補助經費", programme.ministry.get(Language::ZhTw));
    let head = heads(&["年度", "總經費", "地方政府自籌款", &ministry]);
    body.table(SUBSIDY, &head, &rows.collect::<Vec<_>>());
    if let Some(reason) = &plan.cap_exception {
        body.label(LABEL, "超過補助上限之理由");
        body.section(EXCEPTION, "Text_20_body", reason);
    }
}

fn checkpoints(body: &mut Body, plan: &Plan) {
    let rows = plan.checkpoints.iter().map(|one| {
        let quarter = usize::from(one.quarter).checked_sub(1).and_then(|at| QUARTERS.get(at));
        vec![
            vec![quarter.map_or_else(|| one.quarter.to_string(), |name| (*name).to_owned())],
            vec![one.progress.to_string()],
            vec![dollars(one.spending.0)],
            vec![one.text.clone()],
        ]
    });
    let head = heads(&["時程", "累計預定進度(%)", "累計預定支用(元)", "關鍵查核點"]);
    body.table(CHECKPOINTS, &head, &rows.collect::<Vec<_>>());
}

fn contact(body: &mut Body, plan: &Plan) {
    let contact = &plan.contact;
    let row = [&contact.unit, &contact.name, &contact.telephone, &contact.email].map(|text| vec![text.clone()]);
    body.table(
        CONTACT,
        &heads(&["單位", "姓名", "聯絡電話", "E-MAIL"]),
        &[row.to_vec()],
    );
}

/// The table of annex 2. Every field of the model stands between bookmarks of its path or, where the table does not show
/// it, in the name of a bookmark.
fn assessment(body: &mut Body, plan: &Plan, programme: &Programme) -> Result<(), OdtError> {
    let value = serde_json::to_value(&plan.assessment).map_err(|error| OdtError::Assessment(error.to_string()))?;
    let mut leaves = Vec::new();
    flatten(&value, ASSESSMENT.to_owned(), &mut leaves);
    let mut fields = Fields {
        leaves,
        shown: BTreeSet::new(),
    };
    body.open_table(
        ASSESSMENT,
        &heads(&["發展階段", "佐證項目及網址", "已完成指定項目", "計畫精進項目"]),
    );
    for (index, row) in plan.assessment.rows.iter().enumerate() {
        let path = format!("{ASSESSMENT}.row.{index}");
        let stage = programme.stage(&row.stage);
        let cells = [
            vec![fields.show(&format!("{path}.stage"))],
            evidence(&mut fields, &path, row, stage),
            done(&mut fields, &path, row, stage),
            planned(&mut fields, &path, row, stage),
        ];
        let hidden = fields.hidden(&path);
        body.xml.push_str("<table:table-row>");
        for (at, cell) in cells.iter().enumerate() {
            body.xml
                .push_str(r#"<table:table-cell table:style-name="Cell" office:value-type="string">"#);
            for (line, paragraph) in cell.iter().enumerate() {
                let carried = if (at, line) == (0, 0) { hidden.as_str() } else { "" };
                body.xml.push_str(&format!(
                    r#"<text:p text:style-name="Table_20_Contents">{carried}{paragraph}</text:p>"#
                ));
            }
            body.xml.push_str("</table:table-cell>");
        }
        body.xml.push_str("</table:table-row>");
    }
    body.close_table();
    Ok(())
}

/// The fields of the self-assessment and which of them the table has shown.
struct Fields {
    leaves: Vec<(String, Value)>,
    shown: BTreeSet<String>,
}

impl Fields {
    /// A field between its bookmarks; nothing where the model has none.
    fn show(&mut self, path: &str) -> String {
        let Some((_, Value::String(text))) = self.leaves.iter().find(|(known, _)| known == path) else {
            return String::new();
        };
        self.shown.insert(path.to_owned());
        let name = format!("a-{}", encode(path));
        format!(
            r#"<text:bookmark-start text:name="{name}"/>{}<text:bookmark-end text:name="{name}"/>"#,
            run(text)
        )
    }

    /// The fields below a path that were not shown, as names of bookmarks.
    fn hidden(&self, path: &str) -> String {
        let below = format!("{path}.");
        let hidden = self
            .leaves
            .iter()
            .filter(|(known, _)| known.starts_with(&below) && !self.shown.contains(known));
        let names = hidden.map(|(path, value)| {
            let (kind, text) = match value {
                Value::String(text) => ("s", text.clone()),
                other => ("v", other.to_string()),
            };
            format!(
                r#"<text:bookmark text:name="h-{kind}-{}-{}"/>"#,
                encode(path),
                encode(&text)
            )
        });
        names.collect()
    }
}

fn flatten(value: &Value, path: String, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(values) => values
            .iter()
            .for_each(|(key, value)| flatten(value, format!("{path}.{key}"), leaves)),
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values.for_each(|(index, value)| flatten(value, format!("{path}.{index}"), leaves));
        }
        leaf => leaves.push((path, leaf.clone())),
    }
}

fn evidence(fields: &mut Fields, path: &str, row: &Row, stage: Option<&Stage>) -> Vec<String> {
    if row.evidence.is_empty() {
        let by_plan = stage.map_or("", |stage| stage.by_plan.get(Language::ZhTw));
        return vec![run(by_plan)];
    }
    let entries = row.evidence.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}.evidence.{index}");
        let title = fields.show(&format!("{path}.title"));
        let seen = title + &address(fields, &path, &one.address, one.login);
        (one.group.as_deref(), seen)
    });
    laid_out(entries.collect(), stage, run, false)
}

/// Entries under the titles of their groups and numbered, as the table of annex 2 has them.
fn laid_out(
    entries: Vec<(Option<&str>, String)>,
    stage: Option<&Stage>,
    heading: impl Fn(&str) -> String,
    numbered: bool,
) -> Vec<String> {
    match stage {
        Some(stage) => grouped(entries, stage, heading, numbered),
        None => entries.into_iter().map(|(_, text)| text).collect(),
    }
}

fn bracketed(title: &str) -> String {
    run(&format!("【{title}】"))
}

fn address(fields: &mut Fields, path: &str, address: &str, login: bool) -> String {
    let mut text = String::new();
    if !address.is_empty() {
        text.push_str(&format!("（網址：{}）", fields.show(&format!("{path}.address"))));
    }
    if login {
        text.push_str(&format!(
            "（需帳號登入，測試帳號：{}）",
            fields.show(&format!("{path}.account"))
        ));
    }
    text
}

/// The government's own title between bookmarks, or the item's as it is.
fn titled(fields: &mut Fields, path: &str, own: Option<&String>, item: Option<&str>, stage: Option<&Stage>) -> String {
    if own.is_some() {
        return fields.show(&format!("{path}.title"));
    }
    let Some(item) = item else { return String::new() };
    let known = stage.and_then(|stage| stage.item(item));
    run(known.map_or(item, |known| known.title.get(Language::ZhTw)))
}

fn done(fields: &mut Fields, path: &str, row: &Row, stage: Option<&Stage>) -> Vec<String> {
    if row.done.is_empty() {
        return vec!["無".to_owned()];
    }
    let entries = row.done.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}.done.{index}");
        let title = titled(fields, &path, one.title.as_ref(), Some(&one.item), stage);
        let seen = title + &address(fields, &path, &one.address, one.login);
        (stage.and_then(|stage| group_of(&one.item, stage)), seen)
    });
    laid_out(entries.collect(), stage, run, true)
}

fn planned(fields: &mut Fields, path: &str, row: &Row, stage: Option<&Stage>) -> Vec<String> {
    let mut lines = Vec::new();
    if row.nothing.is_some() {
        lines.push(fields.show(&format!("{path}.nothing")));
        if row.planned.is_empty() && row.extra.is_empty() && row.refused.is_empty() {
            return lines;
        }
    }
    let [planned_heading, extra_heading, refused_heading] = TableRow::HEADINGS;
    let planned = row.planned.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}.planned.{index}");
        let title = titled(fields, &path, one.title.as_ref(), Some(&one.item), stage);
        let text = fields.show(&format!("{path}.text"));
        (
            stage.and_then(|stage| group_of(&one.item, stage)),
            format!("{title}：{text}"),
        )
    });
    let mut planned = laid_out(planned.collect(), stage, bracketed, true);
    let empty = row
        .empty_groups
        .iter()
        .filter_map(|group| stage.and_then(|stage| stage.group(group)));
    planned.extend(empty.flat_map(|group| [bracketed(group.title.get(Language::ZhTw)), "無。".to_owned()]));
    let extra = row.extra.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}.extra.{index}");
        let title = fields.show(&format!("{path}.title"));
        let text = fields.show(&format!("{path}.text"));
        (one.group.as_deref(), format!("{title}：{text}"))
    });
    let extra = laid_out(extra.collect(), stage, bracketed, true);
    let refused = row.refused.iter().enumerate().map(|(index, one)| {
        let path = format!("{path}.refused.{index}");
        let reason = fields.show(&format!("{path}.reason"));
        match &one.item {
            Some(item) => {
                let title = titled(fields, &path, one.title.as_ref(), Some(item), stage);
                let group = stage.and_then(|stage| group_of(item, stage));
                (group, format!("{title}：{reason}"))
            }
            None => (one.group.as_deref(), reason),
        }
    });
    let refused = laid_out(refused.collect(), stage, bracketed, true);
    for (heading, list) in [
        (planned_heading, planned),
        (extra_heading, extra),
        (refused_heading, refused),
    ] {
        lines.push(heading.to_owned());
        if list.is_empty() {
            lines.push("無。".to_owned());
        }
        lines.extend(list);
    }
    lines
}

/// `meta.xml` with whose plan it is.
fn properties(plan: &Plan) -> String {
    let values = [
        plan.programme.clone(),
        plan.government.clone(),
        plan.from.to_string(),
        plan.through.to_string(),
    ];
    let fields: String = PROPERTIES
        .iter()
        .zip(values)
        .map(|(name, value)| {
            format!(
                r#"<meta:user-defined meta:name="{name}">{}</meta:user-defined>"#,
                escape(&value)
            )
        })
        .collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"><office:meta><dc:title>{}</dc:title>{fields}</office:meta></office:document-meta>
"#,
        escape(&plan.title)
    )
}

/// The package: the media type first and not compressed, so that it can be told by its first bytes (ODF 1.3 part 2, 2.2.4).
fn pack(content: &str, meta: &str) -> Result<Vec<u8>, OdtError> {
    let packed = |error: zip::result::ZipError| OdtError::Packed(error.to_string());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // one fixed time: the same plan gives the same bytes
    let plain = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let stored = plain.compression_method(CompressionMethod::Stored);
    let files = [
        ("mimetype", MEDIA_TYPE, stored),
        ("content.xml", content, plain),
        ("styles.xml", STYLES, plain),
        ("meta.xml", meta, plain),
        ("META-INF/manifest.xml", MANIFEST, plain),
    ];
    for (name, text, options) in files {
        zip.start_file(name, options).map_err(packed)?;
        zip.write_all(text.as_bytes())
            .map_err(|error| OdtError::Packed(error.to_string()))?;
    }
    Ok(zip.finish().map_err(packed)?.into_inner())
}
