//! An electricity meter: both cores, the line between them, waves in front and DL/T 645 behind.

use dlt645::{Address, Slave, SlaveEvent, Timing};
use meter_proto::device::DeviceId;
use metrology::event::Limits;
use metrology::{Calibration, Parameters, Sample};
use security::key::{DeviceKey, DeviceKeyId, KeyTree, Purpose, Secret};

use super::StartError;
use super::config::MeterConfig;
use super::files::AnyStore;
use super::recording::Recording;
use super::server::Station;
use super::status::{Electricity, Refused, Status};
use crate::link::{CoreMaster, CoreSlave, ask_boot, exchange};
use crate::management::{self, ManagementCore};
use crate::metering::{self, MeteringCore};
use crate::waiting::WaitingRecords;
use crate::wave::{MICROVOLTS_PER_COUNT, NANOAMPERES_PER_COUNT, Synth};

/// Simulated time between two looks of the cores at each other.
const STEP_MS: u64 = 20;
/// Longest time that is simulated in one go; more is left out and counted.
const LONGEST_MS: u64 = 10_000;
/// Records that may wait for the gateway, all streams together.
const WAITING: usize = 960;
/// Public key of meters without a key file: for benches, refused by every platform in earnest (epoch 0).
const DEMONSTRATION_KEY: [u8; 16] = *b"meterkit-example";
/// Room for the longest answer.
pub(super) const ANSWER: usize = 1_026;

/// Where samples come from.
enum Source<const P: usize> {
    Synth(Box<Synth<P>>),
    Recording {
        samples: Vec<Sample<P>>,
        next: usize,
    },
}

/// A simulated meter.
pub(super) struct ElectricityMeter<const P: usize> {
    id: String,
    source: Source<P>,
    rate_mhz: u64,
    /// Parts of a sample carried over, thousandths of thousandths.
    carried: u64,
    metering: MeteringCore<P, AnyStore>,
    slave: CoreSlave,
    master: CoreMaster,
    management: ManagementCore<AnyStore, WaitingRecords<AnyStore, WAITING>>,
    now_ms: u64,
    skipped_ms: u64,
    answered: u64,
    heard: u64,
    not_understood: u64,
    refused_requests: u64,
    bad_frames: u64,
    noise_bytes: u64,
    block: Vec<Sample<P>>,
}

/// Keys of a meter for one purpose each.
pub(super) struct Keys {
    data: DeviceKey,
    lctrl: DeviceKey,
    pub(super) audit: DeviceKey,
    purse: DeviceKey,
}

pub(super) fn keys(config: &MeterConfig, address: [u8; 6]) -> Result<Keys, StartError> {
    let id = DeviceKeyId::meter(address);
    let Some(file) = &config.keys else {
        let tree = KeyTree::from_network(Secret::new(DEMONSTRATION_KEY));
        let key = |purpose| tree.device_key(id, purpose, 0);
        return Ok(Keys {
            data: key(Purpose::Data),
            lctrl: key(Purpose::Lctrl),
            audit: key(Purpose::Audit),
            purse: key(Purpose::Purse),
        });
    };
    if file.device != config.id {
        return Err(StartError::Config(format!(
            "the keys are those of {}, not of {}",
            file.device, config.id
        )));
    }
    let key = |purpose: Purpose| {
        let bytes = file
            .keys
            .get(purpose.name())
            .and_then(|text| hex::decode(text).ok());
        let bytes: Option<[u8; 16]> = bytes.and_then(|bytes| bytes.try_into().ok());
        let missing =
            || StartError::Config(format!("the key file has no good key {}", purpose.name()));
        Ok::<_, StartError>(DeviceKey::new(
            Secret::new(bytes.ok_or_else(missing)?),
            id,
            purpose,
            file.epoch,
        ))
    };
    Ok(Keys {
        data: key(Purpose::Data)?,
        lctrl: key(Purpose::Lctrl)?,
        audit: key(Purpose::Audit)?,
        purse: key(Purpose::Purse)?,
    })
}

/// Constants that fit the synthetic waves.
pub(super) fn synthetic_parameters<const P: usize>(sample_rate_hz: u32) -> Parameters<P> {
    let mut parameters = Parameters::new(sample_rate_hz.saturating_mul(1000), 50_000);
    parameters.voltage_nv = MICROVOLTS_PER_COUNT * 1000;
    parameters.current_na = NANOAMPERES_PER_COUNT;
    // 0.1 % of 5 A at 220 V.
    parameters.start_uw = 1_000_000;
    parameters
}

