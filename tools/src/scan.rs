//! `meterkit scan`: which meters are on a line.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use dlt645::{Address, DataId, DataId1997, Edition, Event, Heard, Master, Search};
use indicatif::{ProgressBar, ProgressStyle};

use crate::hex_text;
use crate::port::{self, Port, Sleep, millis};
use crate::read::Protocol;

/// Finds meters.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    port: port::Line,
    /// Protocol of the meters.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// Does not stop at a meter that answers the wildcard: searches all low address bytes.
    #[arg(long)]
    search: bool,
    /// Searches only below these low address digits, an even number of them.
    #[arg(long, value_name = "DIGITS", default_value = "", requires = "search")]
    below: String,
    /// The meters take AA in single nibbles, which makes the search ten times shorter.
    #[arg(long)]
    half_bytes: bool,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Every 2007 meter has the forward active energy; its answer carries the whole address.
const ASKED: DataId = DataId(0x0001_0000);
/// The same of the older edition.
const ASKED_1997: DataId1997 = DataId1997(0x9010);

type Client<'b> = dlt645::asynch::Client<'b, Port, Sleep, fn() -> u64>;

/// Runs the command: success if a meter was found.
///
/// # Errors
/// Ports that fail.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let port = args.port.open().await?;
    let mut timing = args.port.timing();
    // Silence is the usual answer to a search: it is not asked for again.
    timing.tries = 1;
    let found = match args.protocol {
        Protocol::V2007 => electricity(args, port, timing, Edition::V2007).await?,
        Protocol::V1997 => electricity(args, port, timing, Edition::V1997).await?,
        Protocol::Cjt188 => water(port, timing).await?,
    };
    if args.json {
        println!("{}", serde_json::json!(found));
    } else {
        for address in &found {
            println!("{address}");
        }
    }
    Ok(if found.is_empty() {
        eprintln!("no meter found");
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn water(port: Port, timing: dlt645::Timing) -> anyhow::Result<Vec<String>> {
    use cjt188::{Event, IdOrder, Master, MeterType};
    let master = Master::new(timing, IdOrder::default());
    let mut client = cjt188::asynch::Client::new(port, Sleep, millis as fn() -> u64, master);
    Ok(match client.read_address(MeterType::ANY).await? {
        Event::Address {
            meter_type,
            address,
        } => vec![format!("{:02X} {address}", meter_type.0)],
        _ => Vec::new(),
    })
}

async fn electricity(
    args: &Args,
    port: Port,
    timing: dlt645::Timing,
    edition: Edition,
) -> anyhow::Result<Vec<String>> {
    let mut buffer = [0; 256];
    let master = Master::new(&mut buffer, timing);
    let mut client = Client::new(port, Sleep, millis, master);
    let mut found = Vec::new();
    if !args.search {
        // The older edition has no function for this: a read on the wildcard tells the address too.
        let heard = match edition {
            Edition::V2007 => {
                let told = client.read_address().await?;
                let told = match told {
                    Event::Address(address) => Some(Heard::Meter(address)),
                    _ => None,
                };
                told.unwrap_or_else(|| unanswered(&mut client))
            }
            Edition::V1997 => ask(&mut client, Address::WILDCARD, edition).await?,
        };
        match heard {
            Heard::Meter(address) => return Ok(vec![address.to_string()]),
            Heard::Silence => return Ok(found),
            Heard::Damage => {
                eprintln!("several meters answer at once: searching their low address bytes");
            }
        }
    }
    let low = low_bytes(&args.below)?;
    let mut search = Search::below(args.half_bytes, &low);
    let progress = Progress::new(if args.half_bytes { 10 } else { 100 });
    while let Some(address) = search.address() {
        progress.step(address);
        let heard = ask(&mut client, address, edition).await?;
        if heard == Heard::Damage {
            progress.more();
        }
        if let Some(meter) = search.heard(heard) {
            let text = meter.to_string();
            if !found.contains(&text) {
                progress.say(&format!("found {text}"));
                found.push(text);
            }
        }
    }
    progress.done();
    found.sort();
    Ok(found)
}

/// `0117` is the bytes 17 and 01, lowest first.
fn low_bytes(digits: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = hex_text::parse(digits)?;
    bytes.reverse();
    Ok(bytes)
}

async fn ask(client: &mut Client<'_>, address: Address, edition: Edition) -> anyhow::Result<Heard> {
    let answer = client
        .perform(|master, now| match edition {
            Edition::V2007 => master.read(now, address, ASKED),
            Edition::V1997 => master.read_1997(now, address, ASKED_1997),
        })
        .await?;
    match answer {
        Some(Event::Data { address, .. } | Event::Data1997 { address, .. }) => {
            Ok(Heard::Meter(address))
        }
        _ => Ok(unanswered(client)),
    }
}

fn unanswered(client: &mut Client<'_>) -> Heard {
    if client.master().heard_damage() {
        Heard::Damage
    } else {
        Heard::Silence
    }
}

/// A bar on a terminal, a line every ten steps elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    steps: std::cell::Cell<u64>,
    total: std::cell::Cell<u64>,
    /// Addresses behind each that was damaged.
    each: u64,
}

impl Progress {
    fn new(total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total);
            let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {eta}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Progress {
            bar,
            steps: 0.into(),
            total: total.into(),
            each: total,
        }
    }

    fn step(&self, address: Address) {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        match &self.bar {
            Some(bar) => {
                bar.set_message(address.to_string());
                bar.inc(1);
            }
            None if steps % 10 == 1 => {
                eprintln!("{steps}/{}: {address}", self.total.get());
            }
            None => {}
        }
    }

    fn more(&self) {
        self.total.set(self.total.get() + self.each);
        if let Some(bar) = &self.bar {
            bar.inc_length(self.each);
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }

    fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
