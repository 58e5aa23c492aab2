//! Double-entry ledger of a prepaid platform: sales, deliveries to the meter, consumption, returns,
//! corrections, holds of charging sessions (feature `std`).
//!
//! Operations carry an id given before the first try. The same id with the same content is a repeat
//! and does nothing; with other content it is refused. A refused operation books nothing and its id
//! stays free. Entries are never changed: a mistake is met by a correcting entry. The sum of all
//! accounts is always zero.
//!
//! ```
//! use tariff::ledger::{Account, Ledger, Operation, Outcome};
//!
//! let mut ledger = Ledger::new();
//! let sale = Operation::Sell { customer: "A".into(), amount: 10_000 };
//! assert_eq!(ledger.post("s1", &sale), Ok(Outcome::Booked));
//! assert_eq!(ledger.post("s1", &sale), Ok(Outcome::Exists));
//! ledger.post("d1", &Operation::Deliver { sale: "s1".into() })?;
//! assert_eq!(ledger.balance(&Account::Meter("A".into())), -10_000); // credit the customer can use
//! assert_eq!(ledger.balances().map(|(_, balance)| balance).sum::<i64>(), 0);
//! # Ok::<(), tariff::ledger::Refusal>(())
//! ```

mod operation;

use std::collections::BTreeMap;

pub use operation::{Account, Entry, Operation, Posted, Refusal};

/// What posting an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its entries were booked.
    Booked,
    /// It was booked before with the same content; nothing happened.
    Exists,
}

/// How far a sale is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sale {
    customer: String,
    amount: i64,
    delivered: bool,
    returned: bool,
}

/// A hold not yet captured or released.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hold {
    customer: String,
    amount: i64,
    expires_s: i64,
    open: bool,
}

