//! A certificate authority of the test's own: one server certificate that is right, and one for each way of being wrong.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a server shows.
pub struct Certificates {
    pub right: Arc<ServerConfig>,
    pub untrusted: Arc<ServerConfig>,
    pub wrong_name: Arc<ServerConfig>,
    pub expired: Arc<ServerConfig>,
    /// The file for `HALT_TRACKER_CA_FILE`.
    pub ca_file: PathBuf,
    _folder: tempfile::TempDir,
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn server(authority: &Authority, name: &str, end: i32) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(end, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("signed");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key);
    Arc::new(config.expect("a certificate that fits its key"))
}

impl Certificates {
    pub fn new() -> Self {
        let (trusted, stranger) = (authority(), authority());
        let folder = tempfile::tempdir().expect("a folder");
        let ca_file = folder.path().join("ca.pem");
        std::fs::write(&ca_file, trusted.pem()).expect("written");
        Self {
            right: server(&trusted, "127.0.0.1", 2100),
            untrusted: server(&stranger, "127.0.0.1", 2100),
            wrong_name: server(&trusted, "tracker.example.org", 2100),
            expired: server(&trusted, "127.0.0.1", 2021),
            ca_file,
            _folder: folder,
        }
    }
}
