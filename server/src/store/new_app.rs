//! Applications that are created: with an API key each, and in the audit.

use std::collections::{HashMap, HashSet};

use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};

use super::{Result, Writer, api_key, app, audit, batch::Batched, membership};
use crate::{clock::Timestamp, service::Client, text::name_key};

/// An application that a user wants.
pub(crate) struct NewApp {
    /// Who wants it, by id and canonical address.
    pub(crate) user_id: i64,
    pub(crate) email: String,
    /// From where.
    pub(crate) client: Client,
    /// The organization that is to have it.
    pub(crate) org_id: i64,
    pub(crate) name: String,
    /// Its first API key.
    pub(crate) api_key: String,
    pub(crate) now: Timestamp,
}

/// What became of an application that a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// It has this id.
    App(i64),
    /// The organization has one of this name.
    NameTaken,
    /// The user may not create any there.
    NotAllowed,
}

impl Batched for NewApp {
    type Outcome = Created;

    async fn write_all(items: &[Self], writer: &Writer) -> Result<Vec<Created>> {
        let users = items.iter().map(|it| (it.user_id, it.org_id));
        let roles = membership::roles(writer, users).await?;
        let names = items.iter().map(|it| (it.org_id, name_key(&it.name)));
        let names: Vec<_> = names.collect();
        let taken = app::find_ids(writer, &names.iter().cloned().collect()).await?;
        let mut new = HashSet::new();
        let mut refusal = |item: &Self, name: &(i64, String)| {
            let role = roles.get(&(item.user_id, item.org_id));
            if !role.is_some_and(|role| role.may_change()) {
                Some(Created::NotAllowed)
            } else if taken.contains_key(name) || !new.insert(name.clone()) {
                Some(Created::NameTaken)
            } else {
                None
            }
        };
        let named = || items.iter().zip(&names);
        let refusals: Vec<_> = named().map(|(item, name)| refusal(item, name)).collect();
        let ids = match new.is_empty() {
            true => HashMap::new(),
            false => {
                let wanted = named()
                    .zip(&refusals)
                    .filter(|(_, refusal)| refusal.is_none());
                let wanted: Vec<_> = wanted.map(|((item, name), _)| (item, name)).collect();
                add(&wanted, &new, writer).await?
            }
        };
        let outcomes = names.iter().zip(refusals).map(|(name, refusal)| {
            let id = ids.get(name).copied();
            refusal
                .or(id.map(Created::App))
                .ok_or(DbErr::RecordNotInserted)
        });
        Ok(outcomes.collect::<Result<_, _>>()?)
    }
}

/// Adds applications with their keys and events. Answers their ids by organization and name key.
async fn add(
    wanted: &[(&NewApp, &(i64, String))],
    names: &HashSet<(i64, String)>,
    writer: &Writer,
) -> Result<HashMap<(i64, String), i64>> {
    let apps = wanted
        .iter()
        .map(|(item, (org_id, name_key))| app::ActiveModel {
            org_id: Set(*org_id),
            name: Set(item.name.clone()),
            name_key: Set(name_key.clone()),
            created_at: Set(item.now),
            ..Default::default()
        });
    let apps = app::Entity::insert_many(apps);
    apps.exec_without_returning(writer).await?;
    // Not every database answers the ids that it gave.
    let ids = app::find_ids(writer, names).await?;
    let with_ids = || {
        wanted
            .iter()
            .filter_map(|(item, name)| Some((item, *ids.get(*name)?)))
    };
    let keys = with_ids().map(|(item, app_id)| api_key::ActiveModel {
        key: Set(item.api_key.clone()),
        app_id: Set(app_id),
        created_at: Set(item.now),
    });
    let keys = api_key::Entity::insert_many(keys);
    keys.exec_without_returning(writer).await?;
    let events = with_ids().map(|(item, app_id)| {
        let event = audit::Event::AppCreated;
        audit::entry(event, &item.email, item.client, Some(app_id), item.now)
    });
    let events = audit::Entity::insert_many(events);
    events.exec_without_returning(writer).await?;
    Ok(ids)
}
