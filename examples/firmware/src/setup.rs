//! What the factory puts into this meter. The test on the host uses the same numbers.

use dlt645::Address;
use heapless::Vec;
use meter::account::{AccountConfig, Prepaid};
use meter::book::Capacities;
use meter::settings::Settings;
use meter::wave::{MICROVOLTS_PER_COUNT, NANOAMPERES_PER_COUNT};
use meter::{management, metering};
use metrology::event::Limits;
use metrology::{Calibration, Parameters};
use security::fw::{Admission, Core, PublicKey};
use security::key::{DeviceKey, DeviceKeyId, Purpose, Secret};
use tariff::calendar::{Slot, Zone};
use tariff::profile::Small;
use tariff::purse::Limits as PurseLimits;
use tariff::tier::Tier;
use tariff::{Money, Price};

/// Samples a second of each channel.
pub const SAMPLE_RATE_HZ: u32 = 8_000;
/// The calendar chip at the start: 2026-11-21T04:30:00Z, milliseconds since 1970.
pub const START_MS: u64 = 1_795_235_400_000;
/// Time between two legal blocks, milliseconds.
pub const LEGAL_INTERVAL_MS: u64 = 1_000;
/// Minutes from UTC to the calendar of the meter.
pub const UTC_OFFSET_MIN: i16 = 480;
/// Password of the DL/T 645 line, packed decimal.
pub const PASSWORD: u32 = 0x12_34_56;
/// Flash of the metering core's records, bytes: two pages of 2 KiB for each.
pub const METERING_FLASH: usize = 88 * 1024;
/// Simulated flash of the management core, bytes.
pub const FLASH: usize = 64 * 1024;
/// Address of the meter, digits as they are read.
pub const ADDRESS: [u8; 6] = [0x20, 0x26, 0x11, 0x00, 0x00, 0x01];

/// Number of the customer, six bytes BCD.
pub const CUSTOMER: [u8; 6] = [0x00, 0x00, 0x00, 0x00, 0x12, 0x34];

/// The key for `purpose`. These are the keys of a demonstration, not of a meter in the field.
#[must_use]
pub const fn key(purpose: Purpose) -> DeviceKey {
    DeviceKey::new(
        Secret::new([purpose.number(); 16]),
        DeviceKeyId::meter(ADDRESS),
        purpose,
        1,
    )
}

/// The keys of the metering core.
#[derive(Debug)]
pub struct MeteringKeys([DeviceKey; 3]);

impl MeteringKeys {
    /// Those of the demonstration.
    #[must_use]
    pub const fn new() -> Self {
        Self([key(Purpose::Data), key(Purpose::Lctrl), key(Purpose::Audit)])
    }

    /// As the core takes them.
    #[must_use]
    pub const fn all(&self) -> metering::Keys<'_> {
        let [data, lctrl, audit] = &self.0;
        metering::Keys { data, lctrl, audit }
    }
}

impl Default for MeteringKeys {
    fn default() -> Self {
        Self::new()
    }
}

/// Constants of the metering core; `None` would be a mistake in this file.
#[must_use]
#[inline(never)]
pub fn metering_config<const P: usize>() -> Option<metering::Config<P>> {
    let mut parameters = Parameters::new(SAMPLE_RATE_HZ * 1000, 50_000);
    parameters.voltage_nv = MICROVOLTS_PER_COUNT * 1000;
    parameters.current_na = NANOAMPERES_PER_COUNT;
    Some(metering::Config {
        limits: Limits::dlt614(220_000_000, 5_000_000, 60_000_000),
        calibration: Calibration::try_new(parameters).ok()?,
        legal_interval_ms: LEGAL_INTERVAL_MS,
        utc_offset_min: UTC_OFFSET_MIN,
    })
}

/// Flash of one slot for images, bytes.
pub const SLOT: usize = 384 * 1024;
/// Flash of the boot stage's record, bytes.
pub const BOOT_RECORDS: usize = 8 * 1024;
/// Hardware model, as manifests name it.
pub const HARDWARE: u16 = 0x0386;
/// The legal software of the metering core.
pub const LEGAL_SOFTWARE: [u8; 8] = *b"demo-001";
/// Time in which an image on trial must find itself working, seconds.
pub const TRIAL_S: u32 = 60;

/// Whose images start: the key of a demonstration, whose secret is 32 bytes 1D.
pub const SIGNERS: [PublicKey; 1] = [PublicKey::Ed25519([
    0xE8, 0xDA, 0x63, 0xA4, 0x0C, 0xA6, 0x87, 0xC8, 0x7C, 0xFC, 0xE0, 0x5C, 0xB2, 0x4A, 0x78, 0x6C,
    0x7E, 0x75, 0xCC, 0x49, 0xC7, 0x0D, 0xB5, 0x57, 0x3F, 0x02, 0x6F, 0x1C, 0x6A, 0x86, 0xCE, 0xAA,
])];

/// What the management core's board admits, above a security counter.
#[must_use]
pub const fn admission(security_counter: u32) -> Admission {
    Admission {
        core: Core::Management,
        hardware: HARDWARE,
        security_counter,
        legal_software: LEGAL_SOFTWARE,
        slot_len: SLOT as u32,
        running_hash: None,
        decrypts: false,
    }
}

/// Records that may wait for the gateway.
pub const WAITING: usize = 16;

/// Address, tariff and account of the management core: one rate, prepaid, a price high enough to empty the purse
/// within seconds.
#[must_use]
pub fn management_config() -> management::Config {
    let price = |ten_thousandths| Price::from_ten_thousandths(ten_thousandths);
    let mut plan = Small::new();
    // The capacities of the plan are larger than these lists.
    let _ = plan.zones.push(Zone {
        start: 101,
        table: 1,
    });
    let _ = plan.slots.push(Slot {
        table: 1,
        start: 0,
        rate: 1,
    });
    let _ = plan.slots.push(Slot {
        table: 1,
        start: 1320,
        rate: 2,
    });
    plan.prices = Vec::from_iter([price(500_000), price(250_000)]);
    let _ = plan.tiers.push(Tier {
        up_to_wh: u64::MAX,
        price: price(0),
    });
    management::Config {
        address: Address::from_big_endian(ADDRESS),
        utc_offset_min: UTC_OFFSET_MIN,
        account: AccountConfig {
            settings: Settings::new(plan),
            kept: Capacities::SMALL,
            prepaid: Some(Prepaid {
                limits: PurseLimits {
                    alarm_1: Money::from_hundredths(50),
                    alarm_2: Money::ZERO,
                    overdraft: Money::ZERO,
                    hoard: Money::ZERO,
                    close_allow: Money::ZERO,
                },
                initial: Money::from_hundredths(100),
                customer: CUSTOMER,
            }),
        },
        password: PASSWORD,
        waiting: WAITING as u32,
    }
}
