//! The last minute before a call closes: all governments save and send at once while the clock moves past the moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use civic::Clock as _;
use jiff::{Timestamp, ToSpan as _};
use store::tables::{subsidy_part, subsidy_submission};
use subsidies::{Member, Part, State, SubsidyError, draft, save, send, sent};
use uuid::Uuid;

use crate::kit::{CLOSED, Kit, MINISTRY, PROGRAMME, each_engine, sound_of};

/// Sessions of each government: those that save, each a text of its own but the last two, which share one, and two that send.
const SAVING: usize = 8;
/// Seconds of the call that pass with each step of the clock, and how long a step takes.
const STEP: i64 = 1;
const PAUSE: Duration = Duration::from_millis(40);
/// Seconds after the first in which the test ends.
const END: i64 = 64;
/// Seconds from one government's sending to the next one's: with 22 of them a third comes too late.
const APART: i64 = 4;

/// What a session was told of a save: the text, and the version it became.
type Saved = (String, i64);

fn closed() -> Timestamp {
    CLOSED.parse().unwrap()
}

fn first() -> Timestamp {
    closed().checked_sub(60.seconds()).unwrap()
}

/// Saves a text over and over until the end; what was taken is in the answer. It may be refused only for what is true.
async fn saving(kit: Arc<Kit>, writer: Member, plan: Uuid, id: String, session: usize) -> Vec<Saved> {
    let base = sound_of(&writer.agency).text(&id).to_owned();
    let end = first().checked_add(END.seconds()).unwrap();
    let mut seen = 1;
    let mut taken = Vec::new();
    for number in 0_u64.. {
        if kit.clock.now() >= end {
            break;
        }
        let text = format!("{base}（{}-{session}-{number}）", writer.agency);
        let part = Part::Text {
            id: id.clone(),
            text: text.clone(),
        };
        match save(&kit.desk, &writer, plan, part, seen).await {
            Ok(version) => {
                assert_eq!(version, seen + 1);
                taken.push((text, version));
                seen = version;
            }
            // a colleague was faster: look at theirs, then try again
            Err(SubsidyError::Conflict("part")) => {
                let now = draft(&kit.desk, &writer, plan).await.unwrap();
                seen = now.versions.get(&format!("text:{id}")).copied().unwrap();
            }
            // the plan is sent
            Err(SubsidyError::State) => break,
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    taken
}

/// Sends once the clock has come to a moment; the answer is what was said, and the moments before and after.
async fn sending(
    kit: Arc<Kit>,
    writer: Member,
    plan: Uuid,
    at: Timestamp,
) -> (Result<(), SubsidyError>, Timestamp, Timestamp) {
    while kit.clock.now() < at {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = kit.clock.now();
    let said = send(&kit.desk, &writer, plan).await;
    (said, before, kit.clock.now())
}

/// What was kept of a plan's texts at a moment, by the stored versions.
async fn texts_at(kit: &Kit, writer: &Member, plan: Uuid, at: i64) -> BTreeMap<String, i64> {
    let rows = subsidy_part::newest(kit.desk.store.read(), plan, at).await.unwrap();
    assert_eq!(
        rows.len(),
        Part::names(kit.desk.programme(PROGRAMME).unwrap()).len(),
        "{}",
        writer.agency
    );
    rows.into_iter().map(|row| (row.part, row.version)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_plan_that_is_taken_is_whole_and_every_late_one_is_kept_as_a_draft() {
    each_engine(|kit| async move {
        let programme = kit.desk.programme(PROGRAMME).unwrap().clone();
        kit.clock.set(first().checked_sub(60.seconds()).unwrap());
        let ids: Vec<String> = programme.text_ids().into_iter().take(SAVING - 1).collect();
        let mut plans = Vec::new();
        for government in &programme.governments {
            let writer = kit.writer(&government.id).await;
            plans.push((writer.clone(), kit.written(&writer).await));
        }
        assert_eq!(plans.len(), 22);
        kit.clock.set(first());
        let mut sessions = Vec::new();
        for (number, (writer, plan)) in (0_i64..).zip(&plans) {
            let saves: Vec<_> = (0..SAVING)
                .map(|session| {
                    let id = ids[session.min(SAVING - 2)].clone();
                    tokio::spawn(saving(kit.clone(), writer.clone(), *plan, id, session))
                })
                .collect();
            let at = first().checked_add((number * APART).seconds()).unwrap();
            let sends = [0, 1].map(|later| {
                let at = at.checked_add(later.seconds()).unwrap();
                tokio::spawn(sending(kit.clone(), writer.clone(), *plan, at))
            });
            sessions.push((saves, sends));
        }
        for _ in 0..(END + i64::try_from(plans.len()).unwrap() * APART - 60) / STEP {
            tokio::time::sleep(PAUSE).await;
            kit.clock.set(kit.clock.now().checked_add(STEP.seconds()).unwrap());
        }
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let (mut on_time, mut late, mut saved) = (0, 0, 0);
        for ((writer, plan), (saves, sends)) in plans.iter().zip(sessions) {
            let mut taken: Vec<Saved> = Vec::new();
            for one in saves {
                taken.extend(one.await.unwrap());
            }
            saved += taken.len();
            let mut accepted = false;
            for one in sends {
                let (said, before, after) = one.await.unwrap();
                match said {
                    Ok(()) => {
                        assert!(before < closed() && !accepted, "{}", writer.agency);
                        accepted = true;
                    }
                    // the other session's may have been taken while this one, which saw a draft, came too late
                    Err(SubsidyError::Late(_)) => assert!(after >= closed(), "{}", writer.agency),
                    Err(SubsidyError::State) => assert!(accepted, "{}", writer.agency),
                    Err(error) => panic!("{}: {error}", writer.agency),
                }
            }
            let now = draft(&kit.desk, writer, *plan).await.unwrap();
            let last = subsidy_submission::last(kit.desk.store.read(), *plan).await.unwrap();
            let mut whole = sound_of(&writer.agency);
            if accepted {
                on_time += 1;
                let arrived = last.unwrap().sent_at;
                assert!(arrived < closed().as_microsecond());
                assert_eq!((now.row.state, now.row.sent_at), (State::Sent, Some(arrived)));
                // each text is the one whose version was the newest when the request arrived
                for (part, version) in texts_at(&kit, writer, *plan, arrived).await {
                    let id = part.strip_prefix("text:").unwrap_or_default();
                    let text = taken
                        .iter()
                        .find(|(text, of)| *of == version && text.starts_with(whole.text(id)));
                    if let (true, Some((text, _))) = (version > 1, text) {
                        whole.texts.insert(id.to_owned(), text.clone());
                    } else {
                        assert_eq!(version, 1, "{}: {part} is what nobody was told is kept", writer.agency);
                    }
                }
                assert_eq!(sent(&kit.desk, &officer, *plan).await.unwrap().plan, whole);
            } else {
                late += 1;
                assert!(last.is_none());
                assert_eq!(now.row.state, State::Draft);
                // nothing that a session was told is saved is lost
                for id in &ids {
                    let of = |(text, _): &&Saved| text.starts_with(whole.text(id));
                    let newest = taken.iter().filter(of).max_by_key(|(_, version)| *version);
                    let text = newest.map_or(whole.text(id), |(text, _)| text).to_owned();
                    whole.texts.insert(id.clone(), text);
                }
                assert_eq!(now.plan, whole);
            }
        }
        println!("{on_time} plans on time, {late} late, {saved} saves in the last minute");
        assert!(on_time >= 10 && late >= 5 && saved > 0, "{on_time}, {late}, {saved}");
    })
    .await;
}
