//! Digital agents: organisations, authorisations with the cases opened under them, and notices to the people concerned.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("organisation")
                    .col(pk_uuid("id"))
                    .col(text_uniq("number"))
                    .col(text("name"))
                    .col(boolean("active"))
                    .col(big_integer("created_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("authorisation")
                    .col(pk_uuid("id"))
                    .col(text("kind"))
                    .col(text("state"))
                    .col(uuid_null("principal_id"))
                    .col(binary_null("agent_lookup"))
                    .col(uuid_null("agent_id"))
                    .col(text("services"))
                    .col(text("acts"))
                    .col(text("until"))
                    .col(uuid("key_id"))
                    .col(binary_null("sealed"))
                    .col(text_null("notice_digest"))
                    .col(text_null("notice_language"))
                    .col(binary_null("password"))
                    .col(big_integer_null("password_until"))
                    .col(integer("tries"))
                    .col(big_integer("offered_at"))
                    .col(big_integer_null("accepted_at"))
                    .col(big_integer_null("used_at"))
                    .col(big_integer_null("ended_at"))
                    .col(text_null("ended_by"))
                    .col(text_null("dispose_after"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("authorisation", "principal_id")
                            .to("person", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("authorisation", "key_id")
                            .to("data_key", "id"),
                    )
                    .check(Expr::cust("kind IN ('person', 'organisation', 'assisted')"))
                    .check(Expr::cust(
                        "state IN ('offered', 'accepted', 'declined', 'ended', 'disposed')",
                    ))
                    .check(Expr::cust(
                        "ended_by IS NULL OR ended_by IN ('principal', 'agent', 'time', 'tries')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("authorisation_case")
                    .col(pk_uuid("application_id"))
                    .col(uuid("authorisation_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("authorisation_case", "application_id")
                            .to("application", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("authorisation_case", "authorisation_id")
                            .to("authorisation", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("notice")
                    .col(pk_uuid("id"))
                    .col(uuid("authorisation_id"))
                    .col(uuid("person_id"))
                    .col(text("kind"))
                    .col(text_uniq("idempotency_key"))
                    .col(binary_null("sealed"))
                    .col(text("status"))
                    .col(integer("tries"))
                    .col(big_integer("made_at"))
                    .col(big_integer_null("sent_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("notice", "authorisation_id")
                            .to("authorisation", "id"),
                    )
                    .foreign_key(ForeignKey::create().from("notice", "person_id").to("person", "id"))
                    .check(Expr::cust("status IN ('queued', 'sent', 'no_address', 'failed')"))
                    .to_owned(),
            )
            .await?;
        let plain = [
            ("authorisation_principal", "authorisation", &["principal_id"][..]),
            ("authorisation_agent_lookup", "authorisation", &["agent_lookup"][..]),
            ("authorisation_agent", "authorisation", &["agent_id", "state"][..]),
            ("authorisation_state", "authorisation", &["state", "until"][..]),
            (
                "authorisation_case_authorisation",
                "authorisation_case",
                &["authorisation_id"][..],
            ),
            ("notice_person", "notice", &["person_id", "made_at"][..]),
            ("notice_authorisation", "notice", &["authorisation_id"][..]),
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
