//! `meterkit decode`: explains every byte of a capture of a line, or a message of the unified standard.

mod cjt188;
mod content;
mod dlt645;
mod explained;
mod layout;
pub mod message;
mod texts;
mod values;

use std::io::Read;
use std::process::ExitCode;

use anyhow::Context;

pub use self::explained::{Fault, Named, Part, Stretch, json, text};
use crate::hex_text;
use crate::lang::{Choice, Lang, say};

/// Which tables explain a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Reading {
    /// Told by the frame.
    #[default]
    Auto,
    /// DL/T 645-2007.
    #[value(name = "2007")]
    V2007,
    /// DL/T 645-1997.
    #[value(name = "1997")]
    V1997,
    /// CJ/T 188.
    Cjt188,
}

/// Explains frames byte by byte.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bytes in hexadecimal, with or without spaces, commas and 0x; standard input if there are none.
    hex: Vec<String>,
    /// Language of the meanings.
    #[arg(long, value_enum, default_value_t)]
    lang: Choice,
    /// Tables to use.
    #[arg(long, value_enum, default_value_t)]
    edition: Reading,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// Runs the command: success if the capture holds frames and none is broken.
///
/// # Errors
/// Text that is no list of bytes, and standard input that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.lang.into();
    let mut text = args.hex.join(" ");
    if text.trim().is_empty() {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("standard input")?;
    }
    let capture = hex_text::parse(&text)?;
    if args.edition == Reading::Auto && message::is_message(&capture) {
        match message::explain(&capture, lang)? {
            Ok(message) => {
                println!("{message:#}");
                return Ok(ExitCode::SUCCESS);
            }
            // A capture of a line may begin with any byte: it counts as a message only when it holds no frame.
            Err(error) if !capture.contains(&0x68) => {
                eprintln!("{error}");
                return Ok(ExitCode::FAILURE);
            }
            Err(_) => {}
        }
    }
    let stretches = explain(&capture, args.edition, lang);
    if args.json {
        println!("{:#}", json(&stretches));
    } else {
        print!("{}", self::text(&stretches, lang));
    }
    let frames = stretches.iter().filter(|part| !part.protocol.is_empty());
    let broken = stretches.iter().any(|part| part.fault.is_some());
    if frames.count() == 0 {
        eprintln!("{}", say(lang, "no frame found", "未找到帧"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// All stretches of a capture, in order and without gaps.
#[must_use]
pub fn explain(capture: &[u8], reading: Reading, lang: Lang) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut at = 0;
    while let Some(rest) = capture.get(at..)
        && !rest.is_empty()
    {
        let stretch = next(at, rest, reading, lang);
        at += stretch.length.max(1);
        stretches.push(stretch);
    }
    stretches
}

/// A CJ/T 188 frame with 255 data bytes, the longest that a length byte allows.
const FRAME_MAX: usize = ::cjt188::OVERHEAD + 255;

fn next(at: usize, rest: &[u8], reading: Reading, lang: Lang) -> Stretch {
    let quiet = rest.iter().take_while(|byte| **byte == 0xFE).count();
    if quiet > 0 {
        let meaning = say(lang, "preamble", "前导字节");
        return Stretch::between(
            at,
            rest.get(..quiet).unwrap_or_default(),
            meaning.to_owned(),
        );
    }
    let noise = rest
        .iter()
        .take_while(|byte| !matches!(**byte, 0x68 | 0xFE))
        .count();
    if noise > 0 {
        let meaning = say(lang, "outside frames", "帧外字节");
        return Stretch::between(
            at,
            rest.get(..noise).unwrap_or_default(),
            meaning.to_owned(),
        );
    }
    if let Some(frame) = whole(at, rest, reading, lang) {
        return frame;
    }
    // A broken frame reaches up to the next whole one; noise before that belongs to it.
    let until = (1..rest.len())
        .filter(|nth| rest.get(*nth) == Some(&0x68))
        .find(|nth| {
            rest.get(*nth..)
                .is_some_and(|rest| whole(at + nth, rest, reading, lang).is_some())
        })
        .map_or(rest.len(), |nth| {
            let before = rest.get(..nth).unwrap_or_default();
            nth - before
                .iter()
                .rev()
                .take_while(|byte| **byte == 0xFE)
                .count()
        });
    let bytes = rest.get(..until).unwrap_or(rest);
    // A lone 68 in front of a whole frame is noise: nothing else says that a frame was begun.
    let no_645 = matches!(reading, Reading::V2007 | Reading::V1997) && rest.get(7) != Some(&0x68);
    if until < rest.len() && (until < 8 || no_645) {
        let meaning = say(lang, "outside frames", "帧外字节");
        return Stretch::between(at, bytes, meaning.to_owned());
    }
    let as_188 = match reading {
        Reading::Cjt188 => true,
        Reading::Auto => rest.get(7).is_some_and(|byte| *byte != 0x68),
        Reading::V2007 | Reading::V1997 => false,
    };
    if as_188 {
        cjt188::broken(at, bytes, lang)
    } else {
        dlt645::broken(at, bytes, lang)
    }
}

/// The frame that begins here, if one does.
fn whole(at: usize, rest: &[u8], reading: Reading, lang: Lang) -> Option<Stretch> {
    // No frame is longer, so a long capture without any is still looked through in one go.
    let rest = rest.get(..FRAME_MAX).unwrap_or(rest);
    let edition = match reading {
        Reading::Cjt188 => None,
        Reading::V2007 => Some(Some(::dlt645::Edition::V2007)),
        Reading::V1997 => Some(Some(::dlt645::Edition::V1997)),
        Reading::Auto => Some(None),
    };
    edition
        .and_then(|edition| dlt645::whole(at, rest, edition, lang))
        .or_else(|| match reading {
            Reading::Auto | Reading::Cjt188 => cjt188::whole(at, rest, lang),
            Reading::V2007 | Reading::V1997 => None,
        })
}

/// The values in the joined data of an answer of a 2007 meter.
#[must_use]
pub fn values_2007(id: ::dlt645::DataId, data: &[u8], lang: Lang) -> Vec<Named> {
    let mut layout = layout::Layout::new(0, data);
    values::put(&mut layout, id, data, lang);
    layout.finish().1
}

/// The values in the joined data of an answer of a 1997 meter.
#[must_use]
pub fn values_1997(id: ::dlt645::DataId1997, data: &[u8], lang: Lang) -> Vec<Named> {
    let mut layout = layout::Layout::new(0, data);
    values::put_1997(&mut layout, id, data, lang);
    layout.finish().1
}

/// The set bits of ERR in words.
#[must_use]
pub fn err_text(edition: ::dlt645::Edition, err: ::dlt645::Err645, lang: Lang) -> String {
    texts::err(edition, err, lang)
}

/// The values in the data behind the running number of an answer of a CJ/T 188 meter.
#[must_use]
pub fn values_188(
    meter_type: ::cjt188::MeterType,
    id: ::cjt188::DataId,
    data: &[u8],
    lang: Lang,
) -> Vec<Named> {
    let mut layout = layout::Layout::new(0, data);
    cjt188::put_answer(&mut layout, meter_type, id, data, lang);
    layout.finish().1
}
