//! How a plan that is carried out is shown: quarters, what was handed in, what is paid. Government and ministry read the same.

use civic::Money;
use grants::clock::{ACCEPT, COMPLETE, Phase};
use grants::execution::{Risk, Shown, Step, What, percent, results};
use grants::indicator::Computed;
use subsidies::{Execution, Filed, Filing, FilingState, Kind, Settled};

use super::minute;
use crate::components::{Cell, Colour, Head, Row, SummaryList, Table, Tag};
use crate::texts::Words;

/// A thing to do, as a line.
pub(super) struct StepView {
    pub(super) name: String,
    /// The way to it; nothing where it can't be done yet, or no more.
    pub(super) href: Option<String>,
    pub(super) when: String,
    pub(super) tag: Option<Tag>,
}

/// Something that was handed in, as a section.
pub(super) struct FiledView {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) state: Tag,
    pub(super) when: String,
    pub(super) facts: SummaryList,
    pub(super) answer: Option<String>,
}

/// The word of a kind in addresses.
pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Report => "report",
        Kind::Change => "change",
        Kind::Completion => "completion",
        Kind::Request => "request",
        Kind::Results => "results",
    }
}

/// The kind a word names.
pub(super) fn kind(word_of: &str) -> Option<Kind> {
    let all = [
        Kind::Report,
        Kind::Change,
        Kind::Completion,
        Kind::Request,
        Kind::Results,
    ];
    all.into_iter().find(|kind| word(*kind) == word_of)
}

/// What people call a filing.
pub(super) fn name(words: Words, kind: Kind, number: i32) -> String {
    match kind {
        Kind::Report => words.t1("programme-filing-report", "n", number),
        Kind::Change => words.t1("programme-filing-change", "n", number),
        Kind::Completion => words.t("programme-filing-completion"),
        Kind::Request => words.t("programme-filing-request"),
        Kind::Results => words.t1("programme-filing-results", "year", number),
    }
}

/// What a line of the history is about, where it is a filing.
pub(super) fn noted(words: Words, note: &str) -> Option<String> {
    let (of, number) = note.split_once(':')?;
    Some(name(words, kind(of)?, number.parse().ok()?))
}

/// How far a filing has come.
pub(super) fn filing_state(words: Words, kind: Kind, state: FilingState) -> Tag {
    let (key, colour) = match (state, kind) {
        (FilingState::Draft, _) => ("programme-filing-draft", Colour::Blue),
        (FilingState::Sent, _) => ("programme-filing-sent", Colour::Yellow),
        (FilingState::Returned, _) => ("programme-filing-returned", Colour::Red),
        (FilingState::Accepted, Kind::Change) => ("programme-filing-granted", Colour::Green),
        (FilingState::Accepted, _) => ("programme-filing-accepted", Colour::Green),
        (FilingState::Refused, _) => ("programme-filing-refused", Colour::Red),
    };
    Tag::new(words.t(key), colour)
}

/// What is behind, in words.
pub(super) fn risk(words: Words, risk: Risk) -> String {
    match risk {
        Risk::Progress { points } => words.t1("programme-risk-progress", "points", points),
        Risk::Spending { percent } => words.t1("programme-risk-spending", "percent", percent),
        Risk::Late { days } => words.t1("programme-risk-late", "days", days),
        Risk::Missing { days } => words.t1("programme-risk-missing", "days", days),
    }
}

/// What a step asks for.
pub(super) fn what(words: Words, what: What) -> String {
    match what {
        What::Report { quarter } => name(words, Kind::Report, i32::from(quarter)),
        What::Complete => name(words, Kind::Completion, 1),
        What::Request => name(words, Kind::Request, 1),
    }
}

/// What is next, each with its way; `here` is the address of the plan's execution.
pub(super) fn steps(words: Words, all: &Execution, here: &str) -> Vec<StepView> {
    let settled = all.settled.is_some();
    let steps = all
        .steps
        .iter()
        .filter(|step| !settled || matches!(step.what, What::Report { .. }));
    let mut views: Vec<StepView> = steps.map(|step| step_view(words, all, step, here)).collect();
    let back = all.filings.iter().filter(|one| one.kind == Kind::Results);
    let back = back.filter(|one| one.state == FilingState::Returned);
    views.extend(back.map(|one| returned(words, one, format!("{here}/results/{}", one.number))));
    views
}

