//! The review meeting: convened by the ministry, drawn or arranged, seen by each side as far as it may.

use jiff::civil::{Date, Time, date, time};
use lottery::Draw;
use subsidies::{
    Details, Member, SubsidyError, arrange, convene, declare, draft, draw, draw_file, meeting, own_time, received,
};
use uuid::Uuid;

use crate::kit::{Kit, MINISTRY, PROGRAMME, each_engine};

const DAY: Date = date(2024, 6, 18);

fn details() -> Details {
    Details {
        day: DAY,
        place: "部本部 301 會議室".to_owned(),
        begins: time(11, 0, 0, 0),
        minutes: 30,
        pause: Some((time(12, 0, 0, 0), time(13, 30, 0, 0))),
    }
}

/// Plans of some governments that were sent, and an officer of the ministry.
async fn sent(kit: &Kit, governments: &[&str]) -> (Vec<(Member, Uuid)>, Member) {
    let mut plans = Vec::new();
    for government in governments {
        let writer = kit.writer(government).await;
        let id = kit.sent(&writer).await;
        plans.push((writer, id));
    }
    (plans, kit.member("officer", "grant_officer", MINISTRY).await)
}

async fn revision(kit: &Kit, officer: &Member) -> i64 {
    let found = meeting(&kit.desk, officer, PROGRAMME).await.unwrap();
    found.map_or(0, |meeting| meeting.revision)
}

fn is_input<T: std::fmt::Debug>(said: &Result<T, SubsidyError>, at: &str, what: &str) -> bool {
    matches!(said, Err(SubsidyError::Input { field, problem }) if *field == at && *problem == what)
}

#[tokio::test]
async fn the_order_is_drawn_once_and_anybody_can_work_it_out_again() {
    each_engine(|kit| async move {
        let governments = ["KEE", "TPE", "TXG", "HUA", "PEN"];
        let (plans, officer) = sent(&kit, &governments).await;
        let desk = &kit.desk;
        convene(desk, &officer, PROGRAMME, 0, details()).await.unwrap();
        let open = meeting(desk, &officer, PROGRAMME).await.unwrap().unwrap();
        assert!(open.presentations.is_empty() && open.left.len() == 5 && open.drawn.is_none());
        assert!(is_input(
            &draw(desk, &officer, PROGRAMME, open.revision, " ").await,
            "seed",
            "empty"
        ));
        assert!(matches!(
            draw_file(desk, &officer, PROGRAMME).await,
            Err(SubsidyError::NotFound("draw"))
        ));
        draw(desk, &officer, PROGRAMME, open.revision, " 07-12-19-23-31-38 ")
            .await
            .unwrap();
        let drawn = meeting(desk, &officer, PROGRAMME).await.unwrap().unwrap();
        let order: Vec<String> = drawn.presentations.iter().map(|one| one.government.clone()).collect();
        let how = drawn.drawn.clone().unwrap();
        assert_eq!(
            (how.seed.as_str(), how.by.as_str()),
            ("07-12-19-23-31-38", "officer 先生")
        );
        assert_eq!(how.order, order);
        assert!(drawn.left.is_empty() && drawn.arranged.is_none());
        // everybody stands in it once, one after the other, and nobody presents in the pause
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, ["HUA", "KEE", "PEN", "TPE", "TXG"]);
        let times: Vec<(Time, Time)> = drawn.presentations.iter().map(|one| (one.starts, one.ends)).collect();
        let at = |hour, minute| time(hour, minute, 0, 0);
        assert_eq!(
            times,
            [
                (at(11, 0), at(11, 30)),
                (at(11, 30), at(12, 0)),
                (at(13, 30), at(14, 0)),
                (at(14, 0), at(14, 30)),
                (at(14, 30), at(15, 0)),
            ]
        );
        // the file holds for whoever works it out again
        let file: Draw = serde_json::from_slice(&draw_file(desk, &officer, PROGRAMME).await.unwrap()).unwrap();
        assert_eq!(lottery::verify(&file, None), []);
        // a second draw is none, also for who has seen the first
        for seen in [open.revision, drawn.revision] {
            assert!(matches!(
                draw(desk, &officer, PROGRAMME, seen, "1").await,
                Err(SubsidyError::State | SubsidyError::Conflict("meeting"))
            ));
        }
        // by hand for a reason alone, and the drawn order stays on record
        let mut by_hand: Vec<Uuid> = drawn.presentations.iter().map(|one| one.plan).collect();
        by_hand.reverse();
        let refused = arrange(desk, &officer, PROGRAMME, drawn.revision, by_hand.clone(), " ").await;
        assert!(is_input(&refused, "reason", "empty"));
        for wrong in [vec![], vec![by_hand[0]; 5], by_hand[1..].to_vec()] {
            let refused = arrange(desk, &officer, PROGRAMME, drawn.revision, wrong, "船班").await;
            assert!(is_input(&refused, "order", "range"));
        }
        arrange(desk, &officer, PROGRAMME, drawn.revision, by_hand.clone(), "離島船班")
            .await
            .unwrap();
        let arranged = meeting(desk, &officer, PROGRAMME).await.unwrap().unwrap();
        let now: Vec<Uuid> = arranged.presentations.iter().map(|one| one.plan).collect();
        assert_eq!(now, by_hand);
        assert_eq!(arranged.drawn.unwrap().order, order);
        assert_eq!(arranged.arranged.unwrap().reason, "離島船班");
        // each government is told in its history that its time changed, except the one in the middle
        for (writer, id) in &plans {
            let acts = draft(desk, writer, *id).await.unwrap().history;
            let told = acts.iter().filter(|act| act.act == "meet").count();
            let middle = by_hand[2] == *id;
            assert_eq!(told, if middle { 1 } else { 2 });
        }
    })
    .await;
}

