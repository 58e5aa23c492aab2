//! The device side of a sealed link, whole, as the image `seal` links it on any engine.

use security::ake::Responder;
use security::engine::Block128;
use security::envelope::{Class, Direction};
use security::key::{DeviceKey, DeviceKeyId, KeyHandle, Purpose, Secret};
use security::link::Form;
use security::session::Session;
use security::suite::Suite;
use security::wrap;

use crate::Port;

/// The device of the images.
pub const ID: DeviceKeyId = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);

/// A device key for the images.
pub fn key(purpose: Purpose) -> DeviceKey {
    DeviceKey::new(Secret::new([7; 16]), ID, purpose, 1)
}

/// The same key as the engine holds it. It stands apart, as does [`talk`], for small stack frames: one function with
/// everything in it takes more flash to reach its variables.
#[inline(never)]
fn held<E: Block128>(engine: &mut E, purpose: Purpose) -> Result<KeyHandle<E::Key>, E::Error> {
    key(purpose).load(engine)
}

/// Handshakes, messages both ways in either form, and a key that comes wrapped, for ever.
pub fn serve<E: Block128>(engine: &mut E, port: &mut Port) -> Result<(), E::Error> {
    let auth = held(engine, Purpose::Auth)?;
    let ctrl = held(engine, Purpose::Ctrl)?;
    let master = held(engine, Purpose::Master)?;
    let mut responder = Responder::new(Suite::ALL);
    let mut buffer = [0_u8; 128];
    loop {
        let line = receive(port, &mut buffer);
        let now = port.now();
        match line.first() {
            Some(0x11) => {
                let mut random = [0; 16];
                for byte in &mut random {
                    *byte = port.receive().unwrap_or_default();
                }
                if let Ok(m2) = responder.answer(engine, &auth, line, random, now) {
                    port.send(&m2);
                }
            }
            Some(0x13) => {
                if let Ok(session) = responder.finish(engine, &auth, line, now) {
                    talk(engine, port, &session, &ctrl, &mut buffer)?;
                }
            }
            _ => {
                if let Ok(key) = wrap::unwrap(engine, master.key(), line) {
                    port.send(key);
                }
            }
        }
    }
}

/// What came, of any length: the compiler may not know it.
fn receive<'b>(port: &mut Port, buffer: &'b mut [u8; 128]) -> &'b mut [u8] {
    let len = usize::from(port.receive().unwrap_or_default());
    let line = buffer.get_mut(..len).unwrap_or_default();
    for byte in line.iter_mut() {
        *byte = port.receive().unwrap_or_default();
    }
    line
}

#[inline(never)]
fn talk<E: Block128>(
    engine: &mut E,
    port: &mut Port,
    session: &Session,
    key: &KeyHandle<E::Key>,
    buffer: &mut [u8; 128],
) -> Result<(), E::Error> {
    let mut opener = session.opener(engine, key, Direction::ToDevice)?;
    let mut sealer = session.sealer(engine, key, Direction::FromDevice)?;
    while session.may_command(port.now()) {
        let line = receive(port, buffer);
        let form = match line {
            [_, flags, ..] if *flags & 0x40 != 0 => Form::Short,
            _ => Form::Long,
        };
        let opened = match form {
            Form::Long => opener.open_on(engine, b"", line),
            Form::Short => opener.open_short_on(engine, ID.address(), b"", line),
        };
        port.show(opened.map_or(0, |opened| opened.plain.len() as i32));
        if let Ok(sealed) = sealer.seal_on(engine, form, Class::Data, b"", buffer, 64) {
            port.send(sealed);
        }
    }
    Ok(())
}
