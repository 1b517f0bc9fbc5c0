//! Plans that governments send to a subsidy programme: their parts with every version, what was sent, the review and the decision.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

fn to_staff(from: &'static str, column: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(from, column).to("staff", "id").to_owned()
}

fn to_plan(from: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(from, "plan_id")
        .to("subsidy_plan", "id")
        .to_owned()
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

fn index(name: &'static str, table: &'static str) -> IndexCreateStatement {
    Index::create().name(name).table(table).col("plan_id").to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [plan(), part(), submission(), comment(), event(), sheet(), conflict()];
        for table in tables {
            manager.create_table(table).await?;
        }
        let indices = [
            // a government answers a programme with one plan
            once("subsidy_plan_once", "subsidy_plan", &["programme", "government"]),
            // of two who save the same version of a part the second finds it taken
            once("subsidy_part_version", "subsidy_part", &["plan_id", "part", "version"]),
            once("subsidy_submission_round", "subsidy_submission", &["plan_id", "round"]),
            once("subsidy_sheet_once", "subsidy_sheet", &["plan_id", "reviewer"]),
            once(
                "subsidy_conflict_once",
                "subsidy_conflict",
                &["programme", "reviewer", "government"],
            ),
            index("subsidy_comment_plan", "subsidy_comment"),
            index("subsidy_event_plan", "subsidy_event"),
        ];
        for index in indices {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn plan() -> TableCreateStatement {
    Table::create()
        .table("subsidy_plan")
        .col(pk_uuid("id"))
        .col(text("programme"))
        .col(text("government"))
        .col(text("state"))
        .col(uuid("opened_by"))
        .col(big_integer("opened_at"))
        .col(big_integer_null("sent_at"))
        .col(text_null("appraisal"))
        .col(big_integer_null("amount"))
        .col(text_null("note"))
        .col(uuid_null("decided_by"))
        .col(big_integer_null("decided_at"))
        .col(text_null("commented_on"))
        .col(big_integer_null("handed_in_at"))
        .col(text_null("deferred_on"))
        .col(text_null("deferral_reason"))
        .col(big_integer("revision"))
        .foreign_key(&mut to_staff("subsidy_plan", "opened_by"))
        .foreign_key(&mut to_staff("subsidy_plan", "decided_by"))
        .check(Expr::cust(
            "state IN ('draft', 'sent', 'correction', 'corrected', 'refused')",
        ))
        .check(Expr::cust("amount IS NULL OR amount > 0"))
        .to_owned()
}

fn part() -> TableCreateStatement {
    Table::create()
        .table("subsidy_part")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(text("part"))
        .col(big_integer("version"))
        .col(uuid("key_id"))
        .col(binary("sealed"))
        .col(uuid("saved_by"))
        .col(big_integer("saved_at"))
        .foreign_key(&mut to_plan("subsidy_part"))
        .foreign_key(&mut to_staff("subsidy_part", "saved_by"))
        .check(Expr::cust("version > 0"))
        .to_owned()
}

fn submission() -> TableCreateStatement {
    Table::create()
        .table("subsidy_submission")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(integer("round"))
        .col(uuid("key_id"))
        .col(binary("sealed"))
        .col(binary("digest"))
        .col(uuid("sent_by"))
        .col(big_integer("sent_at"))
        .foreign_key(&mut to_plan("subsidy_submission"))
        .foreign_key(&mut to_staff("subsidy_submission", "sent_by"))
        .check(Expr::cust("round IN (1, 2)"))
        .to_owned()
}

fn comment() -> TableCreateStatement {
    Table::create()
        .table("subsidy_comment")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(text("part"))
        .col(text("text"))
        .col(uuid("written_by"))
        .col(big_integer("written_at"))
        .foreign_key(&mut to_plan("subsidy_comment"))
        .foreign_key(&mut to_staff("subsidy_comment", "written_by"))
        .to_owned()
}

fn event() -> TableCreateStatement {
    Table::create()
        .table("subsidy_event")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(text("act"))
        .col(text_null("note"))
        .col(uuid("done_by"))
        .col(big_integer("done_at"))
        .foreign_key(&mut to_plan("subsidy_event"))
        .foreign_key(&mut to_staff("subsidy_event", "done_by"))
        .to_owned()
}

fn sheet() -> TableCreateStatement {
    Table::create()
        .table("subsidy_sheet")
        .col(pk_uuid("id"))
        .col(uuid("plan_id"))
        .col(uuid("reviewer"))
        .col(text("scores"))
        .col(big_integer("saved_at"))
        .col(big_integer("revision"))
        .foreign_key(&mut to_plan("subsidy_sheet"))
        .foreign_key(&mut to_staff("subsidy_sheet", "reviewer"))
        .to_owned()
}

fn conflict() -> TableCreateStatement {
    Table::create()
        .table("subsidy_conflict")
        .col(pk_uuid("id"))
        .col(text("programme"))
        .col(uuid("reviewer"))
        .col(text("government"))
        .col(text("reason"))
        .col(big_integer("declared_at"))
        .foreign_key(&mut to_staff("subsidy_conflict", "reviewer"))
        .to_owned()
}
