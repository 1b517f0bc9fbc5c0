//! Reading a document back, also one that an office program has saved.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read};

use serde_json::Value;
use zip::ZipArchive;

use super::cells::Row;
use super::fields::{assessment, field};
use super::names::{ASSESSMENT, LABEL, PROPERTIES, VERSIONS};
use super::tree::{Element, Node, parse};
use super::{MEDIA_TYPE, MOST_BYTES, MOST_CONTENT, OdtError};
use crate::assessment::Assessment;
use crate::layout::{BUDGET, CHECKPOINTS, CONTACT, EXCEPTION, INDICATORS, SUBSIDY, TITLE, titled};
use crate::plan::{Contact, Plan};
use crate::programme::Programme;

/// Most files in a package; pictures are files of their own.
const MOST_FILES: usize = 2_000;
/// Most characters of all texts together.
const MOST_TEXT: usize = 4_000_000;
/// Most cells of a row.
const MOST_CELLS: usize = 64;

/// What a document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The plan.
    pub plan: Plan,
    /// The version of each part from which the document was made, by the part's name; nothing where it does not say.
    pub versions: Option<BTreeMap<String, i64>>,
    /// Paragraphs that stand outside every place of the plan; somebody should move them into a chapter.
    pub left_over: Vec<String>,
}

/// Reads a document that was exported for this programme and perhaps edited since.
///
/// # Errors
/// [`OdtError`] for what is no ODT, too large or damaged, a plan of another programme, and cells that can't be read, with
/// their place.
pub fn read(bytes: &[u8], programme: &Programme) -> Result<Imported, OdtError> {
    let (content, meta) = unpack(bytes)?;
    let (mut plan, versions) = properties(&parse(&meta, "meta.xml")?, programme)?;
    let content = parse(&content, "content.xml")?;
    let mut reader = Reader {
        programme,
        parents: styles(&content),
        budget: MOST_TEXT,
        left_over: Vec::new(),
        fields: Vec::new(),
    };
    let body = content.elements().find_map(|document| {
        let body = document.elements().find(|element| element.name == "office:body")?;
        body.elements().find(|element| element.name == "office:text")
    });
    let body = body.ok_or(OdtError::NotOdt("it has no text"))?;
    reader.blocks(body, &mut plan)?;
    plan.assessment = assessment(reader.fields)?;
    Ok(Imported {
        plan: plan.tidied()?,
        versions,
        left_over: reader.left_over,
    })
}

/// `content.xml` and `meta.xml` of a package.
fn unpack(bytes: &[u8]) -> Result<(String, String), OdtError> {
    if bytes.len() > MOST_BYTES {
        return Err(OdtError::TooLarge("the file"));
    }
    // the archive's directory is read as a whole, so its size is bounded first
    if bytes.windows(4).filter(|window| window == b"PK\x01\x02").count() > MOST_FILES {
        return Err(OdtError::TooLarge("too many files within"));
    }
    let no_zip = |_| OdtError::NotOdt("it is no package");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(no_zip)?;
    let mut file = |name: &'static str| {
        let missing = |_| OdtError::NotOdt("a file of the package is missing");
        let entry = archive.by_name(name).map_err(missing)?;
        if entry.size() > MOST_CONTENT {
            return Err(OdtError::TooLarge("its text"));
        }
        let mut text = String::new();
        let read = entry.take(MOST_CONTENT + 1).read_to_string(&mut text);
        read.map_err(|_| OdtError::NotOdt("a file of the package can't be read"))?;
        if u64::try_from(text.len()).is_ok_and(|length| length > MOST_CONTENT) {
            return Err(OdtError::TooLarge("its text"));
        }
        Ok(text)
    };
    if file("mimetype")?.trim() != MEDIA_TYPE {
        return Err(OdtError::NotOdt("its media type is another"));
    }
    Ok((file("content.xml")?, file("meta.xml")?))
}

/// A plan with its head alone, and the versions it was made from.
fn properties(meta: &Element, programme: &Programme) -> Result<(Plan, Option<BTreeMap<String, i64>>), OdtError> {
    let mut values = HashMap::new();
    collect(meta, &mut |element| {
        if element.name == "meta:user-defined"
            && let Some(name) = element.attribute("name")
        {
            values.insert(name.to_owned(), element.whole_text());
        }
    });
    let versions = values.remove(VERSIONS);
    // a document that can't say from what it was made would overwrite what was saved since
    let versions = versions.map(|json| serde_json::from_str(json.trim()).map_err(|_| OdtError::NoPlan));
    let versions = versions.transpose()?;
    let mut value = |at: usize| {
        PROPERTIES
            .get(at)
            .and_then(|name| values.remove(*name))
            .ok_or(OdtError::NoPlan)
    };
    let (of, government) = (value(0)?, value(1)?);
    if of != programme.id {
        return Err(OdtError::OtherProgramme(of.chars().take(40).collect()));
    }
    let mut day = |at| value(at)?.trim().parse().map_err(|_| OdtError::NoPlan);
    let plan = Plan {
        programme: of,
        government,
        title: String::new(),
        from: day(2)?,
        through: day(3)?,
        texts: BTreeMap::new(),
        assessment: Assessment::default(),
        indicators: Vec::new(),
        lines: Vec::new(),
        subsidies: Vec::new(),
        cap_exception: None,
        checkpoints: Vec::new(),
        contact: Contact::default(),
    };
    Ok((plan, versions))
}

