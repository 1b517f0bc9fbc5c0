//! Entitlements, payments, batches and the reports of the bank. The unique indexes keep anybody from being paid twice.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("entitlement")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("service"))
                    .col(text("purpose"))
                    .col(big_integer("amount"))
                    .col(text("first_month"))
                    .col(text("last_month"))
                    .col(binary_null("account"))
                    .col(boolean("account_refused"))
                    .col(big_integer("made_at"))
                    .col(big_integer("revision"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("entitlement", "application_id")
                            .to("application", "id"),
                    )
                    .check(Expr::cust("amount > 0"))
                    .check(Expr::cust("first_month <= last_month"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("entitlement_once")
                    .table("entitlement")
                    .col("application_id")
                    .col("purpose")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("entitlement_span")
                    .table("entitlement")
                    .col("service")
                    .col("first_month")
                    .col("last_month")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("payment_batch")
                    .col(pk_uuid("id"))
                    .col(text_uniq("number"))
                    .col(text("service"))
                    .col(text("period"))
                    .col(text("state"))
                    .col(integer("count"))
                    .col(big_integer("total"))
                    .col(text("pay_on"))
                    .col(uuid("key_id"))
                    .col(uuid("file_id"))
                    .col(text("digest"))
                    .col(uuid("made_by"))
                    .col(big_integer("made_at"))
                    .col(uuid_null("released_by"))
                    .col(big_integer_null("released_at"))
                    .foreign_key(ForeignKey::create().from("payment_batch", "made_by").to("staff", "id"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment_batch", "released_by")
                            .to("staff", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment_batch", "key_id")
                            .to("data_key", "id"),
                    )
                    .check(Expr::cust("state IN ('made', 'released', 'answered', 'dissolved')"))
                    .check(Expr::cust("released_by IS NULL OR released_by <> made_by"))
                    .check(Expr::cust(
                        "state NOT IN ('released', 'answered') OR released_by IS NOT NULL",
                    ))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_batch_made_at")
                    .table("payment_batch")
                    .col("made_at")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("payment")
                    .col(pk_uuid("id"))
                    .col(uuid("application_id"))
                    .col(text("service"))
                    .col(text("purpose"))
                    .col(text("period"))
                    .col(big_integer("amount"))
                    .col(integer("attempt"))
                    .col(text_uniq("end_to_end"))
                    .col(text("state"))
                    .col(uuid_null("batch_id"))
                    .col(binary_null("account"))
                    .col(text_null("reason"))
                    .col(big_integer("made_at"))
                    .col(big_integer("changed_at"))
                    .col(big_integer_null("paid_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment", "application_id")
                            .to("application", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment", "batch_id")
                            .to("payment_batch", "id"),
                    )
                    .check(Expr::cust(
                        "state IN ('due', 'held', 'batched', 'released', 'paid', 'rejected')",
                    ))
                    .check(Expr::cust("amount > 0"))
                    .check(Expr::cust("state IN ('due', 'held') OR batch_id IS NOT NULL"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_attempt_once")
                    .table("payment")
                    .col("application_id")
                    .col("period")
                    .col("purpose")
                    .col("attempt")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_never_twice")
                    .table("payment")
                    .col("application_id")
                    .col("period")
                    .col("purpose")
                    .unique()
                    .cond_where(Expr::cust("state <> 'rejected'"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_batch_id")
                    .table("payment")
                    .col("batch_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_state_service_period")
                    .table("payment")
                    .col("state")
                    .col("service")
                    .col("period")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("payment_report")
                    .col(text("digest").primary_key().to_owned())
                    .col(text("message"))
                    .col(uuid("batch_id"))
                    .col(integer("accepted"))
                    .col(integer("rejected"))
                    .col(uuid("imported_by"))
                    .col(big_integer("imported_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment_report", "batch_id")
                            .to("payment_batch", "id"),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .from("payment_report", "imported_by")
                            .to("staff", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("payment_report_batch_id")
                    .table("payment_report")
                    .col("batch_id")
                    .to_owned(),
            )
            .await?;
        Ok(())
    }
}
