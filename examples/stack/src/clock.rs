//! One accelerated clock for the whole program, which never goes back, not over a restart either.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// UTC milliseconds of the program.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The clock of one run and the file that remembers how far it came.
pub struct ProgramClock {
    clock: Clock,
    file: PathBuf,
}

impl std::fmt::Debug for ProgramClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProgramClock")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl ProgramClock {
    /// Goes on from the time that the last run reached, or from the machine's where that is later, `speed`
    /// times as fast as the wall.
    #[must_use]
    pub fn start(folder: &Path, speed: u32) -> Self {
        let file = folder.join("clock");
        let reached = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse::<u64>().ok())
            .unwrap_or(0);
        let machine = SystemTime::now().duration_since(UNIX_EPOCH);
        let machine = machine.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        });
        let from = machine.max(reached.saturating_add(1));
        let begun = Instant::now();
        let speed = u64::from(speed.max(1));
        let clock: Clock = Arc::new(move || {
            let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            from.saturating_add(elapsed.saturating_mul(speed))
        });
        Self { clock, file }
    }

    /// The clock, to be handed to every part.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Arc::clone(&self.clock)
    }

    /// Writes down a time that is surely not before any time handed out until the next call within `ahead_ms`.
    ///
    /// # Errors
    /// Those of the disk; the old file stays then.
    pub fn remember(&self, ahead_ms: u64) -> std::io::Result<()> {
        let text = (self.clock)().saturating_add(ahead_ms).to_string();
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let first = ProgramClock::start(folder.path(), 1000);
        std::thread::sleep(std::time::Duration::from_millis(20));
        let reached = first.clock()();
        first.remember(0).unwrap();
        let again = ProgramClock::start(folder.path(), 1);
        assert!(again.clock()() >= reached);
    }

    #[test]
    fn a_damaged_file_leaves_the_machine_time() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("clock"), "soon").unwrap();
        let now = ProgramClock::start(folder.path(), 1).clock()();
        assert!(now > 1_700_000_000_000);
    }
}