/// Every element within, from outside to inside.
fn collect<'a>(element: &'a Element, visit: &mut impl FnMut(&'a Element)) {
    visit(element);
    element.elements().for_each(|child| collect(child, visit));
}

/// The styles that an office program made for single paragraphs, and the named ones they come from.
fn styles(content: &Element) -> HashMap<String, String> {
    let mut parents = HashMap::new();
    collect(content, &mut |element| {
        if element.name == "style"
            && let (Some(name), Some(parent)) = (element.attribute("name"), element.attribute("parent-style-name"))
        {
            parents.insert(name.to_owned(), parent.to_owned());
        }
    });
    parents
}

struct Reader<'a> {
    programme: &'a Programme,
    parents: HashMap<String, String>,
    /// Characters that may still be read.
    budget: usize,
    left_over: Vec<String>,
    /// Fields of the self-assessment, by their path.
    fields: Vec<(String, Value)>,
}

/// Text of a cell or paragraph as it is read, with the bookmarks in it.
#[derive(Default)]
struct Flow {
    text: String,
    /// Whether a space would be folded into what is before it.
    folds: bool,
    open: HashMap<String, usize>,
    marks: Vec<(String, String)>,
}

impl Reader<'_> {
    /// The blocks of the body or of a section that is none of ours.
    fn blocks(&mut self, parent: &Element, plan: &mut Plan) -> Result<(), OdtError> {
        for element in parent.elements() {
            let name = element.attribute("name").unwrap_or_default().to_owned();
            match element.name.as_str() {
                "text:section" if name == TITLE => plan.title = self.lines(element)?.join("\n"),
                "text:section" if name == EXCEPTION => plan.cap_exception = Some(self.lines(element)?.join("\n")),
                "text:section" if self.programme.text_ids().contains(&name) => {
                    let text = self.lines(element)?.join("\n");
                    plan.texts.insert(name, text);
                }
                "text:section" => self.blocks(element, plan)?,
                "table:table" => self.table(&name, element, plan)?,
                "text:p" => {
                    let style = element.attribute("style-name").unwrap_or_default();
                    let named = self.parents.get(style).map_or(style, String::as_str);
                    if named != LABEL && named != "Subtitle" {
                        self.leave(element)?;
                    }
                }
                "text:list" => self.leave(element)?,
                // headings are the programme's own; changes and declarations are no text
                _ => {}
            }
        }
        Ok(())
    }

    fn leave(&mut self, element: &Element) -> Result<(), OdtError> {
        let lines = self.lines(element)?;
        self.left_over
            .extend(lines.into_iter().filter(|line| !line.trim().is_empty()));
        Ok(())
    }

    /// The paragraphs within an element; the element itself where it is one.
    fn lines(&mut self, element: &Element) -> Result<Vec<String>, OdtError> {
        let mut lines = Vec::new();
        self.add_lines(element, &mut lines)?;
        Ok(lines)
    }

    fn add_lines(&mut self, element: &Element, lines: &mut Vec<String>) -> Result<(), OdtError> {
        match element.name.as_str() {
            "text:p" | "text:h" => {
                let mut flow = Flow::default();
                self.flow(element, &mut flow)?;
                lines.push(flow.finished());
                Ok(())
            }
            "office:annotation" | "text:tracked-changes" => Ok(()),
            _ => element.elements().try_for_each(|child| self.add_lines(child, lines)),
        }
    }

    /// Adds what a paragraph says (ODF 1.3 part 3, 6.1): spaces folded as the standard has it.
    fn flow(&mut self, element: &Element, flow: &mut Flow) -> Result<(), OdtError> {
        for node in &element.children {
            match node {
                Node::Text(text) => {
                    self.spend(text.len())?;
                    text.chars().for_each(|character| flow.character(character));
                }
                Node::Element(inner) => match inner.name.as_str() {
                    "text:s" => {
                        let count = inner.attribute("c").and_then(|count| count.parse().ok()).unwrap_or(1);
                        self.spend(count)?;
                        flow.text.extend(std::iter::repeat_n(' ', count));
                        flow.folds = false;
                    }
                    "text:tab" => flow.fixed('\t'),
                    "text:line-break" => flow.fixed('\n'),
                    "text:bookmark-start" | "text:bookmark" | "text:bookmark-end" => flow.mark(inner),
                    "office:annotation" | "office:annotation-end" | "text:note" | "text:soft-page-break" => {}
                    _ => self.flow(inner, flow)?,
                },
            }
        }
        Ok(())
    }

    fn spend(&mut self, characters: usize) -> Result<(), OdtError> {
        self.budget = self
            .budget
            .checked_sub(characters)
            .ok_or(OdtError::TooLarge("its text"))?;
        Ok(())
    }

    fn table(&mut self, name: &str, table: &Element, plan: &mut Plan) -> Result<(), OdtError> {
        let mut rows = Vec::new();
        body_rows(table, &mut rows);
        if name == ASSESSMENT {
            for row in rows {
                for cell in row.elements() {
                    let mut flow = Flow::default();
                    self.cell_flow(cell, &mut flow)?;
                    self.fields
                        .extend(flow.marks.into_iter().filter_map(|(name, text)| field(&name, text)));
                }
            }
            return Ok(());
        }
        if ![INDICATORS, BUDGET, SUBSIDY, CHECKPOINTS, CONTACT].contains(&name) {
            return self.leave(table);
        }
        for (index, row) in rows.into_iter().enumerate() {
            let mut cells = Vec::new();
            for cell in row
                .elements()
                .filter(|element| element.name == "table:table-cell")
                .take(MOST_CELLS)
            {
                cells.push(self.lines(cell)?);
            }
            if cells.iter().flatten().all(|line| line.trim().is_empty()) && name != CONTACT {
                continue;
            }
            let row = Row {
                table: name,
                row: index + 1,
                cells,
            };
            match name {
                INDICATORS => {
                    let mut indicator = row.indicator(&self.programme.period.years)?;
                    if let Some(printed) = &mut indicator.printed {
                        let mut known = self.programme.indicators.iter();
                        if let Some(one) = known.find(|one| titled(&one.id, self.programme) == *printed) {
                            printed.clone_from(&one.id);
                        }
                    }
                    plan.indicators.push(indicator);
                }
                BUDGET => plan.lines.push(row.line()?),
                SUBSIDY => plan.subsidies.push(row.subsidy()?),
                CHECKPOINTS => plan.checkpoints.push(row.checkpoint()?),
                _ => {
                    plan.contact = Contact {
                        unit: row.text(0)?,
                        name: row.text(1)?,
                        telephone: row.text(2)?,
                        email: row.text(3)?,
                    }
                }
            }
        }
        Ok(())
    }

    /// A whole cell as one flow, so that a field may reach over paragraphs.
    fn cell_flow(&mut self, element: &Element, flow: &mut Flow) -> Result<(), OdtError> {
        for child in element.elements() {
            if matches!(child.name.as_str(), "text:p" | "text:h") {
                if !flow.text.is_empty() {
                    flow.fixed('\n');
                }
                flow.folds = true;
                self.flow(child, flow)?;
            } else {
                self.cell_flow(child, flow)?;
            }
        }
        Ok(())
    }
}

