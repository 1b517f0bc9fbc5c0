//! Worked cases: `cases/*.toml`, each what is given and what the programme says of it, with the source of the answer.
//!
//! A file holds cases of one kind. What a case expects is compared key by key with what the rules say; keys it leaves out
//! are not compared.

use std::collections::BTreeMap;
use std::path::Path;

use civic::{Mistake, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use toml::Spanned;

use crate::assessment::{self, Assessment};
use crate::clock::Announcement;
use crate::correction::{Deferral, Record, above_approved};
use crate::execution::{self, Done, Spent, What};
use crate::finding::Finding;
use crate::indicator;
use crate::mistake::{TextFile, at_top};
use crate::plan::{self, Contact, Plan};
use crate::programme::Programme;
use crate::programme::file::{AnnouncementsFile, announced, cases};
use crate::review::{Candidate, Panel, Sheet, Standing, allot, normalise, rank};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    kind: Kind,
    /// A plan that the cases of this file change.
    plan: Option<Spanned<toml::Value>>,
    case: Vec<Spanned<Case>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Clock,
    Reminder,
    Correction,
    Funding,
    Assessment,
    Plan,
    Indicator,
    Review,
    Rank,
    Allot,
    Late,
    Next,
    Report,
    Change,
    Settlement,
    Results,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    source: String,
    given: toml::Value,
    expect: toml::Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockGiven {
    clock: String,
    at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReminderGiven {
    on: Date,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectionGiven {
    commented: Date,
    handed_in: Option<Timestamp>,
    now: Timestamp,
    approved: Option<Money>,
    defer: Option<Deferral>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FundingGiven {
    government: String,
    total: Money,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndicatorGiven {
    indicator: String,
    year: i16,
    numbers: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanGiven {
    /// Values put in at a path such as `subsidy/0/own`.
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    /// Paths taken out.
    #[serde(default)]
    remove: Vec<String>,
    /// What the ministry approved, where the plan is the corrected one.
    approved: Option<Money>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewGiven {
    panel: Panel,
    sheets: Vec<ShortSheet>,
}

/// A sheet as a line of a case: the points by the order of the criteria.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortSheet {
    reviewer: String,
    government: String,
    tenths: Vec<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RankGiven {
    standings: Vec<Standing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllotGiven {
    budget: Money,
    candidates: Vec<Candidate>,
}

/// Something that arrives at a moment, or was done on a day and is told at a moment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LateGiven {
    clock: String,
    at: Timestamp,
    on: Option<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NextGiven {
    at: Timestamp,
    #[serde(default)]
    done: Done,
}

/// A report on the file's `plan`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportGiven {
    report: execution::Report,
    before: Option<execution::Report>,
    sent: Option<Timestamp>,
    now: Timestamp,
}

/// A change of the file's `plan`: values put in at paths of its checkpoints.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeGiven {
    #[serde(default)]
    set: BTreeMap<String, toml::Value>,
    #[serde(default)]
    reported: Vec<u8>,
}

/// Either what is kept, or what was approved and how the correction stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettlementGiven {
    government: String,
    approved: Money,
    commented: Option<Date>,
    handed_in: Option<Timestamp>,
    spent: Vec<Spent>,
}

/// What was reported of the indicators of the file's `plan`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultsGiven {
    year: i16,
    reported: BTreeMap<String, execution::Reported>,
}

/// Runs all cases of a folder; gives how many hold, and what is wrong with the others.
pub(crate) fn run(programme: &Programme, folder: &Path) -> (usize, Vec<Mistake>) {
    let (mut held, mut mistakes) = (0, Vec::new());
    let names = cases(folder);
    if names.is_empty() {
        let what = "there is no worked case".to_owned();
        mistakes.push(at_top(
            "cases",
            what,
            "add one on each side of every line, as `cases/clocks.toml`",
        ));
    }
    for name in names {
        let file = match TextFile::read(folder, &name) {
            Ok(file) => file,
            Err(mistake) => {
                mistakes.push(mistake);
                continue;
            }
        };
        match file.parse::<CaseFile>() {
            Err(mistake) => mistakes.push(mistake),
            Ok(read) => {
                let base = read.plan.map(Spanned::into_inner);
                for (index, case) in read.case.iter().enumerate() {
                    let found = one(programme, &file, read.kind, base.as_ref(), index, case);
                    held += usize::from(found.is_empty());
                    mistakes.extend(found);
                }
            }
        }
    }
    (held, mistakes)
}

fn one(
    programme: &Programme,
    file: &TextFile,
    kind: Kind,
    base: Option<&toml::Value>,
    index: usize,
    case: &Spanned<Case>,
) -> Vec<Mistake> {
    let span = case.span();
    let case = case.get_ref();
    if case.source.trim().is_empty() || case.title.trim().is_empty() {
        return vec![file.mistake(
            &span,
            "a case has a title, and its answer a source",
            Some("cite the section of the programme the answer follows from".to_owned()),
        )];
    }
    let said = match outcome(programme, kind, base, &case.given) {
        Ok(said) => said,
        Err(message) => return vec![file.mistake_at(&format!("case.{index}.given"), message, None)],
    };
    let expected = serde_json::to_value(&case.expect).unwrap_or(Value::Null);
    let mut differing = Vec::new();
    compare(&expected, &said, String::new(), &mut differing);
    if expected.as_object().is_none_or(serde_json::Map::is_empty) {
        differing.push((String::new(), "expects nothing".to_owned()));
    }
    let mistakes = differing.into_iter().map(|(path, message)| {
        file.mistake_at(
            &format!("case.{index}.expect{path}"),
            format!("{}: {message}", case.title),
            None,
        )
    });
    mistakes.collect()
}

/// Every key of what is expected against what is said; lists and values as a whole.
fn compare(expected: &Value, said: &Value, path: String, differing: &mut Vec<(String, String)>) {
    match (expected, said) {
        (Value::Object(expected), Value::Object(said)) => {
            for (key, value) in expected {
                let said = said.get(key).unwrap_or(&Value::Null);
                compare(value, said, format!("{path}.{key}"), differing);
            }
        }
        (expected, said) if expected == said => {}
        (expected, said) => {
            let name = path.trim_start_matches('.').to_owned();
            differing.push((path, format!("`{name}` should be {expected}, the rules say {said}")));
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(given: &toml::Value) -> Result<T, String> {
    given
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| error.message().trim().to_owned())
}

fn value(of: impl Serialize) -> Result<Value, String> {
    serde_json::to_value(of).map_err(|error| error.to_string())
}

/// What the programme says of one case.
fn outcome(
    programme: &Programme,
    kind: Kind,
    base: Option<&toml::Value>,
    given: &toml::Value,
) -> Result<Value, String> {
    match kind {
        Kind::Clock => clock(programme, given),
        Kind::Reminder => {
            let given: ReminderGiven = read(given)?;
            let due = programme.due(given.on);
            let due = due.iter().map(|one| format!("{} in {} days", one.clock.id, one.days));
            Ok(json!({ "due": due.collect::<Vec<_>>() }))
        }
        Kind::Correction => correction(programme, &read(given)?),
        Kind::Funding => {
            let given: FundingGiven = read(given)?;
            let government = programme.government(&given.government).ok_or("no such government")?;
            let most = programme.most(&given.government, given.total);
            let most = most.ok_or("no such tier, or an amount out of bounds")?;
            let mut said = value(most)?;
            if let Some(said) = said.as_object_mut() {
                said.insert("tier".to_owned(), json!(government.tier));
                said.insert("name".to_owned(), json!(government.name));
            }
            Ok(said)
        }
        Kind::Assessment => {
            let given: Assessment = read(given)?;
            assessed(programme, given)
        }
        Kind::Plan => {
            let base = base.ok_or("the file has no `plan` that the case could change")?;
            let given: PlanGiven = read(given)?;
            let plan = changed(base, &given)?;
            let mut findings = plan::check(&plan, programme);
            findings.extend(
                given
                    .approved
                    .and_then(|approved| above_approved(&plan, programme, approved)),
            );
            Ok(json!({ "findings": codes(&findings) }))
        }
        Kind::Indicator => {
            let given: IndicatorGiven = read(given)?;
            let known = programme.indicator(&given.indicator).ok_or("no such indicator")?;
            let computed = indicator::compute(known, &given.numbers, given.year).map_err(|error| error.to_string())?;
            let readings = computed.iter().map(|one| {
                let hundredths = one.value.map(|value| value.hundredths(one.percent));
                let hundredths = hundredths.and_then(|value| i64::try_from(value).ok());
                let said = json!({ "hundredths": hundredths, "known": hundredths.is_some(), "met": one.met, "printed": one.printed });
                (one.reading.clone(), said)
            });
            Ok(Value::Object(readings.collect()))
        }
        Kind::Late => {
            let given: LateGiven = read(given)?;
            programme.clock(&given.clock).ok_or("no such clock")?;
            let days = match given.on {
                Some(day) => programme.late_day(&given.clock, day, given.at),
                None => programme.late(&given.clock, given.at),
            };
            Ok(json!({ "days": days }))
        }
        Kind::Next => {
            let given: NextGiven = read(given)?;
            let steps = execution::next(programme, &given.done, given.at);
            let steps = steps.iter().map(|step| {
                let what = match step.what {
                    What::Report { quarter } => format!("report {quarter}"),
                    What::Complete => "complete".to_owned(),
                    What::Request => "request".to_owned(),
                };
                let pressing = if step.pressing { ", pressing" } else { "" };
                let lapsed = if step.lapsed { ", lapsed" } else { "" };
                format!("{what} in {} days{pressing}{lapsed}", step.days)
            });
            Ok(json!({ "next": steps.collect::<Vec<_>>() }))
        }
        Kind::Report => {
            let plan: Plan = read(base.ok_or("the file has no `plan` that the report is on")?)?;
            let given: ReportGiven = read(given)?;
            let mut risks = execution::risks(&plan, programme, &given.report);
            risks.extend(programme.tardy(given.report.quarter, given.sent, given.now));
            let told = given.report.check(&plan, programme, given.before.as_ref());
            let told = told.map_or_else(|error| error.to_string(), |()| "yes".to_owned());
            Ok(json!({ "risks": value(risks)?, "sound": told }))
        }
        Kind::Change => {
            let base = base.ok_or("the file has no `plan` that the case could change")?;
            let plan: Plan = read(base)?;
            let given: ChangeGiven = read(given)?;
            let whole = PlanGiven {
                set: given.set,
                remove: Vec::new(),
                approved: None,
            };
            let change = execution::Change {
                checkpoints: changed(base, &whole)?.checkpoints,
                ..execution::Change::default()
            };
            let findings = execution::changed(&plan, programme, &change, &given.reported);
            Ok(json!({ "findings": codes(&findings) }))
        }
        Kind::Settlement => {
            let given: SettlementGiven = read(given)?;
            let kept = match (given.commented, given.handed_in) {
                (Some(commented), Some(handed_in)) => {
                    let record = Record {
                        commented,
                        handed_in: Some(handed_in),
                        deferral: None,
                    };
                    let standing = programme.correction.standing(&record, handed_in);
                    programme.correction.kept(given.approved, standing)
                }
                _ => given.approved,
            };
            match execution::settle(programme, &given.government, kept, &given.spent) {
                Ok(settlement) => value(settlement),
                Err(error) => Ok(json!({ "error": error.to_string() })),
            }
        }
        Kind::Results => {
            let plan: Plan = read(base.ok_or("the file has no `plan` whose indicators are reported")?)?;
            let given: ResultsGiven = read(given)?;
            let sound = execution::check_results(&plan, programme, given.year, &given.reported);
            let sound = sound.map_or_else(|error| error.to_string(), |()| "yes".to_owned());
            let shown = execution::results(&plan, programme, given.year, &given.reported).unwrap_or_default();
            let shown = shown.iter().map(|one| {
                let readings = one.readings.iter().map(|reading| {
                    let value = reading.value.map(|value| value.hundredths(reading.percent));
                    let value = value.and_then(|value| i64::try_from(value).ok());
                    (
                        reading.reading.clone(),
                        json!({ "hundredths": value, "known": value.is_some(), "met": reading.met }),
                    )
                });
                let readings: serde_json::Map<String, Value> = readings.collect();
                (
                    one.id.clone(),
                    json!({ "target": one.target, "text": one.text, "readings": readings }),
                )
            });
            let shown: serde_json::Map<String, Value> = shown.collect();
            Ok(json!({ "sound": sound, "indicators": shown }))
        }
        Kind::Review => {
            let given: ReviewGiven = read(given)?;
            let sheets: Vec<Sheet> = given.sheets.into_iter().map(|sheet| full(sheet, programme)).collect();
            match normalise(&sheets, &given.panel, programme) {
                Ok(normalised) => value(normalised),
                Err(error) => Ok(json!({ "error": error.to_string() })),
            }
        }
        Kind::Rank => {
            let given: RankGiven = read(given)?;
            let order = rank(&given.standings).into_iter().map(|one| {
                let behind = value(one.behind)?;
                let behind = behind.as_str().unwrap_or("first").to_owned();
                Ok(format!("{} {} {behind}", one.place, one.government))
            });
            Ok(json!({ "order": order.collect::<Result<Vec<_>, String>>()? }))
        }
        Kind::Allot => {
            let given: AllotGiven = read(given)?;
            match allot(&given.candidates, given.budget) {
                Err(error) => Ok(json!({ "error": error.to_string() })),
                Ok(allotment) => {
                    let funded = allotment
                        .verdicts
                        .iter()
                        .filter(|one| one.funded)
                        .map(|one| one.government.clone());
                    let why = allotment
                        .verdicts
                        .iter()
                        .map(|one| Ok((one.government.clone(), value(&one.why)?)));
                    Ok(json!({
                        "spent": allotment.spent,
                        "left": allotment.left,
                        "value": allotment.value,
                        "funded": funded.collect::<Vec<_>>(),
                        "why": Value::Object(why.collect::<Result<_, String>>()?),
                    }))
                }
            }
        }
    }
}

/// A clock at a moment, under the programme's announcements and those the case adds.
fn clock(programme: &Programme, given: &toml::Value) -> Result<Value, String> {
    let mut given = given.clone();
    let added = given.as_table_mut().and_then(|table| table.remove("announcement"));
    let mut programme = programme.clone();
    if let Some(added) = added {
        programme.announcements.extend(announcements(&programme, added)?);
    }
    let given: ClockGiven = read(&given)?;
    let history = programme.history(&given.clock, civic::legal_time(given.at));
    let term = history.last().map(|entry| entry.term).ok_or("no such clock")?;
    Ok(json!({
        "phase": term.phase(civic::legal_time(given.at)),
        "closes": term.closes,
        "last_day": term.last_day(),
        "history": history.iter().map(|entry| entry.term.closes.to_string()).collect::<Vec<_>>(),
        "by": history.iter().filter_map(|entry| entry.by).map(|by| by.number.clone()).collect::<Vec<_>>(),
    }))
}

fn announcements(programme: &Programme, added: toml::Value) -> Result<Vec<Announcement>, String> {
    let mut table = toml::Table::new();
    table.insert("announcement".to_owned(), added);
    let text = toml::to_string(&table).map_err(|error| error.to_string())?;
    let file = TextFile {
        name: "announcement".to_owned(),
        text,
    };
    let read: AnnouncementsFile = file.parse().map_err(|mistake| mistake.to_string())?;
    let known: Vec<&str> = programme.clocks.iter().map(|clock| clock.id.as_str()).collect();
    let mut mistakes = Vec::new();
    let announced = announced(&file, read.announcement, &known, &mut mistakes);
    mistakes
        .first()
        .map_or(Ok(announced), |mistake| Err(mistake.to_string()))
}

fn correction(programme: &Programme, given: &CorrectionGiven) -> Result<Value, String> {
    let rules = &programme.correction;
    let record = Record {
        commented: given.commented,
        handed_in: given.handed_in,
        deferral: None,
    };
    let standing = rules.standing(&record, given.now);
    let mut said = value(standing)?;
    if let Some(said) = said.as_object_mut() {
        said.insert("last_day".to_owned(), json!(rules.last_day(given.commented)));
        said.insert("last_late_day".to_owned(), json!(rules.last_late_day(given.commented)));
        if let Some(approved) = given.approved {
            said.insert("kept".to_owned(), json!(rules.kept(approved, standing)));
        }
        if let Some(deferral) = &given.defer {
            let may = rules.may_defer(&record, deferral);
            said.insert(
                "defer".to_owned(),
                json!(may.map_or_else(|error| error.to_string(), |()| "yes".to_owned())),
            );
        }
    }
    Ok(said)
}

/// The table of annex 2 without spaces, whose place is the printer's, and what the checks say.
fn assessed(programme: &Programme, given: Assessment) -> Result<Value, String> {
    let dense = |lines: &[String]| lines.concat().split_whitespace().collect::<String>();
    let table = assessment::table(&given, programme);
    let table = table.iter().map(|row| {
        json!({
            "stage": row.stage,
            "evidence": dense(&row.evidence),
            "done": dense(&row.done),
            "plan": dense(&row.plan),
        })
    });
    let table: Vec<Value> = table.collect();
    let findings = assessment::check(&given, programme);
    let plan = Plan {
        programme: programme.id.clone(),
        government: programme
            .governments
            .first()
            .map(|one| one.id.clone())
            .unwrap_or_default(),
        title: String::new(),
        from: programme.period.from,
        through: programme.period.through,
        texts: BTreeMap::new(),
        assessment: given,
        indicators: Vec::new(),
        lines: Vec::new(),
        subsidies: Vec::new(),
        cap_exception: None,
        checkpoints: Vec::new(),
        contact: Contact::default(),
    };
    let mut as_plan = Vec::new();
    plan::applied(&plan, programme, &mut as_plan);
    Ok(json!({ "table": table, "findings": codes(&findings), "as_plan": codes(&as_plan) }))
}

fn codes(findings: &[Finding]) -> Vec<String> {
    let code = |of: Value| of.as_str().unwrap_or_default().to_owned();
    let codes = findings.iter().map(|finding| {
        let (severity, rule) = (value(finding.severity), value(finding.rule));
        format!(
            "{} {} {}",
            code(severity.unwrap_or_default()),
            code(rule.unwrap_or_default()),
            finding.place
        )
    });
    codes.collect()
}

/// A plan with some values changed.
fn changed(base: &toml::Value, given: &PlanGiven) -> Result<Plan, String> {
    let mut plan = base.clone();
    for path in &given.remove {
        let (above, key) = path.rsplit_once('/').unwrap_or(("", path));
        match at(&mut plan, above) {
            Some(toml::Value::Table(table)) => table.remove(key),
            Some(toml::Value::Array(array)) => {
                let index = key.parse::<usize>().ok().filter(|index| *index < array.len());
                index.map(|index| array.remove(index))
            }
            _ => None,
        }
        .ok_or_else(|| format!("there is no `{path}` to take out"))?;
    }
    for (path, value) in &given.set {
        let (above, key) = path.rsplit_once('/').unwrap_or(("", path));
        match at(&mut plan, above) {
            Some(toml::Value::Table(table)) => {
                table.insert(key.to_owned(), value.clone());
            }
            Some(toml::Value::Array(array)) => match key.parse::<usize>() {
                Ok(index) if index == array.len() => array.push(value.clone()),
                Ok(index) => *array.get_mut(index).ok_or_else(|| format!("there is no `{path}`"))? = value.clone(),
                Err(_) => return Err(format!("there is no `{path}`")),
            },
            _ => return Err(format!("there is no `{path}`")),
        }
    }
    read(&plan)
}

/// The value at a path of keys and indices.
fn at<'a>(value: &'a mut toml::Value, path: &str) -> Option<&'a mut toml::Value> {
    let mut keys = path.split('/').filter(|key| !key.is_empty());
    keys.try_fold(value, |value, key| match value {
        toml::Value::Table(table) => table.get_mut(key),
        toml::Value::Array(array) => array.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn full(short: ShortSheet, programme: &Programme) -> Sheet {
    let scores = programme
        .criteria
        .iter()
        .zip(short.tenths)
        .map(|(criterion, tenths)| crate::review::Score {
            criterion: criterion.id.clone(),
            tenths,
            comment: String::new(),
        });
    Sheet {
        scores: scores.collect(),
        reviewer: short.reviewer,
        government: short.government,
    }
}
