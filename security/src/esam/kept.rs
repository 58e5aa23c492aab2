//! What an element keeps across power cuts.

use super::{KeyInfo, KeyName, Purse, Refused};
use crate::cmac;
use crate::engine::{Block128, copy, fill};
use crate::key::Secret;
use crate::wrap;

/// Length of a stored element.
pub const RECORD_LEN: usize = BODY_LEN + 16;

/// Length of the information file.
pub const FILE_LEN: usize = 64;

const HEAD_LEN: usize = 56;
const BODY_LEN: usize = HEAD_LEN + FILE_LEN + wrap::OVERHEAD + 64;
/// 2: with the information file.
const VERSION: u8 = 2;

/// Keys, purse and settings of one element.
#[derive(Debug)]
pub struct Kept {
    pub factor: [u8; 8],
    pub serial: [u8; 8],
    /// Minutes of an authentication, 1 to 9999.
    pub minutes: u16,
    /// Rises with each stored change.
    pub generation: u32,
    pub purse: Purse,
    /// The information file, for whatever the head end keeps in the meter.
    pub file: [u8; FILE_LEN],
    /// By number, from 1.
    pub keys: [(KeyInfo, Secret<16>); 4],
}

impl Kept {
    pub fn duplicate(&self) -> Self {
        let [a, b, c, d] = &self.keys;
        let copied = |(info, secret): &(KeyInfo, Secret<16>)| (*info, secret.duplicate());
        Self {
            factor: self.factor,
            serial: self.serial,
            minutes: self.minutes,
            generation: self.generation,
            purse: self.purse,
            file: self.file,
            keys: [copied(a), copied(b), copied(c), copied(d)],
        }
    }

    pub const fn key(&self, name: KeyName) -> &(KeyInfo, Secret<16>) {
        let [parameter, control, identity, main] = &self.keys;
        match name {
            KeyName::Parameter => parameter,
            KeyName::Control => control,
            KeyName::Identity => identity,
            KeyName::Main => main,
        }
    }

    pub fn set_key(&mut self, name: KeyName, info: KeyInfo, secret: Secret<16>) {
        let [parameter, control, identity, main] = &mut self.keys;
        let place = match name {
            KeyName::Parameter => parameter,
            KeyName::Control => control,
            KeyName::Identity => identity,
            KeyName::Main => main,
        };
        *place = (info, secret);
    }

    /// `version | 0 | minutes 2 | generation 4 | factor 8 | serial 8 | balance 4 | count 4 | customer 6
    /// | 0 0 | key infos 16 | information file 64 | wrapped keys 72 | CMAC 16`.
    pub fn encode<E: Block128>(
        &self,
        engine: &mut E,
        chip: &E::Key,
    ) -> Result<[u8; RECORD_LEN], Refused> {
        let mut out = [0; RECORD_LEN];
        let (body, tag) = out.split_at_mut(BODY_LEN);
        let (head, rest) = body.split_at_mut(HEAD_LEN);
        let (file, keys) = rest.split_at_mut(FILE_LEN);
        copy(file, &self.file);
        let Purse {
            balance,
            count,
            customer,
        } = self.purse;
        let [a, b, c, d] = &self.keys;
        let infos = [a.0, b.0, c.0, d.0].map(KeyInfo::to_bytes);
        let parts: [&[u8]; 9] = [
            &[VERSION, 0],
            &self.minutes.to_be_bytes(),
            &self.generation.to_be_bytes(),
            &self.factor,
            &self.serial,
            &balance.to_be_bytes(),
            &count.to_be_bytes(),
            &customer,
            &[0, 0],
        ];
        fill(head, &parts);
        copy(head.get_mut(40..).unwrap_or_default(), infos.as_flattened());
        let cells = keys.get_mut(wrap::OVERHEAD..).unwrap_or_default();
        for (cell, (_, secret)) in cells.chunks_exact_mut(16).zip(&self.keys) {
            copy(cell, secret.expose());
        }
        wrap::wrap(engine, chip, keys).map_err(|_| Refused::OTHER)?;
        copy(tag, &cmac::mac(engine, chip, &[body]).map_err(Into::into)?);
        Ok(out)
    }

    /// The element of a record that is whole.
    pub fn decode<E: Block128>(
        engine: &mut E,
        chip: &E::Key,
        record: &[u8; RECORD_LEN],
    ) -> Result<Self, Refused> {
        let (body, tag) = record.split_last_chunk::<16>().ok_or(Refused::OTHER)?;
        let whole = cmac::verify(engine, chip, &[body], tag).map_err(Into::into)?;
        let (head, rest) = body
            .split_first_chunk::<HEAD_LEN>()
            .filter(|(head, _)| whole && head[0] == VERSION)
            .ok_or(Refused::OTHER)?;
        let (file, wrapped) = rest.split_first_chunk().ok_or(Refused::OTHER)?;
        let [_, _, m0, m1, g0, g1, g2, g3, rest @ ..] = *head;
        let (factor, rest) = rest.split_first_chunk::<8>().ok_or(Refused::OTHER)?;
        let (serial, rest) = rest.split_first_chunk::<8>().ok_or(Refused::OTHER)?;
        let (purse, infos) = rest.split_first_chunk::<16>().ok_or(Refused::OTHER)?;
        let [b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3, d4, d5, _, _] = *purse;

        let mut keys = Secret::new([0; wrap::OVERHEAD + 64]);
        copy(keys.expose_mut(), wrapped);
        let keys = wrap::unwrap(engine, chip, keys.expose_mut()).map_err(|_| Refused::OTHER)?;
        let mut cells = keys.chunks_exact(16).zip(infos.as_chunks::<4>().0);
        let mut key = || {
            let (cell, info) = cells.next().unwrap_or((&[], &[0; 4]));
            let mut secret = Secret::new([0; 16]);
            copy(secret.expose_mut(), cell);
            (KeyInfo::from_bytes(*info), secret)
        };
        Ok(Self {
            factor: *factor,
            serial: *serial,
            minutes: u16::from_be_bytes([m0, m1]),
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
            purse: Purse {
                balance: u32::from_be_bytes([b0, b1, b2, b3]),
                count: u32::from_be_bytes([c0, c1, c2, c3]),
                customer: [d0, d1, d2, d3, d4, d5],
            },
            file: *file,
            keys: [key(), key(), key(), key()],
        })
    }
}
