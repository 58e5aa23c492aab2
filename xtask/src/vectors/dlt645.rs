//! Frames of DL/T 645 and CJ/T 188 with their meaning.

use cjt188::{IdOrder, Medium, Reading};
use dlt645::{
    Address, AddressKind, ControlCode, DataId, DataId1997, Edition, Err645, Frame, FrameError,
    FrameView, Message, SecurityErr, Value as Decoded,
};
use serde_json::Value;

use super::Outcome;

/// Runs each frame: what the link layer finds, what the frame says, and the way back to the same bytes.
pub fn run(case_file: &Value) -> Outcome {
    let mut outcome = Outcome::default();
    for (row, case) in case_file["frames"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let checked = match text(case, "edition") {
            "cjt188" => water(case),
            "1997" => electricity(case, Edition::V1997),
            _ => electricity(case, Edition::V2007),
        };
        match checked {
            Ok(None) => outcome.passed += 1,
            Ok(Some(kind)) => *outcome.skipped.entry(kind).or_default() += 1,
            Err(why) => outcome
                .failed
                .push(format!("frame {row} {}: {why}", text(case, "hex"))),
        }
    }
    outcome
}

/// `Ok(Some(kind))`: everything built so far holds, and this kind is not built.
type Checked = Result<Option<String>, String>;

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn same(what: &str, expected: impl AsRef<str>, got: impl AsRef<str>) -> Result<(), String> {
    let (expected, got) = (expected.as_ref(), got.as_ref());
    if expected == got {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, got {got}"))
    }
}

/// Compares only if the meaning has the key.
fn same_key(meaning: &Value, key: &str, got: &str) -> Result<(), String> {
    match &meaning[key] {
        Value::Null => Ok(()),
        Value::String(expected) => same(key, expected, got),
        other => same(key, other.to_string(), got),
    }
}

fn hex_upper(bytes: &[u8]) -> String {
    hex::encode_upper(bytes)
}

fn line_of(case: &Value) -> Result<Vec<u8>, String> {
    hex::decode(text(case, "hex")).map_err(|err| err.to_string())
}

fn preamble_before(line: &[u8], offset: usize) -> String {
    line.iter()
        .take(offset)
        .filter(|byte| **byte == 0xFE)
        .count()
        .to_string()
}

fn electricity(case: &Value, edition: Edition) -> Checked {
    let line = line_of(case)?;
    let parsed = FrameView::parse(&line);
    if text(case, "layer") == "link" {
        let got = match parsed {
            Ok(_) => "none",
            Err(FrameError::Start { .. }) => "start",
            Err(FrameError::Truncated { .. }) => "truncated",
            Err(FrameError::Checksum { .. }) => "checksum",
            Err(FrameError::End { .. }) => "end",
            Err(_) => "another",
        };
        same("fault", text(case, "fault"), got)?;
        return Ok(None);
    }
    let view = parsed.map_err(|err| err.to_string())?;
    let mut plain = [0; 255];
    let frame = view.unmask(&mut plain).map_err(|err| err.to_string())?;
    same(
        "frame_offset",
        case["frame_offset"].to_string(),
        view.offset().to_string(),
    )?;

    let mut back = vec![0; frame.encoded_len()];
    frame.encode(&mut back).map_err(|err| err.to_string())?;
    same(
        "encoded frame",
        hex_upper(line.get(view.offset()..).unwrap_or_default()),
        hex_upper(&back),
    )?;

    let meaning = &case["meaning"];
    same_key(meaning, "preamble", &preamble_before(&line, view.offset()))?;
    head(meaning, frame.address, frame.control, frame.data.len())?;
    if let Some(word) = meaning["error_word"].as_str() {
        let reversed: Vec<u8> = frame.data.iter().rev().copied().collect();
        same("error_word", word, hex_upper(&reversed))?;
    }

    let message = frame.message(edition);
    if case["valid"] == false {
        return if content_fault(&frame, edition, &message) {
            Ok(None)
        } else {
            Err(format!(
                "expected a content fault ({}), got none",
                text(case, "reason")
            ))
        };
    }
    let message = message.map_err(|err| err.to_string())?;
    let mut again = vec![0; frame.encoded_len()];
    message
        .encode_frame_in(edition, frame.address, &mut again)
        .map_err(|err| err.to_string())?;
    same("encoded message", hex_upper(&back), hex_upper(&again))?;
    content(meaning, edition, &message)
}

