//! Settings of TLS.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::{SettingError, error::unusable};

/// Settings of TLS.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "TLS")]
pub struct TlsSettings {
    /// File with the certificate and its chain, in PEM. If set, only HTTPS is served. Read at the
    /// start and on SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub tls_certificate_file: Option<PathBuf>,

    /// File with the private key of the certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_key_file: Option<PathBuf>,
}

/// Builds the TLS acceptor; returns `None` if neither a certificate nor a key is set.
pub(crate) fn acceptor(settings: &TlsSettings) -> Result<Option<TlsAcceptor>, SettingError> {
    let (certificate_file, key_file) =
        match (&settings.tls_certificate_file, &settings.tls_key_file) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => return Err(SettingError::HalfTls),
        };
    let setting = "CORTEX_REPORT_TLS_CERTIFICATE_FILE";
    let certificates = CertificateDer::pem_file_iter(certificate_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unusable(setting, certificate_file))?;
    if certificates.is_empty() {
        return Err(unusable(setting, certificate_file)("it has no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(key_file)
        .map_err(unusable("CORTEX_REPORT_TLS_KEY_FILE", key_file))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map_err(SettingError::TlsPair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
