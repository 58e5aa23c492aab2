//! Keys: the tree they are derived in, and the types that hold them.
//!
//! ```text
//! K_root  one per utility, in the key service
//!   K_net    = KDF(K_root, "NET1", net_id[8] || epoch[2])                      KeyTree
//!     K_dev,p  = KDF(K_net,  "DEV1", dev_id[8] || purpose[1] || epoch[2])      DeviceKey
//!       static   K||IV = KDF(K_dev,p, "ENV1", dev_id6 || dir[1] || epoch[2])   LinkKey
//!       session  K||IV = KDF(K_dev,p, "SES1", R_host[16] || R_dev[16] || dir[1])
//! ```
//! A key taken out of one device opens no other, and a key for one purpose serves no other.

use core::fmt;

use zeroize::Zeroize;

use crate::ct;
use crate::engine::{Block128, BlockCipher, Soft, SoftKey, copy, sure};
use crate::envelope::Direction;
use crate::kdf;
use crate::suite::Suite;

/// Secret bytes: wiped on drop, compared in constant time, shown as `***`, never copied by accident.
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// Takes over secret bytes. The caller wipes the place they came from.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes, for provisioning and for engines only.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// The bytes, for what fills them in place.
    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }

    /// A second holder of the same secret; by name, so that no copy is made unseen.
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<const N: usize> PartialEq for Secret<N> {
    fn eq(&self, other: &Self) -> bool {
        ct::same(&self.0, &other.0)
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Wipes secret bytes. One routine for all places and lengths: each would bring its own loop.
#[inline(never)]
pub(crate) fn wipe(bytes: &mut [u8]) {
    let (fours, rest) = bytes.as_chunks_mut::<4>();
    for [a, b, c, d] in fours {
        // Four at a time: the loop itself costs as much as the writing.
        a.zeroize();
        b.zeroize();
        c.zeroize();
        d.zeroize();
    }
    rest.zeroize();
}

/// What a device key is for: one key, one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Purpose {
    /// Handshakes.
    Auth = 1,
    /// Orders and acknowledgements of a gateway.
    Ctrl = 2,
    /// Parameters.
    Param = 3,
    /// Wraps other keys.
    Master = 4,
    /// Purse movements: orders that the management core checks.
    Purse = 5,
    /// Legal readings, sealed by the metering core.
    Data = 6,
    /// Firmware.
    Fw = 7,
    /// The link between the two cores.
    Spi = 8,
    /// Attestation and logs.
    Audit = 9,
    /// The own uplink of a gateway or management core.
    Mdata = 10,
    /// Relay orders that the metering core itself checks.
    Lctrl = 11,
}

impl Purpose {
    /// Every purpose, in the order of the numbers.
    pub const ALL: [Self; 11] = [
        Self::Auth,
        Self::Ctrl,
        Self::Param,
        Self::Master,
        Self::Purse,
        Self::Data,
        Self::Fw,
        Self::Spi,
        Self::Audit,
        Self::Mdata,
        Self::Lctrl,
    ];

    /// The number in derivations and on the wire, 1 to 11.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The purpose of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.number() == number)
    }

    /// The short name of the key table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Ctrl => "ctrl",
            Self::Param => "param",
            Self::Master => "master",
            Self::Purse => "purse",
            Self::Data => "data",
            Self::Fw => "fw",
            Self::Spi => "spi",
            Self::Audit => "audit",
            Self::Mdata => "mdata",
            Self::Lctrl => "lctrl",
        }
    }
}

/// The 8-byte device identity of the key tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceKeyId([u8; 8]);

impl DeviceKeyId {
    /// A meter: `00 00` and its 6-byte address, most significant byte first. These are the bytes of
    /// the DL/T 645 dispersion factor.
    pub const fn meter(address: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = address;
        Self([0, 0, a, b, c, d, e, f])
    }

    /// A gateway: `47 57` ("GW") and its 6-byte serial number, most significant byte first.
    pub const fn gateway(serial: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = serial;
        Self([b'G', b'W', a, b, c, d, e, f])
    }

