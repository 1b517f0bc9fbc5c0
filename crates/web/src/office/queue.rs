//! The queue (待辦清單), the nearest legal deadline first. Its filters stand in the address, so that it can be kept and shared.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use cases::review::{self, Filter, QueueRow};
use cases::transition::{self, State as Step};
use cases::{CaseError, Staff};
use serde::Deserialize;

use super::Duty;
use crate::address::{application, onward};
use crate::components::{Banner, Choice, Colour, Pagination, Tag};
use crate::texts::Words;
use crate::visit::local;
use crate::{App, Frame, Posted, Problem, page};

/// Rows of one page.
const SIZE: u64 = 50;
/// Most cases taken at once.
const MOST: usize = 200;

/// States a queue can be narrowed to.
const STEPS: [Step; 7] = [
    Step::Submitted,
    Step::Review,
    Step::Correction,
    Step::Approved,
    Step::Refused,
    Step::Completed,
    Step::Withdrawn,
];

/// What the address asks for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    state: String,
    holder: String,
    service: String,
    finding: String,
    number: String,
    page: String,
    taken: String,
    missed: String,
}

impl Asked {
    fn filter(&self, staff: &Staff) -> Filter {
        let chosen = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Filter {
            services: None,
            states: STEPS
                .into_iter()
                .filter(|step| transition::name(*step) == self.state)
                .collect(),
            service: chosen(&self.service),
            assigned_to: (self.holder == "mine").then(|| staff.id.uuid()),
            unassigned: self.holder == "nobody",
            due_by: None,
            finding: chosen(&self.finding),
            number: chosen(&self.number).map(|number| number.to_uppercase()),
        }
    }

    /// The address of this view, up to what is added behind it.
    fn address(&self, state: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::for_suffix(String::from("/office?"), "/office?".len());
        let parts = [
            ("state", state),
            ("holder", &self.holder),
            ("service", &self.service),
            ("finding", &self.finding),
            ("number", &self.number),
        ];
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        let address = query.finish();
        if address.ends_with('?') {
            address
        } else {
            format!("{address}&")
        }
    }

    fn is_narrowed(&self) -> bool {
        [&self.state, &self.holder, &self.service, &self.finding, &self.number]
            .into_iter()
            .any(|text| !text.is_empty())
    }
}

struct Line {
    number: String,
    href: String,
    service: String,
    state: Tag,
    finding: Option<Tag>,
    deadline: String,
    left: Left,
    submitted: String,
    holder: String,
    /// Identifier and revision, where it can be taken.
    take: Option<String>,
}

/// How the legal clock stands, in words.
pub(super) struct Left {
    pub(super) text: String,
    pub(super) class: &'static str,
}

#[derive(Template)]
#[template(path = "office/queue.html")]
struct QueuePage {
    frame: Frame,
    staff: Staff,
    done: Option<Banner>,
    asked: Asked,
    counts: Vec<(String, String, i64, bool)>,
    holders: Vec<Choice>,
    services: Vec<Choice>,
    findings: Vec<Choice>,
    total: String,
    lines: Vec<Line>,
    can_take: bool,
    back: String,
    pagination: Pagination,
}

pub(super) fn state_tag(words: Words, state: Step) -> Tag {
    let name = transition::name(state);
    let colour = match state {
        Step::Submitted | Step::Review => Colour::Blue,
        Step::Correction => Colour::Yellow,
        Step::Approved | Step::Completed => Colour::Green,
        Step::Refused => Colour::Red,
        Step::Draft | Step::Withdrawn | Step::Disposed => Colour::Grey,
    };
    Tag::new(words.t(&format!("office-state-{name}")), colour)
}

pub(super) fn finding_tag(words: Words, finding: &str) -> Option<Tag> {
    let colour = match finding {
        "eligible" => Colour::Green,
        "ineligible" => Colour::Red,
        "open" => Colour::Yellow,
        _ => return None,
    };
    Some(Tag::new(words.t(&format!("office-finding-{finding}")), colour))
}

pub(super) fn left(words: Words, state: Step, stopped: bool, days: Option<i32>) -> Left {
    match (state, days) {
        (Step::Correction, _) => Left {
            text: words.t("office-clock-stopped"),
            class: "left--still",
        },
        _ if stopped => Left {
            text: words.t("office-clock-stopped"),
            class: "left--still",
        },
        (Step::Submitted | Step::Review, Some(days)) if days < 0 => Left {
            text: words.t1("office-days-late", "n", days.unsigned_abs()),
            class: "left--late",
        },
        (Step::Submitted | Step::Review, Some(0)) => Left {
            text: words.t("office-days-today"),
            class: "left--late",
        },
        (Step::Submitted | Step::Review, Some(days)) => Left {
            text: words.t1("office-days-left", "n", days),
            class: if days <= 5 { "left--soon" } else { "left--fine" },
        },
        (Step::Submitted | Step::Review, None) => Left {
            text: words.t("none"),
            class: "left--still",
        },
        _ => Left {
            text: words.t("office-clock-over"),
            class: "left--still",
        },
    }
}

