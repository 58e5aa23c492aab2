//! The handshake, both sides of it, against the messages of a reference model.

use security::ake::{self, AkeError, Responder};
use security::engine::Soft;
use security::envelope::Direction;
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use security::suite::Suite;

use super::{Case, Held, same};

pub fn ake1(case: &Case<'_>) -> Result<Held, String> {
    let id = DeviceKeyId::meter(case.array("device6")?);
    let epoch = case.small("epoch")?;
    let auth = DeviceKey::new(
        Secret::new(case.array("k_dev_auth")?),
        id,
        Purpose::Auth,
        epoch,
    );
    let auth = auth.soft();
    let (m1, m2, m3) = (case.bytes("m1")?, case.bytes("m2")?, case.bytes("m3")?);
    let good = case.number("ok")? == 1;

    // The host that sent m1 gets m2.
    let count = usize::from(m1[9]);
    let offered: Option<Vec<_>> = m1[10..10 + count]
        .iter()
        .map(|number| Suite::from_number(*number))
        .collect();
    let host_random = m1[10 + count..]
        .try_into()
        .map_err(|_| "no random number")?;
    let sent = ake::start(&auth, &offered.ok_or("unknown suite")?, host_random);
    let sent = sent.map_err(|error| error.to_string())?;
    same("m1", &m1, sent.m1())?;
    let host = sent.receive(&mut Soft, &auth, &m2, 0);

    // The device that answered m1 with that random number gets m3.
    let device_random = m2[2..18].try_into().map_err(|_| "no random number")?;
    let mut device = Responder::new(Suite::ALL).with_factory_keys();
    let answer = device
        .answer(&mut Soft, &auth, &m1, device_random, 0)
        .map_err(|error| error.to_string())?;
    let session = device.finish(&mut Soft, &auth, &m3, 0);

    if !good {
        let held = answer[..] != m2[..] || host.is_err() || session.is_err();
        let alike =
            |result: Result<(), AkeError>| matches!(result, Ok(()) | Err(AkeError::Refused));
        if !alike(host.map(drop)) || !alike(session.map(drop)) {
            return Err("a refusal tells more than the others".to_owned());
        }
        return super::refused("a changed handshake was accepted", held);
    }
    same("m2", &m2, &answer)?;
    let (third, host) = host.map_err(|error| format!("host: {error}"))?;
    same("m3", &m3, &third)?;
    let device = session.map_err(|error| format!("device: {error}"))?;
    if host.suite() != device.suite() {
        return Err("the sides differ on the suite".to_owned());
    }

    let ctrl = DeviceKey::new(
        Secret::new(case.array("k_dev_ctrl")?),
        id,
        Purpose::Ctrl,
        epoch,
    );
    for (direction, key, iv) in [
        (Direction::ToDevice, "ctrl_key_down", "ctrl_iv_down"),
        (Direction::FromDevice, "ctrl_key_up", "ctrl_iv_up"),
    ] {
        let link = ctrl.session_link(Suite::Ccm16, direction, &host_random, &device_random);
        same(key, &case.bytes(key)?, link.key())?;
        same(iv, &case.bytes(iv)?, link.iv().expose())?;
    }
    Ok(Held::Yes)
}
