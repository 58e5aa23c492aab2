//! Values of DL/T 645 identifiers beside their bytes.

use dlt645::{DataId, DataId1997, Lang, Value};

use super::explained::Named;
use super::layout::Layout;
use crate::lang::say;

/// The name of an identifier, if the tables hold it.
pub(super) fn name(id: DataId, lang: Lang) -> Option<String> {
    Some(id.item()?.name(lang).to_string())
}

/// The name of a 1997 identifier, if the tables hold it.
pub(super) fn name_1997(_: DataId1997, _: Lang) -> Option<String> {
    None
}

/// Puts the values of an answer or a write.
pub(super) fn put(layout: &mut Layout<'_>, id: DataId, data: &[u8], lang: Lang) {
    if data.is_empty() {
        return;
    }
    match id.values(data) {
        Ok(values) => {
            for (id, value) in values {
                let len = id.item().map_or(0, |item| item.format().len());
                let name = name(id, lang).unwrap_or_default();
                let value = match value {
                    Ok(value) => value_text(&value, lang),
                    Err(err) => wrong(&err, lang),
                };
                let named = Named {
                    id: id.to_string(),
                    name,
                    value,
                };
                layout.value(len, named);
            }
        }
        Err(err) => layout.put(
            data.len(),
            format!("{}{}", say(lang, "data: ", "数据："), wrong(&err, lang)),
        ),
    }
}

/// The same for the 1997 edition.
pub(super) fn put_1997(layout: &mut Layout<'_>, _: DataId1997, data: &[u8], lang: Lang) {
    layout.put(data.len(), say(lang, "data", "数据"));
}

/// What is wrong with a value, in words.
fn wrong(err: &dlt645::ValueError, lang: Lang) -> String {
    match (err, lang) {
        (err, Lang::En) => err.to_string(),
        (dlt645::ValueError::Unknown, Lang::Zh) => "不在表中".to_owned(),
        (dlt645::ValueError::Length { expected, found }, Lang::Zh) => {
            format!("应为{expected}字节，实为{found}字节")
        }
        (dlt645::ValueError::Digit { position, found }, Lang::Zh) => {
            format!("第{position}字节{found:02X}不是BCD码")
        }
        (_, Lang::Zh) => "数值错误".to_owned(),
    }
}

/// A value with its unit.
#[must_use]
pub fn value_text(value: &Value<'_>, lang: Lang) -> String {
    match (value, lang) {
        (Value::Absent, Lang::Zh) => "无此项".to_owned(),
        (value, _) => value.to_string(),
    }
}
