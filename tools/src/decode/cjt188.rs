//! Frames of CJ/T 188.

use cjt188::{
    Address, ControlCode, DataId, Frame, FrameError, Head, HeatColdReading, HeatReading, IdOrder,
    Medium, Message, MeterType, Quantity, Reading, Stamp, Status, Value, Valve,
};
use dlt645::Lang;

use super::dlt645::reason;
use super::explained::{Fault, Named, Stretch};
use super::layout::Layout;
use super::texts;
use crate::lang::say;

/// The frame at the front of `rest`, if it is whole.
pub(super) fn whole(at: usize, rest: &[u8], lang: Lang) -> Option<Stretch> {
    let frame = Frame::parse(rest).ok()?;
    let line = rest.get(..frame.encoded_len())?;
    let mut layout = Layout::new(at, line);
    head(&mut layout, frame.meter_type, frame.address, lang);
    let word = say(lang, "control: ", "控制码：");
    layout.put(1, format!("{word}{}", control_text(frame.control, lang)));
    layout.put(1, data_bytes(frame.data.len(), lang));
    let fault = content(&mut layout, &frame, lang).err().map(|err| Fault {
        rule: "content",
        position: at + 9,
        expected: say(lang, "a known function", "已知功能码").to_owned(),
        found: format!("{:02X}", frame.control.0),
        reason: reason(&err, "帧内容与功能码不符", lang),
    });
    layout.put_until(11 + frame.data.len(), say(lang, "not explained", "未解释"));
    layout.put(1, say(lang, "checksum, right", "校验码，正确"));
    layout.put(1, say(lang, "end", "结束符"));
    let (parts, values) = layout.finish();
    Some(Stretch {
        offset: at,
        length: line.len(),
        protocol: "cjt188",
        summary: format!(
            "CJ/T 188{}{}",
            say(lang, ", ", "，"),
            control_text(frame.control, lang)
        ),
        parts,
        values,
        fault,
    })
}

fn head(layout: &mut Layout<'_>, meter_type: MeterType, address: Address, lang: Lang) {
    layout.put(1, say(lang, "start", "帧起始符"));
    let word = say(lang, "meter type: ", "仪表类型：");
    layout.put(1, format!("{word}{}", texts::meter_type(meter_type, lang)));
    let word = say(lang, "address", "地址");
    layout.put(7, format!("{word} {address}"));
}

fn data_bytes(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("length: {count} data bytes"),
        Lang::Zh => format!("数据长度域：{count}"),
    }
}

fn control_text(control: ControlCode, lang: Lang) -> String {
    let function = control.function();
    let code = function.0;
    let name = texts::function_188(function, lang);
    match (control.from_meter(), control.is_error(), lang) {
        (true, false, Lang::En) => format!("meter answers {code:02X} {name}"),
        (true, true, Lang::En) => format!("meter refuses {code:02X} {name}"),
        (false, _, Lang::En) => format!("master asks {code:02X} {name}"),
        (true, false, Lang::Zh) => format!("从站应答 {code:02X} {name}"),
        (true, true, Lang::Zh) => format!("从站异常应答 {code:02X} {name}"),
        (false, _, Lang::Zh) => format!("主站请求 {code:02X} {name}"),
    }
}

fn content(
    layout: &mut Layout<'_>,
    frame: &Frame<'_>,
    lang: Lang,
) -> Result<(), cjt188::MessageError> {
    match frame.message(IdOrder::default())? {
        Message::Request { head, data, .. } => {
            identifier(layout, head, lang);
            if !data.is_empty() {
                put_data(layout, frame.meter_type, head.id, data, lang);
            }
        }
        Message::Answer { head, data, .. } => {
            identifier(layout, head, lang);
            put_answer(layout, frame.meter_type, head.id, data, lang);
        }
        Message::Refused { data, .. } => {
            if let [_, first, second] = data {
                layout.put(1, say(lang, "running number", "序列号"));
                put_status(layout, &[*first, *second], lang);
            } else {
                layout.put(data.len(), say(lang, "status", "状态"));
            }
        }
        Message::Vendor { data, .. } => {
            layout.put(data.len(), say(lang, "vendor's data", "厂家数据"))
        }
        _ => {}
    }
    Ok(())
}

