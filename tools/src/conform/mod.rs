//! `meterkit conform`: a conformance list run against any meter.

mod bench;
mod dlt645;
mod follow_up;
mod report;
mod silence;
mod water;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ::dlt645::{Address, DataId, DataId1997, Edition};
use anyhow::Context;

pub use self::bench::{Bench, Stop, Verdict};
pub use self::report::{Outcome, junit};
use crate::lang::{Choice, Lang, say};
use crate::read::Protocol;
use crate::{encode, names, port};

/// Runs a conformance list against a meter.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    port: port::Line,
    /// Address of the meter; asked for by default.
    #[arg(long, short)]
    address: Option<String>,
    /// Protocol of the meter.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// Type of a CJ/T 188 meter, two hexadecimal digits.
    #[arg(long = "type", default_value = "10", value_parser = encode::meter_type)]
    meter_type: cjt188::MeterType,
    /// An identifier that the meter has.
    #[arg(long, default_value = "00010000", value_parser = names::data_id)]
    known: DataId,
    /// An identifier whose answer is longer than a frame.
    #[arg(long, default_value = "03300801", value_parser = names::data_id)]
    long: DataId,
    /// A 1997 identifier that the meter has.
    #[arg(long, default_value = "9010", value_parser = names::data_id_1997)]
    known_1997: DataId1997,
    /// Leaves out what counts wrong passwords, tells the time or writes.
    #[arg(long)]
    gentle: bool,
    /// Runs only the items whose names contain one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Prints the list and runs nothing.
    #[arg(long)]
    list: bool,
    /// Writes the report as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Language of the report.
    #[arg(long, value_enum, default_value_t)]
    lang: Choice,
}

/// What the items take for granted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub known: DataId,
    pub long: DataId,
    pub known_1997: DataId1997,
}

type Run = for<'a> fn(&'a mut Bench) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One item of a list.
#[derive(Clone, Copy)]
pub struct Item {
    /// Its name for ever: reports are compared by it.
    pub name: &'static str,
    /// Where the rule stands.
    pub clause: &'static str,
    en: &'static str,
    zh: &'static str,
    /// It counts wrong passwords, tells the time or writes.
    pub touches: bool,
    run: Run,
}

impl Item {
    /// The rule in words.
    #[must_use]
    pub fn title(&self, lang: Lang) -> &'static str {
        say(lang, self.en, self.zh)
    }
}

/// The list of a protocol.
#[must_use]
pub fn list(protocol: Protocol) -> Vec<Item> {
    match protocol {
        Protocol::V2007 => [
            dlt645::ITEMS,
            silence::ITEMS,
            follow_up::ITEMS,
            dlt645::LAST,
        ]
        .concat(),
        Protocol::V1997 => {
            let both = [dlt645::ITEMS, silence::ITEMS].concat();
            let shared = both
                .into_iter()
                .filter(|item| !dlt645::NOT_1997.contains(&item.name));
            shared
                .chain(dlt645::ONLY_1997.iter().copied())
                .chain(dlt645::LAST.iter().copied())
                .collect()
        }
        Protocol::Cjt188 => water::ITEMS.to_vec(),
    }
}

/// Runs the command: success if no item failed.
///
/// # Errors
/// Ports that fail, and a meter that does not even tell its address.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.lang.into();
    let items: Vec<Item> = list(args.protocol)
        .into_iter()
        .filter(|item| {
            let named = |part: &String| item.name.contains(part.as_str());
            args.only.is_empty() || args.only.iter().any(named)
        })
        .collect();
    if args.list {
        for item in &items {
            println!("{:28} {:24} {}", item.name, item.clause, item.title(lang));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut bench = bench(args).await?;
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for item in items {
        let outcome = outcome(&mut bench, item, args.gentle, lang).await;
        println!("{}", report::line(&outcome, lang));
        outcomes.push(outcome);
    }
    println!("{}", report::summary(&outcomes, start.elapsed(), lang));
    if let Some(file) = &args.junit {
        let suite = format!("meterkit conform {}", args.port.target());
        std::fs::write(file, junit(&suite, &outcomes, lang))
            .with_context(|| file.display().to_string())?;
    }
    let failed = outcomes.iter().any(Outcome::is_failure);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn bench(args: &Args) -> anyhow::Result<Bench> {
    let settings = Settings {
        known: args.known,
        long: args.long,
        known_1997: args.known_1997,
    };
    let port = args.port.open().await?;
    let edition = match args.protocol {
        Protocol::V1997 => Edition::V1997,
        _ => Edition::V2007,
    };
    let mut bench = Bench::new(port, args.port.timing(), edition, settings);
    match (args.protocol, &args.address) {
        (Protocol::Cjt188, text) => {
            bench.water = match text {
                Some(text) => (args.meter_type, cjt188::Address::from_digits(text)?),
                None => water::find(&mut bench)
                    .await
                    .context("the meter does not tell its address: give it with --address")?,
            };
        }
        (_, Some(text)) => bench.address = text.parse()?,
        (_, None) => {
            bench.address = find(&mut bench)
                .await
                .context("the meter does not tell its address: give it with --address")?;
        }
    }
    Ok(bench)
}

async fn find(bench: &mut Bench) -> Option<Address> {
    let read = match bench.edition {
        Edition::V2007 => ::dlt645::Message::ReadAddress,
        Edition::V1997 => bench.known_read(),
    };
    let answer = bench.ask_at(Address::WILDCARD, &read).await.ok()?;
    Some(answer.address)
}

async fn outcome(bench: &mut Bench, item: Item, gentle: bool, lang: Lang) -> Outcome {
    let start = Instant::now();
    let verdict = if item.touches && gentle {
        let reason = say(lang, "left out by --gentle", "按 --gentle 略过");
        Err(Stop::Skipped(reason.to_owned()))
    } else {
        // No item takes longer than its questions; a port that hangs must not hold up the report.
        let limit = Duration::from_secs(120);
        match tokio::time::timeout(limit, (item.run)(bench)).await {
            Ok(verdict) => verdict,
            Err(_) => Err(Stop::Port("no end within two minutes".to_owned())),
        }
    };
    Outcome {
        item,
        verdict,
        time: start.elapsed(),
    }
}
