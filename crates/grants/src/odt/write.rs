//! Writing the document.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write};

use quick_xml::escape::escape;
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::names::{ASSESSMENT, LABEL, PROPERTIES, VERSIONS, encode};
use super::{MEDIA_TYPE, OdtError};
use crate::assessment::{Pen, written};
use crate::layout::{
    ANNEX, ANNEX_HEAD, BETWEEN, BUDGET, Block, CHECKPOINTS, INDICATORS, Layout, SUBSIDY, TITLE, Table,
};
use crate::plan::Plan;
use crate::programme::Programme;

const STYLES: &str = include_str!("styles.xml");
const MANIFEST: &str = include_str!("manifest.xml");
const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3"><office:automatic-styles><style:style style:name="Cell" style:family="table-cell"><style:table-cell-properties fo:border="0.5pt solid #000000" fo:padding="0.1cm"/></style:style><style:style style:name="Annex" style:family="paragraph" style:parent-style-name="Heading_20_1" style:master-page-name="Landscape"/>"#;
const BODY: &str = "</office:automatic-styles><office:body><office:text>";
const FOOT: &str = "</office:text></office:body></office:document-content>\n";
/// The document of a plan, as [`Plan::tidied`] has it; the same plan gives the same bytes.
///
/// # Errors
/// [`OdtError::Unprintable`] for texts, targets and ids that the programme's layout has no place for.
pub fn write(plan: &Plan, programme: &Programme) -> Result<Vec<u8>, OdtError> {
    made(plan, programme, None)
}

/// The same, which says in its properties from which version of each part it was made, by the part's name: who reads it
/// back can tell what was changed in the document from what was saved elsewhere since.
///
/// # Errors
/// As [`write`].
pub fn write_versioned(
    plan: &Plan,
    programme: &Programme,
    versions: &BTreeMap<String, i64>,
) -> Result<Vec<u8>, OdtError> {
    made(plan, programme, Some(versions))
}

