//! Whose certificates a control plane may present: the public authorities', and those an operator names besides.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Certificates of authorities besides the public ones; none by default.
#[derive(Clone, Default)]
pub struct ExtraRoots(Vec<CertificateDer<'static>>);

/// A file without a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no certificate in it; it must hold one or more in PEM, each between BEGIN CERTIFICATE and END CERTIFICATE"
)]
pub struct InvalidRoots;

impl ExtraRoots {
    /// Reads the certificates of a PEM file (RFC 7468); what else is in it is passed over.
    ///
    /// # Errors
    /// [`InvalidRoots`], when none of them can be an authority's.
    pub fn parse(pem: &[u8]) -> Result<Self, InvalidRoots> {
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
        let (usable, _) = RootCertStore::empty().add_parsable_certificates(found.iter().cloned());
        if usable == 0 { Err(InvalidRoots) } else { Ok(Self(found)) }
    }

    /// TLS that believes these and the public authorities.
    pub(super) fn client_config(&self) -> ClientConfig {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        roots.add_parsable_certificates(self.0.iter().cloned());
        #[expect(clippy::expect_used, reason = "fails only when ring lacks TLS 1.2 and 1.3, whatever the input")]
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3");
        config.with_root_certificates(roots).with_no_client_auth()
    }
}

impl fmt::Debug for ExtraRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtraRoots({})", self.0.len())
    }
}
