//! The rules that the thirteen examples of annex 2 imply, each with a message of its own.

use std::collections::BTreeSet;

use super::{Assessment, MOST_ENTRIES, MOST_TEXT, Row};
use crate::finding::{Finding, Rule};
use crate::programme::{BuiltByPlan, Programme, Stage};

/// Checks the table as a self-assessment. What the annex's own examples do wrong is a warning, everything else a refusal.
#[must_use]
pub fn check(assessment: &Assessment, programme: &Programme) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = None;
    for (index, row) in assessment.rows.iter().take(programme.stages.len() + 1).enumerate() {
        let Some(at) = programme.stages.iter().position(|stage| stage.id == row.stage) else {
            findings.push(Finding::refusal(
                Rule::UnknownStage,
                format!("row {}", index + 1),
                format!(
                    "`{}` is no stage of the programme; choose one of its stages",
                    shown(&row.stage)
                ),
            ));
            continue;
        };
        if assessment.rows.iter().take(index).any(|other| other.stage == row.stage) {
            findings.push(Finding::refusal(
                Rule::StageTwice,
                &row.stage,
                "this stage has two rows; put them together",
            ));
        } else if last.is_some_and(|last| at < last) {
            findings.push(Finding::refusal(
                Rule::StageOrder,
                &row.stage,
                "rows stand in the order of the stages; move this one up",
            ));
        }
        last = last.max(Some(at));
        if let Some(stage) = programme.stages.get(at) {
            check_row(row, stage, assessment, programme, &mut findings);
        }
    }
    if assessment.rows.len() > programme.stages.len() {
        findings.push(Finding::refusal(
            Rule::Bounds,
            "rows",
            "there are more rows than stages; keep one a stage",
        ));
    }
    findings.sort();
    findings.dedup();
    findings
}

fn check_row(row: &Row, stage: &Stage, all: &Assessment, programme: &Programme, findings: &mut Vec<Finding>) {
    bounds(row, findings);
    platform(row, stage, all, findings);
    known(row, stage, findings);
    placed(row, stage, all, programme, findings);
    texts(row, findings);
}

/// Lists and texts within their bounds.
fn bounds(row: &Row, findings: &mut Vec<Finding>) {
    let lists = [
        row.evidence.len(),
        row.done.len(),
        row.planned.len(),
        row.extra.len(),
        row.refused.len(),
        row.empty_groups.len(),
    ];
    if lists.iter().any(|length| *length > MOST_ENTRIES) {
        findings.push(Finding::refusal(
            Rule::Bounds,
            &row.stage,
            format!("a list of a row has {MOST_ENTRIES} entries at most; put entries together"),
        ));
    }
    let evidence = row
        .evidence
        .iter()
        .flat_map(|one| [&one.title, &one.address, &one.account]);
    let done = row
        .done
        .iter()
        .flat_map(|one| [&one.address, &one.account].into_iter().chain(&one.title));
    let planned = row
        .planned
        .iter()
        .flat_map(|one| std::iter::once(&one.text).chain(&one.title));
    let extra = row.extra.iter().flat_map(|one| [&one.title, &one.text]);
    let refused = row
        .refused
        .iter()
        .flat_map(|one| std::iter::once(&one.reason).chain(&one.title));
    let mut texts = evidence
        .chain(done)
        .chain(planned)
        .chain(extra)
        .chain(refused)
        .chain(&row.nothing);
    if texts.any(|text| text.chars().count() > MOST_TEXT) {
        findings.push(Finding::refusal(
            Rule::Bounds,
            &row.stage,
            format!("a text has {MOST_TEXT} characters at most; move details into the chapters"),
        ));
    }
}

/// The platform of the stage: it stands, or this plan builds it; a stage that needs others finds theirs standing.
fn platform(row: &Row, stage: &Stage, all: &Assessment, findings: &mut Vec<Finding>) {
    if !row.is_built() {
        if !row.done.is_empty() {
            findings.push(Finding::refusal(
                Rule::DoneWithoutPlatform,
                &row.stage,
                "items are done on a platform that this plan still has to build; give the platform's evidence",
            ));
        }
        if stage.built_by_plan == BuiltByPlan::Warn {
            findings.push(Finding::warning(
                Rule::PlatformByPlan,
                &row.stage,
                "the call wants this platform to stand before; give its evidence, or a note why the plan builds it",
            ));
        }
    }
    for need in &stage.needs {
        match all.row(need) {
            None => findings.push(Finding::refusal(
                Rule::StageNeedsRow,
                &row.stage,
                format!(
                    "this stage rests on `{need}`, which has no row; add it, also where nothing more is planned there"
                ),
            )),
            Some(other) if !other.is_built() => findings.push(Finding::refusal(
                Rule::PlatformNotBuilt,
                &row.stage,
                format!(
                    "this stage needs the platform of `{need}` to stand; give its evidence, or plan `{need}` first"
                ),
            )),
            Some(_) => {}
        }
    }
    for evidence in &row.evidence {
        if evidence.title.trim().is_empty() || evidence.address.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::EvidenceMissing,
                &row.stage,
                "evidence has a name and an address; write both",
            ));
        }
        if evidence.login && evidence.account.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::TestAccountMissing,
                &row.stage,
                "evidence behind a sign-in needs a test or temporary account; give one",
            ));
        }
    }
    for done in &row.done {
        // the annex's examples 11 and 13 leave addresses out
        if done.address.trim().is_empty() {
            findings.push(Finding::warning(
                Rule::EvidenceMissing,
                &done.item,
                "an item done has the address where it can be seen; write it",
            ));
        }
        if done.login && done.account.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::TestAccountMissing,
                &done.item,
                "evidence behind a sign-in needs a test or temporary account; give one",
            ));
        }
    }
}

