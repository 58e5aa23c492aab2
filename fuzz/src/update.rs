//! Updates of the management core: both machines and the package, over any bytes, losses and power cuts.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use ed25519_compact::{KeyPair, Seed};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use meter::update::{
    BLOCK, BootRecords, Device, PACKAGE_HEAD, Package, RECORD_PAGES, REQUEST_MAX, UpdateClient,
    UpdateSender,
};
use meter_proto::compact;
use meter_proto::file::{FileStore, FlashFile};
use meter_proto::fragment::Fragmenter;
use meter_proto::message::{FileBlock, FileOffer, Head};
use meter_proto::time::{ClockQuality, Stamp};
use security::fw::{Admission, BootState, Core, Manifest, PublicKey, SignatureKind, Slot};
use sha2::{Digest, Sha256};
use testkit::flash::{Cut, Flash, FlashError};

use crate::input::Input;

const PAGE: usize = 512;
const WORD: usize = 16;
/// Head, marks, two pages of content.
const SLOT_PAGES: usize = 4;
const IMAGE: usize = 2 * PAGE - 24;
/// Steps of a run: enough to carry the image twice.
const STEPS: usize = 96;

type Chip = Rc<RefCell<Flash<PAGE, WORD>>>;

/// The slot or the boot stage's record on the one chip.
struct Part(Chip, usize, usize);

impl Part {
    fn at(&self, offset: u32) -> u32 {
        (self.1 * PAGE) as u32 + offset
    }
}

impl ErrorType for Part {
    type Error = FlashError;
}

impl ReadNorFlash for Part {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        assert!(offset as usize + bytes.len() <= self.capacity());
        self.0.borrow_mut().read(self.at(offset), bytes)
    }

    fn capacity(&self) -> usize {
        self.2 * PAGE
    }
}

impl NorFlash for Part {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        assert!(to as usize <= self.capacity());
        self.0.borrow_mut().erase(self.at(from), self.at(to))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        assert!(offset as usize + bytes.len() <= self.capacity());
        self.0.borrow_mut().write(self.at(offset), bytes)
    }
}

/// The one image that is signed, and the key.
fn genuine() -> &'static (Vec<u8>, [PublicKey; 1]) {
    static GENUINE: OnceLock<(Vec<u8>, [PublicKey; 1])> = OnceLock::new();
    GENUINE.get_or_init(|| {
        let signer = KeyPair::from_seed(Seed::new([0x33; 32]));
        let image: Vec<u8> = (0..IMAGE).map(|at| ((at * 7) >> 2) as u8).collect();
        let key = PublicKey::Ed25519(*signer.pk);
        let manifest = manifest(&image, key.id()).encode();
        let signature = *signer.sk.sign(manifest, None);
        ([&manifest[..], &signature[..], &image[..]].concat(), [key])
    })
}

fn manifest(image: &[u8], key_id: [u8; 8]) -> Manifest {
    Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: 7,
        security_counter: 2,
        version: (1, 2),
        revision: 0,
        build: 2,
        image_len: image.len() as u32,
        chunk_len: BLOCK,
        image_hash: Sha256::digest(image).into(),
        base_hash: [0; 32],
        legal_software: [0; 8],
        key_id,
    }
}

fn slot(chip: &Chip) -> FlashFile<Part> {
    let part = Part(Rc::clone(chip), RECORD_PAGES, SLOT_PAGES);
    FlashFile::try_new(part, 0, SLOT_PAGES as u32).expect("it fits")
}

fn records(chip: &Chip) -> BootRecords<Part> {
    BootRecords::try_new(Part(Rc::clone(chip), 0, RECORD_PAGES)).expect("it fits")
}

/// A client after a start; `None` when an image waits for its trial.
fn start(chip: &Chip) -> Option<UpdateClient<'static, Part, Part>> {
    let (package, keys) = genuine();
    let genuine = Package::parse(package).expect("a package");
    let state = records(chip).state().expect("the flash works");
    let state = state.expect("one copy of the record is whole");
    if state.free().is_none() {
        // Only what was signed is ever marked.
        let mut image = vec![0; IMAGE];
        slot(chip).read(0, &mut image).expect("the flash works");
        assert!(image == genuine.image(), "other bytes were marked");
        return None;
    }
    let device = Device {
        admission: Admission {
            core: Core::Management,
            hardware: 7,
            security_counter: 1,
            legal_software: [0; 8],
            slot_len: IMAGE as u32,
            running_hash: None,
            decrypts: false,
        },
        keys,
        running: manifest(b"the first image", keys[0].id()),
    };
    Some(UpdateClient::try_new(device, slot(chip), records(chip), state).expect("the flash works"))
}

