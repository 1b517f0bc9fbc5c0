//! Confirmations by outside bodies with the files they hand in, and administrative appeals.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("confirmation")
                    .col(pk_uuid("application_id"))
                    .col(text("service"))
                    .col(text("body"))
                    .col(text("fields"))
                    .col(text("state"))
                    .col(text("due"))
                    .col(big_integer("asked_at"))
                    .col(big_integer_null("answered_at"))
                    .col(uuid_null("answered_by"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("confirmation", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("state IN ('waiting', 'confirmed', 'lapsed')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("confirmation_upload")
                    .col(pk_uuid("id"))
                    .col(uuid("staff_id"))
                    .col(text("service"))
                    .col(binary("sealed"))
                    .col(big_integer("made_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("confirmation_upload", "staff_id")
                            .to("staff", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("appeal")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("service"))
                    .col(text("channel"))
                    .col(text("state"))
                    .col(text("delivered"))
                    .col(text("lodged"))
                    .col(boolean("late"))
                    .col(text("due"))
                    .col(binary("sealed"))
                    .col(big_integer("decided_at"))
                    .col(big_integer("made_at"))
                    .col(big_integer("changed_at"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("appeal", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust(
                        "state IN ('lodged', 'set_aside', 'decided', 'forwarded', 'withdrawn')",
                    ))
                    .to_owned(),
            )
            .await?;
        let plain = [
            ("confirmation_body", "confirmation", &["body", "state"][..]),
            ("confirmation_due", "confirmation", &["state", "due"][..]),
            ("appeal_service", "appeal", &["service", "state"][..]),
        ];
        for (name, table, columns) in plain {
            let mut index = Index::create().name(name).table(table).to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        // one appeal against one decision
        manager
            .create_index(
                Index::create()
                    .name("appeal_once")
                    .table("appeal")
                    .col("application_id")
                    .col("decided_at")
                    .unique()
                    .to_owned(),
            )
            .await
    }
}
