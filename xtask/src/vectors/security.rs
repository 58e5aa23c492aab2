//! Security case files: published cipher cases and the crate's own formats.

use security::ccm::{self, CcmError};
use security::cmac;
use security::counter::SendCounter;
use security::engine::{Block128, SoftAes, SoftKey};
use security::envelope::{self, Class, Direction, Fields, Header, LinkCipher};
use security::kdf;
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::replay::{Freshness, ReplayWindow};
use security::suite::Suite;
use serde_json::Value;

use super::Outcome;

/// Runs one file, known by its name with or without `.json`. Kinds and suites that the crate does
/// not offer are skipped by name; every other case is compared.
pub fn run(file_name: &str, v: &Value) -> Outcome {
    let name = file_name.trim_end_matches(".json");
    let kind: fn(&Case<'_>) -> Result<Held, String> = match name {
        "aes128_cmac" => cmac_case,
        "nist_aes128_ccm" | "wycheproof_aes_ccm" => ccm_case,
        "sp800_108_ctr_cmac_aes128" => kdf_case,
        "v1_key_hierarchy" => key_case,
        "v1_envelope" | "v1_envelope_short" => envelope_case,
        "v1_replay_window" => window_case,
        "v1_counter_reserve" => counter_case,
        _ => |_| Ok(Held::NotBuilt(String::new())),
    };
    let fields = v["fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let mut outcome = Outcome::default();
    for (row, case) in v["cases"].as_array().into_iter().flatten().enumerate() {
        match kind(&Case { fields, case }) {
            Ok(Held::Yes) => outcome.passed += 1,
            Ok(Held::Partly(part)) => {
                outcome.passed += 1;
                *outcome
                    .skipped
                    .entry(format!("{name}: {part}"))
                    .or_default() += 1;
            }
            Ok(Held::NotBuilt(what)) => {
                let what = if what.is_empty() {
                    name.to_owned()
                } else {
                    format!("{name}: {what}")
                };
                *outcome.skipped.entry(what).or_default() += 1;
            }
            Err(why) => outcome.failed.push(format!("{name} case {row}: {why}")),
        }
    }
    outcome
}

enum Held {
    Yes,
    /// Compared, except for a part that the crate does not offer yet.
    Partly(&'static str),
    NotBuilt(String),
}

/// One case: an object, or a row of a table whose columns are named in the file's head.
struct Case<'v> {
    fields: &'v [Value],
    case: &'v Value,
}

impl<'v> Case<'v> {
    fn at(&self, name: &str) -> Result<&'v Value, String> {
        let column = self.fields.iter().position(|field| field == name);
        let cell = match column {
            Some(column) => self.case.get(column),
            None => self.case.get(name),
        };
        cell.ok_or_else(|| format!("no field {name}"))
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self
            .at(name)?
            .as_str()
            .ok_or_else(|| format!("{name} is no text"))?;
        hex::decode(text).map_err(|error| format!("{name}: {error}"))
    }

    fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        let bytes = self.bytes(name)?;
        let found = bytes.len();
        bytes
            .try_into()
            .map_err(|_| format!("{name} has {found} bytes, expected {N}"))
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        self.at(name)?
            .as_u64()
            .ok_or_else(|| format!("{name} is no number"))
    }

    fn small<T: TryFrom<u64>>(&self, name: &str) -> Result<T, String> {
        T::try_from(self.number(name)?).map_err(|_| format!("{name} is out of range"))
    }

    fn key(&self, name: &str) -> Result<SoftKey, String> {
        Ok(soft(&Secret::new(self.array(name)?)))
    }

    fn valid(&self) -> Result<bool, String> {
        Ok(self.number("valid")? == 1)
    }
}

fn soft(secret: &Secret<16>) -> SoftKey {
    match SoftAes.load(secret) {
        Ok(key) => key,
        Err(never) => match never {},
    }
}

fn same(what: &str, expected: &[u8], got: &[u8]) -> Result<(), String> {
    if expected == got {
        Ok(())
    } else {
        Err(format!(
            "{what}: expected {}, got {}",
            hex::encode(expected),
            hex::encode(got)
        ))
    }
}

fn refused(what: &str, holds: bool) -> Result<Held, String> {
    if holds {
        Ok(Held::Yes)
    } else {
        Err(what.to_owned())
    }
}

