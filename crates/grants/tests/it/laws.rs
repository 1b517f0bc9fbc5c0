//! Laws that hold of every input.

use std::collections::BTreeMap;

use civic::Money;
use grants::correction::{Record, Standing};
use grants::plan::{Piece, difference};
use grants::review::{Candidate, Panel, Score, Sheet, Steer, Why, allot, normalise};
use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use crate::kit::{plan, programme};

fn candidates() -> impl Strategy<Value = (Vec<Candidate>, i64)> {
    let steer = prop_oneof![4 => Just(Steer::Free), 1 => Just(Steer::In), 1 => Just(Steer::Out)];
    // small amounts and points, so that ties are common
    let one = (1..12_i64, 0..9_u32, steer);
    (proptest::collection::vec(one, 0..11), 0..60_i64).prop_map(|(list, budget)| {
        let candidates = list
            .into_iter()
            .enumerate()
            .map(|(at, (amount, value, steer))| Candidate {
                government: format!("G{at:02}"),
                amount: Money(amount),
                value,
                steer,
            });
        (candidates.collect(), budget)
    })
}

/// The best set of all: most points, least cost, then the plans that come first.
fn by_trying_all(candidates: &[Candidate], budget: i64) -> Option<(u64, i64, Vec<bool>)> {
    let mut best: Option<(u64, i64, Vec<bool>)> = None;
    for mask in 0..1_u32 << candidates.len() {
        let inside: Vec<bool> = (0..candidates.len()).map(|at| mask & (1 << at) != 0).collect();
        let fits = candidates.iter().zip(&inside).all(|(one, inside)| match one.steer {
            Steer::Free => true,
            Steer::In => *inside,
            Steer::Out => !*inside,
        });
        let chosen = candidates.iter().zip(&inside).filter(|(_, inside)| **inside);
        let cost: i64 = chosen.clone().map(|(one, _)| one.amount.0).sum();
        let value: u64 = chosen.map(|(one, _)| u64::from(one.value)).sum();
        if !fits || cost > budget {
            continue;
        }
        let better = best.as_ref().is_none_or(|(most, least, plans)| {
            (value, std::cmp::Reverse(cost), &inside) > (*most, std::cmp::Reverse(*least), plans)
        });
        if better {
            best = Some((value, cost, inside));
        }
    }
    best
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_choice_is_the_best_of_all_sets_and_its_reasons_are_true((candidates, budget) in candidates()) {
        let Some((value, cost, inside)) = by_trying_all(&candidates, budget) else {
            prop_assert!(allot(&candidates, Money(budget)).is_err());
            return Ok(());
        };
        let found = allot(&candidates, Money(budget)).unwrap();
        prop_assert_eq!((found.value, found.spent.0), (value, cost));
        prop_assert_eq!(found.verdicts.iter().map(|one| one.funded).collect::<Vec<_>>(), inside.clone());
        for (at, verdict) in found.verdicts.iter().enumerate() {
            let mut other = candidates.clone();
            other[at].steer = if inside[at] { Steer::Out } else { Steer::In };
            let otherwise = by_trying_all(&other, budget).map(|(value, ..)| value);
            match &verdict.why {
                Why::Steered => prop_assert!(candidates[at].steer != Steer::Free),
                Why::Needed { loss } | Why::Displaces { loss, .. } => {
                    prop_assert_eq!(Some(value - loss), otherwise);
                }
                Why::TooDear { short } => {
                    prop_assert_eq!(otherwise, None);
                    let decided: i64 = candidates.iter().filter(|one| one.steer == Steer::In).map(|one| one.amount.0).sum();
                    prop_assert_eq!(short.0, decided + candidates[at].amount.0 - budget);
                }
            }
        }
    }

    #[test]
    fn a_reviewer_who_is_stricter_by_a_constant_changes_no_adjusted_difference(
        marks in proptest::collection::vec((0..100_u16, proptest::bool::weighted(0.8)), 15),
        stricter in 0..3_usize,
        by in 1..80_u16,
    ) {
        let programme = programme();
        let panel = Panel { reviewers: vec!["a".into(), "b".into(), "c".into()], conflicts: Vec::new() };
        let governments = ["TPE", "NWT", "TAO", "TXG", "TNN"];
        let sheets = |more: u16| -> Vec<Sheet> {
            let listed = marks.iter().enumerate().filter(|(_, (_, there))| *there);
            listed.map(|(at, (mark, _))| {
                let reviewer = at % 3;
                let tenths = 100 + mark + if reviewer == stricter { more } else { 0 };
                let scores = programme.criteria.iter().enumerate().map(|(index, criterion)| Score {
                    criterion: criterion.id.clone(),
                    tenths: if index == 0 { tenths } else { 0 },
                    comment: String::new(),
                });
                Sheet { reviewer: panel.reviewers[reviewer].clone(), government: governments[at / 3].into(), scores: scores.collect() }
            }).collect()
        };
        let before = normalise(&sheets(0), &panel, &programme).unwrap();
        let after = normalise(&sheets(by), &panel, &programme).unwrap();
        prop_assume!(before.comparable && !before.plans.is_empty());
        let first = |of: &grants::review::Normalised| of.plans[0].adjusted;
        for (one, other) in before.plans.iter().zip(&after.plans) {
            let moved = (one.adjusted - first(&before)) - (other.adjusted - first(&after));
            prop_assert!(moved.abs() <= 2, "{one:?} {other:?}");
        }
        let sum: i64 = before.reviewers.iter().map(|one| one.leaning).sum();
        prop_assert!(sum.abs() <= 3);
    }

    #[test]
    fn pieces_of_a_difference_make_both_versions(old in "[甲乙丙丁，。\n a]{0,60}", new in "[甲乙丙丁，。\n a]{0,60}") {
        let pieces = difference(&old, &new).unwrap();
        let take = |with: fn(&Piece) -> Option<&str>| pieces.iter().filter_map(with).collect::<String>();
        let before = take(|piece| match piece { Piece::Same(text) | Piece::Removed(text) => Some(text), Piece::Added(_) => None });
        let after = take(|piece| match piece { Piece::Same(text) | Piece::Added(text) => Some(text), Piece::Removed(_) => None });
        prop_assert_eq!((before, after), (old, new));
    }

    #[test]
    fn subsidy_and_own_share_make_the_total_and_keep_cap_and_ratio(total in 0..2_000_000_000_i64, at in 0..22_usize) {
        let programme = programme();
        let most = programme.most(&programme.governments[at].id, Money(total)).unwrap();
        prop_assert_eq!(most.subsidy.0 + most.own.0, total);
        prop_assert!(most.subsidy <= programme.funding.cap);
        prop_assert!(most.subsidy.0 * 100 <= total * i64::from(most.percent));
        // one dollar more would break the one or the other
        prop_assert!(most.subsidy == programme.funding.cap || (most.subsidy.0 + 1) * 100 > total * i64::from(most.percent));
    }

    #[test]
    fn a_correction_never_gets_better_by_waiting(hours in 0..600_i64, later in 0..200_i64, approved in 0..5_000_000_i64) {
        let rules = programme().correction;
        let start = civic::legal_start(date(2024, 7, 1));
        let kept = |hours: i64| {
            let at = start + hours.hours();
            let record = Record { commented: date(2024, 7, 1), handed_in: Some(at), deferral: None };
            rules.kept(Money(approved), rules.standing(&record, at))
        };
        prop_assert!(kept(hours + later) <= kept(hours));
        let record = Record { commented: date(2024, 7, 1), handed_in: None, deferral: None };
        let waiting = matches!(rules.standing(&record, start + hours.hours()), Standing::Waiting);
        prop_assert_eq!(waiting, hours < 16 * 24);
    }
}

