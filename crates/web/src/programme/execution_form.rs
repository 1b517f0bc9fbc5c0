//! The form of a filing: its fields, what stands in them, and the filing they make.

use std::collections::BTreeMap;

use civic::Money;
use grants::execution::{Change, Completion, Report, Reported, Request};
use grants::plan::Checkpoint;
use grants::programme::Indicator;
use jiff::civil::Date;
use subsidies::{Execution, Filing, Kind};

use super::fields::Group;
use super::{dollars, lines, put, share};
use crate::components::{Control, Field, Typed};
use crate::posted::{Raw, first};
use crate::texts::Words;

/// Numbers of the platform for a year, by indicator.
pub(super) type Counted = BTreeMap<String, BTreeMap<String, i64>>;

/// The numbers of an indicator under the names its formula gives them.
pub(super) fn counts(words: Words, printed: &Indicator, numbers: &BTreeMap<String, i64>) -> String {
    let counts = printed.inputs.iter().map(|input| {
        let number = numbers.get(&input.id).copied().unwrap_or_default();
        format!("{} {number}", words.of(&input.title))
    });
    counts.collect::<Vec<_>>().join("、")
}

/// What stands in the fields of a filing.
pub(super) fn values(all: &Execution, filing: &Filing) -> Raw {
    let mut raw = Raw::new();
    match filing {
        Filing::Report(report) => {
            put(&mut raw, "progress", report.progress.to_string());
            put(&mut raw, "spending", report.spending.grouped());
            put(&mut raw, "done", &report.done);
            put(&mut raw, "reason", &report.reason);
        }
        Filing::Change(change) => {
            put(&mut raw, "change", &change.what);
            put(&mut raw, "why", &change.why);
            for one in &change.checkpoints {
                let stem = format!("quarter.{}", one.quarter);
                put(&mut raw, format!("{stem}.progress"), one.progress.to_string());
                put(&mut raw, format!("{stem}.spending"), one.spending.grouped());
                put(&mut raw, format!("{stem}.text"), &one.text);
            }
        }
        Filing::Completion(completion) => {
            put(&mut raw, "on", completion.on.to_string());
            put(&mut raw, "text", &completion.text);
        }
        Filing::Request(request) => {
            put(&mut raw, "accepted_on", request.accepted_on.to_string());
            for (at, spent) in request.spent.iter().enumerate() {
                put(&mut raw, format!("spent.{at}"), spent.grouped());
            }
            put(&mut raw, "note", &request.note);
        }
        Filing::Results(reported) => {
            for (at, indicator) in all.plan.indicators.iter().enumerate() {
                let Some(said) = reported.get(&indicator.id) else {
                    continue;
                };
                put(&mut raw, format!("text.{at}"), &said.text);
                for (input, number) in &said.numbers {
                    put(&mut raw, format!("value.{at}.{input}"), number.to_string());
                }
            }
        }
    }
    raw
}

/// What stands in the fields of one that is not written yet.
pub(super) fn blank(all: &Execution, kind: Kind) -> Raw {
    match kind {
        Kind::Change => {
            let change = Change {
                checkpoints: all.plan.checkpoints.clone(),
                ..Change::default()
            };
            values(all, &Filing::Change(change))
        }
        Kind::Report | Kind::Completion | Kind::Request | Kind::Results => Raw::new(),
    }
}

/// The fields of a form.
pub(super) struct FilingForm<'a> {
    pub(super) words: Words,
    pub(super) all: &'a Execution,
    pub(super) raw: &'a Raw,
    /// Field and what is wrong with it.
    pub(super) wrong: &'a [(String, String)],
    pub(super) counted: &'a Counted,
}

