//! The digital wallet: cards asked for and cards given.

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