fn made(plan: &Plan, programme: &Programme, versions: Option<&BTreeMap<String, i64>>) -> Result<Vec<u8>, OdtError> {
    let plan = plan.tidied()?;
    printable(&plan, programme)?;
    let layout = Layout::of(&plan, programme);
    let mut body = Body::default();
    body.label("Subtitle", &layout.government);
    body.section(TITLE, "Title", &layout.title);
    for chapter in &layout.chapters {
        body.heading("Heading_20_1", 1, &chapter.heading);
        for block in &chapter.blocks {
            match block {
                Block::Heading { text } => body.heading("Heading_20_2", 2, text),
                Block::Text { id, text } => body.section(id, "Text_20_body", text),
                Block::Label { text } => body.label(LABEL, text),
                Block::Table(table) => body.table(table),
            }
        }
    }
    body.heading("Annex", 1, ANNEX);
    assessment(&mut body, &plan, programme)?;
    let content = format!("{HEAD}{}{BODY}{}{FOOT}", body.styles(), body.xml);
    pack(&content, &properties(&plan, versions)?)
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

/// The body as it grows.
#[derive(Default)]
struct Body {
    xml: String,
    /// Widths of columns that a table has, in millimetres.
    columns: BTreeSet<usize>,
    /// Widths of tables, in millimetres.
    tables: BTreeSet<usize>,
}

/// Widths of a table's columns in millimetres: together what the page has between its margins.
fn widths(name: &str, count: usize) -> Vec<usize> {
    match (name, count) {
        (INDICATORS, 4..) => {
            let years = count - 3;
            let year = (72 / years).min(24);
            let mut all = vec![12, 32];
            all.extend(std::iter::repeat_n(year, years));
            all.push(160 - 44 - year * years);
            all
        }
        (BUDGET, 5) => vec![12, 15, 45, 30, 58],
        (SUBSIDY, 4) => vec![16, 40, 44, 60],
        (CHECKPOINTS, 4) => vec![18, 26, 34, 82],
        (ASSESSMENT, 4) => vec![20, 65, 65, 107],
        _ => vec![160 / count.max(1); count],
    }
}

impl Body {
    fn heading(&mut self, style: &str, level: u8, text: &str) {
        self.xml.push_str(&format!(
            r#"<text:h text:style-name="{style}" text:outline-level="{level}">{}</text:h>"#,
            run(text)
        ));
    }

    /// Words for the reader only.
    fn label(&mut self, style: &str, text: &str) {
        self.xml.push_str(&paragraph(style, &run(text)));
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

    fn open_table(&mut self, name: &str, head: impl ExactSizeIterator<Item = impl AsRef<str>>) {
        let widths = widths(name, head.len());
        let width: usize = widths.iter().sum();
        self.xml.push_str(&format!(
            r#"<table:table table:name="{}" table:style-name="Table{width}">"#,
            escape(name)
        ));
        self.tables.insert(width);
        for width in widths {
            self.xml
                .push_str(&format!(r#"<table:table-column table:style-name="Column{width}"/>"#));
            self.columns.insert(width);
        }
        self.xml.push_str("<table:table-header-rows>");
        let cells = head.map(|title| paragraph("Table_20_Heading", &run(title.as_ref())));
        self.row(cells);
        self.xml.push_str("</table:table-header-rows>");
    }

    /// The styles of the tables and columns that are there.
    fn styles(&self) -> String {
        let tables = self.tables.iter().map(|width| {
            format!(
                r#"<style:style style:name="Table{width}" style:family="table"><style:table-properties style:width="{width}mm" table:align="left"/></style:style>"#
            )
        });
        let columns = self.columns.iter().map(|width| {
            format!(
                r#"<style:style style:name="Column{width}" style:family="table-column"><style:table-column-properties style:column-width="{width}mm"/></style:style>"#
            )
        });
        tables.chain(columns).collect()
    }

    /// A row of cells, each as its paragraphs in XML.
    fn row(&mut self, cells: impl Iterator<Item = String>) {
        self.xml.push_str("<table:table-row>");
        for cell in cells {
            self.xml.push_str(&format!(
                r#"<table:table-cell table:style-name="Cell" office:value-type="string">{cell}</table:table-cell>"#
            ));
        }
        self.xml.push_str("</table:table-row>");
    }

    fn table(&mut self, table: &Table) {
        self.open_table(table.name, table.head.iter());
        for row in &table.rows {
            self.row(row.iter().map(|cell| {
                let paragraphs = cell.iter().map(|text| paragraph("Table_20_Contents", &run(text)));
                paragraphs.collect()
            }));
        }
        self.close_table();
    }

    fn close_table(&mut self) {
        self.xml.push_str("</table:table>");
    }
}

fn paragraph(style: &str, xml: &str) -> String {
    format!(r#"<text:p text:style-name="{style}">{xml}</text:p>"#)
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

/// The table of annex 2. Every field of the model stands between bookmarks of its path or, where the table does not show
/// it, in the name of a bookmark.
fn assessment(body: &mut Body, plan: &Plan, programme: &Programme) -> Result<(), OdtError> {
    let value = serde_json::to_value(&plan.assessment).map_err(|error| OdtError::Assessment(error.to_string()))?;
    let mut leaves = Vec::new();
    flatten(&value, ASSESSMENT.to_owned(), &mut leaves);
    body.open_table(ASSESSMENT, ANNEX_HEAD.iter());
    for (index, row) in plan.assessment.rows.iter().enumerate() {
        let mut fields = Fields {
            row: format!("{ASSESSMENT}.row.{index}"),
            shown: BTreeSet::new(),
        };
        let printed = written(row, programme.stage(&row.stage), &mut fields);
        let hidden = fields.hidden(&leaves);
        let stage = vec![hidden + &printed.stage];
        let cells = [stage, printed.evidence, printed.done, printed.plan];
        body.row(cells.iter().map(|cell| {
            let paragraphs = cell.iter().map(|xml| paragraph("Table_20_Contents", xml));
            paragraphs.collect()
        }));
    }
    body.close_table();
    Ok(())
}

/// The fields of a row of the self-assessment that its cells show.
struct Fields {
    row: String,
    shown: BTreeSet<String>,
}

impl Pen for Fields {
    /// A field between its bookmarks.
    fn field(&mut self, path: &str, text: &str) -> String {
        let path = format!("{}.{path}", self.row);
        let name = format!("a-{}", encode(&path));
        self.shown.insert(path);
        format!(
            r#"<text:bookmark-start text:name="{name}"/>{}<text:bookmark-end text:name="{name}"/>"#,
            run(text)
        )
    }

    fn word(&self, text: &str) -> String {
        run(text)
    }
}

impl Fields {
    /// The fields of the row that its cells don't show, as names of bookmarks.
    fn hidden(&self, leaves: &[(String, Value)]) -> String {
        let below = format!("{}.", self.row);
        let hidden = leaves
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

/// `meta.xml` with whose plan it is.
fn properties(plan: &Plan, versions: Option<&BTreeMap<String, i64>>) -> Result<String, OdtError> {
    let values = [
        plan.programme.clone(),
        plan.government.clone(),
        plan.from.to_string(),
        plan.through.to_string(),
    ];
    let field = |name: &str, value: &str| {
        format!(
            r#"<meta:user-defined meta:name="{name}">{}</meta:user-defined>"#,
            escape(value)
        )
    };
    let mut fields: String = PROPERTIES
        .iter()
        .zip(values)
        .map(|(&name, value)| field(name, value.as_str()))
        .collect();
    if let Some(versions) = versions {
        let json = serde_json::to_string(versions).map_err(|error| OdtError::Packed(error.to_string()))?;
        fields.push_str(&field(VERSIONS, json.as_str()));
    }
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"><office:meta><dc:title>{}</dc:title>{fields}</office:meta></office:document-meta>
"#,
        escape(&plan.title)
    ))
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
