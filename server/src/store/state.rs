//! Facts about the service itself, each under a name.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

use super::{Connection, Result};
use crate::clock::Timestamp;

/// The fingerprint of the key that secrets in the database depend on.
const KEY_FINGERPRINT: &str = "key_fingerprint";
/// The last time that readiness was probed, in milliseconds since 1970.
const PROBED_AT: &str = "probed_at";

/// Fact about the service.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "state")]
pub struct Model {
    /// Its name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Its value.
    pub value: String,
}

/// No relations: each module queries what it needs.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Finds the recorded fingerprint of the key that the database is used with, if there is one.
pub(crate) async fn find_key_fingerprint(db: &impl Connection) -> Result<Option<String>> {
    let state = Entity::find_by_id(KEY_FINGERPRINT).one(db).await?;
    Ok(state.map(|state| state.value))
}

/// Records the fingerprint of a key, unless one is recorded already.
pub(crate) async fn claim_key_fingerprint(db: &impl Connection, fingerprint: &str) -> Result<()> {
    put(
        db,
        KEY_FINGERPRINT,
        fingerprint,
        OnConflict::column(Column::Name)
            .do_nothing_on([Column::Name])
            .to_owned(),
    )
    .await
}

/// Records the fingerprint of another key.
pub(crate) async fn replace_key_fingerprint(db: &impl Connection, fingerprint: &str) -> Result<()> {
    put(
        db,
        KEY_FINGERPRINT,
        fingerprint,
        OnConflict::column(Column::Name)
            .update_column(Column::Value)
            .to_owned(),
    )
    .await
}

/// Records that the database can be written to.
pub(crate) async fn note_probe(db: &impl Connection, now: Timestamp) -> Result<()> {
    put(
        db,
        PROBED_AT,
        &now.0.to_string(),
        OnConflict::column(Column::Name)
            .update_column(Column::Value)
            .to_owned(),
    )
    .await
}

async fn put(db: &impl Connection, name: &str, value: &str, known: OnConflict) -> Result<()> {
    let state = ActiveModel {
        name: Set(name.to_owned()),
        value: Set(value.to_owned()),
    };
    Entity::insert(state)
        .on_conflict(known)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
