use sea_orm::DatabaseBackend;
use sea_orm_migration::{prelude::*, schema::*};

use super::{cascade, create_index, create_table, table};

/// Migration that gives organizations a short name, by which events are sent to them.
pub(super) struct NameOrgs;

impl MigrationName for NameOrgs {
    fn name(&self) -> &str {
        "20261130_name_orgs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for NameOrgs {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("org", "short_name").await? {
            // Null in a row of an instance of the previous version: the next start names it.
            let org = Table::alter()
                .table("org")
                .add_column(string_len_null("short_name", 32))
                .take();
            manager.alter_table(org).await?;
        }
        let one_of_each = Index::create().unique().take();
        create_index(manager, one_of_each, "org", &["short_name"]).await
    }
}

/// Migration that creates the tables of events on their way into the lake.
pub(super) struct CreateInbox;

impl MigrationName for CreateInbox {
    fn name(&self) -> &str {
        "20261130_create_inbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateInbox {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut payload = ColumnDef::new("payload").not_null().take();
        match manager.get_database_backend() {
            // MariaDB's plain one ends at 64 KiB.
            DatabaseBackend::MySql => payload.custom("longblob"),
            _ => payload.blob(),
        };
        let inbox = table("inbox")
            .col(big_pk_auto("id"))
            .col(big_integer("org_id"))
            .col(big_integer("received_at"))
            .col(big_integer_null("batch"))
            .col(big_integer("size"))
            .col(payload)
            .foreign_key(&mut cascade("inbox", "org_id", "org"))
            .take();
        let claims = table("lake_claim")
            .col(big_integer("org_id").primary_key())
            .col(string_len("holder", 64))
            .col(big_integer("ends_at"))
            .col(big_integer("next_batch"))
            .foreign_key(&mut cascade("lake_claim", "org_id", "org"))
            .take();
        let devices = table("device_user")
            .col(big_integer("org_id"))
            .col(string_len("device_tag", 64))
            .col(string_len("user_map_tag", 64))
            .primary_key(Index::create().col("org_id").col("device_tag"))
            .foreign_key(&mut cascade("device_user", "org_id", "org"))
            .take();
        for table in [inbox, claims, devices] {
            create_table(manager, table).await?;
        }
        create_index(manager, Index::create(), "lake_claim", &["holder"]).await?;
        let of_batch = ["org_id", "batch", "id"];
        create_index(manager, Index::create(), "inbox", &of_batch).await?;
        // All that the question needs, so that no payload is read for it.
        let waiting = ["org_id", "received_at", "size"];
        create_index(manager, Index::create(), "inbox", &waiting).await
    }
}
