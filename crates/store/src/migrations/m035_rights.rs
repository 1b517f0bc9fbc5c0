//! Requests by which people exercise their rights over their data.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn key(column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from("rights_request", column)
        .to(to, "id")
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("rights_request")
                    .col(pk_uuid("id"))
                    .col(uuid("person_id"))
                    .col(text("kind"))
                    .col(big_integer_null("entry"))
                    .col(uuid_null("application_id"))
                    .col(text_null("agency"))
                    .col(text("state"))
                    .col(text("made"))
                    .col(text("due"))
                    .col(boolean("extended"))
                    .col(binary("sealed"))
                    .col(uuid_null("answered_by"))
                    .col(big_integer("made_at"))
                    .col(big_integer("changed_at"))
                    .col(big_integer("revision"))
                    .foreign_key(&mut key("person_id", "person"))
                    .foreign_key(&mut key("application_id", "application"))
                    .check(Expr::cust("kind IN ('ask', 'correct', 'stop', 'delete')"))
                    .check(Expr::cust(
                        "state IN ('open', 'granted', 'partly', 'refused', 'withdrawn')",
                    ))
                    .to_owned(),
            )
            .await?;
        for (name, columns) in [
            ("rights_request_person", ["person_id", "made_at"]),
            ("rights_request_due", ["state", "due"]),
        ] {
            let mut index = Index::create();
            index.name(name).table("rights_request");
            for column in columns {
                index.col(column);
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
