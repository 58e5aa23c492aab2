//! `meterkit read`: values of a meter.

use std::process::ExitCode;

use anyhow::bail;
use dlt645::{Address, Event, Lang, Master, Message};

use crate::decode::{Named, err_text, values_188, values_1997, values_2007};
use crate::lang::{Choice, say};
use crate::port::{self, Port, Sleep, millis};
use crate::{encode, names};

/// Which protocol the meter speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Protocol {
    /// DL/T 645-2007.
    #[default]
    #[value(name = "2007")]
    V2007,
    /// DL/T 645-1997.
    #[value(name = "1997")]
    V1997,
    /// CJ/T 188.
    Cjt188,
}

/// Reads values of a meter.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    port: port::Line,
    /// What to read, by code or name; blocks with FF in the code. 901F for CJ/T 188 if nothing is given.
    ids: Vec<String>,
    /// Address of the meter, also abbreviated with AA in front; whoever is alone on the line by default.
    #[arg(long, short)]
    address: Option<String>,
    /// Protocol of the meter.
    #[arg(long, value_enum, default_value_t)]
    protocol: Protocol,
    /// Type of a CJ/T 188 meter, two hexadecimal digits.
    #[arg(long = "type", default_value = "10", value_parser = encode::meter_type)]
    meter_type: cjt188::MeterType,
    /// Number of load-record blocks (class 06).
    #[arg(long)]
    blocks: Option<u8>,
    /// Load records from this minute on.
    #[arg(long, requires = "blocks")]
    from: Option<jiff::civil::DateTime>,
    /// Takes answers that carry AA instead of the meter's address, as some devices send them.
    #[arg(long)]
    wildcard_answers: bool,
    /// Language of names.
    #[arg(long, value_enum, default_value_t)]
    lang: Choice,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// The longest record of the standard has 1,026 bytes; load records of several blocks are longer.
const BUFFER: usize = 8192;

/// What came back for one identifier.
struct Answer {
    id: String,
    address: String,
    data: Vec<u8>,
    values: Vec<Named>,
    refused: Option<String>,
}

/// Runs the command: success if the meter answered everything.
///
/// # Errors
/// Ports that fail and identifiers that are none.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let port = args.port.open().await?;
    let answers = match args.protocol {
        Protocol::V2007 => read_2007(args, port).await?,
        Protocol::V1997 => read_1997(args, port).await?,
        Protocol::Cjt188 => read_188(args, port).await?,
    };
    let complete = answers.iter().all(|answer| answer.refused.is_none());
    if args.json {
        let rows: Vec<serde_json::Value> = answers.iter().map(json).collect();
        println!("{:#}", serde_json::Value::Array(rows));
    } else {
        for answer in &answers {
            text(answer, args.lang.into());
        }
    }
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn read_2007(args: &Args, port: Port) -> anyhow::Result<Vec<Answer>> {
    if args.ids.is_empty() {
        bail!("say what to read: codes such as 00010000, or names");
    }
    let lang = args.lang.into();
    let address = match &args.address {
        Some(text) => text.parse()?,
        None => Address::WILDCARD,
    };
    let mut rest = Vec::new();
    if let Some(count) = args.blocks {
        rest.push(count);
        if let Some(from) = args.from {
            let line = encode::stamp(from)?.line().unwrap_or_default();
            rest.extend(line.get(1..).unwrap_or_default());
        }
    }
    let mut buffer = [0; BUFFER];
    let mut master = Master::new(&mut buffer, args.port.timing());
    master.accept_wildcard_answers(args.wildcard_answers);
    let mut client = dlt645::asynch::Client::new(port, Sleep, millis as fn() -> u64, master);
    let mut answers = Vec::new();
    for text in &args.ids {
        let id = names::data_id(text)?;
        let mut answer = Answer {
            id: id.to_string(),
            address: address.to_string(),
            data: Vec::new(),
            values: Vec::new(),
            refused: None,
        };
        match client
            .ask(address, &Message::Read { id, rest: &rest })
            .await?
        {
            Some(Event::Data { address, data, .. }) => {
                answer.address = address.to_string();
                answer.data = data.to_vec();
                answer.values = values_2007(id, data, lang);
            }
            Some(Event::Refused { err, .. }) => {
                let bits = err_text(dlt645::Edition::V2007, err, lang);
                answer.refused = Some(format!("ERR {:02X}: {bits}", err.0));
            }
            Some(Event::TimedOut { tries }) => {
                answer.refused = Some(unanswered(tries, lang));
            }
            other => answer.refused = Some(format!("{other:?}")),
        }
        answers.push(answer);
    }
    Ok(answers)
}

