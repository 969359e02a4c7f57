//! Whose certificates the pool believes: those the system trusts, checked by the usual rules, with no exception.
//! It knows no host; a certificate is right for a name or it is not.

use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

/// The TLS of all clients: loading what the system trusts takes longer than everything else about a client, so it is
/// done once. A change of the system's certificates counts from the next start.
///
/// # Errors
/// [`rustls::Error`] if the system offers no certificates.
pub(crate) fn tls_config() -> Result<ClientConfig, rustls::Error> {
    static SHARED: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = SHARED.get() {
        return Ok(config.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(SHARED.get_or_init(|| config).clone())
}
