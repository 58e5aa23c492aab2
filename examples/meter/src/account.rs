//! Tariff machine and purse of the management core, with the gate for purse orders: stored as one record.

mod config;
mod keeper;
mod orders;
mod reactive;

use dlt645::Operator;
use security::counter::{DEFAULT_BLOCK, SendCounter};
use security::envelope::Direction;
use security::gate::{OrderGate, STATE_LEN};
use security::key::DeviceKey;
use security::link::Sealer;
use security::suite::Suite;
use tariff::civil::Moment;
use tariff::demand::Peak;
use tariff::machine::{Clock, Machine};
use tariff::meter::{Meter, Reading, Snapshot};
use tariff::purse::{Limits, Refusal};
use tariff::remote::{Command, RefusedKeepPower};
use tariff::sets::Table;
use tariff::{Rounding, stored};

use crate::book::{Capacities, VALUES};
use crate::clock;
use crate::metering::{StartError, read_number, read_record};
use crate::records::{ACCOUNT, PURSE_LIMIT, SETTINGS, VERSION};
use crate::settings::{MAX_SETTINGS, Settings};
use crate::store::{MAX_RECORD, Store, StoreError};

use keeper::{Keeper, NO_VALUES};
use reactive::Reactive;

pub use config::{AccountConfig, Prepaid};
pub use orders::Handled;
pub use reactive::{ReactiveMaxima, ended};

/// Rates of this meter.
pub const RATES: usize = 4;
/// Forward and reverse active energy, four quadrants of reactive energy.
pub const CHANNELS: usize = 6;
/// Forward and reverse demand.
pub const DEMANDS: usize = 2;
/// Most slips in a demand period.
pub const SLIPS: usize = 15;
/// The tariff machine of this meter.
pub type TariffMeter = Meter<CHANNELS, RATES, DEMANDS, SLIPS>;
/// Its registers at one instant.
pub type MeterSnapshot = Snapshot<CHANNELS, RATES, DEMANDS>;

const _: () = assert!(
    1 + STATE_LEN + stored::longest_meter(CHANNELS, RATES, DEMANDS) + OPERATOR <= MAX_RECORD,
    "the account does not fit a record"
);

/// Tariff state of one meter.
#[derive(Debug)]
pub struct Account {
    settings: Settings,
    capacities: Capacities,
    meter: TariffMeter,
    reactive: Reactive,
    gate: OrderGate,
    answers: Sealer,
    sequence: u32,
    /// Who gave the last remote command: a trip may come later.
    operator: Operator,
}

impl Account {
    /// Starts from what `store` holds, or opens the account of a new meter.
    ///
    /// # Errors
    /// [`StartError`]: a damaged account is never taken for an empty one.
    pub fn start<S: Store>(
        config: &AccountConfig,
        key: &DeviceKey,
        store: &mut S,
    ) -> Result<Self, StartError> {
        let damaged = StartError::Damaged { key: ACCOUNT };
        let limit = read_number(store, PURSE_LIMIT)?.unwrap_or(0);
        let answers = Sealer::new(
            key,
            Direction::FromDevice,
            Suite::Ccm16,
            SendCounter::boot(limit, DEFAULT_BLOCK),
        );
        let mut buffer = [0; MAX_RECORD];
        let settings = match read_record(store, SETTINGS, &mut buffer)? {
            Some(record) => {
                Settings::decode(record).ok_or(StartError::Damaged { key: SETTINGS })?
            }
            None => config.settings.clone(),
        };
        let (gate, sequence, meter, operator) = match read_record(store, ACCOUNT, &mut buffer)? {
            Some(record) => {
                let (state, meter) = split(record).ok_or(damaged)?;
                let operator = operator_behind(meter);
                let gate = OrderGate::restore(key, Suite::Ccm16, state).map_err(|_| damaged)?;
                let (sequence, meter) = stored::decode_meter(meter).map_err(|_| damaged)?;
                (gate, sequence, meter, operator)
            }
            None => {
                let mut machine = config
                    .prepaid
                    .map_or_else(Machine::new, |p| Machine::prepaid(p.limits));
                if let Some(prepaid) = config.prepaid {
                    // A new purse refuses neither.
                    let _ = machine.purse_input(|purse| purse.initialise(prepaid.initial));
                    let _ = machine.open_account(prepaid.customer);
                }
                let gate = OrderGate::new(key, Suite::Ccm16);
                (gate, 0, Meter::around(machine), Operator(0))
            }
        };
        let mut account = Self {
            settings,
            capacities: config.kept,
            meter,
            reactive: Reactive::start(store)?,
            gate,
            answers,
            sequence,
            operator,
        };
        account.save(store)?;
        Ok(account)
    }

