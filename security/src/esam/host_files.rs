//! The reader's side of an element's files and purse.

use super::cipher::{self, factor, file_head};
use super::files::{COMPARED_LEN, INFO_FILE, PURSE_FILE, READ, READ_BACK_MAX, ReadTag, WRITE};
use super::{Host, KeyInfo, KeyName, Purse, Refused, turned};
use crate::ct;
use crate::engine::{Block128, copy, fill};

/// What an element says of itself (078102FF), its MACs checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Balance, purchase count, customer number. The customer number has no MAC.
    pub purse: Purse,
    /// Info of the main key; without a MAC.
    pub main_key: KeyInfo,
}

impl<E: Block128> Host<E> {
    /// A write of the information file (070004FF in clear, 070005FF ciphered), data as on the line. Returns the length
    /// of the request in `out`.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn write_file(
        &mut self,
        meter: [u8; 6],
        offset: u8,
        data: &[u8],
        hidden: bool,
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let (head, block) = out.split_first_chunk_mut::<3>().ok_or(Refused::OTHER)?;
        *head = [INFO_FILE, offset, 0x80 | INFO_FILE];
        let mut inner = [0; 64];
        let inner = inner.get_mut(..data.len()).ok_or(Refused::OTHER)?;
        copy(inner, data);
        inner.reverse();
        let command = |len| file_head(WRITE, INFO_FILE, offset, len);
        let len = if hidden {
            self.sealed(&key, random2, &[inner], command, block)?
        } else {
            let len = data.len().saturating_add(4);
            let mac = cipher::mac(&mut self.engine, &key, random2, command(len), &[inner])?;
            let block = block.get_mut(..len).ok_or(Refused::OTHER)?;
            fill(block, &[data, &turned(mac)]);
            len
        };
        Ok(len.saturating_add(3))
    }

    /// Checks the answer to a read back (078001FF) and writes the data in it as on the line.
    ///
    /// # Errors
    /// [`Refused::MAC`] when it is not what was asked for, or not by this meter; as [`Host::control`].
    pub fn read_back(
        &mut self,
        meter: [u8; 6],
        asked: ReadTag,
        answer: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let (tag, rest) = answer.split_first_chunk::<8>().ok_or(Refused::MAC)?;
        let (data, mac) = rest.split_last_chunk::<4>().ok_or(Refused::MAC)?;
        if ReadTag::from_line(*tag) != Some(asked) || data.len() != usize::from(asked.len) {
            return Err(Refused::MAC);
        }
        let mut inner = [0; READ_BACK_MAX];
        let inner = inner.get_mut(..data.len()).ok_or(Refused::MAC)?;
        copy(inner, data);
        inner.reverse();
        self.check(meter, asked.head(), inner, turned(*mac))?;
        copy(out.get_mut(..data.len()).ok_or(Refused::OTHER)?, data);
        Ok(data.len())
    }

    /// The 16 bytes of an initialisation of the purse (070103FF): preset balance, MAC, zero, MAC.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn initialise(&mut self, meter: [u8; 6], balance: u32) -> Result<[u8; 16], Refused> {
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let amount = balance.to_be_bytes();
        let head = |offset| file_head(WRITE, PURSE_FILE, offset, 8);
        let first = cipher::mac(&mut self.engine, &key, random2, head(0), &[&amount])?;
        let second = cipher::mac(&mut self.engine, &key, random2, head(4), &[&[0; 4]])?;
        let mut out = [0; 16];
        let parts: [&[u8]; 4] = [&turned(amount), &turned(first), &[0; 4], &turned(second)];
        fill(&mut out, &parts);
        Ok(out)
    }

    /// Checks the answer to a question for the status (078102FF).
    ///
    /// # Errors
    /// As [`Host::read_back`].
    pub fn status(&mut self, meter: [u8; 6], answer: &[u8; 26]) -> Result<Shown, Refused> {
        let (fields, rest) = answer.split_at(16);
        let [balance, first, count, second] = *fields.as_chunks::<4>().0 else {
            return Err(Refused::OTHER);
        };
        let (balance, count) = (turned(balance), turned(count));
        let head = |offset| file_head(READ, PURSE_FILE, offset, 8);
        self.check(meter, head(0), &balance, turned(first))?;
        self.check(meter, head(4), &count, turned(second))?;
        let (customer, info) = rest.split_first_chunk::<6>().ok_or(Refused::OTHER)?;
        let info = info.try_into().map_err(|_| Refused::OTHER)?;
        Ok(Shown {
            purse: Purse {
                balance: u32::from_be_bytes(balance),
                count: u32::from_be_bytes(count),
                customer: turned(*customer),
            },
            main_key: KeyInfo::from_bytes(turned(info)),
        })
    }

    /// What a meter answers to a program comparison (078002FF) if 64 bytes of its program, and the 8 that diversify the
    /// key, are these: as on the line. Without a number of the asker in it, it shows no more than that somebody knows
    /// the program; `attest` shows what runs.
    ///
    /// # Errors
    /// [`Refused`] when the engine fails.
    pub fn compared(
        &mut self,
        meter: [u8; 6],
        name: KeyName,
        diversifier: [u8; 8],
        program: [u8; COMPARED_LEN],
    ) -> Result<[u8; COMPARED_LEN], Refused> {
        let key = cipher::load(&mut self.engine, self.keys.of(name))?;
        let key = cipher::diversify(&mut self.engine, &key, factor(meter))?;
        cipher::compared(&mut self.engine, &key, diversifier, program).map(turned)
    }

    fn check(
        &mut self,
        meter: [u8; 6],
        head: [u8; 5],
        data: &[u8],
        mac: [u8; 4],
    ) -> Result<(), Refused> {
        let random1 = self.met(meter)?.random1;
        let key = self.key(KeyName::Parameter, meter)?;
        let right = cipher::mac(&mut self.engine, &key, random1, head, &[data])?;
        if ct::same(&right, &mac) {
            Ok(())
        } else {
            Err(Refused::MAC)
        }
    }
}
