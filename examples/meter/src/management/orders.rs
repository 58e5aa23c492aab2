//! Commands of the gateway: orders passed on unopened, recharges carried out here.

use heapless::Vec;
use meter_proto::message::{Command, CommandBody, CommandResult, Head, Sealed, Status, Stream};
use meter_proto::outbox::OutboxStore;
use security::key::Purpose;

use super::{MAX_MESSAGE, ManagementCore, Passing};
use crate::clock;
use crate::store::Store;

impl<S: Store, O: OutboxStore> ManagementCore<S, O> {
    pub(super) fn finish_order(&mut self, status: Status, sealed: Option<&[u8]>) {
        let Some(passing) = self.passing.take() else {
            return;
        };
        let sealed = sealed.and_then(|bytes| Vec::from_slice(bytes).ok());
        let sealed = sealed.map(|envelope| Sealed {
            purpose: Purpose::Lctrl.number(),
            envelope,
        });
        if status == Status::REFUSED {
            self.counts.refused = self.counts.refused.saturating_add(1);
        }
        let result = self.result(passing.id, status, sealed);
        self.push_result(&result);
        // Its effect is wanted at once.
        self.next_read_ms = self.now_ms;
    }

    fn result(&self, id: u64, status: Status, sealed: Option<Sealed>) -> CommandResult {
        CommandResult {
            id,
            status,
            finished: self.stamp(),
            detail: 0,
            value: None,
            sealed,
        }
    }

    fn push_result(&mut self, result: &CommandResult) {
        let stamp = self.stamp();
        let mut scratch = [0; MAX_MESSAGE];
        if self
            .outbox
            .push(Stream::LEDGER, 0, stamp, result, &mut scratch)
            .is_err()
        {
            self.counts.lost = self.counts.lost.saturating_add(1);
        }
    }

    /// Carries out a command of the gateway; the head and body of its answer. Orders for the metering core answer
    /// "running"; their sealed acknowledgement comes as a record on stream 5.
    pub fn command(&mut self, command: &Command) -> (Head, CommandResult) {
        let now_s = self.utc_ms() / 1000;
        let result = match &command.body {
            body if !body.only_reads() && command.expires <= now_s => {
                self.result(command.id, Status::EXPIRED, None)
            }
            CommandBody::Sealed(sealed) if sealed.purpose == Purpose::Lctrl.number() => {
                self.pass_order(command.id, &sealed.envelope)
            }
            CommandBody::Sealed(sealed) if sealed.purpose == Purpose::Purse.number() => {
                self.purse_order(command.id, &sealed.envelope)
            }
            CommandBody::Relay { .. } | CommandBody::Sealed(_) => {
                self.result(command.id, Status::REFUSED, None)
            }
            _ => self.result(command.id, Status::UNKNOWN_BODY, None),
        };
        if matches!(result.status, Status::REFUSED | Status::EXPIRED) {
            self.counts.refused = self.counts.refused.saturating_add(1);
        }
        (Head::session(self.boot, self.stamp()), result)
    }

    fn pass_order(&mut self, id: u64, envelope: &[u8]) -> CommandResult {
        match &self.passing {
            Some(passing) if passing.id == id => return self.result(id, Status::RUNNING, None),
            Some(_) => return self.result(id, Status::FAILED, None),
            None => {}
        }
        match Vec::from_slice(envelope) {
            Ok(envelope) if !envelope.is_empty() => {
                self.passing = Some(Passing { id, envelope });
                self.result(id, Status::RUNNING, None)
            }
            _ => self.result(id, Status::BAD_ARGUMENT, None),
        }
    }

    fn purse_order(&mut self, id: u64, envelope: &[u8]) -> CommandResult {
        let now = clock::order_moment(self.utc_ms(), self.config.utc_offset_min);
        let at = self.moment();
        let relay = self.totals.relay.closed;
        let outcome = self
            .account
            .order(envelope, now, at, relay, &mut self.store);
        let result = match outcome {
            Err(_) => {
                self.counts.store_failures = self.counts.store_failures.saturating_add(1);
                return self.result(id, Status::FAILED, None);
            }
            Ok(None) => return self.result(id, Status::REFUSED, None),
            Ok(Some(done)) => {
                if done.booked {
                    self.counts.recharges = self.counts.recharges.saturating_add(1);
                }
                let status = if done.accepted {
                    Status::DONE
                } else {
                    Status::REFUSED
                };
                let envelope = Vec::from_slice(&done.sealed).unwrap_or_default();
                self.result(
                    id,
                    status,
                    Some(Sealed {
                        purpose: Purpose::Purse.number(),
                        envelope,
                    }),
                )
            }
        };
        self.tell_credit();
        self.push_result(&result);
        result
    }
}
