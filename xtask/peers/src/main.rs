//! Charging sessions priced by `tariff` and by the crate `ocpi-tariffs`: its own sample records, then sessions made up
//! for every sample tariff. A difference without a known reason fails the run.

mod reasons;
mod records;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use ocpi_tariffs::{Version, cdr, price, tariff as peer_tariff};
use tariff::Decimal;
use tariff::charging::ocpi::{Session, Tariff};
use testkit::Rng;

/// The zone of all samples.
const ZONE: chrono_tz::Tz = chrono_tz::Europe::Amsterdam;
/// Sessions made up for each tariff.
const MADE_UP: u64 = 100;

/// Both sums of a session.
#[derive(Clone, Copy, Debug)]
struct Sums {
    excluding: Decimal,
    including: Option<Decimal>,
}

impl Sums {
    /// The greater of both differences.
    fn apart(self, other: Sums) -> Option<Decimal> {
        let apart = |a: Decimal, b: Decimal| Some(a.checked_sub(b)?.max(b.checked_sub(a)?));
        let excluding = apart(self.excluding, other.excluding)?;
        // Records of 2.1.1 know no tax.
        match (self.including, other.including) {
            (Some(a), Some(b)) => Some(excluding.max(apart(a, b)?)),
            _ => Some(excluding),
        }
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}",
            self.excluding
                .rounded(6, tariff::Rounding::HalfUp)
                .shortened()
        )?;
        let including = self
            .including
            .map(|sum| sum.rounded(6, tariff::Rounding::HalfUp).shortened());
        including.map_or(Ok(()), |sum| write!(f, " / {sum}"))
    }
}

fn decimal(text: &str) -> anyhow::Result<Decimal> {
    text.parse()
        .map_err(|error| anyhow::anyhow!("{text}: {error}"))
}

fn ours_of(tariff_json: &str, session: &Session) -> anyhow::Result<Sums> {
    let cost = Tariff::from_json(tariff_json)?.price(session);
    let cost = cost.context("an amount does not fit")?;
    Ok(Sums {
        excluding: cost.excluding_vat,
        including: Some(cost.including_vat),
    })
}

/// The other engine's total; the warning where it prices nothing.
fn theirs(tariff_json: &str, cdr_json: &str, version: Version) -> anyhow::Result<Sums> {
    let record =
        cdr::parse_with_version(cdr_json, version).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let tariff = peer_tariff::parse_with_version(tariff_json, version)
        .map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let priced = cdr::price(
        &record.cdr,
        price::TariffSource::single(tariff.tariff),
        ZONE,
    );
    let report = match priced {
        Ok(report) => report.ignore_warnings(),
        Err(set) => anyhow::bail!("{}", set.into_parts().0.warning()),
    };
    let total = report.total_cost.calculated;
    let money =
        |money: ocpi_tariffs::Money| decimal(&rust_decimal::Decimal::from(money).to_string());
    Ok(match total {
        Some(total) => Sums {
            excluding: money(total.excl_vat)?,
            including: total.incl_vat.map(money).transpose()?,
        },
        None => Sums {
            excluding: Decimal::ZERO,
            including: Some(Decimal::ZERO),
        },
    })
}

/// The unpacked sources of the other engine, which hold its samples.
fn samples() -> anyhow::Result<PathBuf> {
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()?;
    ensure!(output.status.success(), "cargo metadata failed");
    let all: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = all["packages"].as_array().context("no packages")?;
    let found = packages
        .iter()
        .find(|package| package["name"] == "ocpi-tariffs");
    let manifest = found.and_then(|package| package["manifest_path"].as_str());
    let folder =
        Path::new(manifest.context("ocpi-tariffs is not there")?).with_file_name("test_data");
    ensure!(folder.is_dir(), "the package has no samples");
    Ok(folder)
}

/// One session under one tariff.
struct Case {
    /// Version and folder of the sample.
    name: String,
    tariff: String,
    session: anyhow::Result<Session>,
    made_up: bool,
}

/// Counts of one group of sessions.
#[derive(Default)]
struct Tally {
    equal: usize,
    explained: BTreeMap<&'static str, (usize, String)>,
    unexplained: Vec<String>,
}

impl Tally {
    fn take(&mut self, case: &Case, theirs: anyhow::Result<Sums>) {
        let ours = case
            .session
            .as_ref()
            .map_err(|why| anyhow::anyhow!("{why:#}"));
        let ours = ours.and_then(|session| ours_of(&case.tariff, session));
        let text = |sums: &anyhow::Result<Sums>| {
            sums.as_ref()
                .map_or_else(|error| format!("{error:#}"), Sums::to_string)
        };
        let apart = ours.as_ref().ok().zip(theirs.as_ref().ok());
        let apart = apart.and_then(|(ours, theirs)| ours.apart(*theirs));
        // Equal in the four places that the other engine gives.
        if apart
            .zip(Decimal::try_new(5, 5))
            .is_some_and(|(apart, half)| apart <= half)
        {
            self.equal += 1;
            return;
        }
        let shown = format!(
            "{}: ours {}, theirs {}",
            case.name,
            text(&ours),
            text(&theirs)
        );
        match reasons::of(case, apart) {
            Some(reason) => {
                let (count, example) = self.explained.entry(reason).or_default();
                *count += 1;
                if example.is_empty() {
                    *example = shown;
                }
            }
            None => self.unexplained.push(shown),
        }
    }

    fn close(self, what: &str) -> bool {
        println!("\n{what}: {} equal", self.equal);
        for (reason, (count, example)) in &self.explained {
            println!("  {count} differ: {reason}\n    {example}");
        }
        for shown in self.unexplained.iter().take(20) {
            println!("  NO REASON KNOWN: {shown}");
        }
        println!("  {} without a known reason", self.unexplained.len());
        self.unexplained.is_empty()
    }
}

fn main() -> anyhow::Result<()> {
    let samples = samples()?;
    println!("ocpi-tariffs 0.40.0, sums without and with tax");
    let (mut samples_own, mut made) = (Tally::default(), Tally::default());
    for (version, folder) in [(Version::V221, "v221"), (Version::V211, "v211")] {
        let mut folders: Vec<_> = std::fs::read_dir(samples.join(folder).join("real_world"))?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()?;
        folders.sort();
        for path in folders {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let name = format!("{folder}/{name}");
            let own = std::fs::read_to_string(path.join("tariff.json")).ok();
            let mut case = |record: &str, tariff: String, made_up| {
                let theirs = theirs(&tariff, record, version);
                let session = records::session(record);
                let case = Case {
                    name: name.clone(),
                    tariff,
                    session,
                    made_up,
                };
                let tally = if made_up { &mut made } else { &mut samples_own };
                tally.take(&case, theirs);
            };
            for file in records::files(&path)? {
                let record = std::fs::read_to_string(&file)?;
                let tariff = own
                    .clone()
                    .map_or_else(|| records::tariff_inside(&record), Ok)?;
                case(&record, tariff, false);
            }
            for seed in 0..MADE_UP {
                if let Some(tariff) = &own {
                    case(
                        &records::made_up(&mut Rng::new(seed), version),
                        tariff.clone(),
                        true,
                    );
                }
            }
        }
    }
    let both = [
        samples_own.close("sample records"),
        made.close("sessions made up for the sample tariffs"),
    ];
    ensure!(both == [true; 2], "sums differ for no known reason");
    Ok(())
}
