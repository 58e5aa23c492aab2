//! One command behind every job: `cargo xtask` alone lists them.

mod accuracy;
mod bench;
mod browser;
mod compare_code;
mod elf;
mod emulated;
mod ffi;
mod firmware;
#[cfg(test)]
mod guide;
mod header;
mod images;
mod jobs;
mod mcu_bench;
mod proofs;
mod report;
mod size;
mod skips;
mod tool;
mod vectors;
mod waves;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{CommandFactory, Parser, Subcommand};

use accuracy::{Grid, Output};
use report::{Report, Verdict};

/// One command behind every job of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    job: Option<Job>,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Start the whole reference stack (the alias `cargo demo`); arguments go to the stack
    #[command(disable_help_flag = true)]
    Demo {
        /// Arguments of the stack, for example `--speed 10`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run every check below, installing what is missing
    Test {
        /// Also the long runs: fuzzing with a coverage-guided engine, simulated hours, the full grid of loads
        #[arg(long)]
        full: bool,
    },
    /// Check the formatting
    Fmt,
    /// Clippy over everything, warnings refused
    Lint,
    /// Unit, property and integration tests of crates and examples
    Unit,
    /// Build the microcontroller crates for Cortex-M0 and M4
    NoStd,
    /// Write the C header anew; with --check compare it with the committed one
    Header {
        /// Compare instead of writing
        #[arg(long)]
        check: bool,
    },
    /// Install header, static and shared library, pkg-config file and CMake package for C projects
    FfiInstall(ffi::Options),
    /// Tests of the C interface: misuse of every function, programs under sanitizers, each module alone
    Ffi,
    /// Build C programs against an installation: by pkg-config and CMake, static and shared
    FfiPackages,
    /// Run C programs on emulated Cortex-M0 and M4 boards
    FfiBoards,
    /// Flash that each module of the C interface costs on Cortex-M0 and M4
    FfiSize {
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    /// Replay the fuzz corpus and run each body on random input; with --minutes N under libFuzzer
    Fuzz {
        /// Minutes for each target under libFuzzer (needs the nightly tool chain and cargo-fuzz)
        #[arg(long)]
        minutes: Option<u64>,
    },
    /// The long simulations: hours at full scale, counts of samples past 2^32
    Long,
    /// Run the firmware images in the emulator beside the host
    Emulate,
    /// The cases of `vectors/security` on the emulated Cortex-M0 and M4
    EmulateCases,
    /// Run a crate beside an independent package on the same input; nothing is judged
    Bench {
        /// The crate: dlt645, metrology, tariff, or meter-proto (whose instruction counts are judged)
        what: String,
    },
    /// Bills of a year beside PySAM and charging sessions beside ocpi-tariffs; fails where no reason is known
    TariffCompare,
    /// Bytes of the unified messages beside other formats; fails where an aim is missed
    Sizes {
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
    },
    /// Flash and instructions of the codecs on Cortex-M0 and M4; flash, RAM and worst stack of the firmware images
    Size {
        /// Print the figures of the codecs as JSON
        #[arg(long)]
        json: bool,
    },
    /// Two emulated cores and a host tool: reads, a sale, a trip, updates, a hostile image; flash, RAM and stack
    FirmwareDemo,
    /// Instructions of every hot path on Cortex-M0 and M4 beside the committed table; fails above 5 % worse
    McuBench {
        /// Write the table anew
        #[arg(long)]
        write: bool,
    },
    /// Skip every instruction of the boot and order decisions in the emulator; nothing forged may pass
    SkipCampaign {
        /// A sample on the larger core
        #[arg(long)]
        quick: bool,
        /// Only cases whose line `core, case` contains this text, for example `M4F, order`
        #[arg(long, default_value = "")]
        only: String,
    },
    /// Run case files: the project's own without arguments
    Vectors {
        /// Case files in the formats of `vectors/`
        files: Vec<PathBuf>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a folder of recorded waves against their reference values
    Waves {
        /// The folder
        folder: PathBuf,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
        /// Draw every error as a part of its bound into this PNG file
        #[arg(long)]
        picture: Option<PathBuf>,
    },
    /// Sweep the signal chain over the class tables, beside a double-precision model; tables and pictures
    Accuracy {
        /// The small grid of the checks, without pictures
        #[arg(long)]
        quick: bool,
        /// Print every point as JSON
        #[arg(long)]
        json: bool,
        /// Write tables and pictures of the full grid into the documentation
        #[arg(long, conflicts_with_all = ["quick", "json"])]
        docs: bool,
    },
    /// Ciphers, derivations, envelopes and handshakes beside OpenSSL on random input
    Differential {
        /// How many cases
        #[arg(long, default_value_t = 10_000_000)]
        cases: u64,
    },
    /// Ciphers and comparisons on secrets that valgrind takes for undefined: no branch, no address
    ConstantTime,
    /// The machine code of the comparison of secrets on Cortex-M0 and M4: no early exit, no division
    CompareCode,
    /// The lock files beside the published security advisories, or a copy in METERKIT_ADVISORIES (needs cargo-audit)
    Advisories,
    /// Unit tests of `security` in an interpreter that knows undefined behaviour
    Miri,
    /// Whole-system tests: hostile input, killed processes, other parties' clients
    System,
    /// The demonstration in a headless browser, with pictures as artefacts
    Browser,
}

fn main() -> ExitCode {
    match run(Arguments::parse().job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(job: Option<Job>) -> anyhow::Result<()> {
    std::env::set_current_dir(tool::root())?;
    let verdict = match job {
        None => {
            list();
            return Ok(());
        }
        Some(Job::Demo { arguments }) => return jobs::demo(&arguments),
        Some(Job::Test { full }) => return test(full),
        Some(Job::Vectors { files, json }) => return vectors::command(&files, json),
        Some(Job::Waves {
            folder,
            json,
            picture,
        }) => return waves_command(&folder, json, picture.as_deref()),
        Some(Job::Fmt) => jobs::fmt(),
        Some(Job::Lint) => jobs::lint(),
        Some(Job::Unit) => jobs::unit(),
        Some(Job::NoStd) => jobs::no_std(),
        Some(Job::Header { check }) => header::run(check),
        Some(Job::FfiInstall(options)) => ffi::install(&options),
        Some(Job::Ffi) => jobs::ffi(),
        Some(Job::FfiPackages) => ffi::packages(),
        Some(Job::FfiBoards) => ffi::boards(),
        Some(Job::FfiSize { json }) => ffi::size(json),
        Some(Job::Fuzz { minutes }) => jobs::fuzz(minutes),
        Some(Job::Bench { what }) => bench::run(&what),
        Some(Job::TariffCompare) => bench::tariff::compare(),
        Some(Job::Sizes { json }) => bench::messages::sizes(json),
        Some(Job::Size { json: true }) => size::run(true),
        Some(Job::Size { json: false }) => size_and_images(),
        Some(Job::FirmwareDemo) => firmware::demo(),
        Some(Job::McuBench { write }) => mcu_bench::run(write),
        Some(Job::SkipCampaign { quick, only }) => skips::run(quick, &only),
        Some(Job::Accuracy { quick, json, docs }) => {
            let grid = if quick { Grid::Quick } else { Grid::Full };
            let output = match (json, docs) {
                (true, _) => Output::Json,
                (_, true) => Output::Docs,
                _ if quick => Output::Tables,
                _ => Output::Pictures,
            };
            accuracy::run(grid, output)
        }
        Some(Job::Long) => jobs::long(),
        Some(Job::Emulate) => jobs::emulate(),
        Some(Job::EmulateCases) => emulated::run(),
        Some(Job::Differential { cases }) => proofs::differential(cases),
        Some(Job::ConstantTime) => proofs::constant_time(),
        Some(Job::CompareCode) => compare_code::run(),
        Some(Job::Advisories) => proofs::advisories(),
        Some(Job::Miri) => proofs::miri(),
        Some(Job::System) => jobs::system(),
        Some(Job::Browser) => browser::run(),
    }?;
    match verdict {
        Verdict::Passed => Ok(()),
        Verdict::Failed(why) => bail!(why),
        Verdict::Skipped(why) => {
            println!("{}{why}", report::SKIPPED);
            Ok(())
        }
    }
}

/// One line for each job.
fn list() {
    println!("cargo xtask JOB\n");
    for job in Arguments::command().get_subcommands() {
        let about = job.get_about().map(ToString::to_string).unwrap_or_default();
        println!("  {:<9} {about}", job.get_name());
    }
}

fn test(full: bool) -> anyhow::Result<()> {
    let skips = jobs::skip_list()?;
    let this = std::env::current_exe()?;
    let mut report = Report::default();
    report.job("fmt", jobs::fmt);
    report.job("lint", jobs::lint);
    report.job("no-std", jobs::no_std);
    report.job("unit", jobs::unit);
    report.job("sizes", || bench::messages::sizes(false));
    report.job("header", || header::run(true));
    report.job("fuzz", || jobs::fuzz(full.then_some(10)));
    let campaign: &[&str] = match full {
        true => &["skip-campaign"],
        false => &["skip-campaign", "--quick"],
    };
    report.side_by_side(
        &this,
        [
            // These mostly wait.
            &[&["firmware-demo"], &["system"]],
            // These mostly work.
            &[
                &["emulate"],
                &["emulate-cases"],
                &["mcu-bench"],
                &["constant-time"],
                &["compare-code"],
                &["ffi"],
                &["ffi-packages"],
                &["ffi-boards"],
                campaign,
            ],
        ],
    );
    if full {
        report.job("size", size_and_images);
        report.job("tariff-compare", bench::tariff::compare);
        report.job("ffi-size", || ffi::size(false));
        report.job("long", jobs::long);
        report.job("miri", proofs::miri);
        report.job("advisories", proofs::advisories);
    }
    report.job("vectors", vectors::job);
    report.job("waves", waves_job);
    report.job("accuracy", || {
        let grid = if full { Grid::Full } else { Grid::Quick };
        accuracy::run(grid, Output::Tables)
    });
    report.job("browser", browser::run);
    if let Ok(text) = std::fs::read_to_string(&skips)
        && !text.is_empty()
    {
        println!("\ntests that could not run here:\n{}", text.trim_end());
    }
    match report.close() {
        0 => Ok(()),
        failed => bail!("{failed} jobs failed"),
    }
}

/// The codecs, then the firmware images, whose stories are told when they have not been told here yet.
fn size_and_images() -> anyhow::Result<Verdict> {
    let codecs = size::run(false)?;
    for story in [jobs::emulate, firmware::demo] {
        match story()? {
            Verdict::Passed => {}
            other => return Ok(other),
        }
    }
    images::table(None)?;
    Ok(codecs)
}

fn waves_command(
    folder: &std::path::Path,
    json: bool,
    picture: Option<&std::path::Path>,
) -> anyhow::Result<()> {
    let outcome = waves::run(folder, json, picture)?;
    if json {
        println!("{}", vectors::json(&outcome));
    }
    vectors::close(&outcome)
}

fn waves_job() -> anyhow::Result<Verdict> {
    match tool::shared().map(|folder| folder.join("waveforms")) {
        Some(folder) if folder.is_dir() => {
            let outcome = waves::run(&folder, false, None)?;
            vectors::close(&outcome)?;
            Ok(Verdict::Passed)
        }
        _ => Ok(Verdict::Skipped(
            "no folder of recorded waves beside this checkout".into(),
        )),
    }
}
