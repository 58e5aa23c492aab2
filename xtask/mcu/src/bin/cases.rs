//! Works off cases that the host wrote to a file and writes what it made of each: the host compares.
//!
//! ```text
//! request  length 2 | kind 1 | fields, each length 2 and bytes      answer  length 2 | 1 done, 0 refused | bytes
//! ```
//! Lengths stand least significant byte first. A refused opening whose buffer is not wiped ends the run.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use heapless::Vec;
use mcu::ram;
use security::aead::AeadError;
use security::ake::{self, Responder};
use security::cipher::LinkCipher;
use security::counter::SendCounter;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::envelope::{self, Class, Direction, Fields, Header};
use security::esam::{Element, Host, HostKeys};
use security::fw::{Admission, Core, PublicKey, verify};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::replay::{Freshness, ReplayWindow};
use security::suite::Suite;
use security::{ccm, chacha, cmac, gcm, kdf, wrap};
use semihosting::fs::File;
use semihosting::io::{Read, Write};
use semihosting::process;

/// Longest request and answer.
const MOST: usize = 1400;

type Out = Vec<u8, MOST>;

/// The fields of a request, taken one behind the other.
struct Request<'r>(&'r [u8]);

impl<'r> Request<'r> {
    fn bytes(&mut self) -> Option<&'r [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (field, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        self.0 = rest;
        Some(field)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes()?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn half(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn key(&mut self) -> Option<SoftKey> {
        let cipher = match self.byte()? {
            0 => BlockCipher::Aes128,
            _ => BlockCipher::Sm4,
        };
        let Ok(key) = Soft.load(cipher, &Secret::new(self.array()?));
        Some(key)
    }

    fn direction(&mut self) -> Option<Direction> {
        Some(match self.byte()? {
            0 => Direction::ToDevice,
            _ => Direction::FromDevice,
        })
    }

    fn id(&mut self) -> Option<DeviceKeyId> {
        let [a, b, address @ ..] = self.array::<8>()?;
        Some(match [a, b] {
            [0, 0] => DeviceKeyId::meter(address),
            _ => DeviceKeyId::gateway(address),
        })
    }
}

fn put(out: &mut Out, bytes: &[u8]) -> Option<()> {
    out.extend_from_slice(bytes).ok()
}

/// What a request comes to; `None` when it is refused.
fn answer(kind: u8, request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    match kind {
        b'C' | b'G' | b'P' => open(kind, request, out),
        b'c' | b'g' | b'p' => seal(kind, request, out),
        b'M' => {
            let Ok(tag) = cmac::mac(&mut Soft, &request.key()?, &[request.bytes()?]);
            put(out, &tag)
        }
        b'W' => {
            let key = request.key()?;
            put(out, request.bytes()?)?;
            let Ok(plain) = wrap::unwrap(&mut Soft, &key, out) else {
                wiped(out);
                return None;
            };
            let len = plain.len();
            let from = out.len().checked_sub(len)?;
            out.copy_within(from.., 0);
            out.truncate(len);
            Some(())
        }
        b'w' => {
            let key = request.key()?;
            put(out, &[0; wrap::OVERHEAD])?;
            put(out, request.bytes()?)?;
            wrap::wrap(&mut Soft, &key, out).ok()
        }
        b'K' => {
            let (key, counter_len) = (request.key()?, request.byte()?);
            let fixed = request.bytes()?;
            out.resize_default(usize::from(request.half()?)).ok()?;
            kdf::counter_mode(&mut Soft, &key, counter_len.into(), fixed, out).ok()
        }
        b'B' | b'b' => {
            let key = request.key()?;
            put(out, request.bytes()?)?;
            for block in out.as_chunks_mut::<16>().0 {
                let Ok(()) = match kind {
                    b'B' => Soft.encrypt(&key, core::slice::from_mut(block)),
                    _ => Soft.decrypt(&key, block),
                };
            }
            Some(())
        }
        b'T' => tree(request, out),
        b'E' => open_envelope(request, out),
        b'e' => seal_envelope(request, out),
        b'H' => device(request, out),
        b'h' => host(request, out),
        b'F' => firmware(request),
        b'S' => {
            let key = PublicKey::Ed25519(request.array()?);
            let message = request.bytes()?;
            key.verifies(message, &request.array()?).then_some(())
        }
        b'Q' => {
            let key = PublicKey::EcdsaP256(request.array()?);
            let message = request.bytes()?;
            key.verifies(message, &request.array()?).then_some(())
        }
        b'R' => {
            let freshness = match request.byte()? {
                0 => Freshness::Rising,
                _ => Freshness::Window,
            };
            let mut window = ReplayWindow::new();
            while let Some(counter) = request.number() {
                window = ReplayWindow::from_bytes(&window.to_bytes());
                put(out, &[u8::from(window.accept(counter, freshness))])?;
            }
            Some(())
        }
        b'N' => numbers(request, out),
        b'D' => element(request, out),
        b'Z' => residue(request, out),
        _ => None,
    }
}

/// Ends the run if a refused message left something behind.
fn wiped(left: &[u8]) {
    if left.iter().any(|byte| *byte != 0) {
        process::exit(3);
    }
}

fn open(kind: u8, request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let stream = (kind == b'P').then(|| request.array()).flatten();
    let key = if kind == b'P' {
        None
    } else {
        Some(request.key()?)
    };
    let (nonce, aad, tag) = (request.bytes()?, request.bytes()?, request.bytes()?);
    put(out, request.bytes()?)?;
    let aad = &[aad][..];
    let opened = match (kind, key, stream) {
        (b'C', Some(key), _) => ccm::open(&mut Soft, &key, nonce, aad, out, tag),
        (b'G', Some(key), _) => gcm::open(&mut Soft, &key, nonce, aad, out, tag),
        (_, _, Some(key)) => {
            let nonce = nonce.try_into().ok()?;
            chacha::open(&Secret::new(key), &nonce, aad, out, tag)
        }
        _ => return None,
    };
    if opened.is_err() {
        wiped(out);
    }
    opened.ok()
}

fn seal(kind: u8, request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let stream = (kind == b'p').then(|| request.array()).flatten();
    let key = if kind == b'p' {
        None
    } else {
        Some(request.key()?)
    };
    let (nonce, aad, tag_len) = (request.bytes()?, request.bytes()?, request.byte()?);
    put(out, request.bytes()?)?;
    let (aad, tag_len) = (&[aad][..], usize::from(tag_len));
    let tag: Result<[u8; 16], AeadError> = match (kind, key, stream) {
        (b'c', Some(key), _) => ccm::seal(&mut Soft, &key, nonce, aad, out, tag_len),
        (b'g', Some(key), _) => gcm::seal(&mut Soft, &key, nonce, aad, out),
        (_, _, Some(key)) => {
            let nonce = nonce.try_into().ok()?;
            chacha::seal(&Secret::new(key), &nonce, aad, out)
        }
        _ => return None,
    };
    put(out, tag.ok()?.get(..tag_len)?)
}

fn tree(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let root = Secret::new(request.array()?);
    let tree = KeyTree::from_root(&root, request.array()?, request.half()?);
    let (id, purpose) = (request.id()?, Purpose::from_number(request.byte()?)?);
    let (epoch, way) = (request.half()?, request.direction()?);
    let (host, device) = (request.array()?, request.array()?);
    let key = tree.device_key(id, purpose, epoch);
    put(out, tree.network_secret().expose())?;
    put(out, key.secret().expose())?;
    let session = key.session_link(Suite::Ccm16, way, &host, &device);
    for link in [session, key.static_link(Suite::Ccm16, way)] {
        put(out, link.key())?;
        put(out, link.iv().expose())?;
    }
    Some(())
}

/// Suite, key, direction, address, epoch: one end of a link.
fn link(request: &mut Request<'_>) -> Option<(Suite, LinkCipher, Direction, [u8; 6], u16)> {
    let suite = Suite::from_number(request.byte()?)?;
    let secret = Secret::new(request.array()?);
    let (way, address, epoch) = (request.direction()?, request.array()?, request.half()?);
    let id = DeviceKeyId::meter(address);
    let key = DeviceKey::new(secret, id, Purpose::Data, epoch);
    let Ok(cipher) = LinkCipher::load(&mut Soft, &key.static_link(suite, way));
    Some((suite, cipher, way, address, epoch))
}

fn open_envelope(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let (suite, cipher, way, address, epoch) = link(request)?;
    let (last, ext) = (request.bytes()?, request.bytes()?);
    put(out, request.bytes()?)?;
    let header = match last.try_into() {
        Ok(last) => Header::parse_short(out, address, epoch, u64::from_be_bytes(last)),
        Err(_) => Header::parse(out),
    };
    let header = header.ok().filter(|h| {
        h.suite == suite && h.direction == way && h.epoch == epoch && h.address == address
    })?;
    let plain = envelope::open(&mut Soft, &cipher, &header, ext, out).ok()?;
    let (from, len) = (header.wire_len(), plain.len());
    out.copy_within(from..from.checked_add(len)?, 0);
    out.truncate(len);
    put(out, &[header.class.number()])?;
    put(out, &header.counter.to_be_bytes())
}

fn seal_envelope(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let (_, cipher, direction, address, epoch) = link(request)?;
    let class = Class::from_number(request.byte()?)?;
    let (short, counter) = (request.byte()? == 1, request.number()?);
    let (ext, plain) = (request.bytes()?, request.bytes()?);
    let mut number = SendCounter::boot(counter.checked_sub(1)?, 1);
    number.reservation()?.confirm();
    let fields = Fields {
        direction,
        class,
        short,
        epoch,
        address,
    };
    let start = if short { 4 } else { envelope::HEADER_LEN };
    out.resize_default(start + plain.len() + 16).ok()?;
    out.get_mut(start..)?
        .get_mut(..plain.len())?
        .copy_from_slice(plain);
    let number = number.take().ok()?;
    let sealed = envelope::seal(&mut Soft, &cipher, &fields, number, ext, out, plain.len());
    let len = sealed.ok()?.len();
    out.truncate(len);
    Some(())
}

/// The device of a handshake: its answer and whether the third message opens the session.
fn device(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let key = auth(request)?;
    let (m1, random, m3) = (request.bytes()?, request.array()?, request.bytes()?);
    let mut device = Responder::new(Suite::ALL).with_factory_keys();
    let m2 = device.answer(&mut Soft, &key.soft(), m1, random, 0).ok()?;
    put(out, &m2)?;
    let opened = device.finish(&mut Soft, &key.soft(), m3, 0);
    put(out, &[u8::from(opened.is_ok())])
}

/// The host of a handshake: its first message, and its third if the second is good.
fn host(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let key = auth(request)?;
    let offered = request
        .bytes()?
        .iter()
        .map(|number| Suite::from_number(*number));
    let offered: Option<Vec<Suite, 8>> = offered.collect();
    let (random, m2) = (request.array()?, request.bytes()?);
    let sent = ake::start(&key.soft(), &offered?, random).ok()?;
    put(out, sent.m1())?;
    if let Ok((m3, _)) = sent.receive(&mut Soft, &key.soft(), m2, 0) {
        put(out, &m3)?;
    }
    Some(())
}

fn auth(request: &mut Request<'_>) -> Option<DeviceKey> {
    let secret = Secret::new(request.array()?);
    let id = DeviceKeyId::meter(request.array()?);
    Some(DeviceKey::new(secret, id, Purpose::Auth, request.half()?))
}

fn firmware(request: &mut Request<'_>) -> Option<()> {
    let key = PublicKey::Ed25519(request.array()?);
    let (manifest, signature, image) = (request.bytes()?, request.array()?, request.bytes()?);
    let core = match request.byte()? {
        1 => Core::Metering,
        2 => Core::Management,
        3 => Core::Modem,
        _ => Core::Gateway,
    };
    let device = Admission {
        core,
        hardware: request.half()?,
        security_counter: u32::try_from(request.number()?).ok()?,
        legal_software: manifest.get(96..104)?.try_into().ok()?,
        slot_len: 1 << 20,
        running_hash: None,
        decrypts: false,
    };
    let mut slot = |offset: u32, buf: &mut [u8]| {
        let rest = image.get(offset as usize..).ok_or(())?;
        buf.copy_from_slice(rest.get(..buf.len()).ok_or(())?);
        Ok(())
    };
    verify(manifest, &signature, &device, &[key], &mut slot)
        .ok()
        .map(drop)
}

/// Events of a counter: 0 used, 1 crash, 2 crash before the write of a use, 3 behind it, 4 after a use.
fn numbers(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let (block, events) = (u32::try_from(request.number()?).ok()?, request.bytes()?);
    let (mut stored, mut writes) = (0_u64, 0_u8);
    let mut counter = SendCounter::boot(stored, block);
    for event in events {
        let mut crashed = matches!(event, 1 | 2);
        if !crashed {
            if let Some(reservation) = counter.reservation() {
                stored = reservation.limit();
                writes = writes.saturating_add(1);
                reservation.confirm();
            }
            crashed = *event != 0;
            if *event != 3 {
                put(out, &counter.take().ok()?.value().to_be_bytes())?;
            }
        }
        if crashed {
            counter = SendCounter::boot(stored, block);
        }
    }
    put(out, &stored.to_be_bytes())?;
    put(out, &[writes])
}

/// Identity, an order and a change of validity between both elements.
fn element(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let keys = HostKeys {
        parameter: Secret::new(request.array()?),
        control: Secret::new(request.array()?),
        identity: Secret::new(request.array()?),
        main: Secret::new([0; 16]),
    };
    let meter = request.array()?;
    let mut element = Element::new(Soft, &keys, meter, request.array()?).ok()?;
    let mut host = Host::new(Soft, keys);
    host.give_random(request.array()?);
    element.give_random(request.array()?);
    let (plain, minutes) = (request.array::<8>()?, request.half()?);
    let mut buf = [0; 64];
    let begun = host.begin(meter).ok()?;
    put(out, &begun)?;
    element.request(0x0700_00FF, &begun, &mut buf).ok()?;
    let answer: [u8; 12] = *buf.first_chunk()?;
    put(out, &answer)?;
    host.finish(meter, answer);
    let len = host.control(meter, &plain, &mut buf).ok()?;
    put(out, buf.get(..len)?)?;
    let mut opened = [0; 64];
    let read = element.open_control(buf.get(..len)?, &mut opened).ok()?;
    if opened.get(..read) != Some(&plain)
        || element.open_control(buf.get(..len)?, &mut opened).is_ok()
    {
        return None;
    }
    let validity = host.validity(meter, minutes).ok()?;
    put(out, &validity)?;
    element
        .request(0x0700_01FF, &validity, &mut buf)
        .ok()
        .map(drop)
}

/// Root key, network, its epoch, device, purpose, epoch, direction, two random numbers, then every key that comes of
/// them; all keys with every bit turned. Answers whether a key in use is found in memory, and how many are left of each
/// key after the work is done and the stack wiped.
fn residue(request: &mut Request<'_>, out: &mut Out) -> Option<()> {
    let root = request.array()?;
    let fields = Request(request.0);
    use_keys(&root, fields)?;
    let seen = is_seen(&root);
    ram::wipe_stack();
    put(out, &[u8::from(seen)])?;
    put(out, &[ram::count(&root).to_le_bytes()[0]])?;
    for _ in 0..8 {
        request.bytes()?;
    }
    while let Some(key) = request.array() {
        put(out, &[ram::count(&key).to_le_bytes()[0]])?;
    }
    Some(())
}

/// Whether the search finds a key in use.
#[inline(never)]
fn is_seen(turned: &[u8; 16]) -> bool {
    let live = Secret::new(turned.map(|byte| !byte));
    let seen = ram::count(turned) > 0;
    core::hint::black_box(&live);
    seen
}

/// What a device does with its keys: derives, seals, opens, wraps, shakes hands.
#[inline(never)]
fn use_keys(root: &[u8; 16], mut fields: Request<'_>) -> Option<()> {
    let root = Secret::new(root.map(|byte| !byte));
    let tree = KeyTree::from_root(&root, fields.array()?, fields.half()?);
    let (id, purpose) = (fields.id()?, Purpose::from_number(fields.byte()?)?);
    let (epoch, way) = (fields.half()?, fields.direction()?);
    let (host, device) = (fields.array()?, fields.array()?);
    let key = tree.device_key(id, purpose, epoch);
    let master = tree.device_key(id, Purpose::Master, epoch);
    let links = [
        key.session_link(Suite::Ccm16, way, &host, &device),
        key.static_link(Suite::Ccm16, way),
    ];
    for link in &links {
        let Ok(_) = LinkCipher::load(&mut Soft, link);
    }
    let mut wrapped = [0; 24];
    wrapped.get_mut(8..)?.copy_from_slice(key.secret().expose());
    wrap::wrap(&mut Soft, master.soft().key(), &mut wrapped).ok()?;
    let plain = wrap::unwrap(&mut Soft, master.soft().key(), &mut wrapped).ok()?;
    plain.fill(0);
    let mut sealer = security::link::Sealer::new(&key, way, Suite::Ccm16, SendCounter::session());
    let mut buf = [0; 48];
    let sealed = sealer
        .seal_from(Class::Data, b"", b"12.3 kWh", &mut buf)
        .ok()?
        .len();
    let mut opener = security::link::Opener::new(&key, way, Suite::Ccm16);
    opener.open(b"", buf.get_mut(..sealed)?).ok().map(drop)
}

/// Works off the file; `None` when it ends in the middle of a request or the host's disk is full.
fn work(requests: &mut File, answers: &mut File) -> Option<()> {
    let mut line = [0; MOST];
    loop {
        let mut len = [0; 2];
        if requests.read(&mut len).ok()? == 0 {
            return Some(());
        }
        let line = line.get_mut(..usize::from(u16::from_le_bytes(len)))?;
        requests.read_exact(line).ok()?;
        let (kind, fields) = line.split_first()?;
        let mut out = Out::new();
        let done = answer(*kind, &mut Request(fields), &mut out).is_some();
        if !done {
            out.clear();
        }
        let len = u16::try_from(out.len() + 1).ok()?;
        answers.write_all(&len.to_le_bytes()).ok()?;
        answers.write_all(&[u8::from(done)]).ok()?;
        answers.write_all(&out).ok()?;
    }
}

#[entry]
fn main() -> ! {
    let files = File::open(c"requests.bin").and_then(|requests| {
        let answers = File::create(c"answers.bin")?;
        Ok((requests, answers))
    });
    let worked = files
        .ok()
        .and_then(|(mut requests, mut answers)| work(&mut requests, &mut answers));
    process::exit(if worked.is_some() { 0 } else { 1 })
}
