//! Holds on payments that no member of staff made: the platform makes one where a person left the register of residents.
//!
//! SQLite can't let a column be empty afterwards, so the table is made anew and its rows are carried over, on both engines alike.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

const NEW: &str = "payment_hold_new";

fn key(column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(NEW, column).to(to, "id").to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(NEW)
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("service"))
                    .col(binary_null("reason"))
                    .col(text_null("until"))
                    .col(uuid_null("made_by"))
                    .col(big_integer("made_at"))
                    .col(uuid_null("ended_by"))
                    .col(big_integer_null("ended_at"))
                    .foreign_key(&mut key("application_id", "application"))
                    .foreign_key(&mut key("made_by", "staff"))
                    .to_owned(),
            )
            .await?;
        let columns = "id, application_id, service, reason, until, made_by, made_at, ended_by, ended_at";
        let carry = format!("INSERT INTO {NEW} ({columns}) SELECT {columns} FROM payment_hold");
        manager.get_connection().execute_unprepared(&carry).await?;
        manager
            .drop_table(Table::drop().table("payment_hold").to_owned())
            .await?;
        manager
            .rename_table(Table::rename().table(NEW, "payment_hold").to_owned())
            .await?;
        let on_case = |name: &'static str| {
            Index::create()
                .name(name)
                .table("payment_hold")
                .col("application_id")
                .to_owned()
        };
        manager.create_index(on_case("payment_hold_application")).await?;
        manager
            .create_index(
                on_case("payment_hold_one_at_a_time")
                    .unique()
                    .cond_where(Expr::cust("ended_at IS NULL"))
                    .to_owned(),
            )
            .await
    }
}
