//! What the files of a programme folder must say, each for itself and of each other.

use std::collections::BTreeSet;

use civic::Mistake;

use super::{ChapterKind, Programme};
use crate::mistake::{TextFile, at_top, suggest};

/// Most characters that a programme may ask of every text on personal data: more would refuse plans that are short and sound.
const MOST_LEAST: usize = 500;

pub(super) fn main(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
    let mut wrong = |path: &str, message: String, suggestion: &str| {
        mistakes.push(file.mistake_at(path, message, Some(suggestion.to_owned())));
    };
    let period = &programme.period;
    if period.from > period.through {
        wrong(
            "period.through",
            "the period ends before it begins".to_owned(),
            "compare it with `from`",
        );
    }
    let covered: Vec<i16> = (civic::roc::year(period.from)..=civic::roc::year(period.through)).collect();
    if period.years != covered {
        wrong(
            "period.years",
            "these are not the years of the period".to_owned(),
            &format!("write `years = {covered:?}`"),
        );
    }
    if !period.years.contains(&period.funded) {
        wrong(
            "period.funded",
            format!("year {} is none of the period", period.funded),
            "name one of `years`",
        );
    }
    if !(1..=crate::funding::MOST.0).contains(&programme.funding.cap.0) {
        wrong(
            "funding.cap",
            "this can't be a cap".to_owned(),
            "write NT dollars, as 4_500_000",
        );
    }
    let mut tiers = BTreeSet::new();
    for (index, ratio) in programme.funding.ratio.iter().enumerate() {
        if !tiers.insert(ratio.tier) {
            wrong(
                &format!("funding.ratio.{index}.tier"),
                format!("there are two ratios of tier {}", ratio.tier),
                "remove one",
            );
        }
        if !(1..=100).contains(&ratio.percent) {
            wrong(
                &format!("funding.ratio.{index}.percent"),
                format!("{} % is no share", ratio.percent),
                "write 1 to 100",
            );
        }
    }
    for government in programme.governments.iter().filter(|one| !tiers.contains(&one.tier)) {
        wrong(
            "funding.ratio",
            format!(
                "there is no ratio of tier {}, which `{}` has",
                government.tier, government.id
            ),
            "add it",
        );
    }
    if programme.correction.late_percent > 100 {
        wrong(
            "correction.late_percent",
            "more than all can't be taken off".to_owned(),
            "write 0 to 100",
        );
    }
    let rules = &programme.similarity;
    if !(4..=64).contains(&rules.shingle) || rules.passage < rules.shingle {
        wrong(
            "similarity.shingle",
            "a shingle has 4 to 64 characters, and a passage at least as many".to_owned(),
            "write `shingle = 10` and `passage = 40`",
        );
    }
    for (name, percent) in [
        ("flag_percent", rules.flag_percent),
        ("lexical_percent", rules.lexical_percent),
        ("lexical_share", rules.lexical_share),
    ] {
        if !(1..=100).contains(&percent) {
            wrong(
                &format!("similarity.{name}"),
                format!("{percent} % is no share"),
                "write 1 to 100",
            );
        }
    }
    if !(1..=4).contains(&programme.plan.quarters) {
        wrong(
            "plan.quarters",
            "a year has 1 to 4 quarters".to_owned(),
            "write `quarters = 4`",
        );
    }
    if !(1..=MOST_LEAST).contains(&programme.plan.personal_data_at_least) {
        wrong(
            "plan.personal_data_at_least",
            format!("a text on personal data has 1 to {MOST_LEAST} characters at least"),
            "write `personal_data_at_least = 20`",
        );
    }
    for (index, word) in programme.plan.says_nothing.iter().enumerate() {
        if word.is_empty() || !word.chars().all(char::is_alphanumeric) {
            wrong(
                &format!("plan.says_nothing.{index}"),
                format!("`{word}` is no word of letters and digits"),
                "leave spaces and punctuation out: they count for nothing anyway",
            );
        }
    }
    for quarter in 1..=programme.plan.quarters.min(4) {
        let clock = crate::clock::report(quarter);
        if programme.clock(&clock).is_none() {
            wrong(
                "clock",
                format!("there is no clock `{clock}`"),
                "add a `[[clock]]` of that id, by which the report of the quarter is sent",
            );
        }
    }
    let rules = &programme.execution;
    for (name, percent) in [
        ("behind_progress", rules.behind_progress),
        ("behind_spending", rules.behind_spending),
    ] {
        if !(1..=100).contains(&percent) {
            wrong(
                &format!("execution.{name}"),
                format!("{percent} % is no share"),
                "write 1 to 100",
            );
        }
    }
}

/// Ids of one list: each once, letters, digits, `.`, `-` and `_` only, so that they can stand in addresses and documents.
fn ids<'a>(file: &TextFile, listed: impl Iterator<Item = (String, &'a str)>, mistakes: &mut Vec<Mistake>) {
    let mut seen = BTreeSet::new();
    for (path, id) in listed {
        let sound = (1..=40).contains(&id.len())
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !sound {
            mistakes.push(file.mistake_at(
                &path,
                format!("`{id}` can't be an id"),
                Some("use letters, digits, `.`, `-` and `_`, 40 at most".to_owned()),
            ));
        }
        if !seen.insert(id) {
            mistakes.push(file.mistake_at(&path, format!("`{id}` stands twice"), Some("rename one".to_owned())));
        }
    }
}