/// The rows below the head.
fn body_rows<'a>(table: &'a Element, rows: &mut Vec<&'a Element>) {
    for element in table.elements() {
        match element.name.as_str() {
            "table:table-row" => rows.push(element),
            "table:table-rows" | "table:table-row-group" => body_rows(element, rows),
            _ => {}
        }
    }
}

impl Flow {
    fn character(&mut self, character: char) {
        if matches!(character, ' ' | '\t' | '\n' | '\r') {
            if !self.folds && !self.text.is_empty() {
                self.text.push(' ');
            }
            self.folds = true;
        } else {
            self.text.push(character);
            self.folds = false;
        }
    }

    fn fixed(&mut self, character: char) {
        self.text.push(character);
        self.folds = false;
    }

    fn mark(&mut self, element: &Element) {
        let Some(name) = element.attribute("name") else { return };
        match element.name.as_str() {
            "text:bookmark-start" => {
                self.open.insert(name.to_owned(), self.text.len());
            }
            "text:bookmark-end" => {
                let from = self.open.remove(name);
                let text = from.and_then(|from| self.text.get(from..)).unwrap_or_default();
                self.marks.push((name.to_owned(), text.to_owned()));
            }
            _ => self.marks.push((name.to_owned(), String::new())),
        }
    }

    /// The text without a space at its end that only XML put there.
    fn finished(mut self) -> String {
        if self.folds && self.text.ends_with(' ') {
            self.text.pop();
        }
        self.text
    }
}
