//! The rights of people over their data: made, answered in time, and done.

use cases::rights::{self, Asked, Kind, State as Step};
use cases::staff::Role;
use cases::{CaseError, Person, State, dispose, mine, review};
use civic::ids::ApplicationId;
use store::tables::message;

use crate::support::{Kit, each_engine};

fn ask(kind: Kind, application: Option<ApplicationId>, text: &str) -> Asked {
    Asked {
        kind,
        entry: None,
        application,
        text: text.to_owned(),
    }
}

async fn messages(kit: &Kit, id: ApplicationId, kind: &str) -> usize {
    let rows = message::of_application(kit.desk.store.read(), id.uuid()).await.unwrap();
    rows.iter().filter(|row| row.kind == kind).count()
}

async fn only(kit: &Kit, person: &Person) -> rights::View {
    rights::mine(&kit.desk, person).await.unwrap().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_a_use_is_answered_in_its_time() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        let (person, stranger) = (kit.person(1).await, kit.person(2).await);
        let (id, _) = kit.submitted(&person).await;
        review::take(desk, &officer, id, kit.revision(id).await).await.unwrap();
        review::case(desk, &officer, id).await.unwrap();
        let uses = mine::uses(desk, &person, None, 10).await.unwrap();
        let used = uses.iter().find(|one| one.entry.action == "read").unwrap();

        // the entry is the person's own, and nobody else can ask about it
        assert!(matches!(
            rights::entry_of(desk, &stranger, used.seq).await,
            Err(CaseError::NotFound(_))
        ));
        let about = Asked {
            entry: Some(used.seq),
            ..ask(Kind::Ask, None, "誰看了我的資料，為什麼？")
        };
        assert!(matches!(
            rights::make(desk, &stranger, about.clone()).await,
            Err(CaseError::NotFound(_))
        ));
        let request = rights::make(desk, &person, about).await.unwrap();
        let view = only(&kit, &person).await;
        assert_eq!((view.state, view.application), (Step::Open, Some(id)));
        // made on Friday 20 November 2026: fifteen days, the last of which is a Saturday
        assert_eq!(view.due.unwrap().to_string(), "2026-12-07");
        assert!(rights::mine(desk, &stranger).await.unwrap().is_empty());

        // nobody but who looks after privacy sees it, and their look is itself told to the person
        assert!(matches!(
            rights::file(desk, &officer, request).await,
            Err(CaseError::Refused(_))
        ));
        assert!(matches!(
            rights::list(desk, &officer, true).await,
            Err(CaseError::Refused(_))
        ));
        assert_eq!(rights::list(desk, &privacy, true).await.unwrap().len(), 1);
        let file = rights::file(desk, &privacy, request).await.unwrap();
        assert_eq!(file.by.as_deref(), Some("officer 先生"));
        assert_eq!(file.entry.unwrap().seq, used.seq);
        let newest = mine::uses(desk, &person, None, 1).await.unwrap();
        assert_eq!(newest[0].entry.action, "answer_request");

        // more time once, and with a reason
        let revision = file.view.revision;
        assert!(matches!(
            rights::extend(desk, &privacy, request, revision, " ").await,
            Err(CaseError::Input { .. })
        ));
        rights::extend(desk, &privacy, request, revision, "要向承辦機關查明")
            .await
            .unwrap();
        let view = only(&kit, &person).await;
        assert_eq!(view.due.unwrap().to_string(), "2026-12-21");
        assert_eq!(view.longer.as_deref(), Some("要向承辦機關查明"));
        assert_eq!(messages(&kit, id, "request_extended").await, 1);
        assert!(matches!(
            rights::extend(desk, &privacy, request, view.revision, "再一次").await,
            Err(CaseError::Conflict(_))
        ));
        assert!(matches!(
            rights::answer(desk, &privacy, request, revision, Step::Granted, "舊的").await,
            Err(CaseError::Conflict(_))
        ));
        rights::answer(
            desk,
            &privacy,
            request,
            view.revision,
            Step::Granted,
            "承辦人審查您的申請",
        )
        .await
        .unwrap();
        let view = only(&kit, &person).await;
        assert_eq!(view.answer.as_deref(), Some("承辦人審查您的申請"));
        assert_eq!(messages(&kit, id, "request_answered").await, 1);
        assert!(matches!(
            rights::withdraw(desk, &person, request, view.revision).await,
            Err(CaseError::Conflict(_))
        ));
        let over = rights::list(desk, &privacy, false).await.unwrap();
        assert_eq!((over.len(), over[0].days_left), (1, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_disputed_says_so_and_what_is_over_is_deleted() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let officer = kit.staff("officer", Role::Officer).await;
        let privacy = kit.staff("privacy", Role::Privacy).await;
        let person = kit.person(1).await;
        let (id, _) = kit.submitted(&person).await;
        rights::make(desk, &person, ask(Kind::Correct, Some(id), "我的所得不是這樣"))
            .await
            .unwrap();
        let told = mine::case(desk, &person, id).await.unwrap();
        assert!(told.events.iter().any(|event| event.kind == "data_disputed"));
        let view = only(&kit, &person).await;
        assert_eq!(view.due.unwrap().to_string(), "2026-12-21");
        rights::answer(desk, &privacy, view.id, view.revision, Step::Partly, "已更正所得")
            .await
            .unwrap();
        let told = mine::case(desk, &person, id).await.unwrap();
        assert!(told.events.iter().any(|event| event.kind == "dispute_settled"));

        // a case that is still handled is needed
        assert!(matches!(
            rights::make(desk, &person, ask(Kind::Delete, None, "刪除")).await,
            Err(CaseError::Input {
                field: "application",
                ..
            })
        ));
        rights::make(desk, &person, ask(Kind::Delete, Some(id), "請刪除"))
            .await
            .unwrap();
        let view = only(&kit, &person).await;
        assert!(!rights::file(desk, &privacy, view.id).await.unwrap().may_delete);
        assert!(matches!(
            rights::answer(desk, &privacy, view.id, view.revision, Step::Granted, "好").await,
            Err(CaseError::Input {
                problem: "case_needed",
                ..
            })
        ));
        review::take(desk, &officer, id, kit.revision(id).await).await.unwrap();
        review::refuse(desk, &officer, id, kit.revision(id).await, "資料不足")
            .await
            .unwrap();
        kit.wait(1);
        kit.work().await;
        assert!(rights::file(desk, &privacy, view.id).await.unwrap().may_delete);
        rights::answer(desk, &privacy, view.id, view.revision, Step::Granted, "今晚刪除")
            .await
            .unwrap();
        kit.work().await;
        dispose::run(desk).await.unwrap();
        assert_eq!(kit.row(id).await.state, State::Disposed);
        // the request and its answer stay readable to the person
        let view = only(&kit, &person).await;
        assert_eq!((view.state, view.text.as_str()), (Step::Granted, "請刪除"));

        // who wants no use beyond their cases is not written to any more
        rights::make(desk, &person, ask(Kind::Stop, None, "不要再通知我"))
            .await
            .unwrap();
        let view = only(&kit, &person).await;
        rights::answer(desk, &privacy, view.id, view.revision, Step::Granted, "已停止")
            .await
            .unwrap();
        assert!(!cases::outreach::wants(desk, &person).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_holds_what_was_given_and_nothing_of_others() {
    each_engine(|kit| async move {
        let desk = &kit.desk;
        let (person, stranger) = (kit.person(1).await, kit.person(2).await);
        let (id, _) = kit.submitted(&person).await;
        let (other, _) = kit.submitted(&stranger).await;
        let copy = rights::copy(desk, &person).await.unwrap();
        let text = copy.to_string();
        let number = kit.row(id).await.number.unwrap();
        assert_eq!(copy["cases"].as_array().unwrap().len(), 1);
        assert_eq!(copy["cases"][0]["number"], number.as_str());
        assert!(copy["cases"][0]["answers"].to_string().len() > 50);
        assert!(text.contains(person.national_id.reveal()));
        assert!(!text.contains(stranger.national_id.reveal()));
        assert!(!text.contains(&kit.row(other).await.number.unwrap()));
        // the copy is told in the ledger, and too many requests wait for nobody
        let newest = mine::uses(desk, &person, None, 1).await.unwrap();
        assert_eq!(newest[0].entry.fields, ["copy"]);
        for _ in 0..20 {
            rights::make(desk, &person, ask(Kind::Ask, None, "查詢")).await.unwrap();
        }
        assert!(matches!(
            rights::make(desk, &person, ask(Kind::Ask, None, "查詢")).await,
            Err(CaseError::Input {
                problem: "too_many",
                ..
            })
        ));
    })
    .await;
}
