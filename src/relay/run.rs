//! One run: the lock, what an earlier run left behind, the lane, the submissions that are due, the report.

use serde_json::Value;

use super::Policy;
use super::account::{StoreTokens, are_in_force, credentials, heed_change, tenant};
use super::deliver::Flow;
use super::lane::blocked;
use super::pace::{Paced, Remembered};
use super::plan::Tenant;
use super::report::{Caller, Ended, Report, empty, lane_event};
use super::rule::Rule;
use super::sight::Sight;
use crate::clock::{Clock, Moment, Random};
use crate::codes::{Code, Coded};
use crate::queue::lane::Doubt;
use crate::queue::lock::Holder;
use crate::queue::open::hex;
use crate::queue::state::Pause;
use crate::queue::{QueueError, Site, Store};
use crate::settings::{RecordType, Settings};
use crate::tracker::client::Client;
use crate::tracker::hosts::{self, Hosts};
use crate::tracker::tokens::Credentials;
use crate::tracker::transport::Transport;
use crate::vault::VaultError;

/// What a run is given from outside.
pub struct Surroundings<'a> {
    /// The settings of this moment.
    pub settings: &'a Settings,
    /// The calling site.
    pub site: &'a Site,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Chance.
    pub random: &'a mut dyn Random,
    /// HTTP.
    pub transport: &'a mut dyn Transport,
    /// Durations.
    pub policy: &'a Policy,
    /// Who asks.
    pub caller: Caller,
    /// For how many milliseconds steps may be begun.
    pub budget_ms: i64,
}

/// The counter that this store last asked the site to save.
const ASKED: &str = "counter_asked";

/// A run in progress.
pub(super) struct Runner<'a> {
    pub tokens: StoreTokens<'a>,
    pub transport: Paced<'a>,
    pub settings: &'a Settings,
    pub clock: &'a dyn Clock,
    pub random: &'a mut dyn Random,
    pub policy: &'a Policy,
    pub hosts: Hosts,
    pub credentials: Credentials,
    pub tenant: Tenant,
    pub run_id: String,
    pub ends_at: i64,
    pub failures: u32,
    pub wait_ms: i64,
    pub sight: Sight,
    /// The types of records for which this run has read who tells the account.
    pub recognised: Vec<RecordType>,
    pub report: Report,
}

/// Does one run.
///
/// # Errors
/// The store's. What was acknowledged stays; the next run goes on where this one stopped.
pub fn run(store: &mut Store, around: Surroundings<'_>) -> Result<Report, QueueError> {
    let now = around.clock.now();
    let run_id = uuid::Uuid::now_v7().to_string();
    let mut report = empty(&run_id);
    if !take_lock(store, &around, &run_id, &now)? {
        report.outcome = Ended::Busy;
        return Ok(report);
    }
    // No visitor waits here: a successful create must not go unrecorded because somebody writes for two seconds.
    store.be_patient(true);
    let result = locked(store, around, report, &now);
    store.be_patient(false);
    store.write_as_nobody();
    store.run_lock.free();
    match result {
        // Its lock was lost, and somebody else runs by now: what this run still knew is found out anew.
        Err(error) if error.code() == Code::RelayBusy => Ok(Report { outcome: Ended::Busy, ..empty(&run_id) }),
        other => other,
    }
}

fn locked(store: &mut Store, around: Surroundings<'_>, mut report: Report, now: &Moment) -> Result<Report, QueueError> {
    let gap = now.wall - store.fact("heartbeat")?;
    let left_over = store.begin_run(&report.run_id, around.caller.name(), now)?;
    if around.policy.keeps(Rule::WritesAreTheRuns) {
        store.write_as(&report.run_id);
    }
    if store.fact("heartbeat")? > 0 && gap > around.policy.heartbeat_gap_ms {
        // A store that slept may be an old copy: what it has not sent, another copy may have.
        store.verify_unfinished(Doubt::Gap)?;
    }
    store.look_for_lost_key()?;
    let mark = mapping_mark(store, around.settings);
    if store.meta("mapping")? != mark && around.policy.keeps(Rule::MappingIsHeeded) {
        store.plan_again(&mark)?;
    }
    let due = store.next_due(now)?.is_some() || left_over.checking > 0;
    report.outcome = before_sending(store, &around, due, now)?;
    if matches!(report.outcome, Ended::Raise | Ended::Reread) {
        report.counter = store.fact("counter")? + i64::from(report.outcome == Ended::Raise);
    }
    if report.outcome == Ended::Ran {
        report = work(store, around, report)?;
    } else {
        finish(store, &mut report, around.settings.number("retention_days"), around.clock)?;
    }
    Ok(report)
}

