//! What a government hands in: kept as a draft, and sent while its clock allows.

use std::collections::BTreeMap;

use civic::ids::EventId;
use civic::legal_day;
use grants::clock::{CHANGE, LAPSE, Phase, report};
use grants::execution::{Change, Completion, MOST_TEXT, Report, Reported, Request, changed, check_results};
use grants::programme::Live;
use grants::{Plan, Programme};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::Tx;
use store::tables::measure::{self, Span};
use store::tables::subsidy_filing::{self, Kind, Model, State};
use store::tables::{subsidy_sending, subsidy_settlement};
use uuid::Uuid;

use super::look::{Execution, Filed, loaded};
use crate::guard::{self, Action};
use crate::{Desk, Member, SubsidyError, boxed, text};

/// Most bytes of a filing as JSON.
const MOST_BYTES: usize = 128 * 1024;
/// Requests to change a plan that are kept.
const MOST_CHANGES: i32 = 50;

/// Something a government hands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filing {
    /// The report of a quarter (季報).
    Report(Report),
    /// A request to change the plan (計畫變更).
    Change(Change),
    /// The work is complete (全案完成).
    Completion(Completion),
    /// Acceptance and request for payment (驗收及請款).
    Request(Request),
    /// What became of the indicators in a year (績效指標達成情形), by their short name.
    Results(BTreeMap<String, Reported>),
}

impl Filing {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Filing::Report(_) => Kind::Report,
            Filing::Change(_) => Kind::Change,
            Filing::Completion(_) => Kind::Completion,
            Filing::Request(_) => Kind::Request,
            Filing::Results(_) => Kind::Results,
        }
    }

    pub(super) fn read(json: &str) -> Result<Filing, SubsidyError> {
        serde_json::from_str(json).map_err(|error| SubsidyError::json("filing", &error))
    }

    /// Within bounds, so that it may be kept.
    fn json(&self) -> Result<String, SubsidyError> {
        let texts: Vec<&str> = match self {
            Filing::Report(report) => vec![&report.done, &report.reason],
            Filing::Change(change) => {
                let points = change.checkpoints.iter().map(|one| one.text.as_str());
                points.chain([change.what.as_str(), change.why.as_str()]).collect()
            }
            Filing::Completion(completion) => vec![&completion.text],
            Filing::Request(request) => vec![&request.note],
            Filing::Results(all) => all.values().map(|one| one.text.as_str()).collect(),
        };
        if texts.iter().any(|text| text.chars().count() > MOST_TEXT) {
            return Err(SubsidyError::input("text", "too_long"));
        }
        let json = serde_json::to_string(self).map_err(|error| SubsidyError::json("filing", &error))?;
        match json.len() > MOST_BYTES {
            true => Err(SubsidyError::input("text", "too_long")),
            false => Ok(json),
        }
    }
}

/// The word of a kind, as the database and addresses have it.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Report => "report",
        Kind::Change => "change",
        Kind::Completion => "completion",
        Kind::Request => "request",
        Kind::Results => "results",
    }
}

