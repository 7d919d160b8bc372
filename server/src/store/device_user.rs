//! The users that devices were last known as.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, OrgId, Result, Writer};

/// Maximum number of devices in one statement.
const SOME: usize = 500;

/// A device of an organization, and its user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_user")]
pub struct Model {
    /// Organization whose application is on the device.
    #[sea_orm(primary_key, auto_increment = false)]
    pub org_id: OrgId,
    /// The device_tag.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_tag: String,
    /// The user_map_tag of its last user.
    pub user_map_tag: String,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds the users of devices that are known.
pub(crate) async fn find_all(
    db: &impl Connection,
    org_id: OrgId,
    devices: &[String],
) -> Result<HashMap<String, String>> {
    let mut users = HashMap::new();
    for devices in devices.chunks(SOME) {
        let found = Entity::find()
            .filter(Column::OrgId.eq(org_id))
            .filter(Column::DeviceTag.is_in(devices.iter().map(String::as_str)));
        let found = found.all(db).await?.into_iter();
        users.extend(found.map(|it| (it.device_tag, it.user_map_tag)));
    }
    Ok(users)
}

/// Records the users of devices.
pub(crate) async fn put_all(
    db: &Writer,
    org_id: OrgId,
    users: &BTreeMap<String, String>,
) -> Result<()> {
    let rows: Vec<_> = users
        .iter()
        .map(|(device_tag, user_map_tag)| ActiveModel {
            org_id: Set(org_id),
            device_tag: Set(device_tag.clone()),
            user_map_tag: Set(user_map_tag.clone()),
        })
        .collect();
    for some in rows.chunks(SOME) {
        let known = OnConflict::columns([Column::OrgId, Column::DeviceTag])
            .update_column(Column::UserMapTag)
            .to_owned();
        let rows = Entity::insert_many(some.to_vec()).on_conflict(known);
        rows.exec_without_returning(db).await?;
    }
    Ok(())
}
