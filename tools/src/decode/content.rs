//! The data of a DL/T 645 frame, field by field.

use dlt645::{
    Authority, Control, DataId, DataId1997, Edition, Frame, Lang, Message, MessageError, Operator,
    Password, Stamp, rate_of,
};

use super::dlt645::address_text;
use super::layout::Layout;
use super::{texts, values};
use crate::lang::say;

/// Puts the meaning of the data; what stays unexplained is the caller's.
///
/// # Errors
/// Data that say nothing in the edition.
pub(super) fn put(
    layout: &mut Layout<'_>,
    frame: &Frame<'_>,
    edition: Edition,
    lang: Lang,
) -> Result<(), MessageError> {
    let message = frame.message(edition)?;
    match message {
        Message::Security { id, operator, data } => {
            identifier(layout, id, lang);
            operator_code(layout, operator, lang);
            layout.put(data.len(), say(lang, "data", "数据"));
        }
        Message::SecurityAnswer { id, data, .. } => {
            identifier(layout, id, lang);
            layout.put(data.len(), say(lang, "data", "数据"));
        }
        Message::SecurityRefused(err) => {
            layout.put(2, format!("SERR: {}", texts::serr(err, lang)));
        }
        Message::BroadcastTime(stamp) => layout.put(6, moment(stamp)),
        Message::Read { id, rest } => {
            identifier(layout, id, lang);
            asked_blocks(layout, &message, rest.len(), lang);
        }
        Message::ReadAnswer { id, data, more } => {
            identifier(layout, id, lang);
            if more {
                layout.put(data.len(), say(lang, "first part", "第一部分"));
            } else {
                values::put(layout, id, data, lang);
            }
        }
        Message::ReadFollowUp { id, sequence } => {
            identifier(layout, id, lang);
            layout.put(1, part_number(sequence, lang));
        }
        Message::FollowUpAnswer {
            id, data, sequence, ..
        } => {
            identifier(layout, id, lang);
            layout.put(data.len(), say(lang, "a further part", "后续部分"));
            layout.put(1, part_number(sequence, lang));
        }
        Message::AddressAnswer(address) | Message::WriteAddress(address) => {
            layout.put(6, address_text(address, lang));
        }
        Message::Write {
            id,
            authority,
            data,
        } => {
            identifier(layout, id, lang);
            authorised(layout, authority, lang);
            values::put(layout, id, data, lang);
        }
        Message::Freeze {
            month,
            day,
            hour,
            minute,
        } => {
            let every = [
                (minute, "minute", "分"),
                (hour, "hour", "时"),
                (day, "day", "日"),
                (month, "month", "月"),
            ];
            for (value, en, zh) in every {
                let any = say(lang, "any", "任意");
                let text = if value == 99 {
                    any.to_owned()
                } else {
                    format!("{value:02}")
                };
                layout.put(1, format!("{} {text}", say(lang, en, zh)));
            }
        }
        Message::ChangeRate(byte) | Message::RateAnswer(byte) => {
            let rate = match (edition, rate_of(byte)) {
                (Edition::V2007, Some(rate)) => format!("{rate} bit/s"),
                (Edition::V2007, None) => say(lang, "no rate", "无此速率").to_owned(),
                (Edition::V1997, _) => format!("{byte:02X}"),
            };
            layout.put(1, format!("{}{rate}", say(lang, "rate: ", "通信速率：")));
        }
        Message::ChangePassword { id, old, new } => {
            identifier(layout, id, lang);
            passwords(layout, old, new, lang);
        }
        Message::ChangePassword1997 { old, new } => passwords(layout, old, new, lang),
        Message::PasswordAnswer(new) => {
            password(layout, say(lang, "new", "新"), new, lang);
        }
        Message::ClearDemand1997(given) => password(layout, "", given, lang),
        Message::ClearDemand(authority) | Message::ClearMeter(authority) => {
            authorised(layout, authority, lang);
        }
        Message::ClearEvents { id, authority } => {
            authorised(layout, authority, lang);
            identifier(layout, id, lang);
        }
        Message::Control { authority, control } => {
            authorised(layout, authority, lang);
            order(layout, control, lang);
        }
        Message::Protected {
            authority, data, ..
        } => {
            authorised(layout, authority, lang);
            layout.put(data.len(), say(lang, "protected data", "密文数据"));
        }
        Message::Output(byte) | Message::OutputAnswer(byte) => {
            let name = match byte {
                0 => say(lang, "second pulse", "时钟秒脉冲"),
                1 => say(lang, "demand period", "需量周期"),
                2 => say(lang, "time-slot switch", "时段投切"),
                _ => say(lang, "unknown", "未知"),
            };
            layout.put(1, name);
        }
        Message::Refused { err, .. } => {
            layout.put(1, format!("ERR: {}", texts::err(edition, err, lang)));
        }
        Message::Read1997 { id } | Message::ReadFollowUp1997 { id } => {
            identifier_1997(layout, id, lang);
        }
        Message::ReadAnswer1997 { id, data, more } => {
            identifier_1997(layout, id, lang);
            if more {
                layout.put(data.len(), say(lang, "first part", "第一部分"));
            } else {
                values::put_1997(layout, id, data, lang);
            }
        }
        Message::FollowUpAnswer1997 { id, data, .. } => {
            identifier_1997(layout, id, lang);
            layout.put(data.len(), say(lang, "a further part", "后续部分"));
        }
        Message::Write1997 {
            id,
            password: given,
            data,
        } => {
            identifier_1997(layout, id, lang);
            password(layout, "", given, lang);
            values::put_1997(layout, id, data, lang);
        }
        _ => {}
    }
    Ok(())
}

