//! The self-assessment as the table of annex 2 (階段自評對照表), cell by cell.

use civic::Language;
use serde::{Deserialize, Serialize};

use super::{Assessment, Row};
use crate::programme::{Programme, Stage};

/// One row of the printed table; a cell is its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// The stage (發展階段).
    pub stage: String,
    /// Evidence and addresses (佐證項目及網址).
    pub evidence: Vec<String>,
    /// Designated items done (已完成指定項目).
    pub done: Vec<String>,
    /// What the plan does (計畫精進項目), under three headings.
    pub plan: Vec<String>,
}

impl TableRow {
    /// Headings of the last column, as the annex prints them.
    pub const HEADINGS: [&str; 3] = ["計畫發展指定項目", "額外精進項目", "不執行項目"];
}

/// A list without entries.
const NONE: &str = "無。";
/// The done column without entries.
const NONE_DONE: &str = "無";

/// What writes the cells of a row: a document may have to say which words are a field.
pub(crate) trait Pen {
    /// A field of the row, by its path below the row.
    fn field(&mut self, path: &str, text: &str) -> String;
    /// Words that the layout adds.
    fn word(&self, text: &str) -> String;
}

/// Writes text as it is.
struct Plain;

impl Pen for Plain {
    fn field(&mut self, _: &str, text: &str) -> String {
        text.to_owned()
    }