    /// The identity of stored bytes.
    pub(crate) const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// All eight bytes.
    pub const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }

    /// The six bytes that the envelope header carries.
    pub const fn address(&self) -> [u8; 6] {
        let [_, _, a, b, c, d, e, f] = self.0;
        [a, b, c, d, e, f]
    }
}

/// The network key, and with it the power to derive the key of every device: the key service's.
///
/// ```
/// use security::key::{DeviceKeyId, KeyTree, Purpose, Secret};
///
/// let root = Secret::new([7; 16]); // from the operator's vault
/// let tree = KeyTree::from_root(&root, *b"network1", 1);
/// let meter = DeviceKeyId::meter([0x20, 0x26, 0x11, 0, 0, 1]);
/// let key = tree.device_key(meter, Purpose::Data, 1);
/// assert_eq!(key.purpose(), Purpose::Data);
/// ```
#[derive(Debug)]
pub struct KeyTree {
    network: Secret<16>,
}

impl KeyTree {
    /// Derives the key of a network from the utility's root key. Epoch 0 is the factory's.
    pub fn from_root(root: &Secret<16>, net_id: [u8; 8], epoch: u16) -> Self {
        let network = derive_secret(root, b"NET1", &[&net_id, &epoch.to_be_bytes(), &[]]);
        Self { network }
    }

    /// Works from a network key that another service derived.
    pub const fn from_network(network: Secret<16>) -> Self {
        Self { network }
    }

    /// The network key itself, to hand it to another key service.
    pub const fn network_secret(&self) -> &Secret<16> {
        &self.network
    }

    /// Derives the key of one device for one purpose.
    pub fn device_key(&self, id: DeviceKeyId, purpose: Purpose, epoch: u16) -> DeviceKey {
        let context: [&[u8]; 3] = [id.bytes(), &[purpose.number()], &epoch.to_be_bytes()];
        let secret = derive_secret(&self.network, b"DEV1", &context);
        DeviceKey {
            secret,
            id,
            purpose,
            epoch,
        }
    }
}

/// The key of one device for one purpose: what a meter or gateway holds.
#[derive(Debug)]
pub struct DeviceKey {
    secret: Secret<16>,
    id: DeviceKeyId,
    purpose: Purpose,
    epoch: u16,
}

impl DeviceKey {
    /// A key as it was provisioned.
    pub const fn new(secret: Secret<16>, id: DeviceKeyId, purpose: Purpose, epoch: u16) -> Self {
        Self {
            secret,
            id,
            purpose,
            epoch,
        }
    }

    /// Whose key this is.
    pub const fn id(&self) -> DeviceKeyId {
        self.id
    }

    /// What it is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Its epoch; 0 is the factory's test key.
    pub const fn epoch(&self) -> u16 {
        self.epoch
    }

    /// The secret, for provisioning.
    pub const fn secret(&self) -> &Secret<16> {
        &self.secret
    }

    /// Makes the key ready for an engine.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn load<E: Block128>(&self, engine: &mut E) -> Result<KeyHandle<E::Key>, E::Error> {
        Ok(KeyHandle {
            key: engine.load(BlockCipher::Aes128, &self.secret)?,
            id: self.id,
            purpose: self.purpose,
            epoch: self.epoch,
        })
    }

    /// As [`DeviceKey::load`], for the ciphers in software.
    pub fn soft(&self) -> KeyHandle {
        sure(self.load(&mut Soft))
    }

    /// The static key of one direction for a suite ("ENV1"), where no handshake is possible.
    pub fn static_link(&self, suite: Suite, direction: Direction) -> LinkKey {
        sure(self.soft().static_link(&mut Soft, suite, direction))
    }

    /// The session key of one direction for a suite ("SES1") from the random numbers of both sides.
    pub fn session_link(
        &self,
        suite: Suite,
        direction: Direction,
        host_random: &[u8; 16],
        device_random: &[u8; 16],
    ) -> LinkKey {
        let handle = self.soft();
        sure(handle.session_link(&mut Soft, suite, direction, host_random, device_random))
    }
}

