//! The key service: the root key of this installation and everything derived from it.

use anyhow::{Context, bail};
use security::cipher::LinkCipher;
use security::counter::SendCounter;
use security::engine::Soft;
use security::envelope::{self, Class, Direction, Fields, Header, MAX_OVERHEAD};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};
use security::suite::Suite;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::store::Store;

/// Name of this installation's network in the key tree.
const NETWORK: [u8; 8] = *b"meterkit";

/// Epoch of all keys handed out. Epoch 0 is the factory's.
pub const EPOCH: u16 = 1;

/// Derives keys, seals and opens. The root key is read once and never leaves.
pub struct KeyService {
    tree: KeyTree,
    root: Secret<16>,
    store: Arc<dyn Store>,
    counters: Mutex<HashMap<(DeviceKeyId, Purpose), SendCounter>>,
}

impl KeyService {
    /// Reads the root key file, or draws a key and writes the file, readable by its owner alone, at the first start.
    pub fn open(path: &Path, store: Arc<dyn Store>) -> anyhow::Result<Self> {
        let root = match std::fs::read(path) {
            Ok(bytes) => {
                let bytes: [u8; 16] = bytes.try_into().map_err(|_| {
                    anyhow::anyhow!("{} does not hold a key of 16 bytes", path.display())
                })?;
                Secret::new(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_root(path)?,
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let tree = KeyTree::from_root(&root, NETWORK, EPOCH);
        Ok(Self {
            tree,
            root,
            store,
            counters: Mutex::default(),
        })
    }

    /// The key of one device for one purpose.
    pub fn device_key(&self, id: DeviceKeyId, purpose: Purpose) -> DeviceKey {
        self.tree.device_key(id, purpose, EPOCH)
    }

    /// The password with which a device logs in at the broker, 128 bits derived from the root key under a network
    /// name of its own. Derived and not drawn, so that provisioning twice gives the same answer.
    pub fn mqtt_password(&self, id: DeviceKeyId) -> String {
        let tree = KeyTree::from_root(&self.root, *b"mqttpass", EPOCH);
        hex::encode(tree.device_key(id, Purpose::Auth, EPOCH).secret().expose())
    }

    /// Seals a message for a device. The counter's limit is on disk before a number of it is used.
    pub fn seal(
        &self,
        id: DeviceKeyId,
        purpose: Purpose,
        class: Class,
        ext: &[u8],
        plain: &[u8],
    ) -> anyhow::Result<Vec<u8>> {
        let number = {
            let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("{}-{}", hex::encode(id.bytes()), purpose.name());
            let counter = match counters.entry((id, purpose)) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(SendCounter::boot(self.store.counter(&name)?, 256))
                }
            };
            if let Some(reservation) = counter.reservation() {
                self.store.raise_counter(&name, reservation.limit())?;
                reservation.confirm();
            }
            counter.take()?
        };
        let link = self
            .device_key(id, purpose)
            .static_link(Suite::Ccm16, Direction::ToDevice);
        let fields = Fields {
            direction: Direction::ToDevice,
            class,
            short: false,
            epoch: EPOCH,
            address: id.address(),
        };
        let mut buffer = vec![0; plain.len() + MAX_OVERHEAD];
        buffer
            .get_mut(envelope::HEADER_LEN..envelope::HEADER_LEN + plain.len())
            .context("no room for the message")?
            .copy_from_slice(plain);
        let mut engine = Soft;
        let key = LinkCipher::load(&mut engine, &link)?;
        let sealed = envelope::seal(
            &mut engine,
            &key,
            &fields,
            number,
            ext,
            &mut buffer,
            plain.len(),
        )?
        .len();
        buffer.truncate(sealed);
        Ok(buffer)
    }

    /// Opens a message of a device and returns the plain text.
    ///
    /// Freshness is not judged here: every record carries a number under its seal, and the store takes each number
    /// once.
    pub fn open_from(
        &self,
        id: DeviceKeyId,
        purpose: Purpose,
        classes: &[Class],
        ext: &[u8],
        sealed: &[u8],
    ) -> anyhow::Result<Vec<u8>> {
        let header = Header::parse(sealed)?;
        if header.direction != Direction::FromDevice
            || header.address != id.address()
            || header.epoch != EPOCH
            || !classes.contains(&header.class)
        {
            bail!("the header of the envelope names another party, class or epoch");
        }
        let link = self
            .device_key(id, purpose)
            .static_link(Suite::Ccm16, Direction::FromDevice);
        let mut engine = Soft;
        let key = LinkCipher::load(&mut engine, &link)?;
        let mut bytes = sealed.to_vec();
        Ok(envelope::open(&mut engine, &key, &header, ext, &mut bytes)?.to_vec())
    }
}

fn make_root(path: &Path) -> anyhow::Result<Secret<16>> {
    let mut bytes = [0; 16];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Written under another name first: a power cut leaves no half key behind.
    let fresh = path.with_extension("new");
    let _ = std::fs::remove_file(&fresh);
    let mut file = options
        .open(&fresh)
        .with_context(|| format!("{} cannot be written", fresh.display()))?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    Ok(Secret::new(bytes))
}

/// Identity of a device in the key tree, `None` for a device that holds no keys. The text is the canonical form of the
/// identity, `d645-` or `gw-` and twelve digits.
pub fn key_id(device: &str) -> Option<DeviceKeyId> {
    let digits = |prefix: &str| -> Option<[u8; 6]> {
        let digits = device.strip_prefix(prefix)?;
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        hex::decode(digits).ok()?.try_into().ok()
    };
    digits("d645-")
        .map(DeviceKeyId::meter)
        .or_else(|| digits("gw-").map(DeviceKeyId::gateway))
}
