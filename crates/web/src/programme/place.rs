//! Where a finding of the checks leads to, and how it is said.

use grants::programme::ChapterKind;
use grants::{Finding, Programme, Severity};

use crate::texts::Words;

/// The name of the self-assessment among the parts of a plan.
pub(super) const ASSESSMENT: &str = "assessment";

/// A place of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The part it belongs to.
    pub(super) part: String,
    /// The stage, where the part is the self-assessment and the place is within a stage.
    pub(super) stage: Option<String>,
    /// Id of the element on the page; empty where it is the page as a whole.
    pub(super) anchor: String,
    /// What people call it.
    pub(super) name: String,
}

impl Place {
    /// The page and the element.
    pub(super) fn href(&self, plan: &str) -> String {
        let page = match (&self.stage, self.part.as_str()) {
            (Some(stage), _) => format!("{plan}/assessment/{stage}"),
            (None, ASSESSMENT) => format!("{plan}/assessment"),
            (None, part) => format!("{plan}/parts/{part}"),
        };
        match self.anchor.as_str() {
            "" => page,
            anchor => format!("{page}#{anchor}"),
        }
    }
}

/// The place that a finding names; nothing for one that is not in a part, such as the period.
pub(super) fn place(words: Words, programme: &Programme, place: &str) -> Option<Place> {
    let whole = |part: &str| Place {
        part: part.to_owned(),
        stage: None,
        anchor: String::new(),
        name: title(words, programme, part),
    };
    let line = |part: &str, stem: &str, number: &str, key: &str| Place {
        anchor: format!("{stem}-{number}"),
        name: words.t1(key, "n", number),
        ..whole(part)
    };
    if let Some(number) = place.strip_prefix("indicator ") {
        return Some(line("indicators", "indicator", number, "programme-indicator-n"));
    }
    if let Some(number) = place.strip_prefix("budget line ") {
        return Some(line("budget", "line", number, "programme-line-n"));
    }
    if let Some(number) = place.strip_prefix("year ") {
        return Some(line("subsidy", "year", number, "programme-year-n"));
    }
    if let Some(number) = place.strip_prefix("quarter ") {
        return Some(line("checkpoints", "quarter", number, "programme-quarter-n"));
    }
    if place == "rows" || place.starts_with("row ") {
        return Some(whole(ASSESSMENT));
    }
    if [
        "title",
        "indicators",
        "budget",
        "subsidy",
        "checkpoints",
        "contact",
        ASSESSMENT,
    ]
    .contains(&place)
    {
        return Some(whole(place));
    }
    if programme.text_ids().iter().any(|id| id == place) {
        return Some(whole(&format!("text:{place}")));
    }
    for stage in &programme.stages {
        let within = |anchor: String, name: String| Place {
            part: ASSESSMENT.to_owned(),
            stage: Some(stage.id.clone()),
            anchor,
            name,
        };
        if stage.id == place {
            return Some(within(
                String::new(),
                format!("{} {}", stage.id, words.of(&stage.title)),
            ));
        }
        if let Some(item) = stage.items.iter().find(|item| item.id == place) {
            return Some(within(
                format!("item-{place}"),
                format!("{} {}", item.id, words.of(&item.title)),
            ));
        }
        if let Some(group) = stage.group(place) {
            return Some(within(format!("group-{place}"), words.of(&group.title).to_owned()));
        }
        if let Some(number) = place.strip_prefix(&format!("{}.x", stage.id)) {
            return Some(within(
                format!("extra-{number}"),
                words.t1("programme-extra-n", "n", number),
            ));
        }
    }
    None
}

/// What people call a part: the chapter and, where it has several texts, the section.
pub(super) fn title(words: Words, programme: &Programme, part: &str) -> String {
    match part {
        "title" => return words.t("programme-title"),
        ASSESSMENT => return words.t("programme-assessment"),
        _ => {}
    }
    for (at, chapter) in programme.chapters.iter().enumerate() {
        let name = format!("{}. {}", at + 1, words.of(&chapter.title));
        let id = part.strip_prefix("text:");
        if id == Some(chapter.id.as_str()) || kind(chapter.kind) == Some(part) {
            return name;
        }
        let section = id.and_then(|id| id.strip_prefix(&chapter.id)?.strip_prefix('.'));
        if let Some(section) = section.and_then(|id| chapter.sections.iter().find(|one| one.id == id)) {
            return format!("{}. {}", at + 1, words.of(&section.title));
        }
    }
    part.to_owned()
}

/// The part that a chapter which is a table stands for.
pub(super) fn kind(kind: ChapterKind) -> Option<&'static str> {
    match kind {
        ChapterKind::Text => None,
        ChapterKind::Indicators => Some("indicators"),
        ChapterKind::Budget => Some("budget"),
        ChapterKind::Subsidy => Some("subsidy"),
        ChapterKind::Checkpoints => Some("checkpoints"),
        ChapterKind::Contact => Some("contact"),
    }
}

/// The names of all parts in the order in which a plan is written: the title, the self-assessment, then chapter by chapter.
pub(super) fn reading_order(programme: &Programme) -> Vec<String> {
    let mut parts = vec!["title".to_owned(), ASSESSMENT.to_owned()];
    for chapter in &programme.chapters {
        match kind(chapter.kind) {
            Some(part) => parts.push(part.to_owned()),
            None => parts.extend(chapter.text_ids().into_iter().map(|id| format!("text:{id}"))),
        }
    }
    parts
}

/// Address of a part within a plan.
pub(super) fn href(plan: &str, part: &str) -> String {
    match part {
        ASSESSMENT => format!("{plan}/assessment"),
        part => format!("{plan}/parts/{part}"),
    }
}

/// A finding as a page says it.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Where, with the way there.
    pub(super) place: Option<Place>,
    /// What is wrong and what to do.
    pub(super) text: String,
    /// Whether an official may accept it.
    pub(super) warning: bool,
}

/// Findings as pages say them, in the order in which a plan is read.
pub(super) fn said(words: Words, programme: &Programme, findings: &[Finding]) -> Vec<Said> {
    let all = findings.iter().map(|finding| Said {
        place: place(words, programme, &finding.place),
        text: text(words, finding),
        warning: finding.severity == Severity::Warning,
    });
    let mut all: Vec<Said> = all.collect();
    let order = reading_order(programme);
    all.sort_by_key(|one| {
        let part = one.place.as_ref().map(|place| &place.part);
        part.and_then(|part| order.iter().position(|known| known == part))
    });
    all
}

/// The words of a rule; its message where pages have none.
fn text(words: Words, finding: &Finding) -> String {
    let word = serde_json::to_value(finding.rule).ok();
    let word = word.as_ref().and_then(|word| word.as_str()).unwrap_or_default();
    let key = format!("programme-rule-{}", word.replace('_', "-"));
    match words.has(&key) {
        true => words.t(&key),
        false => finding.message.clone(),
    }
}
