//! What the codecs cost on a microcontroller: flash of small images, instructions counted in the emulator.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use serde_json::json;

use crate::report::Verdict;
use crate::{elf, tool};

/// The package of the images, apart from the workspace.
const FOLDER: &str = "xtask/mcu";
const EMPTY: &str = "empty";

/// Target, core, machine of the emulator.
pub const CORES: [(&str, &str, &str); 2] = [
    ("thumbv6m-none-eabi", "Cortex-M0", "microbit"),
    ("thumbv7em-none-eabihf", "Cortex-M4F", "mps2-an386"),
];

/// The compact forms of the AES and SHA-2 crates, which compiler flags choose: of AES 4 % of the speed
/// for 2.2 KB. Everything is measured in this one build.
const FLAGS: &str = "--cfg aes_backend_soft=\"compact\" --cfg sha2_backend_soft=\"compact\"";

/// Images into which a dependency brings bounds checks that the compiler cannot prove away, though
/// no input reaches them: the Ed25519 crate.
const CHECKED_BY_OTHERS: [&str; 1] = ["boot"];

/// Image, what it is, and the aim in bytes, where there is one.
const IMAGES: [(&str, &str, Option<u64>); 16] = [
    (
        "seal",
        "security: set min (handshake, sessions, both forms of envelopes, key unwrap), AES in software",
        Some(12_288),
    ),
    (
        "seal-engine",
        "security: the same on the AES unit of a chip",
        Some(8192),
    ),
    (
        "seal-gcm",
        "security: set min with suite 2 beside CCM",
        None,
    ),
    (
        "boot",
        "security: boot stage that verifies Ed25519 and SHA-256 over a slot",
        Some(24_576),
    ),
    (
        "reader",
        "dlt645: minimal reader (request, stream decoder, repeats, energy values)",
        Some(4096),
    ),
    ("master", "dlt645: reader on the whole master", None),
    (
        "meter",
        "dlt645: minimal meter on the whole slave (energies, address)",
        None,
    ),
    (
        "catalogue",
        "dlt645: full catalogue to format, unit, access and length of any identifier, without names",
        Some(8192),
    ),
    (
        "values",
        "dlt645: the same and every value, records of events and freezes included, without names",
        None,
    ),
    (
        "water",
        "cjt188: reader on the whole master (present data)",
        None,
    ),
    (
        "sender",
        "meter-proto: compact sender (snapshots and events of one meter)",
        Some(3072),
    ),
    (
        "node",
        "meter-proto: the same in serial frames, with acknowledgements coming back",
        None,
    ),
    (
        "prepaid",
        "tariff: prepaid meter of four rates (tables at run time, machine, stored state)",
        None,
    ),
    (
        "energy",
        "metrology: the smallest meter (active energy of three phases, pulses, rms of seven channels)",
        Some(4095),
    ),
    (
        "quality",
        "metrology: power quality of three voltages without transform (events, windows, aggregation, frequency, flicker)",
        None,
    ),
    (
        "spectrum",
        "metrology: harmonics to order 50 by transform, with the oscillator",
        None,
    ),
];

/// Images that count, each printing steps of [`STEPS`].
const COUNTING: [&str; 8] = [
    "speed",
    "messages",
    "circuits",
    "orders",
    "safety",
    "seal-speed",
    "signal",
    "tariff",
];