#[tokio::test]
async fn each_side_sees_what_is_its_own() {
    each_engine(|kit| async move {
        let (plans, officer) = sent(&kit, &["KEE", "TPE"]).await;
        let desk = &kit.desk;
        let reviewer = kit.member("reviewer", "grant_reviewer", MINISTRY).await;
        let stranger = kit.member("stranger", "grant_officer", "文化部").await;
        declare(desk, &reviewer, PROGRAMME, "TPE", "曾任顧問").await.unwrap();
        assert_eq!(own_time(desk, &plans[0].0, plans[0].1).await.unwrap(), None);
        // nobody but the ministry convenes, and nobody outside looks
        for member in [&plans[0].0, &reviewer, &stranger] {
            for refused in [
                convene(desk, member, PROGRAMME, 0, details()).await,
                draw(desk, member, PROGRAMME, 0, "1").await,
                arrange(desk, member, PROGRAMME, 0, vec![], "").await,
            ] {
                assert!(matches!(refused, Err(SubsidyError::Refused(_))), "{refused:?}");
            }
        }
        convene(desk, &officer, PROGRAMME, 0, details()).await.unwrap();
        let before = own_time(desk, &plans[0].0, plans[0].1).await.unwrap().unwrap();
        assert_eq!((before.day, before.time), (DAY, None));
        let order = vec![plans[1].1, plans[0].1];
        arrange(desk, &officer, PROGRAMME, 1, order, "").await.unwrap();
        for (at, (writer, id)) in [(1, &plans[0]), (0, &plans[1])] {
            let own = own_time(desk, writer, *id).await.unwrap().unwrap();
            let starts = [time(11, 0, 0, 0), time(11, 30, 0, 0)][at];
            assert_eq!(own.time.map(|(from, _)| from), Some(starts));
            let other = &plans[at].1;
            assert!(matches!(
                own_time(desk, writer, *other).await,
                Err(SubsidyError::NotFound("plan"))
            ));
            assert!(matches!(
                meeting(desk, writer, PROGRAMME).await,
                Err(SubsidyError::Refused(_))
            ));
            assert!(matches!(
                draw_file(desk, writer, PROGRAMME).await,
                Err(SubsidyError::Refused(_))
            ));
        }
        assert!(matches!(
            meeting(desk, &stranger, PROGRAMME).await,
            Err(SubsidyError::Refused(_))
        ));
        // who has declared a conflict is named where they have no part
        for member in [&officer, &reviewer] {
            let seen = meeting(desk, member, PROGRAMME).await.unwrap().unwrap();
            let conflicts: Vec<_> = seen.presentations.iter().map(|one| one.conflicts.clone()).collect();
            assert_eq!(conflicts, [vec!["reviewer 先生".to_owned()], vec![]]);
        }
        // a draft has no time
        let late = kit.writer("TXG").await;
        let id = kit.written(&late).await;
        assert_eq!(own_time(desk, &late, id).await.unwrap(), None);
        assert_eq!(received(desk, &officer, PROGRAMME).await.unwrap().len(), 2);
        // one that is sent after the order was made is named as left
        subsidies::send(desk, &late, id).await.unwrap();
        let seen = meeting(desk, &officer, PROGRAMME).await.unwrap().unwrap();
        assert_eq!(seen.left, [(id, "TXG".to_owned())]);
        assert_eq!(own_time(desk, &late, id).await.unwrap().unwrap().time, None);
    })
    .await;
}

