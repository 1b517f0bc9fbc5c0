//! The counter: who was served by whom, whose agreement was witnessed, and the papers of a case.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("visit")
                    .col(pk_uuid("id"))
                    .col(uuid("staff_id"))
                    .col(uuid("person_id"))
                    .col(text("shown"))
                    .col(binary("sealed"))
                    .col(big_integer("started_at"))
                    .col(big_integer_null("ended_at"))
                    .check(Expr::cust(
                        "shown IN ('national_id_card', 'health_card', 'resident_certificate')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("witness")
                    .col(pk_uuid("consent_id"))
                    .col(uuid("application_id"))
                    .col(uuid("staff_id"))
                    .col(text("shown"))
                    .col(big_integer("at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("witness", "application_id")
                            .to("application", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("paper")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("kind"))
                    .col(uuid("file_id"))
                    .col(text("media"))
                    .col(text("digest"))
                    .col(integer("pages"))
                    .col(big_integer("shows"))
                    .col(uuid("made_by"))
                    .col(big_integer("made_at"))
                    .col(big_integer_null("signed_at"))
                    .col(binary_null("read"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("paper", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("kind IN ('summary', 'scan')"))
                    .to_owned(),
            )
            .await?;
        for (name, table, column) in [
            ("visit_staff", "visit", "staff_id"),
            ("visit_ended", "visit", "ended_at"),
            ("witness_application", "witness", "application_id"),
            ("paper_application", "paper", "application_id"),
        ] {
            manager
                .create_index(Index::create().name(name).table(table).col(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
