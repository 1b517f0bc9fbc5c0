//! Residents and staff.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("person")
                    .col(pk_uuid("id"))
                    .col(binary("lookup").unique_key().to_owned())
                    .col(uuid("key_id"))
                    .col(binary("sealed"))
                    .col(text("language"))
                    .col(big_integer("created_at"))
                    .col(big_integer("updated_at"))
                    .col(big_integer("revision"))
                    .foreign_key(ForeignKey::create().from("person", "key_id").to("data_key", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("staff")
                    .col(pk_uuid("id"))
                    .col(text_uniq("account"))
                    .col(text("name"))
                    .col(text("role"))
                    .col(text("agency"))
                    .col(text("password_hash"))
                    .col(uuid("key_id"))
                    .col(binary("totp"))
                    .col(big_integer("totp_step"))
                    .col(integer("failures"))
                    .col(big_integer("locked_until"))
                    .col(boolean("active"))
                    .col(big_integer("created_at"))
                    .foreign_key(ForeignKey::create().from("staff", "key_id").to("data_key", "id"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
