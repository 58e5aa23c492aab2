//! The purse of an element: opening, recharging, initialising, status.

use super::cipher::{CUSTOMER_HEAD, PURSE_HEAD, file_head};
use super::files::{PURSE_FILE, READ, WRITE};
use super::meter::write;
use super::{Element, KeyName, Purse, Refused, turned};
use crate::engine::Block128;

impl<E: Block128> Element<E> {
    /// Exactly once: the count in the request must be the stored count + 1.
    pub(super) fn recharge(&mut self, data: &[u8], opening: bool) -> Result<(), Refused> {
        let data: &[u8; 22] = data.try_into().map_err(|_| Refused::OTHER)?;
        let [
            a0,
            a1,
            a2,
            a3,
            c0,
            c1,
            c2,
            c3,
            m0,
            m1,
            m2,
            m3,
            n0,
            n1,
            n2,
            n3,
            n4,
            n5,
            second @ ..,
        ] = *data;
        let (amount, count) = (turned([a0, a1, a2, a3]), turned([c0, c1, c2, c3]));
        let customer = turned([n0, n1, n2, n3, n4, n5]);
        let first = turned([m0, m1, m2, m3]);
        self.check_mac(KeyName::Parameter, PURSE_HEAD, &[&amount, &count], first)?;
        self.check_second_mac(
            KeyName::Parameter,
            CUSTOMER_HEAD,
            &[&customer],
            turned(second),
        )?;
        let (amount, count) = (u32::from_be_bytes(amount), u32::from_be_bytes(count));
        let purse = self.kept.purse;
        let is_open = purse.count > 0;
        if is_open && customer != purse.customer {
            return Err(Refused::CUSTOMER);
        }
        if is_open && count == purse.count {
            return Err(Refused::REPEATED);
        }
        if purse.count.checked_add(1) != Some(count) || opening == is_open {
            return Err(Refused::COUNT);
        }
        let balance = purse
            .balance
            .checked_add(amount)
            .filter(|balance| *balance <= self.hoarding_limit)
            .ok_or(Refused::HOARDING)?;
        self.change(|after| {
            after.purse = Purse {
                balance,
                count,
                customer,
            };
        });
        Ok(())
    }

    /// A preset balance and no purchases, for a meter that was not sold yet: only under the production key.
    pub(super) fn initialise(&mut self, data: &[u8]) -> Result<(), Refused> {
        let data: &[u8; 16] = data.try_into().map_err(|_| Refused::OTHER)?;
        let (fields, _) = data.as_chunks::<4>();
        let [amount, first, zero, second] = *fields else {
            return Err(Refused::OTHER);
        };
        let (amount, zero) = (turned(amount), turned(zero));
        let head = |offset| file_head(WRITE, PURSE_FILE, offset, 8);
        self.check_mac(KeyName::Parameter, head(0), &[&amount], turned(first))?;
        self.check_second_mac(KeyName::Parameter, head(4), &[&zero], turned(second))?;
        if zero != [0; 4] || self.kept.key(KeyName::Parameter).0.state != 0 {
            return Err(Refused::OTHER);
        }
        let balance = u32::from_be_bytes(amount);
        if balance > self.hoarding_limit {
            return Err(Refused::HOARDING);
        }
        self.change(|after| {
            after.purse = Purse {
                balance,
                ..Purse::default()
            };
        });
        Ok(())
    }

    /// Balance and purchase count, each with a MAC for the reader, customer number, info of the main key.
    pub(super) fn status(&mut self, out: &mut [u8]) -> Result<usize, Refused> {
        let Purse {
            balance,
            count,
            customer,
        } = self.kept.purse;
        let (balance, count) = (balance.to_be_bytes(), count.to_be_bytes());
        let head = |offset| file_head(READ, PURSE_FILE, offset, 8);
        let first = self.answer_mac(head(0), &balance)?;
        let second = self.answer_mac(head(4), &count)?;
        let (info, _) = self.kept.key(KeyName::Main);
        let parts: [&[u8]; 6] = [
            &turned(balance),
            &turned(first),
            &turned(count),
            &turned(second),
            &turned(customer),
            &turned(info.to_bytes()),
        ];
        write(out, &parts)
    }
}
