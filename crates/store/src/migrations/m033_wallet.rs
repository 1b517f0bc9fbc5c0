//! The digital wallet: cards asked for and cards given, and consents to show one.
//!
//! SQLite can't change a check afterwards, so the table of consents is made anew and its rows are carried over, on both engines alike.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn to_case(from: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(from, "application_id")
        .to("application", "id")
        .to_owned()
}

fn index(name: &'static str, table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col(column).to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        consents(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("wallet_request")
                    .col(pk_uuid("id"))
                    .col(text("kind"))
                    .col(uuid("application_id"))
                    .col(text("credential_type"))
                    .col(text("state"))
                    .col(text("lookup").unique_key().to_owned())
                    .col(text_null("token").unique_key().to_owned())
                    .col(binary("sealed"))
                    .col(text_null("failure"))
                    .col(big_integer("started_at"))
                    .col(big_integer("until"))
                    .col(big_integer_null("ended_at"))
                    .col(big_integer("revision"))
                    .foreign_key(&mut to_case("wallet_request"))
                    .check(Expr::cust("kind IN ('show', 'give')"))
                    .check(Expr::cust("state IN ('waiting', 'taken', 'done', 'ended')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(index("wallet_request_case", "wallet_request", "application_id"))
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("wallet_seen")
                    .col(text("key").primary_key())
                    .col(big_integer("until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("wallet_card")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("credential_type"))
                    .col(integer("list_index"))
                    .col(text("state"))
                    .col(text_null("reason"))
                    .col(big_integer("given_at"))
                    .col(big_integer("valid_until"))
                    .col(big_integer_null("revoked_at"))
                    .foreign_key(&mut to_case("wallet_card"))
                    .check(Expr::cust("state IN ('valid', 'revoked')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(index("wallet_card_case", "wallet_card", "application_id"))
            .await?;
        // an entry of a status list is of one card
        manager
            .create_index(
                Index::create()
                    .name("wallet_card_entry")
                    .table("wallet_card")
                    .col("credential_type")
                    .col("list_index")
                    .unique()
                    .to_owned(),
            )
            .await
    }
}

const CONSENTS: &str = "consent_new";

/// The table of consents, which takes one to show a card.
async fn consents(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let key = |column: &'static str, to: &'static str| {
        let mut key = ForeignKey::create();
        key.from(CONSENTS, column).to(to, "id");
        key
    };
    manager
        .create_table(
            Table::create()
                .table(CONSENTS)
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
                .foreign_key(&mut key("application_id", "application"))
                .foreign_key(&mut key("person_id", "person"))
                .check(Expr::cust("kind IN ('notice', 'mydata', 'wallet')"))
                .to_owned(),
        )
        .await?;
    let columns = "id, person_id, application_id, kind, digest, language, resources, shown_at, agreed_at, withdrawn_at";
    let carry = format!("INSERT INTO {CONSENTS} ({columns}) SELECT {columns} FROM consent");
    manager.get_connection().execute_unprepared(&carry).await?;
    manager.drop_table(Table::drop().table("consent").to_owned()).await?;
    manager
        .rename_table(Table::rename().table(CONSENTS, "consent").to_owned())
        .await?;
    manager
        .create_index(index("consent_person_id", "consent", "person_id"))
        .await?;
    manager
        .create_index(index("consent_application_id", "consent", "application_id"))
        .await
}