/// Saves what is handed in over the revision the member saw, 0 where there was none, and sends it if so told. The moment of arrival
/// decides whether it is in time; what can't be sent is kept as a draft.
///
/// # Errors
/// [`SubsidyError::NotYet`], [`SubsidyError::ChangeLate`], [`SubsidyError::Lapsed`], [`SubsidyError::Unready`],
/// [`SubsidyError::Report`], [`SubsidyError::Results`], [`SubsidyError::Input`], each with the draft kept but for a text that is too
/// long; [`SubsidyError::Conflict`]; [`SubsidyError::State`] for what was sent and not returned, and for anything the settlement has
/// closed; [`SubsidyError::NotFound`] for a number there is not; the store's.
#[boxed]
pub async fn file(
    desk: &Desk,
    member: &Member,
    plan: Uuid,
    number: i32,
    filing: Filing,
    seen: i64,
    send: bool,
) -> Result<(), SubsidyError> {
    let arrived = desk.now();
    let row = guard::plan(desk, member, Action::Execute, plan).await?;
    let json = filing.json()?;
    let all = loaded(desk, desk.store.read(), &row).await?;
    numbered(&all, filing.kind(), number)?;
    let (ours, by, kept) = (desk.clone(), member.clone(), filing.clone());
    let done = desk
        .store
        .write(move |tx| Box::pin(async move { put(&ours, tx, &by, plan, number, kept.kind(), json, seen).await }))
        .await;
    let saved = match done {
        Err(SubsidyError::Store(error)) if error.is_duplicate() => return Err(SubsidyError::Conflict("filing")),
        done => done?,
    };
    if !send {
        return Ok(());
    }
    let filing = fresh(desk, &all, number, filing).await?;
    let json = filing.json()?;
    let (ours, by) = (desk.clone(), member.clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if is_closed_by_settlement(filing.kind()) {
                    unsettled(tx, plan).await?;
                }
                let mut now = open(tx, plan, filing.kind(), number).await?;
                if now.revision != saved {
                    return Err(SubsidyError::Conflict("filing"));
                }
                // what it is held against may have been answered, given back or sent meanwhile
                may_send(&loaded(&ours, tx, &row).await?, number, &filing, arrived)?;
                let before = subsidy_sending::of_filings(tx, &[now.id]).await?;
                let sending = subsidy_sending::Model {
                    id: EventId::generate(ours.clock.as_ref()).uuid(),
                    filing_id: now.id,
                    sending: before.last().map_or(1, |last| last.sending + 1),
                    digest: Sha256::digest(json.as_bytes()).to_vec(),
                    content: json.clone(),
                    sent_by: by.id.uuid(),
                    sent_at: arrived.as_microsecond(),
                };
                subsidy_sending::insert(tx, sending).await?;
                now.state = State::Sent;
                now.content = json;
                now.first_sent_at = now.first_sent_at.or(Some(arrived.as_microsecond()));
                now.sent_at = Some(arrived.as_microsecond());
                replaced(tx, &now).await?;
                let note = format!("{}:{number}", word(now.kind));
                guard::event(&ours, tx, &by, plan, "file", Some(note)).await?;
                Ok(())
            })
        })
        .await
}

/// Whether a plan has such a filing.
fn numbered(all: &Execution, kind: Kind, number: i32) -> Result<(), SubsidyError> {
    let there = match kind {
        Kind::Report => all.plan.checkpoints.iter().any(|one| i32::from(one.quarter) == number),
        Kind::Change => {
            let is_there = all.filed(kind, number).is_some();
            is_there || (all.next_change() == Some(number) && number <= MOST_CHANGES)
        }
        Kind::Completion | Kind::Request => number == 1,
        Kind::Results => all.programme.period.years.iter().any(|year| i32::from(*year) == number),
    };
    match there {
        true => Ok(()),
        false => Err(SubsidyError::NotFound("filing")),
    }
}

const fn is_closed_by_settlement(kind: Kind) -> bool {
    matches!(kind, Kind::Change | Kind::Completion | Kind::Request)
}

/// What is settled is changed no more, and what lapsed is in the ministry's books.
pub(super) async fn unsettled(tx: &Tx, plan: Uuid) -> Result<(), SubsidyError> {
    match subsidy_settlement::of_plans(tx, &[plan]).await?.is_empty() {
        true => Ok(()),
        false => Err(SubsidyError::State),
    }
}

/// A filing that may be written, within the transaction that writes it.
async fn open(tx: &Tx, plan: Uuid, kind: Kind, number: i32) -> Result<Model, SubsidyError> {
    let row = subsidy_filing::one(tx, plan, kind, number)
        .await?
        .ok_or(SubsidyError::NotFound("filing"))?;
    match row.state {
        State::Draft | State::Returned => Ok(row),
        State::Sent | State::Accepted | State::Refused => Err(SubsidyError::State),
    }
}

pub(super) async fn replaced(tx: &Tx, row: &Model) -> Result<(), SubsidyError> {
    match subsidy_filing::replace(tx, row).await? {
        true => Ok(()),
        false => Err(SubsidyError::Conflict("filing")),
    }
}

