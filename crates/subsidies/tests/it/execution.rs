//! A funded plan is reported on, changed, completed, settled and paid, on both databases.

use std::collections::BTreeMap;
use std::io::Read as _;

use civic::Money;
use grants::execution::{Change, Completion, Report, ReportError, Reported, Request, Risk};
use sha2::{Digest as _, Sha256};
use store::tables::measure;
use subsidies::{Answer, Decision, Filing, FilingState, Kind, Member, SubsidyError, answer, file, pay, settle};
use uuid::Uuid;

use crate::kit::{Kit, LAST_SECOND, MINISTRY, PROGRAMME, each_engine, sound};

/// A plan that was sent, granted and corrected, its writer, and who decided.
async fn funded(kit: &Kit, government: &str, amount: i64) -> (Member, Member, Uuid) {
    let writer = kit.writer(government).await;
    kit.at(LAST_SECOND);
    let id = kit.sent(&writer).await;
    let officer = kit
        .member(&format!("officer-of-{government}"), "grant_officer", MINISTRY)
        .await;
    for name in ["a", "b", "c"] {
        let name = format!("panel-{name}-{government}");
        let reviewer = kit.member(&name, "grant_reviewer", MINISTRY).await;
        let programme = kit.desk.programme(PROGRAMME).unwrap();
        let given = programme.criteria.iter().map(|one| grants::review::Score {
            criterion: one.id.clone(),
            tenths: one.points * 8,
            comment: String::new(),
        });
        subsidies::score(&kit.desk, &reviewer, id, given.collect(), 0)
            .await
            .unwrap();
    }
    let row = subsidies::sent(&kit.desk, &officer, id).await.unwrap().row;
    let decision = Decision::Grant {
        amount: Money(amount),
        conditions: String::new(),
    };
    subsidies::decide(&kit.desk, &officer, id, row.revision, decision)
        .await
        .unwrap();
    kit.as_approved(&writer, id, amount).await;
    subsidies::hand_in(&kit.desk, &writer, id).await.unwrap();
    (writer, officer, id)
}

fn report(quarter: u8, progress: u8, spending: i64) -> Filing {
    Filing::Report(Report {
        quarter,
        progress,
        spending: Money(spending),
        done: "名冊模組完成".to_owned(),
        reason: String::new(),
    })
}

fn completion(day: &str) -> Filing {
    Filing::Completion(Completion {
        on: day.parse().unwrap(),
        text: "系統上線並完成教育訓練".to_owned(),
    })
}

fn request(day: &str, spent: &[i64]) -> Filing {
    Filing::Request(Request {
        accepted_on: day.parse().unwrap(),
        spent: spent.iter().copied().map(Money).collect(),
        note: "驗收紀錄114-001".to_owned(),
    })
}

fn change(progress: u8) -> Filing {
    let mut checkpoints = sound().checkpoints;
    checkpoints[2].progress = progress;
    Filing::Change(Change {
        what: "第三季進度順延".to_owned(),
        why: "戶籍介接延後開通".to_owned(),
        checkpoints,
    })
}

fn accept() -> Answer {
    Answer::Accept { note: String::new() }
}

async fn look(kit: &Kit, member: &Member, id: Uuid) -> subsidies::Execution {
    subsidies::execution(&kit.desk, member, id).await.unwrap()
}

async fn revision(kit: &Kit, member: &Member, id: Uuid, kind: Kind, number: i32) -> i64 {
    look(kit, member, id)
        .await
        .filed(kind, number)
        .map_or(0, |one| one.revision)
}

/// Saves and sends over whatever stands there.
async fn sent(kit: &Kit, writer: &Member, id: Uuid, number: i32, filing: Filing) -> Result<(), SubsidyError> {
    let seen = revision(kit, writer, id, filing.kind(), number).await;
    file(&kit.desk, writer, id, number, filing, seen, true).await
}

async fn answered(kit: &Kit, officer: &Member, id: Uuid, kind: Kind, number: i32, said: Answer) {
    let seen = revision(kit, officer, id, kind, number).await;
    answer(&kit.desk, officer, id, kind, number, seen, said).await.unwrap();
}

