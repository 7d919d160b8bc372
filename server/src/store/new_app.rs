//! Creation of applications, each with an API key and an event in the audit log.

use std::{
    collections::{BTreeMap, HashMap},
    ptr,
};

use sea_orm::EntityTrait;

use super::{
    AppId, Caller, Editor, OrgId, Result, Writer, api_key,
    app::{self, NamedApp},
    audit,
    batch::Batched,
    membership,
};
use crate::text::name_key;

/// Application that a caller wants to create.
pub(crate) struct NewApp {
    pub(crate) caller: Caller,
    /// The caller, for the audit log.
    pub(crate) by: audit::By,
    /// Organization in which it is created.
    pub(crate) org_id: OrgId,
    pub(crate) name: String,
    /// Its first API key.
    pub(crate) api_key: String,
}

/// Outcome of the creation of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// The application was created with this id.
    App(AppId),
    /// The organization has an application with this name.
    NameTaken,
    /// The user may not create applications in the organization.
    NotAllowed,
}

impl Batched for NewApp {
    type Outcome = Created;

    async fn write_all(items: &[Self], writer: &Writer) -> Result<Vec<Created>> {
        let callers = items.iter().map(|it| (it.caller, it.org_id));
        let members = membership::find_all(writer, callers).await?;
        let editor = |item: &Self| members.get(item.caller, item.org_id)?.editor();
        let keys: Vec<String> = items.iter().map(|it| name_key(&it.name)).collect();
        // The first item with a name gets it. Sorted by name, so that two writers never wait for
        // each other.
        let mut first = BTreeMap::new();
        for (item, key) in items.iter().zip(&keys) {
            if let Some(editor) = editor(item) {
                let name = (item.org_id, key.as_str());
                first.entry(name).or_insert((editor, item));
            }
        }
        let ids = match first.is_empty() {
            true => HashMap::new(),
            false => add(&first, writer).await?,
        };
        let outcomes = items.iter().zip(&keys).map(|(item, key)| {
            let name = (item.org_id, key.as_str());
            let is_first = first.get(&name).is_some_and(|(_, it)| ptr::eq(*it, item));
            match ids.get(&name) {
                _ if editor(item).is_none() => Created::NotAllowed,
                Some(id) if is_first => Created::App(*id),
                _ => Created::NameTaken,
            }
        });
        Ok(outcomes.collect())
    }
}

/// Applications to be added, by organization and name key.
type Named<'a> = BTreeMap<(OrgId, &'a str), (Editor, &'a NewApp)>;

/// Adds the applications whose names are not taken, with their keys and events. Returns their ids.
async fn add<'a>(wanted: &Named<'a>, writer: &Writer) -> Result<HashMap<(OrgId, &'a str), AppId>> {
    let apps = wanted
        .iter()
        .map(|((_, name_key), (editor, item))| NamedApp {
            editor: *editor,
            name: &item.name,
            name_key,
            now: item.by.at,
        });
    let added = app::add_unless_taken(writer, apps.collect()).await?;
    let mut ids = HashMap::new();
    let (mut keys, mut events) = (Vec::new(), Vec::new());
    for (name, (_, item)) in wanted {
        let Some(app_id) = added.get(&(name.0, name.1.to_owned())).copied() else {
            continue;
        };
        ids.insert(*name, app_id);
        keys.push(api_key::first(item.api_key.clone(), app_id, item.by.at));
        let object = audit::Object::of_app(item.org_id, app_id, Some(&item.name));
        events.push(audit::entry(audit::Event::AppCreated, &item.by, object));
    }
    if !ids.is_empty() {
        let keys = api_key::Entity::insert_many(keys);
        keys.exec_without_returning(writer).await?;
        let events = audit::Entity::insert_many(events);
        events.exec_without_returning(writer).await?;
    }
    Ok(ids)
}
