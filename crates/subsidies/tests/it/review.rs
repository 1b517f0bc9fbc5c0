//! The panel scores, the ministry decides, the government corrects.

use std::collections::BTreeMap;

use civic::Money;
use grants::correction::Standing;
use grants::review::{Behind, Score, SheetError, Steer};
use subsidies::{
    Appraisal, Decision, Member, State, SubsidyError, alike, allotment, appraise, decide, declare, defer, draft,
    hand_in, my_sheet, ranking, received, score,
};
use uuid::Uuid;

use crate::kit::{Kit, MINISTRY, PROGRAMME, each_engine};

/// Scores of a reviewer: this many points of the first criterion, all of the others.
fn points(kit: &Kit, first: u16) -> Vec<Score> {
    let programme = kit.desk.programme(PROGRAMME).unwrap();
    let mut scores: Vec<Score> = programme
        .criteria
        .iter()
        .map(|one| Score {
            criterion: one.id.clone(),
            tenths: one.points * 10,
            comment: String::new(),
        })
        .collect();
    scores[0].tenths = first * 10;
    scores
}

async fn reviewers(kit: &Kit) -> Vec<Member> {
    let needed = kit.desk.programme(PROGRAMME).unwrap().review.sheets_at_least;
    let mut all = Vec::new();
    for one in 0..=needed {
        all.push(kit.member(&format!("reviewer{one}"), "grant_reviewer", MINISTRY).await);
    }
    all
}

/// A plan with as many sheets as the programme asks for, the reviewers, and an officer of the ministry.
async fn scored(kit: &Kit) -> (Member, Uuid, Vec<Member>, Member) {
    let writer = kit.writer("KEE").await;
    let id = kit.sent(&writer).await;
    let panel = reviewers(kit).await;
    for reviewer in &panel {
        score(&kit.desk, reviewer, id, points(kit, 20), 0).await.unwrap();
    }
    let officer = kit.member("officer", "grant_officer", MINISTRY).await;
    (writer, id, panel, officer)
}

fn grant(amount: i64) -> Decision {
    Decision::Grant {
        amount: Money(amount),
        conditions: "請補充個資流向".to_owned(),
    }
}

#[tokio::test]
async fn a_conflict_of_interest_takes_a_reviewer_out() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.sent(&writer).await;
        let reviewer = kit.member("reviewer", "grant_reviewer", MINISTRY).await;
        let desk = &kit.desk;
        subsidies::sent(desk, &reviewer, id).await.unwrap();
        score(desk, &reviewer, id, points(&kit, 30), 0).await.unwrap();
        assert!(matches!(
            declare(desk, &reviewer, PROGRAMME, "KEE", " ").await,
            Err(SubsidyError::Input { field: "reason", .. })
        ));
        declare(desk, &reviewer, PROGRAMME, "KEE", "曾任該市顧問")
            .await
            .unwrap();
        assert!(matches!(
            declare(desk, &reviewer, PROGRAMME, "KEE", "曾任該市顧問").await,
            Err(SubsidyError::Input { problem: "twice", .. })
        ));
        for refused in [
            subsidies::sent(desk, &reviewer, id).await.map(drop),
            my_sheet(desk, &reviewer, id).await.map(drop),
            score(desk, &reviewer, id, points(&kit, 30), 1).await,
        ] {
            assert!(matches!(refused, Err(SubsidyError::NotFound("plan"))));
        }
        let listed = received(desk, &reviewer, PROGRAMME).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.may_read).collect::<Vec<_>>(), [false]);
        // and the sheet they had written does not count
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        assert_eq!(ranking(desk, &officer, PROGRAMME).await.unwrap().lines[0].sheets, 0);
    })
    .await;
}

#[tokio::test]
async fn a_sheet_is_the_programmes_and_the_second_of_two_saves_is_told() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.sent(&writer).await;
        let reviewer = kit.member("reviewer", "grant_reviewer", MINISTRY).await;
        let desk = &kit.desk;
        assert!(matches!(
            score(desk, &reviewer, id, points(&kit, 31), 0).await,
            Err(SubsidyError::Sheet(SheetError::Points { .. }))
        ));
        score(desk, &reviewer, id, points(&kit, 30), 0).await.unwrap();
        assert!(matches!(
            score(desk, &reviewer, id, points(&kit, 10), 0).await,
            Err(SubsidyError::Conflict("sheet"))
        ));
        score(desk, &reviewer, id, points(&kit, 10), 1).await.unwrap();
        let (scores, revision) = my_sheet(desk, &reviewer, id).await.unwrap();
        assert_eq!((scores[0].tenths, revision), (100, 2));
        // who decides does not score, and who scores does not decide
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        assert!(matches!(
            score(desk, &officer, id, points(&kit, 10), 0).await,
            Err(SubsidyError::Refused(_))
        ));
        assert!(matches!(
            decide(desk, &reviewer, id, 2, grant(1)).await,
            Err(SubsidyError::Refused(_))
        ));
        assert!(matches!(
            ranking(desk, &reviewer, PROGRAMME).await,
            Err(SubsidyError::Refused(_))
        ));
    })
    .await;
}