#[tokio::test]
async fn a_year_from_the_first_report_to_the_payment() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_150_000).await;
        // a quarter is reported on once it is over
        kit.at("2025-03-31T15:59:59Z");
        let early = sent(&kit, &writer, id, 1, report(1, 20, 500_000)).await;
        assert!(matches!(early, Err(SubsidyError::NotYet(opens)) if opens.to_string() == "2025-04-01T00:00:00"));
        kit.at("2025-04-02T01:00:00Z");
        sent(&kit, &writer, id, 1, report(1, 20, 500_000)).await.unwrap();
        answered(&kit, &officer, id, Kind::Report, 1, accept()).await;
        // the second one is behind and late; without a reason it stays a draft that the ministry does not see
        kit.at("2025-07-12T01:00:00Z");
        let behind = sent(&kit, &writer, id, 2, report(2, 30, 500_000)).await;
        assert!(matches!(behind, Err(SubsidyError::Report(ReportError::Reason))));
        let ours = look(&kit, &writer, id).await;
        assert_eq!(ours.filed(Kind::Report, 2).unwrap().state, FilingState::Draft);
        assert!(look(&kit, &officer, id).await.filed(Kind::Report, 2).is_none());
        let Filing::Report(mut second) = report(2, 30, 500_000) else {
            unreachable!()
        };
        second.reason = "介接延後".to_owned();
        sent(&kit, &writer, id, 2, Filing::Report(second.clone()))
            .await
            .unwrap();
        let theirs = look(&kit, &officer, id).await;
        assert_eq!(
            theirs.quarters[1].risks,
            [
                Risk::Progress { points: 20 },
                Risk::Spending { percent: 28 },
                Risk::Late { days: 2 }
            ]
        );
        // given back, mended, and not later for it
        let said = Answer::Return {
            reason: "請補支用明細".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Report, 2, said).await;
        kit.at("2025-08-01T01:00:00Z");
        second.spending = Money(1_500_000);
        sent(&kit, &writer, id, 2, Filing::Report(second)).await.unwrap();
        answered(&kit, &officer, id, Kind::Report, 2, accept()).await;
        let theirs = look(&kit, &officer, id).await;
        assert_eq!(
            theirs.quarters[1].risks,
            [Risk::Progress { points: 20 }, Risk::Late { days: 2 }]
        );
        // a granted change moves the checkpoint that reports are held against
        sent(&kit, &writer, id, 1, change(60)).await.unwrap();
        answered(&kit, &officer, id, Kind::Change, 1, accept()).await;
        assert_eq!(look(&kit, &writer, id).await.quarters[2].planned.progress, 60);
        kit.at("2025-10-03T01:00:00Z");
        sent(&kit, &writer, id, 3, report(3, 60, 3_000_000)).await.unwrap();
        assert_eq!(look(&kit, &officer, id).await.quarters[2].risks, []);
        // completion, acceptance, settlement, payment
        kit.at("2025-11-03T01:00:00Z");
        let refused = sent(&kit, &writer, id, 1, request("2025-11-01", &[1, 1, 1])).await;
        assert!(matches!(
            refused,
            Err(SubsidyError::Input {
                problem: "completion",
                ..
            })
        ));
        sent(&kit, &writer, id, 1, completion("2025-10-30")).await.unwrap();
        kit.at("2025-11-20T01:00:00Z");
        let spent = [2_400_000, 1_100_000, 600_000];
        sent(&kit, &writer, id, 1, request("2025-11-18", &spent)).await.unwrap();
        let seen = revision(&kit, &officer, id, Kind::Request, 1).await;
        let struck = [Money(0), Money(100_000), Money(0)];
        // nothing is paid while the completion is given back
        let returned = || Answer::Return {
            reason: "請補教育訓練紀錄".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Completion, 1, returned()).await;
        let incomplete = settle(&kit.desk, &officer, id, seen, &struck, "逾計畫範圍").await;
        assert!(matches!(incomplete, Err(SubsidyError::State)));
        sent(&kit, &writer, id, 1, completion("2025-10-30")).await.unwrap();
        let reasonless = settle(&kit.desk, &officer, id, seen, &struck, " ").await;
        assert!(matches!(reasonless, Err(SubsidyError::Input { field: "note", .. })));
        settle(&kit.desk, &officer, id, seen, &struck, "逾計畫範圍")
            .await
            .unwrap();
        let settled = look(&kit, &writer, id).await.settled.unwrap();
        // 4,000,000 at 70 %
        let amounts = settled.amounts.amounts;
        assert_eq!(
            (amounts.paid, amounts.own, amounts.lapsed),
            (Money(2_800_000), Money(1_200_000), Money(350_000))
        );
        let again = settle(&kit.desk, &officer, id, seen, &struck, "再一次").await;
        assert!(matches!(again, Err(SubsidyError::State)));
        let tomorrow = pay(&kit.desk, &officer, id, 1, "2025-11-21".parse().unwrap(), "字號").await;
        assert!(matches!(tomorrow, Err(SubsidyError::Input { field: "on", .. })));
        pay(&kit.desk, &officer, id, 1, "2025-11-20".parse().unwrap(), "付款字第1號")
            .await
            .unwrap();
        let twice = pay(&kit.desk, &officer, id, 2, "2025-11-20".parse().unwrap(), "付款字第2號").await;
        assert!(matches!(twice, Err(SubsidyError::State)));
        // what is settled is changed no more, and not given back
        let of_completion = revision(&kit, &officer, id, Kind::Completion, 1).await;
        let reopened = answer(&kit.desk, &officer, id, Kind::Completion, 1, of_completion, returned()).await;
        assert!(matches!(reopened, Err(SubsidyError::State)));
        let late = sent(&kit, &writer, id, 1, request("2025-11-18", &spent)).await;
        assert!(matches!(late, Err(SubsidyError::State)));
    })
    .await;
}

