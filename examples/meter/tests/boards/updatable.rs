//! A board that takes images: flash in memory that can lose its power, the boot stage, the client. Its first two images
//! are told apart by what fills them.

use std::cell::RefCell;
use std::rc::Rc;

use ed25519_compact::{KeyPair, Seed};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use meter::update::{
    BLOCK, BootRecords, Device, PACKAGE_HEAD, Package, RECORD_PAGES, UpdateClient, verify_slot,
};
use meter_proto::file::{FileStore, FlashFile};
use security::fw::{
    Admission, BootState, Core, Manifest, PublicKey, SignatureKind, Slot, StartedBecause,
};
use sha2::{Digest, Sha256};
use testkit::flash::{Flash, FlashError};

/// One block in a page: the most pages, and so the most marks, for an image of this length.
pub const PAGE: usize = 512;
/// Bytes of a word.
pub const WORD: usize = 16;
/// Seed of the key that images are signed with.
pub const SIGNER: [u8; 32] = [0x33; 32];
/// What manifests must name.
pub const HARDWARE: u16 = 7;
/// What manifests must name.
pub const LEGAL: [u8; 8] = *b"legal-01";

pub type Chip = Rc<RefCell<Flash<PAGE, WORD>>>;
pub type Client = UpdateClient<'static, Part, Part>;

/// A range of the chip.
#[derive(Debug)]
pub struct Part {
    chip: Chip,
    page: usize,
    pages: usize,
}

impl Part {
    fn at(&self, offset: u32) -> u32 {
        (self.page * PAGE) as u32 + offset
    }

    fn inside(&self, end: usize) -> Result<(), FlashError> {
        let fits = end <= self.pages * PAGE;
        fits.then_some(()).ok_or(FlashError::OutOfBounds)
    }
}

impl ErrorType for Part {
    type Error = FlashError;
}

impl ReadNorFlash for Part {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        self.inside(offset as usize + bytes.len())?;
        let at = self.at(offset);
        self.chip.borrow_mut().read(at, bytes)
    }

    fn capacity(&self) -> usize {
        self.pages * PAGE
    }
}

impl NorFlash for Part {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        self.inside(to as usize)?;
        let (from, to) = (self.at(from), self.at(to));
        self.chip.borrow_mut().erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        self.inside(offset as usize + bytes.len())?;
        let at = self.at(offset);
        self.chip.borrow_mut().write(at, bytes)
    }
}

/// An image of `length` bytes, signed. Its security counter, version and content follow `counter`.
pub fn package(counter: u32, length: usize) -> Vec<u8> {
    let signer = KeyPair::from_seed(Seed::new(SIGNER));
    let image: Vec<u8> = (0..length as u32)
        .map(|at| (at.wrapping_mul(counter.wrapping_add(7)) >> 3) as u8)
        .collect();
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: HARDWARE,
        security_counter: counter,
        version: (1, counter as u8),
        revision: 0,
        build: counter,
        image_len: length as u32,
        chunk_len: BLOCK,
        image_hash: Sha256::digest(&image).into(),
        base_hash: [0; 32],
        legal_software: LEGAL,
        key_id: PublicKey::Ed25519(*signer.pk).id(),
    }
    .encode();
    let signature = *signer.sk.sign(manifest, None);
    [&manifest[..], &signature[..], &image[..]].concat()
}

/// The board. Whatever it starts must be one of the good images, byte for byte.
pub struct Board {
    pub chip: Chip,
    keys: &'static [PublicKey],
    good: [Vec<u8>; 2],
    slot_pages: usize,
    /// Whether the second image confirms itself.
    works: bool,
}

/// What runs between two starts.
pub struct Life {
    /// What runs.
    pub manifest: Manifest,
    /// Takes images.
    pub client: Client,
}

