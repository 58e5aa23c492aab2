//! `meterkit sign`: an image with its manifest and signature, as `meterkit update` and the gateway carry it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use ed25519_compact::{KeyPair, Seed};
use meter::update::BLOCK;
use security::fw::{Core, Manifest, PublicKey, SignatureKind};
use sha2::{Digest, Sha256};

use crate::hex_text;

/// Signs an image of the management core.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File with the secret key: 64 hexadecimal digits, the seed of Ed25519 (`openssl rand -hex 32`).
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Prints the public key and the name that manifests give it, and ends.
    #[arg(long)]
    show_key: bool,
    /// The program: the linker's file (ELF, 32 bits) or the plain bytes of flash.
    #[arg(required_unless_present = "show_key")]
    program: Option<PathBuf>,
    /// Where the package goes: manifest (120 bytes), signature (64), image.
    #[arg(long, short, value_name = "FILE", required_unless_present = "show_key")]
    out: Option<PathBuf>,
    /// Hardware model that the image is for, decimal or with 0x.
    #[arg(long, value_parser = number, default_value = "0")]
    hardware: u32,
    /// Security counter: a meter never starts an image below the one it confirmed last.
    #[arg(long, default_value_t = 0)]
    counter: u32,
    /// Version, `MAJOR.MINOR.REVISION`.
    #[arg(long, value_parser = version, default_value = "0.0.0")]
    release: (u8, u8, u16),
    /// Number of the build.
    #[arg(long, default_value_t = 0)]
    build: u32,
    /// Legal software of the metering core that it works with, at most 8 letters; any when absent.
    #[arg(long, default_value = "")]
    legal: String,
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|why| format!("{text}: {why}"))
}

fn version(text: &str) -> Result<(u8, u8, u16), String> {
    let wrong = || format!("`{text}` is not MAJOR.MINOR.REVISION");
    let mut parts = text.split('.');
    let mut next = || parts.next().ok_or_else(wrong);
    let (major, minor, revision) = (next()?, next()?, next()?);
    if parts.next().is_some() {
        return Err(wrong());
    }
    Ok((
        major.parse().map_err(|_| wrong())?,
        minor.parse().map_err(|_| wrong())?,
        revision.parse().map_err(|_| wrong())?,
    ))
}

/// Runs the command.
///
/// # Errors
/// Files that cannot be read or written, keys and programs that are none.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let keys = key(&args.key)?;
    let public = PublicKey::Ed25519(*keys.pk);
    if args.show_key {
        println!("public key {}", hex_text::show(&keys.pk[..]));
        println!("key id     {}", hex_text::show(&public.id()));
        return Ok(ExitCode::SUCCESS);
    }
    let (Some(program), Some(out)) = (&args.program, &args.out) else {
        bail!("say which program and where the package goes");
    };
    let bytes = std::fs::read(program).with_context(|| program.display().to_string())?;
    let image = image(bytes).with_context(|| program.display().to_string())?;
    let legal = args.legal.as_bytes();
    ensure!(legal.len() <= 8, "the legal software has at most 8 letters");
    let mut legal_software = [0; 8];
    legal_software[..legal.len()].copy_from_slice(legal);
    let (major, minor, revision) = args.release;
    let manifest = Manifest {
        signature: SignatureKind::Ed25519,
        core: Core::Management,
        delta: false,
        encrypted: false,
        hardware: u16::try_from(args.hardware).context("--hardware is at most 65535")?,
        security_counter: args.counter,
        version: (major, minor),
        revision,
        build: args.build,
        image_len: u32::try_from(image.len()).context("the image is too long")?,
        chunk_len: BLOCK,
        image_hash: Sha256::digest(&image).into(),
        base_hash: [0; 32],
        legal_software,
        key_id: public.id(),
    }
    .encode();
    let signature = *keys.sk.sign(manifest, None);
    let package = [&manifest[..], &signature[..], &image[..]].concat();
    std::fs::write(out, &package).with_context(|| out.display().to_string())?;
    println!(
        "{}: {major}.{minor}.{revision} build {}, {} bytes",
        out.display(),
        args.build,
        image.len()
    );
    Ok(ExitCode::SUCCESS)
}

