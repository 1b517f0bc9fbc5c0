//! The migrated schema is what the entities say, on both engines.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait as _, ColumnType, ConnectionTrait, DbBackend, EntityTrait, Iterable as _, Statement};
use store::sea_orm;
use store::tables::*;

use crate::support::each_engine;

type Columns = BTreeMap<String, (&'static str, bool)>;

fn kind(kind: &ColumnType) -> &'static str {
    match kind {
        ColumnType::Text | ColumnType::String(_) => "text",
        ColumnType::Uuid => "uuid",
        ColumnType::BigInteger => "bigint",
        ColumnType::Integer => "integer",
        ColumnType::SmallInteger => "smallint",
        ColumnType::Boolean => "boolean",
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => "bytes",
        other => panic!("no table uses {other:?}"),
    }
}

fn declared<E: EntityTrait + Default>(tables: &mut BTreeMap<String, Columns>) {
    let columns = E::Column::iter().map(|column| {
        let def = column.def();
        (
            sea_orm::IdenStatic::as_str(&column).to_owned(),
            (kind(def.get_column_type()), def.is_null()),
        )
    });
    tables.insert(E::default().table_name().to_owned(), columns.collect());
}

fn entities() -> BTreeMap<String, Columns> {
    let mut tables = BTreeMap::new();
    declared::<adjustment::Entity>(&mut tables);
    declared::<appeal::Entity>(&mut tables);
    declared::<channel::Entity>(&mut tables);
    declared::<claim::Entity>(&mut tables);
    declared::<delivery::Entity>(&mut tables);
    declared::<claim_entry::Entity>(&mut tables);
    declared::<claim_line::Entity>(&mut tables);
    declared::<succession::Entity>(&mut tables);
    declared::<application::Entity>(&mut tables);
    declared::<authorisation::Entity>(&mut tables);
    declared::<authorisation::case::Entity>(&mut tables);
    declared::<notice::Entity>(&mut tables);
    declared::<organisation::Entity>(&mut tables);
    declared::<campaign::Entity>(&mut tables);
    declared::<invitation::Entity>(&mut tables);
    declared::<outreach_area::Entity>(&mut tables);
    declared::<outreach_day::Entity>(&mut tables);
    declared::<preference::Entity>(&mut tables);
    declared::<confirmation::Entity>(&mut tables);
    declared::<confirmation_upload::Entity>(&mut tables);
    declared::<application::series::Entity>(&mut tables);
    declared::<consent::Entity>(&mut tables);
    declared::<data_key::Entity>(&mut tables);
    declared::<decision::Entity>(&mut tables);
    declared::<entitlement::Entity>(&mut tables);
    declared::<event::Entity>(&mut tables);
    declared::<evidence::Entity>(&mut tables);
    declared::<follow_up::Entity>(&mut tables);
    declared::<ledger::Entity>(&mut tables);
    declared::<ledger_word::Entity>(&mut tables);
    declared::<letter::Entity>(&mut tables);
    declared::<measure::Entity>(&mut tables);
    declared::<message::Entity>(&mut tables);
    declared::<mydata_transaction::Entity>(&mut tables);
    declared::<mydata_transfer::Entity>(&mut tables);
    declared::<once_seen::Entity>(&mut tables);
    declared::<outbox::Entity>(&mut tables);
    declared::<paper::Entity>(&mut tables);
    declared::<payment::Entity>(&mut tables);
    declared::<payment_batch::Entity>(&mut tables);
    declared::<payment_hold::Entity>(&mut tables);
    declared::<payment_report::Entity>(&mut tables);
    declared::<payment_return::Entity>(&mut tables);
    declared::<payment_run::Entity>(&mut tables);
    declared::<person::Entity>(&mut tables);
    declared::<reuse::Entity>(&mut tables);
    declared::<exclusion::Entity>(&mut tables);
    declared::<register::Entity>(&mut tables);
    declared::<road_agreement::Entity>(&mut tables);
    declared::<road_switch::Entity>(&mut tables);
    declared::<roll::Entity>(&mut tables);
    declared::<roll_entry::Entity>(&mut tables);
    declared::<round::Entity>(&mut tables);
    declared::<round_entry::Entity>(&mut tables);
    declared::<screening::Entity>(&mut tables);
    declared::<security_event::Entity>(&mut tables);
    declared::<session::Entity>(&mut tables);
    declared::<session_mark::Entity>(&mut tables);
    declared::<sign_in_attempt::Entity>(&mut tables);
    declared::<staff::Entity>(&mut tables);
    declared::<ticket::Entity>(&mut tables);
    declared::<subsidy_comment::Entity>(&mut tables);
    declared::<subsidy_conflict::Entity>(&mut tables);
    declared::<subsidy_event::Entity>(&mut tables);
    declared::<subsidy_filing::Entity>(&mut tables);
    declared::<subsidy_meeting::Entity>(&mut tables);
    declared::<subsidy_part::Entity>(&mut tables);
    declared::<subsidy_sending::Entity>(&mut tables);
    declared::<subsidy_settlement::Entity>(&mut tables);
    declared::<rights_request::Entity>(&mut tables);
    declared::<breach::Entity>(&mut tables);
    declared::<breach_person::Entity>(&mut tables);
    declared::<subsidy_plan::Entity>(&mut tables);
    declared::<subsidy_sheet::Entity>(&mut tables);
    declared::<subsidy_submission::Entity>(&mut tables);
    declared::<survey::Entity>(&mut tables);
    declared::<visit::Entity>(&mut tables);
    declared::<wallet_card::Entity>(&mut tables);
    declared::<wallet_request::Entity>(&mut tables);
    declared::<wallet_seen::Entity>(&mut tables);
    declared::<witness::Entity>(&mut tables);
    tables
}

