//! The management core's side: takes the image, judges it, asks for a restart.

use dlt645::{
    Address, Application, Authority, Control, DataId, Err645, Message, Operator, SecurityErr, Stamp,
};
use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;
use meter_proto::compact;
use meter_proto::file::{FlashFile, Receiver, ReceiverEvent};
use meter_proto::fragment::Assembler;
use meter_proto::message::{
    FileBlock, FileKind, FileNeed, FileOffer, FileStatus, FileTarget, Head,
};
use meter_proto::time::{ClockQuality, Stamp as Moment};
use security::fw::{Admission, BootState, Manifest, PublicKey};

use super::{BootRecords, FILE, MESSAGE, verify_slot};
use crate::store::StoreError;

/// Time until blocks that did not come are asked for again, milliseconds.
const REPEAT_MS: u64 = 500;
/// Time from telling that the image is complete to the restart, milliseconds: the answer must be out.
const RESTART_MS: u64 = 200;
/// Identifier of the software version, 32 characters.
const SOFTWARE_VERSION: DataId = DataId(0x0480_0001);

/// What a device admits and whom it trusts.
#[derive(Clone, Copy, Debug)]
pub struct Device<'k> {
    /// Processor, hardware, counter, slot.
    pub admission: Admission,
    /// Keys that images are signed with.
    pub keys: &'k [PublicKey],
    /// The running image, by its manifest.
    pub running: Manifest,
}

/// Takes an image into the free slot. It exists only while there is a free slot, so not during a trial.
#[derive(Debug)]
pub struct UpdateClient<'k, F, B> {
    device: Device<'k>,
    receiver: Receiver<FlashFile<F>>,
    records: BootRecords<B>,
    state: BootState,
    assembler: Assembler<MESSAGE>,
    /// A slot may hold a whole image that fell back: only what was offered in this session is judged.
    offered: bool,
    told: Option<(u32, FileStatus)>,
    restart_at_ms: Option<u64>,
    failures: u32,
}

impl<'k, F: NorFlash, B: NorFlash> UpdateClient<'k, F, B> {
    /// A client over the free slot of `state`; a part of an image that lies there goes on.
    ///
    /// # Errors
    /// [`StoreError::Read`] when the slot cannot be read.
    pub fn try_new(
        device: Device<'k>,
        slot: FlashFile<F>,
        records: BootRecords<B>,
        state: BootState,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            device,
            receiver: Receiver::new(slot, REPEAT_MS).map_err(|_| StoreError::Read)?,
            records,
            state,
            assembler: Assembler::new(),
            offered: false,
            told: None,
            restart_at_ms: None,
            failures: 0,
        })
    }

    /// Bytes that are whole and bytes of the file.
    #[must_use]
    pub fn progress(&self) -> (u32, u32) {
        self.receiver.progress()
    }

    /// Fragments and writes that failed so far.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Takes the data of one request; writes the answer to `out` and returns its length, 0 when there is nothing to
    /// tell.
    pub fn handle(&mut self, now_ms: u64, data: &[u8], out: &mut [u8]) -> usize {
        if self.take(now_ms, data).is_none() {
            self.failures = self.failures.saturating_add(1);
        }
        let Some(need) = self.need(now_ms) else {
            return 0;
        };
        if need.status == FileStatus::COMPLETE {
            self.restart_at_ms = Some(now_ms.saturating_add(RESTART_MS));
        }
        let head = Head::session(0, Moment::from_seconds(0, ClockQuality::NEVER_SET));
        compact::encode_as(&head, &need, out).unwrap_or(0)
    }

    /// Whether it is time to restart into the new image.
    #[must_use]
    pub fn wants_restart(&self, now_ms: u64) -> bool {
        self.restart_at_ms.is_some_and(|at| now_ms >= at)
    }

    fn take(&mut self, now_ms: u64, data: &[u8]) -> Option<()> {
        let Some(message) = self.assembler.handle_fragment(now_ms, data).ok()? else {
            return Some(());
        };
        if let Ok((_, block)) = compact::decode_as::<FileBlock>(message) {
            self.receiver.handle_block(now_ms, &block).ok()?;
            return self.judge(now_ms);
        }
        let (_, offer) = compact::decode_as::<FileOffer>(message).ok()?;
        self.offer(now_ms, &offer)
    }

    fn offer(&mut self, now_ms: u64, offer: &FileOffer) -> Option<()> {
        let manifest = Manifest::parse(&offer.manifest).ok();
        let hash = manifest.map(|manifest| manifest.image_hash);
        if hash == Some(self.device.running.image_hash) {
            self.told = Some((offer.number, FileStatus::ACTIVE));
            return Some(());
        }
        if hash == Some(self.records.tried().ok()?) {
            self.told = Some((offer.number, FileStatus::FELL_BACK));
            return Some(());
        }
        let wanted = manifest.is_some_and(|manifest| {
            offer.file_kind == FileKind::FIRMWARE
                && offer.target == FileTarget::MANAGEMENT_CORE
                && offer.size == manifest.image_len
                && offer.sha256 == manifest.image_hash
                && manifest.admit(&self.device.admission).is_ok()
        });
        self.receiver.handle_offer(now_ms, offer, wanted).ok()?;
        self.offered |= wanted;
        self.judge(now_ms)
    }

    /// Judges an image that is whole, and marks it for its trial.
    fn judge(&mut self, now_ms: u64) -> Option<()> {
        if !self.offered || self.receiver.poll_event() != Some(ReceiverEvent::Arrived) {
            return Some(());
        }
        let Device {
            admission, keys, ..
        } = &self.device;
        let marked = verify_slot(self.receiver.store(), admission, keys)
            .ok()
            .and_then(|image| self.state.mark(&image).ok());
        let stored = match &marked {
            Some(state) => self.records.store(state).is_ok(),
            None => false,
        };
        self.receiver.handle_verdict(now_ms, stored);
        Some(())
    }

    fn need(&mut self, now_ms: u64) -> Option<FileNeed> {
        if let Some((number, status)) = self.told.take() {
            return Some(FileNeed {
                number,
                status,
                ranges: Vec::new(),
            });
        }
        match self.receiver.poll_need(now_ms) {
            Ok(need) => need,
            Err(_) => {
                self.failures = self.failures.saturating_add(1);
                None
            }
        }
    }
}