/// A device key as an engine holds it: a schedule in software, or the number of a slot in a chip that
/// the key never leaves. What is derived from it for links passes through RAM.
pub struct KeyHandle<K = SoftKey> {
    key: K,
    id: DeviceKeyId,
    purpose: Purpose,
    epoch: u16,
}

impl<K> fmt::Debug for KeyHandle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHandle")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl<K> KeyHandle<K> {
    /// A key that lies in the engine already.
    pub const fn new(key: K, id: DeviceKeyId, purpose: Purpose, epoch: u16) -> Self {
        Self {
            key,
            id,
            purpose,
            epoch,
        }
    }

    /// What the engine calls the key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// Whose key this is.
    pub const fn id(&self) -> DeviceKeyId {
        self.id
    }

    /// What it is for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Its epoch; 0 is the factory's test key.
    pub const fn epoch(&self) -> u16 {
        self.epoch
    }

    /// As [`DeviceKey::static_link`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn static_link<E: Block128<Key = K>>(
        &self,
        engine: &mut E,
        suite: Suite,
        direction: Direction,
    ) -> Result<LinkKey, E::Error> {
        let (address, epoch) = (self.id.address(), self.epoch.to_be_bytes());
        let context: [&[u8]; 3] = [&address, &[direction.bit()], &epoch];
        LinkKey::derive(engine, &self.key, suite, b"ENV1", &context)
    }

    /// As [`DeviceKey::session_link`].
    ///
    /// # Errors
    /// Those of the engine.
    pub fn session_link<E: Block128<Key = K>>(
        &self,
        engine: &mut E,
        suite: Suite,
        direction: Direction,
        host_random: &[u8; 16],
        device_random: &[u8; 16],
    ) -> Result<LinkKey, E::Error> {
        let context: [&[u8]; 3] = [host_random, device_random, &[direction.bit()]];
        LinkKey::derive(engine, &self.key, suite, b"SES1", &context)
    }
}

/// Key and initial value of one direction of one link for one suite: 128 or 256, and 96 bits.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkKey {
    suite: Suite,
    /// The first [`Suite::key_len`] bytes count.
    key: Secret<32>,
    iv: Secret<12>,
}

impl LinkKey {
    fn derive<E: Block128>(
        engine: &mut E,
        parent: &E::Key,
        suite: Suite,
        label: &[u8; 4],
        context: &[&[u8]; 3],
    ) -> Result<Self, E::Error> {
        let mut out = Secret::new([0_u8; 44]);
        let len = suite.key_len();
        let wanted = out.0.get_mut(..len.saturating_add(12)).unwrap_or_default();
        kdf::derive(engine, parent, label, context, wanted)?;
        let (mut key, mut iv) = (Secret::new([0; 32]), Secret::new([0; 12]));
        let (key_bytes, iv_bytes) = wanted.split_at(len.min(wanted.len()));
        copy(&mut key.0, key_bytes);
        copy(&mut iv.0, iv_bytes);
        Ok(Self { suite, key, iv })
    }

    /// What the key is for.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The bytes of the cipher key, 16 or 32.
    pub fn key(&self) -> &[u8] {
        self.key.0.get(..self.suite.key_len()).unwrap_or_default()
    }

    /// The key of a suite with 128 bits.
    pub(crate) fn short_key(&self) -> Secret<16> {
        let mut short = Secret::new([0; 16]);
        copy(&mut short.0, &self.key.0);
        short
    }

    /// The key of a suite with 256 bits.
    #[cfg(feature = "chacha")]
    pub(crate) const fn long_key(&self) -> &Secret<32> {
        &self.key
    }

    /// The initial value that each message's counter is mixed into.
    pub const fn iv(&self) -> &Secret<12> {
        &self.iv
    }
}

fn derive_secret(parent: &Secret<16>, label: &[u8; 4], context: &[&[u8]; 3]) -> Secret<16> {
    let mut out = Secret::new([0; 16]);
    let parent = sure(Soft.load(BlockCipher::Aes128, parent));
    sure(kdf::derive(&mut Soft, &parent, label, context, &mut out.0));
    out
}
