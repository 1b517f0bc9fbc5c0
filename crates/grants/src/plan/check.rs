//! Checks before a plan is sent (送出前檢核).

use std::collections::BTreeSet;

use civic::Money;

use super::{MOST_LINES, MOST_TEXT, Plan};
use crate::assessment;
use crate::finding::{Finding, Rule};
use crate::funding::MOST;
use crate::programme::Programme;

/// Everything that keeps a plan from being sent, and what an official should look at.
#[must_use]
pub fn check(plan: &Plan, programme: &Programme) -> Vec<Finding> {
    // nothing else is looked at in tables beyond any real plan
    let mut findings = too_long(plan);
    if !findings.is_empty() {
        return findings;
    }
    findings.extend(assessment::check(&plan.assessment, programme));
    applied(plan, programme, &mut findings);
    texts(plan, programme, &mut findings);
    period(plan, programme, &mut findings);
    indicators(plan, programme, &mut findings);
    lines(plan, programme, &mut findings);
    subsidies(plan, programme, &mut findings);
    checkpoints(plan, programme, &mut findings);
    contact(plan, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

/// Tables and lists that are longer than a plan's may be.
fn too_long(plan: &Plan) -> Vec<Finding> {
    let named = plan
        .lines
        .iter()
        .map(|line| line.items.len().max(line.indicators.len()));
    let targets = plan.indicators.iter().map(|indicator| indicator.targets.len());
    let tables = [
        ("indicators", plan.indicators.len().max(targets.max().unwrap_or(0))),
        ("budget", plan.lines.len().max(named.max().unwrap_or(0))),
        ("subsidy", plan.subsidies.len()),
        ("checkpoints", plan.checkpoints.len()),
    ];
    let long = tables.into_iter().filter(|(_, length)| *length > MOST_LINES);
    let findings = long.map(|(place, _)| {
        let message = format!("a table has {MOST_LINES} lines at most; put lines together");
        Finding::refusal(Rule::Bounds, place, message)
    });
    findings.collect()
}

/// What the plan applies for (柒: at least a designated item of the funded year; annex 2, examples 5, 7, 12 and 13).
pub(crate) fn applied(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let rows = &plan.assessment.rows;
    if rows.is_empty() {
        findings.push(Finding::refusal(
            Rule::NothingPlannedAtAll,
            "assessment",
            "the self-assessment is empty; say which stages are reached and what is planned",
        ));
    } else if !rows.iter().any(assessment::Row::is_applied_for) {
        findings.push(Finding::warning(
            Rule::NothingPlannedAtAll,
            "assessment",
            "no row plans an item, as in example 13 of the annex; a plan develops at least one",
        ));
    }
    for row in rows
        .iter()
        .filter(|row| row.planned.is_empty() && !row.extra.is_empty())
    {
        let Some(stage) = programme.stage(&row.stage) else {
            continue;
        };
        let open = stage.designated().any(|item| {
            let done = row.done.iter().any(|one| one.item == item.id);
            let refused = row
                .refused
                .iter()
                .any(|one| one.item.as_ref() == Some(&item.id) || (item.group.is_some() && one.group == item.group));
            !done && !refused
        });
        if open {
            findings.push(Finding::warning(
                Rule::NoDesignatedItem,
                &row.stage,
                "this stage develops no designated item and does not say of each why not; plan one or give the reasons",
            ));
        }
    }
    if programme.government(&plan.government).is_none() {
        findings.push(Finding::refusal(
            Rule::UnknownGovernment,
            "government",
            "this government may not apply to the programme",
        ));
    }
}

/// Every text is written, none still holds what the template left to fill in.
fn texts(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let wanted = programme.text_ids();
    for id in &wanted {
        let text = plan.text(id);
        let personal = id.contains(".privacy") || id.ends_with(".security");
        let least = programme.plan.personal_data_at_least;
        if text.trim().is_empty() {
            let rule = if personal {
                Rule::PersonalDataEmpty
            } else {
                Rule::ChapterEmpty
            };
            findings.push(Finding::refusal(rule, id, "this part is not written yet; write it"));
        } else if personal && said(text, &programme.plan.says_nothing) < least {
            findings.push(Finding::refusal(
                Rule::PersonalDataThin,
                id,
                format!("this says too little; write what is done, in {least} characters at least"),
            ));
        }
    }
    for (id, text) in &plan.texts {
        if !wanted.contains(id) {
            findings.push(Finding::refusal(
                Rule::ChapterEmpty,
                id.chars().take(40).collect::<String>(),
                "the plan has no such part; move its text into a chapter",
            ));
        }
        if text.chars().count() > MOST_TEXT {
            findings.push(Finding::refusal(
                Rule::Bounds,
                id,
                format!("a text has {MOST_TEXT} characters at most; shorten it"),
            ));
        }
        if text.contains("○○") {
            findings.push(left_from_template(id));
        }
    }
    if plan.title.trim().is_empty() {
        findings.push(Finding::refusal(
            Rule::TextMissing,
            "title",
            "the plan has no title; write it",
        ));
    } else if plan.title.contains("○○") {
        findings.push(left_from_template("title"));
    }
    for row in &plan.assessment.rows {
        let done = row.done.iter().any(|one| one.address.contains("○○"));
        let evidence = row.evidence.iter().any(|one| one.address.contains("○○"));
        let planned = row.planned.iter().any(|one| one.text.contains("○○"));
        let extra = row
            .extra
            .iter()
            .any(|one| one.title.contains("○○") || one.text.contains("○○"));
        let refused = row.refused.iter().any(|one| one.reason.contains("○○"));
        if done || evidence || planned || extra || refused {
            findings.push(left_from_template(&row.stage));
        }
    }
}

/// Letters and digits of a text that are left without words that say nothing, so that 無 or 詳附件 covers no topic, however often
/// it stands there.
fn said(text: &str, says_nothing: &[String]) -> usize {
    let letters: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
    let left = says_nothing
        .iter()
        .fold(letters, |left, word| left.replace(word.as_str(), ""));
    left.chars().count()
}

fn left_from_template(place: &str) -> Finding {
    Finding::refusal(
        Rule::Placeholder,
        place,
        "this still holds the template's ○○; write what belongs there",
    )
}

fn period(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let period = &programme.period;
    if (plan.from, plan.through) != (period.from, period.through) {
        findings.push(Finding::refusal(
            Rule::PeriodDiffers,
            "period",
            format!(
                "the programme's period is {} to {}; write those days",
                period.from, period.through
            ),
        ));
    }
}

fn indicators(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let least = programme.plan.indicators_at_least;
    if plan.indicators.len() < least {
        findings.push(Finding::refusal(
            Rule::TooFewIndicators,
            "indicators",
            format!("a plan has at least {least} indicators; add one"),
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, indicator) in plan.indicators.iter().enumerate() {
        let place = format!("indicator {}", index + 1);
        if indicator.id.trim().is_empty() || !seen.insert(indicator.id.as_str()) {
            findings.push(Finding::refusal(
                Rule::IndicatorIncomplete,
                &place,
                "an indicator has a short name of its own; write another",
            ));
        }
        let texts = [&indicator.title, &indicator.formula, &indicator.base, &indicator.source];
        if texts.iter().any(|text| text.trim().is_empty()) {
            findings.push(Finding::refusal(
                Rule::IndicatorIncomplete,
                &place,
                "an indicator has a name, formula, base and source; write all four",
            ));
        }
        if texts.iter().any(|text| text.contains("○○")) {
            findings.push(left_from_template(&place));
        }
        for year in &programme.period.years {
            let target = indicator.targets.iter().find(|target| target.year == *year);
            if target.is_none_or(|target| target.text.trim().is_empty()) {
                findings.push(Finding::refusal(
                    Rule::IndicatorIncomplete,
                    &place,
                    format!("there is no target of year {year}; write it"),
                ));
            }
        }
        if let Some(printed) = &indicator.printed
            && programme.indicator(printed).is_none()
        {
            findings.push(Finding::refusal(
                Rule::IndicatorUnknown,
                &place,
                "the programme prints no such indicator; choose one of its own, or none",
            ));
        }
        // one that the programme does not print is told above
        let dead = |id: &String| programme.indicator(id).is_some_and(|known| known.live.is_empty());
        if indicator.measure.is_some() && indicator.printed.as_ref().is_none_or(dead) {
            findings.push(Finding::refusal(
                Rule::IndicatorNotLive,
                &place,
                "the platform does not count this indicator; report it by hand, or choose a printed one that it counts",
            ));
        }
        if !plan.lines.iter().any(|line| line.indicators.contains(&indicator.id)) {
            findings.push(Finding::refusal(
                Rule::IndicatorWithoutWork,
                &place,
                "no work item answers to this indicator; name it in a budget line",
            ));
        }
    }
}

fn lines(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let planned = plan.assessment.planned();
    for (index, line) in plan.lines.iter().enumerate() {
        let place = format!("budget line {}", index + 1);
        if line.work.contains("○○") {
            findings.push(left_from_template(&place));
        }
        if line.work.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::TextMissing,
                &place,
                "this line names no work; write it",
            ));
        }
        if !programme.period.years.contains(&line.year) {
            findings.push(Finding::refusal(
                Rule::YearUnknown,
                &place,
                format!("year {} is none of the programme's", line.year),
            ));
        }
        if !(1..=MOST.0).contains(&line.amount.0) {
            findings.push(Finding::refusal(
                Rule::AmountOutOfBounds,
                &place,
                "a line costs at least a dollar, and no more than a government has; correct the amount",
            ));
        }
        if line.indicators.is_empty() {
            findings.push(Finding::refusal(
                Rule::WorkWithoutIndicator,
                &place,
                "this work answers to no indicator; name one",
            ));
        }
        for indicator in &line.indicators {
            if !plan.indicators.iter().any(|known| known.id == *indicator) {
                findings.push(Finding::refusal(
                    Rule::IndicatorUnknown,
                    &place,
                    "this line names an indicator that the plan does not have; choose one of its own",
                ));
            }
        }
        for item in line.items.iter().filter(|item| !planned.contains(item)) {
            // the mandatory platform of a stage is planned by its evidence column
            let mandatory = programme.stages.iter().any(|stage| {
                let has_row = plan.assessment.row(&stage.id).is_some();
                has_row && stage.items.iter().any(|known| known.mandatory && known.id == *item)
            });
            if !mandatory {
                findings.push(Finding::refusal(
                    Rule::WorkOfUnplannedItem,
                    &place,
                    "this line serves an item that the self-assessment does not plan; plan it, or take it out",
                ));
            }
        }
    }
}

/// Sums, ratio and cap of each year.
fn subsidies(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    for subsidy in &plan.subsidies {
        let again = plan.subsidies.iter().filter(|other| other.year == subsidy.year).count() > 1;
        if again || !programme.period.years.contains(&subsidy.year) {
            findings.push(Finding::refusal(
                Rule::YearUnknown,
                format!("year {}", subsidy.year),
                "the table of subsidies has each year of the programme once; take this row out",
            ));
        }
    }
    for year in &programme.period.years {
        let place = format!("year {year}");
        let Some(subsidy) = plan.subsidy(*year) else {
            findings.push(Finding::refusal(
                Rule::YearMissing,
                &place,
                "the table of subsidies has no row of this year; add it, also where the government pays all",
            ));
            continue;
        };
        if plan.lines_of(*year).next().is_none() {
            findings.push(Finding::refusal(
                Rule::YearMissing,
                &place,
                "no budget line is of this year; describe its work, also where the government pays all",
            ));
        }
        let amounts = [subsidy.total, subsidy.own, subsidy.capital, subsidy.current];
        if amounts.iter().any(|amount| !(0..=MOST.0).contains(&amount.0)) {
            findings.push(Finding::refusal(
                Rule::AmountOutOfBounds,
                &place,
                "an amount is below zero or beyond what a government has; correct it",
            ));
            continue;
        }
        let sum: Money = plan.lines_of(*year).map(|line| line.amount).sum();
        if sum != subsidy.total {
            findings.push(Finding::refusal(
                Rule::SumDiffers,
                &place,
                format!(
                    "the budget lines make {}, the table says {}; correct one",
                    sum.grouped(),
                    subsidy.total.grouped()
                ),
            ));
        }
        let ministry = subsidy.ministry();
        if ministry.0 + subsidy.own.0 != subsidy.total.0 {
            findings.push(Finding::refusal(
                Rule::SplitDiffers,
                &place,
                format!(
                    "own share and subsidy make {}, the total is {}; correct one",
                    Money(ministry.0 + subsidy.own.0).grouped(),
                    subsidy.total.grouped()
                ),
            ));
        }
        for (kind, share) in [
            (super::Kind::Capital, subsidy.capital),
            (super::Kind::Current, subsidy.current),
        ] {
            let costs: Money = plan
                .lines_of(*year)
                .filter(|line| line.kind == kind)
                .map(|line| line.amount)
                .sum();
            if share > costs {
                findings.push(Finding::refusal(
                    Rule::SplitDiffers,
                    &place,
                    format!(
                        "the subsidy has {} of a kind of which the lines cost {}; move the difference",
                        share.grouped(),
                        costs.grouped()
                    ),
                ));
            }
        }
        let Some(most) = programme.most(&plan.government, subsidy.total) else {
            continue;
        };
        if ministry > most.by_ratio {
            findings.push(Finding::refusal(
                Rule::RatioExceeded,
                &place,
                format!(
                    "the subsidy is {}, at {} % it is {} at most; raise the own share",
                    ministry.grouped(),
                    most.percent,
                    most.by_ratio.grouped()
                ),
            ));
        }
        if ministry > programme.funding.cap {
            let message = format!(
                "the subsidy is {}, in principle it is {} at most; lower it, or give the reason of an exception",
                ministry.grouped(),
                programme.funding.cap.grouped()
            );
            let excused = plan
                .cap_exception
                .as_ref()
                .is_some_and(|reason| !reason.trim().is_empty());
            let of = if excused { Finding::warning } else { Finding::refusal };
            findings.push(of(Rule::CapExceeded, place, message));
        }
    }
}

/// The funded year's quarters: each once, rising, to all of the work and the year's total.
pub(crate) fn checkpoints(plan: &Plan, programme: &Programme, findings: &mut Vec<Finding>) {
    let (mut progress, mut spending) = (0, Money(0));
    for quarter in 1..=programme.plan.quarters {
        let place = format!("quarter {quarter}");
        let mut of_quarter = plan.checkpoints.iter().filter(|one| one.quarter == quarter);
        let (Some(one), None) = (of_quarter.next(), of_quarter.next()) else {
            findings.push(Finding::refusal(
                Rule::CheckpointMissing,
                &place,
                "each quarter has one checkpoint; add or put together",
            ));
            continue;
        };
        if one.text.trim().is_empty() {
            findings.push(Finding::refusal(
                Rule::TextMissing,
                &place,
                "say what shall stand at the end of this quarter",
            ));
        }
        if one.progress < progress || one.spending < spending {
            findings.push(Finding::refusal(
                Rule::CheckpointFalls,
                &place,
                "progress and spending are cumulative and can't fall; correct them",
            ));
        }
        (progress, spending) = (one.progress, one.spending);
        let total = plan
            .subsidy(programme.period.funded)
            .map_or(MOST, |subsidy| subsidy.total);
        if one.progress > 100 || one.spending > total {
            findings.push(Finding::refusal(
                Rule::CheckpointEnd,
                &place,
                "there is no more than all of the work and the year's total; correct them",
            ));
        } else if quarter == programme.plan.quarters && (one.progress, one.spending) != (100, total) {
            findings.push(Finding::refusal(
                Rule::CheckpointEnd,
                &place,
                "the last quarter ends with 100 % and the year's total; correct them",
            ));
        }
    }
    let strange = plan
        .checkpoints
        .iter()
        .find(|one| !(1..=programme.plan.quarters).contains(&one.quarter));
    if let Some(one) = strange {
        findings.push(Finding::refusal(
            Rule::CheckpointMissing,
            format!("quarter {}", one.quarter),
            "the programme has no such quarter; take it out",
        ));
    }
}

fn contact(plan: &Plan, findings: &mut Vec<Finding>) {
    let contact = &plan.contact;
    let full = [&contact.unit, &contact.name, &contact.telephone]
        .iter()
        .all(|text| !text.trim().is_empty());
    let mail = contact.email.split_once('@');
    if !full || mail.is_none_or(|(who, place)| who.is_empty() || !place.contains('.')) {
        findings.push(Finding::refusal(
            Rule::ContactIncomplete,
            "contact",
            "the contact has a unit, name, telephone and e-mail address; write all four",
        ));
    }
}
