//! What is said of a capture: parts with their bytes, in text and in JSON.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::hex_text::show;
use crate::lang::{Lang, say};

/// A run of bytes and what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Index of its first byte in the capture.
    pub offset: usize,
    /// As on the line.
    pub line: Vec<u8>,
    /// Without the offset of 33, where DL/T 645 adds it.
    pub plain: Option<Vec<u8>>,
    /// For people.
    pub meaning: String,
}

/// A value found in a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The identifier, in hexadecimal.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The value with its unit, or what is wrong with it.
    pub value: String,
}

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule that failed: start, truncated, checksum, end, content.
    pub rule: &'static str,
    /// Index in the capture where it shows.
    pub position: usize,
    /// What belongs there.
    pub expected: String,
    /// What stands there.
    pub found: String,
    /// A sentence.
    pub reason: String,
}

/// A stretch of a capture: a frame, a broken frame, or bytes between frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Index of its first byte.
    pub offset: usize,
    /// Number of bytes.
    pub length: usize,
    /// `dlt645-2007`, `dlt645-1997`, `cjt188`; empty between frames.
    pub protocol: &'static str,
    /// One line for people.
    pub summary: String,
    /// Its bytes in order.
    pub parts: Vec<Part>,
    /// Values found.
    pub values: Vec<Named>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

impl Stretch {
    /// Bytes between frames.
    pub(crate) fn between(offset: usize, bytes: &[u8], meaning: String) -> Self {
        let part = Part {
            offset,
            line: bytes.to_vec(),
            plain: None,
            meaning,
        };
        Stretch {
            offset,
            length: bytes.len(),
            protocol: "",
            summary: String::new(),
            parts: vec![part],
            values: Vec::new(),
            fault: None,
        }
    }
}

const WIDTH: usize = 8;

/// The whole report as text.
#[must_use]
pub fn text(stretches: &[Stretch], lang: Lang) -> String {
    let mut out = String::new();
    for stretch in stretches {
        if !stretch.summary.is_empty() {
            let at = say(lang, "at byte", "起始字节");
            let _ = writeln!(out, "{at} {}: {}", stretch.offset, stretch.summary);
        }
        for part in &stretch.parts {
            rows(&mut out, part);
        }
        if let Some(fault) = &stretch.fault {
            let (wrong, expected, found) = match lang {
                Lang::En => ("wrong", "expected", "found"),
                Lang::Zh => ("错误", "应为", "实为"),
            };
            let _ = writeln!(
                out,
                "  {wrong} ({}) @{}: {}; {expected} {}, {found} {}",
                fault.rule, fault.position, fault.reason, fault.expected, fault.found
            );
        }
        if !stretch.summary.is_empty() {
            out.push('\n');
        }
    }
    out
}

/// Eight bytes to a row; the meaning stands in the first.
fn rows(out: &mut String, part: &Part) {
    let columns = WIDTH * 3 - 1;
    let plain = part.plain.as_deref();
    for (nth, line) in part.line.chunks(WIDTH).enumerate() {
        let offset = part.offset + nth * WIDTH;
        let plain = plain
            .and_then(|plain| plain.chunks(WIDTH).nth(nth))
            .map(show)
            .unwrap_or_default();
        let meaning = if nth == 0 { &part.meaning } else { "" };
        let row = format!(
            "{offset:5}  {:columns$}  {plain:columns$}  {meaning}",
            show(line)
        );
        let _ = writeln!(out, "{}", row.trim_end());
    }
}

/// The whole report as JSON.
#[must_use]
pub fn json(stretches: &[Stretch]) -> Json {
    Json::Array(stretches.iter().map(stretch_json).collect())
}

fn stretch_json(stretch: &Stretch) -> Json {
    let parts: Vec<Json> = stretch
        .parts
        .iter()
        .map(|part| {
            let mut row = json!({
                "offset": part.offset,
                "line": show(&part.line),
                "meaning": part.meaning,
            });
            if let (Some(plain), Some(row)) = (&part.plain, row.as_object_mut()) {
                row.insert("plain".into(), show(plain).into());
            }
            row
        })
        .collect();
    let mut row = json!({
        "offset": stretch.offset,
        "length": stretch.length,
        "parts": parts,
    });
    let Some(fields) = row.as_object_mut() else {
        return row;
    };
    if !stretch.protocol.is_empty() {
        fields.insert("protocol".into(), stretch.protocol.into());
        fields.insert("valid".into(), stretch.fault.is_none().into());
        fields.insert("summary".into(), stretch.summary.clone().into());
        let values: Vec<Json> = stretch
            .values
            .iter()
            .map(|value| json!({"id": value.id, "name": value.name, "value": value.value}))
            .collect();
        fields.insert("values".into(), values.into());
    }
    if let Some(fault) = &stretch.fault {
        let fault = json!({
            "rule": fault.rule,
            "position": fault.position,
            "expected": fault.expected,
            "found": fault.found,
            "reason": fault.reason,
        });
        fields.insert("fault".into(), fault);
    }
    row
}