#[tokio::test]
async fn bounds_hold_and_two_who_change_it_at_once_are_told() {
    each_engine(|kit| async move {
        let (plans, officer) = sent(&kit, &["KEE", "TPE"]).await;
        let desk = &kit.desk;
        type Case = (fn(&mut Details), &'static str, &'static str);
        let cases: [Case; 6] = [
            (|one| one.day = date(2024, 5, 30), "day", "past"),
            (|one| one.place = "  ".to_owned(), "place", "empty"),
            (|one| one.place = "長".repeat(201), "place", "too_long"),
            (|one| one.minutes = 4, "minutes", "range"),
            (|one| one.minutes = 241, "minutes", "range"),
            (
                |one| one.pause = Some((time(13, 0, 0, 0), time(13, 0, 0, 0))),
                "pause",
                "range",
            ),
        ];
        for (change, field, problem) in cases {
            let mut given = details();
            change(&mut given);
            let refused = convene(desk, &officer, PROGRAMME, 0, given).await;
            assert!(is_input(&refused, field, problem), "{refused:?}");
        }
        assert!(matches!(
            convene(desk, &officer, PROGRAMME, 3, details()).await,
            Err(SubsidyError::Conflict("meeting"))
        ));
        assert!(matches!(
            draw(desk, &officer, PROGRAMME, 1, "1").await,
            Err(SubsidyError::NotFound("meeting"))
        ));
        // two convene at once: one meeting, and one is told
        let (first, second) = tokio::join!(
            convene(desk, &officer, PROGRAMME, 0, details()),
            convene(desk, &officer, PROGRAMME, 0, details())
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(matches!(first.and(second), Err(SubsidyError::Conflict("meeting"))));
        let seen = revision(&kit, &officer).await;
        let mut evening = details();
        evening.begins = time(23, 0, 0, 0);
        evening.minutes = 45;
        convene(desk, &officer, PROGRAMME, seen, evening.clone()).await.unwrap();
        assert!(matches!(
            convene(desk, &officer, PROGRAMME, seen, details()).await,
            Err(SubsidyError::Conflict("meeting"))
        ));
        // two presentations don't fit before midnight any more
        let seen = revision(&kit, &officer).await;
        let order: Vec<Uuid> = plans.iter().map(|(_, id)| *id).collect();
        assert!(is_input(
            &draw(desk, &officer, PROGRAMME, seen, "1").await,
            "order",
            "too_long"
        ));
        let refused = arrange(desk, &officer, PROGRAMME, seen, order.clone(), "").await;
        assert!(is_input(&refused, "order", "too_long"));
        convene(desk, &officer, PROGRAMME, seen, details()).await.unwrap();
        arrange(desk, &officer, PROGRAMME, seen + 1, order, "").await.unwrap();
        let refused = convene(desk, &officer, PROGRAMME, seen + 2, evening).await;
        assert!(is_input(&refused, "minutes", "too_long"));
        // once the day is past its place can still be mended, but it can't be put into the past
        kit.at("2024-06-20T00:00:00Z");
        let mut mended = details();
        mended.place = "線上".to_owned();
        convene(desk, &officer, PROGRAMME, seen + 2, mended.clone())
            .await
            .unwrap();
        mended.day = date(2024, 6, 17);
        assert!(is_input(
            &convene(desk, &officer, PROGRAMME, seen + 3, mended).await,
            "day",
            "past"
        ));
    })
    .await;
}