/// What the ministry gave back, with its reason.
fn returned(words: Words, one: &Filed, href: String) -> StepView {
    StepView {
        name: name(words, one.kind, one.number),
        href: Some(href),
        when: one.answer.clone().unwrap_or_default(),
        tag: Some(filing_state(words, one.kind, one.state)),
    }
}

fn step_view(words: Words, all: &Execution, step: &Step, here: &str) -> StepView {
    let (kind, number) = match step.what {
        What::Report { quarter } => (Kind::Report, i32::from(quarter)),
        What::Complete => (Kind::Completion, 1),
        What::Request => (Kind::Request, 1),
    };
    let href = format!("{here}/{}/{number}", word(kind));
    if let Some(back) = all.filed(kind, number).filter(|one| one.state == FilingState::Returned) {
        return returned(words, back, href);
    }
    let day = words.date(step.term.last_day());
    let when = match (step.phase, step.term.opens) {
        _ if step.lapsed => words.t("programme-step-lapsed"),
        (Phase::Before, Some(opens)) => words.with(
            "programme-step-opens",
            &[("opens", words.date(opens.date())), ("day", day)],
        ),
        (Phase::Over, _) => words.t1("programme-step-was", "day", day),
        _ => words.with(
            "programme-step-days",
            &[("day", day), ("days", step.days.max(0).to_string())],
        ),
    };
    let tag = match step.phase {
        Phase::Over => Some(Tag::new(
            words.t1("programme-step-late", "days", step.days.saturating_neg()),
            Colour::Red,
        )),
        _ if step.pressing => Some(Tag::new(words.t("programme-step-soon"), Colour::Yellow)),
        _ => None,
    };
    StepView {
        name: name(words, kind, number),
        href: (step.phase != Phase::Before && !step.lapsed).then_some(href),
        when,
        tag,
    }
}

/// An amount with its share of a total.
fn share(words: Words, amount: Money, total: Money) -> String {
    words.with(
        "programme-share",
        &[
            ("amount", amount.grouped()),
            ("percent", percent(amount, total).to_string()),
        ],
    )
}

/// All costs of the funded year.
pub(super) fn total(all: &Execution) -> Money {
    all.plan
        .subsidy(all.programme.period.funded)
        .map_or(Money(0), |subsidy| subsidy.total)
}

/// Quarter by quarter what was planned and reported; with `here` each leads to its report.
pub(super) fn quarters(words: Words, all: &Execution, here: Option<&str>) -> Table {
    let total = total(all);
    let rows = all.quarters.iter().map(|one| {
        let quarter = one.planned.quarter;
        let title = words.t1("programme-quarter-n", "n", quarter);
        let none = || words.t("none");
        let first = match here {
            Some(here) => Cell::link(title, format!("{here}/report/{quarter}")),
            None => Cell::text(title),
        };
        let risks: Vec<String> = one.risks.iter().map(|one| risk(words, *one)).collect();
        vec![
            first,
            Cell::text(&one.planned.text),
            Cell::text(format!("{}%", one.planned.progress)),
            Cell::text(
                one.report
                    .as_ref()
                    .map_or_else(none, |report| format!("{}%", report.progress)),
            ),
            Cell::text(share(words, one.planned.spending, total)),
            Cell::text(
                one.report
                    .as_ref()
                    .map_or_else(none, |report| share(words, report.spending, total)),
            ),
            match one.state {
                Some(state) => Cell::tag(filing_state(words, Kind::Report, state)),
                None => Cell::text(none()),
            },
            match risks.is_empty() {
                true => Cell::text(none()),
                false => Cell::tag(Tag::new(risks.join("、"), Colour::Red)),
            },
        ]
    });
    Table {
        caption: words.t("programme-quarters"),
        head: vec![
            Head::text(words.t("programme-checkpoint-quarter")),
            Head::text(words.t("programme-checkpoint-text")),
            Head::number(words.t("programme-planned-progress")),
            Head::number(words.t("programme-real-progress")),
            Head::number(words.t("programme-planned-spending")),
            Head::number(words.t("programme-real-spending")),
            Head::text(words.t("programme-report-state")),
            Head::text(words.t("programme-behind-risks")),
        ],
        rows: rows.collect(),
    }
}

