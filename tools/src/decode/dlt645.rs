//! Frames of DL/T 645, both editions.

use dlt645::{
    Address, ControlCode, Edition, Frame, FrameError, FrameView, Function, Lang, MessageError,
};

use super::content;
use super::explained::{Fault, Stretch};
use super::layout::Layout;
use super::texts;
use crate::lang::say;

/// The edition that a frame alone suggests: the functions of the two hardly overlap (03 without data is 1997's).
pub(super) fn edition_of(frame: &Frame<'_>) -> Edition {
    match frame.control.function() {
        Function::SECURITY if frame.data.is_empty() && !frame.control.from_meter() => {
            Edition::V1997
        }
        Function(0x01 | 0x02 | 0x04 | 0x0A | 0x0C | 0x0F | 0x10) => Edition::V1997,
        _ => Edition::V2007,
    }
}

/// The frame at the front of `rest`, if it is whole.
pub(super) fn whole(
    at: usize,
    rest: &[u8],
    edition: Option<Edition>,
    lang: Lang,
) -> Option<Stretch> {
    let view = FrameView::parse(rest)
        .ok()
        .filter(|view| view.offset() == 0)?;
    let mut plain = [0; 255];
    let frame = view.unmask(&mut plain).ok()?;
    let edition = edition.unwrap_or_else(|| edition_of(&frame));
    let line = rest.get(..view.end())?;
    let mut layout = Layout::new(at, line);
    head(&mut layout, frame.address, frame.control, edition, lang);
    let count = frame.data.len();
    layout.put(1, data_bytes(count, lang));
    layout.masked(true);
    let verdict = content::put(&mut layout, &frame, edition, lang);
    layout.put_until(10 + count, say(lang, "not explained", "未解释"));
    layout.masked(false);
    layout.put(1, say(lang, "checksum, right", "校验码，正确"));
    layout.put(1, say(lang, "end", "结束符"));
    let (parts, values) = layout.finish();
    let (protocol, name) = match edition {
        Edition::V2007 => ("dlt645-2007", "DL/T 645-2007"),
        Edition::V1997 => ("dlt645-1997", "DL/T 645-1997"),
    };
    let summary = format!(
        "{name}{}{}",
        say(lang, ", ", "，"),
        control_text(frame.control, edition, lang)
    );
    Some(Stretch {
        offset: at,
        length: line.len(),
        protocol,
        summary,
        parts,
        values,
        fault: verdict.err().map(|err| content_fault(at, line, err, lang)),
    })
}

fn head(
    layout: &mut Layout<'_>,
    address: Address,
    control: ControlCode,
    edition: Edition,
    lang: Lang,
) {
    layout.put(1, say(lang, "start", "帧起始符"));
    layout.put(6, address_text(address, lang));
    layout.put(1, say(lang, "second start", "帧起始符"));
    let word = say(lang, "control: ", "控制码：");
    layout.put(1, format!("{word}{}", control_text(control, edition, lang)));
}

pub(super) fn address_text(address: Address, lang: Lang) -> String {
    let kind = texts::address_kind(address.kind(), lang);
    match lang {
        Lang::En => format!("address {address} ({kind})"),
        Lang::Zh => format!("地址 {address}（{kind}）"),
    }
}

fn data_bytes(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("length: {count} data bytes"),
        Lang::Zh => format!("数据域长度：{count}"),
    }
}

fn control_text(control: ControlCode, edition: Edition, lang: Lang) -> String {
    let function = control.function();
    let name = texts::function(edition, function, lang);
    let mut text = if control.from_meter() {
        match (control.is_error(), lang) {
            (false, Lang::En) => format!("meter answers {function} {name}"),
            (true, Lang::En) => format!("meter refuses {function} {name}"),
            (false, Lang::Zh) => format!("从站应答 {function} {name}"),
            (true, Lang::Zh) => format!("从站异常应答 {function} {name}"),
        }
    } else {
        match lang {
            Lang::En => format!("master asks {function} {name}"),
            Lang::Zh => format!("主站请求 {function} {name}"),
        }
    };
    if control.has_more() {
        text.push_str(say(lang, ", more follows", "，有后续帧"));
    }
    text
}

fn content_fault(at: usize, line: &[u8], err: MessageError, lang: Lang) -> Fault {
    let control = line.get(8).copied().unwrap_or_default();
    let (position, expected, found) = match err {
        MessageError::Length { found, .. } => (
            9,
            say(lang, "the length of the function", "该功能的长度").to_owned(),
            found.to_string(),
        ),
        MessageError::Time { position } => (
            10 + position,
            say(lang, "decimal digits", "BCD码").to_owned(),
            line.get(10 + position)
                .map(|byte| format!("{:02X}", byte.wrapping_sub(0x33)))
                .unwrap_or_default(),
        ),
        _ => (
            8,
            say(lang, "a function of the edition", "本版功能码").to_owned(),
            format!("{control:02X}"),
        ),
    };
    Fault {
        rule: "content",
        position: at + position,
        expected,
        found,
        reason: reason(&err, "帧内容与功能码不符", lang),
    }
}

