//! Data keys, each wrapped by a master key; a destroyed key keeps its row without the wrapped bytes.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("data_key")
                    .col(pk_uuid("id"))
                    .col(text("owner_kind"))
                    .col(text("owner_id"))
                    .col(integer("master_version"))
                    .col(binary_null("wrapped"))
                    .col(big_integer("created_at"))
                    .col(big_integer_null("destroyed_at"))
                    .col(text_null("destroyed_why"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("data_key_owner")
                    .table("data_key")
                    .col("owner_kind")
                    .col("owner_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("data_key_master_version")
                    .table("data_key")
                    .col("master_version")
                    .to_owned(),
            )
            .await
    }
}