/// Step, what it is, and the aim in instructions on the first core, where there is one.
const STEPS: [(&str, &str, Option<u64>); 41] = [
    (
        "signal-kernels",
        "metrology: a set of 3 u, 3 i and n: rms, P, Q1, phase compensation, saturation (design aim M4 80)",
        Some(600),
    ),
    (
        "signal-sums",
        "metrology: the same with zero crossings and whole-cycle edges",
        None,
    ),
    (
        "signal-chain",
        "metrology: the same with the quantities and energy of every window (design aim M4 130)",
        Some(900),
    ),
    (
        "energy-core",
        "metrology: the smallest meter, a set of 3 u, 3 i and n: P and its energy, rms, phase compensation, pulses",
        None,
    ),
    (
        "judge-order",
        "security: 20-byte order, 12 bytes of ext, opened, judged and checked a second time, AES in software",
        Some(44_999),
    ),
    (
        "judge-order-engine",
        "security: the same on an engine whose own work is a copy",
        Some(5_999),
    ),
    (
        "seal-ccm-256",
        "security: 256 bytes sealed with CCM, 13 of associated data",
        None,
    ),
    (
        "seal-ccm-256-peer",
        "peer ccm on the same cipher: the same",
        None,
    ),
    (
        "open-ccm-256",
        "security: the same, checked and opened",
        None,
    ),
    ("seal-ccm-16", "security: 16 bytes sealed with CCM", None),
    ("encrypt-block", "security: one AES block, or two", None),
    ("load-key", "security: AES key schedule", None),
    (
        "decode-energy",
        "dlt645: 20-byte energy answer through stream decoder and full catalogue to the exact value",
        Some(899),
    ),
    (
        "decode-energy-by-byte",
        "the same, the bytes fed one by one",
        None,
    ),
    ("look-up-value", "dlt645: look-up and value alone", None),
    ("build-request", "dlt645: build a read request", None),
    (
        "decode-water",
        "cjt188: 35-byte water answer to the exact value",
        None,
    ),
    (
        "messages-encode",
        "meter-proto: snapshot of 20 values, compact, written",
        None,
    ),
    ("messages-decode", "meter-proto: the same, read", None),
    (
        "messages-encode-set",
        "meter-proto: the same as a set, written",
        None,
    ),
    ("messages-decode-set", "meter-proto: the same, read", None),
    (
        "messages-encode-postcard",
        "peer postcard: the self-describing snapshot, written",
        None,
    ),
    (
        "messages-decode-postcard",
        "peer postcard: the same, read",
        None,
    ),
    (
        "messages-encode-minicbor",
        "peer minicbor: the same in arrays, written",
        None,
    ),
    (
        "messages-decode-minicbor",
        "peer minicbor: the same, read",
        None,
    ),
    (
        "circuit-set",
        "metrology: a further circuit, one set of samples in blocks of 16",
        None,
    ),
    (
        "rogowski-sample",
        "metrology: integrator behind a Rogowski coil, one sample",
        None,
    ),
    (
        "pulse-block",
        "metrology: one pulse output, a block of 16 sets, 25 pulses a second",
        None,
    ),
    (
        "half-cycles-lite",
        "metrology: oscillator and Urms(1/2) of one channel at 4 kHz, a second of signal",
        None,
    ),
    (
        "orders-lite",
        "metrology: orders 1 to 15 of one channel at 4 kHz by synchronous detection, a second of signal",
        None,
    ),
    (
        "arc-sample",
        "metrology: series-arc indicator, one sample of a phase",
        None,
    ),
    (
        "thermal-window",
        "metrology: thermal model, one window",
        None,
    ),
    (
        "events-window",
        "metrology: all conditions of three phases, one window",
        None,
    ),
    (
        "load-window",
        "metrology: steps of the load, one window",
        None,
    ),
    (
        "tariff-point",
        "tariff: a priced quarter of an hour of a prepaid meter, mean of a year (M0 small, M4 full limits)",
        None,
    ),
    (
        "tariff-whole-point",
        "tariff: the same through the whole meter: both sets, demand, settlement, daily freezes",
        None,
    ),
    (
        "tariff-whole-state",
        "tariff: state of the whole meter of one channel and one demand",
        None,
    ),
    (
        "tariff-demand-minute",
        "tariff: sliding demand in total and by rate, one minute",
        None,
    ),
    ("tariff-tables", "tariff: tables of the same profiles", None),
    (
        "tariff-state",
        "tariff: state of the machine, purchases included",
        None,
    ),
    (
        "tariff-demand-state",
        "tariff: windows and maxima of one demand",
        None,
    ),
];

/// Steps that are no steps but sizes.
const BYTES: [&str; 4] = [
    "tariff-tables",
    "tariff-state",
    "tariff-whole-state",
    "tariff-demand-state",
];

/// Name, what it is, and the aim, where there is one.
type Row = (&'static str, &'static str, Option<u64>);

/// The image whose buffers only the larger board holds, and its steps with their aims on that core.
const LARGE: (&str, [Row; 2]) = (
    "harmonics",
    [
        (
            "harmonics",
            "metrology: harmonics to order 50 of six channels at 8 kHz, a second of signal",
            Some(9_999_999),
        ),
        (
            "harmonics-points",
            "metrology: of that, oscillator and resampling",
            None,
        ),
    ],
);

/// Steps that have an aim on the second core.
const STEPS_ON_M4: [(&str, u64); 1] = [("seal-ccm-256", 400 * 256)];

/// One line of the table.
struct Figure {
    core: &'static str,
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    value: u64,
    aim: Option<u64>,
}

