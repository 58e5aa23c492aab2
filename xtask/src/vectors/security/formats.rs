//! The crate's own formats, against the cases of a reference model.

use security::cipher::LinkCipher;
use security::counter::{SendCounter, SendNumber};
use security::engine::Soft;
use security::envelope::{self, Class, Direction, Fields, Header};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::replay::{Freshness, ReplayWindow};
use security::suite::Suite;
use security::wrap;
use serde_json::Value;

use super::{Case, Held, refused, same};

fn direction(bit: u64) -> Direction {
    if bit == 0 {
        Direction::ToDevice
    } else {
        Direction::FromDevice
    }
}

pub fn keys(case: &Case<'_>) -> Result<Held, String> {
    let root = Secret::new(case.array("root")?);
    let tree = KeyTree::from_root(&root, case.array("net_id")?, case.small("net_epoch")?);
    same(
        "network key",
        &case.bytes("k_net")?,
        tree.network_secret().expose(),
    )?;

    let [p0, p1, address @ ..] = case.array::<8>("device_id")?;
    let id = match [p0, p1] {
        [0, 0] => DeviceKeyId::meter(address),
        [0x47, 0x57] => DeviceKeyId::gateway(address),
        _ => return Err("device id is of no known kind".to_owned()),
    };
    let purpose = Purpose::from_number(case.small("purpose")?).ok_or("unknown purpose")?;
    same(
        "purpose name",
        case.at("purpose_name")?
            .as_str()
            .unwrap_or_default()
            .as_bytes(),
        purpose.name().as_bytes(),
    )?;
    let epoch = case.small("dev_epoch")?;
    let key = tree.device_key(id, purpose, epoch);
    same("device key", &case.bytes("k_dev")?, key.secret().expose())?;
    let master = tree.device_key(id, Purpose::Master, epoch);
    same(
        "master key",
        &case.bytes("k_master")?,
        master.secret().expose(),
    )?;

    let way = direction(case.number("direction")?);
    let (host, device) = (case.array("host_random")?, case.array("device_random")?);
    let session = key.session_link(Suite::Ccm16, way, &host, &device);
    same("session key", &case.bytes("k_ses")?, session.key())?;
    same(
        "session initial value",
        &case.bytes("iv_ses")?,
        session.iv().expose(),
    )?;
    let link = key.static_link(Suite::Ccm16, way);
    same("static key", &case.bytes("k_env")?, link.key())?;
    same(
        "static initial value",
        &case.bytes("iv_env")?,
        link.iv().expose(),
    )?;

    let wrapped = case.bytes("new_key_wrapped_under_master")?;
    let kek = master.soft();
    let mut buf = [&[0; wrap::OVERHEAD][..], &case.bytes("new_key")?].concat();
    wrap::wrap(&mut Soft, kek.key(), &mut buf).map_err(|error| error.to_string())?;
    same("wrapped key", &wrapped, &buf)?;
    let unwrapped = wrap::unwrap(&mut Soft, kek.key(), &mut buf);
    let unwrapped = unwrapped.map_err(|error| error.to_string())?;
    same("new key", &case.bytes("new_key")?, unwrapped)?;
    Ok(Held::Yes)
}

