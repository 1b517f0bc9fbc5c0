//! Reminders (期限提醒): before a clock runs out whose step a government has not done, one message to the contact its plan names.
//!
//! Which days stand in `[reminders]` of the programme. What is due on a day is put into the outbox under a key of the plan, the clock
//! and the days left, so that each reminder leaves once however often somebody looks; the message is made when it is sent, and none is
//! made for what was done meanwhile.

use std::collections::BTreeMap;

use civic::ids::EventId;
use civic::{Language, legal_day, legal_time, roc};
use grants::Programme;
use grants::clock::{CALL, Phase};
use grants::correction::Standing;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::outbox::{self, Task};
use store::tables::channel;
use store::tables::subsidy_plan::{self, Model, State};
use store::tables::{subsidy_event, subsidy_part};
use uuid::Uuid;

use crate::part::{self, Part};
use crate::{Desk, SubsidyError, boxed, decide, execution, guard};

/// Kind of the work that sends a reminder.
pub const REMINDER: &str = "subsidy.reminder";
/// The days of the correction (修正期限), and those in which it is still taken at a price.
const CORRECTION: [&str; 2] = ["correction", "correction-late"];
/// Longest mail address (RFC 5321, 4.5.3.1.3).
const MOST_ADDRESS: usize = 254;
/// Most characters of a subject.
const MOST_SUBJECT: usize = 200;

const TEXT: &str = include_str!("../messages/zh-TW/reminder.txt");

/// A message that is to be sent. It has no `Debug`: the address is personal.
pub struct Reminder {
    /// Mail address of the plan's contact.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// Text.
    pub text: String,
    /// The same for the same reminder, so that a mail program knows it again: 64 letters and digits.
    pub id: String,
}

/// What the outbox keeps of a reminder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Due {
    plan: Uuid,
    clock: String,
    last_day: Date,
    days: u16,
}

impl Due {
    /// An announcement that moves a clock has it recalled again.
    fn key(&self) -> String {
        let Due {
            plan,
            clock,
            last_day,
            days,
        } = self;
        format!("remind:{plan}:{clock}:{last_day}:{days}")
    }
}

/// Something a government has still to do while its clock runs.
struct Owed {
    clock: String,
    last_day: Date,
    /// The filing it is about, as the plan's history names it.
    note: Option<String>,
}

/// Looks once what is to be recalled today; gives how many reminders were put. A plan that can't be read keeps no other waiting.
///
/// # Errors
/// The first one of a plan, after all others were looked at; the store's.
#[boxed]
pub async fn remind(desk: &Desk) -> Result<u64, SubsidyError> {
    let (mut count, mut failed) = (0, None);
    let today = legal_day(desk.now());
    for programme in &desk.programmes {
        let due: BTreeMap<&str, (Date, u16)> = programme
            .due(today)
            .into_iter()
            .map(|one| (one.clock.id.as_str(), (one.term.last_day(), one.days)))
            .collect();
        for row in subsidy_plan::of_programme(desk.store.read(), &programme.id).await? {
            // most days nothing runs out, and no plan has to be opened to know that
            if due.is_empty() && row.state != State::Correction {
                continue;
            }
            match plan(desk, programme, &row, &due).await {
                Ok(put) => count += put,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(count),
    }
}

/// Puts what is due of a plan today.
async fn plan(
    desk: &Desk,
    programme: &Programme,
    row: &Model,
    due: &BTreeMap<&str, (Date, u16)>,
) -> Result<u64, SubsidyError> {
    let today = legal_day(desk.now());
    let mut count = 0;
    for one in owed(desk, programme, row).await? {
        let days = if CORRECTION.contains(&one.clock.as_str()) {
            // these clocks run for each plan by itself; their last day is recalled too, because a day costs a fifth or everything
            let left = today.until(one.last_day).map_or(-1, |span| span.get_days());
            let days = u16::try_from(left).ok();
            days.filter(|days| *days == 0 || programme.reminders.days_before.contains(days))
        } else {
            let found = due.get(one.clock.as_str()).filter(|(day, _)| *day == one.last_day);
            found.map(|(_, days)| *days)
        };
        let Some(days) = days else { continue };
        if address(desk, row.id).await?.is_some() {
            let due = Due {
                plan: row.id,
                clock: one.clock,
                last_day: one.last_day,
                days,
            };
            count += u64::from(put(desk, &row.programme, due, one.note).await?);
        }
    }
    Ok(count)
}

/// Puts a reminder with its line of the plan's history and its entry of the usage ledger; false where it was put before.
async fn put(desk: &Desk, programme: &str, due: Due, note: Option<String>) -> Result<bool, SubsidyError> {
    let entry = guard::used_by_platform(desk, programme, "plan_remind", &["contact"])?;
    let event = EventId::generate(desk.clock.as_ref()).uuid();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let task = Task::new(REMINDER, due.key(), &due).lane(channel::Kind::Email.word());
                if !outbox::put(tx, task).await? {
                    return Ok(false);
                }
                let row = subsidy_event::Model {
                    id: event,
                    plan_id: due.plan,
                    act: "remind".to_owned(),
                    note,
                    done_by: None,
                    done_at: tx.now().as_microsecond(),
                };
                subsidy_event::insert(tx, row).await?;
                store::ledger::append(tx, entry).await?;
                Ok::<_, SubsidyError>(true)
            })
        })
        .await
}

