//! Reading a programme folder: each file of one shape, then what the files must say of each other.

use std::collections::BTreeSet;
use std::path::Path;

use civic::Text;
use jiff::civil::{Date, DateTime};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Chapter, ChapterKind, Criterion, Government, Indicator, Period, PlanRules, Programme, Reminders, ReviewRules,
    SimilarityRules, Stage,
};
use crate::clock::{Announcement, Clock, Move, NEEDED, Term, after};
use crate::correction::Correction;
use crate::execution::ExecutionRules;
use crate::funding::Funding;
use crate::mistake::{Mistake, TextFile, at_top, names, suggest};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgrammeFile {
    id: Spanned<String>,
    name: Text,
    ministry: Text,
    basis: Text,
    goals: Text,
    applicants: Text,
    priority: Text,
    period: Period,
    funding: Funding,
    clock: Vec<Spanned<ClockFile>>,
    correction: Correction,
    reminders: Reminders,
    plan: PlanRules,
    execution: ExecutionRules,
    similarity: SimilarityRules,
    review: ReviewRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockFile {
    id: String,
    title: Text,
    opens: Option<DateTime>,
    until: Option<DateTime>,
    through: Option<Date>,
    late: Text,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnouncementsFile {
    pub announcement: Vec<Spanned<AnnouncementFile>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnouncementFile {
    number: String,
    published: DateTime,
    reason: Text,
    #[serde(rename = "move")]
    moves: Vec<Spanned<MoveFile>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveFile {
    clock: Spanned<String>,
    opens: Option<DateTime>,
    until: Option<DateTime>,
    through: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemsFile {
    stage: Vec<Stage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChaptersFile {
    chapter: Vec<Chapter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CriteriaFile {
    criterion: Vec<Criterion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicatorsFile {
    indicator: Vec<Indicator>,
}

#[derive(Deserialize)]
struct Row {
    government: String,
    name: String,
    tier: String,
    source: String,
}

/// Files a folder may have beside `cases/`.
const FILES: [&str; 8] = [
    "programme.toml",
    "announcements.toml",
    "items.toml",
    "tiers.csv",
    "chapters.toml",
    "criteria.toml",
    "indicators.toml",
    "boilerplate.txt",
];

/// What a check of a folder found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What keeps the programme from being used.
    pub mistakes: Vec<Mistake>,
    /// What should be looked at.
    pub warnings: Vec<Mistake>,
    /// Worked cases that hold.
    pub cases: usize,
}

/// Reads a folder and runs its worked cases; says everything that is wrong.
#[must_use]
pub fn check(folder: &Path) -> Report {
    let mut report = Report::default();
    match Programme::load(folder) {
        Err(mistakes) => report.mistakes = mistakes,
        Ok(programme) => {
            let (cases, mistakes) = crate::case::run(&programme, folder);
            report.cases = cases;
            report.mistakes = mistakes;
            report.warnings = unverified(folder);
        }
    }
    for list in [&mut report.mistakes, &mut report.warnings] {
        list.sort();
        list.dedup();
    }
    report
}

impl Programme {
    /// Reads a folder whole. The format stands in `docs/reference/programme-folder.md`.
    ///
    /// # Errors
    /// Every [`Mistake`] with file, line and column.
    pub fn load(folder: &Path) -> Result<Programme, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let main = read::<ProgrammeFile>(folder, "programme.toml", &mut mistakes);
        let items = read::<ItemsFile>(folder, "items.toml", &mut mistakes);
        let chapters = read::<ChaptersFile>(folder, "chapters.toml", &mut mistakes);
        let criteria = read::<CriteriaFile>(folder, "criteria.toml", &mut mistakes);
        let indicators = read::<IndicatorsFile>(folder, "indicators.toml", &mut mistakes);
        let announcements = folder
            .join("announcements.toml")
            .exists()
            .then(|| read::<AnnouncementsFile>(folder, "announcements.toml", &mut mistakes));
        let boilerplate = match TextFile::read(folder, "boilerplate.txt") {
            Ok(file) => file.text,
            Err(mistake) => {
                mistakes.push(mistake);
                String::new()
            }
        };
        let governments = tiers(folder, &mut mistakes);
        mistakes.extend(unread(folder));
        let (Some(main), Some(items), Some(chapters), Some(criteria), Some(indicators)) =
            (main, items, chapters, criteria, indicators)
        else {
            mistakes.sort();
            return Err(mistakes);
        };
        let (file, read) = main;
        let clocks = clocks(&file, read.clock, &mut mistakes);
        let known: Vec<&str> = clocks.iter().map(|clock| clock.id.as_str()).collect();
        let announcements = match announcements {
            Some(Some((file, read))) => announced(&file, read.announcement, &known, &mut mistakes),
            _ => Vec::new(),
        };
        let programme = Programme {
            id: read.id.get_ref().clone(),
            name: read.name,
            ministry: read.ministry,
            basis: read.basis,
            goals: read.goals,
            applicants: read.applicants,
            priority: read.priority,
            period: read.period,
            funding: read.funding,
            clocks,
            announcements,
            correction: read.correction,
            reminders: read.reminders,
            plan: read.plan,
            execution: read.execution,
            similarity: read.similarity,
            review: read.review,
            stages: items.1.stage,
            governments,
            chapters: chapters.1.chapter,
            criteria: criteria.1.criterion,
            indicators: indicators.1.indicator,
            boilerplate: boilerplate.lines().map(str::to_owned).collect(),
        };
        let folder_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        if folder_name.as_deref() != Some(programme.id.as_str()) {
            let folder = folder_name.unwrap_or_default();
            mistakes.push(file.mistake(
                &read.id.span(),
                format!("the id is `{}`, the folder `{folder}`", programme.id),
                Some(format!("write `id = \"{folder}\"`")),
            ));
        }
        check_main(&file, &programme, &mut mistakes);
        check_items(&items.0, &programme, &mut mistakes);
        check_chapters(&chapters.0, &programme, &mut mistakes);
        check_criteria(&criteria.0, &programme, &mut mistakes);
        check_indicators(&indicators.0, &programme, &mut mistakes);
        if mistakes.is_empty() {
            Ok(programme)
        } else {
            mistakes.sort();
            Err(mistakes)
        }
    }
}

/// Reads one file and looks for texts that are not translated.
fn read<T: serde::de::DeserializeOwned>(
    folder: &Path,
    name: &str,
    mistakes: &mut Vec<Mistake>,
) -> Option<(TextFile, T)> {
    let file = TextFile::read(folder, name)
        .map_err(|mistake| mistakes.push(mistake))
        .ok()?;
    mistakes.extend(file.untranslated());
    let read = file.parse().map_err(|mistake| mistakes.push(mistake)).ok()?;
    Some((file, read))
}

/// Files of the folder that nothing reads.
fn unread(folder: &Path) -> Vec<Mistake> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let strange = names.filter(|name| !name.starts_with('.') && name != "cases" && !FILES.contains(&name.as_str()));
    strange
        .map(|name| {
            at_top(
                &name,
                "nothing reads this file".to_owned(),
                "move it into `cases/`, or remove it",
            )
        })
        .collect()
}

/// Opening and end of a clock; `until` is the first moment too late, `through` a day that counts whole.
fn end(until: Option<DateTime>, through: Option<Date>) -> Result<Option<DateTime>, &'static str> {
    match (until, through) {
        (Some(_), Some(_)) => Err("a clock has one end"),
        (until, through) => Ok(until.or(through.map(after))),
    }
}

const ONE_END: &str =
    "write `until = \"2024-05-31T17:00\"`, the first moment too late, or `through = \"2025-10-31\"`, a whole day";

fn clocks(file: &TextFile, read: Vec<Spanned<ClockFile>>, mistakes: &mut Vec<Mistake>) -> Vec<Clock> {
    let mut clocks: Vec<Clock> = Vec::new();
    let mut named = BTreeSet::new();
    for one in read {
        let span = one.span();
        let one = one.into_inner();
        let mut wrong = |message: String, suggestion: &str| {
            mistakes.push(file.mistake(&span, message, Some(suggestion.to_owned())));
        };
        if !named.insert(one.id.clone()) {
            wrong(format!("there are two clocks `{}`", one.id), "remove one");
        }
        let closes = match end(one.until, one.through) {
            Ok(Some(closes)) => closes,
            Ok(None) => {
                wrong(format!("the clock `{}` has no end", one.id), ONE_END);
                continue;
            }
            Err(message) => {
                wrong(message.to_owned(), ONE_END);
                continue;
            }
        };
        if one.opens.is_some_and(|opens| opens >= closes) {
            wrong(
                format!("the clock `{}` ends before it opens", one.id),
                "compare `opens` with its end",
            );
        }
        clocks.push(Clock {
            id: one.id,
            title: one.title,
            term: Term {
                opens: one.opens,
                closes,
            },
            late: one.late,
            source: one.source,
        });
    }
    for needed in NEEDED {
        if !named.contains(needed) {
            mistakes.push(at_top(
                &file.name,
                format!("there is no clock `{needed}`"),
                "add a `[[clock]]` of that id",
            ));
        }
    }
    clocks
}

/// Announcements in the order of their publication.
pub(crate) fn announced(
    file: &TextFile,
    read: Vec<Spanned<AnnouncementFile>>,
    clocks: &[&str],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Announcement> {
    let mut announcements: Vec<Announcement> = Vec::new();
    for one in read {
        let span = one.span();
        let one = one.into_inner();
        let mut moves = Vec::new();
        for moved in one.moves {
            let at = moved.span();
            let moved = moved.into_inner();
            let clock = moved.clock.get_ref();
            if !clocks.contains(&clock.as_str()) {
                mistakes.push(file.mistake(
                    &moved.clock.span(),
                    format!("there is no clock `{clock}`"),
                    suggest(clock, clocks.iter().copied()),
                ));
            }
            match end(moved.until, moved.through) {
                Ok(closes) if closes.is_some() || moved.opens.is_some() => moves.push(Move {
                    clock: clock.clone(),
                    opens: moved.opens,
                    closes,
                }),
                Ok(_) => mistakes.push(file.mistake(
                    &at,
                    format!("this does not say where the clock `{clock}` moves to"),
                    Some(ONE_END.to_owned()),
                )),
                Err(message) => mistakes.push(file.mistake(&at, message, Some(ONE_END.to_owned()))),
            }
        }
        if announcements.last().is_some_and(|last| last.published > one.published) {
            mistakes.push(file.mistake(
                &span,
                "this announcement is older than the one before",
                Some("put announcements in the order of their publication".to_owned()),
            ));
        }
        announcements.push(Announcement {
            number: one.number,
            published: one.published,
            reason: one.reason,
            moves,
        });
    }
    announcements
}

fn tiers(folder: &Path, mistakes: &mut Vec<Mistake>) -> Vec<Government> {
    let file = match TextFile::read(folder, "tiers.csv") {
        Ok(file) => file,
        Err(mistake) => {
            mistakes.push(mistake);
            return Vec::new();
        }
    };
    let mut governments: Vec<Government> = Vec::new();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(file.text.as_bytes());
    let header = reader.headers().cloned().unwrap_or_default();
    for record in reader.records() {
        let place = |at: Option<&csv::Position>| Mistake {
            file: file.name.clone(),
            line: at.and_then(|at| usize::try_from(at.line()).ok()).unwrap_or(1),
            column: 1,
            message: String::new(),
            suggestion: None,
        };
        let mut wrong = |at: Option<&csv::Position>, message: String, suggestion: &str| {
            mistakes.push(Mistake {
                message,
                suggestion: Some(suggestion.to_owned()),
                ..place(at)
            });
        };
        let shape = "a line reads `TPE,臺北市,1,source of the tier`, under the header `government,name,tier,source`";
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                wrong(
                    error.position(),
                    "this line has another number of columns".to_owned(),
                    shape,
                );
                continue;
            }
        };
        let at = record.position();
        let Ok(row) = record.deserialize::<Row>(Some(&header)) else {
            wrong(at, "this is no line of the table".to_owned(), shape);
            continue;
        };
        let Ok(tier) = row.tier.parse::<u8>() else {
            wrong(
                at,
                format!("`{}` is no tier", row.tier),
                "write a number, 1 is the richest",
            );
            continue;
        };
        if row.source.is_empty() {
            wrong(at, "this tier has no source".to_owned(), "name the announcement");
        }
        if governments
            .iter()
            .any(|known| known.id == row.government || known.name == row.name)
        {
            wrong(at, format!("`{}` stands twice", row.government), "remove one line");
        }
        governments.push(Government {
            id: row.government,
            name: row.name,
            tier,
            source: row.source,
        });
    }
    if governments.is_empty() {
        mistakes.push(at_top(
            &file.name,
            "nobody may apply".to_owned(),
            "add a line for each government",
        ));
    }
    governments
}

/// Tiers whose source says `verify`: not compared with the announcement yet.
fn unverified(folder: &Path) -> Vec<Mistake> {
    let Ok(file) = TextFile::read(folder, "tiers.csv") else {
        return Vec::new();
    };
    let count = file.text.lines().filter(|line| line.contains(",verify")).count();
    if count == 0 {
        return Vec::new();
    }
    vec![at_top(
        &file.name,
        format!("{count} tiers are not verified"),
        "compare them with the announcement, then take `verify` out of their sources",
    )]
}

fn check_main(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
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

fn check_items(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
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

fn check_chapters(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
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

fn check_criteria(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
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

fn check_indicators(file: &TextFile, programme: &Programme, mistakes: &mut Vec<Mistake>) {
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

/// Names of the worked cases of a folder.
pub(crate) fn cases(folder: &Path) -> Vec<String> {
    names(&folder.join("cases"), "toml")
        .into_iter()
        .map(|name| format!("cases/{name}"))
        .collect()
}
