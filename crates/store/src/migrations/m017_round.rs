//! Rounds with their draws, who takes part, and the tickets.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("round")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("round"))
                    .col(text("digest"))
                    .col(binary("sealed"))
                    .col(big_integer("sealed_at"))
                    .col(uuid("sealed_by"))
                    .col(text_null("seed"))
                    .col(binary_null("drawn"))
                    .col(big_integer_null("drawn_at"))
                    .col(uuid_null("drawn_by"))
                    .col(big_integer("revision"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("round_entry")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("round"))
                    .col(binary("subject"))
                    .col(uuid("application_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("round_entry", "application_id")
                            .to("application", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("ticket")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("round"))
                    .col(text("place_set"))
                    .col(uuid("application_id"))
                    .col(text_null("mark"))
                    .col(text("spec"))
                    .col(text("state"))
                    .col(integer_null("held"))
                    .col(text_null("due"))
                    .col(big_integer("made_at"))
                    .col(big_integer("changed_at"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("ticket", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust(
                        "state IN ('qualified', 'waiting', 'offered', 'accepted', 'checked_in', 'declined', 'lapsed')",
                    ))
                    .to_owned(),
            )
            .await?;
        let unique = [
            ("round_service_round", "round", &["service", "round"][..]),
            (
                "round_entry_subject",
                "round_entry",
                &["service", "round", "subject"][..],
            ),
            ("ticket_application", "ticket", &["application_id", "place_set"][..]),
            ("ticket_mark", "ticket", &["mark"][..]),
        ];
        for (name, table, columns) in unique {
            let mut index = Index::create().name(name).table(table).unique().to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        let plain = [
            ("round_entry_application", "round_entry", &["application_id"][..]),
            ("ticket_round_state", "ticket", &["service", "round", "state"][..]),
        ];
        for (name, table, columns) in plain {
            let mut index = Index::create().name(name).table(table).to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
