//! The clock that the gateway is given: UTC milliseconds that may run faster than the wall.

use std::sync::Arc;
use std::time::Duration;

/// A source of UTC milliseconds since 1970.
pub type ClockFn = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The given clock with a way to wait on it.
#[derive(Clone)]
pub(crate) struct Clock {
    now: ClockFn,
    speed: u64,
}

/// Longest sleep between two looks at the clock, so that a clock that is stepped or faster than said wakes all.
const TICK_MS: u64 = 100;

impl Clock {
    pub fn new(now: ClockFn, speed: u32) -> Self {
        Self {
            now,
            speed: u64::from(speed.max(1)),
        }
    }

    pub fn now(&self) -> u64 {
        (self.now)()
    }

    /// Milliseconds since 2020. A gateway that finds no memory of its own numbers begins here: no lost folder counted
    /// its starts by the second or its messages by the millisecond, so no number comes twice.
    pub fn age_ms(&self) -> u64 {
        self.now().saturating_sub(1_577_836_800_000)
    }

    /// Returns once the clock shows `deadline`.
    pub async fn wait_until(&self, deadline: u64) {
        loop {
            let left = deadline.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            let wall = (left / self.speed).clamp(1, TICK_MS);
            tokio::time::sleep(Duration::from_millis(wall)).await;
        }
    }
}

/// The clock of the machine.
#[must_use]
pub fn system_clock() -> ClockFn {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |elapsed| {
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
        })
    })
}

/// A clock that starts at `epoch_ms` (the machine's time when `None`) and runs `speed` times as fast as the wall.
#[must_use]
pub fn accelerated_clock(epoch_ms: Option<u64>, speed: u32) -> ClockFn {
    let start = std::time::Instant::now();
    let epoch = epoch_ms.unwrap_or_else(|| system_clock()());
    Arc::new(move || {
        let elapsed = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        epoch.saturating_add(elapsed.saturating_mul(u64::from(speed.max(1))))
    })
}
