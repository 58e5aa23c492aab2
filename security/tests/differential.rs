//! Every mode, derivation, envelope and handshake beside OpenSSL (`openssl.py`) on random input: what
//! we seal is what it seals; what one side opens or refuses, the other does, a flipped bit included.
//!
//! `METERKIT_CASES` sets the number of cases (`cargo xtask differential --cases N`).

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use security::ake::{self, Responder};
use security::counter::SendCounter;
use security::engine::{Block128, BlockCipher, Soft, SoftKey};
use security::envelope::{Class, Direction};
use security::key::{DeviceKeyId, KeyTree, Purpose, Secret};
use security::link::{Form, Opener, Sealer};
use security::replay::ReplayWindow;
use security::suite::Suite;
use security::{ccm, chacha, cmac, gcm, kdf, wrap};
use testkit::Rng;

const CASES: u64 = 100_000;
const BATCH: u64 = 500;

/// What one side makes of a case; `None` when it refuses.
type Outcome = Option<Vec<u8>>;

/// A request for the other side, and what ours made of it.
struct Case {
    kind: u8,
    fields: Vec<Vec<u8>>,
    ours: Outcome,
}

fn case(kind: u8, fields: &[&[u8]], ours: Outcome) -> Case {
    let fields = fields.iter().map(|field| field.to_vec()).collect();
    Case { kind, fields, ours }
}

fn array<const N: usize>(rng: &mut Rng) -> [u8; N] {
    let mut bytes = [0; N];
    rng.fill(&mut bytes);
    bytes
}

fn sized(rng: &mut Rng, low: i64, high: i64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(rng.between(low, high)).unwrap()];
    rng.fill(&mut bytes);
    bytes
}

/// Messages are short as in the field, now and then long.
fn message(rng: &mut Rng) -> Vec<u8> {
    let longest = if rng.chance(20_000) { 3000 } else { 150 };
    rng.bytes(longest)
}

fn flip_one_bit(rng: &mut Rng, bytes: &mut [u8]) {
    let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << rng.below(8);
    }
}

/// One of the inputs of an opening with one bit flipped, or in half of all cases none.
fn damage(rng: &mut Rng, inputs: &mut [&mut Vec<u8>]) {
    if rng.chance(500_000) {
        let at = usize::try_from(rng.below(inputs.len() as u64)).unwrap();
        flip_one_bit(rng, inputs[at]);
    }
}

fn soft(cipher: BlockCipher, key: [u8; 16]) -> SoftKey {
    let Ok(key) = Soft.load(cipher, &Secret::new(key));
    key
}

/// The associated data in two parts, as the envelope gives them.
fn halves(aad: &[u8]) -> [&[u8]; 2] {
    let (a, b) = aad.split_at(aad.len() / 3);
    [a, b]
}

/// Which block-cipher mode a case is of.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Ccm,
    Gcm,
}

fn block_mode(rng: &mut Rng, mode: Mode) -> Case {
    let (letter, cipher) = if rng.chance(500_000) {
        (b"a", BlockCipher::Aes128)
    } else {
        (b"s", BlockCipher::Sm4)
    };
    let secret = array(rng);
    let key = soft(cipher, secret);
    let ((kind, mut nonce), tag_len) = match mode {
        Mode::Ccm => ((b'C', sized(rng, 7, 13)), 4 + 2 * rng.below(7)),
        // OpenSSL's Python binding takes no shorter nonce.
        Mode::Gcm => ((b'G', sized(rng, 8, 40)), 12 + rng.below(5)),
    };
    let tag_len = usize::try_from(tag_len).unwrap();
    let seal = |nonce: &[u8], aad: &[u8], text: &mut Vec<u8>| {
        let tag = match mode {
            Mode::Ccm => ccm::seal(&mut Soft, &key, nonce, &halves(aad), text, tag_len),
            Mode::Gcm => gcm::seal(&mut Soft, &key, nonce, &halves(aad), text),
        };
        text.extend(&tag.unwrap()[..tag_len]);
    };
    let open = |nonce: &[u8], aad: &[u8], text: &[u8]| -> Outcome {
        let (body, tag) = text.split_at(text.len() - tag_len);
        let mut body = body.to_vec();
        let opened = match mode {
            Mode::Ccm => ccm::open(&mut Soft, &key, nonce, &halves(aad), &mut body, tag),
            Mode::Gcm => gcm::open(&mut Soft, &key, nonce, &halves(aad), &mut body, tag),
        };
        finished(opened.is_ok(), body)
    };
    sealed_and_opened(rng, kind, &mut nonce, seal, open, |nonce, aad, text| {
        let tag_len = [u8::try_from(tag_len).unwrap()];
        [letter, &secret[..], nonce, aad, &tag_len, text]
            .map(<[u8]>::to_vec)
            .to_vec()
    })
}

