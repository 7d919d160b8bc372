//! The schema, step by step. A step that was released is never changed: add another.

use sea_orm_migration::{prelude::*, schema::*};

pub(super) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateTables)]
    }
}

struct CreateTables;

impl MigrationName for CreateTables {
    fn name(&self) -> &str {
        "20261123_create_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateTables {
    fn use_transaction(&self) -> Option<bool> {
        // Else a start that is killed half-way leaves tables that no other start expects.
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            table("user")
                .col(big_pk_auto("id"))
                .col(string_len_uniq("email", 254))
                .col(text("display_name"))
                .col(big_integer("created_at"))
                .take(),
            table("org")
                .col(big_pk_auto("id"))
                .col(text("name"))
                .col(big_integer("created_at"))
                .take(),
            table("membership")
                .col(big_integer("user_id"))
                .col(big_integer("org_id"))
                .col(string_len("role", 16))
                .primary_key(Index::create().col("user_id").col("org_id"))
                .foreign_key(&mut cascade("membership", "user_id", "user"))
                .foreign_key(&mut cascade("membership", "org_id", "org"))
                .take(),
            table("app")
                .col(big_pk_auto("id"))
                .col(big_integer("org_id"))
                .col(text("name"))
                .col(string_len("name_key", 255))
                .col(big_integer("created_at"))
                .foreign_key(&mut cascade("app", "org_id", "org"))
                .take(),
            table("api_key")
                .col(string_len("key", 32).primary_key())
                .col(big_integer("app_id"))
                .col(big_integer("created_at"))
                .foreign_key(&mut cascade("api_key", "app_id", "app"))
                .take(),
            table("session")
                .col(big_pk_auto("id"))
                .col(var_binary("key_hash", 32).unique_key())
                .col(var_binary("link_hash", 32).unique_key())
                .col(var_binary("nonce", 16))
                .col(var_binary("code_mac", 32))
                .col(string_len("state", 16))
                .col(integer("tries"))
                .col(string_len("email", 254))
                .col(string_len("client", 45))
                .col(text("user_agent"))
                .col(big_integer_null("user_id"))
                .col(big_integer("created_at"))
                .col(big_integer("expires_at"))
                .col(big_integer("used_at"))
                .foreign_key(&mut cascade("session", "user_id", "user"))
                .take(),
            table("mail")
                .col(big_pk_auto("id"))
                .col(big_integer("session_id"))
                .col(integer("attempts"))
                .col(big_integer("due_at"))
                .foreign_key(&mut cascade("mail", "session_id", "session"))
                .take(),
            table("code_failure")
                .col(string_len("email", 254).primary_key())
                .col(integer("failures"))
                .take(),
            table("quota")
                .col(var_binary("key", 32).primary_key())
                .col(big_integer("full_at"))
                .take(),
            table("audit")
                .col(big_pk_auto("id"))
                .col(big_integer("at"))
                .col(string_len("event", 16))
                .col(string_len("email", 254))
                .col(string_len("client", 45))
                .col(big_integer_null("app_id"))
                .take(),
        ];
        for table in tables {
            manager.create_table(table).await?;
        }
        let indexes = [
            index("app", &["org_id", "name_key"]).unique().take(),
            index("membership", &["org_id"]).take(),
            index("api_key", &["app_id"]).take(),
            index("session", &["email"]).take(),
            index("mail", &["due_at"]).take(),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

fn cascade(
    table: &'static str,
    column: &'static str,
    other: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_{column}"))
        .from(table, column)
        .to(other, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index
        .name(format!("ix_{table}_{}", columns.join("_")))
        .table(table);
    for column in columns {
        index.col(*column);
    }
    index.take()
}