    /// Books the energy up to `reading` and lets time pass; what is to be kept goes to `store` first, with the values
    /// of the instant. True when the state is to be stored.
    ///
    /// # Errors
    /// [`StoreError`]: a row could not be kept; the state goes on and counts it.
    pub fn advance<S: Store>(
        &mut self,
        now: Moment,
        reading: &Reading<CHANNELS>,
        values: &[u8; VALUES],
        store: &mut S,
    ) -> Result<bool, StoreError> {
        // The settings were checked when they were taken.
        let Ok(parameters) = self.settings.parameters() else {
            return Ok(false);
        };
        let clock = Clock {
            at: now,
            good: clock::is_set(now),
        };
        let by = [self.operator, Operator(0)];
        let (rate, words) = (self.meter.machine().rate(), &self.settings.words);
        let reactive = &mut self.reactive;
        reactive.book(&parameters, words, clock, rate, reading.tenths);
        let mut keeper = Keeper::new(store, &self.capacities, values, reactive, by);
        let effect = self
            .meter
            .advance(&parameters, clock, reading, |row| keeper.keep(&row));
        keeper.done(effect.relay_open.is_some())
    }

    /// Hands the fee control an input and keeps the rows that follow; then the state is to be stored.
    fn input<S: Store, T>(
        &mut self,
        at: Moment,
        operator: Operator,
        store: &mut S,
        input: impl FnOnce(&mut Machine<RATES>) -> T,
    ) -> Result<T, StoreError> {
        let by = [operator; 2];
        let mut keeper = Keeper::new(store, &self.capacities, &NO_VALUES, &mut self.reactive, by);
        let answer = self.meter.input(at, |row| keeper.keep(&row), input);
        keeper.done(true)?;
        Ok(answer)
    }

    /// The clock was set.
    ///
    /// # Errors
    /// [`StoreError`]: the event could not be kept.
    pub fn set_clock<S: Store>(
        &mut self,
        [before, after]: [Moment; 2],
        operator: Operator,
        store: &mut S,
    ) -> Result<(), StoreError> {
        let by = [operator; 2];
        let mut keeper = Keeper::new(store, &self.capacities, &NO_VALUES, &mut self.reactive, by);
        self.meter.set_clock(before, after, |row| keeper.keep(&row));
        keeper.done(true)?;
        self.reactive.restart();
        self.save(store)
    }

