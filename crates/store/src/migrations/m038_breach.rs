//! Breaches of personal data, and whom each concerns.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("breach")
                    .col(pk_uuid("id"))
                    .col(text_uniq("number"))
                    .col(text("agency"))
                    .col(boolean("drill"))
                    .col(text("state"))
                    .col(big_integer("discovered_at"))
                    .col(big_integer_null("ascertained_at"))
                    .col(big_integer_null("report_due"))
                    .col(big_integer_null("reported_at"))
                    .col(big_integer_null("counted_at"))
                    .col(big_integer("concerned"))
                    .col(big_integer("unnamed"))
                    .col(big_integer_null("told_at"))
                    .col(big_integer_null("closed_at"))
                    .col(uuid("key_id"))
                    .col(binary("sealed"))
                    .col(uuid("opened_by"))
                    .col(big_integer("changed_at"))
                    .col(big_integer("revision"))
                    .check(Expr::cust("state IN ('open', 'telling', 'told', 'closed')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("breach_person")
                    .col(pk_uuid("id"))
                    .col(uuid("breach_id"))
                    .col(binary("subject"))
                    .col(uuid_null("application_id"))
                    .col(big_integer("uses"))
                    .col(big_integer_null("first_at"))
                    .col(big_integer_null("last_at"))
                    .col(text("told"))
                    .col(big_integer_null("told_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("breach_person", "breach_id")
                            .to("breach", "id"),
                    )
                    .check(Expr::cust("told IN ('no', 'message', 'page', 'otherwise')"))
                    .to_owned(),
            )
            .await?;
        let mut index = Index::create();
        index
            .name("breach_agency")
            .table("breach")
            .col("agency")
            .col("discovered_at");
        manager.create_index(index).await?;
        let mut index = Index::create();
        index
            .name("breach_person_once")
            .table("breach_person")
            .col("breach_id")
            .col("subject")
            .unique();
        manager.create_index(index).await?;
        let mut index = Index::create();
        index
            .name("breach_person_subject")
            .table("breach_person")
            .col("subject");
        manager.create_index(index).await
    }
}
