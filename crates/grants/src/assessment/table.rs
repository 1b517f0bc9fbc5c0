//! The self-assessment as the table of annex 2 (階段自評對照表), cell by cell.

use civic::Language;
use serde::{Deserialize, Serialize};

use super::{Assessment, Evidence, Row};
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

/// The table in Chinese, the language of the annex. Rows of stages the programme does not know are left out.
#[must_use]
pub fn table(assessment: &Assessment, programme: &Programme) -> Vec<TableRow> {
    let rows = assessment.rows.iter();
    rows.filter_map(|row| programme.stage(&row.stage).map(|stage| printed(row, stage)))
        .collect()
}

fn printed(row: &Row, stage: &Stage) -> TableRow {
    TableRow {
        stage: row.stage.clone(),
        evidence: evidence(row, stage),
        done: done(row, stage),
        plan: plan(row, stage),
    }
}

fn evidence(row: &Row, stage: &Stage) -> Vec<String> {
    if row.evidence.is_empty() {
        return vec![stage.by_plan.get(Language::ZhTw).to_owned()];
    }
    let entries = row.evidence.iter().map(|one| (one.group.as_deref(), seen(one)));
    grouped(entries.collect(), stage, str::to_owned, false)
}

fn done(row: &Row, stage: &Stage) -> Vec<String> {
    if row.done.is_empty() {
        return vec![NONE_DONE.to_owned()];
    }
    let entries = row.done.iter().map(|one| {
        let title = named(one.title.as_ref(), &one.item, stage);
        (
            group_of(&one.item, stage),
            with_address(title, &one.address, one.login, &one.account),
        )
    });
    grouped(entries.collect(), stage, str::to_owned, true)
}

fn plan(row: &Row, stage: &Stage) -> Vec<String> {
    if let Some(nothing) = &row.nothing {
        return vec![nothing.clone()];
    }
    let [planned_heading, extra_heading, refused_heading] = TableRow::HEADINGS.map(str::to_owned);
    let bracketed = |title: &str| format!("【{title}】");
    let mut lines = vec![planned_heading];
    let planned = row.planned.iter().map(|one| {
        let title = named(one.title.as_ref(), &one.item, stage);
        (group_of(&one.item, stage), format!("{title}：{}", one.text))
    });
    let mut planned = grouped(planned.collect(), stage, bracketed, true);
    for group in row.empty_groups.iter().filter_map(|group| stage.group(group)) {
        planned.push(bracketed(group.title.get(Language::ZhTw)));
        planned.push(NONE.to_owned());
    }
    lines.extend(or_none(planned));
    lines.push(extra_heading);
    let extra = row
        .extra
        .iter()
        .map(|one| (one.group.as_deref(), format!("{}：{}", one.title, one.text)));
    lines.extend(or_none(grouped(extra.collect(), stage, bracketed, true)));
    lines.push(refused_heading);
    let refused = row.refused.iter().map(|one| match (&one.item, &one.group) {
        (Some(item), _) => {
            let title = named(one.title.as_ref(), item, stage);
            (group_of(item, stage), format!("{title}：{}", one.reason))
        }
        (None, group) => (group.as_deref(), one.reason.clone()),
    });
    lines.extend(or_none(grouped(refused.collect(), stage, bracketed, true)));
    lines
}

fn or_none(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { vec![NONE.to_owned()] } else { lines }
}

/// Entries by group, in the order of the stage's groups; those of no group first. Two or more of a group are numbered.
pub(crate) fn grouped(
    entries: Vec<(Option<&str>, String)>,
    stage: &Stage,
    heading: impl Fn(&str) -> String,
    numbered: bool,
) -> Vec<String> {
    let groups = stage.groups.iter().map(|group| Some(group.id.as_str()));
    let mut lines = Vec::new();
    for group in std::iter::once(None).chain(groups) {
        let mut inside: Vec<&String> = Vec::new();
        for (of, text) in &entries {
            // an entry of a group that the stage does not have stands with those of none
            if of.filter(|id| stage.group(id).is_some()) == group {
                inside.push(text);
            }
        }
        if let (Some(group), false) = (group.and_then(|id| stage.group(id)), inside.is_empty()) {
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

fn seen(evidence: &Evidence) -> String {
    with_address(&evidence.title, &evidence.address, evidence.login, &evidence.account)
}

fn with_address(title: &str, address: &str, login: bool, account: &str) -> String {
    let mut text = title.to_owned();
    if !address.is_empty() {
        text.push_str("（網址：");
        text.push_str(address);
        text.push('）');
    }
    if login {
        text.push_str("（需帳號登入，測試帳號：");
        text.push_str(account);
        text.push('）');
    }
    text
}

fn named<'a>(own: Option<&'a String>, item: &'a str, stage: &'a Stage) -> &'a str {
    let official = || stage.item(item).map_or(item, |item| item.title.get(Language::ZhTw));
    own.map_or_else(official, String::as_str)
}

pub(crate) fn group_of<'a>(item: &str, stage: &'a Stage) -> Option<&'a str> {
    stage.item(item).and_then(|item| item.group.as_deref())
}
