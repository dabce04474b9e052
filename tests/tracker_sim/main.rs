//! The Tracker RMS simulator as a program: the model on a loopback port, with real connections that can be cut. It
//! never listens anywhere else and never calls out; what Tracker would say is decided in `model`, not here.

mod model;
mod page;
mod wire;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use model::{Answer, Fate, Tracker};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Above every limit that Tracker itself is told to have.
const LARGEST_BODY: usize = 256 * 1024 * 1024;

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Tracker>>);

impl Shared {
    fn tracker(&self) -> MutexGuard<'_, Tracker> {
        // A test that panicked while it held the model must not take the next one with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

fn reply(outcome: Result<Value, String>) -> Response {
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(why) => (StatusCode::BAD_REQUEST, json!({"error": why})),
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn parsed(body: &Bytes) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|e| e.to_string())
}

async fn reset(State(shared): State<Shared>) -> Response {
    shared.tracker().reset();
    reply(Ok(json!({"reset": true})))
}

async fn set_switches(State(shared): State<Shared>, body: Bytes) -> Response {
    let mut tracker = shared.tracker();
    reply(parsed(&body).and_then(|changes| tracker.set_switches(&changes)).map(|()| tracker.switches()))
}

async fn switches(State(shared): State<Shared>) -> Response {
    reply(Ok(shared.tracker().switches()))
}

async fn ledger(State(shared): State<Shared>) -> Response {
    reply(Ok(shared.tracker().ledger()))
}

async fn seed(State(shared): State<Shared>, body: Bytes) -> Response {
    let mut tracker = shared.tracker();
    reply(parsed(&body).and_then(|seed| tracker.seed(&seed, now_ms())))
}

async fn home(State(shared): State<Shared>) -> Html<String> {
    let (ledger, switches) = {
        let tracker = shared.tracker();
        (tracker.ledger(), tracker.switches())
    };
    Html(page::render(&ledger, &switches))
}

fn lower(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Everything that is Tracker's.
async fn tracker(State(shared): State<Shared>, ConnectInfo(cut): ConnectInfo<wire::Cut>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST_BODY).await else {
        // The caller left before the request was whole: nothing is applied.
        cut.now();
        return StatusCode::BAD_REQUEST.into_response();
    };
    let request = model::Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or("").to_owned(),
        headers: lower(&head.headers),
        body: body.to_vec(),
    };
    let answer = shared.tracker().handle(&request, now_ms());
    deliver(answer, &cut).await
}

async fn deliver(answer: Answer, cut: &wire::Cut) -> Response {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let body = match answer.fate {
        Fate::Deliver => Body::from(answer.body),
        Fate::DelayMs(ms) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Body::from(answer.body)
        }
        Fate::CutBody(bytes) => {
            response = response.header(header::CONTENT_LENGTH, answer.body.len());
            let kept = answer.body.get(..bytes).unwrap_or(&answer.body).to_vec();
            Body::new(wire::Broken::after(kept))
        }
        Fate::Drop => {
            cut.now();
            Body::empty()
        }
    };
    response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn port() -> Result<u16, String> {
    let mut words = std::env::args().skip(1);
    let mut port = 0;
    while let Some(word) = words.next() {
        let value = match word.strip_prefix("--port") {
            Some("") => words.next().unwrap_or_default(),
            Some(rest) => rest.trim_start_matches('=').to_owned(),
            None => return Err("usage: tracker-sim [--port 0]".to_owned()),
        };
        port = value.parse().map_err(|_| format!("{value} is no port"))?;
    }
    Ok(port)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port()?)).await?;
    let address = listener.local_addr()?;
    let routes = Router::new()
        .route("/", get(home))
        .route("/_sim/reset", post(reset))
        .route("/_sim/switches", get(switches).post(set_switches))
        .route("/_sim/ledger", get(ledger))
        .route("/_sim/seed", post(seed))
        .fallback(tracker)
        .with_state(Shared::default());
    announce(&format!("listening on http://{address}"))?;
    let service = routes.into_make_service_with_connect_info::<wire::Cut>();
    axum::serve(wire::Listening(listener), service).with_graceful_shutdown(stopped()).await?;
    Ok(())
}

/// One line, at once: whoever started the program waits for it.
fn announce(line: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
