//! Work to be done after a commit: notifications, payments, letters, disposal.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("outbox")
                    .col(pk_uuid("id"))
                    .col(text("kind"))
                    .col(text_uniq("key"))
                    .col(binary("payload"))
                    .col(text("state"))
                    .col(integer("attempts"))
                    .col(big_integer("created_at"))
                    .col(big_integer("due_at"))
                    .col(big_integer_null("finished_at"))
                    .col(text_null("last_error"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("outbox_state_due_at")
                    .table("outbox")
                    .col("state")
                    .col("due_at")
                    .to_owned(),
            )
            .await
    }
}
