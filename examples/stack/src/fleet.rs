//! Who is in the demonstration, and what each part is told.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use cloud::Provision;
use cloud::billing::PriceList;
use meter::host::{KeyFile, MeterConfig, PrepaidConfig, TariffConfig, WaterConfig};

use crate::Options;

/// The gateway of the demonstration.
pub const GATEWAY: &str = "gw-202611000100";

/// Customer number of the prepaid contract.
const CUSTOMER: &str = "000000000001";
/// What the prepaid meter draws, watts, and for how many seconds its first credit lasts.
const PREPAID_W: u64 = 8_800;
const FIRST_CREDIT_S: u64 = 120;
/// Real milliseconds between two readings of live values.
const POLL_MS: u64 = 1_000;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Single-phase, prepaid, runs empty after about two minutes.
    Prepaid,
    /// Three-phase with a motor and a rectifier.
    ThreePhase,
    /// Single-phase with solar export.
    Solar,
    /// Cold water.
    Water,
}

/// One meter of the demonstration.
#[derive(Debug)]
pub struct Member {
    /// Identity.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// What it is.
    pub role: Role,
    /// Overload alarm, watts.
    pub power_limit_w: Option<i64>,
}

/// The four meters; their numbers behind the gateway are their places here, from 1.
pub const FLEET: [Member; 4] = [
    Member {
        id: "d645-202611000001",
        name: "Flat 3-01 (prepaid)",
        role: Role::Prepaid,
        power_limit_w: Some(13_000),
    },
    Member {
        id: "d645-202611000002",
        name: "Workshop (three-phase)",
        role: Role::ThreePhase,
        // The motor's start is above it for a moment: the alarm comes and goes.
        power_limit_w: Some(9_000),
    },
    Member {
        id: "d645-202611000003",
        name: "House with solar roof",
        role: Role::Solar,
        power_limit_w: Some(13_000),
    },
    Member {
        id: "c188-1020261100000004",
        name: "Cold water, staircase 3",
        role: Role::Water,
        power_limit_w: None,
    },
];

impl Member {
    /// Whether it answers DL/T 645.
    #[must_use]
    pub fn is_electricity(&self) -> bool {
        self.role != Role::Water
    }

    /// Starts the meter on its folder.
    pub(crate) fn start(
        &self,
        data: &Path,
        clock: crate::Clock,
    ) -> anyhow::Result<meter::host::Running> {
        let folder = data.join(self.id);
        let config = match self.role {
            Role::Water => {
                let config = WaterConfig {
                    id: self.id.into(),
                    data_dir: Some(folder),
                    ..WaterConfig::default()
                };
                return meter::host::start_water(&config, clock).with_context(|| self.id);
            }
            Role::Prepaid => MeterConfig::demo_prepaid(self.id, CUSTOMER),
            Role::ThreePhase => MeterConfig::demo_three_phase(self.id),
            Role::Solar => MeterConfig::demo_solar(self.id),
        };
        let prices = PriceList::default();
        let offset_minutes = cloud::Config::default().offset_minutes;
        let config = MeterConfig {
            tariff: tariff(&prices),
            utc_offset_min: i16::try_from(offset_minutes)?,
            prepaid: config.prepaid.map(|prepaid| PrepaidConfig {
                initial: first_credit(&prices, clock(), offset_minutes),
                ..prepaid
            }),
            keys: Some(KeyFile::read(&key_file(data, self.id))?),
            data_dir: Some(folder),
            ..config
        };
        meter::host::start(&config, clock).with_context(|| self.id)
    }
}

/// The platform's price list as the meters carry it: one list, so that a meter's deductions and the platform's
/// lines agree.
fn tariff(prices: &PriceList) -> TariffConfig {
    TariffConfig {
        prices: prices.rates.iter().map(|rate| rate.price).collect(),
        slots: prices
            .slots
            .iter()
            .map(|slot| (slot.start, slot.rate))
            .collect(),
        tiers: prices
            .tiers
            .iter()
            .map(|tier| (tier.up_to_wh.unwrap_or(u64::MAX), tier.price))
            .collect(),
    }
}

/// Hundredths that the prepaid meter uses up in [`FIRST_CREDIT_S`] at the rate in force, at least one.
fn first_credit(prices: &PriceList, now_ms: u64, offset_minutes: i32) -> i64 {
    let minutes = i64::try_from(now_ms / 60_000).unwrap_or(0) + i64::from(offset_minutes);
    let minute = u16::try_from(minutes.rem_euclid(24 * 60)).unwrap_or(0);
    let slot = prices.slots.iter().rev().find(|slot| slot.start <= minute);
    let rate = slot.or(prices.slots.last()).map_or(1, |slot| slot.rate);
    let rate = prices.rates.get(usize::from(rate.saturating_sub(1)));
    let price = rate.map_or(0, |rate| u64::from(rate.price));
    // W · s · 0.0001 per kWh: a hundredth is 3,600 · 1,000 · 100 of them.
    let hundredths = PREPAID_W * FIRST_CREDIT_S * price / 360_000_000;
    i64::try_from(hundredths).unwrap_or(0).max(1)
}

