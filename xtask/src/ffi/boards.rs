//! C programs on emulated boards, and the flash that each module costs a C program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::install::archive;
use crate::report::Verdict;
use crate::size::{CORES, count, flash, may_panic};
use crate::tool;

/// Flags of the C compiler and the linker script, in the order of [`CORES`].
const BOARDS: [(&[&str], &str); 2] = [
    (&["-mcpu=cortex-m0", "-mthumb"], "microbit.ld"),
    (
        &[
            "-mcpu=cortex-m4",
            "-mthumb",
            "-mfloat-abi=hard",
            "-mfpu=fpv4-sp-d16",
        ],
        "mps2.ld",
    ),
];

/// Definition of `size.c`, and what the program then calls.
const MODULES: &[(&str, &str)] = &[
    ("DECODER", "dlt645: stream decoder, frames written"),
    (
        "NUMBER",
        "dlt645: any identifier of the catalogue to its exact number",
    ),
    ("MASTER", "dlt645: master (reads)"),
    ("SLAVE", "dlt645: slave with all callbacks"),
    (
        "CHAIN1",
        "metrology: chain of one phase, constants, registers saved and restored",
    ),
    ("CHAIN3", "metrology: chain of three phases, the same"),
    ("PULSE", "metrology: pulse output"),
    ("ADJUST", "metrology: calibration steps 0 to 4"),
    ("QUALITY", "metrology: power quality of three voltages"),
    ("ENERGY1", "metrology: the smallest meter, one phase"),
    ("ENERGY3", "metrology: the smallest meter, three phases"),
    (
        "CONDITIONS",
        "metrology: conditions of DL/T 614, one and three phases",
    ),
    (
        "SAFETY",
        "metrology: overload, cable, residual current, series arcs",
    ),
    (
        "HARMONICS",
        "metrology: power quality with harmonics and unbalance",
    ),
    ("FLICKER", "metrology: flicker of one voltage"),
    (
        "CIRCUITS",
        "metrology: chain of three phases with twelve circuits, registers saved and restored",
    ),
    (
        "DETAILS",
        "metrology: chain of three phases with peaks and other reactive powers",
    ),
    (
        "TARIFF",
        "tariff: tables and terms checked, the rate at an instant",
    ),
    (
        "PREPAID",
        "tariff: the same with the whole prepaid meter, state saved and restored",
    ),
    ("JOURNAL", "tariff: journal of records on flash"),
    ("TOKENS", "tariff: tokens of 20 digits, spent once"),
    (
        "SEAL",
        "security: key, sender, receiver; AES in software or by callbacks",
    ),
    (
        "ORDERS",
        "security: handshake of the device, gate of orders; the same",
    ),
    ("KEYCHANGE", "security: key slot with its change; the same"),
    ("LOG", "security: chained log, random source; the same"),
    (
        "FIRMWARE",
        "security: manifest, chunks, boot decision with Ed25519",
    ),
    ("WATER_DECODER", "cjt188: stream decoder, frames written"),
    (
        "WATER_NUMBER",
        "cjt188: any identifier of the table to its numbers",
    ),
    ("WATER_MASTER", "cjt188: master (reads)"),
    ("WATER_SLAVE", "cjt188: slave with all callbacks"),
    (
        "SNAPSHOT",
        "meter-proto: snapshots and events written, acknowledgements read",
    ),
    ("PROFILE", "meter-proto: profiles compressed"),
    ("COMMANDS", "meter-proto: commands read, results written"),
    ("OUTBOX", "meter-proto: outbox on flash"),
    ("LINK", "meter-proto: serial link"),
];

/// Modules whose parts of another hand keep checks that can reach a panic, named and no failure: the ciphers (`aes` when it
/// decrypts, `ed25519-compact`) bounds checks at fixed places that the compiler does not see through, the flash crate of
/// the journal its own assertions; that stands still for the watchdog, and the records are whole at the next start.
const CHECKED: [&str; 3] = ["KEYCHANGE", "FIRMWARE", "JOURNAL"];

/// Programs, what they print on a host and on a board.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "seal",
        "opened message 1: 12.3 kWh\norder 1 done\nopened under a session\n",
    ),
    (
        "purse",
        "relay opens, cause 5\nsale 1 booked, balance then 10.0000000, relay closes\nalarm\n\
         used 12 kWh, balance 4.0000000\nrestarted, balance 10.0000000\nalarm\n\
         read the register, balance 4.0000000\nrelay opens, cause 4\nthe key closes the relay\n\
         relay opens, cause 5\nthe key closes the relay\nrelay opens, cause 6\nthe key changes nothing\n\
         restarted, balance -3.0000000\nsale 2 booked, balance then 17.0000000, relay closes\n\
         sale 2 was booked before, balance then 17.0000000\nsale 4 refused: 4, expected 3\n\
         used 10 kWh by night, balance 14.5000000\n",
    ),
    (
        "waveform",
        "voltage 230.000 V\ncurrent 5.000 A\npower 1149.998 W\nfrequency 50.000 Hz\n\
         energy 31 steps of 0.1 Wh, 20 pulses\n",
    ),
    (
        "water",
        "present data: 68.00 m3, 60.00 m3, no time\npurchase 4 counts once\n\
         account: purchase 4: 125.00, total 125.00, remaining 57.00\nvalve closed, battery good\n\
         settlement value, months back: 1 refused\n",
    ),
    (
        "keep",
        "1.1: Active energy import 12345678 Wh Voltage L1 230.1 V\npower fails\n1.1: Meter cover opened\n\
         1.2: Active energy import 12345690 Wh Voltage L1 230.1 V\n\
         2.1: Active energy import 12345703 Wh Voltage L1 230.1 V\nnothing waits\n",
    ),
];

