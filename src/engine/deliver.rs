//! What goes over the network: a run, and the connection test.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, EngineError, read_json};
use crate::clock::{Clock, SystemClock, SystemRandom};
use crate::codes::Code;
use crate::queue::Store;
use crate::queue::lock::Holder;
use crate::relay::account::{StoreTokens, credentials};
use crate::relay::{self, Caller, Policy, Surroundings};
use crate::settings::Api;
use crate::tracker::client::Client;
use crate::tracker::hosts;
use crate::tracker::http::HttpTransport;
use crate::tracker::transport::{Transport, Unfit};

#[derive(Debug, Deserialize)]
struct Options {
    caller: Caller,
    #[serde(default = "twenty_seconds")]
    budget_ms: i64,
}

/// The longest time for which a run may begin steps. The plugin asks for 20 s at most; what is much older than this hangs.
pub const MOST_BUDGET_MS: i64 = 10 * 60_000;

const fn twenty_seconds() -> i64 {
    20_000
}

/// Does one run. `options`: `{"caller":"cron|button|cli|after","budget_ms":20000}`.
///
/// # Errors
/// The store's. What was acknowledged stays safe.
pub fn run(call: &Call, options: &[u8]) -> Result<Value, EngineError> {
    let options: Options = read_json(options, "options")?;
    let policy = Policy::default();
    // Without HTTP a run still beats, tidies, erases, and pauses with the true reason.
    let mut transport: Box<dyn Transport> = match http(call, &policy) {
        Ok(transport) => Box::new(transport),
        Err(words) => Box::new(Unfit(words)),
    };
    call.with_store(|store| {
        let report = relay::run(
            store,
            Surroundings {
                settings: &call.settings,
                site: &call.site,
                clock: &SystemClock,
                random: &mut SystemRandom,
                transport: transport.as_mut(),
                policy: &policy,
                caller: options.caller,
                budget_ms: options.budget_ms.clamp(0, MOST_BUDGET_MS),
            },
        )?;
        serde_json::to_value(report).map_err(|error| EngineError::new(Code::EngineFault, error.to_string()))
    })
}

/// Asks both APIs whether the credentials work. Takes the run lock, because it may rotate tokens.
///
/// # Errors
/// `HT-1607` while a run is in progress; the store's.
pub fn test_connection(call: &Call) -> Result<Value, EngineError> {
    let mut transport = http(call, &Policy::default()).map_err(|words| EngineError::new(Code::TrackerTls, words))?;
    call.with_store(|store| {
        let now = SystemClock.now();
        if let Some(path) = store.run_lock_path() {
            let holder =
                Holder { pid: std::process::id(), since: now.wall, caller: "test".into(), run_id: String::new() };
            if !store.run_lock.take(&path, &holder, &SystemClock)? {
                return Err(EngineError::new(Code::RelayBusy, ""));
            }
        }
        let tested = ask_both(store, call, &mut transport);
        store.run_lock.free();
        Ok(json!({ "apis": tested?, "clock_skew_ms": store.meta("skew")?.parse::<i64>().ok() }))
    })
}

fn http(call: &Call, policy: &Policy) -> Result<HttpTransport, String> {
    HttpTransport::new(&call.settings, policy.patience, std::sync::Arc::new(SystemClock))
}

fn ask_both(store: &mut Store, call: &Call, transport: &mut HttpTransport) -> Result<Vec<Value>, EngineError> {
    let credentials = credentials(store, &call.settings)?;
    let hosts = hosts::of(&call.settings).map_err(|error| EngineError::new(Code::TrackerHost, error.to_string()))?;
    let mut apis = Vec::new();
    for api in [Api::Widget, Api::Rest] {
        let mut tokens = StoreTokens { store };
        let mut client = Client::new(&hosts, api, &credentials, &mut tokens, transport, &SystemClock);
        let answer = client.probe();
        let (works, code, message) = match &answer {
            Ok(()) => (true, None, String::new()),
            Err(verdict) => (false, verdict.code(), verdict.message().to_owned()),
        };
        apis.push(json!({ "api": if api == Api::Rest { "rest" } else { "widget" }, "works": works, "code": code.map(|code| code.to_string()), "message": message }));
    }
    Ok(apis)
}
