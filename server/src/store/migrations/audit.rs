use sea_orm_migration::{prelude::*, schema::*};

use super::create_index;

/// Migration that lets the audit log be read by organization.
pub(super) struct DescribeAudit;

impl MigrationName for DescribeAudit {
    fn name(&self) -> &str {
        "20261130_describe_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DescribeAudit {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement for each, since SQLite adds one column at a time.
        for (name, column) in [
            ("org_id", big_integer_null("org_id")),
            ("user_id", big_integer_null("user_id")),
            ("token_id", big_integer_null("token_id")),
            ("subject", text_null("subject")),
            ("role", string_len_null("role", 16)),
        ] {
            if !manager.has_column("audit", name).await? {
                let column = Table::alter().table("audit").add_column(column).take();
                manager.alter_table(column).await?;
            }
        }
        Ok(())
    }
}

/// Number of entries that are filled by one statement.
const BATCH: i64 = 10_000;

/// Migration that tells the organizations of earlier entries, as far as their applications exist,
/// a few at a time, since entries are written meanwhile.
pub(super) struct FillAudit;

impl MigrationName for FillAudit {
    fn name(&self) -> &str {
        "20261130_fill_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FillAudit {
    fn use_transaction(&self) -> Option<bool> {
        // Each statement can be repeated.
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let last = Query::select()
            .expr_as(Expr::col("id").max(), "last")
            .from("audit")
            .take();
        let last = manager.get_connection().query_one(&last).await?;
        let last: Option<i64> = match last {
            Some(row) => row.try_get("", "last")?,
            None => None,
        };
        for first in (0..=last.unwrap_or(0)).step_by(BATCH as usize) {
            let org = Query::select()
                .column(("app", "org_id"))
                .from("app")
                .and_where(Expr::col(("app", "id")).equals(("audit", "app_id")))
                .take();
            let some = Query::update()
                .table("audit")
                .value("org_id", SubQueryStatement::SelectStatement(org))
                .and_where(Expr::col("id").between(first, first + BATCH - 1))
                .and_where(Expr::col("app_id").is_not_null())
                .and_where(Expr::col("org_id").is_null())
                .take();
            manager.execute(some).await?;
        }
        create_index(manager, Index::create(), "audit", &["org_id", "id"]).await
    }
}

/// Migration that records when users log in, and finds what is kept under an address.
pub(super) struct DescribeUsers;

impl MigrationName for DescribeUsers {
    fn name(&self) -> &str {
        "20261130_describe_users"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DescribeUsers {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("user", "logged_in_at").await? {
            let user = Table::alter()
                .table("user")
                .add_column(big_integer_null("logged_in_at"))
                .take();
            manager.alter_table(user).await?;
        }
        create_index(manager, Index::create(), "session", &["user_id"]).await?;
        create_index(manager, Index::create(), "dead_letter", &["email"]).await?;
        create_index(manager, Index::create(), "invitation", &["invited_by"]).await
    }
}