    fn word(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// The table in Chinese, the language of the annex.
#[must_use]
pub fn table(assessment: &Assessment, programme: &Programme) -> Vec<TableRow> {
    let rows = assessment.rows.iter();
    rows.map(|row| written(row, programme.stage(&row.stage), &mut Plain))
        .collect()
}

/// A row of the table; of a stage that the programme does not know, without groups and titles.
pub(crate) fn written(row: &Row, stage: Option<&Stage>, pen: &mut impl Pen) -> TableRow {
    TableRow {
        stage: pen.field("stage", &row.stage),
        evidence: evidence(row, stage, pen),
        done: done(row, stage, pen),
        plan: plan(row, stage, pen),
    }
}

fn evidence(row: &Row, stage: Option<&Stage>, pen: &mut impl Pen) -> Vec<String> {
    if row.evidence.is_empty() {
        let by_plan = stage.map_or("", |stage| stage.by_plan.get(Language::ZhTw));
        return vec![pen.word(by_plan)];
    }
    let mut entries = Vec::new();
    for (index, one) in row.evidence.iter().enumerate() {
        let path = format!("evidence.{index}");
        let mut seen = pen.field(&format!("{path}.title"), &one.title);
        seen.push_str(&address(&path, &one.address, one.login, &one.account, pen));
        entries.push((one.group.as_deref(), seen));
    }
    grouped(&entries, stage, |title| pen.word(title), false)
}

fn done(row: &Row, stage: Option<&Stage>, pen: &mut impl Pen) -> Vec<String> {
    if row.done.is_empty() {
        return vec![pen.word(NONE_DONE)];
    }
    let mut entries = Vec::new();
    for (index, one) in row.done.iter().enumerate() {
        let path = format!("done.{index}");
        let mut seen = titled(&path, one.title.as_deref(), &one.item, stage, pen);
        seen.push_str(&address(&path, &one.address, one.login, &one.account, pen));
        entries.push((group_of(&one.item, stage), seen));
    }
    grouped(&entries, stage, |title| pen.word(title), true)
}

fn plan(row: &Row, stage: Option<&Stage>, pen: &mut impl Pen) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(nothing) = &row.nothing {
        lines.push(pen.field("nothing", nothing));
        if row.planned.is_empty() && row.extra.is_empty() && row.refused.is_empty() {
            return lines;
        }
    }
    let mut planned = Vec::new();
    for (index, one) in row.planned.iter().enumerate() {
        let path = format!("planned.{index}");
        let title = titled(&path, one.title.as_deref(), &one.item, stage, pen);
        let text = pen.field(&format!("{path}.text"), &one.text);
        planned.push((group_of(&one.item, stage), format!("{title}：{text}")));
    }
    let mut extra = Vec::new();
    for (index, one) in row.extra.iter().enumerate() {
        let title = pen.field(&format!("extra.{index}.title"), &one.title);
        let text = pen.field(&format!("extra.{index}.text"), &one.text);
        extra.push((one.group.as_deref(), format!("{title}：{text}")));
    }
    let mut refused = Vec::new();
    for (index, one) in row.refused.iter().enumerate() {
        let path = format!("refused.{index}");
        let reason = pen.field(&format!("{path}.reason"), &one.reason);
        refused.push(match &one.item {
            Some(item) => {
                let title = titled(&path, one.title.as_deref(), item, stage, pen);
                (group_of(item, stage), format!("{title}：{reason}"))
            }
            None => (one.group.as_deref(), reason),
        });
    }
    let bracketed = |title: &str| pen.word(&format!("【{title}】"));
    let mut planned = grouped(&planned, stage, bracketed, true);
    let empty = row.empty_groups.iter();
    for group in empty.filter_map(|group| stage.and_then(|stage| stage.group(group))) {
        planned.push(bracketed(group.title.get(Language::ZhTw)));
        planned.push(pen.word(NONE));
    }
    let extra = grouped(&extra, stage, bracketed, true);
    let refused = grouped(&refused, stage, bracketed, true);
    for (heading, list) in TableRow::HEADINGS.into_iter().zip([planned, extra, refused]) {
        lines.push(pen.word(heading));
        if list.is_empty() {
            lines.push(pen.word(NONE));
        }
        lines.extend(list);
    }
    lines
}

/// Entries by group, in the order of the stage's groups; those of no group first. Two or more of a group are numbered.
fn grouped(
    entries: &[(Option<&str>, String)],
    stage: Option<&Stage>,
    heading: impl Fn(&str) -> String,
    numbered: bool,
) -> Vec<String> {
    let known = |id: &str| stage.and_then(|stage| stage.group(id));
    let groups = stage.iter().flat_map(|stage| &stage.groups);
    let groups = groups.map(|group| Some(group.id.as_str()));
    let mut lines = Vec::new();
    for group in std::iter::once(None).chain(groups) {
        // an entry of a group that the stage does not have stands with those of none
        let inside = entries
            .iter()
            .filter(|(of, _)| of.filter(|id| known(id).is_some()) == group);
        let inside: Vec<&String> = inside.map(|(_, text)| text).collect();
        if let (Some(group), false) = (group.and_then(known), inside.is_empty()) {
            lines.push(heading(group.title.get(Language::ZhTw)));
        }
        for (index, text) in inside.iter().enumerate() {
            if numbered && inside.len() > 1 {
                lines.push(format!("{}. {text}", index + 1));
            } else {
                lines.push((*text).clone());
            }
        }
    }
    lines
}

fn address(path: &str, address: &str, login: bool, account: &str, pen: &mut impl Pen) -> String {
    let mut text = String::new();
    if !address.is_empty() {
        text.push_str(&format!("（網址：{}）", pen.field(&format!("{path}.address"), address)));
    }
    if login {
        let account = pen.field(&format!("{path}.account"), account);
        text.push_str(&format!("（需帳號登入，測試帳號：{account}）"));
    }
    text
}

/// The government's own title, or the item's as the programme has it.
fn titled(path: &str, own: Option<&str>, item: &str, stage: Option<&Stage>, pen: &mut impl Pen) -> String {
    match own {
        Some(own) => pen.field(&format!("{path}.title"), own),
        None => {
            let known = stage.and_then(|stage| stage.item(item));
            pen.word(known.map_or(item, |known| known.title.get(Language::ZhTw)))
        }
    }
}

fn group_of<'a>(item: &str, stage: Option<&'a Stage>) -> Option<&'a str> {
    stage?.item(item).and_then(|item| item.group.as_deref())
}
