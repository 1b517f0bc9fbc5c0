//! The ways a person chose to be told, and what became of each message on each of them; lanes of the outbox.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// Mail that is still on its way becomes a delivery of the same name, so that no message of before is lost or sent twice.
const CARRIED_OVER: [&str; 2] = [
    "INSERT INTO delivery (id, message_id, application_id, channel, state, tries, again, made_at) \
     SELECT id, id, application_id, 'email', 'queued', 0, 0, made_at FROM message WHERE status = 'queued'",
    "UPDATE outbox SET kind = 'deliver', lane = 'email' WHERE kind = 'mail.send' AND state <> 'done'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        channel(manager).await?;
        delivery(manager).await?;
        manager
            .alter_table(
                Table::alter()
                    .table("outbox")
                    .add_column(text("lane").default(""))
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(Index::drop().name("outbox_state_due_at").table("outbox").to_owned())
            .await?;
        index(manager, "outbox_lane", "outbox", &["state", "lane", "due_at"]).await?;
        for statement in CARRIED_OVER {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

async fn channel(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("channel")
                .col(pk_uuid("id"))
                .col(uuid("person_id"))
                .col(text("kind"))
                .col(binary("lookup"))
                .col(binary_null("sealed"))
                .col(text("state"))
                .col(text("language"))
                .col(big_integer_null("code_until"))
                .col(integer("tries"))
                .col(integer("asked"))
                .col(big_integer("asked_at"))
                .col(big_integer_null("confirmed_at"))
                .col(big_integer_null("ended_at"))
                .col(text_null("problem"))
                .foreign_key(ForeignKey::create().from("channel", "person_id").to("person", "id"))
                .check(Expr::cust("kind IN ('email', 'sms', 'line', 'push')"))
                .check(Expr::cust("state IN ('asked', 'confirmed', 'withdrawn', 'gone')"))
                .to_owned(),
        )
        .await?;
    manager
        .create_index(
            Index::create()
                .name("channel_person")
                .table("channel")
                .col("person_id")
                .col("kind")
                .col("lookup")
                .unique()
                .to_owned(),
        )
        .await?;
    index(manager, "channel_lookup", "channel", &["lookup"]).await
}

async fn delivery(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            Table::create()
                .table("delivery")
                .col(pk_uuid("id"))
                .col(uuid("message_id"))
                .col(uuid("application_id"))
                .col(text("channel"))
                .col(uuid_null("channel_id"))
                .col(text("state"))
                .col(integer("tries"))
                .col(integer("again"))
                .col(text_null("problem"))
                .col(text_null("reason"))
                .col(big_integer("made_at"))
                .col(big_integer_null("tried_at"))
                .col(big_integer_null("next_at"))
                .col(big_integer_null("sent_at"))
                .foreign_key(ForeignKey::create().from("delivery", "message_id").to("message", "id"))
                .check(Expr::cust("channel IN ('email', 'sms', 'line', 'push')"))
                .check(Expr::cust(
                    "state IN ('queued', 'later', 'sent', 'failed', 'gone', 'dead', 'ended')",
                ))
                .to_owned(),
        )
        .await?;
    index(manager, "delivery_message", "delivery", &["message_id"]).await?;
    index(manager, "delivery_application", "delivery", &["application_id"]).await?;
    index(manager, "delivery_channel", "delivery", &["channel_id"]).await?;
    index(manager, "delivery_state", "delivery", &["state", "channel", "made_at"]).await
}

async fn index(manager: &SchemaManager<'_>, name: &str, table: &str, columns: &[&str]) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(name).table(table.to_owned());
    for column in columns {
        index.col((*column).to_owned());
    }
    manager.create_index(index.to_owned()).await
}
