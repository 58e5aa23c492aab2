//! Tariff machine and purse of the management core, with the gate for purse orders: stored as one record.

use heapless::Vec;
use security::counter::{DEFAULT_BLOCK, SendCounter};
use security::envelope::{Class, Direction};
use security::gate::{Conditions, OrderGate, PurseConditions, STATE_LEN, Verdict};
use security::key::DeviceKey;
use security::link::Sealer;
use security::order::{Kind, Moment as Deadline, OrderAck, Outcome, PurseState, RelayFeedback};
use security::suite::Suite;
use tariff::civil::Moment;
use tariff::machine::Machine;
use tariff::profile::Small;
use tariff::purse::{Answer, Limits, Recharge};
use tariff::remote::Command;
use tariff::{Money, Rounding, Tariff, stored};

use crate::crossing::MAX_SEALED;
use crate::metering::{StartError, read_number, read_record, write_number};
use crate::records::{ACCOUNT, PURSE_LIMIT, VERSION};
use crate::store::{MAX_RECORD, Store, StoreError};

/// Rates of this meter.
pub const RATES: usize = 4;
/// Highest amount of one recharge, hundredths.
const MAX_RECHARGE: u32 = 99_999_999;

/// Prepaid account of a new meter.
#[derive(Clone, Copy, Debug)]
pub struct Prepaid {
    /// Limits of the purse.
    pub limits: Limits,
    /// Balance at the first start.
    pub initial: Money,
    /// Customer number, six bytes BCD, most significant first.
    pub customer: [u8; 6],
}

/// Tariff and account of a new meter.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// Tariff tables; must be good ([`tariff::profile::Plan::tariff`]).
    pub plan: Small,
    /// Prepaid, or `None` for a meter that only counts by rate.
    pub prepaid: Option<Prepaid>,
}

/// Tariff state of one meter.
#[derive(Debug)]
pub struct Account {
    plan: Small,
    machine: Machine<RATES>,
    gate: OrderGate,
    answers: Sealer,
    sequence: u32,
}

