//! Results of the questionnaire over all services, without the person; consents to use an earlier case for a new
//! one, and results that a person left with an office.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("screening")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("month"))
                    .col(text("outcome"))
                    .check(Expr::cust("outcome IN ('entitled', 'maybe', 'not')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("screening_month_service")
                    .table("screening")
                    .col("month")
                    .col("service")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("reuse")
                    .col(pk_uuid("id"))
                    .col(uuid("person_id"))
                    .col(uuid("application_id"))
                    .col(text("digest"))
                    .col(text("language"))
                    .col(text("sources"))
                    .col(big_integer("agreed_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("reuse", "application_id")
                            .to("application", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("reuse_application")
                    .table("reuse")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("follow_up")
                    .col(pk_uuid("id"))
                    .col(uuid("person_id"))
                    .col(text("service"))
                    .col(uuid("key_id"))
                    .col(binary("sealed"))
                    .col(text("digest"))
                    .col(text("language"))
                    .col(big_integer("agreed_at"))
                    .col(text("dispose_on"))
                    .foreign_key(ForeignKey::create().from("follow_up", "person_id").to("person", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("follow_up_person_service")
                    .table("follow_up")
                    .col("person_id")
                    .col("service")
                    .unique()
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