/// Puts the data behind the running number by the table.
fn put_data(layout: &mut Layout<'_>, meter_type: MeterType, id: DataId, data: &[u8], lang: Lang) {
    match id.value(meter_type, data) {
        Ok(Value::Present(reading)) => put_reading(layout, &reading, meter_type, lang),
        Ok(Value::HeatCold(reading)) => put_heat_cold(layout, &reading, lang),
        Ok(Value::Raw(_) | Value::Nothing) => {
            layout.put(data.len(), say(lang, "data", "数据"));
        }
        Ok(value) => {
            let named = Named {
                id: id.to_string(),
                name: name(id, lang),
                value: value.to_string(),
            };
            layout.value(data.len(), named);
        }
        Err(err) => layout.put(data.len(), reason(&err, "数据与表不符", lang)),
    }
}

/// Puts the data behind the running number of an answer.
pub(super) fn put_answer(
    layout: &mut Layout<'_>,
    meter_type: MeterType,
    id: DataId,
    data: &[u8],
    lang: Lang,
) {
    if id == DataId::VALVE && data.len() == 2 {
        return put_status(layout, data, lang);
    }
    put_data(layout, meter_type, id, data, lang);
}

fn name(id: DataId, lang: Lang) -> String {
    let lang_188 = match lang {
        Lang::En => cjt188::Lang::En,
        Lang::Zh => cjt188::Lang::Zh,
    };
    id.item().map_or_else(
        || say(lang, "not in the tables", "不在表中").to_owned(),
        |item| item.name(lang_188).to_string(),
    )
}

fn identifier(layout: &mut Layout<'_>, head: Head, lang: Lang) {
    let order = match head.order {
        IdOrder::HighFirst => say(lang, "high byte first", "高字节在前"),
        IdOrder::LowFirst => say(lang, "low byte first", "低字节在前"),
    };
    let text = match lang {
        Lang::En => format!("identifier {} ({order}): {}", head.id, name(head.id, lang)),
        Lang::Zh => format!("数据标识 {}（{order}）：{}", head.id, name(head.id, lang)),
    };
    layout.put(2, text);
    let word = say(lang, "running number", "序列号");
    layout.put(1, format!("{word} {}", head.serial));
}

fn put_reading(layout: &mut Layout<'_>, reading: &Reading, meter_type: MeterType, lang: Lang) {
    match reading {
        Reading::Volume(volume) => {
            let name = match meter_type.medium() {
                Some(Medium::Other) => say(lang, "accumulated", "当前累积量"),
                _ => say(lang, "accumulated volume", "当前累积流量"),
            };
            quantity(layout, 5, name, volume.current);
            let name = say(lang, "at the settlement day", "结算日累积流量");
            quantity(layout, 5, name, volume.settlement);
        }
        Reading::Heat(heat) => put_heat(layout, heat, lang),
        _ => return,
    }
    put_end(
        layout,
        DataId::PRESENT,
        reading.time(),
        reading.status(),
        lang,
    );
}

/// Clock and status, which close readings.
fn put_end(layout: &mut Layout<'_>, id: DataId, time: Option<Stamp>, status: Status, lang: Lang) {
    let time = time.map_or_else(
        || say(lang, "none", "无").to_owned(),
        |time| time.to_string(),
    );
    let named = Named {
        id: id.to_string(),
        name: say(lang, "clock", "实时时间").to_owned(),
        value: time,
    };
    layout.value(7, named);
    put_status(layout, &status.0, lang);
}

fn put_heat_cold(layout: &mut Layout<'_>, heat: &HeatColdReading, lang: Lang) {
    let rows = [
        (
            5,
            "heat at the settlement day",
            "结算日热量",
            heat.settlement_heat,
            "",
        ),
        (
            5,
            "cold at the settlement day",
            "结算日冷量",
            heat.settlement_cold,
            "",
        ),
        (5, "heat", "当前热量", heat.current_heat, ""),
        (5, "cold", "当前冷量", heat.current_cold, ""),
        (4, "power", "热功率", heat.power, ""),
        (4, "flow", "流量", heat.flow, ""),
        (5, "accumulated volume", "累积流量", heat.volume, ""),
        (2, "supply temperature", "供水温度", heat.supply, " °C"),
        (2, "return temperature", "回水温度", heat.back, " °C"),
        (
            2,
            "supply pressure",
            "供水压力",
            heat.supply_pressure,
            " MPa",
        ),
        (2, "return pressure", "回水压力", heat.back_pressure, " MPa"),
        (4, "hours at work", "累积工作时间", heat.hours, " h"),
    ];
    for (len, en, zh, value, unit) in rows {
        let text = format!("{}{unit}", quantity_text(value));
        put_named(layout, len, say(lang, en, zh), text);
    }
    put_end(layout, DataId(0x911F), heat.time, heat.status, lang);
}