/// What became of a genuine order.
#[derive(Clone, Debug)]
pub struct Handled {
    /// The sealed acknowledgement.
    pub sealed: Vec<u8, MAX_SEALED>,
    /// It is in effect, now or since before.
    pub accepted: bool,
    /// It was booked now.
    pub booked: bool,
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
        let mut account = match read_record(store, ACCOUNT, &mut buffer)? {
            Some(record) => {
                let (state, machine) = split(record).ok_or(damaged)?;
                let gate = OrderGate::restore(key, Suite::Ccm16, state).map_err(|_| damaged)?;
                let (sequence, machine) = stored::decode(machine).map_err(|_| damaged)?;
                Self {
                    plan: config.plan.clone(),
                    machine,
                    gate,
                    answers,
                    sequence,
                }
            }
            None => {
                let gate = OrderGate::new(key, Suite::Ccm16);
                let machine = config
                    .prepaid
                    .map_or_else(Machine::new, |p| Machine::prepaid(p.limits));
                let mut account = Self {
                    plan: config.plan.clone(),
                    machine,
                    gate,
                    answers,
                    sequence: 0,
                };
                if let Some(prepaid) = config.prepaid {
                    // A new purse refuses neither.
                    let _ = account
                        .machine
                        .purse_input(|purse| purse.initialise(prepaid.initial));
                    let _ = account.machine.open_account(prepaid.customer);
                }
                account
            }
        };
        account.save(store)?;
        Ok(account)
    }

    fn tariff(&self) -> Option<Tariff<'_>> {
        self.plan.tariff().ok()
    }

    /// Books the energy up to `total_wh` and lets time pass.
    pub fn advance(&mut self, now: Moment, total_wh: u64) {
        if let Ok(tariff) = self.plan.tariff() {
            let _ = self.machine.advance(&tariff, now, total_wh, |_| ());
        }
    }

    /// Stores everything as one record.
    ///
    /// # Errors
    /// [`StoreError`]; the old record stays.
    pub fn save<S: Store>(&mut self, store: &mut S) -> Result<(), StoreError> {
        let state = self.gate.state();
        self.sequence = write(&self.machine, self.sequence, &state, store)?;
        Ok(())
    }

    /// Opens and carries out a purse order. `None` when it is not genuine.
    ///
    /// # Errors
    /// [`StoreError`]: nothing happened, the same order may come again.
    pub fn order<S: Store>(
        &mut self,
        envelope: &[u8],
        now: Option<Deadline>,
        at_s: i64,
        relay_closed: bool,
        store: &mut S,
    ) -> Result<Option<Handled>, StoreError> {
        let mut bytes = [0; MAX_SEALED];
        let Some(bytes) = bytes.get_mut(..envelope.len()) else {
            return Ok(None);
        };
        bytes.copy_from_slice(envelope);
        let purse = self.machine.purse();
        let hoard = purse.limits().hoard.hundredths(Rounding::Trunc);
        let conditions = Conditions {
            port_allows: true,
            session_young: true,
            now,
            hold_power: false,
            purse: self.machine.is_prepaid().then(|| PurseConditions {
                state: self.purse_state(),
                customer: purse.is_open().then(|| purse.customer()),
                max_amount: MAX_RECHARGE,
                hoarding_limit: if hoard > 0 { hoard } else { i64::MAX },
            }),
        };
        let relay = if relay_closed {
            RelayFeedback::Closed
        } else {
            RelayFeedback::Open
        };
        let (ack, booked) = match self.gate.judge(b"", bytes, &conditions, relay) {
            Verdict::Dropped(_) => return Ok(None),
            Verdict::Repeated(ack) => (ack, false),
            Verdict::Refused(ack) => {
                self.save(store)?;
                (ack, false)
            }
            Verdict::New(pending) => {
                // Effect, number and answer go into one record: the sale is whole or absent.
                let order = *pending.order();
                let mut after = self.machine.clone();
                let outcome = match order.recharge() {
                    None => Outcome::Failed,
                    Some(recharge) => {
                        let recharge = Recharge {
                            customer: recharge.customer,
                            count: recharge.count,
                            amount: Money::from_hundredths(recharge.amount.into()),
                        };
                        let answer = if order.kind() == Kind::OpenAccount {
                            after
                                .purse_input(|purse| purse.open_with(recharge, at_s))
                                .map(|(answer, _)| answer)
                        } else {
                            after.recharge(recharge, at_s).map(|(answer, _)| answer)
                        };
                        match answer {
                            Ok(Answer::Done(..)) => Outcome::Done,
                            // The gate lets each count pass once.
                            Ok(Answer::AlreadyDone(_)) | Err(_) => Outcome::Failed,
                        }
                    }
                };
                let state = PurseState {
                    balance: after.purse().balance().hundredths(Rounding::Trunc),
                    count: after.purse().count(),
                };
                let memory = match outcome {
                    Outcome::Done => pending.state_when_done(relay, Some(state)),
                    _ => pending.state(),
                };
                self.sequence = write(&after, self.sequence, &memory, store)?;
                let verified = pending.stored();
                self.machine = after;
                let ack = self.gate.finish(verified, outcome, relay, Some(state));
                if outcome != Outcome::Done {
                    self.save(store)?;
                }
                (ack, outcome == Outcome::Done)
            }
        };
        self.seal(&ack, store).map(|sealed| {
            Some(Handled {
                sealed,
                accepted: ack.outcome == Outcome::Done,
                booked,
            })
        })
    }

    fn seal<S: Store>(
        &mut self,
        ack: &OrderAck,
        store: &mut S,
    ) -> Result<Vec<u8, MAX_SEALED>, StoreError> {
        if let Some(reservation) = self.answers.reservation() {
            write_number(store, PURSE_LIMIT, reservation.limit())?;
            reservation.confirm();
        }
        let plain = ack.encode();
        let plain = plain.get(..ack.encoded_len()).unwrap_or_default();
        let mut buffer = [0; MAX_SEALED];
        let sealed = self
            .answers
            .seal_from(Class::Acknowledge, b"", plain, &mut buffer)
            .map_err(|_| StoreError::Write)?;
        Vec::from_slice(sealed).map_err(|_| StoreError::TooLong {
            found: sealed.len(),
        })
    }

    fn purse_state(&self) -> PurseState {
        PurseState {
            balance: self.balance_hundredths(),
            count: self.machine.purse().count(),
        }
    }

    /// Obeys a remote command. `false` when keep power forbids it.
    pub fn command(&mut self, command: Command, at_s: i64) -> bool {
        self.machine.command(command, at_s).is_ok()
    }

    /// The key at the meter.
    pub fn key(&mut self) {
        let _ = self.machine.key();
    }

    /// Whether purse or remote control want the relay open.
    #[must_use]
    pub fn wants_open(&self) -> bool {
        self.machine.wants_open()
    }

    /// Balance in hundredths, cut towards zero; below zero is overdraft.
    #[must_use]
    pub fn balance_hundredths(&self) -> i64 {
        self.machine.purse().balance().hundredths(Rounding::Trunc)
    }

    /// 0 enough credit, 1 alarm amount reached, 2 supply ends; `None` without a purse.
    #[must_use]
    pub fn credit_level(&self) -> Option<u8> {
        let purse = self.machine.purse();
        self.machine.is_prepaid().then(|| {
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
        self.tariff()
            .map_or(0, |tariff| tariff.calendar().highest_rate())
            .min(RATES as u8)
    }

    /// Energy of a rate, watt hours.
    #[must_use]
    pub fn rate_wh(&self, rate: u8) -> u64 {
        self.machine.register_wh(rate).unwrap_or(0)
    }

    /// Price in force now, 0.0001 of the currency for a kilowatt hour.
    #[must_use]
    pub fn price_ten_thousandths(&self) -> u32 {
        let Some(tariff) = self.tariff() else {
            return 0;
        };
        let (_, tier) = tariff.tier(self.machine.tiers().wh);
        tariff
            .rate_price(self.machine.rate())
            .plus(tier)
            .ten_thousandths()
    }

    /// Limit 04001001 to 04001005 in hundredths.
    #[must_use]
    pub fn limit_hundredths(&self, number: u8) -> Option<i64> {
        let limits = self.machine.purse().limits();
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

    /// The tariff machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine<RATES> {
        &self.machine
    }
}

/// Version, memory of orders, machine.
fn write<S: Store>(
    machine: &Machine<RATES>,
    sequence: u32,
    gate: &[u8; STATE_LEN],
    store: &mut S,
) -> Result<u32, StoreError> {
    let mut record = [VERSION; MAX_RECORD];
    let too_long = StoreError::TooLong {
        found: 1 + STATE_LEN + stored::longest(RATES),
    };
    let (_, rest) = record.split_at_mut_checked(1).ok_or(too_long)?;
    let (state, rest) = rest.split_at_mut_checked(STATE_LEN).ok_or(too_long)?;
    state.copy_from_slice(gate);
    let sequence = sequence.wrapping_add(1);
    let length = stored::encode(machine, sequence, rest).map_err(|_| too_long)?;
    store.write(
        ACCOUNT,
        record.get(..1 + STATE_LEN + length).ok_or(too_long)?,
    )?;
    Ok(sequence)
}

fn split(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&version, rest) = record.split_first()?;
    if version != VERSION {
        return None;
    }
    rest.split_at_checked(STATE_LEN)
}