impl Board {
    /// As it leaves the factory: the first image in slot A. Both images have the same length.
    pub fn new(good: [Vec<u8>; 2], works: bool) -> Self {
        let image = good[0].len() - PACKAGE_HEAD;
        // A head, pages of marks, content.
        let content = image.div_ceil(PAGE);
        let slot_pages = 1 + content.div_ceil(PAGE / WORD) + content;
        let chip = Rc::new(RefCell::new(Flash::new(RECORD_PAGES + 2 * slot_pages, 5)));
        let key = PublicKey::Ed25519(*KeyPair::from_seed(Seed::new(SIGNER)).pk);
        let board = Self {
            chip,
            keys: Box::leak(Box::new([key])),
            good,
            slot_pages,
            works,
        };
        let mut file = board.slot(Slot::A);
        let first = &board.good[0];
        let offer = Package::parse(first).unwrap().offer();
        file.begin(Some(&offer)).unwrap();
        for (page, bytes) in (0..).zip(first[PACKAGE_HEAD..].chunks(PAGE)) {
            file.clear_page(page).unwrap();
            let mut whole = bytes.to_vec();
            whole.resize(bytes.len().next_multiple_of(WORD), 0xFF);
            file.write(page * PAGE as u32, &whole).unwrap();
            file.mark_whole(page).unwrap();
        }
        board.records().store(&BootState::new(Slot::A)).unwrap();
        board
    }

    fn slot(&self, slot: Slot) -> FlashFile<Part> {
        let part = Part {
            chip: Rc::clone(&self.chip),
            page: RECORD_PAGES + self.slot_pages * slot as usize,
            pages: self.slot_pages,
        };
        FlashFile::try_new(part, 0, self.slot_pages as u32).unwrap()
    }

    fn records(&self) -> BootRecords<Part> {
        let part = Part {
            chip: Rc::clone(&self.chip),
            page: 0,
            pages: RECORD_PAGES,
        };
        BootRecords::try_new(part).unwrap()
    }

    fn admission(&self, security_counter: u32) -> Admission {
        Admission {
            core: Core::Management,
            hardware: HARDWARE,
            security_counter,
            legal_software: LEGAL,
            slot_len: ((self.slot_pages - 2) * PAGE) as u32,
            running_hash: None,
            decrypts: false,
        }
    }

    /// The boot stage, as `examples/firmware` has it. `None` when the power goes meanwhile.
    pub fn boot(&self) -> Option<(Slot, Manifest, BootState)> {
        let mut records = self.records();
        let state = records.state().ok()?;
        let state = state.expect("one copy of the boot stage's record is whole");
        let device = self.admission(state.counter_floor());
        let verified = |which| verify_slot(&mut self.slot(which), &device, self.keys).ok();
        let decision = state.decide(|slot| verified(slot).is_some());
        if self.chip.borrow().is_lost() {
            return None;
        }
        let start = decision.start.expect("an image verifies");
        assert!(decision.starts(start));
        let manifest = *verified(start)?.get();
        if decision.because == StartedBecause::Trial {
            records.note_trial(&manifest.image_hash).ok()?;
        }
        if let Some(next) = &decision.store {
            records.store(next).ok()?;
        }
        let mut image = vec![0; manifest.image_len as usize];
        self.slot(start).read(0, &mut image).ok()?;
        assert!(
            self.good.iter().any(|good| good[PACKAGE_HEAD..] == image),
            "slot {start:?} is started with other bytes than were signed"
        );
        Some((start, manifest, decision.store.unwrap_or(state)))
    }

    /// A start: the boot stage, then an image that confirms itself. `None` when it comes to a reset before it takes
    /// images.
    pub fn start(&self) -> Option<Life> {
        let (running, manifest, mut state) = self.boot()?;
        let device = Device {
            admission: self.admission(state.counter_floor()),
            keys: self.keys,
            running: manifest,
        };
        if state.on_trial() {
            if !self.works && manifest.security_counter > 1 {
                return None;
            }
            let image = verify_slot(&mut self.slot(running), &device.admission, self.keys).ok()?;
            state = state.confirm(&image).unwrap();
            self.records().store(&state).ok()?;
        }
        let free = state.free().filter(|_| running == state.active())?;
        let client = UpdateClient::try_new(device, self.slot(free), self.records(), state).ok()?;
        Some(Life { manifest, client })
    }
}
