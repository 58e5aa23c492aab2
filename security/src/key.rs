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

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::engine::{Block128, SoftAes, SoftKey, sure};
use crate::envelope::Direction;
use crate::kdf;

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
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Secret<N> {}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
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
        let network = derive_secret(root, b"NET1", &[&net_id, &epoch.to_be_bytes(), &[], &[]]);
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
        let context: [&[u8]; 4] = [id.bytes(), &[purpose.number()], &epoch.to_be_bytes(), &[]];
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

    /// The static key of one direction ("ENV1"), where no handshake is possible.
    pub fn static_link(&self, direction: Direction) -> LinkKey {
        let (address, epoch) = (self.id.address(), self.epoch.to_be_bytes());
        LinkKey::derive(
            &self.secret,
            b"ENV1",
            &[&address, &[direction.bit()], &epoch, &[]],
        )
    }

    /// The session key of one direction ("SES1") from the random numbers of both sides.
    pub fn session_link(
        &self,
        host_random: &[u8; 16],
        device_random: &[u8; 16],
        direction: Direction,
    ) -> LinkKey {
        LinkKey::derive(
            &self.secret,
            b"SES1",
            &[host_random, device_random, &[direction.bit()], &[]],
        )
    }
}

/// Key and initial value of one direction of one link: 128 + 96 bits.
#[derive(Debug, PartialEq, Eq)]
pub struct LinkKey {
    key: Secret<16>,
    iv: Secret<12>,
}

impl LinkKey {
    /// A key and initial value that were derived elsewhere.
    pub const fn new(key: Secret<16>, iv: Secret<12>) -> Self {
        Self { key, iv }
    }

    fn derive(secret: &Secret<16>, label: &[u8; 4], context: &[&[u8]; 4]) -> Self {
        let mut out = [0_u8; 28];
        let mut engine = SoftAes;
        let parent = soft_key(secret);
        sure(kdf::derive(&mut engine, &parent, label, context, &mut out));
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        for (to, from) in key.iter_mut().chain(&mut iv).zip(out) {
            *to = from;
        }
        out.zeroize();
        let link = Self {
            key: Secret::new(key),
            iv: Secret::new(iv),
        };
        key.zeroize();
        iv.zeroize();
        link
    }

    /// The cipher key.
    pub const fn key(&self) -> &Secret<16> {
        &self.key
    }

    /// The initial value that each message's counter is mixed into.
    pub const fn iv(&self) -> &Secret<12> {
        &self.iv
    }
}

fn soft_key(secret: &Secret<16>) -> SoftKey {
    sure(SoftAes.load(secret))
}

fn derive_secret(parent: &Secret<16>, label: &[u8; 4], context: &[&[u8]; 4]) -> Secret<16> {
    let mut out = [0; 16];
    sure(kdf::derive(
        &mut SoftAes,
        &soft_key(parent),
        label,
        context,
        &mut out,
    ));
    let secret = Secret::new(out);
    out.zeroize();
    secret
}