pub(super) fn items(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
    let stages = &programme.stages;
    let listed = stages.iter().enumerate();
    ids(
        file,
        listed.map(|(at, one)| (format!("stage.{at}.id"), one.id.as_str())),
        mistakes,
    );
    let items = stages.iter().enumerate().flat_map(|(at, stage)| {
        let items = stage.items.iter().enumerate();
        items.map(move |(item, one)| (format!("stage.{at}.item.{item}.id"), one.id.as_str()))
    });
    ids(file, items, mistakes);
    for (at, stage) in stages.iter().enumerate() {
        if stage.designated().next().is_none() {
            mistakes.push(file.mistake_at(
                &format!("stage.{at}.id"),
                format!("the stage `{}` has no designated item", stage.id),
                Some("add a `[[stage.item]]`".to_owned()),
            ));
        }
        for (need, id) in stage.needs.iter().enumerate() {
            let before = stages.iter().take(at).map(|stage| stage.id.as_str());
            if !before.clone().any(|known| known == id) {
                mistakes.push(file.mistake_at(
                    &format!("stage.{at}.needs.{need}"),
                    format!("`{id}` is no stage before `{}`", stage.id),
                    suggest(id, before),
                ));
            }
        }
        for (index, item) in stage.items.iter().enumerate() {
            let groups = stage.groups.iter().map(|group| group.id.as_str());
            let path = format!("stage.{at}.item.{index}");
            match &item.group {
                Some(group) if stage.group(group).is_none() => mistakes.push(file.mistake_at(
                    &format!("{path}.group"),
                    format!("there is no group `{group}`"),
                    suggest(group, groups),
                )),
                None if !stage.groups.is_empty() && !item.mandatory => mistakes.push(file.mistake_at(
                    &format!("{path}.id"),
                    format!("`{}` stands in no group", item.id),
                    suggest("", groups),
                )),
                _ => {}
            }
        }
    }
}

pub(super) fn chapters(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
    let chapters = programme.chapters.iter().enumerate();
    ids(
        file,
        chapters
            .clone()
            .map(|(at, one)| (format!("chapter.{at}.id"), one.id.as_str())),
        mistakes,
    );
    for (at, chapter) in chapters {
        let sections = chapter.sections.iter().enumerate();
        let paths = sections.map(|(index, one)| (format!("chapter.{at}.section.{index}.id"), one.id.as_str()));
        ids(file, paths, mistakes);
        if chapter.id == "plan" {
            mistakes.push(file.mistake_at(
                &format!("chapter.{at}.id"),
                "`plan` names the plan's own fields in a document",
                Some("choose another id".to_owned()),
            ));
        }
        if chapter.kind != ChapterKind::Text && !chapter.sections.is_empty() {
            mistakes.push(file.mistake_at(
                &format!("chapter.{at}.kind"),
                "a chapter that is a table has no sections",
                Some("take the sections out".to_owned()),
            ));
        }
    }
    for kind in [
        ChapterKind::Indicators,
        ChapterKind::Budget,
        ChapterKind::Subsidy,
        ChapterKind::Checkpoints,
        ChapterKind::Contact,
    ] {
        if programme.chapters.iter().filter(|chapter| chapter.kind == kind).count() != 1 {
            let name = format!("{kind:?}").to_lowercase();
            mistakes.push(at_top(
                &file.name,
                format!("a plan has one chapter of the kind `{name}`"),
                "write one, or remove the others",
            ));
        }
    }
}

pub(super) fn criteria(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
    let criteria = programme.criteria.iter().enumerate();
    ids(
        file,
        criteria
            .clone()
            .map(|(at, one)| (format!("criterion.{at}.id"), one.id.as_str())),
        mistakes,
    );
    let total: u32 = criteria.clone().map(|(_, one)| u32::from(one.points)).sum();
    if total != 100 {
        mistakes.push(file.mistake_at(
            "criterion",
            format!("the points of all criteria make {total}"),
            Some("with the bonus they make 100".to_owned()),
        ));
    }
}

pub(super) fn indicators(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
    let indicators = programme.indicators.iter().enumerate();
    ids(
        file,
        indicators
            .clone()
            .map(|(at, one)| (format!("indicator.{at}.id"), one.id.as_str())),
        mistakes,
    );
    for (at, indicator) in indicators {
        let known = indicator.inputs.iter().map(|input| input.id.as_str());
        for (index, reading) in indicator.readings.iter().enumerate() {
            for input in reading.formula.inputs() {
                if !known.clone().any(|one| one == input) {
                    mistakes.push(file.mistake_at(
                        &format!("indicator.{at}.reading.{index}.formula"),
                        format!("`{input}` is no input of `{}`", indicator.id),
                        suggest(input, known.clone()),
                    ));
                }
            }
        }
        for input in indicator
            .live
            .keys()
            .filter(|input| !known.clone().any(|one| one == *input))
        {
            mistakes.push(file.mistake_at(
                &format!("indicator.{at}.live.{input}"),
                format!("`{input}` is no input of `{}`", indicator.id),
                suggest(input, known.clone()),
            ));
        }
        if let Some(missing) = known
            .clone()
            .find(|input| !indicator.live.is_empty() && !indicator.live.contains_key(*input))
        {
            mistakes.push(file.mistake_at(
                &format!("indicator.{at}.live"),
                format!("`{missing}` has no live count"),
                Some("say what counts for it, or leave `live` out".to_owned()),
            ));
        }
        if indicator.readings.iter().filter(|reading| reading.printed).count() != 1 {
            mistakes.push(file.mistake_at(
                &format!("indicator.{at}.id"),
                format!("one reading of `{}` is the printed one", indicator.id),
                Some("write `printed = true` once".to_owned()),
            ));
        }
        for (index, target) in indicator.targets.iter().enumerate() {
            if !programme.period.years.contains(&target.year) {
                mistakes.push(file.mistake_at(
                    &format!("indicator.{at}.targets.{index}.year"),
                    format!("year {} is none of the period", target.year),
                    Some("name one of `years` of programme.toml".to_owned()),
                ));
            }
        }
    }
}