/// Keeps a draft; answers its revision.
#[expect(clippy::too_many_arguments, reason = "one call, and each is a thing of its own")]
async fn put(
    desk: &Desk,
    tx: &Tx,
    member: &Member,
    plan: Uuid,
    number: i32,
    kind: Kind,
    content: String,
    seen: i64,
) -> Result<i64, SubsidyError> {
    if is_closed_by_settlement(kind) {
        unsettled(tx, plan).await?;
    }
    let saved_at = tx.now().as_microsecond();
    if seen == 0 {
        if subsidy_filing::one(tx, plan, kind, number).await?.is_some() {
            return Err(SubsidyError::Conflict("filing"));
        }
        let row = Model {
            id: EventId::generate(desk.clock.as_ref()).uuid(),
            plan_id: plan,
            kind,
            number,
            state: State::Draft,
            content,
            saved_by: member.id.uuid(),
            saved_at,
            first_sent_at: None,
            sent_at: None,
            answer: None,
            answered_by: None,
            answered_at: None,
            revision: 1,
        };
        subsidy_filing::insert(tx, row).await?;
        return Ok(1);
    }
    let mut row = open(tx, plan, kind, number).await?;
    if row.revision != seen {
        return Err(SubsidyError::Conflict("filing"));
    }
    row.content = content;
    row.saved_by = member.id.uuid();
    row.saved_at = saved_at;
    replaced(tx, &row).await?;
    Ok(seen + 1)
}

/// What is sent: numbers that the platform counts are those of now, whatever was typed.
async fn fresh(desk: &Desk, all: &Execution, number: i32, filing: Filing) -> Result<Filing, SubsidyError> {
    let Filing::Results(mut reported) = filing else {
        return Ok(filing);
    };
    let year = i16::try_from(number).unwrap_or_default();
    let counts = counted(desk, &all.programme, &all.plan, year).await?;
    for one in reported.values_mut() {
        one.live = false;
    }
    for (id, numbers) in counts {
        let one = reported.entry(id).or_default();
        one.numbers = numbers;
        one.live = true;
    }
    Ok(Filing::Results(reported))
}

/// The numbers of a year that the platform counts for a plan's indicators, by their short name. Only the plan of the platform's own
/// city has any.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn counted(
    desk: &Desk,
    programme: &Programme,
    plan: &Plan,
    year: i16,
) -> Result<BTreeMap<String, BTreeMap<String, i64>>, SubsidyError> {
    let mut found = BTreeMap::new();
    if programme
        .government(&plan.government)
        .is_none_or(|one| one.name != desk.city)
    {
        return Ok(found);
    }
    for indicator in &plan.indicators {
        let Some(of) = &indicator.measure else { continue };
        let common = i32::from(year) + 1911;
        let span = Span {
            service: Some(of.clone()).filter(|of| of != "all"),
            from: Some(format!("{common:04}-01")),
            to: Some(format!("{common:04}-12")),
        };
        let mut counts = BTreeMap::new();
        for (channel, count) in measure::by_channel(desk.store.read(), &span).await? {
            let live = match channel.as_str() {
                "online" => Live::Online,
                "counter" => Live::Counter,
                "agent" => Live::Agent,
                _ => continue,
            };
            counts.insert(live, count);
        }
        for (grade, count) in measure::by_grade(desk.store.read(), &span).await? {
            let live = match grade {
                5 => Live::Grade5,
                4 => Live::Grade4,
                3 => Live::Grade3,
                2 => Live::Grade2,
                1 => Live::Grade1,
                _ => continue,
            };
            counts.insert(live, count);
        }
        let numbers = grants::execution::counted(programme, indicator.printed.as_deref(), &counts);
        found.extend(numbers.map(|numbers| (indicator.id.clone(), numbers)));
    }
    Ok(found)
}