/// Accounts, operations and their entries. What has to be kept is the list of [`Posted`]: all the
/// rest follows from it ([`Ledger::replay`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    balances: BTreeMap<Account, i64>,
    posted: Vec<Posted>,
    by_id: BTreeMap<String, usize>,
    sales: BTreeMap<String, Sale>,
    holds: BTreeMap<String, Hold>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Ledger::default()
    }

    /// The ledger that these operations made, in their order.
    ///
    /// # Errors
    /// The first operation that does not book what it booked before.
    pub fn replay(posted: impl IntoIterator<Item = Posted>) -> Result<Self, Posted> {
        let mut ledger = Ledger::new();
        for operation in posted {
            let again = ledger.post(&operation.id, &operation.operation);
            if again != Ok(Outcome::Booked) || ledger.posted.last() != Some(&operation) {
                return Err(operation);
            }
        }
        Ok(ledger)
    }

    /// Books an operation.
    ///
    /// # Errors
    /// [`Refusal`]; nothing is booked and the id stays free.
    pub fn post(&mut self, id: &str, operation: &Operation) -> Result<Outcome, Refusal> {
        if let Some(known) = self.by_id.get(id).and_then(|&index| self.posted.get(index)) {
            return if known.operation == *operation {
                Ok(Outcome::Exists)
            } else {
                Err(Refusal::IdReused)
            };
        }
        let entries = self.entries(operation)?;
        let mut after = Vec::new();
        for entry in &entries {
            for (account, amount) in [(&entry.debit, entry.amount), (&entry.credit, -entry.amount)]
            {
                let held = after
                    .iter_mut()
                    .find(|(known, _): &&mut (&Account, i64)| *known == account);
                let sum = |before: i64| before.checked_add(amount).ok_or(Refusal::Amount);
                match held {
                    Some((_, balance)) => *balance = sum(*balance)?,
                    None => after.push((account, sum(self.balance(account))?)),
                }
            }
        }
        for (account, balance) in after {
            self.balances.insert(account.clone(), balance);
        }
        self.follow(id, operation);
        self.by_id.insert(id.to_owned(), self.posted.len());
        self.posted.push(Posted {
            id: id.to_owned(),
            operation: operation.clone(),
            entries,
        });
        Ok(Outcome::Booked)
    }

    /// Books many operations, each for itself; a batch can be given again as a whole.
    pub fn batch<'a>(
        &mut self,
        operations: impl IntoIterator<Item = (&'a str, &'a Operation)>,
    ) -> Vec<Result<Outcome, Refusal>> {
        let operations = operations.into_iter();
        operations
            .map(|(id, operation)| self.post(id, operation))
            .collect()
    }

    /// Books all of them or none.
    ///
    /// # Errors
    /// The index of the first refused one and why; nothing is booked.
    pub fn linked<'a>(
        &mut self,
        operations: impl IntoIterator<Item = (&'a str, &'a Operation)>,
    ) -> Result<(), (usize, Refusal)> {
        let mut after = self.clone();
        for (index, (id, operation)) in operations.into_iter().enumerate() {
            after.post(id, operation).map_err(|why| (index, why))?;
        }
        *self = after;
        Ok(())
    }

    /// Releases the holds whose time is over (UTC seconds); their operations get the id of the hold
    /// with `/expired` behind it. Returns how many.
    pub fn expire(&mut self, now_s: i64) -> usize {
        let due = self.holds.iter();
        let due: Vec<String> = due
            .filter(|(_, hold)| hold.open && hold.expires_s <= now_s)
            .map(|(id, _)| id.clone())
            .collect();
        due.into_iter()
            .filter(|hold| {
                let release = Operation::Release { hold: hold.clone() };
                self.post(&format!("{hold}/expired"), &release) == Ok(Outcome::Booked)
            })
            .count()
    }

    /// The balance of an account: debits less credits, smallest units of the currency.
    #[must_use]
    pub fn balance(&self, account: &Account) -> i64 {
        self.balances.get(account).copied().unwrap_or(0)
    }

    /// All accounts that were ever moved.
    pub fn balances(&self) -> impl Iterator<Item = (&Account, i64)> {
        self.balances
            .iter()
            .map(|(account, &balance)| (account, balance))
    }

    /// All operations in the order of booking.
    #[must_use]
    pub fn posted(&self) -> &[Posted] {
        &self.posted
    }

    /// An operation by its id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Posted> {
        self.posted.get(*self.by_id.get(id)?)
    }

    /// The entries of an operation as things stand.
    fn entries(&self, operation: &Operation) -> Result<Vec<Entry>, Refusal> {
        let positive = |amount: i64| {
            if amount > 0 {
                Ok(amount)
            } else {
                Err(Refusal::Amount)
            }
        };
        let entry = |debit, credit, amount| Entry {
            debit,
            credit,
            amount,
        };
        let customer = |name: &String| Account::Customer(name.clone());
        let meter = |name: &String| Account::Meter(name.clone());
        let entries = match operation {
            Operation::Sell {
                customer: name,
                amount,
            } => vec![entry(Account::Cash, customer(name), positive(*amount)?)],
            Operation::Deliver { sale } => {
                let sale = self.sale(sale)?;
                if sale.delivered {
                    return Err(Refusal::AlreadyDelivered);
                }
                let name = &sale.customer;
                vec![entry(customer(name), meter(name), sale.amount)]
            }
            Operation::Return { sale } => {
                let sale = self.sale(sale)?;
                let name = &sale.customer;
                if sale.delivered {
                    // The meter's credit is what it holds below zero.
                    if self.balance(&meter(name)) > -sale.amount {
                        return Err(Refusal::MeterBalanceTooLow);
                    }
                    vec![entry(meter(name), Account::Cash, sale.amount)]
                } else {
                    vec![entry(customer(name), Account::Cash, sale.amount)]
                }
            }
            Operation::Consume {
                customer: name,
                parts,
            } => {
                if parts.is_empty() {
                    return Err(Refusal::Amount);
                }
                let each = parts.iter().map(|(part, amount)| {
                    Ok(entry(
                        meter(name),
                        Account::Revenue(part.clone()),
                        positive(*amount)?,
                    ))
                });
                each.collect::<Result<_, _>>()?
            }
            Operation::Correct {
                customer: name,
                amount,
                ..
            } => {
                let magnitude = positive(amount.checked_abs().ok_or(Refusal::Amount)?)?;
                if *amount > 0 {
                    vec![entry(Account::Adjustment, meter(name), magnitude)]
                } else {
                    vec![entry(meter(name), Account::Adjustment, magnitude)]
                }
            }
            Operation::Hold {
                customer: name,
                amount,
                ..
            } => vec![entry(customer(name), Account::Hold, positive(*amount)?)],
            Operation::Capture { hold, amount } => {
                let hold = self.hold(hold)?;
                let rest = hold.amount - positive(*amount)?;
                if rest < 0 {
                    return Err(Refusal::HoldTooSmall);
                }
                let revenue = Account::Revenue(String::new());
                let mut entries = vec![entry(Account::Hold, revenue, *amount)];
                if rest > 0 {
                    entries.push(entry(Account::Hold, customer(&hold.customer), rest));
                }
                entries
            }
            Operation::Release { hold } => {
                let hold = self.hold(hold)?;
                vec![entry(Account::Hold, customer(&hold.customer), hold.amount)]
            }
            Operation::WriteOff { account, amount } => {
                vec![entry(Account::BadDebt, account.clone(), positive(*amount)?)]
            }
        };
        Ok(entries)
    }

    fn sale(&self, id: &str) -> Result<&Sale, Refusal> {
        match self.sales.get(id) {
            None => Err(Refusal::NoSuchSale),
            Some(sale) if sale.returned => Err(Refusal::AlreadyReturned),
            Some(sale) => Ok(sale),
        }
    }

    fn hold(&self, id: &str) -> Result<&Hold, Refusal> {
        match self.holds.get(id) {
            None => Err(Refusal::NoSuchHold),
            Some(hold) if !hold.open => Err(Refusal::HoldSettled),
            Some(hold) => Ok(hold),
        }
    }

    /// Sales and holds after an operation was booked.
    fn follow(&mut self, id: &str, operation: &Operation) {
        match operation {
            Operation::Sell { customer, amount } => {
                let sale = Sale {
                    customer: customer.clone(),
                    amount: *amount,
                    delivered: false,
                    returned: false,
                };
                self.sales.insert(id.to_owned(), sale);
            }
            Operation::Deliver { sale } => {
                if let Some(sale) = self.sales.get_mut(sale) {
                    sale.delivered = true;
                }
            }
            Operation::Return { sale } => {
                if let Some(sale) = self.sales.get_mut(sale) {
                    sale.returned = true;
                }
            }
            Operation::Hold {
                customer,
                amount,
                expires_s,
            } => {
                let hold = Hold {
                    customer: customer.clone(),
                    amount: *amount,
                    expires_s: *expires_s,
                    open: true,
                };
                self.holds.insert(id.to_owned(), hold);
            }
            Operation::Capture { hold, .. } | Operation::Release { hold } => {
                if let Some(hold) = self.holds.get_mut(hold) {
                    hold.open = false;
                }
            }
            Operation::Consume { .. } | Operation::Correct { .. } | Operation::WriteOff { .. } => {}
        }
    }
}
