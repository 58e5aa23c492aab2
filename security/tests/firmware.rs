//! Updates, with the power cut at every flash operation: always an image that verifies.

use ed25519_compact::{KeyPair, Seed};
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use security::engine::{Block128, BlockCipher, EngineError, MockChip, Soft};
use security::fw::{
    Admission, BootError, BootState, ChunkMap, Core, ImageCipher, ImageKeyError, MANIFEST_LEN,
    Manifest, ManifestError, NotAdmitted, PublicKey, RECORD_LEN, SIGNATURE_LEN, SignatureKind,
    Slot, StartedBecause, VerifyError, verify,
};
use security::gate::Verified;
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use sha2::{Digest, Sha256};
use testkit::Rng;
use testkit::flash::{Cut, Flash, FlashError};

const PAGE: u32 = 256;
const CHUNK: u16 = 64;
/// Pages: a manifest and two of image for each slot, the map of chunks, two boot records, and one that
/// counts up and is never erased.
const SLOT_PAGES: u32 = 3;
const MAP_PAGE: u32 = 2 * SLOT_PAGES;
const RECORD_PAGE: u32 = MAP_PAGE + 1;
const COUNTER_PAGE: u32 = RECORD_PAGE + 2;

fn signer() -> KeyPair {
    KeyPair::from_seed(Seed::new([5; 32]))
}

fn public_key() -> PublicKey {
    PublicKey::Ed25519(*signer().pk)
}

/// A signed image of a security counter; its bytes tell it apart.
#[derive(Clone)]
struct Image {
    manifest: Manifest,
    signature: [u8; SIGNATURE_LEN],
    bytes: Vec<u8>,
}

fn image(counter: u32, len: usize) -> Image {
    let bytes: Vec<u8> = (0..len)
        .map(|at| (at as u8) ^ (counter as u8 * 37))
        .collect();
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: 0x0101,
        security_counter: counter,
        version: (1, counter as u8),
        revision: 0,
        build: 100,
        image_len: len as u32,
        chunk_len: CHUNK,
        image_hash: Sha256::digest(&bytes).into(),
        base_hash: [0; 32],
        legal_software: [0; 8],
        key_id: public_key().id(),
    };
    let signature = *signer().sk.sign(manifest.encode(), None);
    Image {
        manifest,
        signature,
        bytes,
    }
}

fn admission(counter: u32) -> Admission {
    Admission {
        core: Core::Management,
        hardware: 0x0101,
        security_counter: counter,
        legal_software: *b"legal-10",
        slot_len: 2 * PAGE,
        running_hash: None,
        decrypts: false,
    }
}

struct Device {
    flash: Flash<256, 4>,
    running: Slot,
}

impl Device {
    fn new(seed: u64, first: &Image) -> Self {
        let mut device = Self {
            flash: Flash::new(COUNTER_PAGE as usize + 1, seed),
            running: Slot::A,
        };
        device.write_whole(Slot::A, first).unwrap();
        device.store(&BootState::new(Slot::A)).unwrap();
        device.boot().unwrap();
        device
    }

    fn base(slot: Slot) -> u32 {
        slot as u32 * SLOT_PAGES * PAGE
    }

    fn erase(&mut self, page: u32, pages: u32) -> Result<(), FlashError> {
        self.flash.erase(page * PAGE, (page + pages) * PAGE)
    }

    fn write_manifest(&mut self, slot: Slot, image: &Image) -> Result<(), FlashError> {
        let both = [&image.manifest.encode()[..], &image.signature].concat();
        self.flash.write(Self::base(slot), &both)
    }

    fn write_whole(&mut self, slot: Slot, image: &Image) -> Result<(), FlashError> {
        self.write_manifest(slot, image)?;
        let mut bytes = image.bytes.clone();
        bytes.resize(bytes.len().next_multiple_of(4), 0xFF);
        self.flash.write(Self::base(slot) + PAGE, &bytes)
    }

    fn state(&mut self) -> BootState {
        let mut copies = [[0; RECORD_LEN]; 2];
        for (nth, copy) in (0..).zip(&mut copies) {
            self.flash.read((RECORD_PAGE + nth) * PAGE, copy).unwrap();
        }
        BootState::restore([&copies[0], &copies[1]]).expect("no whole boot record")
    }

