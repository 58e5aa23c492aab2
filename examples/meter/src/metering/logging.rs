//! What the metering core writes into its log, and when.

use security::key::DeviceKey;
use security::log::Head;

use super::{MeteringCore, StartError};
use crate::crossing::Answer;
use crate::log::{Chain, Event, LINE, Line, Matter, Ring, Told};
use crate::store::{MAX_RECORD, Store, StoreError};

/// Both chains and what was not told yet.
#[derive(Debug)]
pub(super) struct Log {
    key: DeviceKey,
    legal: Ring,
    asked: Ring,
    /// The core was switched off in order before this start.
    clean: bool,
    told: Told,
    /// The management image as it named itself last in this boot.
    image: u64,
}

impl Log {
    /// Two chains that were not opened yet.
    pub fn new(key: &DeviceKey) -> Self {
        let begin = Head::from_bytes(&[0; Head::LEN]);
        Self {
            key: DeviceKey::new(
                key.secret().duplicate(),
                key.id(),
                key.purpose(),
                key.epoch(),
            ),
            legal: Ring::new(Chain::Legal, begin),
            asked: Ring::new(Chain::Asked, begin),
            clean: false,
            told: Told::default(),
            image: 0,
        }
    }

    /// Reads where both chains stand.
    ///
    /// # Errors
    /// [`StartError::AuditKey`].
    pub fn open<S: Store>(
        &mut self,
        store: &mut S,
        buffer: &mut [u8; MAX_RECORD],
        damaged: &mut u32,
    ) -> Result<(), StartError> {
        let newest = self.legal.open(&self.key, store, buffer, damaged);
        let asked = self.asked.open(&self.key, store, buffer, damaged);
        let (Ok(newest), Ok(_)) = (newest, asked) else {
            return Err(StartError::AuditKey);
        };
        self.clean = newest
            .and_then(|line| Line::parse(&line))
            .is_some_and(|line| matches!(line.event, Event::PowerDown { .. }));
        Ok(())
    }

    const fn ring(&self, chain: Chain) -> &Ring {
        match chain {
            Chain::Legal => &self.legal,
            Chain::Asked => &self.asked,
        }
    }
}

impl<const P: usize, S: Store> MeteringCore<P, S> {
    /// Ends in order: what is not told yet is told, the state is stored, the log says so.
    ///
    /// # Errors
    /// [`StoreError`]; what was stored before stays, and the next start says that the power went.
    pub fn power_down(&mut self) -> Result<(), StoreError> {
        while self.tell(true)? {}
        self.save()?;
        let active = self.registers().active;
        self.log(Event::PowerDown {
            import: active.import,
            export: active.export,
        })
    }

    /// The lines of a start: other constants than before, then the start itself.
    pub(super) fn power_up(&mut self, since_s: u64, fingerprint: u32) -> Result<(), StoreError> {
        let before = self.log.legal.mark();
        if before != fingerprint {
            let event = Event::Calibration {
                before,
                now: fingerprint,
            };
            self.write_line(Chain::Legal, event, fingerprint)?;
        }
        let clean = self.log.clean;
        let (damaged, import) = (self.counts.damaged, self.registers().active.import);
        self.log(Event::PowerUp {
            clean,
            damaged: u16::try_from(damaged).unwrap_or(u16::MAX),
            since_s,
            import,
        })
    }

    /// Writes a line of the legal chain.
    pub(super) fn log(&mut self, event: Event) -> Result<(), StoreError> {
        let mark = self.log.legal.mark();
        self.write_line(Chain::Legal, event, mark)
    }

    /// Counts what the management core did; [`MeteringCore::tick`] writes it, so no question costs a write.
    pub(super) fn note(&mut self, matter: Matter, detail: u64) {
        let utc_s = self.utc_ms() / 1000;
        self.log.told.note(matter, utc_s, detail);
    }

    /// Writes one line that is due, with `all` also one that still rests; whether there was one.
    pub(super) fn tell(&mut self, all: bool) -> Result<bool, StoreError> {
        let Some(event) = self.log.told.due(self.rtc_ms, all) else {
            return Ok(false);
        };
        self.write_line(Chain::Asked, event, 0)?;
        if let Event::Asked { matter, .. } = event {
            self.log.told.told(matter, self.rtc_ms);
        }
        Ok(true)
    }

    fn write_line(&mut self, chain: Chain, event: Event, mark: u32) -> Result<(), StoreError> {
        let line: [u8; LINE] = Line {
            boot: self.name.boot,
            utc_s: self.utc_ms() / 1000,
            event,
        }
        .encode();
        let log = &mut self.log;
        let ring = match chain {
            Chain::Legal => &mut log.legal,
            Chain::Asked => &mut log.asked,
        };
        ring.append(&log.key, &mut self.store, &line, mark)
    }

    /// A line of the log for the other core: that one, or the oldest that is left; behind the newest where the chain
    /// stands.
    #[inline(never)]
    pub(super) fn line(&mut self, chain: Chain, number: u64) -> Answer<'static> {
        let ring = self.log.ring(chain);
        match ring.entry(&mut self.store, number) {
            Some(entry) => Answer::Line { chain, entry },
            None => Answer::NoLine {
                chain,
                head: ring.head(),
            },
        }
    }

    /// The management image names itself. Nobody can prove it here, so it is told as what it is.
    pub(super) fn image(&mut self, detail: u64) -> Answer<'static> {
        if detail != self.log.image {
            self.log.image = detail;
            self.note(Matter::Image, detail);
        }
        Answer::Noted
    }
}

/// The first eight bytes of what was asked.
pub(super) fn first_bytes(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    for (place, byte) in first.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u64::from_le_bytes(first)
}
