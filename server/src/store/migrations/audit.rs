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
        // The organizations of earlier entries are known while their applications exist.
        let org = Query::select()
            .column(("app", "org_id"))
            .from("app")
            .and_where(Expr::col(("app", "id")).equals(("audit", "app_id")))
            .take();
        let known = Query::update()
            .table("audit")
            .value("org_id", SubQueryStatement::SelectStatement(org))
            .and_where(Expr::col("app_id").is_not_null())
            .take();
        manager.execute(known).await?;
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
        create_index(manager, Index::create(), "dead_letter", &["email"]).await?;
        create_index(manager, Index::create(), "invitation", &["invited_by"]).await
    }
}
