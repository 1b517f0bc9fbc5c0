//! Registers of residents, rolls drawn up from them, and who is left out.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // one column a statement: SQLite adds no two at once
        for column in [text_null("reference_date"), uuid_null("roll_id")] {
            manager
                .alter_table(Table::alter().table("application").add_column(column).to_owned())
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("register")
                    .col(pk_uuid("id"))
                    .col(text("name").unique_key().to_owned())
                    .col(text("as_of"))
                    .col(big_integer("persons"))
                    .col(big_integer("households"))
                    .col(text("file"))
                    .col(uuid("key_id"))
                    .col(binary("secret"))
                    .col(big_integer("made_at"))
                    .foreign_key(ForeignKey::create().from("register", "key_id").to("data_key", "id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("roll")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(text("roll"))
                    .col(text("state"))
                    .col(text("reference_date"))
                    .col(text("service_digest"))
                    .col(text("as_of"))
                    .col(big_integer("differing"))
                    .col(big_integer("made_at"))
                    .col(uuid("made_by"))
                    .col(big_integer_null("confirmed_at"))
                    .col(uuid_null("confirmed_by"))
                    .col(big_integer_null("told_at"))
                    .col(text_null("object_until"))
                    .col(big_integer_null("granted_at"))
                    .col(uuid_null("granted_by"))
                    .col(big_integer("revision"))
                    .check(Expr::cust(
                        "state IN ('drawing', 'drawn', 'confirmed', 'telling', 'told', 'granting', 'granted')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("roll_entry")
                    .col(pk_uuid("id"))
                    .col(uuid("roll_id"))
                    .col(binary("subject"))
                    .col(uuid_null("application_id"))
                    .col(text("area"))
                    .col(text("standing"))
                    .col(text_null("reason"))
                    .col(big_integer("amount"))
                    .col(boolean("payable"))
                    .foreign_key(ForeignKey::create().from("roll_entry", "roll_id").to("roll", "id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("roll_entry", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust(
                        "standing IN ('listed', 'confirmed', 'denied', 'excluded', 'declined', 'objected', 'granted')",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("exclusion")
                    .col(pk_uuid("id"))
                    .col(text("service"))
                    .col(binary("subject"))
                    .col(text("reason"))
                    .col(uuid("key_id"))
                    .col(binary("sealed"))
                    .col(big_integer("made_at"))
                    .col(uuid_null("made_by"))
                    .col(text_null("until"))
                    .foreign_key(ForeignKey::create().from("exclusion", "key_id").to("data_key", "id"))
                    .to_owned(),
            )
            .await?;
        let unique = [
            ("roll_service_roll", "roll", &["service", "roll"][..]),
            ("roll_entry_subject", "roll_entry", &["roll_id", "subject"][..]),
            ("exclusion_subject", "exclusion", &["service", "subject"][..]),
        ];
        for (name, table, columns) in unique {
            let mut index = Index::create().name(name).table(table).unique().to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        let plain = [
            ("roll_entry_standing", "roll_entry", &["roll_id", "standing", "id"][..]),
            ("roll_entry_application", "roll_entry", &["application_id"][..]),
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
