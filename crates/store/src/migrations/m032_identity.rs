//! Signing in: what may serve once, how often somebody tried, and which sessions an issuer may end.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("once_seen")
                    .col(text("key").primary_key().to_owned())
                    .col(big_integer("until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_attempt")
                    .col(binary("key").primary_key().to_owned())
                    .col(integer("count"))
                    .col(big_integer("until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("session_mark")
                    .col(binary("session"))
                    .col(binary("mark"))
                    .primary_key(Index::create().col("session").col("mark"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("session_mark", "session")
                            .to("session", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        for (table, column) in [
            ("once_seen", "until"),
            ("sign_in_attempt", "until"),
            ("session_mark", "mark"),
        ] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("{table}_{column}"))
                        .table(table)
                        .col(column)
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}
