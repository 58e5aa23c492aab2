//! Values of DL/T 645 identifiers beside their bytes.

use dlt645::{DataId, DataId1997, Freeze, Lang, Record, Value, ValueError};

use super::explained::Named;
use super::layout::Layout;
use crate::lang::say;

/// The name of an identifier, if the tables hold it.
pub(super) fn name(id: DataId, lang: Lang) -> Option<String> {
    Some(id.item()?.name(lang).to_string())
}

/// The name of a 1997 identifier, if the tables hold it.
pub(super) fn name_1997(id: DataId1997, lang: Lang) -> Option<String> {
    Some(id.item()?.name(lang).to_string())
}

/// Puts the values of an answer or a write.
pub(super) fn put(layout: &mut Layout<'_>, id: DataId, data: &[u8], lang: Lang) {
    if data.is_empty() {
        return;
    }
    match id.values(data) {
        Ok(values) => {
            for (id, value) in values {
                let head = Head {
                    bit_name: &|bit| id.bit_name(bit, lang),
                    id: id.to_string(),
                    name: name(id, lang).unwrap_or_default(),
                    len: id.item().map_or(0, |item| item.format().len()),
                };
                put_value(layout, &head, value, lang);
            }
        }
        Err(err) => unread(layout, data, &err, lang),
    }
}

/// The same for the 1997 edition.
pub(super) fn put_1997(layout: &mut Layout<'_>, id: DataId1997, data: &[u8], lang: Lang) {
    if data.is_empty() {
        return;
    }
    match id.values(data) {
        Ok(values) => {
            for (id, value) in values {
                let head = Head {
                    bit_name: &|bit| id.bit_name(bit, lang),
                    id: id.to_string(),
                    name: name_1997(id, lang).unwrap_or_default(),
                    len: id.item().map_or(0, |item| item.format().len()),
                };
                put_value(layout, &head, value, lang);
            }
        }
        Err(err) => unread(layout, data, &err, lang),
    }
}

fn unread(layout: &mut Layout<'_>, data: &[u8], err: &ValueError, lang: Lang) {
    let word = say(lang, "data: ", "数据：");
    layout.put(data.len(), format!("{word}{}", wrong(err, lang)));
}

/// What stands in front of a value.
struct Head<'a> {
    /// Names of the bits of a word.
    bit_name: &'a dyn Fn(u8) -> Option<&'static str>,
    id: String,
    name: String,
    /// Bytes of the value, where it does not tell itself.
    len: usize,
}

impl Head<'_> {
    fn named(&self, name: &str, value: String) -> Named {
        let comma = if name.is_empty() { "" } else { ", " };
        Named {
            id: self.id.clone(),
            name: format!("{}{comma}{name}", self.name),
            value,
        }
    }
}

/// One value; records field by field.
fn put_value(
    layout: &mut Layout<'_>,
    head: &Head<'_>,
    value: Result<Value<'_>, ValueError>,
    lang: Lang,
) {
    match value {
        Ok(Value::Record(record)) => put_record(layout, head, &record, lang),
        Ok(Value::Freeze(freeze)) => put_freeze(layout, head, &freeze, lang),
        Ok(Value::Bits(word)) => {
            let value = bits_text(word, head.len, head.bit_name, lang);
            layout.value(head.len, head.named("", value));
        }
        Ok(value) => {
            let len = match value {
                Value::Load(blocks) => blocks.bytes().len(),
                Value::Raw(bytes) | Value::Binary(bytes) => bytes.len(),
                _ => head.len,
            };
            layout.value(len, head.named("", value_text(&value, lang)));
        }
        Err(err) => layout.value(head.len, head.named("", wrong(&err, lang))),
    }
}

fn put_record(layout: &mut Layout<'_>, head: &Head<'_>, record: &Record<'_>, lang: Lang) {
    for field in record.fields() {
        let value = match field.value() {
            Ok(value) => value_text(&value, lang),
            Err(err) => wrong(&err, lang),
        };
        let name = field.name(lang).to_string();
        layout.value(field.bytes().len(), head.named(&name, value));
    }
}

fn put_freeze(layout: &mut Layout<'_>, head: &Head<'_>, freeze: &Freeze<'_>, lang: Lang) {
    for part in freeze.parts() {
        // The part has the name of its own identifier: DI1 of the freeze replaced.
        let part_head = Head {
            bit_name: head.bit_name,
            id: head.id.clone(),
            name: format!("{} {:02X}", head.name, part.di1),
            len: part.data.len(),
        };
        match part.value().transpose() {
            Some(value) => put_value(layout, &part_head, value, lang),
            None => layout.put(0, ""),
        }
        layout.put(1, say(lang, "end of the part", "分隔符"));
    }
}

/// A word in hexadecimal and the names of its set bits.
fn bits_text(
    word: u32,
    len: usize,
    name: &dyn Fn(u8) -> Option<&'static str>,
    lang: Lang,
) -> String {
    let names: Vec<String> = (0..32_u8)
        .filter(|bit| word >> bit & 1 != 0)
        .map(|bit| {
            let name = name(bit).unwrap_or(say(lang, "reserved", "保留"));
            format!("b{bit} {name}")
        })
        .collect();
    let digits = len.clamp(1, 4) * 2;
    if names.is_empty() {
        format!("{word:0digits$X}")
    } else {
        let colon = say(lang, ": ", "：");
        format!(
            "{word:0digits$X}{colon}{}",
            names.join(say(lang, ", ", "，"))
        )
    }
}

/// What is wrong with a value, in words.
fn wrong(err: &ValueError, lang: Lang) -> String {
    match (err, lang) {
        (err, Lang::En) => err.to_string(),
        (ValueError::Unknown, Lang::Zh) => "不在表中".to_owned(),
        (ValueError::Length { expected, found }, Lang::Zh) => {
            format!("应为{expected}字节，实为{found}字节")
        }
        (ValueError::Digit { position, found }, Lang::Zh) => {
            format!("第{position}字节{found:02X}不是BCD码")
        }
        (_, Lang::Zh) => "数值错误".to_owned(),
    }
}

/// A value with its unit.
fn value_text(value: &Value<'_>, lang: Lang) -> String {
    match (value, lang) {
        (Value::Absent, Lang::Zh) => "无此项".to_owned(),
        (value, _) => value.to_string(),
    }
}