pub fn envelope(case: &Case<'_>) -> Result<Held, String> {
    let suite =
        Suite::from_number(case.small("suite")?).ok_or("a suite that is not in the format")?;
    let way = direction(case.number("direction")?);
    let (address, epoch) = (case.array("device6")?, case.small("epoch")?);
    let (ext, message) = (case.bytes("ext_aad")?, case.bytes("message")?);
    let last = case.number("last_accepted").ok();
    let key = DeviceKey::new(
        Secret::new(case.array("k_dev")?),
        DeviceKeyId::meter(address),
        Purpose::Data,
        epoch,
    );
    let Ok(cipher) = LinkCipher::load(&mut Soft, &key.static_link(suite, way));

    let mut bytes = message.clone();
    let header = match last {
        Some(last) => Header::parse_short(&bytes, address, epoch, last),
        None => Header::parse(&bytes),
    };
    // A receiver holds one key, for one suite, direction, epoch and address.
    let expected = |h: &Header| {
        h.suite == suite && h.direction == way && h.epoch == epoch && h.address == address
    };
    let opened = header.ok().filter(expected).and_then(|header| {
        let plain = envelope::open(&mut Soft, &cipher, &header, &ext, &mut bytes).ok()?;
        Some((header, plain.to_vec()))
    });
    if !case.valid()? {
        return refused("an invalid envelope was opened", opened.is_none());
    }
    let (header, plain) = opened.ok_or("a valid envelope was refused")?;
    same("plaintext", &case.bytes("pt")?, &plain)?;
    let class = Class::from_number(case.small("msg_class")?).ok_or("unknown class")?;
    let counter = case.number("counter")?;
    if header.class != class || header.counter != counter {
        return Err(format!(
            "header: expected {class:?} {counter}, got {header:?}"
        ));
    }

    let number = SendCounter::boot(counter.saturating_sub(1), 1);
    let number = take(number).ok_or("no number")?;
    let fields = Fields {
        direction: way,
        class,
        short: last.is_some(),
        epoch,
        address,
    };
    let mut buf = vec![0; message.len()];
    let start = header.wire_len();
    buf[start..start + plain.len()].copy_from_slice(&plain);
    let sealed = envelope::seal(
        &mut Soft,
        &cipher,
        &fields,
        number,
        &ext,
        &mut buf,
        plain.len(),
    );
    same(
        "envelope",
        &message,
        sealed.map_err(|error| error.to_string())?,
    )?;
    Ok(Held::Yes)
}

fn take(mut counter: SendCounter) -> Option<SendNumber> {
    if let Some(reservation) = counter.reservation() {
        reservation.confirm();
    }
    counter.take().ok()
}

fn list<T>(case: &Case<'_>, name: &str, each: fn(&Value) -> Option<T>) -> Result<Vec<T>, String> {
    let values = case
        .at(name)?
        .as_array()
        .ok_or_else(|| format!("{name} is no list"))?;
    values
        .iter()
        .map(each)
        .collect::<Option<_>>()
        .ok_or_else(|| format!("{name} holds something else"))
}

pub fn window(case: &Case<'_>) -> Result<Held, String> {
    let freshness = match case.number("window")? {
        0 => Freshness::Rising,
        64 => Freshness::Window,
        other => return Ok(Held::NotBuilt(format!("window {other}"))),
    };
    let mut window = ReplayWindow::new();
    let accept = list(case, "accept", Value::as_u64)?;
    for (counter, expected) in list(case, "counters", Value::as_u64)?
        .into_iter()
        .zip(accept)
    {
        // Kept across a restart at every step.
        window = ReplayWindow::from_bytes(&window.to_bytes());
        let got = window.accept(counter, freshness);
        if got != (expected == 1) {
            return Err(format!("counter {counter}: expected {expected}, got {got}"));
        }
    }
    Ok(Held::Yes)
}

pub fn counter(case: &Case<'_>) -> Result<Held, String> {
    let block = case.small("block")?;
    let (mut stored, mut writes) = (0, 0);
    let mut emitted = Vec::new();
    let mut counter = SendCounter::boot(stored, block);
    for event in list(case, "events", |event| event.as_str().map(str::to_owned))? {
        let mut crashed = event == "crash" || event == "use_crash_before_write";
        if !crashed {
            if let Some(reservation) = counter.reservation() {
                stored = reservation.limit();
                writes += 1;
                reservation.confirm();
            }
            crashed = event != "use";
            if event != "use_crash_after_write" {
                emitted.push(counter.take().map_err(|error| error.to_string())?.value());
            }
        }
        if crashed {
            counter = SendCounter::boot(stored, block);
        }
    }
    let expected = (
        list(case, "emitted", Value::as_u64)?,
        case.number("stored_limit")?,
        case.number("nv_writes")?,
    );
    let got = (emitted, stored, writes);
    if expected == got {
        Ok(Held::Yes)
    } else {
        Err(format!("expected {expected:?}, got {got:?}"))
    }
}