#[tokio::test]
async fn the_budget_goes_to_most_points_and_can_be_steered() {
    each_engine(|kit| async move {
        let (_, id, _, officer) = scored(&kit).await;
        let desk = &kit.desk;
        let found = ranking(desk, &officer, PROGRAMME).await.unwrap();
        let line = &found.lines[0];
        // 20 of 30 points of the first criterion, all of the others: 90 of 100
        assert_eq!(
            (line.plan, line.raw, line.adjusted, line.enough),
            (id, 9_000, 9_000, true)
        );
        assert_eq!(line.asked, Money(3_150_000));
        let free = allotment(&found, Money(3_150_000), &BTreeMap::new()).unwrap();
        assert!(free.verdicts[0].funded);
        let less = allotment(&found, Money(3_149_999), &BTreeMap::new()).unwrap();
        assert!(!less.verdicts[0].funded);
        let out = BTreeMap::from([("KEE".to_owned(), Steer::Out)]);
        let steered = allotment(&found, Money(3_150_000), &out).unwrap();
        assert!(!steered.verdicts[0].funded);
    })
    .await;
}

/// What was decided is spent or free again; only what waits is chosen.
#[tokio::test]
async fn decided_plans_do_not_compete_for_the_budget() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let panel = reviewers(&kit).await;
        // all ask for half of 4,500,000 but Keelung, which asks for 3,150,000
        let mut plans = BTreeMap::new();
        for (government, first) in [("KEE", 5), ("HSQ", 30), ("TAO", 20), ("TNN", 10), ("TXG", 30)] {
            let writer = kit.writer(government).await;
            let id = kit.sent(&writer).await;
            for reviewer in &panel {
                score(desk, reviewer, id, points(&kit, first), 0).await.unwrap();
            }
            plans.insert(government, id);
        }
        kit.at("2024-07-01T02:00:00Z");
        decide(desk, &officer, plans["KEE"], 2, grant(2_000_000)).await.unwrap();
        decide(desk, &officer, plans["TXG"], 2, grant(1_000_000)).await.unwrap();
        let refused = Decision::Refuse {
            reason: "與其他計畫重複".to_owned(),
        };
        decide(desk, &officer, plans["HSQ"], 2, refused).await.unwrap();
        let funded = async |budget: i64, steers: &BTreeMap<String, Steer>| {
            let ranked = ranking(desk, &officer, PROGRAMME).await.unwrap();
            let found = allotment(&ranked, Money(budget), steers).unwrap();
            let inside = found.verdicts.iter().filter(|verdict| verdict.funded);
            let mut inside: Vec<String> = inside.map(|verdict| verdict.government.clone()).collect();
            inside.sort_unstable();
            (inside.join(" "), found.spent.0)
        };
        // the granted ones stand with what was granted, and one of the two that wait has room
        let free = BTreeMap::new();
        assert_eq!(funded(5_250_000, &free).await, ("KEE TAO TXG".to_owned(), 5_250_000));
        assert_eq!(funded(5_249_999, &free).await, ("KEE TXG".to_owned(), 3_000_000));
        // no wish changes what is decided
        let wished = BTreeMap::from([
            ("KEE".to_owned(), Steer::Out),
            ("HSQ".to_owned(), Steer::In),
            ("TAO".to_owned(), Steer::Out),
        ]);
        assert_eq!(funded(7_500_000, &wished).await, ("KEE TNN TXG".to_owned(), 5_250_000));
        let ranked = ranking(desk, &officer, PROGRAMME).await.unwrap();
        let less = allotment(&ranked, Money(2_999_999), &free);
        assert!(matches!(
            less,
            Err(SubsidyError::Allot(grants::review::AllotError::Overspent(Money(1))))
        ));
        // what was given up is free again: both that wait fit
        kit.at("2024-07-19T16:00:00Z");
        assert_eq!(funded(4_500_000, &free).await, ("TAO TNN".to_owned(), 4_500_000));
    })
    .await;
}

