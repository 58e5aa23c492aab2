//! The gateway's end of the hop to the cloud: seals what goes up, opens what comes down.

use std::io;
use std::path::Path;

use security::counter::{DEFAULT_BLOCK, SendCounter};
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::{OpenError, Opener, SealError, Sealer};
use security::replay::ReplayWindow;
use security::suite::Suite;

use crate::config::{ConfigError, Keys, hex_to_bytes};
use crate::twin::TwinFile;

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealFailure {
    /// The counter's limit cannot be written ahead.
    #[error("the counter cannot be stored: {0}")]
    Disk(#[from] io::Error),
    /// The key is used up, or the message does not fit.
    #[error("{0}")]
    Seal(SealError),
}

/// A message from the down topic, proved and fresh.
#[derive(Debug)]
pub struct Received {
    /// What the envelope carried.
    pub class: Class,
    /// The message.
    pub plain: Vec<u8>,
}

/// Both directions of the hop, with counters and window on the disk.
#[derive(Debug)]
pub struct HopSeal {
    sealer: Sealer,
    reserve: TwinFile,
    opener: Opener,
    window: TwinFile,
}

impl HopSeal {
    /// Derives the link keys of the gateway with `serial` and goes on above the stored counter, in an empty folder
    /// above `first`, which must be no less than all that a lost folder may have used.
    ///
    /// # Errors
    /// [`ConfigError::BadText`] for a key that is not 32 hex digits; those of the file system as
    /// [`ConfigError::Unreadable`].
    pub fn open(dir: &Path, serial: [u8; 6], keys: &Keys, first: u64) -> Result<Self, ConfigError> {
        let id = DeviceKeyId::gateway(serial);
        let key = |text: &str, purpose| match hex_to_bytes::<16>(text) {
            Some(bytes) => Ok(DeviceKey::new(Secret::new(bytes), id, purpose, keys.epoch)),
            None => Err(ConfigError::BadText {
                found: "a key".into(),
                expected: "32 hex digits",
            }),
        };
        let (mdata, ctrl) = (
            key(&keys.keys.mdata, Purpose::Mdata)?,
            key(&keys.keys.ctrl, Purpose::Ctrl)?,
        );
        let unreadable = |source| ConfigError::Unreadable {
            path: dir.to_owned(),
            source,
        };
        // Counters belong to one epoch of the key: a new epoch starts new files.
        let (reserve, limit) =
            TwinFile::open(dir, &format!("counter-{}", keys.epoch)).map_err(unreadable)?;
        let (window, seen) =
            TwinFile::open(dir, &format!("window-{}", keys.epoch)).map_err(unreadable)?;
        let limit = limit
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(first, u64::from_le_bytes);
        let seen = seen.and_then(|bytes| bytes.try_into().ok());
        let seen = seen.map_or(ReplayWindow::new(), |bytes: [u8; 16]| {
            ReplayWindow::from_bytes(&bytes)
        });
        let counter = SendCounter::boot(limit, DEFAULT_BLOCK);
        Ok(Self {
            sealer: Sealer::new(&mdata, Direction::FromDevice, Suite::Ccm16, counter),
            reserve,
            opener: Opener::new(&ctrl, Direction::ToDevice, Suite::Ccm16).with_window(seen),
            window,
        })
    }

    /// Seals `plain` for `topic` under a number that no earlier message had.
    ///
    /// # Errors
    /// [`SealFailure`].
    pub fn seal(
        &mut self,
        class: Class,
        topic: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealFailure> {
        if let Some(reservation) = self.sealer.reservation() {
            self.reserve.store(&reservation.limit().to_le_bytes())?;
            reservation.confirm();
        }
        let mut buf = vec![0; self.sealer.sealed_len(plain.len())];
        let sealed = self
            .sealer
            .seal_from(class, topic.as_bytes(), plain, &mut buf)
            .map_err(SealFailure::Seal)?;
        Ok(sealed.to_vec())
    }

    /// Opens what came on `topic`. A command is accepted only after the window that holds it is on the disk, so that
    /// it cannot be played again after a power cut.
    ///
    /// # Errors
    /// [`OpenError`]; a window that cannot be stored refuses the command.
    pub fn open_down(&mut self, topic: &str, payload: &[u8]) -> Result<Received, OpenError> {
        let mut bytes = payload.to_vec();
        let opened = self.opener.open(topic.as_bytes(), &mut bytes)?;
        let received = Received {
            class: opened.header.class,
            plain: opened.plain.to_vec(),
        };
        if received.class == Class::Command
            && self.window.store(&self.opener.window().to_bytes()).is_err()
        {
            return Err(OpenError::Refused);
        }
        Ok(received)
    }
}
