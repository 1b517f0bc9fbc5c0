//! What the city gave to the MyData platform as data provider, and how a person was verified there as service provider.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("mydata_transfer")
                    .col(pk_uuid("id"))
                    .col(text("resource_id"))
                    .col(uuid_null("person_id"))
                    .col(text("state"))
                    .col(integer("status"))
                    .col(text_null("verification"))
                    .col(binary_null("parameters"))
                    .col(uuid_null("file_id"))
                    .col(big_integer("size"))
                    .col(integer("tries"))
                    .col(big_integer("asked_at"))
                    .col(big_integer_null("ready_at"))
                    .col(big_integer("answered_at"))
                    .col(big_integer("revision"))
                    .check(Expr::cust(
                        "state IN ('preparing', 'ready', 'sent', 'nothing', 'refused')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("mydata_transfer_asked")
                    .table("mydata_transfer")
                    .col("asked_at")
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("mydata_transaction")
                    .add_column(text_null("verified_by"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
