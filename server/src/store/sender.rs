//! Applications as senders of events, by their API keys.

use std::sync::Arc;

use sea_orm::{FromQueryResult, JoinType, QuerySelect, entity::prelude::*};

use super::{ApiKeyId, AppId, OrgId, Reader, Result, api_key, app, org, recent::Recent};
use crate::clock::Timestamp;

/// Maximum number of cached senders, of about 300 bytes each.
const CAPACITY: usize = 10_000;

/// An application that sends events with an API key.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub(crate) struct Sender {
    pub(crate) key_id: ApiKeyId,
    ends_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    pub(crate) app_id: AppId,
    pub(crate) app_name: String,
    pub(crate) org_id: OrgId,
    /// The organization's name in the paths of events.
    pub(crate) org_short_name: Option<String>,
}

impl Sender {
    /// Returns true if events that are sent with the key are accepted.
    fn is_active(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.ends_at.is_none_or(|ends_at| now < ends_at)
    }
}

/// Senders that were found lately, so that most bundles need no query for their key.
pub(crate) struct Senders(Recent<String, Arc<Sender>>);

impl Default for Senders {
    fn default() -> Self {
        Self(Recent::new(CAPACITY))
    }
}

impl Senders {
    /// Finds the sender of a key that works.
    pub(crate) async fn find(
        &self,
        db: &Reader,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Sender>>> {
        let key = key.to_owned();
        let sender = match self.0.recall(&key, now) {
            Some(sender) => Some(sender),
            None => {
                let begun = self.0.begin();
                let found = find(db, &key).await?.map(Arc::new);
                self.0.remember(&key, found.clone(), now, &begun);
                found
            }
        };
        Ok(sender.filter(|sender| sender.is_active(now)))
    }

    /// Removes all senders, so that the next bundles query the database.
    pub(crate) fn forget_all(&self) {
        self.0.forget_all();
    }
}

async fn find(db: &Reader, key: &str) -> Result<Option<Sender>> {
    let sender = api_key::Entity::find()
        .filter(api_key::Column::Key.eq(key))
        .join(
            JoinType::InnerJoin,
            api_key::Entity::belongs_to(app::Entity)
                .from(api_key::Column::AppId)
                .to(app::Column::Id)
                .into(),
        )
        .join(
            JoinType::InnerJoin,
            app::Entity::belongs_to(org::Entity)
                .from(app::Column::OrgId)
                .to(org::Column::Id)
                .into(),
        )
        .select_only()
        .column_as(api_key::Column::Id, "key_id")
        .column(api_key::Column::EndsAt)
        .column(api_key::Column::RevokedAt)
        .column_as(app::Column::Id, "app_id")
        .column_as(app::Column::Name, "app_name")
        .column_as(org::Column::Id, "org_id")
        .column_as(org::Column::ShortName, "org_short_name");
    Ok(sender.into_model().one(db).await?)
}
