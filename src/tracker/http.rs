//! Real HTTP: one request at a time on a fresh connection, no retry, no redirect, every limit set. Its one
//! duty beyond that is to say honestly whether a request may have left.

use std::cell::RefCell;
use std::io::Read;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use reqwest::Client;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::{Layer, Service};

use super::time::seconds_of_http_date;
use super::transport::{Body, DocumentSource, Failure, Request, Response, Transport};
use crate::clock::{Clock, SystemClock};
use crate::codes::Code;
use crate::settings::Settings;

const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(30);
/// One more second for so many bytes of an upload.
const UPLOAD_BYTES_A_SECOND: u64 = 50 * 1024;
/// Answers are never this long; a stream without end must not fill the memory.
const MOST_ANSWER: usize = 1024 * 1024;
/// Plain bytes of a document that are read at a time; a multiple of three, so that base64 joins.
const PIECE: usize = 48 * 1024;
const ANY_TIME: i64 = i64::MAX;

thread_local! {
    // One a process, built at the first delivery. A fork child forgets its parent's.
    static RUNTIME: RefCell<Option<(u32, Runtime)>> = const { RefCell::new(None) };
}

/// HTTP to Tracker.
pub struct HttpTransport {
    client: Client,
    deadline: Arc<AtomicI64>,
    blocked: Option<Vec<String>>,
}

impl HttpTransport {
    /// HTTP under the settings of a site: its CA file, its proxy, its list of allowed hosts.
    ///
    /// # Errors
    /// Why no client could be made.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let text = |name: &str| settings.surrounding(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let deadline = Arc::new(AtomicI64::new(ANY_TIME));
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls(text("ca_file"))?)
            .user_agent(concat!("halt-tracker/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .http1_only()
            .no_proxy()
            .connector_layer(DeadlineLayer(Arc::clone(&deadline)));
        if let Some(proxy) = text("proxy") {
            let proxy = reqwest::Proxy::all(proxy).map_err(|_| "the proxy's address cannot be read".to_owned())?;
            let bypass = text("proxy_bypass").and_then(reqwest::NoProxy::from_string);
            builder = builder.proxy(proxy.no_proxy(bypass));
        }
        let blocked = settings.surrounding("blocked_hosts").and_then(Value::as_array);
        let blocked = blocked
            .map(|hosts| hosts.iter().filter_map(Value::as_str).map(|host| host.trim().to_lowercase()).collect());
        let client = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { client, deadline, blocked })
    }

    /// Whether WordPress lets this site speak with the host: `WP_ACCESSIBLE_HOSTS`, with `*.` wildcards.
    fn is_blocked(&self, url: &str) -> bool {
        let Some(allowed) = &self.blocked else { return false };
        let Some(host) = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_lowercase)) else {
            return true;
        };
        let fits = |pattern: &String| pattern.strip_prefix('*').map_or(*pattern == host, |end| host.ends_with(end));
        host != "localhost" && !allowed.iter().any(fits)
    }
}

impl Transport for HttpTransport {
    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        if self.is_blocked(&request.url) {
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
        builder = builder.timeout(CONNECT + ANSWER + Duration::from_secs(upload / UPLOAD_BYTES_A_SECOND));
        with_runtime(|runtime| runtime.block_on(answer(builder)))?
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

fn io_holds_tls(cause: &(dyn std::error::Error + 'static)) -> bool {
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
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
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Checks the deadline of an intent after connecting, right before the first byte goes out.
#[derive(Clone)]
struct DeadlineLayer(Arc<AtomicI64>);

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, deadline: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
struct DeadlineService<S> {
    inner: S,
    deadline: Arc<AtomicI64>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, R> Service<R> for DeadlineService<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let deadline = self.deadline.load(Ordering::SeqCst);
        Box::pin(async move {
            let connection = connecting.await?;
            if SystemClock.now().boot > deadline {
                return Err("connecting took longer than the request may wait".into());
            }
            Ok(connection)
        })
    }
}

/// A JSON body around a document, base64 made in passing. Its length is known before.
struct DocumentStream {
    before: Option<Bytes>,
    // `Body::wrap` asks for `Sync`; only `&mut` is ever used.
    reader: Mutex<Box<dyn Read + Send>>,
    after: Option<Bytes>,
    document_done: bool,
    left: u64,
}

impl DocumentStream {
    fn new(before: &[u8], source: &dyn DocumentSource, after: Vec<u8>) -> std::io::Result<Self> {
        let encoded = source.size().div_ceil(3) * 4;
        let left = before.len() as u64 + encoded + after.len() as u64;
        Ok(Self {
            before: Some(Bytes::copy_from_slice(before)),
            reader: Mutex::new(source.open()?),
            after: Some(after.into()),
            document_done: false,
            left,
        })
    }

    fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if let Some(before) = self.before.take() {
            return Ok(Some(before));
        }
        if !self.document_done {
            let reader = self.reader.get_mut().map_err(|_| std::io::Error::other("poisoned"))?;
            let mut piece = zeroize::Zeroizing::new(Vec::with_capacity(PIECE));
            reader.take(PIECE as u64).read_to_end(&mut piece)?;
            self.document_done = piece.len() < PIECE;
            if !piece.is_empty() {
                return Ok(Some(BASE64.encode(piece.as_slice()).into()));
            }
        }
        Ok(self.after.take())
    }
}

impl http_body::Body for DocumentStream {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let next = self.next().transpose();
        if let Some(Ok(bytes)) = &next {
            self.left = self.left.saturating_sub(bytes.len() as u64);
        }
        Poll::Ready(next.map(|result| result.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_outside_the_allowed_list_is_not_asked() {
        let settings = Settings::parse(r#"{"blocked_hosts":["*.tracker-rms.com","127.0.0.1"]}"#).expect("settings");
        let mut http = HttpTransport::new(&settings).expect("a client");
        assert!(!http.is_blocked("https://evoapi.tracker-rms.com/x"));
        assert!(http.is_blocked("https://tracker-rms.com.example.org/x"));
        let request = Request {
            method: "GET",
            url: "https://example.org/".into(),
            bearer: None,
            body: Body::Empty,
            deadline: None,
        };
        assert!(matches!(http.send(request), Err(Failure::NotSent(Code::TrackerBlocked, _))));
    }

    #[test]
    fn a_closed_port_and_a_passed_deadline_prove_that_nothing_left() {
        let mut http = HttpTransport::new(&Settings::default()).expect("a client");
        let request = |url: &str, deadline| Request {
            method: "POST",
            url: url.into(),
            bearer: None,
            body: Body::Empty,
            deadline,
        };
        let closed = http.send(request("http://127.0.0.1:1/", None));
        assert!(matches!(closed, Err(Failure::NotSent(Code::TrackerUnreachable, _))), "{closed:?}");
        let server = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", server.local_addr().expect("an address"));
        let late = http.send(request(&url, Some(1)));
        assert!(matches!(late, Err(Failure::NotSent(Code::TrackerUnreachable, _))), "{late:?}");
        let (mut stream, _) = server.accept().expect("connected");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("read");
        assert!(bytes.is_empty(), "a byte was sent after the deadline");
    }
}
