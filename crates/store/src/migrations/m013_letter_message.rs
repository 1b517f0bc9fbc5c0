//! Letters and messages, each once by its idempotency key.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("letter")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("kind"))
                    .col(text("language"))
                    .col(text_uniq("idempotency_key"))
                    .col(uuid("file_id"))
                    .col(text("digest"))
                    .col(big_integer("made_at"))
                    .col(big_integer_null("left_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("letter", "application_id")
                            .to("application", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("letter_application_id")
                    .table("letter")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("message")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("kind"))
                    .col(text_uniq("idempotency_key"))
                    .col(binary_null("sealed"))
                    .col(uuid_null("letter_id"))
                    .col(text("status"))
                    .col(integer("tries"))
                    .col(big_integer("made_at"))
                    .col(big_integer_null("sent_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("message", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("status IN ('queued', 'sent', 'no_address', 'failed')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("message_application_id")
                    .table("message")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
