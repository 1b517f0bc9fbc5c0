//! The parts of a form that say what an agent may do: services, powers, the last day.

use cases::agents::{Power, View};
use civic::{Channel, roc};
use jiff::civil::Date;

use crate::components::{Choice, Control, Entry, Field, Row, SummaryList, Typed};
use crate::texts::Words;
use crate::{App, Posted};

/// The powers chosen before somebody chooses: to fill in, hand in and correct, and to read the letters about it.
const USUAL: [Power; 4] = [Power::Fill, Power::Submit, Power::Correct, Power::Letters];

/// What was typed.
#[derive(Default)]
pub(crate) struct Typing {
    /// Every field's values by name.
    pub(crate) raw: crate::posted::Raw,
    /// Whether nothing was posted yet.
    pub(crate) fresh: bool,
}

impl Typing {
    /// A form nobody has filled in.
    pub(crate) fn fresh() -> Typing {
        Typing {
            fresh: true,
            ..Typing::default()
        }
    }

    pub(crate) fn of(posted: Posted) -> Typing {
        Typing {
            raw: posted.raw,
            fresh: false,
        }
    }

    pub(crate) fn text(&self, name: &str) -> String {
        let value = self.raw.get(name).and_then(|values| values.first());
        value.map_or_else(String::new, |value| value.trim().to_owned())
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.raw.get(name).cloned().unwrap_or_default()
    }

    /// The powers chosen; words that are none are left out.
    pub(crate) fn powers(&self) -> Vec<Power> {
        self.list("powers")
            .iter()
            .filter_map(|word| Power::parse(word))
            .collect()
    }

    /// The day typed in ROC years, if it is one.
    pub(crate) fn until(&self) -> Option<Date> {
        let part = |name: &str| {
            civic::fold_width(&self.text(&format!("until.{name}")))
                .parse::<i16>()
                .ok()
        };
        let (year, month, day) = (part("year")?, part("month")?, part("day")?);
        roc::date(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
    }
}

/// A sentence for what is wrong with a field.
pub(crate) fn problem(words: Words, wrong: Option<(&'static str, &'static str)>, name: &str) -> Option<String> {
    let (field, problem) = wrong.filter(|(field, _)| *field == name)?;
    Some(words.t(&format!(
        "agent-error-{}-{}",
        field.replace('_', "-"),
        problem.replace('_', "-")
    )))
}

/// One line to type into.
pub(crate) fn line(
    words: Words,
    typing: &Typing,
    name: &'static str,
    (key, hint): (&str, Option<&str>),
    kind: &'static str,
) -> Field {
    Field {
        hint: hint.map(|hint| words.t(hint)),
        ..Field::new(
            words,
            name,
            words.t(key),
            Control::Input(Typed {
                value: typing.text(name),
                kind,
                width: 20,
                ..Typed::default()
            }),
        )
    }
}

/// The services that take applications by agents.
pub(crate) fn services(app: &App, words: Words, typing: &Typing) -> Field {
    let chosen = typing.list("services");
    let choices = app
        .desk
        .catalogue
        .all()
        .filter(|service| service.meta.channels.contains(&Channel::Agent))
        .map(|service| Choice {
            value: service.id.clone(),
            label: words.of(&service.meta.name).to_owned(),
            hint: None,
            chosen: chosen.contains(&service.id),
        });
    Field::new(
        words,
        "services",
        words.t("agent-services"),
        Control::Checkboxes(choices.collect()),
    )
}

/// What the agent may do and see.
pub(crate) fn powers(words: Words, typing: &Typing) -> Field {
    let chosen = typing.powers();
    let choices = Power::ALL.into_iter().map(|power| Choice {
        value: power.word().to_owned(),
        label: name(words, power),
        hint: Some(words.t(&format!("agent-power-hint-{}", power.word()))),
        chosen: chosen.contains(&power) || typing.fresh && USUAL.contains(&power),
    });
    Field {
        hint: Some(words.t("agent-powers-hint")),
        ..Field::new(
            words,
            "powers",
            words.t("agent-powers"),
            Control::Checkboxes(choices.collect()),
        )
    }
}

/// Name of a power.
pub(crate) fn name(words: Words, power: Power) -> String {
    words.t(&format!("agent-power-{}", power.word()))
}

/// The last day.
pub(crate) fn until(words: Words, typing: &Typing, example: Date, longest: i64) -> Field {
    let entry = |part: &str, label: &str, width, fresh: String| Entry {
        part: part.to_owned(),
        label: words.t(label),
        value: if typing.fresh {
            fresh
        } else {
            typing.text(&format!("until.{part}"))
        },
        width,
    };
    Field {
        hint: Some(words.t1("agent-until-hint", "days", longest)),
        ..Field::new(
            words,
            "until",
            words.t("agent-until"),
            Control::Boxes(vec![
                entry("year", "date-year", 4, roc::year(example).to_string()),
                entry("month", "date-month", 2, example.month().to_string()),
                entry("day", "date-day", 2, example.day().to_string()),
            ]),
        )
    }
}

/// An authorisation in a list of facts.
pub(crate) fn facts(words: Words, view: &View) -> SummaryList {
    let services: Vec<&str> = view.services.iter().map(|(_, text)| words.of(text)).collect();
    let powers = |acts: bool| {
        let names: Vec<String> = view
            .powers
            .iter()
            .filter(|power| power.is_act() == acts)
            .map(|power| name(words, *power))
            .collect();
        if names.is_empty() {
            words.t("none")
        } else {
            names.join("\n")
        }
    };
    let mut rows = vec![
        Row::new(words.t("agent-services"), services.join("\n")),
        Row::new(words.t("agent-may-do"), powers(true)),
        Row::new(words.t("agent-may-see"), powers(false)),
        Row::new(words.t("agent-until"), words.date(view.until)),
        Row::new(words.t("agent-offered-at"), words.time(view.offered)),
    ];
    if let Some(at) = view.accepted {
        rows.push(Row::new(words.t("agent-accepted-at"), words.time(at)));
    }
    if let Some(at) = view.ended {
        let by = view.ended_by.as_deref().unwrap_or("time");
        rows.push(Row {
            note: Some(words.t(&format!("agent-ended-by-{by}"))),
            ..Row::new(words.t("agent-ended-at"), words.time(at))
        });
    }
    SummaryList { rows }
}
