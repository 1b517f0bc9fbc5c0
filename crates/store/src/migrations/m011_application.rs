//! Applications and the series of their numbers.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("application")
                    .col(pk_uuid("id"))
                    .col(text_null("number").unique_key().to_owned())
                    .col(text("service"))
                    .col(text("service_digest"))
                    .col(uuid_null("person_id"))
                    .col(uuid("key_id"))
                    .col(text("channel"))
                    .col(text("language"))
                    .col(text("state"))
                    .col(big_integer("revision"))
                    .col(binary_null("answers"))
                    .col(uuid_null("form_token").unique_key().to_owned())
                    .col(big_integer("opened_at"))
                    .col(big_integer("updated_at"))
                    .col(big_integer("draft_until"))
                    .col(big_integer_null("submitted_at"))
                    .col(text_null("deadline"))
                    .col(big_integer_null("clock_stopped_at"))
                    .col(integer("stopped_days"))
                    .col(uuid_null("assigned_to"))
                    .col(text_null("finding"))
                    .col(binary_null("correction"))
                    .col(text_null("correction_due"))
                    .col(big_integer_null("decided_at"))
                    .col(text_null("outcome"))
                    .col(big_integer_null("completed_at"))
                    .col(integer("uploads"))
                    .col(uuid_null("measure_id"))
                    .col(text_null("dispose_after"))
                    .col(big_integer_null("disposed_at"))
                    .foreign_key(ForeignKey::create().from("application", "person_id").to("person", "id"))
                    .foreign_key(ForeignKey::create().from("application", "key_id").to("data_key", "id"))
                    .foreign_key(ForeignKey::create().from("application", "assigned_to").to("staff", "id"))
                    .check(Expr::cust("state IN ('draft', 'submitted', 'review', 'correction', 'approved', 'refused', 'withdrawn', 'completed', 'disposed')"))
                    .check(Expr::cust("channel IN ('online', 'counter', 'agent')"))
                    .check(Expr::cust("state = 'draft' OR number IS NOT NULL OR submitted_at IS NULL"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_one_draft")
                    .table("application")
                    .col("person_id")
                    .col("service")
                    .col("channel")
                    .unique()
                    .cond_where(Expr::cust("state = 'draft'"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_person_id_opened_at")
                    .table("application")
                    .col("person_id")
                    .col("opened_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_queue")
                    .table("application")
                    .col("state")
                    .col("deadline")
                    .col("submitted_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_assigned_to_deadline")
                    .table("application")
                    .col("assigned_to")
                    .col("deadline")
                    .cond_where(Expr::cust("assigned_to IS NOT NULL"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_dispose_after")
                    .table("application")
                    .col("dispose_after")
                    .cond_where(Expr::cust("dispose_after IS NOT NULL"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("application_draft_until")
                    .table("application")
                    .col("draft_until")
                    .cond_where(Expr::cust("state = 'draft'"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("number_series")
                    .col(text("name").primary_key().to_owned())
                    .col(big_integer("last"))
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
