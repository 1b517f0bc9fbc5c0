//! What becomes of messages: tried again, left to a person, sent once, and worded by a service.

use std::collections::BTreeMap;
use std::sync::Arc;

use cases::channels;
use cases::deliveries;
use cases::staff::Role;
use cases::{CaseError, collect};
use civic::Language;
use civic::ids::DeliveryId;
use peers::notices::Faults;
use services::Catalogue;
use store::outbox;
use store::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use store::tables::channel::{Kind, State};
use store::tables::delivery::State as Sent;
use store::tables::{channel, delivery};

use crate::channels::{at_the_time_of_the_push_service, browser, linked, number, problem, rows, status, twin, ways};
use crate::support::{ZH, each_engine};

#[tokio::test]
async fn what_is_not_taken_is_tried_again_as_the_other_side_asks_and_then_left_to_a_person() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let admin = kit.staff("admin", Role::Administrator).await;
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        let before = twin.taken().len();
        twin.misbehave(Faults {
            status: 429,
            retry_after: Some("7200".to_owned()),
            ..Faults::default()
        });
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let first = rows(&kit, case).await.remove(0);
        assert_eq!(
            (first.state, first.tries, first.problem.as_deref()),
            (Sent::Later, 1, Some("too_many"))
        );
        kit.wait(1);
        kit.work().await;
        assert_eq!(
            rows(&kit, case).await[0].tries,
            1,
            "not before the time that it asked for"
        );
        twin.misbehave(Faults {
            status: 503,
            ..Faults::default()
        });
        for _ in 0..12 {
            kit.wait(7);
            kit.work().await;
        }
        let dead = rows(&kit, case).await.remove(0);
        assert_eq!(
            (dead.state, dead.tries, dead.problem.as_deref()),
            (Sent::Dead, 12, Some("busy"))
        );
        assert_eq!(status(&kit, case).await, "failed");
        let seen = deliveries::overview(&kit.desk, &admin).await.unwrap();
        let sms = seen.channels.iter().find(|row| row.kind == Kind::Sms).unwrap();
        assert_eq!((sms.stuck, sms.later, sms.queued, sms.oldest), (1, 0, 0, None));
        assert_eq!(seen.stuck[0].message, "received");
        assert!(seen.stuck[0].number.is_some());
        let id = seen.stuck[0].id;
        let officer = kit.staff("officer", Role::Officer).await;
        assert!(matches!(
            deliveries::again(&kit.desk, &officer, id).await,
            Err(CaseError::Refused(_))
        ));
        twin.misbehave(Faults::default());
        deliveries::again(&kit.desk, &admin, id).await.unwrap();
        assert!(matches!(
            deliveries::again(&kit.desk, &admin, id).await,
            Err(CaseError::Conflict(_))
        ));
        assert_eq!(status(&kit, case).await, "queued");
        kit.work().await;
        assert_eq!(twin.taken().len(), before + 1);
        assert_eq!(
            (rows(&kit, case).await[0].state, status(&kit, case).await.as_str()),
            (Sent::Sent, "sent")
        );
        assert!(deliveries::overview(&kit.desk, &admin).await.unwrap().stuck.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_shown_and_can_be_given_up_with_a_reason() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let admin = kit.staff("admin", Role::Administrator).await;
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        twin.misbehave(Faults {
            gateway: Some("statuscode=v".to_owned()),
            ..Faults::default()
        });
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let row = rows(&kit, case).await.remove(0);
        assert_eq!((row.state, row.problem.as_deref()), (Sent::Failed, Some("refused")));
        let id = DeliveryId::from_uuid(row.id);
        let no_reason = deliveries::give_up(&kit.desk, &admin, id, " ").await.unwrap_err();
        assert_eq!(problem(no_reason), ("reason", "needed"));
        deliveries::give_up(&kit.desk, &admin, id, "已打電話通知")
            .await
            .unwrap();
        assert!(matches!(
            deliveries::give_up(&kit.desk, &admin, id, "again").await,
            Err(CaseError::Conflict(_))
        ));
        let row = rows(&kit, case).await.remove(0);
        assert_eq!((row.state, row.reason.as_deref()), (Sent::Ended, Some("已打電話通知")));
        assert!(deliveries::overview(&kit.desk, &admin).await.unwrap().stuck.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_is_gone_is_forgotten() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        at_the_time_of_the_push_service(&kit);
        let person = kit.person(1).await;
        for wrong in [
            "",
            "{}",
            "{\"endpoint\":\"https://evil.example/\",\"keys\":{\"p256dh\":\"a\",\"auth\":\"b\"}}",
        ] {
            let refused = channels::subscribe(&kit.desk, &person, wrong, ZH).await.unwrap_err();
            assert_eq!(problem(refused), ("push", "unusable"), "{wrong}");
        }
        let id = browser(&kit, &twin, &person, "phone").await;
        browser(&kit, &twin, &person, "laptop").await;
        twin.unsubscribe("phone");
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let mut states: Vec<Sent> = rows(&kit, case).await.iter().map(|row| row.state).collect();
        states.sort();
        assert_eq!(states, [Sent::Sent, Sent::Gone]);
        assert_eq!(status(&kit, case).await, "sent", "one channel took it");
        let row = channel::by_id(kit.desk.store.read(), id.uuid()).await.unwrap().unwrap();
        assert_eq!((row.state, row.sealed), (State::Gone, None));
        let (next, _) = kit.submitted(&person).await;
        kit.work().await;
        assert_eq!(rows(&kit, next).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_crash_between_sending_and_noting_doubles_nothing() {
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.told_by(ways(&twin.address));
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        linked(&kit, &twin, &person, ZH).await;
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let before = twin.taken().len();
        // as if the process had died before the outcome was written
        kit.desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    use store::sea_orm::sea_query::Expr;
                    delivery::Entity::update_many()
                        .col_expr(delivery::Column::State, Expr::value(Sent::Queued))
                        .filter(delivery::Column::ApplicationId.eq(case.uuid()))
                        .exec(tx)
                        .await?;
                    store::tables::outbox::Entity::update_many()
                        .col_expr(store::tables::outbox::Column::State, Expr::value("waiting"))
                        .filter(store::tables::outbox::Column::Kind.eq("deliver"))
                        .exec(tx)
                        .await?;
                    Ok::<_, CaseError>(())
                })
            })
            .await
            .unwrap();
        // what the dead process had claimed is another's after its lease
        kit.clock.advance(jiff::SignedDuration::from_mins(3));
        assert!(kit.work().await >= 2);
        assert_eq!(twin.taken().len(), before, "the other sides know them by their names");
        assert!(rows(&kit, case).await.iter().all(|row| row.state == Sent::Sent));
        assert_eq!(outbox::waiting(&kit.desk.store).await.unwrap(), 0);
    })
    .await;
}