fn put_heat(layout: &mut Layout<'_>, heat: &HeatReading, lang: Lang) {
    let (rate, temperature, hours) = match heat.edition {
        cjt188::HeatEdition::V2004 => (5, 3, 3),
        cjt188::HeatEdition::V2018 => (4, 2, 4),
    };
    let rows = [
        (
            5,
            "heat at the settlement day",
            "结算日热量",
            heat.settlement_heat,
        ),
        (5, "heat", "当前热量", heat.current_heat),
        (rate, "power", "热功率", heat.power),
        (rate, "flow", "流量", heat.flow),
        (5, "accumulated volume", "累积流量", heat.volume),
    ];
    for (len, en, zh, value) in rows {
        quantity(layout, len, say(lang, en, zh), value);
    }
    let rows = [
        ("supply temperature", "供水温度", heat.supply),
        ("return temperature", "回水温度", heat.back),
    ];
    for (en, zh, value) in rows {
        put_named(
            layout,
            temperature,
            say(lang, en, zh),
            format!("{value} °C"),
        );
    }
    let name = say(lang, "hours at work", "累积工作时间");
    put_named(layout, hours, name, format!("{} h", heat.hours));
}

fn quantity(layout: &mut Layout<'_>, len: usize, name: &str, value: Quantity) {
    put_named(layout, len, name, quantity_text(value));
}

fn quantity_text(value: Quantity) -> String {
    match value.unit {
        // "x 100 MWh" instead of "100 MWh", which would read as a product with the number.
        Some(unit) => match unit.symbol() {
            Some((_, 1..)) => format!("{value} x {unit}"),
            _ => format!("{value} {unit}"),
        },
        None => value.to_string(),
    }
}

fn put_named(layout: &mut Layout<'_>, len: usize, name: &str, value: String) {
    let named = Named {
        id: DataId::PRESENT.to_string(),
        name: name.to_owned(),
        value,
    };
    layout.value(len, named);
}

fn put_status(layout: &mut Layout<'_>, bytes: &[u8], lang: Lang) {
    let &[first, second] = bytes else { return };
    let status = Status([first, second]);
    let valve = match status.valve() {
        Valve::Open => say(lang, "valve open", "阀门开"),
        Valve::Closed => say(lang, "valve closed", "阀门关"),
        Valve::Abnormal => say(lang, "valve abnormal", "阀门异常"),
    };
    let battery = if status.battery_low() {
        say(lang, "battery low", "电池欠压")
    } else {
        say(lang, "battery good", "电池正常")
    };
    let comma = say(lang, ", ", "，");
    layout.put(
        1,
        format!(
            "{}{valve}{comma}{battery}",
            say(lang, "status: ", "状态ST：")
        ),
    );
    layout.put(1, say(lang, "status, maker's own", "状态，厂家定义"));
}

/// Bytes that begin with 68 and are no frame.
pub(super) fn broken(at: usize, bytes: &[u8], lang: Lang) -> Stretch {
    let fault = match Frame::parse(bytes) {
        Err(err) => link_fault(at, bytes, err, lang),
        Ok(_) => Fault {
            rule: "start",
            position: at,
            expected: "68".to_owned(),
            found: String::new(),
            reason: String::new(),
        },
    };
    let mut layout = Layout::new(at, bytes);
    if let [_, kind, a0, a1, a2, a3, a4, a5, a6, ..] = bytes {
        let address = Address::from_line([*a0, *a1, *a2, *a3, *a4, *a5, *a6]);
        head(&mut layout, MeterType(*kind), address, lang);
    }
    layout.put(bytes.len(), say(lang, "not explained", "未解释"));
    let (parts, values) = layout.finish();
    Stretch {
        offset: at,
        length: bytes.len(),
        protocol: "cjt188",
        summary: say(lang, "CJ/T 188, broken frame", "CJ/T 188，错误帧").to_owned(),
        parts,
        values,
        fault: Some(fault),
    }
}

fn link_fault(at: usize, bytes: &[u8], err: FrameError, lang: Lang) -> Fault {
    let hex = |byte: u8| format!("{byte:02X}");
    let count = |count: usize| match lang {
        Lang::En => format!("{count} bytes"),
        Lang::Zh => format!("{count}字节"),
    };
    let (rule, position, expected, found, zh) = match err {
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
        _ => ("start", 0, hex(0x68), String::new(), "缺少帧起始符"),
    };
    let reason_at = match err {
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
    };
    Fault {
        rule,
        position: at + position,
        expected,
        found,
        reason: reason(&reason_at, zh, lang),
    }
}
