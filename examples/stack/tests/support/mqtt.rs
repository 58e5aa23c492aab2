//! Packets of MQTT 3.1.1 made by hand, so that they can also be made wrong.

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut rest = body.len();
    loop {
        let more = if rest > 127 { 0x80 } else { 0 };
        bytes.push((rest % 128) as u8 | more);
        rest /= 128;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(body);
    bytes
}

pub fn connect(client: &str, user: &str, password: &str) -> Vec<u8> {
    // Protocol, level 4, user name and password and clean session, 60 s.
    let mut body = text("MQTT");
    body.extend_from_slice(&[4, 0xC2, 0, 60]);
    for part in [client, user, password] {
        body.extend(text(part));
    }
    packet(0x10, &body)
}

/// QoS 1, so that the broker has to answer.
pub fn publish(topic: &str, number: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = text(topic);
    body.extend_from_slice(&number.max(1).to_be_bytes());
    body.extend_from_slice(payload);
    packet(0x32, &body)
}

pub fn subscribe(filter: &str, number: u16) -> Vec<u8> {
    let mut body = number.max(1).to_be_bytes().to_vec();
    body.extend(text(filter));
    body.push(1);
    packet(0x82, &body)
}

pub const PINGREQ: [u8; 2] = [0xC0, 0];
pub const DISCONNECT: [u8; 2] = [0xE0, 0];
