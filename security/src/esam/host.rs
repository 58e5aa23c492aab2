//! The reader's side: what a key server or its element computes.

use core::fmt;

use super::cipher::{
    self, CONTROL_HEAD, CUSTOMER_HEAD, PURSE_HEAD, VALIDITY_OFFSET, factor, parameter_head,
};
use super::{KeyInfo, KeyName, Purse, Refused, turned};
use crate::engine::{Block128, fill};
use crate::key::Secret;

/// The undiversified keys of a network, by [`KeyName`].
#[derive(Debug)]
pub struct HostKeys {
    /// Writes of parameters, recharges.
    pub parameter: Secret<16>,
    /// Relay, alarms, clearing.
    pub control: Secret<16>,
    /// Authentication.
    pub identity: Secret<16>,
    /// Updates of keys.
    pub main: Secret<16>,
}

impl HostKeys {
    /// The key of a name.
    pub const fn of(&self, name: KeyName) -> &Secret<16> {
        match name {
            KeyName::Parameter => &self.parameter,
            KeyName::Control => &self.control,
            KeyName::Identity => &self.identity,
            KeyName::Main => &self.main,
        }
    }
}

/// The reader's side of one meter at a time. All inputs and outputs are as on the line.
pub struct Host<E: Block128> {
    pub(super) engine: E,
    pub(super) keys: HostKeys,
    random1: Option<[u8; 8]>,
    /// High half of the random 1 that was sent last.
    asked: [u8; 4],
    met: Option<Met>,
}

/// A meter that takes requests of this reader.
#[derive(Clone, Copy)]
pub(super) struct Met {
    meter: [u8; 6],
    random2: [u8; 4],
    /// Initial value of the MACs that it answers with.
    pub random1: [u8; 4],
}

impl<E: Block128> fmt::Debug for Host<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

impl<E: Block128> Host<E> {
    /// A reader with the keys of its network.
    pub const fn new(engine: E, keys: HostKeys) -> Self {
        Self {
            engine,
            keys,
            random1: None,
            asked: [0; 4],
            met: None,
        }
    }

    /// Gives the random number for the next authentication, from a source that passed its tests. Each
    /// serves once.
    pub const fn give_random(&mut self, random1: [u8; 8]) {
        self.random1 = Some(random1);
    }

    /// The 24 bytes of a request for identity authentication (070000FF): ciphertext 1, random 1,
    /// dispersion factor. `meter` is its number, most significant byte first.
    ///
    /// # Errors
    /// [`Refused`] without a random number, or when the engine fails.
    pub fn begin(&mut self, meter: [u8; 6]) -> Result<[u8; 24], Refused> {
        self.met = None;
        let random1 = self.random1.take().ok_or(Refused::OTHER)?;
        let key = self.key(KeyName::Identity, meter)?;
        let proof = cipher::identity(&mut self.engine, &key, random1)?;
        self.asked = random1.first_chunk().copied().unwrap_or_default();
        let mut out = [0; 24];
        let parts: [&[u8]; 3] = [&turned(proof), &turned(random1), &turned(factor(meter))];
        fill(&mut out, &parts);
        Ok(out)
    }

    /// Takes the 12 bytes of the answer: random 2 and the serial number of the element. One-way, as in
    /// the standard: the meter has proved nothing by it.
    pub fn finish(&mut self, meter: [u8; 6], answer: [u8; 12]) {
        let random2 = answer.first_chunk().copied().unwrap_or_default();
        self.met = Some(Met {
            meter,
            random2: turned(random2),
            random1: self.asked,
        });
    }