fn cmac_case(case: &Case<'_>) -> Result<Held, String> {
    let (key, message, tag) = (case.key("key")?, case.bytes("msg")?, case.bytes("tag")?);
    let Ok(got) = cmac::mac(&mut SoftAes, &key, &[&message]);
    if case.valid()? {
        same("tag", &tag, &got)?;
        // The same message in two parts.
        let (a, b) = message.split_at(message.len() / 2);
        let Ok(split) = cmac::mac(&mut SoftAes, &key, &[a, b]);
        return same("tag of two parts", &tag, &split).map(|()| Held::Yes);
    }
    refused("a wrong tag was taken", tag != got)
}

fn ccm_case(case: &Case<'_>) -> Result<Held, String> {
    let key = case.key("key")?;
    let nonce = case.bytes("nonce").or_else(|_| case.bytes("iv"))?;
    let (aad, plain) = (case.bytes("aad")?, case.bytes("pt")?);
    let (cipher, tag) = match case.bytes("tag") {
        Ok(tag) => (case.bytes("ct")?, tag),
        Err(_) => {
            let mut cipher = case.bytes("ct_and_tag")?;
            let cut = cipher
                .len()
                .checked_sub(case.small("tag_len")?)
                .ok_or("shorter than its tag")?;
            let tag = cipher.split_off(cut);
            (cipher, tag)
        }
    };
    let mut body = cipher.clone();
    let opened = ccm::open(&mut SoftAes, &key, &nonce, &[&aad], &mut body, &tag);
    if !case.valid()? {
        if opened.is_ok() {
            return Err("an invalid message was opened".to_owned());
        }
        return refused("plaintext was left", body.iter().all(|byte| *byte == 0));
    }
    opened.map_err(|error: CcmError| format!("not opened: {error}"))?;
    same("plaintext", &plain, &body)?;
    let sealed = ccm::seal(&mut SoftAes, &key, &nonce, &[&aad], &mut body, tag.len());
    let full = sealed.map_err(|error| format!("not sealed: {error}"))?;
    same("ciphertext", &cipher, &body)?;
    same("tag", &tag, &full[..tag.len()])?;
    Ok(Held::Yes)
}

fn kdf_case(case: &Case<'_>) -> Result<Held, String> {
    let mut out = vec![0; case.small::<usize>("out_bits")? / 8];
    let (key, fixed) = (case.key("key_in")?, case.bytes("fixed_input")?);
    let counter_len = case.small("r_len_bytes")?;
    let derived = kdf::counter_mode(&mut SoftAes, &key, counter_len, &fixed, &mut out);
    derived.map_err(|error| error.to_string())?;
    same("derived key", &case.bytes("key_out")?, &out).map(|()| Held::Yes)
}

fn direction(bit: u64) -> Direction {
    if bit == 0 {
        Direction::ToDevice
    } else {
        Direction::FromDevice
    }
}

fn key_case(case: &Case<'_>) -> Result<Held, String> {
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
    let session = key.session_link(
        &case.array("host_random")?,
        &case.array("device_random")?,
        way,
    );
    same("session key", &case.bytes("k_ses")?, session.key().expose())?;
    same(
        "session initial value",
        &case.bytes("iv_ses")?,
        session.iv().expose(),
    )?;
    let link = key.static_link(way);
    same("static key", &case.bytes("k_env")?, link.key().expose())?;
    same(
        "static initial value",
        &case.bytes("iv_env")?,
        link.iv().expose(),
    )?;
    Ok(Held::Partly("key wrap"))
}

fn envelope_case(case: &Case<'_>) -> Result<Held, String> {
    let suite = match case.number("suite")? {
        1 => Suite::Ccm16,
        3 => Suite::Ccm8,
        2 => return Ok(Held::NotBuilt("AES-128-GCM".to_owned())),
        4 => return Ok(Held::NotBuilt("ChaCha20-Poly1305".to_owned())),
        5 => return Ok(Held::NotBuilt("SM4-GCM".to_owned())),
        other => return Err(format!("suite {other} is not in the format")),
    };
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
    let Ok(cipher) = LinkCipher::load(&mut SoftAes, &key.static_link(way));

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
        let plain = envelope::open(&mut SoftAes, &cipher, &header, &ext, &mut bytes).ok()?;
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
        suite,
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
        &mut SoftAes,
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

fn take(mut counter: SendCounter) -> Option<security::counter::SendNumber> {
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

fn window_case(case: &Case<'_>) -> Result<Held, String> {
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

fn counter_case(case: &Case<'_>) -> Result<Held, String> {
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
