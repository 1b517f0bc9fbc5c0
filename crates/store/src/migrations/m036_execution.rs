//! A funded plan is carried out: what the government hands in, each sending of it, and the settlement.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn key(from: &'static str, column: &'static str, to: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to(to, "id").to_owned()
}

/// An index in which each combination stands once.
fn once(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table).unique();
    for column in columns {
        index.col(*column);
    }
    index.to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [filing(), sending(), settlement()] {
            manager.create_table(table).await?;
        }
        let indices = [
            once("subsidy_filing_once", "subsidy_filing", &["plan_id", "kind", "number"]),
            once("subsidy_sending_once", "subsidy_sending", &["filing_id", "sending"]),
            // a plan is settled once
            once("subsidy_settlement_once", "subsidy_settlement", &["plan_id"]),
        ];
        for index in indices {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn filing() -> TableCreateStatement {
    Table::create()
        .table("subsidy_filing")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(text("kind"))
        .col(integer("number"))
        .col(text("state"))
        .col(text("content"))
        .col(uuid("saved_by"))
        .col(big_integer("saved_at"))
        .col(big_integer_null("first_sent_at"))
        .col(big_integer_null("sent_at"))
        .col(text_null("answer"))
        .col(uuid_null("answered_by"))
        .col(big_integer_null("answered_at"))
        .col(big_integer("revision"))
        .foreign_key(&mut key("subsidy_filing", "plan_id", "subsidy_plan"))
        .foreign_key(&mut key("subsidy_filing", "saved_by", "staff"))
        .foreign_key(&mut key("subsidy_filing", "answered_by", "staff"))
        .check(Expr::cust(
            "kind IN ('report', 'change', 'completion', 'request', 'results')",
        ))
        .check(Expr::cust(
            "state IN ('draft', 'sent', 'returned', 'accepted', 'refused')",
        ))
        .check(Expr::cust("number > 0"))
        .to_owned()
}

fn sending() -> TableCreateStatement {
    Table::create()
        .table("subsidy_sending")
        .col(pk_uuid("id"))
        .col(uuid("filing_id"))
        .col(integer("sending"))
        .col(text("content"))
        .col(binary("digest"))
        .col(uuid("sent_by"))
        .col(big_integer("sent_at"))
        .foreign_key(&mut key("subsidy_sending", "filing_id", "subsidy_filing"))
        .foreign_key(&mut key("subsidy_sending", "sent_by", "staff"))
        .check(Expr::cust("sending > 0"))
        .to_owned()
}

fn settlement() -> TableCreateStatement {
    Table::create()
        .table("subsidy_settlement")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(text("amounts"))
        .col(big_integer("paid"))
        .col(text("note"))
        .col(uuid("settled_by"))
        .col(big_integer("settled_at"))
        .col(text_null("paid_on"))
        .col(text_null("reference"))
        .col(uuid_null("paid_by"))
        .col(big_integer("revision"))
        .foreign_key(&mut key("subsidy_settlement", "plan_id", "subsidy_plan"))
        .foreign_key(&mut key("subsidy_settlement", "settled_by", "staff"))
        .foreign_key(&mut key("subsidy_settlement", "paid_by", "staff"))
        .check(Expr::cust("paid >= 0"))
        .to_owned()
}