#[tokio::test]
async fn a_change_is_taken_to_the_last_second_of_the_third_quarter_and_its_draft_kept() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-09-30T15:59:59Z");
        sent(&kit, &writer, id, 1, change(70)).await.unwrap();
        // one at a time
        let second = sent(&kit, &writer, id, 2, change(65)).await;
        assert!(matches!(second, Err(SubsidyError::NotFound("filing"))));
        let said = Answer::Refuse {
            reason: "未說明影響".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Change, 1, said).await;
        assert_eq!(look(&kit, &writer, id).await.quarters[2].planned.progress, 85);
        kit.at("2025-09-30T16:00:00Z");
        let late = sent(&kit, &writer, id, 2, change(65)).await;
        assert!(matches!(late, Err(SubsidyError::ChangeLate(closes)) if closes.to_string() == "2025-10-01T00:00:00"));
        let kept = look(&kit, &writer, id).await;
        assert_eq!(kept.filed(Kind::Change, 2).unwrap().content, change(65));
        assert_eq!(kept.filed(Kind::Change, 2).unwrap().state, FilingState::Draft);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_waited_rewrites_no_quarter_that_was_reported_meanwhile() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-04-02T01:00:00Z");
        sent(&kit, &writer, id, 1, report(1, 20, 900_000)).await.unwrap();
        // asked for before the third quarter is over, and answered after it was reported on
        kit.at("2025-09-30T01:00:00Z");
        sent(&kit, &writer, id, 1, change(60)).await.unwrap();
        kit.at("2025-10-03T01:00:00Z");
        sent(&kit, &writer, id, 2, report(2, 60, 2_500_000)).await.unwrap();
        sent(&kit, &writer, id, 3, report(3, 85, 4_000_000)).await.unwrap();
        let seen = revision(&kit, &officer, id, Kind::Change, 1).await;
        let granted = answer(&kit.desk, &officer, id, Kind::Change, 1, seen, accept()).await;
        match granted {
            Err(SubsidyError::Unready(findings)) => {
                let told: Vec<_> = findings.iter().map(|one| (one.rule, one.place.as_str())).collect();
                assert_eq!(told, [(grants::Rule::CheckpointReported, "quarter 3")]);
            }
            other => panic!("{other:?}"),
        }
        let kept = look(&kit, &officer, id).await;
        assert_eq!(kept.quarters[2].planned.progress, 85);
        assert_eq!(kept.filed(Kind::Change, 1).unwrap().state, FilingState::Sent);
        // it can still be refused
        let said = Answer::Refuse {
            reason: "該季已提報".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Change, 1, said).await;
    })
    .await;
}

