//! What a case is made of: its history, decisions, evidence, consents and MyData transactions.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("event")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(big_integer("revision"))
                    .col(big_integer("at"))
                    .col(text("actor"))
                    .col(uuid_null("actor_id"))
                    .col(text("kind"))
                    .col(text_null("from_state"))
                    .col(text("to_state"))
                    .col(binary_null("detail"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("event", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("actor IN ('person', 'staff', 'system')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("event_once")
                    .table("event")
                    .col("application_id")
                    .col("revision")
                    .col("kind")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("decision")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(big_integer("revision"))
                    .col(big_integer("at"))
                    .col(text("occasion"))
                    .col(text("rules_digest"))
                    .col(text("reference_date"))
                    .col(text("finding"))
                    .col(binary("sealed"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("decision", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("finding IN ('eligible', 'ineligible', 'open')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("decision_application_id_revision")
                    .table("decision")
                    .col("application_id")
                    .col("revision")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("mydata_transaction")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(uuid("person_id"))
                    .col(text("resources"))
                    .col(text("state"))
                    .col(integer_null("return_code"))
                    .col(uuid_null("permission_ticket").unique_key().to_owned())
                    .col(binary_null("secret_key"))
                    .col(text_null("unable_to_deliver"))
                    .col(uuid_null("file_id"))
                    .col(text_null("failure"))
                    .col(big_integer("started_at"))
                    .col(big_integer_null("notified_at"))
                    .col(big_integer_null("fetched_at"))
                    .col(big_integer_null("opened_at"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("mydata_transaction", "application_id")
                            .to("application", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("mydata_transaction", "person_id")
                            .to("person", "id"),
                    )
                    .check(Expr::cust(
                        "state IN ('started', 'notified', 'fetched', 'opened', 'ended', 'refused')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("mydata_transaction_application_id")
                    .table("mydata_transaction")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("evidence")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(uuid_null("transaction_id"))
                    .col(text("resource"))
                    .col(text("status"))
                    .col(text("digest"))
                    .col(text_null("signer"))
                    .col(big_integer_null("issued_at"))
                    .col(big_integer("received_at"))
                    .col(binary_null("sealed"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("evidence", "application_id")
                            .to("application", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("evidence", "transaction_id")
                            .to("mydata_transaction", "id"),
                    )
                    .check(Expr::cust("status IN ('received', 'empty', 'unavailable')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("evidence_application_id")
                    .table("evidence")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("evidence_once")
                    .table("evidence")
                    .col("transaction_id")
                    .col("resource")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("consent")
                    .col(pk_uuid("id"))
                    .col(uuid("person_id"))
                    .col(uuid("application_id"))
                    .col(text("kind"))
                    .col(text("digest"))
                    .col(text("language"))
                    .col(text("resources"))
                    .col(big_integer("shown_at"))
                    .col(big_integer("agreed_at"))
                    .col(big_integer_null("withdrawn_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("consent", "application_id")
                            .to("application", "id"),
                    )
                    .foreign_key(ForeignKey::create().from("consent", "person_id").to("person", "id"))
                    .check(Expr::cust("kind IN ('notice', 'mydata')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("consent_person_id")
                    .table("consent")
                    .col("person_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("consent_application_id")
                    .table("consent")
                    .col("application_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
