//! Counts of who is entitled and does not receive, invitations sent to them, and who wants none.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            Table::create()
                .table("outreach_day")
                .col(pk_uuid("id"))
                .col(text("service"))
                .col(text("day"))
                .col(text("as_of"))
                .col(big_integer("entitled"))
                .col(big_integer("receiving"))
                .col(text("lacking"))
                .to_owned(),
            Table::create()
                .table("outreach_area")
                .col(pk_uuid("id"))
                .col(text("service"))
                .col(text("area"))
                .col(text("day"))
                .col(big_integer("entitled"))
                .col(big_integer("receiving"))
                .to_owned(),
            Table::create()
                .table("campaign")
                .col(pk_uuid("id"))
                .col(text("service"))
                .col(text("state"))
                .col(text("areas"))
                .col(text("day"))
                .col(big_integer("entitled"))
                .col(big_integer("receiving"))
                .col(uuid("key_id"))
                .col(big_integer("made_at"))
                .col(uuid("made_by"))
                .col(text("dispose_on"))
                .foreign_key(ForeignKey::create().from("campaign", "key_id").to("data_key", "id"))
                .check(Expr::cust("state IN ('writing', 'written', 'closed')"))
                .to_owned(),
            Table::create()
                .table("invitation")
                .col(pk_uuid("id"))
                .col(uuid("campaign_id"))
                .col(text("service"))
                .col(binary("subject"))
                .col(text("standing"))
                .col(big_integer_null("term"))
                .col(binary_null("sealed"))
                .col(big_integer("made_at"))
                .col(big_integer_null("sent_at"))
                .col(big_integer_null("applied_at"))
                .foreign_key(
                    ForeignKey::create()
                        .from("invitation", "campaign_id")
                        .to("campaign", "id"),
                )
                .check(Expr::cust(
                    "standing IN ('queued', 'sent', 'failed', 'no_address', 'declined', 'lately')",
                ))
                .to_owned(),
            Table::create()
                .table("preference")
                .col(pk_uuid("id"))
                .col(binary("subject").unique_key().to_owned())
                .col(boolean("wants"))
                .col(big_integer("changed_at"))
                .to_owned(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        let unique = [
            ("outreach_day_service_day", "outreach_day", &["service", "day"][..]),
            ("outreach_area_service_area", "outreach_area", &["service", "area"][..]),
            (
                "invitation_campaign_subject",
                "invitation",
                &["campaign_id", "subject"][..],
            ),
            // nobody is invited twice in one term, whatever happens
            ("invitation_term", "invitation", &["service", "subject", "term"][..]),
        ];
        for (name, table, columns) in unique {
            let mut index = Index::create().name(name).table(table).unique().to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        let plain = [
            ("campaign_service", "campaign", &["service", "made_at"][..]),
            (
                "invitation_standing",
                "invitation",
                &["campaign_id", "standing", "id"][..],
            ),
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