fn stream_mode(rng: &mut Rng) -> Case {
    let bytes = array(rng);
    let key = Secret::new(bytes);
    let mut nonce = sized(rng, 12, 12);
    let seal = |nonce: &[u8], aad: &[u8], text: &mut Vec<u8>| {
        let nonce = nonce.try_into().unwrap();
        let tag = chacha::seal(&key, nonce, &halves(aad), text).unwrap();
        text.extend(tag);
    };
    let open = |nonce: &[u8], aad: &[u8], text: &[u8]| -> Outcome {
        let (body, tag) = text.split_at(text.len() - 16);
        let mut body = body.to_vec();
        let nonce = nonce.try_into().unwrap();
        let opened = chacha::open(&key, nonce, &halves(aad), &mut body, tag);
        finished(opened.is_ok(), body)
    };
    sealed_and_opened(rng, b'P', &mut nonce, seal, open, |nonce, aad, text| {
        [&bytes[..], nonce, aad, text].map(<[u8]>::to_vec).to_vec()
    })
}

/// The message behind an opening; behind a refusal it must be wiped.
fn finished(opened: bool, body: Vec<u8>) -> Outcome {
    assert!(
        opened || body.iter().all(|byte| *byte == 0),
        "a refused message was left"
    );
    opened.then_some(body)
}

/// A case of a mode: sealed by us and opened again, or sealed, perhaps damaged, and opened.
fn sealed_and_opened(
    rng: &mut Rng,
    kind: u8,
    nonce: &mut Vec<u8>,
    seal: impl Fn(&[u8], &[u8], &mut Vec<u8>),
    open: impl Fn(&[u8], &[u8], &[u8]) -> Outcome,
    fields: impl Fn(&[u8], &[u8], &[u8]) -> Vec<Vec<u8>>,
) -> Case {
    let (mut aad, plain) = (rng.bytes(60), message(rng));
    let mut text = plain.clone();
    seal(nonce, &aad, &mut text);
    let (way, rest, ours) = if rng.chance(500_000) {
        assert_eq!(open(nonce, &aad, &text).as_ref(), Some(&plain));
        (b's', fields(nonce, &aad, &plain), Some(text))
    } else {
        damage(rng, &mut [nonce, &mut aad, &mut text]);
        let ours = open(nonce, &aad, &text);
        (b'o', fields(nonce, &aad, &text), ours)
    };
    let fields = [vec![vec![way]], rest].concat();
    Case { kind, fields, ours }
}

fn key_wrap(rng: &mut Rng) -> Case {
    let secret = array(rng);
    let kek = soft(BlockCipher::Aes128, secret);
    let plain = sized(rng, 2, 10).repeat(8);
    let mut text = [&[0; wrap::OVERHEAD][..], &plain].concat();
    wrap::wrap(&mut Soft, &kek, &mut text).unwrap();
    if rng.chance(500_000) {
        return case(b'W', &[b"s", &secret, &plain], Some(text));
    }
    damage(rng, &mut [&mut text]);
    let mut buf = text.clone();
    let key = wrap::unwrap(&mut Soft, &kek, &mut buf).map(|key| key.to_vec());
    case(b'W', &[b"o", &secret, &text], key.ok())
}

fn mac(rng: &mut Rng) -> Case {
    let secret = array(rng);
    let key = soft(BlockCipher::Aes128, secret);
    let mut text = message(rng);
    let Ok(tag) = cmac::mac(&mut Soft, &key, &halves(&text));
    if rng.chance(500_000) {
        return case(b'M', &[&secret, &text], Some(tag.to_vec()));
    }
    let mut tag = tag.to_vec();
    damage(rng, &mut [&mut text, &mut tag]);
    let given = (&tag[..]).try_into().unwrap();
    let Ok(right) = cmac::verify(&mut Soft, &key, &[&text], given);
    case(b'V', &[&secret, &text, &tag], right.then(Vec::new))
}