#[test]
fn sixty_four_plans_of_awkward_amounts_are_chosen_from_in_time() {
    // points in proportion to cost make the bound useless: the worst case for the search
    let candidates: Vec<Candidate> = (0..64_i64)
        .map(|at| Candidate {
            government: format!("G{at}"),
            amount: Money(4_500_000 - 37_003 * at),
            value: u32::try_from((4_500_000 - 37_003 * at) / 500).unwrap(),
            steer: Steer::Free,
        })
        .collect();
    let begun = std::time::Instant::now();
    let found = allot(&candidates, Money(100_000_000)).unwrap();
    println!(
        "64 plans in {:.1?}: {} of 100,000,000 spent",
        begun.elapsed(),
        found.spent.grouped()
    );
    assert!(found.spent <= Money(100_000_000));
    assert!(begun.elapsed().as_secs() < 120);
}

#[test]
fn texts_without_a_word_in_common_are_compared_in_time() {
    let letter = |at: u32| char::from_u32(0x4e00 + at).unwrap();
    // one sentence of all characters; as many sentences as are told apart; one changed sentence of the longest kind
    let one = |first: u32| (0..20_000).map(|at| letter(first + at * 7 % 9_000)).collect::<String>();
    let many = |first: u32| {
        (0..2_000)
            .map(|at| format!("{}{}。", letter(first + at), letter(at % 97)))
            .collect::<String>()
    };
    let long = |first: u32| (0..2_000).map(|at| letter(first + at)).collect::<String>();
    let pairs = [(one(0), one(9_500)), (many(0), many(9_500)), (long(0), long(9_500))];
    let begun = std::time::Instant::now();
    for (old, new) in &pairs {
        assert!(!difference(old, new).unwrap().is_empty());
    }
    println!("three worst pairs of texts in {:.1?}", begun.elapsed());
    assert!(begun.elapsed().as_secs() < 30);
    assert!(difference(&"長".repeat(20_001), "").is_err());
}

#[test]
fn a_changed_word_is_told_within_its_sentence() {
    let pieces = difference(
        "長者免往返。於節前入帳。資料加密。",
        "長者免往返。於節後入帳。資料加密。",
    )
    .unwrap();
    let same = |text: &str| Piece::Same(text.to_owned());
    let expected = [
        same("長者免往返。於節"),
        Piece::Removed("前".to_owned()),
        Piece::Added("後".to_owned()),
        same("入帳。資料加密。"),
    ];
    assert_eq!(pieces, expected);
}

#[test]
fn completeness_follows_the_plan_and_changed_parts_are_named() {
    let programme = programme();
    let full = plan();
    let done = grants::plan::completeness(&full, &programme);
    assert_eq!(done.len(), 13);
    assert!(done.iter().all(grants::plan::Completeness::is_complete), "{done:?}");
    let mut less = full.clone();
    less.texts.remove("content.privacy-audit");
    less.lines.pop();
    less.contact.email.clear();
    let open: BTreeMap<String, (usize, usize)> = grants::plan::completeness(&less, &programme)
        .into_iter()
        .filter(|one| !one.is_complete())
        .map(|one| (one.chapter, (one.written, one.parts)))
        .collect();
    let expected = [("content", (10, 11)), ("budget", (1, 2)), ("contact", (3, 4))];
    assert_eq!(open, expected.map(|(id, count)| (id.to_owned(), count)).into());
    use grants::plan::Changed;
    let changed = grants::plan::compare(&full, &less);
    assert_eq!(
        changed,
        [
            Changed::Text("content.privacy-audit".to_owned()),
            Changed::Budget,
            Changed::Contact
        ]
    );
}