/// Whether it may be sent as it is, at the moment it arrived.
fn may_send(all: &Execution, number: i32, filing: &Filing, arrived: Timestamp) -> Result<(), SubsidyError> {
    let (programme, plan) = (&all.programme, &all.plan);
    let today = legal_day(arrived);
    let is_over = |clock: &str| {
        let over = programme.phase(clock, arrived) == Some(Phase::Over);
        over.then(|| programme.term(clock, arrived).map(|term| term.closes))
            .flatten()
    };
    match filing {
        Filing::Report(said) => {
            let clock = report(said.quarter);
            if programme.phase(&clock, arrived) == Some(Phase::Before)
                && let Some(opens) = programme.term(&clock, arrived).and_then(|term| term.opens)
            {
                return Err(SubsidyError::NotYet(opens));
            }
            if i32::from(said.quarter) != number {
                return Err(SubsidyError::NotFound("filing"));
            }
            let reports = || all.quarters.iter().filter_map(|one| one.report.as_ref());
            let earlier = plan.checkpoints.iter().filter(|one| one.quarter < said.quarter);
            if earlier
                .clone()
                .any(|one| !reports().any(|sent| sent.quarter == one.quarter))
            {
                return Err(SubsidyError::input("quarter", "earlier"));
            }
            let mut before = all.quarters.iter().rev().filter_map(|one| one.report.as_ref());
            let before = before.find(|one| one.quarter < said.quarter);
            said.check(plan, programme, before)?;
            // one that was given back can't pass what later ones have reported since
            match reports().find(|one| one.quarter > said.quarter) {
                Some(later) if later.progress < said.progress => Err(SubsidyError::input("progress", "later")),
                Some(later) if later.spending < said.spending => Err(SubsidyError::input("spending", "later")),
                _ => Ok(()),
            }
        }
        Filing::Change(change) => {
            if let Some(closes) = is_over(CHANGE) {
                return Err(SubsidyError::ChangeLate(closes));
            }
            text::needed("what", &change.what, MOST_TEXT)?;
            text::needed("why", &change.why, MOST_TEXT)?;
            match changed(plan, programme, change, &all.reported()) {
                findings if findings.is_empty() => Ok(()),
                findings => Err(SubsidyError::Unready(findings)),
            }
        }
        Filing::Completion(completion) => {
            if completion.on > today || completion.on < programme.period.from {
                return Err(SubsidyError::input("on", "day"));
            }
            text::needed("text", &completion.text, MOST_TEXT).map(|_| ())
        }
        Filing::Request(request) => {
            // one that was there in time and given back is mended whenever it is
            let was_there = all
                .filed(Kind::Request, 1)
                .is_some_and(|one| one.first_sent_at.is_some());
            if let Some(closes) = is_over(LAPSE).filter(|_| !was_there) {
                return Err(SubsidyError::Lapsed(closes));
            }
            let Some(completion) = all.completion() else {
                return Err(SubsidyError::input("accepted_on", "completion"));
            };
            if request.accepted_on > today || request.accepted_on < completion.on {
                return Err(SubsidyError::input("accepted_on", "day"));
            }
            let lines = plan.lines_of(programme.period.funded).count();
            let sound = |amount: &civic::Money| (0..=grants::funding::MOST.0).contains(&amount.0);
            if request.spent.len() != lines || !request.spent.iter().all(sound) {
                return Err(SubsidyError::input("spent", "amount"));
            }
            text::needed("note", &request.note, MOST_TEXT).map(|_| ())
        }
        Filing::Results(reported) => {
            let year = i16::try_from(number).unwrap_or_default();
            Ok(check_results(plan, programme, year, reported)?)
        }
    }
}

impl Execution {
    /// The completion, where it was sent and not given back.
    pub(super) fn completion(&self) -> Option<&Completion> {
        let one = self.filed(Kind::Completion, 1)?;
        match one.sent.as_ref()? {
            Filing::Completion(completion) if matches!(one.state, State::Sent | State::Accepted) => Some(completion),
            _ => None,
        }
    }

    /// Quarters that were reported on.
    pub(super) fn reported(&self) -> Vec<u8> {
        let reports = self.quarters.iter().filter_map(|one| one.report.as_ref());
        reports.map(|one| one.quarter).collect()
    }

    /// The number of a new request to change the plan; nothing while one is written or waits.
    #[must_use]
    pub fn next_change(&self) -> Option<i32> {
        match self.filings.iter().rfind(|one| one.kind == Kind::Change) {
            None => Some(1),
            Some(last) if matches!(last.state, State::Accepted | State::Refused) => Some(last.number + 1),
            Some(_) => None,
        }
    }

    /// A filing.
    #[must_use]
    pub fn filed(&self, kind: Kind, number: i32) -> Option<&Filed> {
        self.filings.iter().find(|one| one.kind == kind && one.number == number)
    }
}