fn derivation(rng: &mut Rng) -> Case {
    let secret = array(rng);
    let key = soft(BlockCipher::Aes128, secret);
    let counter_len = 1 + rng.below(4) as u8;
    let (fixed, mut out) = (sized(rng, 1, 80), sized(rng, 1, 100));
    let length = u16::try_from(out.len()).unwrap().to_be_bytes();
    kdf::counter_mode(&mut Soft, &key, counter_len.into(), &fixed, &mut out).unwrap();
    case(b'K', &[&secret, &[counter_len], &length, &fixed], Some(out))
}

fn device(rng: &mut Rng) -> DeviceKeyId {
    if rng.chance(500_000) {
        DeviceKeyId::meter(array(rng))
    } else {
        DeviceKeyId::gateway(array(rng))
    }
}

/// From the network key to the bytes on the wire, and back.
fn envelope(rng: &mut Rng) -> Case {
    let network = array(rng);
    let id = device(rng);
    let purpose = *rng.pick(&Purpose::ALL).unwrap();
    let epoch = u16::from_be_bytes(array(rng));
    let direction = *rng
        .pick(&[Direction::ToDevice, Direction::FromDevice])
        .unwrap();
    let suite = *rng.pick(Suite::ALL).unwrap();
    let class = Class::from_number(rng.below(6) as u8).unwrap();
    let counter = 1 + rng.below((1 << 48) - 1);
    let form = *rng.pick(&[Form::Long, Form::Short]).unwrap();
    let (mut ext, plain) = (rng.bytes(24), message(rng));

    let key = KeyTree::from_network(Secret::new(network)).device_key(id, purpose, epoch);
    let mut numbers = SendCounter::boot(counter - 1, 1);
    numbers.reservation().unwrap().confirm();
    let mut sealer = Sealer::new(&key, direction, suite, numbers);
    let head = if form == Form::Long { 16 } else { 4 };
    let mut wire = [&vec![0; head][..], &plain, &vec![0; suite.tag_len()]].concat();
    sealer
        .seal_on(&mut Soft, form, class, &ext, &mut wire, plain.len())
        .unwrap();

    let window = ReplayWindow::above(counter - 1);
    let opener = || Opener::new(&key, direction, suite).with_window(window);
    let way = if form == Form::Short || rng.chance(300_000) {
        let mut buf = wire.clone();
        let opened = match form {
            Form::Long => opener().open(&ext, &mut buf),
            Form::Short => opener().open_short(id.address(), &ext, &mut buf),
        };
        assert_eq!(opened.unwrap().plain, plain);
        b"s"
    } else {
        damage(rng, &mut [&mut ext, &mut wire]);
        b"o"
    };
    let (text, ours) = match way {
        b"s" => (plain, Some(wire)),
        _ => {
            let mut buf = wire.clone();
            // Nothing was seen yet: what is judged is the message, not its number.
            let mut opener = Opener::new(&key, direction, suite);
            let opened = opener
                .open(&ext, &mut buf)
                .map(|opened| opened.plain.to_vec());
            (wire, opened.ok())
        }
    };
    let [_, _, counter @ ..] = counter.to_be_bytes();
    let fields: [&[u8]; 12] = [
        way,
        &network,
        id.bytes(),
        &[purpose.number()],
        &epoch.to_be_bytes(),
        &[direction.bit()],
        &[suite.number()],
        &[class.number()],
        &counter,
        &[u8::from(form == Form::Short)],
        &ext,
        &text,
    ];
    case(b'E', &fields, ours)
}