    /// Freezes now, or clears maximum demand for who asked for that; the row is kept, then the state.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_now<S: Store>(
        &mut self,
        now: Moment,
        clear_demand: Option<Operator>,
        values: &[u8; VALUES],
        store: &mut S,
    ) -> Result<(), StoreError> {
        let by = [clear_demand.unwrap_or_default(); 2];
        let mut keeper = Keeper::new(store, &self.capacities, values, &mut self.reactive, by);
        if clear_demand.is_some() {
            self.meter.clear_demand(now, |row| keeper.keep(&row));
        } else {
            self.meter.freeze(now, |row| keeper.keep(&row));
        }
        keeper.done(true)?;
        self.save(store)
    }

    /// Programs the switch of a table; one not after `now` takes a waiting one back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn arm<S: Store>(
        &mut self,
        table: Table,
        at: Moment,
        now: Moment,
        store: &mut S,
    ) -> Result<(), StoreError> {
        self.meter.arm(table, at, now);
        self.save(store)
    }

    /// Sets the limits of the purse.
    ///
    /// # Errors
    /// [`StoreError`]; `Ok(false)` without a purse.
    pub fn set_limits<S: Store>(
        &mut self,
        limits: Limits,
        at: Moment,
        store: &mut S,
    ) -> Result<bool, StoreError> {
        let set = |machine: &mut Machine<RATES>| {
            machine.purse_input(|purse| Ok::<_, Refusal>(purse.set_limits(limits)))
        };
        let is_set = self.input(at, Operator(0), store, set)?.is_ok();
        self.save(store)?;
        Ok(is_set)
    }

    /// Takes settings that were checked: first stored, then in force.
    ///
    /// # Errors
    /// [`StoreError`]; the old ones stay.
    pub fn program<S: Store>(
        &mut self,
        settings: Settings,
        store: &mut S,
    ) -> Result<(), StoreError> {
        let mut record = [0; MAX_SETTINGS];
        let length = settings.encode(&mut record);
        let record = length.and_then(|length| record.get(..length));
        let record = record.ok_or(StoreError::TooLong {
            found: MAX_SETTINGS,
        })?;
        store.write(SETTINGS, record)?;
        self.settings = settings;
        Ok(())
    }

    /// Stores everything as one record.
    ///
    /// # Errors
    /// [`StoreError`]; the old record stays.
    pub fn save<S: Store>(&mut self, store: &mut S) -> Result<(), StoreError> {
        self.reactive.save(store)?;
        let state = self.gate.state();
        self.sequence = write(&self.meter, self.sequence, &state, self.operator, store)?;
        Ok(())
    }

    /// Obeys a remote command. `false` when keep power forbids it.
    ///
    /// # Errors
    /// [`StoreError`]: the event could not be kept.
    pub fn command<S: Store>(
        &mut self,
        command: Command,
        operator: Operator,
        at: Moment,
        store: &mut S,
    ) -> Result<bool, StoreError> {
        let obey = |machine: &mut Machine<RATES>| {
            let obeyed: Result<_, RefusedKeepPower> = machine.command(command, at.utc_s);
            obeyed.is_ok()
        };
        let obeyed = self.input(at, operator, store, obey)?;
        if obeyed {
            self.operator = operator;
        }
        Ok(obeyed)
    }

    /// The key at the meter.
    ///
    /// # Errors
    /// [`StoreError`]: the event could not be kept.
    pub fn key<S: Store>(&mut self, at: Moment, store: &mut S) -> Result<(), StoreError> {
        self.input(at, Operator(0), store, |machine| {
            let _ = machine.key();
        })
    }

    /// Whether purse or remote control want the relay open.
    #[must_use]
    pub fn wants_open(&self) -> bool {
        self.machine().wants_open()
    }

    /// Balance in hundredths, cut towards zero; below zero is overdraft.
    #[must_use]
    pub fn balance_hundredths(&self) -> i64 {
        self.machine().purse().balance().hundredths(Rounding::Trunc)
    }

    /// 0 enough credit, 1 alarm amount reached, 2 supply ends; `None` without a purse.
    #[must_use]
    pub fn credit_level(&self) -> Option<u8> {
        let purse = self.machine().purse();
        self.machine().is_prepaid().then(|| {
            if purse.wants_open() {
                2
            } else {
                purse.alarm_1().into()
            }
        })
    }

    /// Rates in use.
    #[must_use]
    pub fn rates(&self) -> u8 {
        let highest = self.settings.tariff();
        highest
            .map_or(0, |tariff| tariff.calendar().highest_rate())
            .min(RATES as u8)
    }

    /// Prices in force now, 0.0001 of the currency for a kilowatt hour: of the rate, and what the tier adds.
    #[must_use]
    pub fn prices_ten_thousandths(&self) -> [u32; 2] {
        let Ok(parameters) = self.settings.parameters() else {
            return [0; 2];
        };
        let tariff = parameters.sets.tariff(self.meter.running());
        let (_, tier) = tariff.tier(self.machine().tiers().wh);
        [tariff.rate_price(self.machine().rate()), tier].map(|price| price.ten_thousandths())
    }

    /// Limit 04001001 to 04001005 in hundredths.
    #[must_use]
    pub fn limit_hundredths(&self, number: u8) -> Option<i64> {
        let limits = self.machine().purse().limits();
        let limit = match number {
            1 => limits.alarm_1,
            2 => limits.alarm_2,
            3 => limits.overdraft,
            4 => limits.hoard,
            5 => limits.close_allow,
            _ => return None,
        };
        Some(limit.hundredths(Rounding::Trunc))
    }

    /// Fee control.
    #[must_use]
    pub const fn machine(&self) -> &Machine<RATES> {
        self.meter.machine()
    }

    /// The whole tariff machine.
    #[must_use]
    pub const fn meter(&self) -> &TariffMeter {
        &self.meter
    }

    /// Maxima of the reactive demands since the last reset.
    #[must_use]
    pub const fn reactive_maxima(&self) -> &ReactiveMaxima {
        self.reactive.maxima()
    }

    /// The reactive demand of the last window that ended, by quantity from 0.
    #[must_use]
    pub fn present_reactive(&self, quantity: usize) -> Option<Peak> {
        self.reactive.present(quantity)
    }

    /// What is programmed.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many rows are kept.
    #[must_use]
    pub const fn capacities(&self) -> &Capacities {
        &self.capacities
    }
}

/// Bytes of an operator code.
const OPERATOR: usize = 4;
/// Version, memory of orders, machine, operator of the last remote command.
fn write<S: Store>(
    meter: &TariffMeter,
    sequence: u32,
    gate: &[u8; STATE_LEN],
    operator: Operator,
    store: &mut S,
) -> Result<u32, StoreError> {
    let mut record = [VERSION; MAX_RECORD];
    let too_long = StoreError::TooLong {
        found: 1 + STATE_LEN + stored::longest_meter(CHANNELS, RATES, DEMANDS) + OPERATOR,
    };
    let (_, rest) = record.split_at_mut_checked(1).ok_or(too_long)?;
    let (state, rest) = rest.split_at_mut_checked(STATE_LEN).ok_or(too_long)?;
    state.copy_from_slice(gate);
    let sequence = sequence.wrapping_add(1);
    let length = stored::encode_meter(meter, sequence, rest).map_err(|_| too_long)?;
    let (_, rest) = rest.split_at_mut_checked(length).ok_or(too_long)?;
    *rest.first_chunk_mut().ok_or(too_long)? = operator.line();
    let length = 1 + STATE_LEN + length + OPERATOR;
    store.write(ACCOUNT, record.get(..length).ok_or(too_long)?)?;
    Ok(sequence)
}

fn split(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&version, rest) = record.split_first()?;
    if version != VERSION {
        return None;
    }
    rest.split_at_checked(STATE_LEN)
}

/// The operator behind the machine, whose length is in its head; an older release wrote none.
fn operator_behind(meter: &[u8]) -> Operator {
    let length = meter.get(2..4).and_then(|two| two.first_chunk());
    let length = length.copied().map_or(0, u16::from_le_bytes);
    let behind = meter.get(usize::from(length)..);
    let code = behind.and_then(|rest| rest.first_chunk());
    code.map_or(Operator(0), |code| Operator::from_line(*code))
}