impl<const P: usize> ElectricityMeter<P> {
    pub(super) fn start(config: &MeterConfig, utc_ms: u64) -> Result<Self, StartError> {
        let id: DeviceId = config.id.parse().map_err(|_| {
            StartError::Config(format!(
                "{} is no identity of the form d645-NNNNNNNNNNNN",
                config.id
            ))
        })?;
        let address = id.dev6().filter(|_| config.id.starts_with("d645-"));
        let address = address.ok_or_else(|| {
            StartError::Config(format!("{} is not an electricity meter", config.id))
        })?;
        let keys = keys(config, address)?;
        let (source, parameters) = match &config.waveform {
            Some(path) => {
                let Recording {
                    parameters,
                    samples,
                } = Recording::<P>::read(path, config.waveform_rate_hz)?;
                let mut parameters = parameters;
                parameters.window = metrology::Window::Standard;
                (Source::Recording { samples, next: 0 }, parameters)
            }
            None => {
                let mut synth = Synth::new(config.sample_rate_hz, &config.loads, config.seed);
                synth.set_voltage(config.voltage_mv);
                let parameters = synthetic_parameters(synth.sample_rate_hz());
                (Source::Synth(Box::new(synth)), parameters)
            }
        };
        let calibration = Calibration::try_new(parameters).map_err(StartError::Calibration)?;
        let store = |part: &str| {
            let folder = config.data_dir.as_ref().map(|dir| dir.join(part));
            AnyStore::open(folder.as_deref(), config.flush).map_err(StartError::Data)
        };
        let mut metering = MeteringCore::start(
            metering::Config {
                limits: Limits::dlt614(220_000_000, 5_000_000, 60_000_000),
                calibration,
                legal_interval_ms: u64::from(config.legal_interval_s) * 1000,
                utc_offset_min: config.utc_offset_min,
            },
            &metering::Keys {
                data: &keys.data,
                lctrl: &keys.lctrl,
                audit: &keys.audit,
            },
            store("metering")?,
            utc_ms,
        )?;
        let (mut slave, mut master) = (CoreSlave::new(), CoreMaster::new());
        let boot = ask_boot(&mut master, &mut slave, &mut metering, utc_ms)
            .ok_or_else(|| StartError::Config("the metering core hands out no boot".into()))?;
        let mut damaged = 0;
        let waiting = WaitingRecords::open(store("waiting")?, &mut damaged)
            .map_err(metering::StartError::Store)?;
        let management = ManagementCore::start(
            management::Config {
                address: Address::from_big_endian(address),
                utc_offset_min: config.utc_offset_min,
                account: config.account()?,
                password: config.password,
                waiting: (WAITING / 3) as u32,
            },
            &management::Keys { purse: &keys.purse },
            store("management")?,
            waiting,
            boot,
        )?;
        Ok(Self {
            id: config.id.clone(),
            source,
            rate_mhz: parameters.sample_rate_mhz.into(),
            carried: 0,
            metering,
            slave,
            master,
            management,
            now_ms: utc_ms,
            skipped_ms: 0,
            answered: 0,
            heard: 0,
            not_understood: 0,
            refused_requests: 0,
            bad_frames: 0,
            noise_bytes: 0,
            block: Vec::new(),
        })
    }

    /// Simulates one step: waves, metering, then whatever the cores have to say to each other.
    fn step(&mut self, step_ms: u64) {
        let due = self.rate_mhz * step_ms + self.carried;
        self.carried = due % 1_000_000;
        let closed = self.metering.relay_closed();
        self.block.clear();
        for _ in 0..due / 1_000_000 {
            let sample = match &mut self.source {
                Source::Synth(synth) => {
                    synth.set_relay(closed);
                    synth.next_sample()
                }
                Source::Recording { samples, next } => {
                    let mut sample = samples.get(*next).copied().unwrap_or_default();
                    *next = (*next + 1) % samples.len().max(1);
                    if !closed {
                        sample.i = [0; P];
                    }
                    sample
                }
            };
            self.block.push(sample);
        }
        self.metering.process(&self.block);
        self.now_ms += step_ms;
        self.metering.tick(self.now_ms);
        for _ in 0..32 {
            self.master.serve(self.now_ms, &mut self.management);
            let moved = exchange(&mut self.master, &mut self.slave, self.now_ms);
            self.slave.serve(&mut self.metering);
            if !moved && !self.master.is_busy() {
                break;
            }
        }
    }
}