    /// An order (1C, 1A, 1B): the 8 bytes N1 to N8 as on the line, for 1B and an identifier 12. Writes
    /// ciphertext and MAC, 20 bytes, to the front of `out`.
    ///
    /// # Errors
    /// [`Refused`] without an authentication, for another length, or when the engine fails.
    pub fn control(
        &mut self,
        meter: [u8; 6],
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let random2 = self.authenticated(meter)?;
        let ([kind, reserved, time @ ..], id) =
            plain.split_first_chunk::<8>().ok_or(Refused::OTHER)?;
        if !matches!(id.len(), 0 | 4) {
            return Err(Refused::OTHER);
        }
        let id: [u8; 4] = id.try_into().unwrap_or_default();
        let id = turned(id);
        let id = if plain.len() == 8 { &[][..] } else { &id };
        let parts: [&[u8]; 3] = [&[*kind, *reserved], &turned(*time), id];
        let key = self.key(KeyName::Control, meter)?;
        self.sealed(&key, random2, &parts, |_| CONTROL_HEAD, out)
    }

    /// A write of parameters under level 99: data as on the line, then MAC.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn parameters(
        &mut self,
        meter: [u8; 6],
        id: u32,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let len = data.len().saturating_add(4);
        let (body, tail) = out
            .get_mut(..len)
            .and_then(|out| out.split_last_chunk_mut::<4>())
            .ok_or(Refused::OTHER)?;
        body.copy_from_slice(data);
        body.reverse();
        let head = parameter_head(0, len.saturating_add(4));
        let mac = cipher::mac(
            &mut self.engine,
            &key,
            random2,
            head,
            &[&id.to_be_bytes(), body],
        )?;
        body.reverse();
        *tail = turned(mac);
        Ok(len)
    }

    /// A write of parameters under level 98: length, identifier and data encrypted, then MAC.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn hidden_parameters(
        &mut self,
        meter: [u8; 6],
        id: u32,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        const MOST: usize = 200;
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let mut turned = [0; MOST];
        let turned = turned.get_mut(..data.len()).ok_or(Refused::OTHER)?;
        turned.copy_from_slice(data);
        turned.reverse();
        let parts: [&[u8]; 2] = [&id.to_be_bytes(), turned];
        self.sealed(&key, random2, &parts, |len| parameter_head(0, len), out)
    }

    /// The 6 bytes of a change of validity (070001FF): minutes 1 to 9999, MAC.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn validity(&mut self, meter: [u8; 6], minutes: u16) -> Result<[u8; 6], Refused> {
        let bcd = bcd4(minutes).ok_or(Refused::OTHER)?;
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let head = parameter_head(VALIDITY_OFFSET, 6);
        let mac = cipher::mac(&mut self.engine, &key, random2, head, &[&bcd])?;
        let mut out = [0; 6];
        fill(&mut out, &[&turned(bcd), &turned(mac)]);
        Ok(out)
    }

    /// The 22 bytes of a recharge or of opening an account (070101FF, 070102FF): amount, purchase
    /// count, MAC, customer number, MAC. `sale` holds the amount as its balance.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn recharge(&mut self, meter: [u8; 6], sale: &Purse) -> Result<[u8; 22], Refused> {
        let random2 = self.authenticated(meter)?;
        let key = self.key(KeyName::Parameter, meter)?;
        let (amount, count) = (sale.balance.to_be_bytes(), sale.count.to_be_bytes());
        let engine = &mut self.engine;
        let mac1 = cipher::mac(engine, &key, random2, PURSE_HEAD, &[&amount, &count])?;
        let mac2 = cipher::mac(engine, &key, random2, CUSTOMER_HEAD, &[&sale.customer])?;
        let mut out = [0; 22];
        let parts: [&[u8]; 5] = [
            &turned(amount),
            &turned(count),
            &turned(mac1),
            &turned(sale.customer),
            &turned(mac2),
        ];
        fill(&mut out, &parts);
        Ok(out)
    }

    /// The 40 bytes of a key update (070201FF to 070204FF): key info, MAC, ciphered key.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn key_update(
        &mut self,
        meter: [u8; 6],
        info: KeyInfo,
        new: &Secret<16>,
    ) -> Result<[u8; 40], Refused> {
        let random2 = self.authenticated(meter)?;
        let main = self.key(KeyName::Main, meter)?;
        let ciphered = self.ciphered(&main, meter, info, new)?;
        let head = super::update::head(info.id, 36);
        let parts: [&[u8]; 2] = [&info.to_bytes(), &ciphered];
        let mac = cipher::mac(&mut self.engine, &main, random2, head, &parts)?;
        let mut out = [0; 40];
        let parts: [&[u8]; 3] = [&turned(info.to_bytes()), &turned(mac), &turned(ciphered)];
        fill(&mut out, &parts);
        Ok(out)
    }

    /// The bytes of an update of up to four keys in one (070301FF): for each key info and ciphered
    /// key, then one MAC over all. Returns their number.
    ///
    /// # Errors
    /// As [`Host::control`].
    pub fn key_updates(
        &mut self,
        meter: [u8; 6],
        keys: &[(KeyInfo, &Secret<16>)],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let random2 = self.authenticated(meter)?;
        let main = self.key(KeyName::Main, meter)?;
        let len = keys.len().saturating_mul(36);
        let (body, rest) = out.split_at_mut_checked(len).ok_or(Refused::OTHER)?;
        let tail = rest.first_chunk_mut::<4>().ok_or(Refused::OTHER)?;
        for (cell, (info, new)) in body.chunks_exact_mut(36).zip(keys) {
            let ciphered = self.ciphered(&main, meter, *info, new)?;
            fill(cell, &[&info.to_bytes(), &ciphered]);
        }
        let head = super::update::head(0, len);
        let mac = cipher::mac(&mut self.engine, &main, random2, head, &[body])?;
        super::update::turn_entries(body);
        *tail = turned(mac);
        Ok(len.saturating_add(4))
    }

    /// A new key, diversified for the meter and ciphered under its main key.
    fn ciphered(
        &mut self,
        main: &E::Key,
        meter: [u8; 6],
        info: KeyInfo,
        new: &Secret<16>,
    ) -> Result<[u8; 32], Refused> {
        let new = cipher::load(&mut self.engine, new)?;
        let new = cipher::diversify(&mut self.engine, &new, factor(meter))?;
        let mut out = [0; 32];
        let parts: [&[u8]; 2] = [&info.to_bytes(), new.expose()];
        cipher::seal(&mut self.engine, main, &parts, &mut out)?;
        Ok(out)
    }

    /// Ciphertext and MAC as one block, turned for the line.
    pub(super) fn sealed(
        &mut self,
        key: &E::Key,
        random2: [u8; 4],
        plain: &[&[u8]],
        head: impl FnOnce(usize) -> [u8; 5],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let len = cipher::seal(&mut self.engine, key, plain, out)?;
        let whole = len.saturating_add(4);
        let (block, tail) = out
            .get_mut(..whole)
            .and_then(|out| out.split_last_chunk_mut::<4>())
            .ok_or(Refused::OTHER)?;
        *tail = cipher::mac(&mut self.engine, key, random2, head(whole), &[block])?;
        if let Some(sealed) = out.get_mut(..whole) {
            sealed.reverse();
        }
        Ok(whole)
    }

    pub(super) fn authenticated(&self, meter: [u8; 6]) -> Result<[u8; 4], Refused> {
        self.met(meter).map(|met| met.random2)
    }

    pub(super) fn met(&self, meter: [u8; 6]) -> Result<Met, Refused> {
        let met = self.met.filter(|met| met.meter == meter);
        met.ok_or(Refused::IDENTITY)
    }

    pub(super) fn key(&mut self, name: KeyName, meter: [u8; 6]) -> Result<E::Key, Refused> {
        let key = cipher::load(&mut self.engine, self.keys.of(name))?;
        let key = cipher::diversify(&mut self.engine, &key, factor(meter))?;
        cipher::load(&mut self.engine, &key)
    }
}

/// Four decimal digits, most significant first; `None` for 0 and above 9999.
fn bcd4(value: u16) -> Option<[u8; 2]> {
    if value == 0 || value > 9999 {
        return None;
    }
    let pair = |two: u16| (((two / 10) << 4) | (two % 10)).to_le_bytes()[0];
    Some([pair(value / 100), pair(value % 100)])
}
