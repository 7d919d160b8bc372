use sea_orm::DatabaseBackend;
use sea_orm_migration::{prelude::*, schema::*};

use super::{cascade, create_index, create_table, replace_table, table};

/// Migration that gives API keys an id, a label, an end, and what became of them.
pub(super) struct DescribeApiKeys;

impl MigrationName for DescribeApiKeys {
    fn name(&self) -> &str {
        "20261130_describe_api_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DescribeApiKeys {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            // SQLite cannot add a column that counts by itself.
            let keys = table("new_api_key")
                .col(big_pk_auto("id"))
                .col(string_len("key", 32).unique_key())
                .col(big_integer("app_id"))
                .col(big_integer("created_at"))
                .col(text_null("label"))
                .col(big_integer_null("used_at"))
                .col(big_integer_null("ends_at"))
                .col(big_integer_null("revoked_at"))
                .foreign_key(&mut cascade("api_key", "app_id", "app"))
                .take();
            manager.create_table(keys).await?;
            // The oldest first, so that it gets the smallest id.
            let columns = ["created_at", "key", "app_id"];
            replace_table(manager, "api_key", "new_api_key", &columns).await?;
            return create_index(manager, Index::create(), "api_key", &["app_id"]).await;
        }
        if manager.has_column("api_key", "id").await? {
            return Ok(());
        }
        let id = ColumnDef::new("id")
            .big_integer()
            .not_null()
            .auto_increment()
            .unique_key()
            .take();
        let keys = Table::alter()
            .table("api_key")
            .add_column(id)
            .add_column(text_null("label"))
            .add_column(big_integer_null("used_at"))
            .add_column(big_integer_null("ends_at"))
            .add_column(big_integer_null("revoked_at"))
            .take();
        manager.alter_table(keys).await
    }
}

/// Migration that creates the service tokens.
pub(super) struct CreateServiceTokens;

impl MigrationName for CreateServiceTokens {
    fn name(&self) -> &str {
        "20261130_create_service_tokens"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateServiceTokens {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut of_membership = ForeignKey::create()
            .name("fk_service_token_membership")
            .from("service_token", ("user_id", "org_id"))
            .to("membership", ("user_id", "org_id"))
            .on_delete(ForeignKeyAction::Cascade)
            .take();
        let tokens = table("service_token")
            .col(big_pk_auto("id"))
            .col(var_binary("token_hash", 32).unique_key())
            .col(big_integer("org_id"))
            .col(big_integer("user_id"))
            .col(text("label"))
            .col(string_len("role", 16))
            .col(big_integer("created_at"))
            .col(big_integer_null("used_at"))
            .col(big_integer_null("ends_at"))
            .foreign_key(&mut of_membership)
            .take();
        create_table(manager, tokens).await?;
        for columns in [&["org_id"][..], &["user_id", "org_id"], &["ends_at"]] {
            create_index(manager, Index::create(), "service_token", columns).await?;
        }
        Ok(())
    }
}