fn identifier(layout: &mut Layout<'_>, id: DataId, lang: Lang) {
    layout.put(4, identified(&id, values::name(id, lang), lang));
}

fn identifier_1997(layout: &mut Layout<'_>, id: DataId1997, lang: Lang) {
    layout.put(2, identified(&id, values::name_1997(id, lang), lang));
}

fn identified(id: &impl std::fmt::Display, name: Option<String>, lang: Lang) -> String {
    let word = say(lang, "identifier", "数据标识");
    let name = name.unwrap_or_else(|| say(lang, "not in the tables", "不在表中").to_owned());
    format!("{word} {id}{}{name}", say(lang, ": ", "："))
}

fn authorised(layout: &mut Layout<'_>, authority: Authority, lang: Lang) {
    password(layout, "", authority.password, lang);
    operator_code(layout, authority.operator, lang);
}

fn operator_code(layout: &mut Layout<'_>, operator: Operator, lang: Lang) {
    let word = say(lang, "operator", "操作者代码");
    layout.put(4, format!("{word} {:08X}", operator.0));
}

fn passwords(layout: &mut Layout<'_>, old: Password, new: Password, lang: Lang) {
    password(layout, say(lang, "old", "原"), old, lang);
    password(layout, say(lang, "new", "新"), new, lang);
}

fn password(layout: &mut Layout<'_>, which: &str, given: Password, lang: Lang) {
    let level = match given.level {
        0x98 => say(lang, " (ciphertext and MAC)", "（密文+MAC）"),
        0x99 => say(lang, " (plaintext and MAC)", "（明文+MAC）"),
        _ => "",
    };
    let space = if which.is_empty() || lang == Lang::Zh {
        ""
    } else {
        " "
    };
    let word = say(lang, "password level", "密码级别");
    layout.put(
        1,
        format!("{which}{space}{word} {:02X}{level}", given.level),
    );
    let word = say(lang, "password", "密码");
    layout.put(3, format!("{which}{space}{word} {:06X}", given.digits));
}

fn order(layout: &mut Layout<'_>, control: Control, lang: Lang) {
    layout.put(1, texts::order(control.order, lang));
    let word = say(lang, "delay or reserved:", "保留或延时：");
    layout.put(1, format!("{word} {}", control.delay));
    let until = match control.expires {
        Some(stamp) => format!(
            "{} {}",
            say(lang, "valid until", "有效截止时间"),
            moment(stamp)
        ),
        None => say(lang, "no expiry", "无截止时间").to_owned(),
    };
    layout.put(6, until);
}

fn asked_blocks(layout: &mut Layout<'_>, message: &Message<'_>, len: usize, lang: Lang) {
    let Some(blocks) = message.blocks() else {
        layout.put(len, say(lang, "further data", "附加数据"));
        return;
    };
    let word = say(lang, "blocks:", "数据块数：");
    layout.put(1, format!("{word} {}", blocks.count));
    if let Some(from) = blocks.from {
        let word = say(lang, "from", "起始时间");
        layout.put(5, format!("{word} {}", moment(from)));
    }
}

fn part_number(sequence: u8, lang: Lang) -> String {
    format!("{} {sequence}", say(lang, "part", "帧序号"))
}

/// 2024-05-06 07:08:09; what the digits say, calendar or not.
fn moment(stamp: Stamp) -> String {
    let Stamp {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = stamp;
    format!("20{year:02}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