/// A value of a reading: `66.67%`, `4.25`, `3`.
fn value(hundredths: i128, percent: bool) -> String {
    let text = super::hundredths(i64::try_from(hundredths).unwrap_or(i64::MAX));
    let text = text.strip_suffix(".00").map_or(text.clone(), str::to_owned);
    if percent { format!("{text}%") } else { text }
}

/// Every reading of an indicator under its name, the printed formula first.
pub(super) fn readings(words: Words, all: &[Computed]) -> Vec<String> {
    // a printed formula beside its evident intent may even fall while things get better, so the intent alone is judged
    let (printed, meant): (Vec<&Computed>, Vec<&Computed>) = all.iter().partition(|one| one.printed);
    let is_judged = |one: &Computed| !one.printed || meant.is_empty();
    let lines = printed.iter().chain(&meant).copied().map(|reading| {
        let title = words.of(&reading.title);
        let Some(found) = reading.value else {
            return words.t1("programme-reading-none", "title", title);
        };
        let key = match reading.met {
            _ if !is_judged(reading) => "programme-reading-printed",
            Some(true) => "programme-reading-met",
            Some(false) => "programme-reading-missed",
            None => "programme-reading",
        };
        let found = value(found.hundredths(reading.percent), reading.percent);
        words.with(key, &[("title", title.to_owned()), ("value", found)])
    });
    lines.collect()
}

/// Indicators beside their targets, every reading under its name.
pub(super) fn indicators(words: Words, shown: &[Shown]) -> SummaryList {
    let rows = shown.iter().map(|one| {
        let mut lines = vec![words.t1("programme-target-of", "target", one.target.as_str())];
        lines.extend(readings(words, &one.readings));
        if !one.text.trim().is_empty() {
            lines.push(words.t1("programme-reached", "text", one.text.as_str()));
        }
        if !one.reported {
            lines.push(words.t("programme-not-reported"));
        }
        let mut row = Row::new(format!("{} {}", one.id, one.title), lines.join("\n"));
        row.note = one.live.then(|| words.t("programme-counted-live"));
        row
    });
    SummaryList { rows: rows.collect() }
}