fn key_file(data: &Path, id: &str) -> std::path::PathBuf {
    data.join(format!("{id}.keys.json"))
}

/// Registers everybody at the platform and writes the key files that only their owner may read.
pub(crate) fn provision(cloud_dir: &Path, data: &Path) -> anyhow::Result<()> {
    let meters = FLEET.iter().zip(1_u16..).map(|(member, node)| Provision {
        name: member.name.into(),
        gateway: Some((GATEWAY.into(), node)),
        customer: (member.role == Role::Prepaid).then(|| CUSTOMER.into()),
        power_limit_w: member.power_limit_w,
        ..Provision::new(member.id)
    });
    let gateway = Provision {
        name: "Gateway of the house".into(),
        voltage_limit_mv: None,
        ..Provision::new(GATEWAY)
    };
    for wanted in meters.chain([gateway]) {
        let keys = cloud::provision(cloud_dir, &wanted)?;
        write_secret(
            &key_file(data, &wanted.device),
            &serde_json::to_vec_pretty(&keys)?,
        )?;
    }
    Ok(())
}

/// What the platform is told, and the password of `admin`: the given one, or one kept in the data folder.
pub(crate) fn cloud_config(
    options: &Options,
    cloud_dir: &Path,
) -> anyhow::Result<(cloud::Config, String)> {
    let file = options.data_dir.join("admin-password");
    let password = match (&options.admin_password, std::fs::read_to_string(&file)) {
        (Some(given), _) => given.clone(),
        (None, Ok(kept)) if !kept.trim().is_empty() => kept.trim().to_owned(),
        (None, _) => cloud::auth::readable_password(),
    };
    write_secret(&file, password.as_bytes())?;
    let config = cloud::Config {
        http: free_instead_of_taken(options.http),
        mqtt: options.mqtt,
        admin_password: Some(password.clone()),
        reader_password: options.reader_password.clone(),
        speed: options.speed,
        ..cloud::Config::new(cloud_dir)
    };
    Ok((config, password))
}

/// The default port may be in use by anything; a free one is then as good.
fn free_instead_of_taken(wanted: SocketAddr) -> SocketAddr {
    match std::net::TcpListener::bind(wanted) {
        Ok(_) => wanted,
        Err(_) => SocketAddr::new(wanted.ip(), 0),
    }
}

/// What the gateway is told: one line for each meter.
pub(crate) fn gateway_config(
    data: &Path,
    mqtt: SocketAddr,
    meters: &[(&'static Member, meter::host::Running)],
    speed: u32,
) -> anyhow::Result<gateway::Config> {
    let poll_ms = POLL_MS * u64::from(speed);
    let mut lines = Vec::new();
    for (member, meter) in meters {
        let addr = meter
            .addr()
            .with_context(|| format!("{} does not listen", member.id))?;
        let water = member.role == Role::Water;
        let profile = match member.role {
            Role::Prepaid => gateway::Profile::Prepaid,
            Role::Water => gateway::Profile::Water,
            Role::ThreePhase | Role::Solar => gateway::Profile::Plain,
        };
        lines.push(gateway::Line {
            transport: gateway::Transport::Tcp(addr),
            protocol: if water {
                gateway::Protocol::Cjt188
            } else {
                gateway::Protocol::Dlt645
            },
            devices: vec![gateway::Device {
                id: member.id.into(),
                address: None,
                profile,
                poll_ms,
                record_ms: if water { 0 } else { poll_ms },
            }],
            answer_ms: 1_000,
            retries: 2,
        });
    }
    Ok(gateway::Config {
        id: GATEWAY.into(),
        keys: key_file(data, GATEWAY),
        data_dir: data.join(GATEWAY),
        mqtt: gateway::Mqtt {
            host: mqtt.ip().to_string(),
            port: mqtt.port(),
            user: None,
            password: None,
        },
        lines,
        heartbeat_ms: 10 * poll_ms,
        speed,
    })
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .with_context(|| path.display().to_string())?;
    file.write_all(bytes)
        .with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_credit_lasts_about_two_minutes_at_every_hour() {
        let prices = PriceList::default();
        for hour in 0..24 {
            let credit = first_credit(&prices, hour * 3_600_000, 0);
            // Hundredths of 0.01 to seconds at 8.8 kW, between the cheapest and the dearest rate.
            let dearest = prices
                .rates
                .iter()
                .map(|rate| u64::from(rate.price))
                .max()
                .unwrap();
            let cheapest = prices
                .rates
                .iter()
                .map(|rate| u64::from(rate.price))
                .min()
                .unwrap();
            let seconds =
                |price: u64| u64::try_from(credit).unwrap() * 360_000_000 / (PREPAID_W * price);
            let in_peak = (6..22).contains(&hour);
            let lasts = seconds(if in_peak { dearest } else { cheapest });
            assert!((100..=125).contains(&lasts), "{hour} h: {lasts} s");
        }
    }

    #[test]
    fn every_member_has_its_own_identity() {
        let mut ids: Vec<_> = FLEET
            .iter()
            .map(|member| member.id)
            .chain([GATEWAY])
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), FLEET.len() + 1);
    }
}