impl FilingForm<'_> {
    fn value(&self, name: &str) -> String {
        first(self.raw, name).to_owned()
    }

    fn field(&self, name: &str, label: String, control: Control) -> Field {
        self.told(Field::new(self.words, name, label, control))
    }

    /// With what is wrong with it.
    fn told(&self, mut field: Field) -> Field {
        let wrong = self.wrong.iter().find(|(at, _)| *at == field.name);
        field.error = wrong.map(|(_, text)| text.clone());
        field
    }

    fn area(&self, name: &str, key: &str, rows: u8) -> Field {
        let value = self.value(name);
        self.told(Field::keyed(self.words, name, key, Control::TextArea { value, rows }))
    }

    fn day(&self, name: &str, key: &str) -> Field {
        let typed = Typed {
            value: self.value(name),
            kind: "date",
            width: 10,
            ..Typed::default()
        };
        self.field(name, self.words.t(key), Control::Input(typed))
    }

    fn number(&self, name: &str, label: String, width: u8, suffix: Option<String>) -> Field {
        let typed = Typed {
            value: self.value(name),
            mode: "numeric",
            width,
            suffix,
            ..Typed::default()
        };
        self.field(name, label, Control::Input(typed))
    }

    fn percent(&self, name: &str, key: &str) -> Field {
        self.number(name, self.words.t(key), 3, Some("%".to_owned()))
    }

    fn money(&self, name: &str, label: String) -> Field {
        self.number(name, label, 10, Some(self.words.t("programme-dollars")))
    }

    fn single(field: Field) -> Group {
        Group {
            fields: vec![field],
            ..Group::default()
        }
    }

    /// The groups of a kind.
    pub(super) fn groups(&self, kind: Kind) -> Vec<Group> {
        let words = self.words;
        match kind {
            Kind::Report => {
                let mut reason = self.area("reason", "programme-report-reason", 4);
                reason.optional = true;
                vec![
                    Self::single(self.percent("progress", "programme-real-progress")),
                    Self::single(self.money("spending", words.t("programme-real-spending"))),
                    Self::single(self.area("done", "programme-report-done", 6)),
                    Self::single(reason),
                ]
            }
            Kind::Change => {
                let mut groups = vec![
                    Self::single(self.area("change", "programme-change-what", 4)),
                    Self::single(self.area("why", "programme-change-why", 4)),
                ];
                groups.extend(self.all.quarters.iter().map(|one| {
                    let quarter = one.planned.quarter;
                    let stem = format!("quarter.{quarter}");
                    let id = format!("quarter-{quarter}");
                    let here = self.wrong.iter().filter(|(at, _)| *at == id);
                    let mut fields = vec![
                        self.percent(&format!("{stem}.progress"), "programme-checkpoint-progress"),
                        self.money(&format!("{stem}.spending"), words.t("programme-checkpoint-spending")),
                        self.area(&format!("{stem}.text"), "programme-checkpoint-text", 2),
                    ];
                    if one.report.is_some()
                        && let Some(first) = fields.first_mut()
                    {
                        first.hint = Some(words.t("programme-quarter-reported"));
                    }
                    Group {
                        wrong: here.map(|(_, text)| text.clone()).collect(),
                        title: words.t1("programme-quarter-n", "n", quarter),
                        id,
                        fields,
                        hidden: Vec::new(),
                    }
                }));
                groups
            }
            Kind::Completion => vec![
                Self::single(self.day("on", "programme-completion-on")),
                Self::single(self.area("text", "programme-completion-text", 5)),
            ],
            Kind::Request => {
                let mut groups = vec![Self::single(self.day("accepted_on", "programme-accepted-on"))];
                let planned = self.all.plan.lines_of(self.all.programme.period.funded).enumerate();
                let fields = planned.map(|(at, line)| {
                    let mut field = self.money(&format!("spent.{at}"), line.work.clone());
                    field.hint = Some(words.t1("programme-spent-planned", "planned", words.money(line.amount.0)));
                    field
                });
                groups.push(Group {
                    id: "spent".to_owned(),
                    title: words.t("programme-spent"),
                    fields: fields.collect(),
                    ..Group::default()
                });
                groups.push(Self::single(self.area("note", "programme-request-note", 4)));
                groups
            }
            Kind::Results => {
                let indicators = self.all.plan.indicators.iter().enumerate();
                indicators
                    .map(|(at, indicator)| self.indicator(at, indicator))
                    .collect()
            }
        }
    }

    fn indicator(&self, at: usize, indicator: &grants::plan::PlanIndicator) -> Group {
        let words = self.words;
        let printed = indicator.printed.as_deref();
        let printed = printed.and_then(|id| self.all.programme.indicator(id));
        let mut fields = Vec::new();
        let mut told = Vec::new();
        match (self.counted.get(&indicator.id), printed) {
            (Some(numbers), Some(printed)) => {
                let counts = counts(words, printed, numbers);
                told.push(words.t1("programme-counted-now", "counts", counts));
            }
            (None, Some(printed)) => {
                for input in &printed.inputs {
                    let label = words.of(&input.title).to_owned();
                    fields.push(self.number(&format!("value.{at}.{}", input.id), label, 10, None));
                }
            }
            (_, None) => {}
        }
        let mut text = self.area(&format!("text.{at}"), "programme-reached-text", 2);
        text.optional = printed.is_some();
        if !told.is_empty() {
            text.hint = Some(told.concat());
        }
        fields.push(text);
        let id = format!("indicator-{}", at + 1);
        let here = self.wrong.iter().filter(|(at, _)| *at == id);
        Group {
            wrong: here.map(|(_, text)| text.clone()).collect(),
            title: format!("{} {}", indicator.id, indicator.title),
            id,
            fields,
            hidden: Vec::new(),
        }
    }
}

