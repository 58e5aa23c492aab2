//! Purse orders: opened, judged, carried out and answered, each with one record.

use dlt645::Operator;
use heapless::Vec;
use security::envelope::Class;
use security::gate::{Conditions, PurseConditions, Verdict};
use security::order::{Kind, Moment as Deadline, OrderAck, Outcome, PurseState, RelayFeedback};
use tariff::civil::Moment;
use tariff::machine::{Effect, Machine};
use tariff::meter::Kept;
use tariff::purse::{Answer, Recharge, Refusal};
use tariff::{Money, Rounding};

use super::{Account, CHANNELS, DEMANDS, Keeper, NO_VALUES, RATES, write};
use crate::crossing::MAX_SEALED;
use crate::metering::write_number;
use crate::records::PURSE_LIMIT;
use crate::store::{Store, StoreError};

/// Highest amount of one recharge, hundredths.
const MAX_RECHARGE: u32 = 99_999_999;

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
    /// Opens and carries out a purse order. `None` when it is not genuine.
    ///
    /// # Errors
    /// [`StoreError`]: nothing happened, the same order may come again.
    pub fn order<S: Store>(
        &mut self,
        envelope: &[u8],
        now: Option<Deadline>,
        at: Moment,
        relay_closed: bool,
        store: &mut S,
    ) -> Result<Option<Handled>, StoreError> {
        let mut bytes = [0; MAX_SEALED];
        let Some(bytes) = bytes.get_mut(..envelope.len()) else {
            return Ok(None);
        };
        bytes.copy_from_slice(envelope);
        let machine = self.meter.machine();
        let purse = machine.purse();
        let hoard = purse.limits().hoard.hundredths(Rounding::Trunc);
        let conditions = Conditions {
            port_allows: true,
            session_young: true,
            now,
            hold_power: false,
            purse: machine.is_prepaid().then(|| PurseConditions {
                state: self.purse_state(),
                refunds: purse.refunds(),
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
                let Ok(order) = pending.order().copied() else {
                    return Ok(None);
                };
                let mut after = self.meter.clone();
                let by = [self.operator, Operator::from_line(order.operator())];
                let mut keeper =
                    Keeper::new(store, &self.capacities, &NO_VALUES, &mut self.reactive, by);
                let done = order.recharge().map(|fields| {
                    let keep = |row: Kept<'_, CHANNELS, RATES, DEMANDS>| keeper.keep(&row);
                    after.input(at, keep, |machine| {
                        carry_out(machine, order.kind(), fields, at.utc_s)
                    })
                });
                let outcome = match done {
                    Some(Ok(true)) => Outcome::Done,
                    // The gate lets each count pass once.
                    Some(Ok(false) | Err(_)) | None => Outcome::Failed,
                };
                keeper.done(true)?;
                let purse = after.machine().purse();
                let state = PurseState {
                    balance: purse.balance().hundredths(Rounding::Trunc),
                    count: purse.count(),
                };
                let memory = match outcome {
                    Outcome::Done => pending.state_when_done(relay, Some(state)),
                    _ => pending.state(),
                };
                self.sequence = write(&after, self.sequence, &memory, self.operator, store)?;
                self.meter = after;
                let Ok(verified) = pending.stored() else {
                    return Ok(None);
                };
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
            count: self.machine().purse().count(),
        }
    }
}

/// The effect of a purse order; `false` when its count was done before.
fn carry_out(
    machine: &mut Machine<RATES>,
    kind: Kind,
    fields: &security::order::Recharge,
    at_s: i64,
) -> Result<bool, Refusal> {
    let order = Recharge {
        customer: fields.customer,
        count: fields.count,
        amount: Money::from_hundredths(fields.amount.into()),
    };
    let is_new = |(answer, _): (Answer, Effect)| matches!(answer, Answer::Done(..));
    match kind {
        Kind::OpenAccount => machine
            .purse_input(|purse| purse.open_with(order, at_s))
            .map(is_new),
        Kind::Recharge | Kind::CorrectUp => machine.recharge(order, at_s).map(is_new),
        Kind::Refund | Kind::CorrectDown => {
            let (answer, _) = machine.refund(order, at_s)?;
            Ok(matches!(answer, Answer::Done(..)))
        }
        Kind::CloseAccount => machine.close_account().map(|()| true),
        Kind::ToLocal => machine.to_local(order.amount).map(|_| true),
        Kind::ToRemote => machine.to_remote().map(|_| true),
        _ => Ok(false),
    }
}