fn frames(refusals: &dlt645::Refusals) -> u32 {
    let dlt645::Refusals {
        start,
        length,
        checksum,
        end,
        truncated,
        ..
    } = *refusals;
    [start, length, checksum, end, truncated]
        .into_iter()
        .fold(0, u32::saturating_add)
}

impl<const P: usize> Station for ElectricityMeter<P> {
    type Port<'b> = (Slave<'b>, dlt645::Refusals);

    fn port<'b>(&self, buffer: &'b mut [u8]) -> Self::Port<'b> {
        let slave = Slave::new(buffer, Timing::tcp());
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
            let used = slave.handle_bytes(now_ms, rest, &mut self.management);
            slave.handle_timeout(now_ms, &mut self.management);
            rest = rest.get(used..).unwrap_or_default();
            let mut moved = used > 0;
            while let Some(answer) = slave.poll_transmit() {
                out.extend_from_slice(answer);
                moved = true;
            }
            match slave.poll_event() {
                Some(SlaveEvent::Answered(_)) => self.answered += 1,
                Some(SlaveEvent::Refused(_)) => self.refused_requests += 1,
                Some(SlaveEvent::Heard(_)) => self.heard += 1,
                Some(_) => self.not_understood += 1,
                None => {}
            }
            if rest.is_empty() || !moved {
                break;
            }
        }
        let now = slave.refusals();
        self.noise_bytes += u64::from(now.noise.saturating_sub(seen.noise));
        self.bad_frames += u64::from(frames(&now).saturating_sub(frames(seen)));
        *seen = now;
    }

    fn tick(&mut self, utc_ms: u64) {
        let mut behind = utc_ms.saturating_sub(self.now_ms);
        if behind > LONGEST_MS {
            // As after a power cut: the time passes, nothing is metered in it.
            let left_out = behind - LONGEST_MS;
            self.skipped_ms += left_out;
            self.now_ms += left_out;
            behind = LONGEST_MS;
        }
        while behind >= STEP_MS {
            self.step(STEP_MS);
            behind -= STEP_MS;
        }
    }

    fn status(&mut self) -> Status {
        let counts = (self.metering.counts(), self.management.counts());
        let registers = self.metering.registers();
        let values = *self.management.values();
        let phases = |value: fn(&crate::crossing::PhaseValues) -> u32| {
            values.phase.iter().take(P).map(value).collect()
        };
        let account = self.management.account();
        let balance = account
            .machine()
            .is_prepaid()
            .then(|| account.balance_hundredths());
        Status {
            id: self.id.clone(),
            answered: self.answered,
            heard: self.heard,
            refused: Refused {
                noise_bytes: self.noise_bytes,
                bad_frames: self.bad_frames,
                not_understood: self.not_understood,
                requests: self.refused_requests,
                passwords: counts.1.wrong_passwords,
                orders: counts.0.orders_dropped + counts.0.orders_refused + counts.1.refused,
                questions: counts.0.unknown,
            },
            electricity: Some(Electricity {
                boot: self.metering.boot(),
                utc_ms: self.metering.utc_ms(),
                import_dwh: registers.active.import,
                export_dwh: registers.active.export,
                voltage_mv: phases(|phase| phase.voltage_mv),
                current_ua: phases(|phase| phase.current_ua),
                active_mw: values.active_mw,
                frequency_mhz: values.frequency_mhz,
                relay_closed: self.metering.relay_closed(),
                balance,
                waiting: self.management.waiting(),
                blocks: (counts.0.blocks, counts.0.held_back),
                acknowledged: counts.1.acknowledged,
                store_failures: counts.0.store_failures + counts.1.store_failures,
                lost: counts.1.lost,
                skipped_ms: self.skipped_ms,
            }),
            ..Status::default()
        }
    }

    fn save(&mut self) {
        // The last stored state stays when the disk refuses: at most one legal interval old.
        let _ = self.metering.power_down();
        let _ = self.management.save();
    }
}
