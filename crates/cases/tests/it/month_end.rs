//! The end of a month: the run, in short steps, resumable, and as large as a city.
//!
//! `cargo test --release -p cases --test it -- --ignored --nocapture a_hundred_thousand` measures it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use cases::pay::{self, compare, run};
use cases::staff::Role;
use cases::{CaseError, Desk, Month, Staff, jobs};
use civic::Money;
use civic::ids::{BatchId, PaymentId, RunId};
use store::sea_orm::{EntityTrait as _, IntoActiveModel as _};
use store::seal::{Owner, Place};
use store::tables::payment::{self, State};
use store::tables::{application, entitlement, payment_batch, person};
use uuid::Uuid;

use crate::support::{Bank, Kit, SERVICE, each_engine};

fn month(n: i32) -> Month {
    "2026-09".parse::<Month>().unwrap().plus(n)
}

/// Cases as they stand when their letters have left, written straight into the tables: `amount` says what each is paid.
async fn seed(kit: &Kit, count: u32, amount: impl Fn(u32) -> i64) -> Vec<Uuid> {
    let desk = &kit.desk;
    let mut all = Vec::new();
    for first in (0..count).step_by(500) {
        let last = (first + 500).min(count);
        let amounts: Vec<i64> = (first..last).map(&amount).collect();
        let seal = desk.store.seal().clone();
        let made = desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let at = tx.now().as_microsecond();
                    let (mut persons, mut cases, mut spans, mut ids) = (vec![], vec![], vec![], vec![]);
                    for (number, amount) in (first..last).zip(amounts) {
                        let (owner, id, span) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
                        let key = seal.new_key(tx, Owner::Person(owner)).await?;
                        persons.push(person::Model {
                            id: owner,
                            lookup: seal.lookup("test", &number.to_string()).to_vec(),
                            key_id: key.uuid(),
                            sealed: Vec::new(),
                            language: "zh-TW".to_owned(),
                            created_at: at,
                            updated_at: at,
                            revision: 1,
                        });
                        let key = seal.new_key(tx, Owner::Application(id)).await?;
                        let account = format!(
                            "{{\"bank\":\"700\",\"account\":\"{:014}\",\"name\":\"林阿梅{number}\"}}",
                            number + 1
                        );
                        let place = Place::new("entitlement", "account", &span);
                        spans.push(entitlement::Model {
                            id: span,
                            application_id: id,
                            service: SERVICE.to_owned(),
                            purpose: "amount".to_owned(),
                            amount,
                            first_month: "2026-09".to_owned(),
                            last_month: "2026-12".to_owned(),
                            account: Some(seal.seal(tx, key, place, account.as_bytes()).await?),
                            account_refused: false,
                            made_at: at,
                            revision: 1,
                        });
                        cases.push(application::Model {
                            id,
                            number: Some(format!("115-SA-9{number:05}")),
                            service: SERVICE.to_owned(),
                            service_digest: String::new(),
                            person_id: Some(owner),
                            key_id: key.uuid(),
                            channel: "online".to_owned(),
                            language: "zh-TW".to_owned(),
                            state: application::State::Completed,
                            revision: 1,
                            answers: None,
                            form_token: None,
                            opened_at: at,
                            updated_at: at,
                            draft_until: at,
                            submitted_at: Some(at),
                            deadline: None,
                            clock_stopped_at: None,
                            stopped_days: 0,
                            assigned_to: None,
                            finding: None,
                            correction: None,
                            correction_due: None,
                            decided_at: Some(at),
                            outcome: Some("approved".to_owned()),
                            completed_at: Some(at),
                            uploads: 0,
                            measure_id: None,
                            dispose_after: None,
                            disposed_at: None,
                            reference_date: None,
                            roll_id: None,
                        });
                        ids.push(id);
                    }
                    person::Entity::insert_many(persons.into_iter().map(|row| row.into_active_model()))
                        .exec_without_returning(tx)
                        .await?;
                    application::Entity::insert_many(cases.into_iter().map(|row| row.into_active_model()))
                        .exec_without_returning(tx)
                        .await?;
                    entitlement::Entity::insert_many(spans.into_iter().map(|row| row.into_active_model()))
                        .exec_without_returning(tx)
                        .await?;
                    Ok::<_, CaseError>(ids)
                })
            })
            .await
            .unwrap();
        all.extend(made);
    }
    all
}