    fn store(&mut self, state: &BootState) -> Result<(), FlashError> {
        let page = RECORD_PAGE + state.copy() as u32;
        self.erase(page, 1)?;
        self.flash.write(page * PAGE, &state.to_bytes())
    }

    /// The monotonic counter: one word is cleared for each step.
    fn counter(&self) -> u32 {
        let page = &self.flash.bytes()[(COUNTER_PAGE * PAGE) as usize..];
        let steps = page.chunks(4).take_while(|word| **word != [0xFF; 4]);
        steps.count() as u32
    }

    fn raise(&mut self, to: u32) -> Result<(), FlashError> {
        while self.counter() < to {
            let at = COUNTER_PAGE * PAGE + 4 * self.counter();
            self.flash.write(at, &[0; 4])?;
        }
        Ok(())
    }

    fn verified(&mut self, slot: Slot) -> Result<Verified<Manifest>, VerifyError> {
        let mut head = [0; MANIFEST_LEN + SIGNATURE_LEN];
        self.flash.read(Self::base(slot), &mut head).unwrap();
        let (manifest, signature) = head.split_at(MANIFEST_LEN);
        let device = admission(self.counter());
        let flash = &mut self.flash;
        let mut read = |offset, buf: &mut [u8]| {
            let from = Self::base(slot) + PAGE + offset;
            flash.read(from, buf).map_err(drop)
        };
        let signature = signature.try_into().unwrap();
        verify(manifest, signature, &device, &[public_key()], &mut read)
    }

    /// The boot stage, and the first thing that every image does.
    fn boot(&mut self) -> Result<StartedBecause, FlashError> {
        let state = self.state();
        let decision = state.decide(|slot| self.verified(slot).is_ok());
        if let Some(next) = decision.store {
            self.store(&next)?;
        }
        for slot in [Slot::A, Slot::B] {
            assert_eq!(decision.starts(slot), decision.start == Some(slot));
        }
        self.running = decision.start.expect("no image verifies");
        let floor = self.state().counter_floor();
        self.raise(floor)?;
        Ok(decision.because)
    }

    /// The running image brings the device to the offered one, from wherever it stands.
    fn update(&mut self, offered: &Image, works: bool) -> Result<(), FlashError> {
        let state = self.state();
        if state.on_trial() {
            if works {
                let image = self.verified(self.running).unwrap();
                let confirmed = state.confirm(&image).unwrap();
                self.store(&confirmed)?;
                self.raise(confirmed.counter_floor())?;
            }
            return Ok(());
        }
        let Some(free) = state.free() else {
            return Ok(());
        };
        offered.manifest.admit(&admission(self.counter())).unwrap();
        self.download(free, offered)?;
        let image = self.verified(free).expect("what was downloaded verifies");
        let marked = state.mark(&image).unwrap();
        self.store(&marked)
    }

    fn download(&mut self, free: Slot, offered: &Image) -> Result<(), FlashError> {
        let mut head = [0; MANIFEST_LEN + SIGNATURE_LEN];
        self.flash.read(Self::base(free), &mut head)?;
        if head != *[&offered.manifest.encode()[..], &offered.signature].concat() {
            // Another manifest: it goes first and comes last, so that no map stands beside a wrong one.
            self.erase(free as u32 * SLOT_PAGES, SLOT_PAGES)?;
            self.erase(MAP_PAGE, 1)?;
            self.write_manifest(free, offered)?;
        }
        let mut bits = vec![0; ChunkMap::len(&offered.manifest)];
        self.flash.read(MAP_PAGE * PAGE, &mut bits)?;
        let mut map = ChunkMap::new(&offered.manifest, &mut bits).unwrap();
        for chunk in map.missing(0).collect::<Vec<_>>() {
            let place = map.place(chunk).unwrap();
            let mut data = offered.bytes[place.start as usize..place.end as usize].to_vec();
            assert_eq!(map.wants(chunk, data.len()), Ok(Some(place.clone())));
            data.resize(data.len().next_multiple_of(4), 0xFF);
            self.flash
                .write(Self::base(free) + PAGE + place.start, &data)?;
            let written = map.note(chunk).unwrap();
            let mut word = [0xFF; 4];
            word[written.at % 4] = written.byte;
            let at = MAP_PAGE * PAGE + (written.at as u32 & !3);
            self.flash.write(at, &word)?;
        }
        assert!(map.is_complete());
        Ok(())
    }