/// The filing that fields make.
///
/// # Errors
/// Each field that can't be read, and the key of what to say there.
pub(super) fn read(all: &Execution, kind: Kind, number: i32, raw: &Raw) -> Result<Filing, Vec<(String, &'static str)>> {
    let mut wrong: Vec<(String, &'static str)> = Vec::new();
    let text = |name: &str| lines(raw, name);
    let mut money = |name: &str| match dollars(&text(name)) {
        Ok(Some(amount)) => amount,
        Ok(None) | Err(()) => {
            wrong.push((name.to_owned(), "programme-wrong-amount"));
            Money(0)
        }
    };
    let filing = match kind {
        Kind::Report => {
            let spending = money("spending");
            let progress = percent(raw, "progress", &mut wrong);
            Filing::Report(Report {
                quarter: u8::try_from(number).unwrap_or_default(),
                progress,
                spending,
                done: text("done"),
                reason: text("reason"),
            })
        }
        Kind::Change => {
            let mut checkpoints = Vec::new();
            for one in &all.quarters {
                let quarter = one.planned.quarter;
                let stem = format!("quarter.{quarter}");
                checkpoints.push(Checkpoint {
                    quarter,
                    progress: 0,
                    spending: money(&format!("{stem}.spending")),
                    text: text(&format!("{stem}.text")),
                });
            }
            for one in &mut checkpoints {
                one.progress = percent(raw, &format!("quarter.{}.progress", one.quarter), &mut wrong);
            }
            Filing::Change(Change {
                what: text("change"),
                why: text("why"),
                checkpoints,
            })
        }
        Kind::Completion => Filing::Completion(Completion {
            on: day(raw, "on", &mut wrong),
            text: text("text"),
        }),
        Kind::Request => {
            let count = all.plan.lines_of(all.programme.period.funded).count();
            let spent = (0..count).map(|at| money(&format!("spent.{at}"))).collect();
            Filing::Request(Request {
                spent,
                accepted_on: day(raw, "accepted_on", &mut wrong),
                note: text("note"),
            })
        }
        Kind::Results => {
            let mut reported = BTreeMap::new();
            for (at, indicator) in all.plan.indicators.iter().enumerate() {
                let mut said = Reported {
                    text: text(&format!("text.{at}")),
                    ..Reported::default()
                };
                let printed = indicator.printed.as_deref();
                let printed = printed.and_then(|id| all.programme.indicator(id));
                for input in printed.iter().flat_map(|printed| &printed.inputs) {
                    let name = format!("value.{at}.{}", input.id);
                    match dollars(&text(&name)) {
                        Ok(Some(number)) => {
                            said.numbers.insert(input.id.clone(), number.0);
                        }
                        Ok(None) => {}
                        Err(()) => wrong.push((name, "programme-wrong-number")),
                    }
                }
                reported.insert(indicator.id.clone(), said);
            }
            Filing::Results(reported)
        }
    };
    if wrong.is_empty() { Ok(filing) } else { Err(wrong) }
}

fn percent(raw: &Raw, name: &str, wrong: &mut Vec<(String, &'static str)>) -> u8 {
    share(first(raw, name)).ok().flatten().unwrap_or_else(|| {
        wrong.push((name.to_owned(), "programme-wrong-percent"));
        0
    })
}

/// A day as browsers send it.
pub(super) fn day(raw: &Raw, name: &str, wrong: &mut Vec<(String, &'static str)>) -> Date {
    lines(raw, name).parse().unwrap_or_else(|_| {
        wrong.push((name.to_owned(), "programme-wrong-day"));
        Date::MIN
    })
}
