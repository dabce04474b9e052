//! Time and randomness, handed in from outside, so that a whole delivery can be simulated with a seed.

use std::time::Duration;

/// A moment as both clocks of the machine see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Wall clock: milliseconds since 1970 UTC. May jump.
    pub wall: i64,
    /// Milliseconds since boot (`CLOCK_BOOTTIME`). Never jumps, goes on during sleep, starts anew at boot.
    pub boot: i64,
    /// Which boot it was: boot times are compared only under the same id.
    pub boot_id: String,
}

/// Gives the time and waits.
pub trait Clock {
    /// The present moment.
    fn now(&self) -> Moment;
    /// Waits; only the runner calls it, never a visitor's request.
    fn sleep(&self, duration: Duration);
}

/// Gives random numbers for jitter; keys and markers always come from the system.
pub trait Random {
    /// A number from 0 to `limit`, both included.
    fn up_to(&mut self, limit: u64) -> u64;
    /// Unguessable bytes from the system; seeded ones in a simulation.
    fn bytes(&mut self, out: &mut [u8]);
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        let spec = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Moment { wall, boot: spec.tv_sec * 1000 + spec.tv_nsec / 1_000_000, boot_id: boot_id() }
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// The kernel's random id of this boot; `unknown` where /proc is not mounted, which compares as the same boot.
fn boot_id() -> String {
    static ID: once_cell::sync::OnceCell<String> = once_cell::sync::OnceCell::new();
    ID.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
    })
    .clone()
}

/// Randomness from the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn up_to(&mut self, limit: u64) -> u64 {
        let mut bytes = [0; 8];
        self.bytes(&mut bytes);
        // The bias of the remainder is below 2^-40 for the limits in use (hours in milliseconds).
        u64::from_le_bytes(bytes) % limit.saturating_add(1).max(1)
    }

    fn bytes(&mut self, out: &mut [u8]) {
        if getrandom::fill(out).is_err() {
            // Jitter may be poor where the system gives no randomness; keys are made elsewhere and refuse.
            out.fill(0x5a);
        }
    }
}
