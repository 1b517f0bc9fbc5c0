//! Management of T-Road: approvals asked for and given, and switches of single interfaces.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn to_staff(from: &'static str, column: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to("staff", "id").to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("road_agreement")
                    .col(pk_uuid("id"))
                    .col(text("number"))
                    .col(text("service"))
                    .col(text("client"))
                    .col(text("purpose"))
                    .col(text("legal_ground"))
                    .col(text("fields"))
                    .col(text("first_day"))
                    .col(text("last_day"))
                    .col(big_integer_null("daily_quota"))
                    .col(text("state"))
                    .col(uuid("applied_by"))
                    .col(big_integer("applied_at"))
                    .col(uuid_null("decided_by"))
                    .col(big_integer_null("decided_at"))
                    .col(text_null("reason"))
                    .col(big_integer("revision"))
                    .foreign_key(&mut to_staff("road_agreement", "applied_by"))
                    .foreign_key(&mut to_staff("road_agreement", "decided_by"))
                    .check(Expr::cust("state IN ('applied', 'approved', 'refused', 'ended')"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("road_agreement_number")
                    .table("road_agreement")
                    .col("number")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("road_switch")
                    .col(text("service").primary_key())
                    .col(boolean("enabled"))
                    .col(text("reason"))
                    .col(uuid("changed_by"))
                    .col(big_integer("changed_at"))
                    .foreign_key(&mut to_staff("road_switch", "changed_by"))
                    .to_owned(),
            )
            .await
    }
}