    fn running_counter(&mut self) -> u32 {
        let running = self.running;
        self.verified(running).unwrap().get().security_counter
    }
}

/// Updates from 1 to 2 while power goes as planned, then on to 3; returns the flash steps of the first.
fn story(seed: u64, works: bool, cut: Option<Cut>) -> u64 {
    let (first, second) = (image(1, 300), image(2, 333));
    let mut device = Device::new(seed, &first);
    let before = device.flash.steps();
    if let Some(cut) = cut {
        device.flash.cut(cut);
    }
    let mut reverted = false;
    for _ in 0..8 {
        if device.running_counter() == 2 && !device.state().on_trial() {
            break;
        }
        // Whatever is cut: power comes back, and an image that verifies starts.
        let step = device
            .update(&second, works || reverted)
            .and_then(|()| device.boot());
        match step {
            Ok(because) => reverted |= because == StartedBecause::NotConfirmed,
            Err(_) => {
                device.flash.restore();
                let because = device.boot().expect("power is back");
                reverted |= because == StartedBecause::NotConfirmed;
            }
        }
        assert!([1, 2].contains(&device.running_counter()));
    }
    assert_eq!(device.running_counter(), 2);
    assert_eq!((device.counter(), reverted || works), (2, true));
    device.flash.steps() - before
}

#[test]
#[cfg_attr(miri, ignore = "signatures, minutes each")]
fn power_is_cut_at_every_flash_operation() {
    for works in [true, false] {
        let steps = story(1, works, None);
        assert!(steps > 100, "{steps}");
        for at in 0..steps {
            story(at, works, Some(Cut::Before(at)));
            story(at, works, Some(Cut::Inside(at)));
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "signatures, minutes each")]
fn power_is_cut_again_and_again() {
    let (first, second) = (image(1, 300), image(2, 333));
    for seed in 0..40 {
        let mut rng = Rng::new(seed);
        let mut device = Device::new(seed, &first);
        let mut tries = 0;
        while device.running_counter() != 2 || device.state().on_trial() {
            tries += 1;
            assert!(tries < 1000, "the update does not end");
            let at = rng.below(90);
            let cut = if rng.chance(500_000) {
                Cut::Before(at)
            } else {
                Cut::Inside(at)
            };
            device.flash.cut(cut);
            let step = device.update(&second, true).and_then(|()| device.boot());
            device.flash.restore();
            if step.is_err() {
                device.boot().expect("power is back");
            }
        }
        device.raise(2).unwrap();
        assert!(
            device.verified(Slot::A).is_err(),
            "the old image is too old now"
        );
    }
}

#[test]
#[cfg_attr(miri, ignore = "signatures, minutes each")]
fn each_changed_bit_of_manifest_signature_and_image_is_refused() {
    let good = image(1, 300);
    let check = |manifest: &[u8], signature: &[u8; SIGNATURE_LEN], bytes: &[u8]| {
        let mut read = |offset: u32, buf: &mut [u8]| {
            let from = offset as usize;
            buf.copy_from_slice(bytes.get(from..from + buf.len()).ok_or(())?);
            Ok(())
        };
        verify(
            manifest,
            signature,
            &admission(1),
            &[public_key()],
            &mut read,
        )
    };
    let manifest = good.manifest.encode();
    assert!(check(&manifest, &good.signature, &good.bytes).is_ok());
    for bit in 0..MANIFEST_LEN * 8 {
        let mut changed = manifest;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            check(&changed, &good.signature, &good.bytes).is_err(),
            "{bit}"
        );
    }
    for bit in 0..SIGNATURE_LEN * 8 {
        let mut changed = good.signature;
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = check(&manifest, &changed, &good.bytes);
        assert_eq!(refused.map(drop), Err(VerifyError::Signature));
    }
    for bit in 0..good.bytes.len() * 8 {
        let mut changed = good.bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refused = check(&manifest, &good.signature, &changed);
        assert_eq!(refused.map(drop), Err(VerifyError::ImageHash));
    }
    let short = check(&manifest, &good.signature, &good.bytes[..299]);
    assert_eq!(short.map(drop), Err(VerifyError::Flash { at: 256 }));
    let stranger = PublicKey::Ed25519([9; 32]);
    let unknown = verify(
        &manifest,
        &good.signature,
        &admission(1),
        &[stranger],
        &mut |_, _: &mut [u8]| Ok(()),
    );
    assert_eq!(unknown.map(drop), Err(VerifyError::UnknownKey));
}

