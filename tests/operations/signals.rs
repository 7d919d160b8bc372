//! The signals that the binary takes while it serves.

use std::{fs, path::Path};

use reqwest::{Certificate, Client};
use tokio::{io::AsyncWriteExt, net::TcpStream, process::Command, time::timeout};

use crate::harness::{
    TIMEOUT,
    binary::{Served, binary, serve, signal},
    certificates,
};

/// Reads the log up to a line that has this text.
async fn logs(served: &mut Served, text: &str) -> String {
    loop {
        let line = timeout(TIMEOUT, served.log.next_line()).await;
        let line = line
            .unwrap_or_else(|_| panic!("the log has no {text:?}"))
            .unwrap();
        let line = line.unwrap_or_else(|| panic!("it ended without a word of {text:?}"));
        if line.contains(text) {
            return line;
        }
    }
}

fn with_settings(folder: &Path) -> Command {
    let mut command = binary(folder);
    command.env("CORTEX_REPORT_CONFIG", "settings.toml");
    command
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_signal_ends_it_that_asks_for_something_else() {
    /// Signals that end a process unless it handles them, without those that ask it to stop, those
    /// of a fault, and 32 and 33, which the C library uses itself.
    const OTHERS: [i32; 11] = [1, 10, 12, 14, 16, 24, 25, 26, 27, 29, 30];
    let folder = tempfile::tempdir().unwrap();
    let mut served = serve(binary(folder.path())).await;
    for number in OTHERS.into_iter().chain(34..=64) {
        signal(&served.child, &number.to_string());
        let logged = match number {
            1 => "reloaded the certificate".to_owned(),
            _ => format!("ignored a signal number={number}"),
        };
        logs(&mut served, &logged).await;
    }
    let alive = served.api.get("/livez").send().await.unwrap();
    assert_eq!(alive.status(), 200);
}

#[tokio::test]
async fn a_hangup_has_the_certificate_read_anew_and_one_of_no_use_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (here, renewed) = (folder.path(), folder.path().join("renewed"));
    fs::create_dir(&renewed).unwrap();
    certificates(here);
    certificates(&renewed);
    let clients = [&here.join("ca.pem"), &renewed.join("ca.pem")].map(|authority| {
        let authority = Certificate::from_pem(&fs::read(authority).unwrap()).unwrap();
        // A connection for each request: one that is open keeps its certificate.
        let client = Client::builder().pool_max_idle_per_host(0);
        client.tls_certs_only([authority]).build().unwrap()
    });
    let settings = "tls_certificate_file = 'cert.pem'\ntls_key_file = 'key.pem'\n";
    fs::write(here.join("settings.toml"), settings).unwrap();
    let mut served = serve(with_settings(here)).await;
    let url = format!("{}/livez", served.url);
    let trusted_by = async || {
        let mut trusted = Vec::new();
        for client in &clients {
            trusted.push(client.get(&url).send().await.is_ok());
        }
        trusted
    };
    assert_eq!(trusted_by().await, [true, false]);

    let refused = [
        // Renewed halfway: the key is that of the other certificate.
        (renewed.join("cert.pem"), "cert.pem", "key cannot be used"),
        (here.join("settings.toml"), "cert.pem", "no certificate"),
    ];
    for (from, to, reason) in refused {
        fs::copy(from, here.join(to)).unwrap();
        signal(&served.child, "HUP");
        let logged = logs(&mut served, "the old certificate stays in use").await;
        let named = logged.contains("CORTEX_REPORT_TLS_CERTIFICATE_FILE");
        assert!(named && logged.contains(reason), "lacks {reason}: {logged}");
        assert_eq!(trusted_by().await, [true, false], "{reason}");
    }

    for name in ["cert.pem", "key.pem"] {
        fs::copy(renewed.join(name), here.join(name)).unwrap();
    }
    signal(&served.child, "HUP");
    logs(&mut served, "reloaded the certificate").await;
    assert_eq!(trusted_by().await, [false, true]);

    fs::write(here.join("settings.toml"), "").unwrap();
    signal(&served.child, "HUP");
    let logged = logs(&mut served, "the old certificate stays in use").await;
    assert!(logged.contains("restart the service"), "{logged}");
    assert_eq!(trusted_by().await, [false, true]);
}

#[tokio::test]
async fn a_hangup_has_the_log_filter_read_anew() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.toml");
    fs::write(&file, "log_level = 'info'\n").unwrap();
    let mut served = serve(with_settings(folder.path())).await;

    fs::write(&file, "log_level = 'info,cortex_report_server=debug'\n").unwrap();
    signal(&served.child, "HUP");
    logs(&mut served, "reloaded the log filter").await;
    break_a_connection(&served).await;
    logs(&mut served, "DEBUG").await;

    for (settings, reason) in [
        ("log_level = 'a=b=c'\n", "the old log filter stays in use"),
        ("log_level = 'warn\n", "the settings were not reloaded"),
        ("log_levels = 'warn'\n", "the settings were not reloaded"),
        ("drain = 'long'\n", "the settings were not reloaded"),
    ] {
        fs::write(&file, settings).unwrap();
        signal(&served.child, "HUP");
        let logged = logs(&mut served, reason).await;
        assert!(logged.contains("CORTEX_REPORT_"), "{logged}");
    }
    break_a_connection(&served).await;
    logs(&mut served, "DEBUG").await;
}

/// Has the service say something that only who looks for faults wants to know.
async fn break_a_connection(served: &Served) {
    let address = served.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address.trim_end_matches('/'))
        .await
        .unwrap();
    connection.write_all(b"no HTTP\r\n\r\n").await.unwrap();
}