async fn read_1997(args: &Args, port: Port) -> anyhow::Result<Vec<Answer>> {
    if args.ids.is_empty() {
        bail!("say what to read: codes such as 9010, or names");
    }
    let lang = args.lang.into();
    let address = match &args.address {
        Some(text) => text.parse()?,
        None => Address::WILDCARD,
    };
    let mut buffer = [0; BUFFER];
    let mut master = Master::new(&mut buffer, args.port.timing());
    master.accept_wildcard_answers(args.wildcard_answers);
    let mut client = dlt645::asynch::Client::new(port, Sleep, millis as fn() -> u64, master);
    let mut answers = Vec::new();
    for text in &args.ids {
        let id = names::data_id_1997(text)?;
        let mut answer = Answer {
            id: id.to_string(),
            address: address.to_string(),
            data: Vec::new(),
            values: Vec::new(),
            refused: None,
        };
        let asked = client.perform(|master, now| master.read_1997(now, address, id));
        match asked.await? {
            Some(Event::Data1997 { address, data, .. }) => {
                answer.address = address.to_string();
                answer.data = data.to_vec();
                answer.values = values_1997(id, data, lang);
            }
            Some(Event::Refused { err, .. }) => {
                let bits = err_text(dlt645::Edition::V1997, err, lang);
                answer.refused = Some(format!("ERR {:02X}: {bits}", err.0));
            }
            Some(Event::TimedOut { tries }) => answer.refused = Some(unanswered(tries, lang)),
            other => answer.refused = Some(format!("{other:?}")),
        }
        answers.push(answer);
    }
    Ok(answers)
}

async fn read_188(args: &Args, port: Port) -> anyhow::Result<Vec<Answer>> {
    use cjt188::{Address, Event, IdOrder, Master};
    let lang = args.lang.into();
    let address = match &args.address {
        Some(text) => Address::from_digits(text)?,
        None => Address::WILDCARD,
    };
    let master = Master::new(args.port.timing(), IdOrder::default());
    let mut client = cjt188::asynch::Client::new(port, Sleep, millis as fn() -> u64, master);
    let present = ["901F".to_owned()];
    let ids = if args.ids.is_empty() {
        &present[..]
    } else {
        &args.ids
    };
    let mut answers = Vec::new();
    for text in ids {
        let id = names::data_id_188(text)?;
        let mut answer = Answer {
            id: id.to_string(),
            address: address.to_string(),
            data: Vec::new(),
            values: Vec::new(),
            refused: None,
        };
        match client.read(args.meter_type, address, id).await? {
            Event::Data {
                meter_type,
                address,
                data,
                ..
            } => {
                answer.address = address.to_string();
                answer.data = data.to_vec();
                answer.values = values_188(meter_type, id, data, lang);
            }
            Event::Refused { data, .. } => {
                answer.refused = Some(format!("the meter refuses: {data:02X?}"));
            }
            Event::TimedOut { tries } => answer.refused = Some(unanswered(tries, lang)),
            other => answer.refused = Some(format!("{other:?}")),
        }
        answers.push(answer);
    }
    Ok(answers)
}

fn unanswered(tries: u8, lang: Lang) -> String {
    match lang {
        Lang::En => format!("no answer, asked {tries} times"),
        Lang::Zh => format!("无应答，已请求{tries}次"),
    }
}

fn text(answer: &Answer, lang: Lang) {
    if let Some(reason) = &answer.refused {
        println!("{} {}: {reason}", answer.address, answer.id);
    } else if answer.values.is_empty() {
        let word = say(lang, "data", "数据");
        let bytes = crate::hex_text::show(&answer.data);
        println!("{} {} {word}: {bytes}", answer.address, answer.id);
    }
    for value in &answer.values {
        println!(
            "{} {} {}: {}",
            answer.address, value.id, value.name, value.value
        );
    }
}

fn json(answer: &Answer) -> serde_json::Value {
    let values: Vec<serde_json::Value> = answer
        .values
        .iter()
        .map(|value| serde_json::json!({"id": value.id, "name": value.name, "value": value.value}))
        .collect();
    serde_json::json!({
        "id": answer.id,
        "address": answer.address,
        "data": crate::hex_text::show(&answer.data),
        "values": values,
        "refused": answer.refused,
    })
}
