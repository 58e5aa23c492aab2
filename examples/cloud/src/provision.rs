//! Registers a device and hands out its keys.

use anyhow::{Context, ensure};
use security::key::Purpose;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::auth;
use crate::keys::{EPOCH, KeyService, key_id};
use crate::store::{Device, DeviceKind, SqliteStore, Store};

/// A device to register.
#[derive(Debug, Clone)]
pub struct Provision {
    /// Canonical text form of the identity: `d645-…`, `c188-…`, `gw-…`.
    pub device: String,
    /// Name for people.
    pub name: String,
    /// Gateway that carries it and its number there, if known; the gateway's registrations correct both.
    pub gateway: Option<(String, u16)>,
    /// Customer number of a prepaid contract, 12 digits; `None` for a meter paid by bill.
    pub customer: Option<String>,
    /// Overload limit in watts.
    pub power_limit_w: Option<i64>,
    /// Over-voltage limit in millivolts.
    pub voltage_limit_mv: Option<i64>,
}

impl Provision {
    /// A device with nothing but its identity: named after it, paid by bill, over-voltage at 264 V (230 V + 15 %).
    pub fn new(device: impl Into<String>) -> Self {
        let device = device.into();
        Self {
            name: device.clone(),
            device,
            gateway: None,
            customer: None,
            power_limit_w: None,
            voltage_limit_mv: Some(264_000),
        }
    }
}

/// What a device is given, as it stands in the key file: JSON with hexadecimal keys by the names of their purposes.
///
/// Provisioning the same device again gives the same answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioned {
    /// Canonical text form of the identity.
    pub device: String,
    /// Epoch of the keys.
    pub epoch: u16,
    /// Purpose (`data`, `mdata`, `lctrl`, `purse`, `ctrl`, …) to key, 32 hexadecimal digits. Empty for a device that
    /// seals nothing itself.
    pub keys: BTreeMap<String, String>,
    /// Customer number of a prepaid contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Password at the broker; the user name is the identity. Gateways only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mqtt_password: Option<String>,
}

impl core::fmt::Debug for Provisioned {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Provisioned")
            .field("device", &self.device)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl Provisioned {
    /// One key as bytes.
    pub fn key(&self, purpose: Purpose) -> Option<[u8; 16]> {
        hex::decode(self.keys.get(purpose.name())?)
            .ok()?
            .try_into()
            .ok()
    }
}

/// Registers a device in the databases of `data_dir` (made if missing) and returns its keys. The platform may run or
/// not; a running one sees the device within a second.
pub fn provision(data_dir: &Path, wanted: &Provision) -> anyhow::Result<Provisioned> {
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("{} cannot be made", data_dir.display()))?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data_dir.join(crate::BUSINESS_FILE))?);
    let keys = KeyService::open(&data_dir.join(crate::ROOT_KEY_FILE), Arc::clone(&store))?;
    register(store.as_ref(), &keys, wanted)
}

/// Tells what kind of device an identity names.
pub fn kind_of(device: &str) -> Option<DeviceKind> {
    match device.split_once('-')?.0 {
        "d645" => Some(DeviceKind::Electricity),
        "c188" => Some(DeviceKind::Water),
        "gw" => Some(DeviceKind::Gateway),
        _ => None,
    }
}

pub(crate) fn register(
    store: &dyn Store,
    keys: &KeyService,
    wanted: &Provision,
) -> anyhow::Result<Provisioned> {
    let kind = kind_of(&wanted.device).with_context(|| {
        format!(
            "{} is not an identity that starts with d645-, c188- or gw-",
            wanted.device
        )
    })?;
    if let Some(customer) = &wanted.customer {
        ensure!(
            customer.len() == 12 && customer.bytes().all(|digit| digit.is_ascii_digit()),
            "the customer number {customer:?} is not 12 digits"
        );
    }
    let id = key_id(&wanted.device);
    let purposes: &[Purpose] = match kind {
        DeviceKind::Electricity => &Purpose::ALL,
        DeviceKind::Gateway => &[
            Purpose::Auth,
            Purpose::Ctrl,
            Purpose::Param,
            Purpose::Master,
            Purpose::Fw,
            Purpose::Mdata,
        ],
        DeviceKind::Water => &[],
    };
    let mut secrets = BTreeMap::new();
    for purpose in purposes {
        let id =
            id.with_context(|| format!("{} does not end with twelve digits", wanted.device))?;
        secrets.insert(
            purpose.name().to_owned(),
            hex::encode(keys.device_key(id, *purpose).secret().expose()),
        );
    }
    let mqtt_password = match (kind, id) {
        (DeviceKind::Gateway, Some(id)) => Some(keys.mqtt_password(id)),
        _ => None,
    };
    if let Some(password) = &mqtt_password {
        store.put_mqtt_password(&wanted.device, &auth::hash_drawn(password))?;
    }
    store.put_device(&Device {
        id: wanted.device.clone(),
        tenant: crate::TENANT.into(),
        kind,
        name: wanted.name.clone(),
        gateway: wanted.gateway.as_ref().map(|(gateway, _)| gateway.clone()),
        node: wanted.gateway.as_ref().map(|(_, node)| *node),
        customer: wanted.customer.clone(),
        power_limit_w: wanted.power_limit_w,
        voltage_limit_mv: wanted.voltage_limit_mv,
    })?;
    Ok(Provisioned {
        device: wanted.device.clone(),
        epoch: EPOCH,
        keys: secrets,
        customer: wanted.customer.clone(),
        mqtt_password,
    })
}