#[tokio::test]
async fn a_copied_plan_is_found_and_only_the_ministry_is_told() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let writer = kit.writer("KEE").await;
        let copier = kit.writer("HSQ").await;
        kit.sent(&writer).await;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        assert!(alike(desk, &officer, PROGRAMME).await.unwrap().is_empty());
        kit.sent(&copier).await;
        let found = alike(desk, &officer, PROGRAMME).await.unwrap();
        let pairs: Vec<_> = found
            .iter()
            .map(|pair| {
                let mut both = [pair.left.as_str(), pair.right.as_str()];
                both.sort_unstable();
                both
            })
            .collect();
        assert_eq!(pairs, [["HSQ", "KEE"]]);
        assert!(!found[0].copied.is_empty());
        // who asks again, and two at once, are told the same
        let (again, another) = tokio::join!(alike(desk, &officer, PROGRAMME), alike(desk, &officer, PROGRAMME));
        assert_eq!((again.unwrap(), another.unwrap()), (found.clone(), found.clone()));
        // what is sent later is compared with all
        kit.sent(&kit.writer("TNN").await).await;
        assert_eq!(alike(desk, &officer, PROGRAMME).await.unwrap().len(), 3);
        for refused in [&writer, &kit.member("reviewer", "grant_reviewer", MINISTRY).await] {
            assert!(matches!(
                alike(desk, refused, PROGRAMME).await,
                Err(SubsidyError::Refused(_))
            ));
        }
    })
    .await;
}

/// 捌、一: plans that are necessary, feasible and beyond the own budget come first, then urgency, then feasibility, then the score.
#[tokio::test]
async fn urgency_comes_before_the_score() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let panel = reviewers(&kit).await;
        let said = |own_budget, urgency| Appraisal {
            necessary: true,
            feasible: true,
            own_budget,
            urgency,
            feasibility: 3,
        };
        let given = [
            ("KEE", 30, Some(said(false, 2))),
            ("HSQ", 10, Some(said(false, 5))),
            ("TAO", 30, Some(said(true, 5))),
            ("TNN", 30, None),
        ];
        for (government, first, appraisal) in given {
            let writer = kit.writer(government).await;
            let id = kit.sent(&writer).await;
            for reviewer in &panel {
                score(desk, reviewer, id, points(&kit, first), 0).await.unwrap();
            }
            if let Some(appraisal) = appraisal {
                appraise(desk, &officer, id, 2, appraisal).await.unwrap();
                assert!(matches!(
                    appraise(desk, &officer, id, 2, appraisal).await,
                    Err(SubsidyError::Conflict("plan"))
                ));
            }
            assert!(matches!(
                appraise(desk, &officer, id, 3, said(false, 6)).await,
                Err(SubsidyError::Input { field: "urgency", .. })
            ));
            // what the ministry said is not told to the government
            let seen = draft(desk, &writer, id).await.unwrap();
            assert!(seen.history.iter().all(|act| act.act != "appraise"));
        }
        let found = ranking(desk, &officer, PROGRAMME).await.unwrap();
        let order: Vec<_> = found
            .lines
            .iter()
            .map(|line| (line.place, line.government.as_str(), line.behind))
            .collect();
        assert_eq!(
            order,
            [
                (1, "HSQ", None),
                (2, "KEE", Some(Behind::Urgency)),
                (3, "TAO", Some(Behind::Priority)),
                (4, "TNN", Some(Behind::Urgency)),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_subsidy_stays_within_tier_and_cap_and_waits_for_the_panel() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.sent(&writer).await;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let desk = &kit.desk;
        assert!(matches!(
            decide(desk, &officer, id, 2, grant(1)).await,
            Err(SubsidyError::FewSheets { there: 0, .. })
        ));
        for reviewer in &reviewers(&kit).await {
            score(desk, reviewer, id, points(&kit, 20), 0).await.unwrap();
        }
        // Keelung is of tier 3: 70 per cent of 4,500,000 (玖、一)
        assert!(matches!(
            decide(desk, &officer, id, 2, grant(3_150_001)).await,
            Err(SubsidyError::AboveMost(Money(3_150_000)))
        ));
        assert!(matches!(
            decide(desk, &officer, id, 2, grant(0)).await,
            Err(SubsidyError::Input { field: "amount", .. })
        ));
        assert!(matches!(
            decide(desk, &officer, id, 1, grant(3_150_000)).await,
            Err(SubsidyError::Conflict("plan"))
        ));
        decide(desk, &officer, id, 2, grant(3_150_000)).await.unwrap();
        assert!(matches!(
            decide(desk, &officer, id, 3, grant(3_150_000)).await,
            Err(SubsidyError::State)
        ));
        let seen = draft(desk, &writer, id).await.unwrap();
        assert_eq!(seen.row.state, State::Correction);
        assert_eq!(seen.row.note.as_deref(), Some("請補充個資流向"));
        // the panel's work is not told to the government
        assert!(seen.history.iter().all(|act| act.act != "score"));
    })
    .await;
}

