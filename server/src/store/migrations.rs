//! Migrations of the schema. A migration that was released is never changed: add another one.

mod audit;
mod events;
mod fold_names;
mod invitations;
mod keys;

use sea_orm::DatabaseBackend;
use sea_orm_migration::{prelude::*, schema::*};

use audit::{DescribeAudit, DescribeUsers, FillAudit};
use events::{CreateInbox, NameOrgs};
use fold_names::FoldNames;
use invitations::{CreateInvitations, QueueInvitations};
use keys::{CreateServiceTokens, DescribeApiKeys};

pub(super) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(CreateTables),
            Box::new(CreateDeadLetters),
            Box::new(IndexExpiry),
            Box::new(CreateState),
            Box::new(CreateKnownClients),
            Box::new(AddTimeOfQuotas),
            Box::new(FoldNames),
            Box::new(IndexDeadLetters),
            Box::new(IndexAppIds),
            Box::new(CreateInvitations),
            Box::new(QueueInvitations),
            Box::new(DescribeApiKeys),
            Box::new(CreateServiceTokens),
            Box::new(DescribeAudit),
            Box::new(FillAudit),
            Box::new(DescribeUsers),
            Box::new(NameOrgs),
            Box::new(CreateInbox),
        ]
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
        // Otherwise a start that is killed half-way would leave tables that no other start expects.
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
            create_table(manager, table).await?;
        }
        let names = Index::create().unique().take();
        create_index(manager, names, "app", &["org_id", "name_key"]).await?;
        for (table, column) in [
            ("membership", "org_id"),
            ("api_key", "app_id"),
            ("session", "email"),
            ("mail", "due_at"),
        ] {
            create_index(manager, Index::create(), table, &[column]).await?;
        }
        Ok(())
    }
}

struct CreateDeadLetters;

impl MigrationName for CreateDeadLetters {
    fn name(&self) -> &str {
        "20261125_create_dead_letters"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateDeadLetters {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let letters = table("dead_letter")
            .col(big_pk_auto("id"))
            .col(big_integer("at"))
            .col(string_len("email", 254))
            .col(big_integer("asked_at"))
            .col(integer("attempts"))
            .col(text("error"))
            .take();
        create_table(manager, letters).await?;
        if !manager.has_column("mail", "error").await? {
            let mail = Table::alter()
                .table("mail")
                .add_column(text_null("error"))
                .take();
            manager.alter_table(mail).await?;
        }
        Ok(())
    }
}

struct IndexExpiry;

impl MigrationName for IndexExpiry {
    fn name(&self) -> &str {
        "20261125_index_expiry"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexExpiry {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_index(manager, Index::create(), "session", &["expires_at"]).await?;
        create_index(manager, Index::create(), "mail", &["session_id"]).await?;
        create_index(manager, Index::create(), "quota", &["full_at"]).await
    }
}

struct CreateState;

impl MigrationName for CreateState {
    fn name(&self) -> &str {
        "20261126_create_state"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateState {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let state = table("state")
            .col(string_len("name", 32).primary_key())
            .col(string_len("value", 255))
            .take();
        create_table(manager, state).await?;
        create_index(manager, Index::create(), "session", &["used_at"]).await
    }
}

struct CreateKnownClients;

impl MigrationName for CreateKnownClients {
    fn name(&self) -> &str {
        "20261126_create_known_clients"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateKnownClients {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let clients = table("known_client")
            .col(var_binary("key", 32).primary_key())
            .col(big_integer("seen_at"))
            .take();
        create_table(manager, clients).await?;
        create_index(manager, Index::create(), "known_client", &["seen_at"]).await
    }
}

struct AddTimeOfQuotas;

impl MigrationName for AddTimeOfQuotas {
    fn name(&self) -> &str {
        "20261126_add_time_of_quotas"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for AddTimeOfQuotas {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_column("quota", "taken_at").await? {
            return Ok(());
        }
        // An instance of the previous version writes no value.
        let quota = Table::alter()
            .table("quota")
            .add_column(big_integer("taken_at").default(0))
            .take();
        manager.alter_table(quota).await
    }
}

struct IndexDeadLetters;

impl MigrationName for IndexDeadLetters {
    fn name(&self) -> &str {
        "20261129_index_dead_letters"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexDeadLetters {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_index(manager, Index::create(), "dead_letter", &["at"]).await
    }
}

/// Index for the pages of an organization's applications.
struct IndexAppIds;

impl MigrationName for IndexAppIds {
    fn name(&self) -> &str {
        "20261129_index_app_ids"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for IndexAppIds {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_index(manager, Index::create(), "app", &["org_id", "id"]).await
    }
}

/// Creates an index, unless a start that was killed half-way has created it.
async fn create_index(
    manager: &SchemaManager<'_>,
    mut index: IndexCreateStatement,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let name = format!("ix_{table}_{}", columns.join("_"));
    if manager.has_index(table, &name).await? {
        return Ok(());
    }
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

/// Creates a table. MariaDB cannot do that in a transaction, so a start that was killed half-way
/// may have created it. In the other databases, a table that exists already belongs to another
/// program.
async fn create_table(
    manager: &SchemaManager<'_>,
    mut table: TableCreateStatement,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::MySql {
        table.if_not_exists();
        // Otherwise letters that differ only in case or accent would be equal.
        table.collate("utf8mb4_bin");
    }
    manager.create_table(table).await
}

/// Puts the table `new` in the place of the table `name`, with the values of these columns. For
/// SQLite, which changes tables in one transaction, but not everything about them.
async fn replace_table(
    manager: &SchemaManager<'_>,
    name: &'static str,
    new: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let rows = Query::select()
        .columns(columns.iter().copied())
        .from(name)
        .order_by(columns[0], Order::Asc)
        .take();
    let mut copied = Query::insert()
        .into_table(new)
        .columns(columns.iter().copied())
        .take();
    copied
        .select_from(rows)
        .map_err(|error| DbErr::Custom(error.to_string()))?;
    manager.execute(copied).await?;
    manager.drop_table(Table::drop().table(name).take()).await?;
    manager
        .rename_table(Table::rename().table(new, name).take())
        .await
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
