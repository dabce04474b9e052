//! Real HTTP: one request at a time on a fresh connection, no retry, no redirect, every limit set. Its one
//! duty beyond that is to say honestly whether a request may have left.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::deadline::{ANY_TIME, DeadlineLayer};
use super::outbound::Outbound;
use super::time::seconds_of_http_date;
use super::transport::{Body, Failure, Request, Response, Transport};
use super::upload::DocumentStream;
use crate::clock::Clock;
use crate::codes::Code;
use crate::settings::Settings;

/// Bytes of an upload for which [`Patience::upload`] is added.
const UPLOAD: u64 = 50 * 1024;
/// Answers are never this long; a stream without end must not fill the memory.
const MOST_ANSWER: usize = 1024 * 1024;
/// Turns of the runtime in which a connection that is no longer needed has closed; one was enough on 2026-11-25.
const TURNS_TO_LEAVE: usize = 16;

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// To connect.
    pub connect: Duration,
    /// For the whole answer, after connecting.
    pub answer: Duration,
    /// More of it for each 50 KiB of an upload.
    pub upload: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(30), upload: Duration::from_secs(1) }
    }
}

impl Patience {
    fn of(&self, upload: u64) -> Duration {
        let pieces = u32::try_from(upload / UPLOAD).unwrap_or(u32::MAX);
        self.connect.saturating_add(self.answer).saturating_add(self.upload.saturating_mul(pieces))
    }
}

thread_local! {
    // One a process, built at the first delivery. A fork child forgets its parent's.
    static RUNTIME: RefCell<Option<(u32, Runtime)>> = const { RefCell::new(None) };
}

/// HTTP to Tracker.
pub struct HttpTransport {
    client: Client,
    deadline: Arc<AtomicI64>,
    outbound: Outbound,
    patience: Patience,
}

impl HttpTransport {
    /// HTTP under the settings of a site: its CA file, its proxy, its list of allowed hosts.
    ///
    /// # Errors
    /// Why no client could be made.
    pub fn new(settings: &Settings, patience: Patience, clock: Arc<dyn Clock + Send + Sync>) -> Result<Self, String> {
        let ca_file = settings.surrounding("ca_file").and_then(Value::as_str).filter(|text| !text.is_empty());
        let outbound = Outbound::of(settings);
        let deadline = Arc::new(AtomicI64::new(ANY_TIME));
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls(ca_file)?)
            .user_agent(concat!("halt-tracker/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(patience.connect)
            .http1_only()
            .no_proxy()
            .connector_layer(DeadlineLayer { deadline: Arc::clone(&deadline), clock });
        if let Some(proxy) = outbound.proxy()? {
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { client, deadline, outbound, patience })
    }
}

impl Transport for HttpTransport {
    fn blocks(&self, url: &str) -> bool {
        self.outbound.blocks(url)
    }

    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        if self.outbound.blocks(&request.url) {
            return Err(Failure::NotSent(Code::TrackerBlocked, String::new()));
        }
        self.deadline.store(request.deadline.unwrap_or(ANY_TIME), Ordering::SeqCst);
        let method = if request.method == "GET" { reqwest::Method::GET } else { reqwest::Method::POST };
        let mut builder = self.client.request(method, &request.url).header("Accept", "application/json");
        if let Some(token) = &request.bearer {
            builder = builder.bearer_auth(token.as_str());
        }
        let mut upload = 0;
        match request.body {
            Body::Empty => {}
            Body::Bytes(kind, bytes) => {
                upload = bytes.len() as u64;
                builder = builder.header("Content-Type", kind).body(bytes.to_vec());
            }
            Body::Document { before, source, after } => {
                let stream = DocumentStream::new(&before, source.as_ref(), after)
                    .map_err(|error| Failure::NotSent(Code::FileLost, error.to_string()))?;
                upload = stream.left;
                builder = builder.header("Content-Type", "application/json").body(reqwest::Body::wrap(stream));
            }
        }
        builder = builder.timeout(self.patience.of(upload));
        with_runtime(|runtime| {
            runtime.block_on(async {
                let answer = answer(builder).await;
                leave().await;
                answer
            })
        })?
    }
}

async fn answer(builder: reqwest::RequestBuilder) -> Result<Response, Failure> {
    let mut response = builder.send().await.map_err(|error| failure(&error))?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let date = header("date").and_then(seconds_of_http_date);
    let retry_after = header("retry-after").and_then(|text| {
        let until = || Some(u64::try_from(seconds_of_http_date(text)? - date?).unwrap_or(0));
        text.parse().ok().or_else(until)
    });
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| lost(&error))? {
        if body.len() + piece.len() > MOST_ANSWER {
            return Err(Failure::Lost("the answer is larger than 1 MiB".into()));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Response { status, retry_after, date, body })
}

