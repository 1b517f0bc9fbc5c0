//! Cases that take the place of an earlier one (a reported change, the yearly look), what months already paid come to
//! by the new decision, and what was paid too much and is claimed back.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn to_application(from: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(from, "application_id")
        .to("application", "id")
        .to_owned()
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("succession")
                    .col(uuid("application_id").primary_key())
                    .col(uuid("predecessor"))
                    .col(uuid("root"))
                    .col(text("kind"))
                    .col(text("from_month"))
                    .col(big_integer_null("settled_at"))
                    .foreign_key(&mut to_application("succession"))
                    .check(Expr::cust("kind IN ('change', 'review')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(index("succession_root", "succession", &["root"]))
            .await?;
        manager
            .create_index(index("succession_predecessor", "succession", &["predecessor"]))
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("adjustment")
                    .col(uuid("application_id"))
                    .col(text("purpose"))
                    .col(text("period"))
                    .col(big_integer("owed"))
                    .col(big_integer("paid"))
                    .primary_key(Index::create().col("application_id").col("purpose").col("period"))
                    .foreign_key(&mut to_application("adjustment"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("claim")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("service"))
                    .col(text("state"))
                    .col(big_integer("total"))
                    .col(big_integer("recovered"))
                    .col(text_null("due"))
                    .col(big_integer("made_at"))
                    .col(uuid_null("told_by"))
                    .col(big_integer("changed_at"))
                    .col(big_integer("revision"))
                    .foreign_key(&mut to_application("claim"))
                    .check(Expr::cust("state IN ('found', 'told', 'settled', 'waived')"))
                    .check(Expr::cust("total > 0 AND recovered >= 0 AND recovered <= total"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(index("claim_application", "claim", &["application_id"]))
            .await?;
        manager
            .create_index(index("claim_service_state", "claim", &["service", "state"]))
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("claim_line")
                    .col(uuid("claim_id"))
                    .col(text("period"))
                    .col(big_integer("amount"))
                    .primary_key(Index::create().col("claim_id").col("period"))
                    .foreign_key(ForeignKey::create().from("claim_line", "claim_id").to("claim", "id"))
                    .check(Expr::cust("amount > 0"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("claim_entry")
                    .col(pk_uuid("id"))
                    .col(uuid("claim_id"))
                    .col(text("kind"))
                    .col(big_integer("amount"))
                    .col(text("day"))
                    .col(text_null("reference"))
                    .col(uuid_null("made_by"))
                    .col(big_integer("made_at"))
                    .foreign_key(ForeignKey::create().from("claim_entry", "claim_id").to("claim", "id"))
                    .check(Expr::cust("kind IN ('received', 'waived')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                index("claim_entry_reference", "claim_entry", &["claim_id", "reference"])
                    .unique()
                    .to_owned(),
            )
            .await
    }
}
