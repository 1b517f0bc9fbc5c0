//! Everything that can be said about a folder without a server: mistakes, warnings, worked examples run, letters made.

use std::path::Path;

use rules::{Branch, CaseInput, Mistake, Person, Values};
use serde::Serialize;

use crate::catalogue::Datasets;
use crate::folder::{TextFile, at_top, names};
use crate::form::APPLICANT;
use crate::letter::{KINDS, LetterError, RECOVERY, sample};
use crate::roll::Of;
use crate::service::Service;
use crate::{example, vocabulary};

/// What a check of one folder found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Name of the folder.
    pub id: String,
    /// What must be put right before the service can be offered.
    pub mistakes: Vec<Mistake>,
    /// What should be looked at, such as figures not yet compared with their announcement.
    pub warnings: Vec<Mistake>,
    /// Worked examples that were run.
    pub examples: usize,
    /// Letters that were made from sample data.
    pub letters: usize,
    /// Branches of the rules, when the worked examples could be decided.
    pub branches: usize,
    /// Those among them that no worked example goes through.
    pub untested: Vec<Branch>,
    /// Digest of the service, when it could be read.
    pub digest: Option<String>,
}

impl Report {
    /// Whether the service can be offered.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.mistakes.is_empty()
    }
}

/// Checks a folder. `datasets` is the folder whose `mydata` and `wallet` tell how sets and cards are read; without it
/// what comes from there is not checked.
#[must_use]
pub fn check(folder: &Path, datasets: Option<&Path>) -> Report {
    let id = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut report = Report {
        id,
        ..Report::default()
    };
    if !folder.is_dir() {
        report.mistakes.push(at_top(
            ".",
            "there is no such folder".to_owned(),
            "`tongban service new` makes one",
        ));
        return report;
    }
    let known = datasets.map(|datasets| Datasets::load(datasets).0);
    report.warnings.extend(unverified(folder));
    let (examples, wrong) = example::load(folder);
    match Service::load(folder, known.as_ref()) {
        Ok(service) => {
            report.digest = Some(service.digest.clone());
            report.mistakes.extend(example::run(&service.rules, &examples));
            report.examples = examples.len();
            let cases = examples.iter().map(|example| (example.given(), example.on()));
            if let Ok(coverage) = service.rules.coverage(cases) {
                report.branches = coverage.all();
                report.untested = coverage.missing().into_iter().cloned().collect();
            }
            let (shared, undecided) = vocabulary::check(folder, &service);
            report.mistakes.extend(shared);
            report.warnings.extend(undecided);
            report.warnings.extend(service.messages.untranslated());
            let on = examples.iter().map(example::Example::on).max();
            let amounts = on.map(|on| amounts(&service, on)).unwrap_or_default();
            let recovery = service.meta.recovery.as_ref().map(|_| RECOVERY);
            let change = service.meta.change.as_ref().map(|_| "change");
            let review = service.rolls.as_ref().filter(|rolls| rolls.of == Of::InForce);
            let later = [change, review.map(|_| "review")].into_iter().flatten();
            let later = later.flat_map(|why| KINDS.map(|kind| (kind, Some(why))));
            let kinds = KINDS.into_iter().chain(recovery).map(|kind| (kind, None));
            for (kind, why) in kinds.chain(later) {
                let rounds = service.rounds.as_ref();
                let data = sample(kind, &service.meta, &service.rules, &amounts, rounds, why);
                match service.letter_with_report(kind, &data) {
                    Ok(letter) => {
                        report.letters += usize::from(why.is_none());
                        report.warnings.extend(letter.warnings);
                        let rare: Vec<String> = letter
                            .missing
                            .iter()
                            .map(|c| format!("「{c}」 (U+{:04X})", u32::from(*c)))
                            .collect();
                        if !rare.is_empty() {
                            let message = format!("the letter font has no {}", rare.join(", "));
                            report.warnings.push(at_top(
                                &format!("letters/{kind}.typ"),
                                message,
                                "names and titles in service.toml and rules.toml should use other characters",
                            ));
                        }
                    }
                    Err(LetterError::Template(mistake)) => report.mistakes.push(*mistake),
                    Err(error) => report.mistakes.push(at_top(
                        &format!("letters/{kind}.typ"),
                        error.to_string(),
                        "try `tongban service check` again after correcting it",
                    )),
                }
            }
        }
        Err(mistakes) => report.mistakes.extend(mistakes),
    }
    report.mistakes.extend(wrong);
    for list in [&mut report.mistakes, &mut report.warnings] {
        list.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
        list.dedup();
    }
    report
}

/// Names of the amounts the rules give.
fn amounts(service: &Service, on: jiff::civil::Date) -> Vec<String> {
    let nobody = Person {
        id: APPLICANT.to_owned(),
        applicant: true,
        values: Values::new(),
    };
    let case = CaseInput {
        persons: vec![nobody],
        ..CaseInput::default()
    };
    service
        .rules
        .decide(&case, on)
        .map(|decision| decision.amounts.into_keys().collect())
        .unwrap_or_default()
}

/// Rows of parameters whose source says `verify`: the figure has not been compared with its announcement yet.
fn unverified(folder: &Path) -> Vec<Mistake> {
    let mut warnings = Vec::new();
    for name in names(&folder.join("parameters"), "csv") {
        let Ok(file) = TextFile::read(folder, &format!("parameters/{name}")) else {
            continue;
        };
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(file.text.as_bytes());
        let Some(source) = reader
            .headers()
            .ok()
            .and_then(|header| header.iter().position(|title| title.trim() == "source"))
        else {
            continue;
        };
        for record in reader.records().flatten() {
            let Some(text) = record.get(source).filter(|text| text.contains("verify")) else {
                continue;
            };
            let line = record
                .position()
                .and_then(|at| usize::try_from(at.line()).ok())
                .unwrap_or(0);
            let what = text
                .trim()
                .trim_start_matches("verify")
                .trim_start_matches([':', '：', ' ']);
            warnings.push(crate::folder::mistake(
                &file.name,
                line,
                1,
                format!("this figure is not verified: {what}"),
                Some("compare it with the announcement, then take `verify` out of its source".to_owned()),
            ));
        }
    }
    warnings
}