/// Bytes that begin with 68 and are no frame.
pub(super) fn broken(at: usize, bytes: &[u8], lang: Lang) -> Stretch {
    let fault = match FrameView::parse(bytes) {
        Err(err) => link_fault(at, bytes, err, lang),
        // A later 68 begins a frame only in part of these bytes; the first one has no second.
        Ok(_) => second_start(at, bytes, lang),
    };
    let mut layout = Layout::new(at, bytes);
    let second = bytes.get(7) == Some(&0x68);
    layout.put(1, say(lang, "start", "帧起始符"));
    if let (true, Some([a0, a1, a2, a3, a4, a5])) = (second, bytes.get(1..7)) {
        let address = Address::from_line([*a0, *a1, *a2, *a3, *a4, *a5]);
        layout.put(6, address_text(address, lang));
        layout.put(1, say(lang, "second start", "帧起始符"));
        if let Some(control) = bytes.get(8) {
            layout.put(
                1,
                say(lang, "control: ", "控制码：").to_owned() + &format!("{control:02X}"),
            );
        }
        if let Some(len) = bytes.get(9) {
            let len = usize::from(*len);
            layout.put(1, data_bytes(len, lang));
            layout.masked(true);
            layout.put(len, say(lang, "data, not explained", "数据，未解释"));
            layout.masked(false);
            layout.put(1, say(lang, "checksum", "校验码"));
            layout.put(1, say(lang, "end", "结束符"));
        }
    }
    layout.put(bytes.len(), say(lang, "not explained", "未解释"));
    let (parts, values) = layout.finish();
    Stretch {
        offset: at,
        length: bytes.len(),
        protocol: "dlt645",
        summary: say(lang, "DL/T 645, broken frame", "DL/T 645，错误帧").to_owned(),
        parts,
        values,
        fault: Some(fault),
    }
}

fn second_start(at: usize, bytes: &[u8], lang: Lang) -> Fault {
    let position = at + 7;
    let found = bytes.get(7).copied();
    link_fault(at, bytes, FrameError::Start { position: 7, found }, lang).at(position)
}

impl Fault {
    fn at(mut self, position: usize) -> Self {
        self.position = position;
        self
    }
}

fn link_fault(at: usize, bytes: &[u8], err: FrameError, lang: Lang) -> Fault {
    let hex = |byte: u8| format!("{byte:02X}");
    let count = |count: usize| match lang {
        Lang::En => format!("{count} bytes"),
        Lang::Zh => format!("{count}字节"),
    };
    let nothing = || say(lang, "nothing", "无").to_owned();
    let (rule, position, expected, found, zh) = match err {
        FrameError::Start { position, found } => (
            "start",
            position,
            hex(0x68),
            found.map_or_else(nothing, hex),
            "缺少帧起始符",
        ),
        FrameError::Truncated { expected, found } => (
            "truncated",
            bytes.len(),
            count(expected),
            count(found),
            "帧不完整",
        ),
        FrameError::Checksum {
            position,
            expected,
            found,
        } => (
            "checksum",
            position,
            hex(expected),
            hex(found),
            "校验码错误",
        ),
        FrameError::End { position, found } => {
            ("end", position, hex(0x16), hex(found), "结束符错误")
        }
        _ => ("start", 0, hex(0x68), nothing(), "无法识别"),
    };
    Fault {
        rule,
        position: at + position,
        expected,
        found,
        reason: reason(&shifted(err, at), zh, lang),
    }
}

/// The error with its place counted in the capture.
fn shifted(err: FrameError, at: usize) -> FrameError {
    match err {
        FrameError::Start { position, found } => FrameError::Start {
            position: position + at,
            found,
        },
        FrameError::Checksum {
            position,
            expected,
            found,
        } => FrameError::Checksum {
            position: position + at,
            expected,
            found,
        },
        FrameError::End { position, found } => FrameError::End {
            position: position + at,
            found,
        },
        other => other,
    }
}

/// The library's sentence, or the Chinese one.
pub(super) fn reason(err: &impl std::fmt::Display, zh: &str, lang: Lang) -> String {
    match lang {
        Lang::En => err.to_string(),
        Lang::Zh => zh.to_owned(),
    }
}