/// What was approved is the most: a corrected plan that asks for more is told so and not taken, one that asks for less is.
#[tokio::test]
async fn a_corrected_plan_asks_for_no_more_than_was_approved() {
    each_engine(|kit| async move {
        let (writer, id, _, officer) = scored(&kit).await;
        let desk = &kit.desk;
        let asked = async || {
            let seen = draft(desk, &writer, id).await.unwrap();
            let found = seen.findings.into_iter().map(|one| (one.severity, one.rule, one.place));
            found.collect::<Vec<_>>()
        };
        assert!(asked().await.is_empty());
        // Keelung asked for 3,150,000
        decide(desk, &officer, id, 2, grant(3_149_999)).await.unwrap();
        let above = (
            grants::Severity::Refusal,
            grants::Rule::ApprovedExceeded,
            "year 114".to_owned(),
        );
        assert_eq!(asked().await, std::slice::from_ref(&above));
        match hand_in(desk, &writer, id).await {
            Err(SubsidyError::Unready(findings)) => assert_eq!(findings[0].rule, above.1),
            other => panic!("{other:?}"),
        }
        kit.as_approved(&writer, id, 3_149_999).await;
        assert!(asked().await.is_empty());
        kit.as_approved(&writer, id, 3_000_000).await;
        assert!(asked().await.is_empty());
        hand_in(desk, &writer, id).await.unwrap();
        let sent = subsidies::sent(desk, &officer, id).await.unwrap();
        assert_eq!(sent.plan.subsidies[0].ministry(), Money(3_000_000));
    })
    .await;
}

/// 15 days, three more at 20 per cent, then forfeit: the days of `programmes/moda-114/cases/correction.toml`, decided on 1 July.
#[tokio::test]
async fn a_correction_has_its_days() {
    each_engine(|kit| async move {
        let (writer, id, _, officer) = scored(&kit).await;
        let desk = &kit.desk;
        kit.at("2024-07-01T02:00:00Z");
        decide(desk, &officer, id, 2, grant(3_000_000)).await.unwrap();
        kit.as_approved(&writer, id, 3_000_000).await;
        let standing = async || {
            let seen = draft(desk, &writer, id).await.unwrap().correction.unwrap();
            (seen.standing, seen.kept.0)
        };
        kit.at("2024-07-16T15:59:59Z");
        assert_eq!(standing().await, (Standing::Waiting, 3_000_000));
        assert!(matches!(
            defer(desk, &officer, id, 3, "逾期").await,
            Err(SubsidyError::Deferral(_))
        ));
        kit.at("2024-07-16T16:00:00Z");
        assert_eq!(standing().await, (Standing::Overdue { days: 1 }, 2_400_000));
        defer(desk, &officer, id, 3, "逾期未提修正計畫書").await.unwrap();
        kit.at("2024-07-19T16:00:00Z");
        assert_eq!(standing().await, (Standing::Forfeit, 0));
        let late = hand_in(desk, &writer, id).await;
        assert!(matches!(late, Err(SubsidyError::Forfeit(day)) if day.to_string() == "2024-07-19"));
        // a moment earlier it is taken at a price, and the price stays
        kit.at("2024-07-19T15:59:59Z");
        hand_in(desk, &writer, id).await.unwrap();
        kit.at("2024-09-01T00:00:00Z");
        assert_eq!(standing().await, (Standing::Late { days: 3 }, 2_400_000));
        let seen = draft(desk, &writer, id).await.unwrap();
        assert_eq!(seen.row.state, State::Corrected);
        assert_eq!(seen.correction.unwrap().deferral.unwrap().reason, "逾期未提修正計畫書");
        assert!(matches!(hand_in(desk, &writer, id).await, Err(SubsidyError::State)));
    })
    .await;
}
