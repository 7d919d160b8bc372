use sea_orm::DatabaseBackend;
use sea_orm_migration::{prelude::*, schema::*};

use super::{cascade, create_index, create_table, table};

/// Migration that creates the invitations.
pub(super) struct CreateInvitations;

impl MigrationName for CreateInvitations {
    fn name(&self) -> &str {
        "20261130_create_invitations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for CreateInvitations {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let invitations = table("invitation")
            .col(big_pk_auto("id"))
            .col(big_integer("org_id"))
            .col(string_len("email", 254))
            .col(string_len("role", 16))
            .col(string_len("invited_by", 254))
            .col(big_integer("created_at"))
            .col(big_integer("ends_at"))
            .foreign_key(&mut cascade("invitation", "org_id", "org"))
            .take();
        create_table(manager, invitations).await?;
        let one_of_each = Index::create().unique().take();
        create_index(manager, one_of_each, "invitation", &["org_id", "email"]).await?;
        create_index(manager, Index::create(), "invitation", &["email"]).await?;
        create_index(manager, Index::create(), "invitation", &["ends_at"]).await
    }
}

/// Migration that lets a queued mail be about an invitation instead of a session.
pub(super) struct QueueInvitations;

impl MigrationName for QueueInvitations {
    fn name(&self) -> &str {
        "20261130_queue_invitations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for QueueInvitations {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DatabaseBackend::Sqlite => rebuild(manager).await?,
            _ => alter(manager).await?,
        }
        create_index(manager, Index::create(), "mail", &["due_at"]).await?;
        create_index(manager, Index::create(), "mail", &["session_id"]).await?;
        create_index(manager, Index::create(), "mail", &["invitation_id"]).await
    }
}

/// SQLite can neither make a column optional nor add a reference to a table.
async fn rebuild(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mails = table("new_mail")
        .col(big_pk_auto("id"))
        .col(big_integer_null("session_id"))
        .col(big_integer_null("invitation_id"))
        .col(integer("attempts"))
        .col(big_integer("due_at"))
        .col(text_null("error"))
        .foreign_key(&mut cascade("mail", "session_id", "session"))
        .foreign_key(&mut cascade("mail", "invitation_id", "invitation"))
        .take();
    manager.create_table(mails).await?;
    let columns = ["id", "session_id", "attempts", "due_at", "error"];
    super::replace_table(manager, "mail", "new_mail", &columns).await
}

async fn alter(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    if manager.has_column("mail", "invitation_id").await? {
        return Ok(());
    }
    let optional = Table::alter()
        .table("mail")
        .modify_column(big_integer_null("session_id"))
        .take();
    manager.alter_table(optional).await?;
    let invitation = TableForeignKey::new()
        .name("fk_mail_invitation_id")
        .from_tbl("mail")
        .from_col("invitation_id")
        .to_tbl("invitation")
        .to_col("id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned();
    let reference = Table::alter()
        .table("mail")
        .add_column(big_integer_null("invitation_id"))
        .add_foreign_key(&invitation)
        .take();
    manager.alter_table(reference).await
}