fn line(words: Words, row: QueueRow) -> Line {
    let mut left = left(words, row.state, row.stopped, row.days_left);
    // from which day a case is marked is the service's to say
    if matches!(left.class, "left--soon" | "left--fine") {
        left.class = if row.urgent { "left--soon" } else { "left--fine" };
    }
    Line {
        href: format!("/office/cases/{}", row.id.uuid()),
        service: words.of(&row.service).to_owned(),
        state: state_tag(words, row.state),
        finding: row.finding.as_deref().and_then(|finding| finding_tag(words, finding)),
        deadline: row.deadline.map_or_else(|| words.t("none"), |day| short(words, day)),
        left,
        submitted: short(words, civic::legal_day(row.submitted)),
        holder: row.assigned.unwrap_or_else(|| words.t("office-holder-none")),
        take: (row.state == Step::Submitted).then(|| format!("{}:{}", row.id.uuid(), row.revision)),
        number: row.number,
    }
}

/// A day for a narrow column: `114/11/24`, or `2025-11-24` in English.
pub(super) fn short(words: Words, day: jiff::civil::Date) -> String {
    match words.language {
        civic::Language::ZhTw => civic::roc::short(day),
        _ => day.to_string(),
    }
}

fn choice(value: &str, label: String, chosen: &str) -> Choice {
    Choice {
        value: value.to_owned(),
        label,
        hint: None,
        chosen: value == chosen,
    }
}

/// `GET /office`
pub(super) async fn show(State(app): State<App>, duty: Duty, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let Duty { frame, staff } = duty;
    let words = frame.words;
    let number: u64 = asked.page.parse().unwrap_or(1).clamp(1, 1_000_000);
    let queue = review::queue(&app.desk, &staff, &asked.filter(&staff), (number - 1) * SIZE, SIZE).await?;
    let count = |step: Step| {
        queue
            .counts
            .iter()
            .find(|(state, _)| *state == step)
            .map_or(0, |(_, n)| *n)
    };
    let counts = STEPS.into_iter().map(|step| {
        let name = transition::name(step);
        let href = asked.address(name);
        (
            href.trim_end_matches('&').to_owned(),
            words.t(&format!("office-state-{name}")),
            count(step),
            asked.state == name,
        )
    });
    let lines: Vec<Line> = queue.rows.into_iter().map(|row| line(words, row)).collect();
    let moved = asked.taken.parse::<u32>().ok().zip(asked.missed.parse::<u32>().ok());
    let done = moved.map(|(taken, missed)| Banner {
        words,
        success: taken > 0,
        text: words.t1("office-queue-taken", "n", taken),
        detail: (missed > 0).then(|| words.t1("office-queue-missed", "n", missed)),
    });
    let page_of_queue = QueuePage {
        done,
        counts: counts.collect(),
        holders: ["mine", "nobody"]
            .into_iter()
            .map(|one| choice(one, words.t(&format!("office-holder-{one}")), &asked.holder))
            .collect(),
        services: review::services(&app.desk, &staff)
            .into_iter()
            .map(|(id, name)| choice(&id, words.of(&name).to_owned(), &asked.service))
            .collect(),
        findings: ["eligible", "ineligible", "open"]
            .into_iter()
            .map(|one| choice(one, words.t(&format!("office-finding-{one}")), &asked.finding))
            .collect(),
        total: words.t1("office-queue-total", "n", queue.total),
        can_take: lines.iter().any(|line| line.take.is_some()),
        lines,
        back: format!("{}page={number}", asked.address(&asked.state)),
        pagination: Pagination::new(
            words,
            number,
            queue.total,
            SIZE,
            format!("{}page=", asked.address(&asked.state)),
        ),
        asked,
        frame,
        staff,
    };
    page(&page_of_queue)
}

/// `POST /office/take`: one case by its button, or all that are ticked.
pub(super) async fn take(State(app): State<App>, duty: Duty, posted: Posted) -> Result<Response, Problem> {
    let one = posted.text("one");
    let ticked = posted.raw.get("take").map(Vec::as_slice).unwrap_or_default();
    let chosen: Vec<&str> = if one.is_empty() {
        ticked.iter().map(String::as_str).collect()
    } else {
        vec![one]
    };
    if chosen.len() > MOST {
        return Err(Problem::Unusable);
    }
    let (mut taken, mut missed) = (0_u32, 0_u32);
    for each in &chosen {
        let (id, revision) = each.split_once(':').ok_or(Problem::Unusable)?;
        let revision = revision.parse().map_err(|_| Problem::Unusable)?;
        match review::take(&app.desk, &duty.staff, application(id)?, revision).await {
            Ok(()) => taken += 1,
            Err(CaseError::Conflict(_) | CaseError::Illegal(_) | CaseError::NotFound(_)) => missed += 1,
            Err(error) => return Err(error.into()),
        }
    }
    if let (false, 1, Some((id, _))) = (one.is_empty(), taken, one.split_once(':')) {
        return Ok(onward(&format!("/office/cases/{id}?done=taken")));
    }
    let back = local(posted.text("back"));
    let back = if back.starts_with("/office?") { back } else { "/office?" };
    let between = if back.ends_with(['?', '&']) { "" } else { "&" };
    Ok(onward(&format!("{back}{between}taken={taken}&missed={missed}")))
}
