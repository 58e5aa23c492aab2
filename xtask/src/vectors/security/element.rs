//! DL/T 645 security frames: both elements make and open them through the codec's own messages.

use dlt645::{
    Address, DataId, FrameView, Function, HostElement, Message, MeterElement, Operator, Protection,
    SecurityErr, Subject,
};
use security::engine::Soft;
use security::esam::{Element, Host, HostKeys, Refused};
use security::key::Secret;

use super::{Case, Held, same};

const DAY: u32 = 1;

pub fn frames(case: &Case<'_>) -> Result<Held, String> {
    let keys = HostKeys {
        parameter: Secret::new(case.array("k_param")?),
        control: Secret::new(case.array("k_ctrl")?),
        identity: Secret::new(case.array("k_auth")?),
        main: Secret::new([0; 16]),
    };
    let meter: [u8; 6] = case.array("address")?;
    let address = Address::from_big_endian(meter);
    let operator = Operator::from_line(case.array("operator")?);
    let mut element = Element::new(Soft, &keys, meter, case.array("element_serial")?)
        .map_err(|error| error.to_string())?;
    element.set_now(0, DAY);
    let mut random2 = [0; 8];
    random2[..4].copy_from_slice(&case.bytes("r2")?);
    element.give_random(random2);
    let mut host = Host::new(Soft, keys);
    host.give_random(case.array("r1")?);

    // Identity authentication.
    let begun = HostElement::begin(&mut host, address).map_err(|error| error.to_string())?;
    let id = DataId(0x0700_00FF);
    let request = Message::Security {
        id,
        operator,
        data: &begun,
    };
    compare(case, "frame_auth", address, &request)?;
    let mut out = [0; 64];
    let len = element
        .request(id.0, &begun, &mut out)
        .map_err(|error| error.to_string())?;
    let answer = &out[..len];
    let frame = case.bytes("frame_auth_reply")?;
    same(
        "frame_auth_reply",
        data(&frame)?.get(4..).unwrap_or_default(),
        answer,
    )?;
    let answer = answer
        .try_into()
        .map_err(|_| "an answer of another length")?;
    HostElement::finish(&mut host, address, answer).map_err(|error| error.to_string())?;

    // A relay order.
    let frame = case.bytes("frame_ctrl")?;
    let frame_data = data(&frame)?;
    let sealed = frame_data.get(8..).unwrap_or_default().to_vec();
    let subject = Subject {
        meter: address,
        function: Function::CONTROL,
        id: None,
    };
    let mut plain = case.array::<8>("ctrl_plain")?;
    plain[2..].reverse();
    let mut protected = [0; 64];
    let len = host
        .protect(Protection::Cipher, subject, &plain, &mut protected)
        .map_err(|error| error.to_string())?;
    same("sealed order", &sealed, &protected[..len])?;
    let mut opened = [0; 64];
    let len = element
        .open(Protection::Cipher, subject, &sealed, &mut opened)
        .map_err(|error| error.to_string())?;
    same("opened order", &plain, &opened[..len])?;
    if element
        .open(Protection::Cipher, subject, &sealed, &mut opened)
        .is_ok()
    {
        return Err("a repeated order was opened".to_owned());
    }

    // Validity of the authentication.
    let minutes: [u8; 2] = case.array("validity_minutes_bcd")?;
    let minutes = minutes.iter().fold(0, |sum, byte| {
        sum * 100 + u16::from(byte >> 4) * 10 + u16::from(byte & 15)
    });
    let set = host
        .validity(meter, minutes)
        .map_err(|error| error.to_string())?;
    let id = DataId(0x0700_01FF);
    let request = Message::Security {
        id,
        operator,
        data: &set,
    };
    compare(case, "frame_set_validity", address, &request)?;
    element
        .request(id.0, &set, &mut out)
        .map_err(|error| error.to_string())?;

    // A refusal.
    let refused = SecurityErr::from(Refused(case.small("serr")?));
    let request = Message::SecurityRefused(refused);
    compare(case, "frame_error", address, &request)?;
    Ok(Held::Yes)
}

/// The data field of a frame, without the offset of the line.
fn data(frame: &[u8]) -> Result<Vec<u8>, String> {
    let frame = FrameView::parse(frame).map_err(|error| error.to_string())?;
    Ok(frame.data().collect())
}

fn compare(
    case: &Case<'_>,
    name: &str,
    address: Address,
    message: &Message<'_>,
) -> Result<(), String> {
    let mut line = [0; dlt645::FRAME_MAX];
    let len = message
        .encode_frame(address, &mut line)
        .map_err(|error| error.to_string())?;
    same(name, &case.bytes(name)?, &line[..len])
}
