//! The review meeting of a call: when and where, and in which order the plans are presented.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let to_staff = |column: &'static str| {
            ForeignKey::create()
                .from("subsidy_meeting", column)
                .to("staff", "id")
                .to_owned()
        };
        let table = Table::create()
            .table("subsidy_meeting")
            .col(pk_uuid("id"))
            .col(text("programme"))
            .col(text("day"))
            .col(text("place"))
            .col(text("begins"))
            .col(integer("minutes"))
            .col(text_null("pause_from"))
            .col(text_null("pause_until"))
            .col(text("presentations"))
            .col(text_null("drawn"))
            .col(uuid_null("drawn_by"))
            .col(big_integer_null("drawn_at"))
            .col(text_null("reason"))
            .col(uuid_null("arranged_by"))
            .col(big_integer_null("arranged_at"))
            .col(uuid("made_by"))
            .col(big_integer("made_at"))
            .col(big_integer("revision"))
            .foreign_key(&mut to_staff("drawn_by"))
            .foreign_key(&mut to_staff("arranged_by"))
            .foreign_key(&mut to_staff("made_by"))
            .check(Expr::cust("minutes > 0"))
            .to_owned();
        manager.create_table(table).await?;
        // a call has one meeting, so that two who convene it at once don't make two
        let once = Index::create()
            .name("subsidy_meeting_once")
            .table("subsidy_meeting")
            .col("programme")
            .unique()
            .to_owned();
        manager.create_index(once).await
    }
}
