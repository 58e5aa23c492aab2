//! A clock that moves only when the test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Milliseconds of virtual time. Clones show the same time, so one clock can be handed to every
/// part of a bench.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    /// A clock that shows `now` milliseconds.
    pub fn new(now: u64) -> Self {
        Clock(Arc::new(AtomicU64::new(now)))
    }

    /// The time shown, in milliseconds.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Moves on by so many milliseconds and returns the new time.
    pub fn advance(&self, by: u64) -> u64 {
        self.0.fetch_add(by, Ordering::SeqCst).saturating_add(by)
    }

    /// Moves to `to` milliseconds if that lies ahead; never backwards. Returns the time shown.
    pub fn advance_to(&self, to: u64) -> u64 {
        self.0.fetch_max(to, Ordering::SeqCst).max(to)
    }

    /// Sets the clock to any time, backwards too: what a clock order does to a meter.
    pub fn set(&self, to: u64) {
        self.0.store(to, Ordering::SeqCst);
    }

    /// The clock as the function that host programs take.
    pub fn as_fn(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn clones_share_the_time() {
        let clock = Clock::new(5);
        let read = clock.as_fn();
        assert_eq!(clock.clone().advance(10), 15);
        assert_eq!(clock.advance_to(3), 15);
        assert_eq!(read(), 15);
        clock.set(1);
        assert_eq!(read(), 1);
    }
}
