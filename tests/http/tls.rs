//! HTTPS, served by the service itself.

use std::time::{Duration, Instant};

use cortex_report_server::TlsSettings;
use reqwest::{Certificate, Client};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::harness::{Service, binary::binary, certificates};

async fn service(folder: &std::path::Path) -> Service {
    certificates(folder);
    Service::start_with(|settings| {
        settings.tls = TlsSettings {
            tls_certificate_file: Some(folder.join("cert.pem")),
            tls_key_file: Some(folder.join("key.pem")),
        };
    })
    .await
}

/// A client that trusts one authority alone.
fn client(authority: &std::path::Path) -> Client {
    let authority = Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
    let client = Client::builder().tls_certs_only([authority]);
    client.timeout(Duration::from_secs(20)).build().unwrap()
}

#[tokio::test]
async fn who_knows_the_authority_talks_in_private() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let url = format!("https://{}", service.address());
    let knowing = client(&folder.path().join("ca.pem"));
    for _ in 0..2 {
        let login = knowing.post(format!("{url}/api/1/login"));
        let login = login
            .form(&[("email", "ann@example.com")])
            .send()
            .await
            .unwrap();
        assert_eq!(login.status(), 200);
        let cookie = login.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Secure"), "{cookie}");
        assert!(login.headers().contains_key("strict-transport-security"));
    }
    let mail = service.mail_after(0).await;
    assert!(mail.contains(&format!("{url}/verify/")), "{mail}");

    let other = client(&folder.path().join("other.pem"));
    let refused = other.get(format!("{url}/livez")).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
}

#[tokio::test]
async fn files_that_are_of_no_use_end_the_start() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    std::fs::write(folder.path().join("text.pem"), "a certificate").unwrap();
    let certificate = "CORTEX_REPORT_TLS_CERTIFICATE_FILE: cannot use";
    let key = "CORTEX_REPORT_TLS_KEY_FILE: cannot use";
    for (certificate_file, key_file, reason) in [
        ("nowhere.pem", "key.pem", certificate),
        ("empty.pem", "key.pem", certificate),
        ("text.pem", "key.pem", certificate),
        ("key.pem", "key.pem", certificate),
        ("cert.pem", "nowhere.pem", key),
        ("cert.pem", "empty.pem", key),
        ("cert.pem", "cert.pem", key),
        (
            "cert.pem",
            "other.key",
            "CORTEX_REPORT_TLS_CERTIFICATE_FILE, CORTEX_REPORT_TLS_KEY_FILE: the certificate and \
             the key cannot be used",
        ),
    ] {
        let mut command = binary(folder.path());
        command
            .env("CORTEX_REPORT_TLS_CERTIFICATE_FILE", certificate_file)
            .env("CORTEX_REPORT_TLS_KEY_FILE", key_file);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains(reason),
            "{certificate_file}, {key_file}: lacks {reason}: {said}"
        );
    }
    assert!(!folder.path().join("cortex-report.db").exists());
}

#[tokio::test]
async fn who_does_not_encrypt_is_not_answered_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let service = service(folder.path()).await;
    let plain = reqwest::get(format!("http://{}/livez", service.address())).await;
    assert!(plain.is_err());

    let begin = Instant::now();
    let mut silent = TcpStream::connect(service.address()).await.unwrap();
    let knowing = client(&folder.path().join("ca.pem"));
    let alive = knowing.get(format!("https://{}/livez", service.address()));
    assert_eq!(alive.send().await.unwrap().status(), 200);
    let mut said = Vec::new();
    let _ = silent.read_to_end(&mut said).await;
    assert!(said.is_empty());
    let closed_after = begin.elapsed();
    assert!(closed_after < Duration::from_secs(15), "{closed_after:?}");
}
