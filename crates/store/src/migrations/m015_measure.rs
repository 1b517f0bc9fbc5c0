//! The survey, and the anonymous measure the indicators are counted from.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("survey")
                    .col(pk_uuid("id"))
                    .col(uuid_uniq("application_id"))
                    .col(big_integer("offered_at"))
                    .col(big_integer_null("answered_at"))
                    .col(small_integer_null("grade"))
                    .col(binary_null("comment"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("survey", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("grade IS NULL OR grade BETWEEN 1 AND 5"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("measure")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("month"))
                    .col(text("channel"))
                    .col(text_null("outcome"))
                    .col(integer_null("days"))
                    .col(integer("paper_documents"))
                    .col(integer("uploads"))
                    .col(integer("corrections"))
                    .col(small_integer_null("grade"))
                    .check(Expr::cust("grade IS NULL OR grade BETWEEN 1 AND 5"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("measure_month_service")
                    .table("measure")
                    .col("month")
                    .col("service")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