/// What a filing says, each line beside what it is held against.
pub(super) fn content(words: Words, all: &Execution, filed: &Filed, filing: &Filing) -> SummaryList {
    let mut rows = Vec::new();
    match filing {
        Filing::Report(report) => {
            let total = total(all);
            let quarter = all.quarters.iter().find(|one| one.planned.quarter == report.quarter);
            let planned = quarter.map(|one| &one.planned);
            let of = |key: &str, real: String, planned: Option<String>| {
                let planned = planned.unwrap_or_default();
                let value = words.with("programme-real-of-planned", &[("real", real), ("planned", planned)]);
                Row::new(words.t(key), value)
            };
            rows.push(of(
                "programme-real-progress",
                format!("{}%", report.progress),
                planned.map(|one| format!("{}%", one.progress)),
            ));
            rows.push(of(
                "programme-real-spending",
                share(words, report.spending, total),
                planned.map(|one| share(words, one.spending, total)),
            ));
            rows.push(Row::new(words.t("programme-report-done"), &report.done));
            if !report.reason.trim().is_empty() {
                rows.push(Row::new(words.t("programme-report-reason"), &report.reason));
            }
            let risks = quarter.map_or(&[][..], |one| &one.risks);
            if !risks.is_empty() {
                let told: Vec<String> = risks.iter().map(|one| risk(words, *one)).collect();
                rows.push(Row::new(words.t("programme-behind-risks"), told.join("\n")));
            }
        }
        Filing::Change(change) => {
            rows.push(Row::new(words.t("programme-change-what"), &change.what));
            rows.push(Row::new(words.t("programme-change-why"), &change.why));
            for after in &change.checkpoints {
                let before = all.plan.checkpoints.iter().find(|one| one.quarter == after.quarter);
                // a change that was granted is in the plan already, and is shown as it reads now
                if filed.state != FilingState::Accepted && before == Some(after) {
                    continue;
                }
                let told = |one: &grants::plan::Checkpoint| {
                    format!("{}% · {} · {}", one.progress, words.money(one.spending.0), one.text)
                };
                let value = match before {
                    Some(before) if before != after => words.with(
                        "programme-change-from-to",
                        &[("from", told(before)), ("to", told(after))],
                    ),
                    _ => told(after),
                };
                rows.push(Row::new(words.t1("programme-quarter-n", "n", after.quarter), value));
            }
        }
        Filing::Completion(completion) => {
            let days = filed
                .sent_at
                .map_or(0, |at| all.programme.late_day(COMPLETE, completion.on, at));
            rows.push(dated(words, "programme-completion-on", completion.on, days));
            rows.push(Row::new(words.t("programme-completion-text"), &completion.text));
        }
        Filing::Request(request) => {
            rows.push(Row::new(
                words.t("programme-accepted-on"),
                words.date(request.accepted_on),
            ));
            let lines = all.plan.lines_of(all.programme.period.funded);
            for (line, spent) in lines.zip(&request.spent) {
                let value = words.with(
                    "programme-spent-of-planned",
                    &[("spent", words.money(spent.0)), ("planned", words.money(line.amount.0))],
                );
                rows.push(Row::new(&line.work, value));
            }
            let sum: Money = request.spent.iter().copied().sum();
            rows.push(Row::new(words.t("programme-spent-sum"), words.money(sum.0)));
            rows.push(Row::new(words.t("programme-request-note"), &request.note));
            let days = filed.first_sent_at.map_or(0, |at| all.programme.late(ACCEPT, at));
            if days > 0 {
                rows.push(Row::new(
                    words.t("programme-behind-risks"),
                    words.t1("programme-risk-late", "days", days),
                ));
            }
        }
        Filing::Results(reported) => {
            let year = i16::try_from(filed.number).unwrap_or_default();
            // a draft may lack numbers; what is there is shown as far as it can be computed
            if let Ok(shown) = results(&all.plan, &all.programme, year, reported) {
                return indicators(words, &shown);
            }
        }
    }
    SummaryList { rows }
}

/// A day, and by how much it is late.
fn dated(words: Words, key: &str, day: jiff::civil::Date, late: u16) -> Row {
    let mut value = words.date(day);
    if late > 0 {
        value = format!("{value}\n{}", words.t1("programme-risk-late", "days", late));
    }
    Row::new(words.t(key), value)
}

/// A filing with what it says.
pub(super) fn view(words: Words, all: &Execution, filed: &Filed) -> FiledView {
    let when = filed.sent_at.map_or_else(String::new, |at| {
        words.t1("programme-filing-sent-at", "at", words.time(at))
    });
    FiledView {
        id: format!("{}-{}", word(filed.kind), filed.number),
        title: name(words, filed.kind, filed.number),
        state: filing_state(words, filed.kind, filed.state),
        when,
        facts: content(words, all, filed, filed.sent.as_ref().unwrap_or(&filed.content)),
        answer: filed.answer.clone().filter(|answer| !answer.is_empty()),
    }
}