#[test]
fn what_is_not_for_this_device_is_not_admitted() {
    let good = image(5, 300).manifest;
    let device = admission(5);
    let admit = |change: fn(&mut Manifest)| {
        let mut manifest = good;
        change(&mut manifest);
        // Any manifest of this kind survives its bytes.
        assert_eq!(Manifest::parse(&manifest.encode()), Ok(manifest));
        manifest.admit(&device)
    };
    assert_eq!(admit(|_| ()), Ok(()));
    assert_eq!(
        admit(|m| m.core = Core::Metering),
        Err(NotAdmitted::MeteringCore)
    );
    assert_eq!(admit(|m| m.core = Core::Modem), Err(NotAdmitted::OtherCore));
    let (found, expected) = (0x0102, 0x0101);
    assert_eq!(
        admit(|m| m.hardware = 0x0102),
        Err(NotAdmitted::OtherHardware { found, expected })
    );
    let (found, least) = (4, 5);
    assert_eq!(
        admit(|m| m.security_counter = 4),
        Err(NotAdmitted::Rollback { found, least })
    );
    assert_eq!(admit(|m| m.legal_software = *b"legal-10"), Ok(()));
    assert_eq!(
        admit(|m| m.legal_software = *b"legal-11"),
        Err(NotAdmitted::OtherLegalSoftware)
    );
    let (found, most) = (513, 512);
    assert_eq!(
        admit(|m| m.image_len = 513),
        Err(NotAdmitted::TooLong { found, most })
    );
    assert_eq!(admit(|m| m.encrypted = true), Err(NotAdmitted::Encrypted));
    assert_eq!(
        admit(|m| (m.delta, m.base_hash) = (true, [7; 32])),
        Err(NotAdmitted::OtherBase)
    );
    let mut with_base = device;
    with_base.running_hash = Some([7; 32]);
    let mut delta = good;
    (delta.delta, delta.base_hash) = (true, [7; 32]);
    assert_eq!(delta.admit(&with_base), Ok(()));

    // The metering core refuses too when it is asked itself.
    let mut legal = good;
    legal.core = Core::Metering;
    let mut metering = device;
    metering.core = Core::Metering;
    assert_eq!(legal.admit(&metering), Err(NotAdmitted::MeteringCore));
}

#[test]
fn malformed_manifests_name_the_byte() {
    let good = image(1, 300).manifest.encode();
    for (at, found) in [
        (0, b'N'),
        (5, 0x79),
        (6, 2),
        (7, 0),
        (7, 3),
        (8, 0),
        (8, 5),
        (9, 4),
        (30, 1),
        (31, 1),
        (64, 1),
        (95, 1),
        (112, 1),
        (119, 1),
    ] {
        let mut changed = good;
        changed[at] = found;
        let refused = Manifest::parse(&changed);
        assert_eq!(refused, Err(ManifestError::Field { at, found }));
    }
    for range in [24..28, 28..30] {
        let mut changed = good;
        changed[range.clone()].fill(0);
        let at = range.start;
        assert_eq!(
            Manifest::parse(&changed),
            Err(ManifestError::Field { at, found: 0 })
        );
    }
    let refused = Manifest::parse(&good[..119]);
    assert_eq!(refused, Err(ManifestError::Length { found: 119 }));
}