/// A kit whose bank takes so many payments in one order.
fn with_limit(mut kit: Kit, most: u32) -> Kit {
    let mut desk = Arc::try_unwrap(kit.desk).ok().unwrap();
    desk.city.account.most = most;
    kit.desk = Arc::new(desk);
    kit
}

/// A run at its end: a large one makes way for other work and goes on in the next round.
async fn finished(desk: &Arc<Desk>, staff: &Staff, id: RunId) -> run::RunView {
    for _ in 0..30 {
        jobs::relay(desk).round(&desk.store).await.unwrap();
        let view = run::view(desk, staff, id).await.unwrap();
        if view.row.state == run::State::Ready {
            return view;
        }
    }
    panic!("the run does not end");
}

/// Every payment there is, by case and month.
async fn payments(desk: &Desk) -> Vec<payment::Model> {
    payment::Entity::find().all(desk.store.read()).await.unwrap()
}

/// Nobody is doubled, batches keep to the limit, and their sums are those of their payments and of their orders.
async fn adds_up(desk: &Desk, cashier: &Staff, most: i32) {
    let rows = payments(desk).await;
    let mut once = BTreeSet::new();
    for row in rows.iter().filter(|row| row.state != State::Rejected) {
        assert!(once.insert((row.application_id, row.period.clone())), "{row:?}");
    }
    for batch in payment_batch::newest(desk.store.read(), 10_000).await.unwrap() {
        let own: Vec<_> = rows.iter().filter(|row| row.batch_id == Some(batch.id)).collect();
        if batch.state == payment_batch::State::Dissolved {
            assert!(own.is_empty());
            continue;
        }
        assert!(batch.count <= most, "{} of {most}", batch.count);
        assert_eq!(i32::try_from(own.len()).unwrap(), batch.count);
        assert_eq!(own.iter().map(|row| row.amount).sum::<i64>(), batch.total);
        if let Ok(order) = pay::batch::file(desk, cashier, BatchId::from_uuid(batch.id)).await {
            let text = String::from_utf8(order).unwrap();
            assert_eq!(text.matches("<CdtTrfTxInf>").count(), own.len());
            assert!(text.contains(&format!("<CtrlSum>{}</CtrlSum>", batch.total)));
            for row in own {
                assert!(text.contains(&row.end_to_end));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_makes_the_month_in_batches_of_the_banks_limit_and_never_twice() {
    each_engine(|kit| async move {
        let kit = with_limit(kit, 3);
        kit.wait(24 * 8);
        let (maker, releaser) = (
            kit.staff("maker", Role::Cashier).await,
            kit.staff("releaser", Role::Cashier).await,
        );
        let cases = seed(&kit, 8, |n| if n % 2 == 0 { 8329 } else { 4164 }).await;
        let desk = &kit.desk;
        let id = run::start(desk, &maker, SERVICE, month(0)).await.unwrap();
        assert!(matches!(
            run::start(desk, &maker, SERVICE, month(0)).await,
            Err(CaseError::Conflict(_))
        ));
        let view = finished(desk, &maker, id).await;
        assert_eq!((view.row.prepared, view.row.batches, view.row.batched), (8, 3, 8));
        assert_eq!(view.row.batched_sum, Money(4 * (8329 + 4164)));
        let mut counts: Vec<_> = view.batches.iter().map(|batch| batch.count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [2, 3, 3]);
        adds_up(desk, &maker, 3).await;
        // again: nothing is left
        let again = run::start(desk, &maker, SERVICE, month(0)).await.unwrap();
        let view = finished(desk, &maker, again).await;
        assert_eq!((view.row.prepared, view.row.batches), (0, 0));
        // released, reported, and the next month beside it
        let mut bank = Bank::default();
        for batch in view.batches {
            pay::batch::release(desk, &releaser, batch.id).await.unwrap();
            let order = pay::batch::file(desk, &maker, batch.id).await.unwrap();
            let report = bank.carry_out(&order, |_| None);
            assert_eq!(pay::report::import(desk, &maker, &report).await.unwrap().pending, 0);
        }
        assert_eq!(bank.moved.values().sum::<i64>(), 4 * (8329 + 4164));
        let mut spans = entitlement::of_applications(desk.store.read(), cases.clone())
            .await
            .unwrap();
        spans.sort_by_key(|span| span.id);
        let (ends, rises) = (spans[0].id, spans[1].id);
        desk.store
            .write(move |tx| {
                Box::pin(async move {
                    use entitlement::Column;
                    use store::sea_orm::sea_query::Expr;
                    use store::sea_orm::{ColumnTrait as _, QueryFilter as _};
                    for (id, column, value) in [
                        (ends, Column::LastMonth, Expr::value("2026-09")),
                        (rises, Column::Amount, Expr::value(9000_i64)),
                    ] {
                        let update = entitlement::Entity::update_many().col_expr(column, value);
                        update.filter(Column::Id.eq(id)).exec(tx).await?;
                    }
                    Ok::<_, CaseError>(())
                })
            })
            .await
            .unwrap();
        let next = run::start(desk, &maker, SERVICE, month(1)).await.unwrap();
        assert_eq!(finished(desk, &maker, next).await.row.prepared, 7);
        let beside = compare::month(desk, &maker, SERVICE, month(1)).await.unwrap();
        let counts: Vec<_> = beside
            .differing
            .iter()
            .map(|one| (one.kind, one.count, one.rows.len()))
            .collect();
        assert_eq!(
            counts,
            [
                (compare::Kind::New, 0, 0),
                (compare::Kind::Stopped, 1, 1),
                (compare::Kind::Changed, 1, 1)
            ]
        );
        let changed = &beside.differing[2].rows[0];
        assert_eq!(changed.now, Some(Money(9000)));
        adds_up(desk, &maker, 3).await;
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_where_it_was_cut_off() {
    each_engine(|kit| async move {
        let kit = with_limit(kit, 700);
        kit.wait(24 * 8);
        let maker = kit.staff("maker", Role::Cashier).await;
        seed(&kit, 1_600, |n| 4164 + i64::from(n % 3)).await;
        let desk = &kit.desk;
        let id = run::start(desk, &maker, SERVICE, month(0)).await.unwrap();
        // the process dies again and again at whatever point it has come to; what waits is claimed again after its lease
        for cut in 1..40 {
            let relay = jobs::relay(desk);
            let round = tokio::time::timeout(std::time::Duration::from_millis(cut * 7), relay.round(&desk.store));
            let ended = round.await.is_ok();
            kit.wait(1);
            if ended && run::view(desk, &maker, id).await.unwrap().row.state == run::State::Ready {
                break;
            }
        }
        let view = finished(desk, &maker, id).await;
        assert_eq!((view.row.prepared, view.row.batched), (1_600, 1_600));
        assert_eq!(view.row.batches, 3);
        let rows = payments(desk).await;
        assert!(rows.iter().all(|row| row.state == State::Batched));
        adds_up(desk, &maker, 700).await;
        kit.ledger_holds().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_keeps_what_it_made_and_another_goes_on() {
    let kit = with_limit(crate::support::sqlite().await, 3);
    kit.wait(24 * 8);
    let maker = kit.staff("maker", Role::Cashier).await;
    seed(&kit, 4, |_| 8329).await;
    let desk = &kit.desk;
    let id = run::start(desk, &maker, SERVICE, month(0)).await.unwrap();
    run::stop(desk, &maker, id).await.unwrap();
    assert!(matches!(run::stop(desk, &maker, id).await, Err(CaseError::Conflict(_))));
    jobs::relay(desk).round(&desk.store).await.unwrap();
    assert!(payments(desk).await.is_empty());
    let id = run::start(desk, &maker, SERVICE, month(0)).await.unwrap();
    assert_eq!(finished(desk, &maker, id).await.row.batched, 4);
    let officer = kit.staff("officer", Role::Officer).await;
    assert!(matches!(
        run::start(desk, &officer, SERVICE, month(0)).await,
        Err(CaseError::Refused(_))
    ));
    assert!(matches!(
        run::view(desk, &officer, id).await,
        Err(CaseError::Refused(_))
    ));
    assert!(matches!(
        run::start(desk, &maker, SERVICE, month(9)).await,
        Err(CaseError::Input { .. })
    ));
    assert!(matches!(
        run::start(desk, &maker, "none", month(0)).await,
        Err(CaseError::NoService(_))
    ));
}

/// The payment whose account the bank's format can't hold is left out, and the person is asked for another account.
#[tokio::test(flavor = "multi_thread")]
async fn one_account_that_can_not_be_paid_to_does_not_stop_the_others() {
    let kit = with_limit(crate::support::sqlite().await, 10);
    let officer = kit.staff("officer", Role::Officer).await;
    let maker = kit.staff("maker", Role::Cashier).await;
    let person = kit.person(1).await;
    let (id, _) = kit.submitted(&person).await;
    kit.approved(&officer, id).await;
    kit.wait(24 * 14);
    seed(&kit, 3, |_| 8329).await;
    let desk = &kit.desk;
    let span = entitlement::of_application(desk.store.read(), id.uuid())
        .await
        .unwrap()
        .remove(0);
    let key = kit.row(id).await.key_id.into();
    let place = Place::new("entitlement", "account", &span.id);
    let wrong = br#"{"bank":"70","account":"1","name":"x"}"#;
    let sealed = desk
        .store
        .seal()
        .seal(desk.store.read(), key, place, wrong)
        .await
        .unwrap();
    desk.store
        .write(move |tx| {
            Box::pin(
                async move { Ok::<_, CaseError>(entitlement::set_account(tx, span.id, span.revision, sealed).await?) },
            )
        })
        .await
        .unwrap();
    let run = run::start(desk, &maker, SERVICE, "2026-11".parse().unwrap())
        .await
        .unwrap();
    let view = finished(desk, &maker, run).await;
    assert_eq!((view.row.prepared, view.row.batched), (4, 3));
    let due = pay::overview(desk, &maker).await.unwrap().due;
    assert_eq!((due[0].count, due[0].waiting), (1, 1));
    let told = store::tables::message::of_application(desk.store.read(), id.uuid())
        .await
        .unwrap();
    assert!(told.iter().any(|message| message.kind == "account"));
}

/// A report on every payment of an order.
fn report(order: &str, payments: &[PaymentId]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut lines = String::new();
    for (place, id) in payments.iter().enumerate() {
        let id = id.uuid().simple();
        // one in a thousand comes back
        if place % 1_000 == 0 {
            write!(lines, "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf></TxInfAndSts>").unwrap();
        } else {
            write!(
                lines,
                "<TxInfAndSts><OrgnlEndToEndId>{id}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
            )
            .unwrap();
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R1</MsgId><CreDtTm>2026-11-24T10:00:00+08:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId>\
         <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{order}</OrgnlPmtInfId>{lines}\
         </OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
    .into_bytes()
}

/// Largest memory of this process so far, MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
        .map_or(0.0, |kib| kib / 1024.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run it alone, with --nocapture"]
async fn a_hundred_thousand() {
    let count: u32 = std::env::var("PAYMENTS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    each_engine(|kit| async move {
        let engine = match kit.desk.store.read().get_database_backend() {
            store::sea_orm::DbBackend::Postgres => "postgres",
            _ => "sqlite",
        };
        let kit = with_limit(kit, 20_000);
        kit.wait(24 * 8);
        let (maker, releaser) = (kit.staff("maker", Role::Cashier).await, kit.staff("releaser", Role::Cashier).await);
        let began = Instant::now();
        seed(&kit, count, |n| 4164 + i64::from(n % 7)).await;
        let seeded = began.elapsed().as_secs_f64();
        let before = peak();
        let expected: i64 = (0..count).map(|n| 4164 + i64::from(n % 7)).sum();
        let began = Instant::now();
        let id = run::start(&kit.desk, &maker, SERVICE, month(0)).await.unwrap();
        let view = finished(&kit.desk, &maker, id).await;
        let run_s = began.elapsed().as_secs_f64();
        assert_eq!(u32::try_from(view.row.batched).unwrap(), count);
        assert_eq!(view.row.batched_sum, Money(expected));
        // the next month as one order, so that one report speaks of all
        let kit = with_limit(kit, 100_000);
        let desk = &kit.desk;
        let id = run::start(desk, &maker, SERVICE, month(1)).await.unwrap();
        let view = finished(desk, &maker, id).await;
        assert_eq!(view.batches.len(), 1);
        let batch = view.batches[0].id;
        pay::batch::release(desk, &releaser, batch).await.unwrap();
        let rows = payments(desk).await;
        let mut seen: BTreeMap<(Uuid, String), u32> = BTreeMap::new();
        for row in &rows {
            *seen.entry((row.application_id, row.period.clone())).or_default() += 1;
        }
        let doubled = seen.values().filter(|times| **times > 1).count();
        let mut ids: Vec<PaymentId> = rows.iter().filter(|row| row.batch_id == Some(batch.uuid())).map(|row| PaymentId::from_uuid(row.id)).collect();
        ids.sort();
        drop(rows);
        let began = Instant::now();
        let order = pay::batch::file(desk, &maker, batch).await.unwrap();
        let file_s = began.elapsed().as_secs_f64();
        let (mib, payments_in_file) = (order.len() as f64 / 1_048_576.0, String::from_utf8(order).unwrap().matches("<CdtTrfTxInf>").count());
        assert_eq!(payments_in_file, ids.len());
        let began = Instant::now();
        let mut writer = exchange::iso20022::OrderWriter::begin(&exchange::iso20022::Head {
            batch,
            created: desk.now(),
            execute_on: desk.today(),
            debtor: exchange::iso20022::Account { name: "市庫".to_owned(), bank: "004".to_owned(), number: "004012345678".to_owned() },
            purpose: "SSBE".to_owned(),
            count: ids.len(),
            sum: Money(i64::from(count) * 4164),
        }).unwrap();
        for id in &ids {
            let creditor = exchange::iso20022::Account { name: "林阿梅".to_owned(), bank: "700".to_owned(), number: "00012345678901".to_owned() };
            writer.add(&exchange::iso20022::Payment { id: *id, amount: Money(4164), creditor, remittance: "老人生活津貼".to_owned() }).unwrap();
            writer.take();
        }
        writer.finish().unwrap();
        let pain001_s = began.elapsed().as_secs_f64();
        let answer = report(&batch.uuid().simple().to_string(), &ids);
        let began = Instant::now();
        let imported = pay::report::import(desk, &maker, &answer).await.unwrap();
        let report_s = began.elapsed().as_secs_f64();
        assert_eq!(imported.paid + imported.rejected, u64::from(count));
        let began = Instant::now();
        let beside = compare::month(desk, &maker, SERVICE, month(1)).await.unwrap();
        let compare_s = began.elapsed().as_secs_f64();
        assert!(beside.differing.iter().all(|one| one.count == 0));
        println!(
            "{{\"engine\":\"{engine}\",\"payments\":{count},\"doubled\":{doubled},\"seed_s\":{seeded:.2},\"run_s\":{run_s:.2},\"pain001_s\":{pain001_s:.3},\
             \"file_s\":{file_s:.2},\"file_mib\":{mib:.1},\"report_s\":{report_s:.2},\"compare_s\":{compare_s:.3},\"before_mib\":{before:.1},\"peak_mib\":{:.1}}}",
            peak()
        );
    })
    .await;
}
