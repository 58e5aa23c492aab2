//! Runs every suite, comparison and derivation of `security` on keys and messages that valgrind takes for
//! undefined, and counts the branches and addresses that depend on them.
//!
//! Sealing must have none. Comparing has exactly one branch: the verdict itself, which the caller sees
//! anyway. Opening asks twice: a right tag passes two branches, a wrong one ends at the first. Three rows are controls that must be reported: a comparison that stops at the
//! first difference, a look-up in a table, and the SM4 of suite 5, which is built on such look-ups.
//!
//! The ciphers are built in their portable form (`--cfg aes_backend="soft"` and so on), because that
//! is what a microcontroller runs: start it by `cargo xtask constant-time`.

mod valgrind;

use std::hint::black_box;
use std::process::ExitCode;

use security::counter::SendCounter;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::link::{Opener, Sealer};
use security::suite::Suite;
use security::{cmac, kdf, wrap};

const ID: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
const KEY: [u8; 16] = *b"no branch on me!";
const PLAIN: [u8; 77] = [0x5A; 77];

/// How many dependent branches and addresses a run may have.
#[derive(Clone, Copy)]
enum Bound {
    None,
    /// So many branches on the verdict.
    Verdict(usize),
    /// A control: at least so many must be seen.
    AtLeast(usize),
}

fn main() -> ExitCode {
    if !valgrind::watches() {
        eprintln!("valgrind does not watch; use `cargo xtask constant-time`");
        return ExitCode::FAILURE;
    }
    let mut good = true;
    let mut row = |name: &str, bound: Bound, run: &dyn Fn()| {
        let before = valgrind::reports();
        run();
        let seen = valgrind::reports() - before;
        let (wanted, holds) = match bound {
            Bound::None => ("0".to_owned(), seen == 0),
            Bound::Verdict(n) => (format!("{n}, the verdict"), seen == n),
            Bound::AtLeast(n) => (format!("{n} or more, a control"), seen >= n),
        };
        let verdict = if holds { "ok" } else { "FAILED" };
        println!("{verdict:<7}{name:<44}{seen:>6} seen, wanted {wanted}");
        good &= holds;
    };

    row(
        "control: comparison that stops early",
        Bound::AtLeast(2),
        &|| {
            black_box(stops_early(&secret(KEY), &secret(KEY)));
        },
    );
    row("control: look-up in a table", Bound::AtLeast(1), &|| {
        black_box(looks_up(&secret(KEY)));
    });
    for suite in Suite::ALL.iter().copied() {
        // The look-ups of SM4 hide the one verdict among them.
        let many = Bound::AtLeast(100);
        let (sealing, opening, refusing) = match suite {
            Suite::Sm4Gcm => (many, many, many),
            _ => (Bound::None, Bound::Verdict(2), Bound::Verdict(1)),
        };
        row(&format!("{suite:?}: key derived, sealed"), sealing, &|| {
            black_box(sealed(suite));
        });
        let wire = sealed(suite);
        valgrind::show(&wire);
        row(&format!("{suite:?}: opened"), opening, &|| {
            opened(suite, &wire, true)
        });
        for at in [wire.len() - 1, wire.len() - suite.tag_len(), 20] {
            let mut wire = wire.clone();
            wire[at] ^= 1;
            let name = format!("{suite:?}: refused, byte {at} wrong");
            row(&name, refusing, &|| opened(suite, &wire, false));
        }
    }
    row("CMAC made", Bound::None, &|| {
        black_box(tag());
    });
    for wrong in [None, Some(0), Some(15)] {
        let mut tag = tag();
        if let Some(at) = wrong {
            tag[at] ^= 1;
        }
        valgrind::show(&tag);
        row(
            &format!("CMAC compared, {}", told(wrong)),
            Bound::Verdict(1),
            &|| {
                let Ok(right) = cmac::verify(&mut Soft, &key(), &[&secret(PLAIN)], &tag);
                assert_eq!(right, wrong.is_none());
            },
        );
    }
    row("AES key wrap", Bound::None, &|| {
        black_box(wrapped());
    });
    for wrong in [None, Some(0), Some(23)] {
        let mut wrapped = wrapped();
        valgrind::show(&wrapped);
        if let Some(at) = wrong {
            wrapped[at] ^= 1;
        }
        row(
            &format!("AES key unwrapped, {}", told(wrong)),
            Bound::Verdict(1),
            &|| {
                let mut buf = wrapped;
                let unwrapped = wrap::unwrap(&mut Soft, &key(), &mut buf);
                assert_eq!(unwrapped.is_ok(), wrong.is_none());
            },
        );
    }
    row("KDF, 44 bytes", Bound::None, &|| {
        let mut out = [0; 44];
        let Ok(()) = kdf::derive(&mut Soft, &key(), b"TEST", &[b"a", b"b", b"c"], &mut out);
        black_box(out);
    });
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn told(wrong: Option<usize>) -> String {
    wrong.map_or_else(|| "right".to_owned(), |at| format!("byte {at} wrong"))
}

/// Bytes that valgrind takes for secret.
fn secret<const N: usize>(bytes: [u8; N]) -> [u8; N] {
    let bytes = black_box(bytes);
    valgrind::hide(&bytes);
    bytes
}

fn key() -> SoftKey {
    let Ok(key) = Soft.load(BlockCipher::Aes128, &Secret::new(secret(KEY)));
    key
}

fn device_key() -> DeviceKey {
    DeviceKey::new(Secret::new(secret(KEY)), ID, Purpose::Data, 1)
}

fn sealed(suite: Suite) -> Vec<u8> {
    let counter = SendCounter::session();
    let mut sealer = Sealer::new(&device_key(), Direction::FromDevice, suite, counter);
    let mut wire = vec![0; sealer.sealed_len(PLAIN.len())];
    let len = sealer
        .seal_from(Class::Data, b"topic", &secret(PLAIN), &mut wire)
        .map(<[u8]>::len);
    assert_eq!(len, Ok(wire.len()));
    wire
}

fn opened(suite: Suite, wire: &[u8], good: bool) {
    let mut opener = Opener::new(&device_key(), Direction::FromDevice, suite);
    let mut wire = wire.to_vec();
    assert_eq!(opener.open(b"topic", &mut wire).is_ok(), good);
}

fn tag() -> [u8; 16] {
    let Ok(tag) = cmac::mac(&mut Soft, &key(), &[&secret(PLAIN)]);
    tag
}

fn wrapped() -> [u8; 24] {
    let mut buf = [0; 24];
    buf[wrap::OVERHEAD..].copy_from_slice(&secret(KEY));
    assert!(wrap::wrap(&mut Soft, &key(), &mut buf).is_ok());
    buf
}

/// What a comparison must not be.
#[inline(never)]
fn stops_early(a: &[u8], b: &[u8]) -> bool {
    for (x, y) in a.iter().zip(b) {
        if black_box(*x) != *y {
            return false;
        }
    }
    true
}

#[inline(never)]
fn looks_up(bytes: &[u8]) -> u8 {
    let table: [u8; 256] = black_box(std::array::from_fn(|at| at.to_le_bytes()[0]));
    bytes
        .iter()
        .fold(0, |sum, byte| sum ^ table[usize::from(*byte)])
}
