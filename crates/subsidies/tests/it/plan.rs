//! A plan is written by one government, and sent whole or not at all.

use grants::plan::Piece;
use store::ledger;
use store::tables::subsidy_submission;
use subsidies::{
    Part, State, SubsidyError, comment, comments, compare, draft, export, import, mine, open, print_draft, print_own,
    print_sent, save, send, versions,
};
use uuid::Uuid;

use crate::kit::{CLOSED, Kit, LAST_SECOND, MINISTRY, PROGRAMME, each_engine, sound, sound_of};

fn goals(text: &str) -> Part {
    Part::Text {
        id: "goals".to_owned(),
        text: text.to_owned(),
    }
}

async fn state(kit: &Kit, writer: &subsidies::Member, id: Uuid) -> State {
    draft(&kit.desk, writer, id).await.unwrap().row.state
}

#[tokio::test]
async fn a_plan_that_was_written_is_sent_whole() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        let before = draft(&kit.desk, &writer, id).await.unwrap();
        assert_eq!(before.plan, sound());
        assert!(before.findings.is_empty(), "{:?}", before.findings);
        assert!(before.completeness.iter().all(grants::plan::Completeness::is_complete));
        kit.at(LAST_SECOND);
        send(&kit.desk, &writer, id).await.unwrap();
        assert_eq!(state(&kit, &writer, id).await, State::Sent);
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let sent = subsidies::sent(&kit.desk, &officer, id).await.unwrap();
        assert_eq!(sent.plan, sound());
        // what was sent is written no more, nor sent twice
        assert!(matches!(
            save(&kit.desk, &writer, id, goals("另一個"), 1).await,
            Err(SubsidyError::State)
        ));
        assert!(matches!(send(&kit.desk, &writer, id).await, Err(SubsidyError::State)));
        // who used what of people in the plan stands in the ledger, which holds
        assert!(ledger::head(kit.desk.store.read()).await.unwrap().seq >= 4);
    })
    .await;
}

#[tokio::test]
async fn late_by_a_moment_is_refused_and_the_draft_is_kept() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        kit.at(CLOSED);
        let refused = send(&kit.desk, &writer, id).await;
        assert!(matches!(refused, Err(SubsidyError::Late(closed)) if closed.to_string() == "2024-05-31T17:00:00"));
        let kept = draft(&kit.desk, &writer, id).await.unwrap();
        assert_eq!((kept.row.state, kept.plan), (State::Draft, sound()));
        assert!(
            subsidy_submission::last(kit.desk.store.read(), id)
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_plan_is_refused_with_what_to_mend() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        save(&kit.desk, &writer, id, goals(""), 1).await.unwrap();
        match send(&kit.desk, &writer, id).await {
            Err(SubsidyError::Unready(findings)) => {
                assert_eq!(
                    findings.iter().map(|one| one.place.as_str()).collect::<Vec<_>>(),
                    ["goals"]
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(state(&kit, &writer, id).await, State::Draft);
    })
    .await;
}

#[tokio::test]
async fn what_is_saved_after_the_request_arrived_is_not_in_what_was_sent() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        // a colleague's save that the store stamps later than this request arrives
        kit.at(CLOSED);
        save(&kit.desk, &writer, id, goals("截止後才存的文字"), 1)
            .await
            .unwrap();
        kit.at(LAST_SECOND);
        send(&kit.desk, &writer, id).await.unwrap();
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let sent = subsidies::sent(&kit.desk, &officer, id).await.unwrap();
        assert_eq!(sent.plan.text("goals"), sound().text("goals"));
    })
    .await;
}

#[tokio::test]
async fn the_second_of_two_savers_is_told_and_every_version_is_kept() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let colleague = kit.member("colleague", "grant_writer", "KEE").await;
        let id = open(&kit.desk, &writer, PROGRAMME).await.unwrap();
        assert_eq!(open(&kit.desk, &colleague, PROGRAMME).await.unwrap(), id);
        assert_eq!(
            save(&kit.desk, &writer, id, goals("長者不必臨櫃。"), 0).await.unwrap(),
            1
        );
        for stale in [0, 2, 7, -1, i64::MAX] {
            assert!(matches!(
                save(&kit.desk, &colleague, id, goals("我的版本。"), stale).await,
                Err(SubsidyError::Conflict("part"))
            ));
        }
        assert_eq!(
            save(&kit.desk, &colleague, id, goals("長者不必臨櫃。承辦人不再比對。"), 1)
                .await
                .unwrap(),
            2
        );
        let all = versions(&kit.desk, &writer, id, "text:goals").await.unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.version, one.by.as_str())).collect();
        assert_eq!(told, [(2, "colleague 先生"), (1, "writer-KEE 先生")]);
        assert_eq!(
            compare(&kit.desk, &writer, id, "text:goals", 1, 2).await.unwrap(),
            [
                Piece::Same("長者不必臨櫃。".to_owned()),
                Piece::Added("承辦人不再比對。".to_owned())
            ]
        );
        comment(&kit.desk, &colleague, id, "text:goals", "請補上比率")
            .await
            .unwrap();
        let told = comments(&kit.desk, &writer, id, "text:goals").await.unwrap();
        assert_eq!(
            told.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(),
            ["請補上比率"]
        );
        assert!(matches!(
            comment(&kit.desk, &colleague, id, "text:nowhere", "x").await,
            Err(SubsidyError::NotFound("part"))
        ));
    })
    .await;
}

