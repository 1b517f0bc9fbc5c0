//! Runs of a month, holds and returns. Payments get the part of a run they belong to.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A reference from a column of a table.
fn key(table: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, column).to(to, "id").to_owned()
}

async fn runs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("payment_run")
        .col(pk_uuid("id"))
        .col(text("service"))
        .col(text("period"))
        .col(text("state"))
        .col(uuid_null("cursor"))
        .col(uuid_null("part_id"))
        .col(integer("most"))
        .col(integer("prepared"))
        .col(big_integer("prepared_total"))
        .col(integer("sealed"))
        .col(integer("batches"))
        .col(integer("batched"))
        .col(big_integer("batched_total"))
        .col(uuid("made_by"))
        .col(big_integer("made_at"))
        .col(big_integer("changed_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(&mut key("payment_run", "made_by", "staff"))
        .check(Expr::cust("state IN ('preparing', 'batching', 'ready', 'stopped')"))
        .to_owned();
    manager.create_table(table).await
}

async fn holds(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let hold = Table::create()
        .table("payment_hold")
        .col(pk_uuid("id"))
        .col(uuid("application_id"))
        .col(text("service"))
        .col(binary_null("reason"))
        .col(text_null("until"))
        .col(uuid("made_by"))
        .col(big_integer("made_at"))
        .col(uuid_null("ended_by"))
        .col(big_integer_null("ended_at"))
        .foreign_key(&mut key("payment_hold", "application_id", "application"))
        .foreign_key(&mut key("payment_hold", "made_by", "staff"))
        .to_owned();
    manager.create_table(hold).await?;
    let back = Table::create()
        .table("payment_return")
        .col(pk_uuid("payment_id"))
        .col(big_integer("amount"))
        .col(text("reason"))
        .col(text("returned_on"))
        .col(text("digest"))
        .col(uuid("imported_by"))
        .col(big_integer("imported_at"))
        .col(big_integer_null("paid_at"))
        .foreign_key(&mut key("payment_return", "payment_id", "payment"))
        .foreign_key(&mut key("payment_return", "imported_by", "staff"))
        .check(Expr::cust("amount > 0"))
        .to_owned();
    manager.create_table(back).await
}

async fn indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let plain = [
        ("payment_part_id", "payment", &["part_id"][..]),
        (
            "payment_service_period",
            "payment",
            &["service", "period", "application_id"][..],
        ),
        ("entitlement_service_id", "entitlement", &["service", "id"][..]),
        ("payment_run_made_at", "payment_run", &["made_at"][..]),
        ("payment_hold_application", "payment_hold", &["application_id"][..]),
    ];
    for (name, table, columns) in plain {
        let mut index = Index::create().name(name).table(table).to_owned();
        for column in columns {
            index.col(*column);
        }
        manager.create_index(index).await?;
    }
    let unique = [
        (
            "payment_run_one_at_a_time",
            "payment_run",
            &["service", "period"][..],
            "state IN ('preparing', 'batching')",
        ),
        (
            "payment_hold_one_at_a_time",
            "payment_hold",
            &["application_id"][..],
            "ended_at IS NULL",
        ),
    ];
    for (name, table, columns, only) in unique {
        let mut index = Index::create().name(name).table(table).unique().to_owned();
        index.cond_where(Expr::cust(only));
        for column in columns {
            index.col(*column);
        }
        manager.create_index(index).await?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("payment")
                    .add_column(uuid_null("part_id"))
                    .to_owned(),
            )
            .await?;
        runs(manager).await?;
        holds(manager).await?;
        indexes(manager).await
    }
}