/// A management core on the DL/T 645 line that also takes images and tells its software version.
#[derive(Debug)]
pub struct WithUpdate<'a, 'k, C, F, B> {
    /// The core.
    pub core: &'a mut C,
    /// The client; none during a trial.
    pub update: Option<&'a mut UpdateClient<'k, F, B>>,
    /// The running image; none without a boot stage.
    pub running: Option<&'a Manifest>,
    /// The clock of the line, milliseconds.
    pub now_ms: u64,
}

impl<C: Application, F: NorFlash, B: NorFlash> WithUpdate<'_, '_, C, F, B> {
    /// 32 characters, last one first, as texts go on the line.
    fn version(&self, out: &mut [u8]) -> Result<usize, Err645> {
        let running = self.running.ok_or(Err645::NO_DATA)?;
        let (major, minor) = running.version;
        let mut text = heapless::String::<32>::new();
        core::fmt::write(
            &mut text,
            format_args!(
                "{major}.{minor}.{} build {}",
                running.revision, running.build
            ),
        )
        .map_err(|_| Err645::OTHER)?;
        let place = out.get_mut(..32).ok_or(Err645::OTHER)?;
        place.fill(b' ');
        for (to, from) in place.iter_mut().rev().zip(text.bytes()) {
            *to = from;
        }
        Ok(32)
    }
}

impl<C: Application, F: NorFlash, B: NorFlash> Application for WithUpdate<'_, '_, C, F, B> {
    fn address(&self) -> Address {
        self.core.address()
    }

    fn read(&mut self, id: DataId, rest: &[u8], out: &mut [u8]) -> Result<usize, Err645> {
        if id == SOFTWARE_VERSION {
            return self.version(out);
        }
        self.core.read(id, rest, out)
    }

    fn write(&mut self, id: DataId, authority: &Authority, data: &[u8]) -> Result<(), Err645> {
        self.core.write(id, authority, data)
    }

    fn control(&mut self, authority: &Authority, control: &Control) -> Result<(), Err645> {
        self.core.control(authority, control)
    }

    fn security(
        &mut self,
        id: DataId,
        operator: Operator,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityErr> {
        match &mut self.update {
            Some(update) if id == FILE => {
                let room = out.len().min(super::REQUEST_MAX);
                let out = out.get_mut(..room).ok_or(SecurityErr::OTHER)?;
                Ok(update.handle(self.now_ms, data, out))
            }
            _ => self.core.security(id, operator, data, out),
        }
    }

    fn set_time(&mut self, stamp: Stamp) {
        self.core.set_time(stamp);
    }

    fn other(&mut self, message: &Message<'_>, out: &mut [u8]) -> Option<Result<usize, Err645>> {
        self.core.other(message, out)
    }
}