#[tokio::test]
async fn a_settlement_and_a_completion_given_back_at_once_leave_only_one_of_the_two() {
    each_engine(|kit| async move {
        for government in ["KEE", "TXG", "TPE", "TNN"] {
            let (writer, officer, id) = funded(&kit, government, 2_000_000).await;
            kit.at("2025-11-20T01:00:00Z");
            sent(&kit, &writer, id, 1, completion("2025-10-30")).await.unwrap();
            let spent = [1_000_000, 500_000, 0];
            sent(&kit, &writer, id, 1, request("2025-11-18", &spent)).await.unwrap();
            let of_request = revision(&kit, &officer, id, Kind::Request, 1).await;
            let of_completion = revision(&kit, &officer, id, Kind::Completion, 1).await;
            let returned = Answer::Return {
                reason: "請補紀錄".to_owned(),
            };
            let struck = [Money(0); 3];
            let (settled, given_back) = tokio::join!(
                settle(&kit.desk, &officer, id, of_request, &struck, ""),
                answer(&kit.desk, &officer, id, Kind::Completion, 1, of_completion, returned),
            );
            let one_alone = settled.is_ok() != given_back.is_ok();
            assert!(one_alone, "{settled:?} {given_back:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_requested_in_the_year_lapses_and_a_late_request_needs_the_ministrys_reason() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-12-31T15:59:59Z");
        sent(&kit, &writer, id, 1, completion("2025-11-02")).await.unwrap();
        sent(&kit, &writer, id, 1, request("2025-12-01", &[1_000_000, 0, 0]))
            .await
            .unwrap();
        let said = Answer::Return {
            reason: "請補驗收紀錄".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Request, 1, said).await;
        sent(&kit, &writer, id, 1, request("2025-12-01", &[1_000_000, 0, 0]))
            .await
            .unwrap();
        let seen = revision(&kit, &officer, id, Kind::Request, 1).await;
        let reasonless = settle(&kit.desk, &officer, id, seen, &[Money(0); 3], "").await;
        assert!(matches!(reasonless, Err(SubsidyError::Input { field: "note", .. })));
        let said = Answer::Return {
            reason: "再補".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Request, 1, said).await;
        // what was there in the year and given back is mended after it, and what never came has lapsed
        kit.at("2025-12-31T16:00:00Z");
        assert!(look(&kit, &writer, id).await.steps.iter().all(|step| !step.lapsed));
        sent(&kit, &writer, id, 1, request("2025-12-01", &[999_999, 0, 0]))
            .await
            .unwrap();
        let (other, _, of_other) = funded(&kit, "TXG", 2_000_000).await;
        kit.at("2025-12-31T16:00:00Z");
        sent(&kit, &other, of_other, 1, completion("2025-10-02")).await.unwrap();
        let lapsed = sent(&kit, &other, of_other, 1, request("2025-12-01", &[1, 0, 0])).await;
        assert!(matches!(lapsed, Err(SubsidyError::Lapsed(closes)) if closes.to_string() == "2026-01-01T00:00:00"));
        let kept = look(&kit, &other, of_other).await;
        assert_eq!(
            kept.filed(Kind::Request, 1).unwrap().content,
            request("2025-12-01", &[1, 0, 0])
        );
        assert!(kept.steps.iter().any(|step| step.lapsed));
    })
    .await;
}

#[tokio::test]
async fn a_government_sees_nothing_of_anothers_and_the_panel_has_no_part() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-04-02T01:00:00Z");
        sent(&kit, &writer, id, 1, report(1, 20, 500_000)).await.unwrap();
        let stranger = kit.writer("TXG").await;
        let reviewer = kit.member("reviewer", "grant_reviewer", MINISTRY).await;
        let abroad = kit.member("abroad", "grant_officer", "另一部").await;
        for (who, panel) in [(&stranger, false), (&reviewer, true), (&abroad, false)] {
            let is_hidden = |error: SubsidyError| match error {
                SubsidyError::NotFound("plan") => true,
                SubsidyError::Refused(_) => panel,
                _ => false,
            };
            assert!(is_hidden(subsidies::execution(&kit.desk, who, id).await.unwrap_err()));
            assert!(is_hidden(subsidies::audit(&kit.desk, who, id).await.unwrap_err()));
            let write = file(&kit.desk, who, id, 1, report(1, 30, 500_000), 2, true).await;
            assert!(matches!(write.unwrap_err(), SubsidyError::NotFound("plan")));
            let say = answer(&kit.desk, who, id, Kind::Report, 1, 2, accept()).await;
            assert!(is_hidden(say.unwrap_err()));
            let paying = settle(&kit.desk, who, id, 1, &[Money(0); 3], "x").await;
            assert!(is_hidden(paying.unwrap_err()));
            let list = subsidies::progress(&kit.desk, who, PROGRAMME).await;
            assert!(matches!(list, Err(SubsidyError::Refused(_))));
        }
        // a government does not answer itself, and the ministry does not report
        let own = answer(&kit.desk, &writer, id, Kind::Report, 1, 2, accept()).await;
        assert!(matches!(own, Err(SubsidyError::NotFound(_))));
        let theirs = file(&kit.desk, &officer, id, 1, report(1, 30, 500_000), 2, true).await;
        assert!(matches!(theirs, Err(SubsidyError::NotFound(_))));
        // nor is anything carried out before the corrected plan is there
        let draft = kit.written(&stranger).await;
        let early = subsidies::execution(&kit.desk, &stranger, draft).await;
        assert!(matches!(early, Err(SubsidyError::Refused(_))));
    })
    .await;
}

