//! What a factory does: images out of the linker's files, signatures, flash as it leaves the line.

use std::path::Path;

use ed25519_compact::{KeyPair, Seed};
use embedded_storage::nor_flash::NorFlash;
use meter::update::{BootRecords, PACKAGE_HEAD, Package};
use meter_proto::file::{FileStore, FlashFile};
use security::fw::{BootState, Core, Manifest, SignatureKind, Slot};
use sha2::{Digest, Sha256};
use testkit::flash::Flash;

use crate::setup;

const PAGE: usize = 2048;
type Chip = Flash<PAGE, 4>;

/// The bytes of a program from its first address in flash on, as the linker's file has them.
pub fn program(elf: &Path) -> Vec<u8> {
    let elf = std::fs::read(elf).expect("the image was built");
    let word = |at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().unwrap()) as usize;
    let half = |at: usize| u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()) as usize;
    let (table, size, count) = (word(0x1C), half(0x2A), half(0x2C));
    // Kind 1 is loaded; physical address, length in the file, place in the file.
    let parts: Vec<_> = (0..count)
        .map(|nth| table + nth * size)
        .filter(|at| word(*at) == 1 && word(at + 16) > 0)
        .map(|at| (word(at + 12), word(at + 16), word(at + 4)))
        .collect();
    let start = parts.iter().map(|part| part.0).min().unwrap();
    let end = parts.iter().map(|part| part.0 + part.1).max().unwrap();
    let mut image = vec![0; end - start];
    for (address, length, place) in parts {
        image[address - start..][..length].copy_from_slice(&elf[place..][..length]);
    }
    image
}

/// A signed package. A build number behind the program makes builds of one source differ.
pub fn package(program: &[u8], counter: u32, version: (u8, u8)) -> Vec<u8> {
    let mut image = program.to_vec();
    image.extend(counter.to_le_bytes());
    let signer = KeyPair::from_seed(Seed::new([0x1D; 32]));
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: setup::HARDWARE,
        security_counter: counter,
        version,
        revision: 0,
        build: counter,
        image_len: image.len() as u32,
        chunk_len: meter::update::BLOCK,
        image_hash: Sha256::digest(&image).into(),
        base_hash: [0; 32],
        legal_software: setup::LEGAL_SOFTWARE,
        key_id: setup::SIGNERS[0].id(),
    };
    let bytes = manifest.encode();
    let signature = *signer.sk.sign(bytes, None);
    [&bytes[..], &signature[..], &image[..]].concat()
}

fn blank(folder: &Path, name: &str, length: usize) {
    std::fs::write(folder.join(name), vec![0xFF; length]).unwrap();
}

/// The flash of a new metering core.
pub fn metering_flash(folder: &Path) {
    blank(folder, "metering.flash", setup::METERING_FLASH);
}

/// The flash of a new management core with its first image in slot A.
pub fn management_flash(folder: &Path, first: &[u8]) {
    blank(folder, "state.flash", setup::FLASH);
    blank(folder, "waiting.flash", setup::FLASH);
    blank(folder, "slot-b.flash", setup::SLOT);
    let pages = setup::SLOT / PAGE;
    let mut file = FlashFile::try_new(Chip::new(pages, 1), 0, pages as u32).unwrap();
    let package = Package::parse(first).unwrap();
    let mut chip = {
        file.begin(Some(&package.offer())).unwrap();
        let image = &first[PACKAGE_HEAD..];
        for (page, bytes) in (0..).zip(image.chunks(PAGE)) {
            file.clear_page(page).unwrap();
            file.write(page * PAGE as u32, bytes).unwrap();
            file.mark_whole(page).unwrap();
        }
        file.into_flash()
    };
    std::fs::write(folder.join("slot-a.flash"), chip.bytes()).unwrap();
    chip = Chip::new(setup::BOOT_RECORDS / PAGE, 2);
    chip.erase(0, setup::BOOT_RECORDS as u32).unwrap();
    BootRecords::try_new(&mut chip)
        .unwrap()
        .store(&BootState::new(Slot::A))
        .unwrap();
    std::fs::write(folder.join("boot.flash"), chip.bytes()).unwrap();
}