/// A catalogue of one service with its own words.
fn worded(folder: &std::path::Path) -> Catalogue {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (from, to) = (
        root.join("services").join(crate::support::SERVICE),
        folder.join(crate::support::SERVICE),
    );
    copy(&from, &to);
    let texts = BTreeMap::from([
        (
            "zh-TW/received.txt",
            "【{city}】津貼收件 {number}\n\n{service}的承辦人會打電話給您。{link} {phone}\n",
        ),
        (
            "zh-TW/received.short.txt",
            "【{city}】承辦人會打給您，案號 {number} {link}\n",
        ),
    ]);
    for (name, text) in texts {
        let path = to.join("messages").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let catalogue = Catalogue::load(folder, &root.join("datasets"));
    assert!(catalogue.withdrawn().is_empty(), "{:?}", catalogue.withdrawn());
    catalogue
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => std::fs::copy(entry.path(), to.join(entry.file_name()))
                .map(drop)
                .unwrap(),
        }
    }
}

#[tokio::test]
async fn a_service_words_its_own_messages_and_the_rest_are_the_general_ones() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    each_engine(async |kit| {
        let twin = twin().await;
        let kit = kit.offering(worded(folder.path())).told_by(ways(&twin.address));
        let person = kit.person(1).await;
        number(&kit, &twin, &person, "0912345678", ZH).await;
        let (case, _) = kit.submitted(&person).await;
        kit.work().await;
        let text = twin.taken().pop().unwrap().text;
        assert!(text.contains("承辦人會打給您"), "{text}");
        channels::speak(&kit.desk, &person, Language::Th).await.unwrap();
        collect::withdraw(&kit.desk, &person, case, kit.revision(case).await)
            .await
            .unwrap();
        kit.work().await;
        let text = twin.taken().pop().unwrap().text;
        assert!(text.contains("ถูกถอนแล้ว"), "{text}");
    })
    .await;
}
