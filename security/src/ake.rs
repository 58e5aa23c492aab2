//! AKE1: the handshake of meters. Three messages with symmetric keys alone, both sides proved.
//!
//! ```text
//! host -> device  m1 = 11 || epoch[2] || address[6] || n || suites[n] || R_h[16]
//! device -> host  m2 = 12 || suite || R_d[16] || CMAC(k, "D" || m1 || m2 without proof)
//! host -> device  m3 = 13 || CMAC(k, "H" || m1 || m2)
//!                 k  = KDF(K_dev,auth, "AKE1", R_h || R_d || address)
//! ```
//! The transcript covers the offer, so nobody can ask for a weaker suite; the proofs differ, so none
//! can be reflected. A device writes nothing to flash for m1 and executes nothing before m3: only
//! [`Responder::finish`] makes its [`Session`]. There is no forward secrecy: whoever learns the
//! device key later can open what was recorded.

use core::fmt;

use heapless::Vec;

use crate::cmac;
use crate::ct;
use crate::engine::{Block, Block128, BlockCipher, EngineError, copy, fill};
use crate::kdf;
use crate::key::{KeyHandle, Purpose, Secret, wipe};
use crate::session::Session;
use crate::suite::Suite;

/// Most suites in one offer.
pub const MAX_SUITES: usize = 8;
/// Longest first message.
pub const M1_MAX: usize = 26 + MAX_SUITES;
/// Length of the second message.
pub const M2_LEN: usize = 34;
/// Length of the third message.
pub const M3_LEN: usize = 17;

/// First messages that a device answers in a minute.
pub const ANSWERS_PER_MINUTE: usize = 3;
/// Seconds that a device waits for the third message before it answers another first one.
pub const PENDING_SECONDS: u64 = 10;

type M1 = Vec<u8, M1_MAX>;

/// The host's side between its first message and the device's answer.
#[derive(Debug)]
#[must_use = "the answer of the device finishes the handshake"]
pub struct Sent {
    m1: M1,
    host_random: [u8; 16],
}

/// Starts a handshake: the first message stands in [`Sent::m1`].
///
/// `suites` are offered in the order of preference; `host_random` is fresh from a random source that
/// passed its tests.
///
/// # Errors
/// [`AkeError::Offer`] for no suite or more than [`MAX_SUITES`], [`AkeError::Key`] for a key of
/// another purpose.
pub fn start<K>(
    key: &KeyHandle<K>,
    suites: &[Suite],
    host_random: [u8; 16],
) -> Result<Sent, AkeError> {
    if key.purpose() != Purpose::Auth {
        return Err(AkeError::Key);
    }
    let count = u8::try_from(suites.len()).map_err(|_| AkeError::Offer)?;
    if suites.is_empty() || suites.len() > MAX_SUITES {
        return Err(AkeError::Offer);
    }
    let mut m1 = M1::new();
    let [e0, e1] = key.epoch().to_be_bytes();
    let numbers = suites.iter().map(|suite| suite.number());
    let bytes = [0x11, e0, e1]
        .into_iter()
        .chain(key.id().address())
        .chain([count])
        .chain(numbers)
        .chain(host_random);
    for byte in bytes {
        m1.push(byte).map_err(|_| AkeError::Offer)?;
    }
    Ok(Sent { m1, host_random })
}

impl Sent {
    /// The first message, to be sent. It may be sent again as it is.
    pub fn m1(&self) -> &[u8] {
        &self.m1
    }

    /// Checks the answer of the device; then the third message is to be sent and the session holds.
    /// A wrong answer may be one of somebody else: the right one can still come.
    ///
    /// # Errors
    /// [`AkeError::Refused`] whatever is wrong with it, a suite that was not offered included;
    /// [`AkeError::Engine`].
    pub fn receive<E: Block128>(
        &self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        m2: &[u8],
        now_s: u64,
    ) -> Result<([u8; M3_LEN], Session), AkeError> {
        let m2: &[u8; M2_LEN] = m2.try_into().map_err(|_| AkeError::Refused)?;
        let [kind, number, rest @ ..] = m2;
        let (device_random, proof) = rest.split_first_chunk::<16>().ok_or(AkeError::Refused)?;
        let offered = offer(&self.m1).is_some_and(|offer| offer.suites.contains(number));
        let suite = Suite::from_number(*number).filter(|_| *kind == 0x12 && offered);
        let suite = suite.ok_or(AkeError::Refused)?;

        let k = proof_key(engine, key, &self.host_random, device_random)?;
        let right = device_proof(engine, &k, &self.m1, m2)?;
        if !ct::same(&right, proof) {
            return Err(AkeError::Refused);
        }
        let mut m3 = [0; M3_LEN];
        fill(&mut m3, &[&[0x13], &host_proof(engine, &k, &self.m1, m2)?]);
        let session = Session::new(suite, self.host_random, *device_random, now_s);
        Ok((m3, session))
    }
}