/// What the database says of itself.
const SQLITE: &str = "SELECT m.name AS t, c.name AS c, lower(c.type) AS k, c.\"notnull\" = 0 AND c.pk = 0 AS n \
    FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'";
const POSTGRES: &str = "SELECT table_name::text AS t, column_name::text AS c, data_type::text AS k, is_nullable = 'YES' AS n \
    FROM information_schema.columns WHERE table_schema = 'public'";

fn found(kind: &str) -> &'static str {
    match kind {
        "text" | "varchar" | "character varying" => "text",
        "uuid" | "uuid_text" => "uuid",
        "bigint" => "bigint",
        "integer" => "integer",
        "smallint" => "smallint",
        "boolean" => "boolean",
        "bytea" => "bytes",
        blob if blob.starts_with("blob") => "bytes",
        other => panic!("no migration makes a column of {other}"),
    }
}

#[tokio::test]
async fn the_migrated_schema_is_that_of_the_entities() {
    each_engine(|test, _| async move {
        let db = test.store.read();
        let backend = db.get_database_backend();
        let sql = if backend == DbBackend::Sqlite { SQLITE } else { POSTGRES };
        let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
        for row in db.query_all_raw(Statement::from_string(backend, sql)).await.unwrap() {
            let text = |name: &str| row.try_get::<String>("", name).unwrap();
            let nullable = row.try_get::<bool>("", "n").unwrap();
            tables
                .entry(text("t"))
                .or_default()
                .insert(text("c"), (found(&text("k")), nullable));
        }
        assert!(tables.remove("seaql_migrations").is_some());
        let mut expected = entities();
        if backend == DbBackend::Sqlite {
            // SQLite has one kind of integer, of 64 bits.
            for (kind, _) in expected.values_mut().flat_map(BTreeMap::values_mut) {
                *kind = if *kind == "bigint" { "integer" } else { kind };
            }
        }
        assert_eq!(tables, expected, "{backend:?}");
    })
    .await;
}

#[tokio::test]
async fn opening_it_again_changes_nothing() {
    each_engine(|test, clock| async move {
        let again = test.reopen(test.master_keys.clone(), clock).await.unwrap();
        assert_eq!(
            store::ledger::head(again.read()).await.unwrap(),
            store::ledger::Head::EMPTY
        );
        again.close().await;
    })
    .await;
}
