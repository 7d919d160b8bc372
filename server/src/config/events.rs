//! Settings of events.

use std::{fs, path::PathBuf, sync::Arc};

use clap::Args;
use cortex_report_lake::Lake;

use super::{ServeSettings, SettingError, error::unusable};

/// Settings of events.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Events")]
pub struct EventSettings {
    /// Folder of the events, as tables of Delta Lake; created if it does not exist. Instances that
    /// share a database need the same one.
    #[arg(long, value_name = "FOLDER", default_value = "lake")]
    pub lake_dir: PathBuf,

    /// Seconds after which events are moved from the database into the lake (0 to 3600). Shorter
    /// times make more and smaller files.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "60",
        value_parser = clap::value_parser!(u16).range(0..=3600)
    )]
    pub seal_interval: u16,
}

/// The lake of the events.
pub(crate) fn lake(settings: &EventSettings) -> Result<Arc<Lake>, SettingError> {
    let folder = &settings.lake_dir;
    Lake::open(folder.clone()).map_err(unusable("CORTEX_REPORT_LAKE_DIR", folder))
}

/// Name of an instance in its claims: the machine, and the address that it is to listen on. It stays
/// the same after a restart, so that what an instance claimed before it was killed is its own again.
pub(crate) fn instance(settings: &ServeSettings) -> String {
    /// Maximum length of a name, in bytes.
    const MAX_LENGTH: usize = 64;
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = format!("{} {}", settings.listen, machine.trim());
    name.chars()
        .filter(char::is_ascii)
        .take(MAX_LENGTH)
        .collect()
}