/// Programs whose flash in memory is more than the 16 KiB of the smaller board.
const LARGE: &[&str] = &["keep"];

/// Why this machine cannot build for the boards.
fn missing() -> Option<String> {
    for (target, ..) in CORES {
        if let Err(why) = tool::target(target) {
            return Some(why);
        }
    }
    let compiler = ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"];
    tool::program("arm-none-eabi-gcc", &compiler)
        .and_then(|_| tool::program("qemu-system-arm", &["qemu-system-arm"]))
        .err()
}

fn link(core: usize, source: &Path, flags: &[&str], image: &Path) -> anyhow::Result<()> {
    let (target, ..) = CORES[core];
    let (machine, script) = BOARDS[core];
    let ffi = tool::root().join("ffi");
    let bare = ffi.join("examples/bare");
    let output = Command::new("arm-none-eabi-gcc")
        .args(machine)
        .args([
            "-std=c99",
            "-Os",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-ffunction-sections",
            "-fdata-sections",
        ])
        .args(["-nostartfiles", "-Wl,--gc-sections", "--specs=nano.specs"])
        .args(flags)
        .arg("-I")
        .arg(ffi.join("include"))
        .arg("-L")
        .arg(&bare)
        .arg("-T")
        .arg(bare.join(script))
        .arg(bare.join("start.c"))
        .arg(source)
        .arg(archive(Some(target), &[])?.join("libmeterkit_ffi.a"))
        .arg("-o")
        .arg(image)
        .output()
        .context("arm-none-eabi-gcc")?;
    ensure!(
        output.status.success(),
        "{} for {target}: {}",
        source.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Builds the examples for both boards and compares what they print.
pub fn run() -> anyhow::Result<Verdict> {
    if let Some(why) = missing() {
        return Ok(Verdict::Skipped(why));
    }
    let scratch = tempfile::tempdir()?;
    for (core, (_, name, machine)) in CORES.into_iter().enumerate() {
        for (program, expected) in PROGRAMS {
            if core == 0 && LARGE.contains(program) {
                continue;
            }
            let source = tool::root()
                .join("ffi/examples")
                .join(program)
                .with_extension("c");
            let image = scratch.path().join(program);
            link(
                core,
                &source,
                &["--specs=rdimon.specs", "-DSEMIHOSTING"],
                &image,
            )?;
            let text = count(&image, machine)?;
            if text != *expected {
                bail!("{program} on {name} printed\n{text}");
            }
            println!("    {program} runs on {name}");
        }
    }
    Ok(Verdict::Passed)
}

/// Prints the flash of each module above a program that does nothing; fails where a panic of ours is linked in.
pub fn size(as_json: bool) -> anyhow::Result<Verdict> {
    if let Some(why) = missing() {
        return Ok(Verdict::Skipped(why));
    }
    let scratch = tempfile::tempdir()?;
    let source = tool::root().join("ffi/examples/bare/size.c");
    let image: PathBuf = scratch.path().join("image");
    let mut rows = Vec::new();
    let mut panics = Vec::new();
    for (module, what) in [("NOTHING", "")].iter().chain(MODULES) {
        let define = format!("-DMODULE_{module}");
        let mut bytes = [0; 2];
        for (core, place) in bytes.iter_mut().enumerate() {
            link(core, &source, &[&define], &image)?;
            *place = flash(&image)?;
            if may_panic(&image)? && CHECKED.contains(module) {
                println!(
                    "    checks of a borrowed part: {module} on {}",
                    CORES[core].1
                );
            } else if may_panic(&image)? {
                panics.push(format!("{module} on {}", CORES[core].1));
            }
        }
        rows.push((module, what, bytes));
    }
    let empty = rows.first().map_or([0; 2], |(.., bytes)| *bytes);
    let rows: Vec<_> = rows
        .into_iter()
        .skip(1)
        .map(|(module, what, [m0, m4])| {
            (
                module,
                what,
                m0.saturating_sub(empty[0]),
                m4.saturating_sub(empty[1]),
            )
        })
        .collect();
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(module, what, m0, m4)| json!({"module": module, "what": what, "m0": m0, "m4": m4}))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!(
            "{:>10} {:>10}  bytes of flash above a program that does nothing",
            CORES[0].1, CORES[1].1
        );
        for (_, what, m0, m4) in rows {
            println!("{m0:>10} {m4:>10}  {what}");
        }
    }
    if panics.is_empty() {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(format!(
            "a panic is linked into {}",
            panics.join(", ")
        )))
    }
}
