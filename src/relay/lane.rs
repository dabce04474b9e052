//! Whether the lane is open: pauses and their cure.

use super::report::lane_event;
use super::run::Runner;
use crate::codes::Code;
use crate::queue::QueueError;
use crate::queue::state::Pause;
use crate::settings::Api;
use crate::tracker::hosts::Hosts;
use crate::tracker::outcome::{Refusal, Verdict};
use crate::tracker::transport::Transport;

/// The host that the API in use cannot do without and that the site forbids to speak with. The widget API does without REST v1:
/// then there is no way to look (`sight`).
pub(super) fn blocked(transport: &dyn Transport, hosts: &Hosts, api: Api, has_api_token: bool) -> Option<String> {
    let needed = match (api, has_api_token) {
        (Api::Widget, _) => vec![&hosts.oauth],
        (Api::Rest, true) => vec![&hosts.api],
        (Api::Rest, false) => vec![&hosts.oauth, &hosts.api],
    };
    needed.into_iter().find(|host| transport.blocks(host)).cloned()
}

impl Runner<'_> {
    /// Lifts the pauses that a probe finds cured; one probe at a time, and nothing is sent before.
    pub fn lane_is_open(&mut self) -> Result<bool, QueueError> {
        let pauses = self.store().pauses()?;
        if pauses.is_empty() {
            return Ok(true);
        }
        // Somebody may have paused sending since this run began; only what a probe can cure is probed.
        if !self.has_turn() || !pauses.iter().all(|pause| pause.reason.is_probed()) {
            return Ok(false);
        }
        let verdict = self.client().probe();
        let now = self.clock.now();
        if let Err(verdict) = verdict {
            let next = now.wall + self.policy.probe_ms;
            for pause in pauses {
                if self.speaks_of_old_credentials(pause.reason)? {
                    continue;
                }
                let code = verdict.code().unwrap_or(Code::TrackerUnavailable);
                // A probe that met another trouble keeps the reason and its code, only the time moves on.
                let code = if matches!(verdict.refusal(), Some(Refusal::Unauthorized | Refusal::User)) {
                    code
                } else {
                    Code::from_number(pause.code).unwrap_or(code)
                };
                self.store().pause(pause.reason, code, verdict.message(), now.wall, next)?;
            }
            return Ok(false);
        }
        for pause in pauses {
            self.store().resume(pause.reason)?;
            self.report.events.push(lane_event("lane_resumed", pause.reason, None));
        }
        Ok(true)
    }

    /// Pauses the lane. No attempt is spent, and the run ends.
    pub fn pause(&mut self, reason: Pause, verdict: &Verdict) -> Result<(), QueueError> {
        if self.speaks_of_old_credentials(reason)? {
            return Ok(());
        }
        let now = self.clock.now();
        let code = verdict.code().unwrap_or(Code::TrackerCredentials);
        let next = now.wall + self.policy.probe_ms;
        self.store().pause(reason, code, verdict.message(), now.wall, next)?;
        self.report.events.push(lane_event("lane_paused", reason, Some(code)));
        Ok(())
    }
}