/// Items and groups are those of the stage.
fn known(row: &Row, stage: &Stage, findings: &mut Vec<Finding>) {
    let done = row.done.iter().map(|one| &one.item);
    let planned = row.planned.iter().map(|one| &one.item);
    let refused = row.refused.iter().filter_map(|one| one.item.as_ref());
    let redesigned = row.extra.iter().filter_map(|one| one.redesigns.as_ref());
    for item in done.chain(planned).chain(refused).chain(redesigned) {
        if stage.item(item).is_none() {
            findings.push(Finding::refusal(
                Rule::UnknownItem,
                &row.stage,
                format!(
                    "`{}` is no designated item of this stage; choose one of its items",
                    shown(item)
                ),
            ));
        }
    }
    let groups = row.refused.iter().filter_map(|one| one.group.as_ref());
    let groups = groups.chain(row.extra.iter().filter_map(|one| one.group.as_ref()));
    let groups = groups.chain(row.evidence.iter().filter_map(|one| one.group.as_ref()));
    for group in groups.chain(&row.empty_groups) {
        if stage.group(group).is_none() {
            findings.push(Finding::refusal(
                Rule::UnknownItem,
                &row.stage,
                format!("`{}` is no group of this stage; choose one of its groups", shown(group)),
            ));
        }
    }
    for refused in &row.refused {
        if refused.item.is_some() == refused.group.is_some() {
            findings.push(Finding::refusal(
                Rule::UnknownItem,
                &row.stage,
                "what is not done is an item or a group; name one of them",
            ));
        }
    }
    for extra in &row.extra {
        let Some(item) = &extra.redesigns else { continue };
        if stage.item(item).is_some() && !row.done.iter().any(|done| done.item == *item) {
            findings.push(Finding::refusal(
                Rule::RedesignOfUndone,
                item,
                "only an item that is done can be redesigned; plan it as designated item instead",
            ));
        }
    }
}

/// Every designated item stands in exactly one place.
fn placed(row: &Row, stage: &Stage, all: &Assessment, programme: &Programme, findings: &mut Vec<Finding>) {
    if row.nothing.is_some() && !(row.planned.is_empty() && row.extra.is_empty() && row.refused.is_empty()) {
        findings.push(Finding::refusal(
            Rule::NothingPlannedWithItems,
            &row.stage,
            "the row says that nothing is planned at this stage, and plans or refuses items; take one of both out",
        ));
    }
    // example 10: below a later stage that rests on it, a row may say that nothing else is planned
    let rested_on = |later: &&Row| {
        let later = programme.stage(&later.stage);
        later.is_some_and(|later| later.needs.contains(&row.stage))
    };
    let excused = row.nothing.is_some() && all.rows.iter().any(|later| rested_on(&later) && later.is_applied_for());
    for item in stage.designated() {
        let done = row.done.iter().filter(|one| one.item == item.id).count();
        let planned = row.planned.iter().filter(|one| one.item == item.id).count();
        let refused = row
            .refused
            .iter()
            .filter(|one| one.item.as_ref() == Some(&item.id))
            .count();
        let by_group = item.group.is_some() && row.refused.iter().any(|one| one.group == item.group);
        let mut refuse = |rule, message: &str| findings.push(Finding::refusal(rule, &item.id, message));
        if done > 1 || planned > 1 || refused > 1 {
            refuse(Rule::ItemTwice, "this item stands twice in one list; keep one entry");
        }
        if done > 0 && planned > 0 {
            refuse(
                Rule::ItemDoneAndPlanned,
                "an item done is not planned again as new; put its redesign under the extra items",
            );
        }
        if planned > 0 && refused > 0 {
            refuse(
                Rule::ItemPlannedAndRefused,
                "this item is planned and not done at once; take one entry out",
            );
        }
        if done > 0 && refused > 0 {
            findings.push(Finding::warning(
                Rule::ItemDoneAndRefused,
                &item.id,
                "this item stands as done and as not done, as examples 6 and 7 of the annex print it; take one entry out",
            ));
        }
        if done + planned + refused == 0 && !by_group && !excused {
            findings.push(Finding::warning(
                Rule::ItemLeftOut,
                &item.id,
                "this item is neither done nor planned, and no reason is given; say which it is",
            ));
        }
    }
}

/// Texts that must be there.
fn texts(row: &Row, findings: &mut Vec<Finding>) {
    for refused in &row.refused {
        if refused.reason.trim().is_empty() {
            let what = refused.item.as_ref().or(refused.group.as_ref());
            findings.push(Finding::refusal(
                Rule::ReasonMissing,
                what.map_or(row.stage.as_str(), String::as_str),
                "what is not done has a reason of its own; write it",
            ));
        }
    }
    for planned in row.planned.iter().filter(|one| one.text.trim().is_empty()) {
        findings.push(Finding::refusal(
            Rule::TextMissing,
            &planned.item,
            "say why this item is needed and what is developed",
        ));
    }
    let mut titles = BTreeSet::new();
    for (index, extra) in row.extra.iter().enumerate() {
        let place = format!("{}.x{}", row.stage, index + 1);
        if extra.title.trim().is_empty() || extra.text.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::TextMissing,
                &place,
                "an extra item has a name and says what is developed; write both",
            ));
        }
        if !titles.insert(extra.title.trim()) {
            findings.push(Finding::refusal(
                Rule::ItemTwice,
                &place,
                "two extra items have one name; put them together",
            ));
        }
    }
}

/// A name from outside, short enough for a message.
fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}