fn head(
    meaning: &Value,
    address: Address,
    control: ControlCode,
    length: usize,
) -> Result<(), String> {
    same_key(meaning, "address", &address.to_string())?;
    let kind = match address.kind() {
        AddressKind::Single => "single",
        AddressKind::Abbreviated => "abbreviated",
        AddressKind::Wildcard => "wildcard",
        AddressKind::Broadcast => "broadcast",
        AddressKind::Irregular => "irregular",
    };
    same_key(meaning, "address_kind", kind)?;
    same_key(meaning, "control", &format!("{:02X}", control.0))?;
    same_key(meaning, "from_meter", &control.from_meter().to_string())?;
    same_key(meaning, "error_bit", &control.is_error().to_string())?;
    same_key(meaning, "follow_bit", &control.has_more().to_string())?;
    same_key(meaning, "length", &length.to_string())
}

/// Whether the frame, sound on the line, says something impossible.
fn content_fault(
    frame: &Frame<'_>,
    edition: Edition,
    message: &Result<Message<'_>, dlt645::MessageError>,
) -> bool {
    match message {
        Err(_) => true,
        Ok(Message::BroadcastTime(stamp)) => !stamp.is_calendar(),
        Ok(Message::ChangeRate(rate) | Message::RateAnswer(rate)) => match edition {
            Edition::V2007 => dlt645::rate_of(*rate).is_none(),
            Edition::V1997 => dlt645::rate_of_1997(*rate).is_none(),
        },
        Ok(Message::Freeze {
            month,
            day,
            hour,
            minute,
        }) => dlt645::FreezePattern::new(*month, *day, *hour, *minute).is_none(),
        // The identifier has to be that of a password.
        Ok(Message::ChangePassword { id, .. }) => !(0x0400_0C01..=0x0400_0C0A).contains(&id.0),
        Ok(Message::Control { control, .. }) => control.expires.is_some_and(|at| !at.is_calendar()),
        Ok(Message::AddressAnswer(address) | Message::WriteAddress(address)) => {
            address.kind() != AddressKind::Single
        }
        Ok(_) => frame.control.from_meter() && frame.address.kind() == AddressKind::Abbreviated,
    }
}

