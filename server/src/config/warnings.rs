//! Warnings about valid settings that are rarely intended: logged at the start, and printed by
//! `check-config`.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::{Registration, ServeSettings, StoreSettings};
use crate::network::Network;

/// The warnings about these settings. `secret_config` is the settings file if it has a password.
pub(crate) fn warnings(
    store: &StoreSettings,
    serve: &ServeSettings,
    secret_config: Option<&Path>,
) -> Vec<String> {
    let files = [
        ("CORTEX_REPORT_KEY_FILE", Some(store.key_file.as_path())),
        (
            "CORTEX_REPORT_DATABASE_URL",
            store.database_url.sqlite_file(),
        ),
        (
            "CORTEX_REPORT_TLS_KEY_FILE",
            serve.tls.tls_key_file.as_deref(),
        ),
        (
            "CORTEX_REPORT_SMTP_PASSWORD_FILE",
            serve.mail.smtp_password_file.as_deref(),
        ),
        ("CORTEX_REPORT_CONFIG", secret_config),
    ];
    let files = files
        .into_iter()
        .filter_map(|(setting, file)| readable_by_others(setting, file?));
    let mut warnings: Vec<String> = files.collect();
    let mut warn = |applies: bool, warning: String| {
        if applies {
            warnings.push(warning);
        }
    };

    let listen = serve.listen;
    let is_open = !listen.ip().to_canonical().is_loopback();
    let is_http = match &serve.public_url {
        Some(url) => !url.is_https(),
        None => serve.tls.tls_certificate_file.is_none(),
    };
    warn(
        is_open && is_http,
        format!(
            "CORTEX_REPORT_PUBLIC_URL: the URL is http, and the service listens on {listen}: \
             anybody on the network path can read session keys; use https, with a proxy or with \
             CORTEX_REPORT_TLS_CERTIFICATE_FILE"
        ),
    );
    warn(
        is_open && serve.registration == Registration::Open,
        format!(
            "CORTEX_REPORT_REGISTRATION: registration is open, and the service listens on \
             {listen}: anybody with an e-mail address can log in; set it to closed to admit only \
             users that you add and people who are invited"
        ),
    );
    warn(
        is_open && serve.mail.smtp_url.is_none(),
        format!(
            "CORTEX_REPORT_SMTP_URL: not set, so mails are written to the folder {} and not \
             sent",
            serve.mail.mail_dir.display()
        ),
    );
    for network in Network::too_large(&serve.trusted_proxies) {
        warn(
            true,
            format!(
                "CORTEX_REPORT_TRUSTED_PROXIES: {network} covers far more than proxies, and any \
                 client in it can put a false address into X-Forwarded-For; list only your proxies"
            ),
        );
    }
    let metrics = serve.metrics_listen.filter(|address| is_public(*address));
    warn(
        metrics.is_some(),
        format!(
            "CORTEX_REPORT_METRICS_LISTEN: {} may be reachable by anybody, and /metrics needs no \
             password; use an address that only Prometheus can reach",
            metrics.unwrap_or(listen)
        ),
    );
    warnings
}

fn readable_by_others(setting: &str, file: &Path) -> Option<String> {
    let mode = fs::metadata(file).ok()?.permissions().mode() & 0o777;
    (mode & 0o044 != 0).then(|| {
        format!(
            "{setting}: other users can read {} (mode {mode:o}): chmod 600 {0}",
            file.display(),
        )
    })
}

/// Returns true if the address may be reachable from the internet: it is not a loopback, private or
/// link-local one.
fn is_public(address: SocketAddr) -> bool {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}
