//! Reading a programme folder: each file of one shape.

use std::collections::BTreeSet;
use std::path::Path;

use civic::{Mistake, Text};
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::sound;
use super::{
    Chapter, Criterion, Government, Indicator, Period, PlanRules, Programme, Reminders, ReviewRules, SimilarityRules,
    Stage,
};
use crate::clock::{Announcement, Clock, Move, NEEDED, Term, after};
use crate::correction::Correction;
use crate::execution::ExecutionRules;
use crate::funding::Funding;
use crate::mistake::{TextFile, at_top, names, suggest};
use crate::similarity::concepts;

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
const FILES: [&str; 9] = [
    "programme.toml",
    "announcements.toml",
    "items.toml",
    "tiers.csv",
    "chapters.toml",
    "criteria.toml",
    "indicators.toml",
    "boilerplate.txt",
    "concepts.txt",
];

/// What a check of a folder found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Name of the folder.
    pub id: String,
    /// What keeps the programme from being used.
    pub mistakes: Vec<Mistake>,
    /// What should be looked at.
    pub warnings: Vec<Mistake>,
    /// Worked cases that hold.
    pub cases: usize,
}

impl Report {
    /// Whether the programme can be used.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.mistakes.is_empty()
    }
}

/// Reads a folder and runs its worked cases; says everything that is wrong.
#[must_use]
pub fn check(folder: &Path) -> Report {
    let mut report = Report {
        id: folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        ..Report::default()
    };
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
        // a programme that lists none compares words as they stand
        let concepts = match TextFile::read(folder, "concepts.txt") {
            Ok(file) => concepts::read(&file, &mut mistakes),
            Err(_) if !folder.join("concepts.txt").exists() => Vec::new(),
            Err(mistake) => {
                mistakes.push(mistake);
                Vec::new()
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
            concepts,
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
        sound::main(&file, &programme, &mut mistakes);
        sound::items(&items.0, &programme, &mut mistakes);
        sound::chapters(&chapters.0, &programme, &mut mistakes);
        sound::criteria(&criteria.0, &programme, &mut mistakes);
        sound::indicators(&indicators.0, &programme, &mut mistakes);
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

/// Names of the worked cases of a folder.
pub(crate) fn cases(folder: &Path) -> Vec<String> {
    names(&folder.join("cases"), "toml")
        .into_iter()
        .map(|name| format!("cases/{name}"))
        .collect()
}