/// What a government has still to do of a plan, as far as it can be done now.
async fn owed(desk: &Desk, programme: &Programme, row: &Model) -> Result<Vec<Owed>, SubsidyError> {
    let now = desk.now();
    let by_clock = |clock: String, note: Option<String>| {
        let term = programme.term(&clock, now)?;
        let open = term.phase(legal_time(now)) == Phase::Open;
        open.then(|| Owed {
            clock,
            last_day: term.last_day(),
            note,
        })
    };
    Ok(match row.state {
        State::Draft => by_clock(CALL.to_owned(), None).into_iter().collect(),
        State::Sent | State::Refused => Vec::new(),
        State::Correction => {
            let [in_time, late] = CORRECTION;
            let found = decide::correction(desk, row)?;
            let clock = found.and_then(|found| match found.standing {
                Standing::Waiting => Some((in_time, found.last_day)),
                Standing::Overdue { .. } => Some((late, found.last_late_day)),
                Standing::InTime | Standing::Late { .. } | Standing::Forfeit => None,
            });
            let owed = clock.map(|(clock, last_day)| Owed {
                clock: clock.to_owned(),
                last_day,
                note: None,
            });
            owed.into_iter().collect()
        }
        State::Corrected => {
            let undone = execution::undone(desk, row).await?.into_iter();
            undone.filter_map(|(clock, note)| by_clock(clock, Some(note))).collect()
        }
    })
}

/// Where the contact of a plan can be written to, as it was saved last.
async fn address(desk: &Desk, plan: Uuid) -> Result<Option<String>, SubsidyError> {
    let db = desk.store.read();
    let Some(row) = subsidy_part::versions(db, plan, "contact", 1).await?.pop() else {
        return Ok(None);
    };
    let Part::Contact(contact) = part::opened(&desk.store, db, &row).await? else {
        return Ok(None);
    };
    let to = contact.email.trim();
    let usable = to.len() <= MOST_ADDRESS && to.contains('@') && to.chars().all(|c| c.is_ascii_graphic());
    Ok(usable.then(|| to.to_owned()))
}

/// The message of a reminder from the outbox, with the address of the plan's page; nothing for what was done meanwhile, is over, or
/// has nobody to be written to.
///
/// # Errors
/// [`SubsidyError::Corrupt`] for a payload that can't be read; the store's.
#[boxed]
pub async fn reminder(desk: &Desk, payload: &[u8], portal: &str) -> Result<Option<Reminder>, SubsidyError> {
    let due: Due = serde_json::from_slice(payload).map_err(|error| SubsidyError::json("reminder", &error))?;
    let Some(row) = subsidy_plan::by_id(desk.store.read(), due.plan).await? else {
        return Ok(None);
    };
    let programme = desk.programme(&row.programme)?;
    let owed = owed(desk, programme, &row).await?;
    if !owed
        .iter()
        .any(|one| one.clock == due.clock && one.last_day == due.last_day)
    {
        return Ok(None);
    }
    let Some(to) = address(desk, row.id).await? else {
        return Ok(None);
    };
    let title = match subsidy_part::versions(desk.store.read(), row.id, "title", 1)
        .await?
        .pop()
    {
        Some(saved) => part::opened(&desk.store, desk.store.read(), &saved).await?.plain(),
        None => String::new(),
    };
    let left = legal_day(desk.now()).until(due.last_day);
    let left = match left.map_or(0, |span| span.get_days()) {
        ..=0 => "今天是最後一天".to_owned(),
        days => format!("還有 {days} 天"),
    };
    let (what, late) = said(programme, &due.clock);
    let filled = TEXT
        .replace("{ministry}", programme.ministry.get(Language::ZhTw))
        .replace("{programme}", programme.name.get(Language::ZhTw))
        .replace("{what}", &what)
        .replace("{left}", &left)
        .replace("{day}", &roc::long(due.last_day))
        .replace("{late}", &late)
        .replace("{link}", &format!("{portal}/programme/plans/{}", row.id))
        // what people wrote comes last, so that nothing in it is filled
        .replace(
            "{title}",
            if title.trim().is_empty() {
                "（尚無名稱）"
            } else {
                title.trim()
            },
        );
    let (subject, text) = filled.split_once('\n').unwrap_or((&filled, ""));
    Ok(Some(Reminder {
        to,
        subject: subject.trim().chars().take(MOST_SUBJECT).collect(),
        text: text.trim_start().to_owned(),
        id: hex::encode(Sha256::digest(due.key())),
    }))
}

/// What is to be done by a clock, and what becomes of who is late.
fn said(programme: &Programme, clock: &str) -> (String, String) {
    let rules = &programme.correction;
    let [in_time, late] = CORRECTION;
    let title = || "修正計畫書".to_owned();
    if clock == in_time {
        let told = format!(
            "之後 {} 日內仍受理，但扣減核定補助款 {}%；再逾期視同放棄。",
            rules.late_days, rules.late_percent
        );
        return (title(), told);
    }
    if clock == late {
        let told = format!("已扣減核定補助款 {}%；再逾期視同放棄。", rules.late_percent);
        return (title(), told);
    }
    let told = programme.clock(clock).map(|found| {
        let [title, late] = [&found.title, &found.late].map(|text| text.get(Language::ZhTw).to_owned());
        (title, late)
    });
    told.unwrap_or_default()
}