#[tokio::test]
async fn many_savers_of_one_part_at_once_leave_one_version_each() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = open(&kit.desk, &writer, PROGRAMME).await.unwrap();
        let mut savers = Vec::new();
        for one in 0..10 {
            let (desk, writer) = (kit.desk.clone(), writer.clone());
            savers.push(tokio::spawn(async move {
                save(&desk, &writer, id, goals(&format!("第{one}版")), 0).await.is_ok()
            }));
        }
        let mut kept = 0;
        for saver in savers {
            kept += usize::from(saver.await.unwrap());
        }
        assert_eq!(kept, 1);
        assert_eq!(versions(&kit.desk, &writer, id, "text:goals").await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_government_sees_nothing_of_anothers() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let other = kit.writer("TPE").await;
        let id = kit.sent(&writer).await;
        let desk = &kit.desk;
        let none = |what: Result<(), SubsidyError>| assert!(matches!(what, Err(SubsidyError::NotFound("plan"))));
        none(draft(desk, &other, id).await.map(drop));
        none(save(desk, &other, id, goals("x"), 1).await.map(drop));
        none(send(desk, &other, id).await);
        none(subsidies::hand_in(desk, &other, id).await);
        none(comment(desk, &other, id, "text:goals", "x").await);
        none(comments(desk, &other, id, "text:goals").await.map(drop));
        none(versions(desk, &other, id, "text:goals").await.map(drop));
        none(compare(desk, &other, id, "text:goals", 0, 1).await.map(drop));
        none(subsidies::sent(desk, &other, id).await.map(drop));
        none(subsidies::my_sheet(desk, &other, id).await.map(drop));
        assert!(mine(desk, &other).await.unwrap().is_empty());
        assert_eq!(mine(desk, &writer).await.unwrap().len(), 1);
        for refused in [
            subsidies::received(desk, &other, PROGRAMME).await.map(drop),
            subsidies::ranking(desk, &other, PROGRAMME).await.map(drop),
            subsidies::declare(desk, &other, PROGRAMME, "KEE", "x").await,
        ] {
            assert!(matches!(refused, Err(SubsidyError::Refused(_))));
        }
        // nor does the ministry see a draft
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let draft_of_other = open(desk, &other, PROGRAMME).await.unwrap();
        none(subsidies::sent(desk, &officer, draft_of_other).await.map(drop));
        // nor another ministry what was sent
        let stranger = kit.member("stranger", "grant_officer", "文化部").await;
        none(subsidies::sent(desk, &stranger, id).await.map(drop));
        assert_eq!(subsidies::received(desk, &officer, PROGRAMME).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_document_comes_back_whole_or_not_at_all() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let programme = desk.programme(PROGRAMME).unwrap();
        let writer = kit.writer("KEE").await;
        let id = kit.written(&writer).await;
        let seen = draft(desk, &writer, id).await.unwrap().versions;
        // what was not changed is no new version
        let document = export(desk, &writer, id).await.unwrap();
        assert_eq!(import(desk, &writer, id, &document, &seen).await.unwrap().0, 0);
        // changed outside: a text and the contact
        let mut edited = sound();
        edited
            .texts
            .insert("goals".to_owned(), "在辦公軟體改過的目標。".to_owned());
        edited.contact.unit = "資訊中心".to_owned();
        let document = grants::odt::write(&edited, programme).unwrap();
        // meanwhile a colleague saved one of the two: neither is taken
        save(desk, &writer, id, goals("同事的目標。"), 1).await.unwrap();
        assert!(matches!(
            import(desk, &writer, id, &document, &seen).await,
            Err(SubsidyError::Conflict("part"))
        ));
        let kept = draft(desk, &writer, id).await.unwrap();
        assert_eq!(kept.plan.contact, sound().contact);
        assert_eq!(import(desk, &writer, id, &document, &kept.versions).await.unwrap().0, 2);
        assert_eq!(draft(desk, &writer, id).await.unwrap().plan, edited);
        // the document of another government is not taken for one's own
        let document = grants::odt::write(&sound_of("TPE"), programme).unwrap();
        assert!(matches!(
            import(desk, &writer, id, &document, &kept.versions).await,
            Err(SubsidyError::Input { field: "document", .. })
        ));
        let other = kit.writer("TPE").await;
        assert!(matches!(
            export(desk, &other, id).await,
            Err(SubsidyError::NotFound("plan"))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_document_of_yesterday_overwrites_nothing_that_was_saved_since() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let programme = desk.programme(PROGRAMME).unwrap();
        let writer = kit.writer("KEE").await;
        let colleague = kit.member("colleague", "grant_writer", "KEE").await;
        let id = kit.written(&writer).await;
        let exported = export(desk, &writer, id).await.unwrap();
        let of_document = grants::odt::read(&exported, programme).unwrap().versions.unwrap();
        assert_eq!(of_document, draft(desk, &writer, id).await.unwrap().versions);
        save(desk, &colleague, id, goals("同事的目標。"), 1).await.unwrap();
        // the page is opened anew, and knows the colleague's version
        let seen = draft(desk, &writer, id).await.unwrap().versions;
        assert_eq!(seen["text:goals"], 2);
        assert_eq!(import(desk, &writer, id, &exported, &seen).await.unwrap().0, 0);
        // another part was edited in the document: it is taken, and the colleague's goals stay
        let mut edited = sound();
        edited.contact.unit = "資訊中心".to_owned();
        let document = grants::odt::write_versioned(&edited, programme, &of_document).unwrap();
        assert_eq!(import(desk, &writer, id, &document, &seen).await.unwrap().0, 1);
        let now = draft(desk, &writer, id).await.unwrap();
        assert_eq!(now.plan.contact, edited.contact);
        assert_eq!(now.plan.text("goals"), "同事的目標。");
        // both changed the goals: nothing is taken, whatever page was opened
        edited
            .texts
            .insert("goals".to_owned(), "在辦公軟體改過的目標。".to_owned());
        edited.contact.unit = "社會局".to_owned();
        let document = grants::odt::write_versioned(&edited, programme, &of_document).unwrap();
        for seen in [&seen, &now.versions] {
            assert!(matches!(
                import(desk, &writer, id, &document, seen).await,
                Err(SubsidyError::Conflict("part"))
            ));
        }
        let kept = draft(desk, &writer, id).await.unwrap();
        assert_eq!(kept.versions, now.versions);
        // both changed it to the same: there is nothing to take
        edited.contact.unit = "資訊中心".to_owned();
        edited.texts.insert("goals".to_owned(), "同事的目標。".to_owned());
        let document = grants::odt::write_versioned(&edited, programme, &of_document).unwrap();
        assert_eq!(import(desk, &writer, id, &document, &seen).await.unwrap().0, 0);
        // versions that this plan never had are no licence to overwrite
        let mut invented = of_document.clone();
        invented.insert("text:goals".to_owned(), 99);
        edited.texts.insert("goals".to_owned(), "來路不明的目標。".to_owned());
        let document = grants::odt::write_versioned(&edited, programme, &invented).unwrap();
        assert!(matches!(
            import(desk, &writer, id, &document, &seen).await,
            Err(SubsidyError::Conflict("part"))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_printed_as_it_stands_and_as_it_was_sent() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let writer = kit.writer("KEE").await;
        let other = kit.writer("TPE").await;
        let officer = kit.member("officer", "grant_officer", MINISTRY).await;
        let reviewer = kit.member("reviewer", "grant_reviewer", MINISTRY).await;
        let conflicted = kit.member("conflicted", "grant_reviewer", MINISTRY).await;
        subsidies::declare(desk, &conflicted, PROGRAMME, "KEE", "曾任顧問")
            .await
            .unwrap();
        let none = |what: Result<Vec<u8>, SubsidyError>| assert!(matches!(what, Err(SubsidyError::NotFound("plan"))));
        let id = kit.written(&writer).await;
        let draft = print_draft(desk, &writer, id).await.unwrap();
        assert!(draft.starts_with(b"%PDF-"));
        // before it is sent, nobody has it as sent
        none(print_own(desk, &writer, id, false).await);
        for member in [&officer, &reviewer] {
            none(print_sent(desk, member, id).await);
            none(print_draft(desk, member, id).await);
        }
        send(desk, &writer, id).await.unwrap();
        assert!(matches!(print_draft(desk, &writer, id).await, Err(SubsidyError::State)));
        let own = print_own(desk, &writer, id, false).await.unwrap();
        assert_ne!(own, draft);
        none(print_own(desk, &writer, id, true).await);
        for member in [&officer, &reviewer] {
            let before = ledger::head(desk.store.read()).await.unwrap().seq;
            assert_eq!(print_sent(desk, member, id).await.unwrap(), own);
            assert_eq!(ledger::head(desk.store.read()).await.unwrap().seq, before + 1);
        }
        for member in [&other, &conflicted] {
            none(print_sent(desk, member, id).await);
            none(print_own(desk, member, id, false).await);
            none(print_draft(desk, member, id).await);
        }
    })
    .await;
}

#[tokio::test]
async fn bounds_hold_on_what_is_saved() {
    each_engine(|kit| async move {
        let writer = kit.writer("KEE").await;
        let id = open(&kit.desk, &writer, PROGRAMME).await.unwrap();
        let long = "長".repeat(grants::plan::MOST_TEXT + 1);
        for part in [goals(&long), Part::Title(long.clone())] {
            assert!(matches!(
                save(&kit.desk, &writer, id, part, 0).await,
                Err(SubsidyError::Input {
                    problem: "too_long",
                    ..
                })
            ));
        }
        let nowhere = Part::Text {
            id: "nowhere".to_owned(),
            text: String::new(),
        };
        assert!(matches!(
            save(&kit.desk, &writer, id, nowhere, 0).await,
            Err(SubsidyError::NotFound("part"))
        ));
    })
    .await;
}