/// Lets the connection close. Nobody drives this runtime until the next request, so that a connection which is not
/// closed now would stay open in an idle worker for as long as that lives.
async fn leave() {
    for _ in 0..TURNS_TO_LEAVE {
        tokio::task::yield_now().await;
    }
}

/// Only an error of connecting proves that nothing left.
fn failure(error: &reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::NotSent(Code::TrackerHost, words(error));
    }
    if !error.is_connect() {
        return lost(error);
    }
    let is_tls = chain(error).any(|cause| cause.downcast_ref::<rustls::Error>().is_some() || io_holds_tls(cause));
    Failure::NotSent(if is_tls { Code::TrackerTls } else { Code::TrackerUnreachable }, words(error))
}

fn lost(error: &reqwest::Error) -> Failure {
    Failure::Lost(if error.is_timeout() { "no answer in time".to_owned() } else { words(error) })
}

/// Errors of I/O hide what they hold from `source`, and hold each other.
fn io_holds_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>() || io_holds_tls(inner))
}

fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// The innermost cause: it helps most and names no address with a query.
fn words(error: &reqwest::Error) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default().chars().take(200).collect()
}

/// Runs on this process's runtime, built when it is first needed.
fn with_runtime<T>(action: impl FnOnce(&Runtime) -> T) -> Result<T, Failure> {
    RUNTIME.with_borrow_mut(|kept| {
        let pid = std::process::id();
        if kept.as_ref().is_some_and(|(owner, _)| *owner != pid) {
            // Dropping would close descriptors that the parent still uses.
            std::mem::forget(kept.take());
        }
        let runtime = match kept.take() {
            Some((_, runtime)) => runtime,
            None => tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .enable_time()
                // The resolver's threads: one at most, and gone soon.
                .max_blocking_threads(1)
                .thread_keep_alive(Duration::from_millis(100))
                .build()
                .map_err(|error| Failure::NotSent(Code::EngineFault, error.to_string()))?,
        };
        let result = action(&runtime);
        *kept = Some((pid, runtime));
        Ok(result)
    })
}

fn tls(ca_file: Option<&str>) -> Result<rustls::ClientConfig, String> {
    use rustls_platform_verifier::BuilderVerifierExt;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let Some(path) = ca_file else {
        return Ok(builder.with_platform_verifier().map_err(|error| error.to_string())?.with_no_client_auth());
    };
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let listed = rustls::pki_types::CertificateDer::pem_file_iter(path)
        .map_err(|error| format!("HALT_TRACKER_CA_FILE: {error}"))?;
    for certificate in listed {
        let certificate = certificate.map_err(|error| format!("HALT_TRACKER_CA_FILE: {error}"))?;
        roots.add(certificate).map_err(|error| format!("HALT_TRACKER_CA_FILE: {error}"))?;
    }
    // With none, every server would be refused as if it were its own fault.
    if roots.is_empty() {
        return Err("HALT_TRACKER_CA_FILE: there is no certificate in it".into());
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(json: &str) -> HttpTransport {
        let settings = Settings::parse(json).expect("settings");
        HttpTransport::new(&settings, Patience::default(), Arc::new(crate::clock::SystemClock)).expect("a client")
    }

    fn request(method: &'static str, url: &str, deadline: Option<i64>) -> Request {
        Request { method, url: url.into(), bearer: None, body: Body::Empty, deadline }
    }

    #[test]
    fn a_host_outside_the_allowed_list_is_not_asked() {
        let mut http = transport(r#"{"blocked_hosts":["*.tracker-rms.com"]}"#);
        let answer = http.send(request("GET", "https://example.org/", None));
        assert!(matches!(answer, Err(Failure::NotSent(Code::TrackerBlocked, _))));
        assert!(http.blocks("https://example.org") && !http.blocks("https://evoapi.tracker-rms.com"));
    }

    #[test]
    fn uploads_get_a_second_more_for_each_fifty_kib() {
        let patience = Patience::default();
        assert_eq!(patience.of(50 * 1024 - 1), Duration::from_secs(40));
        assert_eq!(patience.of(10 * 1024 * 1024), Duration::from_secs(40 + 204));
    }

    #[test]
    fn a_closed_port_and_a_passed_deadline_prove_that_nothing_left() {
        let mut http = transport("{}");
        let closed = http.send(request("POST", "http://127.0.0.1:1/", None));
        assert!(matches!(closed, Err(Failure::NotSent(Code::TrackerUnreachable, _))), "{closed:?}");
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", server.local_addr().expect("an address"));
        let late = http.send(request("POST", &url, Some(1)));
        assert!(matches!(late, Err(Failure::NotSent(Code::TrackerUnreachable, _))), "{late:?}");
        let (mut stream, _) = server.accept().expect("connected");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut bytes).expect("read");
        assert!(bytes.is_empty(), "a byte was sent after the deadline");
    }
}