/// The device's side on one port: at most one handshake in flight, and a few a minute.
#[derive(Debug)]
pub struct Responder {
    suites: &'static [Suite],
    factory_keys: bool,
    pending: Option<Pending>,
    /// When the last first messages were answered, newest first.
    answered: [Option<u64>; ANSWERS_PER_MINUTE],
}

#[derive(Debug)]
struct Pending {
    m1: M1,
    m2: [u8; M2_LEN],
    suite: Suite,
    since: u64,
}

impl Responder {
    /// A port that accepts these suites. It refuses keys of epoch 0, the factory's.
    pub const fn new(suites: &'static [Suite]) -> Self {
        Self {
            suites,
            factory_keys: false,
            pending: None,
            answered: [None; ANSWERS_PER_MINUTE],
        }
    }

    /// Accepts keys of epoch 0 too: only for a device that is not sealed yet.
    #[must_use]
    pub const fn with_factory_keys(mut self) -> Self {
        self.factory_keys = true;
        self
    }

    /// Answers a first message. `device_random` is fresh from a random source that passed its tests.
    ///
    /// # Errors
    /// [`AkeError::Refused`] whatever is wrong with the message; [`AkeError::Busy`] while another
    /// handshake is in flight; [`AkeError::TooOften`]; [`AkeError::Key`] for a key of another purpose
    /// or the factory's; [`AkeError::Engine`].
    pub fn answer<E: Block128>(
        &mut self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        m1: &[u8],
        device_random: [u8; 16],
        now_s: u64,
    ) -> Result<[u8; M2_LEN], AkeError> {
        if key.purpose() != Purpose::Auth || (key.epoch() == 0 && !self.factory_keys) {
            return Err(AkeError::Key);
        }
        let offer = offer(m1).ok_or(AkeError::Refused)?;
        // The host's order is the order of preference.
        let suite = offer
            .suites
            .iter()
            .filter_map(|number| Suite::from_number(*number))
            .find(|suite| self.suites.contains(suite));
        let suite = suite
            .filter(|_| offer.epoch == key.epoch() && offer.address == key.id().address())
            .ok_or(AkeError::Refused)?;
        self.admit(now_s)?;

        let mut m2 = [0; M2_LEN];
        let [kind, number, rest @ ..] = &mut m2;
        (*kind, *number) = (0x12, suite.number());
        copy(rest, &device_random);
        let k = proof_key(engine, key, &offer.host_random, &device_random)?;
        let proof = device_proof(engine, &k, m1, &m2)?;
        copy(m2.get_mut(M2_LEN - 16..).unwrap_or_default(), &proof);
        let m1 = M1::from_slice(m1).map_err(|_| AkeError::Refused)?;
        self.pending = Some(Pending {
            m1,
            m2,
            suite,
            since: now_s,
        });
        Ok(m2)
    }

    /// Checks the third message and opens the session. There is one try: a wrong proof ends the
    /// handshake.
    ///
    /// # Errors
    /// [`AkeError::Refused`] whatever is wrong with the message, or when none is awaited;
    /// [`AkeError::Engine`].
    pub fn finish<E: Block128>(
        &mut self,
        engine: &mut E,
        key: &KeyHandle<E::Key>,
        m3: &[u8],
        now_s: u64,
    ) -> Result<Session, AkeError> {
        let pending = self.pending.take().ok_or(AkeError::Refused)?;
        let young = now_s.saturating_sub(pending.since) < PENDING_SECONDS;
        let proof = match m3.split_first() {
            Some((0x13, proof)) if young => proof,
            _ => return Err(AkeError::Refused),
        };
        let Pending { m1, m2, suite, .. } = pending;
        let host_random = offer(&m1).ok_or(AkeError::Refused)?.host_random;
        let [_, _, rest @ ..] = &m2;
        let device_random = rest.first_chunk::<16>().ok_or(AkeError::Refused)?;
        let k = proof_key(engine, key, &host_random, device_random)?;
        let right = host_proof(engine, &k, &m1, &m2)?;
        if !ct::same(&right, proof) {
            return Err(AkeError::Refused);
        }
        Ok(Session::new(suite, host_random, *device_random, now_s))
    }