/// Fragments of a message as the bytes say, some of them lost.
fn tell(
    client: &mut UpdateClient<'_, Part, Part>,
    now: u64,
    message: &[u8],
    input: &mut Input<'_>,
) -> Option<Vec<u8>> {
    let number = u16::from(input.byte());
    let mut fragments = Fragmenter::new(number, message, REQUEST_MAX).ok()?;
    let lost = input.byte();
    let mut answer = None;
    let mut piece = [0; REQUEST_MAX];
    let mut nth = 0;
    while let Some(length) = fragments.next(&mut piece).ok()? {
        if lost & 0x80 == 0 || lost & 7 != nth {
            answer = Some(give(client, now, &piece[..length]));
        }
        nth += 1;
    }
    answer
}

fn give(client: &mut UpdateClient<'_, Part, Part>, now: u64, request: &[u8]) -> Vec<u8> {
    let mut out = [0; REQUEST_MAX];
    let length = client.handle(now, request, &mut out);
    out[..length].to_vec()
}

/// Any requests, near good offers and blocks, and a genuine sender over a line that loses and damages, with the power
/// cut at any write: nothing panics, nothing but the signed image is ever marked to start, and a sender believes no
/// answer to another file.
pub fn update(bytes: &[u8]) {
    run(bytes);
}

/// Whether an image waits for its trial in the end.
fn run(bytes: &[u8]) -> bool {
    let (package, _) = genuine();
    if let Ok(read) = Package::parse(bytes) {
        assert_eq!(read.image().len(), bytes.len() - PACKAGE_HEAD);
        let _ = read.offer();
    }
    let package = Package::parse(package).expect("a package");
    let chip: Chip = Rc::new(RefCell::new(Flash::new(RECORD_PAGES + SLOT_PAGES, 9)));
    records(&chip)
        .store(&BootState::new(Slot::A))
        .expect("the flash works");
    let mut client = start(&chip).expect("nothing waits");
    let mut sender = UpdateSender::new(&package);
    let head = Head::session(0, Stamp::from_seconds(0, ClockQuality::NEVER_SET));
    let mut input = Input { bytes };
    let mut now = 0;
    for _ in 0..STEPS {
        let step = input.byte();
        now += u64::from(step >> 4) * 40;
        let mut message = [0; 1_152];
        match step & 7 {
            // Whatever comes.
            0 => {
                give(&mut client, now, input.take(REQUEST_MAX));
            }
            // An offer near the genuine one.
            1 => {
                let mut offer: FileOffer = package.offer();
                let at = usize::from(input.byte());
                match input.byte() % 6 {
                    0 => offer.number = input.word(),
                    1 => offer.size = input.word(),
                    2 => offer.block_size = input.word() as u16,
                    3 if at < offer.manifest.len() => offer.manifest[at] ^= input.byte(),
                    4 if at < offer.signature.len() => offer.signature[at] ^= input.byte(),
                    _ => offer.sha256.truncate(at),
                }
                if let Ok(length) = compact::encode_as(&head, &offer, &mut message) {
                    tell(&mut client, now, &message[..length], &mut input);
                }
            }
            // A block of any place and content.
            2 => {
                let block = FileBlock {
                    number: package.offer().number ^ u32::from(input.byte() >> 7),
                    offset: u32::from(input.byte()) * 256,
                    data: core::iter::repeat_n(input.byte(), usize::from(input.byte()) * 4)
                        .collect(),
                };
                if let Ok(length) = compact::encode_as(&head, &block, &mut message) {
                    tell(&mut client, now, &message[..length], &mut input);
                }
            }
            // Whatever answers the sender.
            3 => {
                sender.handle_answer(input.take(REQUEST_MAX));
            }
            // The power goes soon.
            4 => {
                let cut = u64::from(input.byte());
                chip.borrow_mut().cut(match step & 8 {
                    0 => Cut::Before(cut),
                    _ => Cut::Inside(cut),
                });
            }
            // The genuine sender; its request or the answer may be lost or damaged.
            _ => {
                let fate = input.byte();
                let mut request = [0; REQUEST_MAX];
                let Some(length) = sender.poll_request(now, &mut request) else {
                    now += 500;
                    continue;
                };
                if fate & 0xF0 == 0x10 {
                    request[usize::from(input.byte()) % length] ^= 1 << (fate & 7);
                }
                if fate & 0xF0 != 0x20 {
                    let answer = give(&mut client, now, &request[..length]);
                    if fate & 0xF0 != 0x30 && !chip.borrow().is_lost() {
                        sender.handle_answer(&answer);
                    }
                }
            }
        }
        let (got, size) = client.progress();
        assert!(got <= size && size <= IMAGE as u32);
        if chip.borrow().is_lost() || client.wants_restart(now) {
            chip.borrow_mut().restore();
            match start(&chip) {
                Some(next) => client = next,
                None => break,
            }
        }
    }
    chip.borrow_mut().restore();
    start(&chip).is_none()
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn the_seeds_carry_a_whole_image() {
        assert!(run(include_bytes!("../corpus/update/whole")));
        assert!(run(include_bytes!("../corpus/update/cut")));
        assert!(!run(&[]));
    }
}