/// Everything that a plan is made of, as one hash: when it changes, what no plan could be made for is due again.
fn mapping_mark(store: &Store, settings: &Settings) -> String {
    let made_of = [
        "api",
        "record_type",
        "field_map",
        "required_fields",
        "forms",
        "form_routing_resource",
        "form_routing_contact",
        "form_routing_lead",
        "marker_field",
    ];
    hex(&store.ring().hash("mapping", made_of.map(|name| settings.text(name)).join("\0").as_bytes()))
}

/// Whether anything may be sent at all: whose turn it is, by counter, pauses and waits.
fn before_sending(store: &mut Store, around: &Surroundings<'_>, due: bool, now: &Moment) -> Result<Ended, QueueError> {
    let counter = store.fact("counter")?;
    let same_epoch = around.site.epoch.is_empty() || store.meta("epoch")? == around.site.epoch;
    // One ahead is sound only where this very store asked for it: one that is put back and a single run old never did.
    let raised = around.site.counter == counter + 1 && store.fact(ASKED)? == around.site.counter;
    let is_sound = same_epoch && (raised || around.site.counter == counter);
    if !is_sound && around.policy.keeps(Rule::RestoredPauses) {
        if around.site.seen != Some(counter) {
            // It was read before another run went on, perhaps. One that is read after the store's is no such thing.
            return Ok(Ended::Reread);
        }
        store.pause(Pause::Restored, Code::StoreRestored, "", now.wall, 0)?;
        // From here on the site's counter is the one that counts, or the pause could never be lifted.
        store.set_counter(around.site.counter)?;
        store.set_facts(&[(
            "epoch",
            if around.site.epoch.is_empty() { store.meta("epoch")? } else { around.site.epoch.clone() },
        )])?;
        return Ok(Ended::Paused);
    }
    // A probe that is due later than any probe can be was set by a clock that was wrong.
    let often = !around.policy.keeps(Rule::ProbesAreFew);
    let due_for_probe = |at: i64| at <= now.wall || at > now.wall + around.policy.probe_ms || often;
    let probe = store.pauses()?.iter().all(|pause| pause.reason.is_probed() && due_for_probe(pause.probe_at));
    let by_constant = around.settings.surrounding("paused").and_then(Value::as_bool).unwrap_or(false);
    if by_constant || (!store.pauses()?.is_empty() && !probe) {
        return Ok(Ended::Paused);
    }
    if store.wait_ms(now)? > 0 {
        return Ok(Ended::Waiting);
    }
    if !due && store.due_audit(now.wall)?.is_none() {
        return Ok(Ended::Idle);
    }
    if around.site.counter == counter {
        store.set_facts(&[(ASKED, (counter + 1).to_string())])?;
        return Ok(Ended::Raise);
    }
    store.set_counter(around.site.counter)?;
    Ok(Ended::Ran)
}

fn work(store: &mut Store, around: Surroundings<'_>, report: Report) -> Result<Report, QueueError> {
    let hosts = hosts::of(around.settings);
    let credentials = match credentials(store, around.settings) {
        Ok(credentials) => credentials,
        Err(error) if !matches!(error, QueueError::Vault(_)) => return Err(error),
        Err(error) => {
            // The id of the missing key, so that the pause ends when its file is back.
            let lost =
                if let QueueError::Vault(VaultError::UnknownKey(id)) = &error { id.clone() } else { String::new() };
            return stopped(store, report, &around, Pause::Key, error.code(), &lost);
        }
    };
    let hosts = match hosts {
        Ok(hosts) => hosts,
        Err(_) => return stopped(store, report, &around, Pause::Endpoint, Code::TrackerHost, ""),
    };
    heed_change(store, &credentials)?;
    if let Some(words) = around.transport.unfit().map(ToOwned::to_owned) {
        return stopped(store, report, &around, Pause::Endpoint, Code::TrackerTls, &words);
    }
    if let Some(host) = blocked(&*around.transport, &hosts, around.settings.api(), credentials.api_token.is_some()) {
        return stopped(store, report, &around, Pause::Endpoint, Code::TrackerBlocked, &host);
    }
    let tenant = tenant(store, &hosts, around.settings)?;
    if !matches!(are_in_force(store, around.settings, &credentials), Ok(true)) {
        // Somebody has entered others between the two: an answer that is lost under these must not count as one of theirs.
        return work(store, around, report);
    }
    let earlier = earlier_pace(store, &around.clock.now())?.filter(|_| around.policy.keeps(Rule::PaceLasts));
    let pace = around.settings.number("pace");
    let ends_at = around.clock.now().boot + around.budget_ms;
    let own_id = around.policy.keeps(Rule::WritesAreTheRuns);
    let run_id = if own_id { report.run_id.clone() } else { "any run's".to_owned() };
    let mut runner = Runner {
        transport: Paced::new(around.transport, around.clock, pace, around.policy.burst, ends_at, earlier),
        tokens: StoreTokens { store },
        settings: around.settings,
        clock: around.clock,
        random: around.random,
        policy: around.policy,
        hosts,
        credentials,
        tenant,
        run_id,
        ends_at,
        failures: 0,
        wait_ms: 0,
        sight: Sight::Open,
        recognised: Vec::new(),
        report,
    };
    let result = runner.all();
    runner.close()?;
    result.map(|()| runner.report)
}