fn stamp_text(stamp: dlt645::Stamp) -> String {
    let dlt645::Stamp {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = stamp;
    format!("20{year:02}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

fn password(meaning: &Value, password: dlt645::Password) -> Result<(), String> {
    same_key(
        meaning,
        "password_level",
        &format!("{:02X}", password.level),
    )?;
    same_key(meaning, "password", &format!("{:06X}", password.digits))
}

/// Of a change of password the old one is the one that authorises.
fn passwords(meaning: &Value, old: dlt645::Password, new: dlt645::Password) -> Result<(), String> {
    password(meaning, old)?;
    same_key(meaning, "new_password_level", &format!("{:02X}", new.level))?;
    same_key(meaning, "new_password", &format!("{:06X}", new.digits))
}

fn authority(meaning: &Value, authority: dlt645::Authority) -> Result<(), String> {
    password(meaning, authority.password)?;
    same_key(
        meaning,
        "operator",
        &format!("{:08X}", authority.operator.0),
    )
}

fn bits(meaning: &Value, key: &str, got: impl Iterator<Item = u8>) -> Result<(), String> {
    if meaning[key].is_null() {
        return Ok(());
    }
    same(
        key,
        meaning[key].to_string(),
        serde_json::json!(got.collect::<Vec<_>>()).to_string(),
    )
}

fn content(meaning: &Value, edition: Edition, message: &Message<'_>) -> Checked {
    match *message {
        Message::Security { id, operator, data } => {
            same_key(meaning, "di", &id.to_string())?;
            same_key(meaning, "operator", &format!("{:08X}", operator.0))?;
            same_data(meaning, data)?;
        }
        Message::SecurityAnswer { id, data, .. } => {
            same_key(meaning, "di", &id.to_string())?;
            same_data(meaning, data)?;
        }
        Message::Read { id, rest } => {
            same_key(meaning, "di", &id.to_string())?;
            same_data(meaning, rest)?;
        }
        Message::ReadAnswer { id, data, more } => {
            same_key(meaning, "di", &id.to_string())?;
            same_data(meaning, data)?;
            values(meaning, id, data, more)?;
        }
        Message::ReadFollowUp { id, sequence } => {
            same_key(meaning, "di", &id.to_string())?;
            same_key(meaning, "sequence", &sequence.to_string())?;
        }
        Message::FollowUpAnswer {
            id, data, sequence, ..
        } => {
            same_key(meaning, "di", &id.to_string())?;
            same_key(meaning, "sequence", &sequence.to_string())?;
            same_data(meaning, data)?;
        }
        Message::AddressAnswer(address) => {
            same_key(meaning, "meter_address", &address.to_string())?
        }
        Message::Write {
            id,
            authority: who,
            data,
        } => {
            same_key(meaning, "di", &id.to_string())?;
            authority(meaning, who)?;
            same_data(meaning, data)?;
            values(meaning, id, data, false)?;
        }
        Message::BroadcastTime(stamp) => {
            let line = stamp.line().ok_or("a field of the time is above 99")?;
            same_key(meaning, "data", &hex_upper(&line))?;
            same_key(meaning, "time", &stamp_text(stamp))?;
        }
        Message::Freeze {
            month,
            day,
            hour,
            minute,
        } => {
            let freeze = &meaning["freeze"];
            for (key, got) in [
                ("month", month),
                ("day", day),
                ("hour", hour),
                ("minute", minute),
            ] {
                same_key(freeze, key, &format!("{got:02}"))?;
            }
        }
        Message::ChangeRate(rate) | Message::RateAnswer(rate) => {
            same_key(meaning, "rate_byte", &format!("{rate:02X}"))?;
            let found = match edition {
                Edition::V2007 => dlt645::rate_of(rate),
                Edition::V1997 => dlt645::rate_of_1997(rate),
            };
            let got = found.map_or("null".to_owned(), |rate| rate.to_string());
            same("rate", meaning["rate"].to_string(), got)?;
        }
        Message::ChangePassword { id, old, new } => {
            same_key(meaning, "di", &id.to_string())?;
            passwords(meaning, old, new)?;
        }
        Message::ChangePassword1997 { old, new } => passwords(meaning, old, new)?,
        Message::PasswordAnswer(new) => password(meaning, new)?,
        Message::ControlReport { done, refused } => {
            same_key(meaning, "done", &format!("{done:04X}"))?;
            same_key(meaning, "refused", &format!("{refused:04X}"))?;
        }
        Message::ClearDemand(who)
        | Message::ClearMeter(who)
        | Message::Protected { authority: who, .. } => {
            authority(meaning, who)?;
        }
        Message::ClearEvents { id, authority: who } => {
            same_key(meaning, "di", &id.to_string())?;
            authority(meaning, who)?;
        }
        Message::Control {
            authority: who,
            control,
        } => {
            authority(meaning, who)?;
            let command = &meaning["command"];
            same(
                "n1",
                text(command, "n1"),
                format!("{:02X}", control.order.code()),
            )?;
            same("n2", text(command, "n2"), format!("{:02X}", control.delay))?;
            let got = control
                .expires
                .map_or("null".to_owned(), |at| format!("\"{}\"", stamp_text(at)));
            same("expires", meaning["expires"].to_string(), got)?;
        }
        Message::Refused { err, .. } => bits(meaning, "error_bits", Err645::bits(err))?,
        Message::SecurityRefused(err) => bits(meaning, "security_bits", SecurityErr::bits(err))?,
        Message::Read1997 { id } | Message::ReadFollowUp1997 { id } => {
            same_key(meaning, "di", &id.to_string())?
        }
        Message::Write1997 {
            id,
            password: who,
            data,
        } => {
            same_key(meaning, "di", &id.to_string())?;
            password(meaning, who)?;
            same_data(meaning, data)?;
            values_1997(meaning, id, data, false)?;
        }
        Message::ClearDemand1997(who) => password(meaning, who)?,
        Message::ReadAgainAnswer1997 { id, data, more } => {
            same_key(meaning, "di", &id.to_string())?;
            same_key(meaning, "data", &hex_upper(data))?;
            values_1997(meaning, id, data, more)?;
        }
        Message::ReadAnswer1997 { id, data, more }
        | Message::FollowUpAnswer1997 { id, data, more } => {
            same_key(meaning, "di", &id.to_string())?;
            same_data(meaning, data)?;
            values_1997(meaning, id, data, more)?;
        }
        Message::WriteAddress(address) => {
            same_key(meaning, "meter_address", &address.to_string())?;
            same_key(meaning, "new_address", &address.to_string())?;
        }
        Message::ReadAddress | Message::ReadAgain1997 | Message::Done(_) => {}
        Message::Output(_) | Message::OutputAnswer(_) => {
            // The file names the output in words that are not meant to be compared.
        }
        ref other => return Ok(Some(format!("control code {:02X}", other.control().0))),
    }
    Ok(None)
}

fn same_data(meaning: &Value, data: &[u8]) -> Result<(), String> {
    same("data", text(meaning, "data"), hex_upper(data))
}

/// What a file may say of one value beside the value itself.
#[derive(Clone, Copy)]
struct Place {
    phase: u8,
    tariff: Option<u8>,
    settlement: Option<u8>,
    /// Bytes of the value.
    bytes: usize,
}

/// The expected values, or `None` where the file says that there are none and the decoder agrees.
fn expected_values(meaning: &Value, more: bool, decodes: bool) -> Result<Option<&[Value]>, String> {
    match meaning.get("values") {
        None => Ok(None),
        Some(Value::Array(expected)) => Ok(Some(expected)),
        Some(_) if decodes && !more => Err("values: expected none, got some".to_owned()),
        Some(_) => Ok(None),
    }
}

fn values(meaning: &Value, id: DataId, data: &[u8], more: bool) -> Result<(), String> {
    let decodes = id
        .values(data)
        .is_ok_and(|mut values| values.all(|(_, value)| value.is_ok()));
    let Some(expected) = expected_values(meaning, more, decodes)? else {
        return Ok(());
    };
    let mut decoded = Vec::new();
    for (id, value) in id.values(data).map_err(|err| format!("values: {err}"))? {
        let value = value.map_err(|err| format!("{id}: {err}"))?;
        let item = id
            .item()
            .ok_or_else(|| format!("{id} is not in the table"))?;
        let mut place = Place {
            phase: item.phase(),
            tariff: item.tariff(),
            settlement: item.settlement(),
            bytes: item.format().len(),
        };
        match value {
            // A record is written down field by field.
            Decoded::Record(record) => {
                for field in record.fields() {
                    place.phase = field.phase();
                    place.bytes = field.bytes().len();
                    let value = field.value().map_err(|err| format!("{id}: {err}"))?;
                    decoded.push((place, value));
                }
            }
            value => decoded.push((place, value)),
        }
    }
    same_values(expected, &decoded)
}

fn values_1997(meaning: &Value, id: DataId1997, data: &[u8], more: bool) -> Result<(), String> {
    let decodes = id
        .values(data)
        .is_ok_and(|mut values| values.all(|(_, value)| value.is_ok()));
    let Some(expected) = expected_values(meaning, more, decodes)? else {
        return Ok(());
    };
    let mut decoded = Vec::new();
    for (id, value) in id.values(data).map_err(|err| format!("values: {err}"))? {
        let value = value.map_err(|err| format!("{id}: {err}"))?;
        let item = id
            .item()
            .ok_or_else(|| format!("{id} is not in the table"))?;
        let mut back = [0; 16];
        let len = item
            .format()
            .encode(&value, &mut back)
            .map_err(|err| format!("{id}: {err}"))?;
        if !id.is_block() && data.len() == len {
            same("encoded value", hex_upper(data), hex_upper(&back[..len]))?;
        }
        let place = Place {
            phase: item.phase(),
            tariff: item.tariff(),
            settlement: item.settlement(),
            bytes: item.format().len(),
        };
        decoded.push((place, value));
    }
    same_values(expected, &decoded)
}

fn same_values(expected: &[Value], decoded: &[(Place, Decoded<'_>)]) -> Result<(), String> {
    same(
        "number of values",
        expected.len().to_string(),
        decoded.len().to_string(),
    )?;
    for (expected, (place, value)) in expected.iter().zip(decoded) {
        same_value(expected, *place, value)?;
    }
    Ok(())
}

fn same_value(expected: &Value, place: Place, value: &Decoded<'_>) -> Result<(), String> {
    let (got, unit) = match value {
        Decoded::Absent => ("null".to_owned(), None),
        Decoded::Number(number) => (format!("\"{number}\""), Some(number.unit.symbol())),
        // Words and names have all their digits.
        Decoded::Bits(word) => {
            let width = place.bytes * 2;
            if expected["bits"].is_array() {
                bits(expected, "bits", (0..32).filter(|bit| word >> bit & 1 != 0))?;
            }
            (format!("\"{word:0width$X}\""), None)
        }
        Decoded::Digits(digits) => {
            let width = place.bytes * 2;
            (format!("\"{digits:0width$}\""), None)
        }
        Decoded::Demand { peak, at } => {
            let at = at.map_or("null".to_owned(), |at| Decoded::Stamp(at).to_string());
            same_key(expected, "time", &at)?;
            (format!("\"{peak}\""), Some(peak.unit.symbol()))
        }
        Decoded::Date { weekday, .. } => {
            same_key(expected, "weekday", &weekday.to_string())?;
            (format!("\"{value}\""), Some(""))
        }
        other => (format!("\"{other}\""), None),
    };
    same("value", expected["value"].to_string(), got)?;
    if let Some(unit) = unit {
        same("unit", text(expected, "unit"), unit)?;
    }
    let phase = ["total", "A", "B", "C"]
        .get(usize::from(place.phase))
        .copied()
        .unwrap_or_default();
    // Energies of a phase carry it in their name.
    same_key(expected, "phase", phase)?;
    if let Some(name) = text(expected, "name").strip_prefix("phase ") {
        same(
            "phase in the name",
            name.get(..1).unwrap_or_default(),
            phase,
        )?;
    }
    let number = |value: Option<u8>| value.map_or("null".to_owned(), |value| value.to_string());
    same_key(expected, "tariff", &number(place.tariff))?;
    same_key(expected, "settlement", &number(place.settlement))
}

fn water(case: &Value) -> Checked {
    let line = line_of(case)?;
    let parsed = cjt188::Frame::parse(&line);
    if text(case, "layer") == "link" {
        let got = match parsed {
            Ok(_) => "none",
            Err(cjt188::FrameError::Start { .. }) => "start",
            Err(cjt188::FrameError::Truncated { .. }) => "truncated",
            Err(cjt188::FrameError::Checksum { .. }) => "checksum",
            Err(cjt188::FrameError::End { .. }) => "end",
            Err(_) => "another",
        };
        same("fault", text(case, "fault"), got)?;
        return Ok(None);
    }
    let frame = parsed.map_err(|err| err.to_string())?;
    let offset = line
        .iter()
        .position(|byte| *byte == cjt188::START)
        .unwrap_or_default();
    same(
        "frame_offset",
        case["frame_offset"].to_string(),
        offset.to_string(),
    )?;
    let mut back = vec![0; frame.encoded_len()];
    frame.encode(&mut back).map_err(|err| err.to_string())?;
    same(
        "encoded frame",
        hex_upper(line.get(offset..).unwrap_or_default()),
        hex_upper(&back),
    )?;

    let meaning = &case["meaning"];
    same_key(meaning, "preamble", &preamble_before(&line, offset))?;
    same_key(
        meaning,
        "meter_type",
        &format!("{:02X}", frame.meter_type.0),
    )?;
    same_key(meaning, "address", &frame.address.to_string())?;
    let kind = match frame.address.kind() {
        cjt188::AddressKind::Single => "single",
        cjt188::AddressKind::Wildcard => "wildcard",
        cjt188::AddressKind::Broadcast => "broadcast",
        cjt188::AddressKind::Irregular => "irregular",
    };
    same_key(meaning, "address_kind", kind)?;
    same_key(meaning, "control", &format!("{:02X}", frame.control.0))?;
    same_key(
        meaning,
        "from_meter",
        &frame.control.from_meter().to_string(),
    )?;
    same_key(meaning, "error_bit", &frame.control.is_error().to_string())?;
    same_key(meaning, "follow_bit", &frame.control.has_more().to_string())?;
    same_key(meaning, "length", &frame.data.len().to_string())?;

    let message = frame
        .message(IdOrder::default())
        .map_err(|err| err.to_string())?;
    let mut again = vec![0; frame.encoded_len()];
    message
        .encode_frame(frame.meter_type, frame.address, &mut again)
        .map_err(|err| err.to_string())?;
    same("encoded message", hex_upper(&back), hex_upper(&again))?;
    let (head, data, answer) = match message {
        cjt188::Message::Request { head, data, .. } => (head, data, false),
        cjt188::Message::Answer { head, data, .. } => (head, data, true),
        _ => return Ok(Some("cjt188: refusals".to_owned())),
    };
    same_key(meaning, "di", &head.id.to_string())?;
    let order = match head.order {
        IdOrder::HighFirst => "high byte first",
        IdOrder::LowFirst => "low byte first",
    };
    same_key(meaning, "di_order", order)?;
    same_key(meaning, "serial", &head.serial.to_string())?;
    if meaning["data"].is_string() {
        same_data(meaning, data)?;
    }
    match (head.id, answer) {
        (cjt188::DataId::VALVE, false) => {
            let got = match cjt188::ValveOrder::from_line(data) {
                Some(cjt188::ValveOrder::Open) => "open",
                Some(cjt188::ValveOrder::Close) => "close",
                None => "none",
            };
            same("valve_command", text(meaning, "valve_command"), got)?;
        }
        (cjt188::DataId::VALVE, true) => {
            let status = <[u8; 2]>::try_from(data)
                .map_err(|_| "the valve answer has no two status bytes")?;
            status_of(meaning, cjt188::Status(status))?;
        }
        (cjt188::DataId::PRESENT, true) => present(meaning, frame.meter_type, data)?,
        (_, false) => {}
        (id, true) => return Ok(Some(format!("cjt188: answer {id}"))),
    }
    Ok(None)
}

fn status_of(meaning: &Value, status: cjt188::Status) -> Result<(), String> {
    same("status", text(meaning, "status"), hex_upper(&status.0))?;
    let valve = match status.valve() {
        cjt188::Valve::Open => "open",
        cjt188::Valve::Closed => "closed",
        cjt188::Valve::Abnormal => "abnormal",
    };
    same("valve", text(meaning, "valve"), valve)?;
    same(
        "battery_low",
        meaning["battery_low"].to_string(),
        status.battery_low().to_string(),
    )
}

fn present(meaning: &Value, meter_type: cjt188::MeterType, data: &[u8]) -> Result<(), String> {
    let reading = Reading::parse(meter_type, data).map_err(|err| err.to_string())?;
    let mut back = vec![0; data.len()];
    reading.encode(&mut back).map_err(|err| err.to_string())?;
    same("encoded reading", hex_upper(data), hex_upper(&back))?;
    let quantities = match reading {
        Reading::Volume(volume) => vec![volume.current, volume.settlement],
        Reading::Heat(heat) => vec![
            heat.settlement_heat,
            heat.current_heat,
            heat.power,
            heat.flow,
            heat.volume,
            heat.supply,
            heat.back,
            heat.hours,
        ],
        _ => {
            return Err(format!(
                "a reading of {:?}",
                meter_type.medium().unwrap_or(Medium::Other)
            ));
        }
    };
    let expected = meaning["values"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    same(
        "number of values",
        expected.len().to_string(),
        quantities.len().to_string(),
    )?;
    for (expected, quantity) in expected.iter().zip(quantities) {
        same("value", text(expected, "value"), quantity.to_string())?;
        if let Some(unit) = quantity.unit {
            same("unit", text(expected, "unit"), unit.to_string())?;
            same(
                "unit_code",
                text(expected, "unit_code"),
                format!("{:02X}", unit.0),
            )?;
        }
    }
    let time = reading
        .time()
        .map_or("null".to_owned(), |time| format!("\"{time}\""));
    same("time", meaning["time"].to_string(), time)?;
    status_of(meaning, reading.status())
}