#[tokio::test]
async fn two_who_save_or_answer_at_once_do_not_overwrite_each_other() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-04-02T01:00:00Z");
        file(&kit.desk, &writer, id, 1, report(1, 20, 500_000), 0, false)
            .await
            .unwrap();
        let second = file(&kit.desk, &writer, id, 1, report(1, 25, 500_000), 0, false).await;
        assert!(matches!(second, Err(SubsidyError::Conflict("filing"))));
        file(&kit.desk, &writer, id, 1, report(1, 21, 500_000), 1, true)
            .await
            .unwrap();
        let over = file(&kit.desk, &writer, id, 1, report(1, 25, 500_000), 3, false).await;
        assert!(matches!(over, Err(SubsidyError::State)));
        let stale = answer(&kit.desk, &officer, id, Kind::Report, 1, 1, accept()).await;
        assert!(matches!(stale, Err(SubsidyError::Conflict("filing"))));
    })
    .await;
}

fn counted(channel: &str, grade: Option<i16>, month: &str) -> measure::Model {
    measure::Model {
        id: Uuid::new_v4(),
        service: "senior-allowance".to_owned(),
        month: month.to_owned(),
        channel: channel.to_owned(),
        outcome: None,
        days: None,
        paper_documents: 0,
        uploads: 0,
        corrections: 0,
        grade,
    }
}