#[test]
#[cfg_attr(miri, ignore = "signatures, minutes each")]
fn an_image_without_confirmation_gives_way() {
    let (first, second) = (image(1, 300), image(2, 333));
    let mut device = Device::new(1, &first);
    device.update(&second, false).unwrap();
    assert_eq!(device.state().free(), None);
    assert_eq!(device.boot(), Ok(StartedBecause::Trial));
    assert!(device.state().overdue(600, 600) && !device.state().overdue(599, 600));
    // The trial changed nothing that cannot be taken back.
    assert_eq!(device.counter(), 0);
    assert_eq!(device.boot(), Ok(StartedBecause::NotConfirmed));
    assert_eq!(device.running_counter(), 1);
    let image = device.verified(Slot::A).unwrap();
    assert_eq!(device.state().confirm(&image), Err(BootError::NotOnTrial));

    // An image that was spoilt after it was marked does not start.
    device.update(&second, false).unwrap();
    device.flash.bytes_mut()[(Device::base(Slot::B) + PAGE + 5) as usize] ^= 1;
    assert_eq!(device.boot(), Ok(StartedBecause::NewDoesNotVerify));
    // A spoilt active image gives way to one that verifies, and nothing starts when none does.
    device.flash.bytes_mut()[(Device::base(Slot::B) + PAGE + 5) as usize] ^= 1;
    device.flash.bytes_mut()[(Device::base(Slot::A) + PAGE) as usize] ^= 1;
    assert_eq!(device.boot(), Ok(StartedBecause::ActiveDoesNotVerify));
    let decision = device.state().decide(|_| false);
    assert_eq!(
        (decision.start, decision.because),
        (None, StartedBecause::Nothing)
    );
}

#[test]
fn an_encrypted_image_is_plain_in_flash_and_nowhere_else() {
    let id = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
    let device = |purpose, byte| DeviceKey::new(Secret::new([byte; 16]), id, purpose, 1).soft();
    let image_key = Secret::new([0x31; 16]);
    let fw = device(Purpose::Fw, 7);
    let wrapped = ImageCipher::wrap_key(&mut Soft, &fw, &image_key).unwrap();
    let publisher = ImageCipher::new(&mut Soft, &image_key).unwrap();

    let plain: Vec<u8> = (0..333_u32).map(|at| (at * 5) as u8).collect();
    let mut hidden = plain.clone();
    publisher.apply(&mut Soft, 0, &mut hidden).unwrap();
    // Counter mode, block by block.
    let Ok(key) = Soft.load(BlockCipher::Aes128, &image_key);
    for (number, (hidden, plain)) in hidden.chunks(16).zip(plain.chunks(16)).enumerate() {
        let mut stream = [[0; 16]];
        stream[0][15] = number as u8;
        let Ok(()) = Soft.encrypt(&key, &mut stream);
        let expected: Vec<u8> = plain.iter().zip(stream[0]).map(|(a, b)| a ^ b).collect();
        assert_eq!(hidden, expected);
    }
    // Chunks of any length come in any order.
    let cipher = ImageCipher::unwrap(&mut Soft, &fw, &wrapped).unwrap();
    for len in [1, 15, 16, 17, 31, 32, 33, 64, 333] {
        let mut written = vec![0; plain.len()];
        for from in (0..plain.len()).step_by(len).rev() {
            let until = (from + len).min(plain.len());
            let mut chunk = hidden[from..until].to_vec();
            cipher.apply(&mut Soft, from as u32, &mut chunk).unwrap();
            written[from..until].copy_from_slice(&chunk);
        }
        assert_eq!(written, plain, "{len}");
    }
    // For nobody else, and under no key of another purpose.
    for (purpose, byte, expected) in [
        (Purpose::Fw, 8, ImageKeyError::Key),
        (Purpose::Data, 7, ImageKeyError::Purpose),
    ] {
        let key = device(purpose, byte);
        let refused = ImageCipher::unwrap(&mut Soft, &key, &wrapped).map(drop);
        assert_eq!(refused, Err(expected));
    }
    // A chip that fails leaves no part of it readable.
    let mut chip = MockChip::<4>::new();
    let on_chip = ImageCipher::new(&mut chip, &image_key).unwrap();
    chip.fail_after(1, EngineError::Fault);
    let mut chunk = hidden[..64].to_vec();
    let failed = on_chip.apply(&mut chip, 0, &mut chunk);
    assert_eq!((failed, chunk), (Err(EngineError::Fault), vec![0; 64]));
}
