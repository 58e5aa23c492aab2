//! `meterkit scan`: which meters are on a line.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use dlt645::{Address, DataId, Event, Master};
use indicatif::{ProgressBar, ProgressStyle};

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
    /// Address bytes to descend where several meters answer at once.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=6))]
    depth: u8,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Every 2007 meter has the forward active energy; its answer carries the whole address.
const ASKED: DataId = DataId(0x0001_0000);

type Client<'b> = dlt645::asynch::Client<'b, Port, Sleep, fn() -> u64>;

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nobody,
    Meter(Address),
    /// Bytes came and made no frame: several spoke at once.
    Several,
}

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
        Protocol::V2007 => electricity(args, port, timing).await?,
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
) -> anyhow::Result<Vec<String>> {
    let mut buffer = [0; 256];
    let master = Master::new(&mut buffer, timing);
    let mut client = Client::new(port, Sleep, millis, master);
    let mut found = Vec::new();
    if !args.search {
        let before = damage(&mut client);
        let answer = client.read_address().await?;
        if let Event::Address(address) = answer {
            return Ok(vec![address.to_string()]);
        }
        if damage(&mut client) == before {
            return Ok(found);
        }
        eprintln!("several meters answer at once: searching their low address bytes");
    }
    let progress = Progress::new(100);
    // Prefixes of low address bytes still to be searched, each with 100 continuations.
    let mut open = vec![Vec::new()];
    while let Some(low) = open.pop() {
        for next in 0..100_u8 {
            let mut bytes = low.clone();
            bytes.push(next / 10 << 4 | next % 10);
            progress.step(&bytes);
            match ask(&mut client, &bytes).await? {
                Heard::Nobody => {}
                Heard::Meter(address) => {
                    let text = address.to_string();
                    if !found.contains(&text) {
                        progress.say(&format!("found {text}"));
                        found.push(text);
                    }
                }
                Heard::Several if bytes.len() < usize::from(args.depth) => {
                    progress.more(100);
                    open.push(bytes);
                }
                Heard::Several => progress.say(&format!(
                    "several meters behind {}: search deeper with --depth",
                    abbreviated(&bytes)
                )),
            }
        }
    }
    progress.done();
    found.sort();
    Ok(found)
}

/// `low` and AA above it.
fn abbreviated(low: &[u8]) -> Address {
    let mut bytes = [0xAA; 6];
    for (to, from) in bytes.iter_mut().zip(low) {
        *to = *from;
    }
    Address::from_line(bytes)
}

async fn ask(client: &mut Client<'_>, low: &[u8]) -> anyhow::Result<Heard> {
    let before = damage(client);
    let answer = client.read(abbreviated(low), ASKED).await?;
    if let Event::Data { address, .. } = answer {
        return Ok(Heard::Meter(address));
    }
    Ok(if damage(client) == before {
        Heard::Nobody
    } else {
        Heard::Several
    })
}

/// A count that grows when bytes came that answer nothing.
fn damage(client: &mut Client<'_>) -> u64 {
    let refusals = client.master().refusals();
    [
        refusals.noise,
        refusals.start,
        refusals.length,
        refusals.checksum,
        refusals.end,
        refusals.truncated,
    ]
    .iter()
    .map(|count| u64::from(*count))
    .sum()
}

/// A bar on a terminal, a line every ten steps elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    steps: std::cell::Cell<u64>,
    total: std::cell::Cell<u64>,
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
        }
    }

    fn step(&self, low: &[u8]) {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        let address = abbreviated(low).to_string();
        match &self.bar {
            Some(bar) => {
                bar.set_message(address);
                bar.inc(1);
            }
            None if steps % 10 == 1 => {
                eprintln!("{steps}/{}: {address}", self.total.get());
            }
            None => {}
        }
    }

    fn more(&self, steps: u64) {
        self.total.set(self.total.get() + steps);
        if let Some(bar) = &self.bar {
            bar.inc_length(steps);
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