/// The messages of a handshake, and the session's keys.
fn handshake(rng: &mut Rng) -> Case {
    let secret = array(rng);
    let id = device(rng);
    let epoch = u16::from_be_bytes(array(rng)).max(1);
    let (host_random, device_random) = (array(rng), array(rng));
    let suites: Vec<Suite> = (0..=rng.below(4))
        .map(|_| *rng.pick(Suite::ALL).unwrap())
        .collect();

    let key = security::key::DeviceKey::new(Secret::new(secret), id, Purpose::Auth, epoch);
    let handle = key.soft();
    let sent = ake::start(&handle, &suites, host_random).unwrap();
    let mut port = Responder::new(Suite::ALL);
    let m2 = port
        .answer(&mut Soft, &handle, sent.m1(), device_random, 0)
        .unwrap();
    let (m3, session) = sent.receive(&mut Soft, &handle, &m2, 0).unwrap();
    port.finish(&mut Soft, &handle, &m3, 0).unwrap();

    let suite = session.suite();
    let mut ours = [sent.m1(), &m2, &m3].concat();
    for direction in [Direction::ToDevice, Direction::FromDevice] {
        let link = key.session_link(suite, direction, &host_random, &device_random);
        ours.extend(link.key());
        ours.extend(link.iv().expose());
    }
    let offered: Vec<u8> = suites.iter().map(|suite| suite.number()).collect();
    let fields: [&[u8]; 7] = [
        &secret,
        &epoch.to_be_bytes(),
        &id.address(),
        &offered,
        &[suite.number()],
        &host_random,
        &device_random,
    ];
    case(b'H', &fields, Some(ours))
}

fn random_case(rng: &mut Rng) -> Case {
    match rng.below(8) {
        0 => block_mode(rng, Mode::Ccm),
        1 => block_mode(rng, Mode::Gcm),
        2 => stream_mode(rng),
        3 => key_wrap(rng),
        4 => mac(rng),
        5 => derivation(rng),
        6 => handshake(rng),
        _ => envelope(rng),
    }
}

/// The other side.
struct Peer(Child);

impl Peer {
    fn start(python: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openssl.py");
        let child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    fn answers(&mut self, cases: &[Case]) -> Vec<Outcome> {
        let mut batch = Vec::new();
        for case in cases {
            batch.extend([case.kind, u8::try_from(case.fields.len()).unwrap()]);
            for field in &case.fields {
                batch.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
                batch.extend(field);
            }
        }
        let input = self.0.stdin.as_mut().unwrap();
        let length = u32::try_from(batch.len()).unwrap();
        input.write_all(&length.to_be_bytes()).unwrap();
        input.write_all(&batch).unwrap();
        input.flush().unwrap();

        let mut length = [0; 4];
        let output = self.0.stdout.as_mut().unwrap();
        output.read_exact(&mut length).unwrap();
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        output.read_exact(&mut bytes).unwrap();
        let mut rest = &bytes[..];
        let mut answers = Vec::new();
        while let [done, a, b, behind @ ..] = rest {
            let (content, behind) = behind.split_at(u16::from_be_bytes([*a, *b]).into());
            answers.push((*done == 1).then(|| content.to_vec()));
            rest = behind;
        }
        answers
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Runs a share of the cases and returns how many were refused by both sides.
fn share(python: &Path, seed: u64, cases: u64) -> u64 {
    let mut peer = Peer::start(python);
    let mut rng = Rng::new(seed);
    let (mut left, mut refused) = (cases, 0);
    while left > 0 {
        let batch: Vec<Case> = (0..left.min(BATCH))
            .map(|_| random_case(&mut rng))
            .collect();
        let answers = peer.answers(&batch);
        assert_eq!(answers.len(), batch.len());
        for (case, theirs) in batch.iter().zip(&answers) {
            let (kind, fields) = (char::from(case.kind), &case.fields);
            assert_eq!(
                &case.ours, theirs,
                "kind {kind}, seed {seed}: {fields:02X?}"
            );
            refused += u64::from(theirs.is_none());
        }
        left -= batch.len() as u64;
    }
    refused
}

#[test]
fn ours_and_openssl_agree() {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = match testkit::python::with_package(made, "cryptography", "50.0.2") {
        Ok(python) => python,
        Err(reason) => return testkit::skip(&reason),
    };
    let cases = std::env::var("METERKIT_CASES").map_or(CASES, |text| text.parse().unwrap());
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let refused: u64 = std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|at| {
                let cases = cases / workers + u64::from(at < cases % workers);
                let python = &python;
                scope.spawn(move || share(python, at, cases))
            })
            .collect();
        running.into_iter().map(|share| share.join().unwrap()).sum()
    });
    println!("{cases} cases, {refused} of them refused by both sides");
    // About one case in six is an opening of something damaged: both verdicts were compared.
    assert!(refused > cases / 10 && refused < cases / 4);
}
