//! Lines of a plan's history that no member of staff wrote: the platform reminds a government of a clock.
//!
//! SQLite can't let a column be empty afterwards, so the table is made anew and its rows are carried over, on both engines alike.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

const NEW: &str = "subsidy_event_new";

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
                    .col(uuid("plan_id"))
                    .col(text("act"))
                    .col(text_null("note"))
                    .col(uuid_null("done_by"))
                    .col(big_integer("done_at"))
                    .foreign_key(&mut key("plan_id", "subsidy_plan"))
                    .foreign_key(&mut key("done_by", "staff"))
                    .to_owned(),
            )
            .await?;
        let columns = "id, plan_id, act, note, done_by, done_at";
        let carry = format!("INSERT INTO {NEW} ({columns}) SELECT {columns} FROM subsidy_event");
        manager.get_connection().execute_unprepared(&carry).await?;
        manager
            .drop_table(Table::drop().table("subsidy_event").to_owned())
            .await?;
        manager
            .rename_table(Table::rename().table(NEW, "subsidy_event").to_owned())
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("subsidy_event_plan")
                    .table("subsidy_event")
                    .col("plan_id")
                    .to_owned(),
            )
            .await
    }
}
