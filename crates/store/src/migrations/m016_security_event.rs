//! What was refused and an administrator should see.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("security_event")
                    .col(pk_uuid("id"))
                    .col(big_integer("at"))
                    .col(text("kind"))
                    .col(text("severity"))
                    .col(uuid_null("application_id"))
                    .col(text_null("origin"))
                    .col(text("detail"))
                    .check(Expr::cust("severity IN ('notice', 'warning', 'alarm')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("security_event_at")
                    .table("security_event")
                    .col("at")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
