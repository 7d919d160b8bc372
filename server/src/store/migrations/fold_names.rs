use std::collections::HashSet;

use sea_orm_migration::prelude::*;

use crate::text::{MAX_KEY_LENGTH, name_key};

/// Migration that gives each application the key that its name has now.
pub(super) struct FoldNames;

impl MigrationName for FoldNames {
    fn name(&self) -> &str {
        "20261126_fold_names"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for FoldNames {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let apps = Query::select()
            .columns(["id", "org_id", "name", "name_key"])
            .from("app")
            .order_by("id", Order::Asc)
            .take();
        let set_key = async |id: i64, key: &str| {
            let update = Query::update()
                .table("app")
                .value("name_key", key)
                .and_where(Expr::col("id").eq(id))
                .take();
            db.execute(&update).await
        };
        let mut taken = HashSet::new();
        let mut changed = Vec::new();
        for app in db.query_all(&apps).await? {
            let id: i64 = app.try_get("", "id")?;
            let org_id: i64 = app.try_get("", "org_id")?;
            let name: String = app.try_get("", "name")?;
            let mut key = name_key(&name);
            if !taken.insert((org_id, key.clone())) {
                // Two names that were different are now the same: the newer application keeps its
                // name, under a key that no other name has, next to the older one.
                let end = format!("\u{1f}{id}");
                let begin = key.chars().take(MAX_KEY_LENGTH - end.len());
                key = begin.chain(end.chars()).collect();
            }
            if key != app.try_get::<String>("", "name_key")? {
                changed.push((id, key));
            }
        }
        // The new key of one may be the old one of another.
        for (id, _) in &changed {
            set_key(*id, &format!("\u{1f}{id}")).await?;
        }
        for (id, key) in &changed {
            set_key(*id, key).await?;
        }
        Ok(())
    }
}