    /// One handshake in flight, and a few answers a minute.
    fn admit(&mut self, now_s: u64) -> Result<(), AkeError> {
        if let Some(pending) = &self.pending
            && now_s.saturating_sub(pending.since) < PENDING_SECONDS
        {
            return Err(AkeError::Busy);
        }
        self.pending = None;
        let [newest, second, oldest] = self.answered;
        if oldest.is_some_and(|oldest| now_s.saturating_sub(oldest) < 60) {
            return Err(AkeError::TooOften);
        }
        self.answered = [Some(now_s), newest, second];
        Ok(())
    }
}

/// What a first message says.
struct Offer<'m> {
    epoch: u16,
    address: [u8; 6],
    /// Numbers of suites, those of later releases among them.
    suites: &'m [u8],
    host_random: [u8; 16],
}

fn offer(m1: &[u8]) -> Option<Offer<'_>> {
    let (head, rest) = m1.split_first_chunk::<10>()?;
    let [0x11, e0, e1, a0, a1, a2, a3, a4, a5, count] = *head else {
        return None;
    };
    let count = usize::from(count);
    if count == 0 || count > MAX_SUITES {
        return None;
    }
    let (suites, random) = rest.split_at_checked(count)?;
    Some(Offer {
        epoch: u16::from_be_bytes([e0, e1]),
        address: [a0, a1, a2, a3, a4, a5],
        suites,
        host_random: random.try_into().ok()?,
    })
}

fn proof_key<E: Block128>(
    engine: &mut E,
    key: &KeyHandle<E::Key>,
    host_random: &[u8; 16],
    device_random: &[u8; 16],
) -> Result<E::Key, AkeError> {
    let mut k = [0; 16];
    let address = key.id().address();
    let context: [&[u8]; 3] = [host_random, device_random, &address];
    let derived = kdf::derive(engine, key.key(), b"AKE1", &context, &mut k);
    let secret = Secret::new(k);
    wipe(&mut k);
    derived.map_err(|error| AkeError::Engine(error.into()))?;
    engine
        .load(BlockCipher::Aes128, &secret)
        .map_err(|error| AkeError::Engine(error.into()))
}

fn device_proof<E: Block128>(
    engine: &mut E,
    k: &E::Key,
    m1: &[u8],
    m2: &[u8; M2_LEN],
) -> Result<Block, AkeError> {
    let unproved = m2.get(..M2_LEN - 16).unwrap_or_default();
    cmac::mac(engine, k, &[b"D", m1, unproved]).map_err(|error| AkeError::Engine(error.into()))
}

fn host_proof<E: Block128>(
    engine: &mut E,
    k: &E::Key,
    m1: &[u8],
    m2: &[u8; M2_LEN],
) -> Result<Block, AkeError> {
    cmac::mac(engine, k, &[b"H", m1, m2]).map_err(|error| AkeError::Engine(error.into()))
}

/// Why a handshake did not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AkeError {
    /// Not a message of a party that holds the key. One answer for every reason.
    Refused,
    /// Another handshake is in flight on this port.
    Busy,
    /// This port answered enough first messages in this minute.
    TooOften,
    /// One to [`MAX_SUITES`] suites are offered.
    Offer,
    /// The key has another purpose, or is the factory's in a sealed device.
    Key,
    /// The cipher engine failed.
    Engine(EngineError),
}

impl fmt::Display for AkeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("this is not a handshake of a party that holds the key"),
            Self::Busy => f.write_str("another handshake is in flight on this port"),
            Self::TooOften => f.write_str("too many handshakes on this port in this minute"),
            Self::Offer => write!(f, "one to {MAX_SUITES} suites are offered"),
            Self::Key => f.write_str("the key is not one for handshakes, or is the factory's"),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AkeError {}
