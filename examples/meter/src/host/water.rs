//! A water meter as a program.

use cjt188::{Address, MeterType, Slave, SlaveEvent, Timing};

use super::StartError;
use super::config::WaterConfig;
use super::files::AnyStore;
use super::server::Station;
use super::status::{Refused, Status};
use crate::water::{Config, WaterMeter};

pub(super) struct WaterStation {
    id: String,
    meter: WaterMeter<AnyStore>,
    answered: u64,
    refused: Refused,
}

impl WaterStation {
    pub(super) fn start(config: &WaterConfig, utc_ms: u64) -> Result<Self, StartError> {
        let bad = || {
            StartError::Config(format!(
                "{} is no identity of the form c188-TTNNNNNNNNNNNNNN",
                config.id
            ))
        };
        let digits = config
            .id
            .strip_prefix("c188-")
            .and_then(|digits| digits.split_at_checked(2))
            .ok_or_else(bad)?;
        let meter_type = u8::from_str_radix(digits.0, 16).map_err(|_| bad())?;
        let store =
            AnyStore::open(config.data_dir.as_deref(), config.flush).map_err(StartError::Data)?;
        let meter = WaterMeter::start(
            Config {
                meter_type: MeterType(meter_type),
                address: Address::from_digits(digits.1).map_err(|_| bad())?,
                utc_offset_min: config.utc_offset_min,
                flow_l_h: config.flow_l_h,
                flow_s: config.flow_s,
                period_s: config.period_s,
            },
            store,
            utc_ms,
        )?;
        Ok(Self {
            id: config.id.clone(),
            meter,
            answered: 0,
            refused: Refused::default(),
        })
    }
}

fn frames(refusals: &cjt188::Refusals) -> u32 {
    let cjt188::Refusals {
        length,
        checksum,
        end,
        truncated,
        ..
    } = *refusals;
    [length, checksum, end, truncated]
        .into_iter()
        .fold(0, u32::saturating_add)
}

impl Station for WaterStation {
    type Port<'b> = (Slave, cjt188::Refusals);

    fn port<'b>(&self, _buffer: &'b mut [u8]) -> Self::Port<'b> {
        let slave = Slave::new(Timing::tcp());
        let refusals = slave.refusals();
        (slave, refusals)
    }

    fn exchange(
        &mut self,
        (slave, seen): &mut Self::Port<'_>,
        now_ms: u64,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) {
        let mut rest = bytes;
        loop {
            let used = slave.handle_bytes(now_ms, rest, &mut self.meter);
            slave.handle_timeout(now_ms, &mut self.meter);
            rest = rest.get(used..).unwrap_or_default();
            let mut moved = used > 0;
            while let Some(answer) = slave.poll_transmit() {
                out.extend_from_slice(answer);
                moved = true;
            }
            match slave.poll_event() {
                Some(SlaveEvent::Answered(_)) => self.answered += 1,
                Some(SlaveEvent::Refused(_)) => self.refused.requests += 1,
                Some(_) => self.refused.not_understood += 1,
                None => {}
            }
            if rest.is_empty() || !moved {
                break;
            }
        }
        let now = slave.refusals();
        self.refused.noise_bytes += u64::from(now.noise.saturating_sub(seen.noise));
        self.refused.bad_frames += u64::from(frames(&now).saturating_sub(frames(seen)));
        *seen = now;
    }

    fn tick(&mut self, utc_ms: u64) {
        self.meter.tick(utc_ms);
    }

    fn status(&mut self) -> Status {
        Status {
            id: self.id.clone(),
            answered: self.answered,
            refused: self.refused,
            litres: Some(self.meter.litres()),
            ..Status::default()
        }
    }

    fn save(&mut self) {
        let _ = self.meter.save();
    }
}