/// How the amount paid comes about.
pub(super) fn settlement(words: Words, all: &Execution, settled: &Settled) -> SummaryList {
    let amounts = &settled.amounts.amounts;
    let mut rows = Vec::new();
    let lines = all.plan.lines_of(all.programme.period.funded);
    for (line, spent) in lines.zip(&settled.amounts.lines) {
        let value = match spent.struck.0 {
            0 => words.money(spent.amount.0),
            _ => words.with(
                "programme-spent-struck",
                &[
                    ("spent", words.money(spent.amount.0)),
                    ("struck", words.money(spent.struck.0)),
                ],
            ),
        };
        rows.push(Row::new(&line.work, value));
    }
    let ratio = words.with(
        "programme-by-ratio-value",
        &[
            ("amount", words.money(amounts.by_ratio.0)),
            ("percent", amounts.percent.to_string()),
        ],
    );
    rows.push(Row::new(words.t("programme-counted"), words.money(amounts.counted.0)));
    rows.push(Row::new(words.t("programme-by-ratio"), ratio));
    rows.push(Row::new(words.t("programme-kept"), words.money(amounts.kept.0)));
    rows.push(Row::new(words.t("programme-paid"), words.money(amounts.paid.0)));
    rows.push(Row::new(words.t("programme-own-part"), words.money(amounts.own.0)));
    rows.push(Row::new(words.t("programme-lapsed"), words.money(amounts.lapsed.0)));
    if !settled.note.is_empty() {
        rows.push(Row::new(words.t("programme-settle-note"), &settled.note));
    }
    rows.push(Row::new(words.t("programme-settled-at"), words.time(settled.at)));
    let payment = match &settled.payment {
        Some((day, reference)) => format!("{} · {reference}", words.date(*day)),
        None if amounts.paid.0 == 0 => words.t("programme-nothing-to-pay"),
        None => words.t("programme-not-paid-yet"),
    };
    rows.push(Row::new(words.t("programme-payment"), payment));
    SummaryList { rows }
}

/// Until when a change may be requested.
pub(super) fn change_until(words: Words, all: &Execution) -> String {
    match all.change {
        Some((term, Phase::Over)) => words.t1("programme-change-over", "closes", minute(words, term.closes)),
        Some((term, _)) => words.t1("programme-change-until", "closes", minute(words, term.closes)),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop where its ground gives way")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::programme::form::tests::programme;

    /// What is said of an indicator of the programme for year 114.
    fn said(id: &str, numbers: &[(&str, i64)]) -> String {
        let programme = programme();
        let numbers: BTreeMap<String, i64> = numbers.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        let readings = grants::indicator::compute(programme.indicator(id).unwrap(), &numbers, 114).unwrap();
        let shown = Shown {
            id: "K1".to_owned(),
            title: id.to_owned(),
            target: "20%".to_owned(),
            readings,
            text: String::new(),
            live: false,
            reported: true,
        };
        let list = indicators(Words::new(civic::Language::ZhTw), &[shown]);
        list.rows.first().unwrap().value.clone()
    }

    #[test]
    fn the_intent_is_judged_where_the_printed_formula_differs_from_it() {
        let printed = "（照所列公式計算，達標與否依下列用意判斷）";
        for (id, numbers, lines) in [
            (
                "clearance",
                &[("before", 5_000), ("after", 6_100)][..],
                [format!("81.97%{printed}"), "22%（達標）".to_owned()],
            ),
            // the printed formula rises while the rate falls
            (
                "clearance",
                &[("before", 6_100), ("after", 5_000)][..],
                [format!("122%{printed}"), "-18.03%（未達標）".to_owned()],
            ),
            (
                "satisfaction",
                &[
                    ("very_satisfied", 6),
                    ("satisfied", 1),
                    ("neutral", 0),
                    ("dissatisfied", 0),
                    ("very_dissatisfied", 3),
                ][..],
                [format!("3.70{printed}"), "70%（達標）".to_owned()],
            ),
            (
                "online",
                &[("online", 61), ("all", 100)][..],
                ["目標：20%".to_owned(), "61%（達標）".to_owned()],
            ),
        ] {
            let said = said(id, numbers);
            let found: Vec<&str> = said.lines().collect();
            let last_two = found.get(found.len() - 2..).unwrap();
            for (line, end) in last_two.iter().zip(&lines) {
                assert!(line.ends_with(end), "{id}: `{line}` does not end with `{end}`");
            }
        }
    }
}