impl<'a> Runner<'a> {
    /// The store.
    pub fn store(&mut self) -> &mut Store {
        self.tokens.store
    }

    /// A client for one operation.
    pub fn client(&mut self) -> Client<'_> {
        Client::new(
            &self.hosts,
            self.settings.api(),
            &self.credentials,
            &mut self.tokens,
            &mut self.transport,
            self.clock,
        )
    }

    /// Whether another step may be begun.
    pub fn has_time(&self) -> bool {
        self.clock.now().boot < self.ends_at || !self.policy.keeps(Rule::BudgetEnds)
    }

    /// Whether something new may be begun: its turn comes before the end.
    pub fn has_turn(&self) -> bool {
        let soon = self.transport.next_turn() < self.ends_at || !self.policy.keeps(Rule::BudgetEnds);
        self.has_time() && soon
    }

    fn all(&mut self) -> Result<(), QueueError> {
        if !self.lane_is_open()? {
            self.report.outcome = Ended::Paused;
            return Ok(());
        }
        while self.has_turn() && !self.is_a_row() && self.wait_ms == 0 {
            let now = self.clock.now();
            let Some(seq) = self.store().next_due(&now)? else { break };
            if self.deliver(seq)? == Flow::Stop {
                break;
            }
        }
        self.audits()
    }

    fn close(&mut self) -> Result<(), QueueError> {
        let now = self.clock.now();
        self.keep_wait(&now)?;
        let Remembered { pace, tokens, at } = self.transport.remembered();
        let mut facts = vec![("pace", format!("{pace:.3} {tokens:.3} {at} {}", now.boot_id))];
        if let Some(skew) = self.transport.skew_ms {
            facts.push(("skew", skew.to_string()));
        }
        self.store().set_facts(&facts)?;
        if self.report.items.is_empty() && self.report.outcome == Ended::Ran {
            self.report.outcome = Ended::Idle;
        }
        finish(self.tokens.store, &mut self.report, self.settings.number("retention_days"), self.clock)
    }
}

/// Tidies, writes the end of the run, and says what is left.
fn finish(store: &mut Store, report: &mut Report, retention_days: i64, clock: &dyn Clock) -> Result<(), QueueError> {
    let now = clock.now();
    let outcome = serde_json::to_value(report.outcome)
        .ok()
        .and_then(|value| value.as_str().map(ToOwned::to_owned))
        .unwrap_or_default();
    store.end_run(&report.run_id, &outcome, report.items.len(), &now)?;
    store.clean_up(retention_days, now.wall)?;
    // A reader that holds the WAL holds up nothing: the next run moves it.
    match store.checkpoint() {
        Err(error) if error.code() == Code::StoreBusy => {}
        other => other?,
    }
    let (left, due_in) = store.waiting(&now)?;
    report.left = left;
    report.next_due_at = due_in.map(|wait| now.wall + wait);
    let wait = store.wait_ms(&now)?;
    report.not_before = (wait > 0).then_some(now.wall + wait);
    report.reasons = store.pauses()?.iter().map(|pause| pause.reason.name()).collect();
    Ok(())
}

fn take_lock(store: &mut Store, around: &Surroundings<'_>, run_id: &str, now: &Moment) -> Result<bool, QueueError> {
    let Some(path) = store.run_lock_path() else { return Ok(true) };
    let holder = Holder {
        pid: std::process::id(),
        since: now.wall,
        caller: around.caller.name().to_owned(),
        run_id: run_id.to_owned(),
    };
    store.run_lock.take(&path, &holder, around.clock)
}

fn stopped(
    store: &mut Store,
    mut report: Report,
    around: &Surroundings<'_>,
    reason: Pause,
    code: Code,
    detail: &str,
) -> Result<Report, QueueError> {
    let now = around.clock.now();
    store.pause(reason, code, detail, now.wall, now.wall + around.policy.probe_ms)?;
    report.outcome = Ended::Paused;
    report.events.push(lane_event("lane_paused", reason, Some(code)));
    finish(store, &mut report, around.settings.number("retention_days"), around.clock)?;
    Ok(report)
}

fn earlier_pace(store: &Store, now: &Moment) -> Result<Option<Remembered>, QueueError> {
    let text = store.meta("pace")?;
    let mut parts = text.split(' ');
    let remembered = (|| {
        let pace = parts.next()?.parse().ok()?;
        let tokens = parts.next()?.parse().ok()?;
        let at = parts.next()?.parse().ok()?;
        (parts.next()? == now.boot_id).then_some(Remembered { pace, tokens, at })
    })();
    Ok(remembered)
}
