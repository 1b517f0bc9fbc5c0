//! The usage ledger and its dictionary of repeated texts.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("ledger_word")
                    .col(big_integer("id").primary_key().to_owned())
                    .col(text_uniq("text"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("ledger")
                    .col(big_integer("seq").primary_key().to_owned())
                    .col(big_integer("at"))
                    .col(small_integer("actor_kind"))
                    .col(uuid_null("actor_id"))
                    .col(big_integer("action"))
                    .col(big_integer("purpose"))
                    .col(uuid_null("application"))
                    .col(binary_null("subject"))
                    .col(big_integer("fields"))
                    .col(big_integer("count"))
                    .col(binary("hash"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ledger_subject")
                    .table("ledger")
                    .col("subject")
                    .col("seq")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("ledger_application")
                    .table("ledger")
                    .col("application")
                    .col("seq")
                    .to_owned(),
            )
            .await
    }
}