#[tokio::test]
async fn a_bound_indicator_is_counted_by_the_platform_and_everybody_reads_what_was_taken_note_of() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.desk
            .store
            .write(|tx| {
                Box::pin(async move {
                    for (channel, grade, month) in [
                        ("online", Some(5), "2025-01"),
                        ("online", Some(4), "2025-12"),
                        ("counter", Some(1), "2025-06"),
                        ("online", Some(1), "2024-12"),
                        ("online", Some(1), "2026-01"),
                    ] {
                        measure::insert(tx, counted(channel, grade, month)).await?;
                    }
                    Ok::<_, SubsidyError>(())
                })
            })
            .await
            .unwrap();
        kit.at("2026-01-05T01:00:00Z");
        let typed = |text: &str| Reported {
            text: text.to_owned(),
            ..Reported::default()
        };
        let mut own = typed("");
        own.numbers = BTreeMap::from([("online".to_owned(), 61), ("all".to_owned(), 100)]);
        let mut made_up = typed("");
        made_up.numbers = BTreeMap::from([("very_satisfied".to_owned(), 1_000_000)]);
        let values = BTreeMap::from([("K1".to_owned(), made_up), ("K2".to_owned(), own)]);
        sent(&kit, &writer, id, 114, Filing::Results(values)).await.unwrap();
        let outcomes = || async { subsidies::outcomes(&kit.desk, PROGRAMME).await.unwrap() };
        // nothing is told to everybody before the ministry took note of it
        let before = outcomes().await;
        assert_eq!((before.len(), before[0].progress), (1, None));
        assert!(
            before[0].years[0]
                .1
                .iter()
                .all(|one| !one.reported && !one.target.is_empty())
        );
        answered(&kit, &officer, id, Kind::Results, 114, accept()).await;
        sent(&kit, &writer, id, 1, report(1, 20, 900_000)).await.unwrap();
        answered(&kit, &officer, id, Kind::Report, 1, accept()).await;
        let after = outcomes().await;
        let shown = &after[0].years[0].1;
        assert!(shown[0].live && !shown[1].live);
        let value = |at: usize, reading: &str| {
            let of = shown[at].readings.iter().find(|one| one.reading == reading).unwrap();
            (of.value.unwrap().hundredths(of.percent), of.met)
        };
        // (5 + 4 + 1) / 3, and two of three were satisfied: what was typed does not count
        assert_eq!(value(0, "mean"), (333, Some(false)));
        assert_eq!(value(0, "share"), (6667, Some(true)));
        assert_eq!(value(1, "printed"), (6100, Some(true)));
        assert_eq!(
            (after[0].progress, after[0].spent_percent),
            (Some((1, 20, 20)), Some(20))
        );
        // a plan that is not decided stands nowhere, and nothing of people does
        let told = format!("{after:?}");
        for hidden in ["承辦人", "grants@example.org", "02-0000-0000", "名冊模組"] {
            assert!(!told.contains(hidden), "{hidden}");
        }
        kit.at(LAST_SECOND);
        kit.sent(&kit.writer("TXG").await).await;
        assert_eq!(outcomes().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_list_of_the_ministry_has_who_is_behind_first() {
    each_engine(|kit| async move {
        let (keelung, officer, at_keelung) = funded(&kit, "KEE", 3_000_000).await;
        let (_, _, at_taichung) = funded(&kit, "TXG", 2_000_000).await;
        kit.at("2025-04-11T01:00:00Z");
        sent(&kit, &keelung, at_keelung, 1, report(1, 20, 500_000))
            .await
            .unwrap();
        let list = subsidies::progress(&kit.desk, &officer, PROGRAMME).await.unwrap();
        let order: Vec<Uuid> = list.iter().map(|line| line.id).collect();
        assert_eq!(order, [at_taichung, at_keelung]);
        assert_eq!(list[0].risks, [(1, Risk::Missing { days: 1 })]);
        assert_eq!(list[1].risks, [(1, Risk::Late { days: 1 })]);
        assert_eq!((list[1].waiting, list[1].spent_percent), (1, 11));
    })
    .await;
}

#[tokio::test]
async fn the_audit_file_holds_each_sending_and_its_digests_are_right() {
    each_engine(|kit| async move {
        let (writer, officer, id) = funded(&kit, "KEE", 3_000_000).await;
        kit.at("2025-04-02T01:00:00Z");
        sent(&kit, &writer, id, 1, report(1, 20, 500_000)).await.unwrap();
        let said = Answer::Return {
            reason: "請補".to_owned(),
        };
        answered(&kit, &officer, id, Kind::Report, 1, said).await;
        sent(&kit, &writer, id, 1, report(1, 22, 500_000)).await.unwrap();
        for (who, review) in [
            (&writer, &[][..]),
            (&officer, &["review/sheets.json", "review/conflicts.json"][..]),
        ] {
            let bytes = subsidies::audit(&kit.desk, who, id).await.unwrap();
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            let mut read = |name: &str| {
                let mut bytes = Vec::new();
                zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
                bytes
            };
            let sums = String::from_utf8(read("SHA256SUMS")).unwrap();
            let names: Vec<&str> = sums.lines().filter_map(|line| line.split("  ").nth(1)).collect();
            let mut expected = vec![
                "plan.json",
                "plan-corrected.json",
                "decision.json",
                "report-1/sending-1.json",
                "report-1/sending-2.json",
                "report-1/answer.json",
            ];
            expected.extend(review);
            expected.push("history.json");
            assert_eq!(names, expected);
            for line in sums.lines() {
                let (sum, name) = line.split_once("  ").unwrap();
                assert_eq!(hex::encode(Sha256::digest(read(name))), sum, "{name}");
            }
            let first = String::from_utf8(read("report-1/sending-1.json")).unwrap();
            assert!(first.contains("\"progress\":20"), "{first}");
            // the digest the ministry has of what was sent is that of the file
            let sent = subsidies::sent(&kit.desk, &officer, id).await.unwrap();
            assert!(sums.contains(&format!("{}  plan-corrected.json", sent.digest)));
            let history = String::from_utf8(read("history.json")).unwrap();
            let is_ministrys = !review.is_empty();
            assert_eq!(
                history.contains("score"),
                is_ministrys,
                "the panel's acts stay the panel's"
            );
            let whole = String::from_utf8_lossy(&read("manifest.json")).into_owned();
            assert_eq!(whole.contains("review/"), is_ministrys);
        }
    })
    .await;
}

/// What the ministry has to show of its decision: each sheet with its comments, who kept away and why, what it said, and the draw.
#[tokio::test]
async fn the_ministrys_audit_file_says_how_the_decision_came_about() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let writer = kit.writer("KEE").await;
        kit.at(LAST_SECOND);
        let id = kit.sent(&writer).await;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let programme = desk.programme(PROGRAMME).unwrap();
        for name in ["panel-a", "panel-b", "panel-c", "panel-d"] {
            let reviewer = kit.member(name, "grant_reviewer", MINISTRY).await;
            let given = programme.criteria.iter().map(|one| grants::review::Score {
                criterion: one.id.clone(),
                tenths: one.points * 8,
                comment: format!("{name} 的意見"),
            });
            subsidies::score(desk, &reviewer, id, given.collect(), 0).await.unwrap();
            if name == "panel-d" {
                subsidies::declare(desk, &reviewer, PROGRAMME, "KEE", "曾任該市顧問")
                    .await
                    .unwrap();
            }
        }
        let said = subsidies::Appraisal {
            necessary: true,
            feasible: true,
            own_budget: false,
            urgency: 5,
            feasibility: 4,
        };
        subsidies::appraise(desk, &officer, id, 2, said).await.unwrap();
        let details = subsidies::Details {
            day: "2024-06-11".parse().unwrap(),
            place: "301 會議室".to_owned(),
            begins: "09:30:00".parse().unwrap(),
            minutes: 20,
            pause: None,
        };
        kit.at("2024-06-03T02:00:00Z");
        subsidies::convene(desk, &officer, PROGRAMME, 0, details).await.unwrap();
        let revision = subsidies::meeting(desk, &officer, PROGRAMME)
            .await
            .unwrap()
            .unwrap()
            .revision;
        subsidies::draw(desk, &officer, PROGRAMME, revision, "07-12-19-23-31-38")
            .await
            .unwrap();
        let decision = Decision::Grant {
            amount: Money(3_150_000),
            conditions: String::new(),
        };
        subsidies::decide(desk, &officer, id, 3, decision).await.unwrap();
        subsidies::hand_in(desk, &writer, id).await.unwrap();
        let bytes = subsidies::audit(desk, &officer, id).await.unwrap();
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let mut read = |name: &str| {
            let mut bytes = Vec::new();
            zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
            serde_json::from_slice::<serde_json::Value>(&bytes).unwrap()
        };
        let sheets = read("review/sheets.json");
        let told: Vec<_> = sheets
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let comment = one["scores"][0]["comment"].as_str().unwrap();
                (
                    one["reviewer"].as_str().unwrap(),
                    comment,
                    one["counts"].as_bool().unwrap(),
                )
            })
            .collect();
        let mut sorted = told.clone();
        sorted.sort_unstable();
        assert_eq!(
            sorted,
            [
                ("panel-a 先生", "panel-a 的意見", true),
                ("panel-b 先生", "panel-b 的意見", true),
                ("panel-c 先生", "panel-c 的意見", true),
                ("panel-d 先生", "panel-d 的意見", false),
            ]
        );
        assert_eq!(read("review/conflicts.json")[0]["reason"], "曾任該市顧問");
        assert_eq!(read("review/appraisal.json")["urgency"], 5);
        assert_eq!(read("review/meeting.json")["drawn_by"], "officer 先生");
        let drawn = subsidies::draw_file(desk, &officer, PROGRAMME).await.unwrap();
        assert_eq!(
            read("review/draw.json"),
            serde_json::from_slice::<serde_json::Value>(&drawn).unwrap()
        );
        let acts = read("history.json");
        let acts: Vec<&str> = acts
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|one| one["act"].as_str())
            .collect();
        assert!(acts.contains(&"score") && acts.contains(&"appraise"), "{acts:?}");
        // the government's own has none of it
        let bytes = subsidies::audit(desk, &writer, id).await.unwrap();
        let zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        assert!(zip.file_names().all(|name| !name.unwrap().starts_with("review/")));
    })
    .await;
}