/// Builds the images, measures, prints the table; fails where an aim is missed.
///
/// # Errors
/// A build or a run that failed, a wrong result in an image, a missed aim.
pub fn run(json: bool) -> anyhow::Result<Verdict> {
    if let Err(why) = ready() {
        return Ok(Verdict::Skipped(why));
    }
    let mut figures = Vec::new();
    let mut panics = Vec::new();
    for (target, core, machine) in CORES {
        let images = build(target)?;
        let empty = flash(&images.join(EMPTY))?;
        for (name, what, aim) in IMAGES {
            let value = flash(&images.join(name))?.saturating_sub(empty);
            if !CHECKED_BY_OTHERS.contains(&name) && may_panic(&images.join(name))? {
                panics.push(format!("{core} {name}"));
            }
            // The aims are those of the smaller core.
            let aim = aim.filter(|_| core == CORES[0].1);
            figures.push(Figure {
                core,
                name,
                what,
                unit: "bytes of flash",
                value,
                aim,
            });
        }
        let mut counted = String::new();
        for image in COUNTING {
            counted += &count(&images.join(image), machine)?;
        }
        // The aims are those of the smaller core, unless said otherwise.
        let small = core == CORES[0].1;
        let on_m4 = |name| STEPS_ON_M4.iter().find(|(step, _)| *step == name);
        for (name, what, aim) in STEPS {
            let aim = if small {
                aim
            } else {
                on_m4(name).map(|(_, aim)| *aim)
            };
            figures.push(step(core, &counted, name, what, aim)?);
        }
        if !small {
            let (image, steps) = LARGE;
            let counted = count(&images.join(image), machine)?;
            for (name, what, aim) in steps {
                figures.push(step(core, &counted, name, what, aim)?);
            }
        }
    }
    let flags = flags()?;
    if json {
        print_json(&figures, &flags)?;
    } else {
        print_table(&figures, &flags);
    }
    let missed: Vec<_> = figures
        .iter()
        .filter(|figure| figure.aim.is_some_and(|aim| figure.value > aim))
        .map(|figure| format!("{} {} is {}", figure.core, figure.name, figure.value))
        .collect();
    if !panics.is_empty() {
        let images = panics.join(", ");
        Ok(Verdict::Failed(format!("a panic is linked into {images}")))
    } else if missed.is_empty() {
        Ok(Verdict::Passed)
    } else {
        Ok(Verdict::Failed(format!(
            "above the aim: {}",
            missed.join(", ")
        )))
    }
}

/// Whether images can be built and run here.
fn ready() -> Result<(), tool::Missing> {
    for (target, ..) in CORES {
        tool::target(target)?;
    }
    tool::program("qemu-system-arm", &["qemu-system-arm"]).map(drop)
}

/// Core, step and instructions.
pub type Counted = (String, String, u64);

/// Everything that is counted; or why that cannot be done here.
///
/// # Errors
/// A build or a run that failed.
pub fn count_all() -> anyhow::Result<Result<Vec<Counted>, tool::Missing>> {
    if let Err(why) = ready() {
        return Ok(Err(why));
    }
    let mut all = Vec::new();
    for (target, core, machine) in CORES {
        let folder = tool::root().join("target/mcu");
        let (large, large_steps) = &LARGE;
        let large = (core != CORES[0].1).then_some(*large);
        let images: Vec<_> = COUNTING.into_iter().chain(large).collect();
        let bins: Vec<_> = images.iter().flat_map(|name| ["--bin", name]).collect();
        build_bins(target, &folder, &bins)?;
        let mut counted = String::new();
        for image in images {
            counted += &count(&folder.join(target).join("release").join(image), machine)?;
        }
        let more = large_steps.iter().filter(|_| large.is_some());
        for (name, what, _) in STEPS.iter().chain(more) {
            let value = step(core, &counted, name, what, None)?.value;
            all.push((core.to_owned(), (*name).to_owned(), value));
        }
    }
    Ok(Ok(all))
}

/// The line of a step in what an image printed.
fn step(
    core: &'static str,
    counted: &str,
    name: &'static str,
    what: &'static str,
    aim: Option<u64>,
) -> anyhow::Result<Figure> {
    let value = counted
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .with_context(|| format!("the image did not count {name}"))?;
    Ok(Figure {
        core,
        name,
        what,
        unit: if BYTES.contains(&name) {
            "bytes of memory"
        } else {
            "instructions"
        },
        value,
        aim,
    })
}

/// Builds all images for a target; the folder that holds them. Those of a feature come first, in a
/// build of their own, so that the others do not have it.
fn build(target: &str) -> anyhow::Result<PathBuf> {
    let folder = tool::root().join("target/mcu");
    build_bins(target, &folder, &["--features", "gcm", "--bin", "seal-gcm"])?;
    build_bins(target, &folder, &["--bins"])?;
    Ok(folder.join(target).join("release"))
}

pub fn build_bins(target: &str, folder: &Path, bins: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--target",
            target,
        ])
        .args(bins)
        .current_dir(tool::root().join(FOLDER))
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", FLAGS)
        .status()
        .context("cargo build")?;
    ensure!(status.success(), "the images for {target} do not build");
    Ok(())
}