fn key(file: &Path) -> anyhow::Result<KeyPair> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let bytes = hex_text::parse(text.trim())?;
    let seed = bytes.as_slice().try_into().ok();
    let seed: [u8; 32] = seed.context("a key has 32 bytes, 64 hexadecimal digits")?;
    Ok(KeyPair::from_seed(Seed::new(seed)))
}

/// Longest image: the unified standard carries files of at most 16 MiB.
const IMAGE_MAX: usize = 16 << 20;

/// The bytes from the first address in flash on: of an ELF file its loaded parts, gaps filled with zeros.
fn image(bytes: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    if !bytes.starts_with(b"\x7FELF") {
        ensure!(
            (1..=IMAGE_MAX).contains(&bytes.len()),
            "an image has 1 byte to 16 MiB"
        );
        return Ok(bytes);
    }
    ensure!(
        bytes.get(4..6) == Some(&[1, 1]),
        "only ELF files of 32 bits, low byte first"
    );
    let loaded = loaded(&bytes).context("the ELF file is cut off")?;
    let start = loaded.iter().map(|part| part.0).min();
    let start = start.context("the ELF file loads nothing")?;
    let end = loaded
        .iter()
        .map(|part| part.0.saturating_add(part.1.len()));
    let length = end.max().unwrap_or(start) - start;
    ensure!(length <= IMAGE_MAX, "an image has at most 16 MiB");
    let mut image = vec![0; length];
    for (address, part) in loaded {
        image[address - start..][..part.len()].copy_from_slice(part);
    }
    Ok(image)
}

/// Physical address and bytes of each part that is loaded.
fn loaded(elf: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    const LOADED: usize = 1;
    let word = |at: usize| {
        let bytes = elf.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes) as usize)
    };
    let half = |at: usize| {
        let bytes = elf.get(at..)?.first_chunk()?;
        Some(usize::from(u16::from_le_bytes(*bytes)))
    };
    let (table, size, count) = (word(0x1C)?, half(0x2A)?, half(0x2C)?);
    let mut parts = Vec::new();
    for nth in 0..count {
        let at = table.checked_add(nth.checked_mul(size)?)?;
        let (place, address, length) = (word(at + 4)?, word(at + 12)?, word(at + 16)?);
        if word(at)? == LOADED && length > 0 {
            parts.push((address, elf.get(place..place.checked_add(length)?)?));
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::{image, version};

    #[test]
    fn an_elf_file_gives_its_loaded_bytes() {
        let mut elf = vec![0; 0x34 + 3 * 32];
        elf[..6].copy_from_slice(b"\x7FELF\x01\x01");
        elf[0x1C] = 0x34;
        elf[0x2A] = 32;
        elf[0x2C] = 3;
        // Kind, place in the file, physical address, bytes: two that are loaded with a gap of one byte, and a note.
        for (nth, (kind, place, address, length)) in
            [(1, 0, 0x105, 2), (1, 1, 0x100, 4), (4, 0, 0x10, 4)]
                .into_iter()
                .enumerate()
        {
            let at = 0x34 + 32 * nth;
            for (offset, value) in [(0, kind), (4, place), (12, address), (16, length)] {
                elf[at + offset..][..4].copy_from_slice(&u32::to_le_bytes(value));
            }
        }
        assert_eq!(image(elf.clone()).unwrap(), b"ELF\x01\x00\x7FE");
        elf.truncate(0x40);
        assert!(image(elf).is_err());
        assert_eq!(image(vec![1, 2]).unwrap(), [1, 2]);
        assert!(image(Vec::new()).is_err());
    }

    #[test]
    fn versions_have_three_numbers() {
        assert_eq!(version("1.2.300"), Ok((1, 2, 300)));
        for wrong in ["1.2", "1.2.3.4", "256.0.0", "a.b.c", ""] {
            assert!(version(wrong).is_err(), "{wrong}");
        }
    }
}