/// Bytes that an image takes in flash: code, constants, vectors and initial values.
pub fn flash(image: &Path) -> anyhow::Result<u64> {
    let bytes = std::fs::read(image).with_context(|| image.display().to_string())?;
    flash_of(&bytes)
        .with_context(|| format!("{} is no 32-bit little-endian ELF file", image.display()))
}

fn flash_of(elf: &[u8]) -> Option<u64> {
    const PROGBITS: u32 = 1;
    const ALLOCATED: u32 = 2;
    let word = |at: usize| Some(u32::from_le_bytes(*elf.get(at..)?.first_chunk()?));
    let half = |at: usize| Some(u16::from_le_bytes(*elf.get(at..)?.first_chunk()?));
    if elf.get(..6)? != b"\x7fELF\x01\x01" {
        return None;
    }
    let (table, size, number) = (word(0x20)? as usize, half(0x2E)?, half(0x30)?);
    let mut sum = 0;
    for nth in 0..usize::from(number) {
        let header = table + nth * usize::from(size);
        if word(header + 4)? == PROGBITS && word(header + 8)? & ALLOCATED != 0 {
            sum += u64::from(word(header + 20)?);
        }
    }
    Some(sum)
}

/// Whether an image holds the library's panic functions: then some path leads to one.
pub fn may_panic(image: &Path) -> anyhow::Result<bool> {
    let bytes = std::fs::read(image).with_context(|| image.display().to_string())?;
    let functions =
        elf::functions(&bytes).with_context(|| format!("{} has no symbols", image.display()))?;
    Ok(functions
        .iter()
        .any(|function| function.name.contains("9panicking")))
}

/// Runs the counting image; what it printed.
pub fn count(image: &Path, machine: &str) -> anyhow::Result<String> {
    let output = Command::new("qemu-system-arm")
        .args([
            "-M", machine, "-display", "none", "-monitor", "none", "-serial", "none",
        ])
        .args([
            "-semihosting-config",
            "enable=on,target=native",
            "-icount",
            "shift=0",
            "-kernel",
        ])
        .arg(image)
        .output()
        .context("qemu-system-arm")?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if !output.status.success() {
        bail!(
            "the counting image on {machine} ended with {}: {text}",
            output.status
        );
    }
    Ok(text)
}

/// The compiler, as it names itself.
pub fn compiler() -> anyhow::Result<String> {
    let output = Command::new("rustc").arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The compiler and the lines of the profile: one build gives size and speed.
fn flags() -> anyhow::Result<String> {
    let manifest = std::fs::read_to_string(tool::root().join(FOLDER).join("Cargo.toml"))?;
    let profile: Vec<_> = manifest
        .lines()
        .skip_while(|line| !line.starts_with("[profile.release]"))
        .skip(1)
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    Ok(format!("{}; {}", compiler()?, profile.join(", ")))
}

fn print_table(figures: &[Figure], flags: &str) {
    println!("flags: {flags}");
    println!(
        "flash: above an image that does nothing; instructions, not cycles, counted by the emulator\n"
    );
    println!("{:<11} {:>8} {:>7}  figure", "core", "value", "aim");
    for Figure {
        core,
        what,
        unit,
        value,
        aim,
        ..
    } in figures
    {
        let aim = aim.map(|aim| format!("<={aim}")).unwrap_or_default();
        println!("{core:<11} {value:>8} {aim:>7}  {unit}; {what}");
    }
}

fn print_json(figures: &[Figure], flags: &str) -> anyhow::Result<()> {
    let rows: Vec<_> = figures
        .iter()
        .map(|figure| {
            let Figure { core, name, what, unit, value, aim } = figure;
            json!({ "core": core, "name": name, "what": what, "unit": unit, "value": value, "aim": aim })
        })
        .collect();
    let all = json!({ "flags": flags, "figures": rows });
    println!("{}", serde_json::to_string_pretty(&all)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::flash_of;

    #[test]
    fn only_what_lies_in_flash_counts() {
        // A header, then three section headers: code, zeroed memory, debug text.
        let mut elf = vec![0; 0x34 + 3 * 40];
        elf[..6].copy_from_slice(b"\x7fELF\x01\x01");
        elf[0x20] = 0x34;
        elf[0x2E] = 40;
        elf[0x30] = 3;
        for (nth, (kind, flags)) in [(1, 6), (8, 3), (1, 0)].into_iter().enumerate() {
            let at = 0x34 + nth * 40;
            (elf[at + 4], elf[at + 8], elf[at + 20]) = (kind, flags, 100);
        }
        assert_eq!(flash_of(&elf), Some(100));
        assert_eq!(flash_of(&elf[..0x40]), None);
        assert_eq!(flash_of(b"no ELF file at all"), None);
    }
}
