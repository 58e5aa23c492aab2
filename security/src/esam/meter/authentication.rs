//! Who asks: authentications, the MACs under them, and the infrared port.

use heapless::Vec;

use super::{Element, write};
use crate::ct;
use crate::engine::Block128;
use crate::esam::cipher::{self, VALIDITY_OFFSET, parameter_head};
use crate::esam::{KeyName, Purse, Refused, turned};

/// MACs of one authentication that are remembered.
const MACS: usize = 8;
/// Seconds that the infrared port stays open.
const INFRARED_SECONDS: u64 = 30 * 60;

pub(super) struct Authentication {
    random2: [u8; 4],
    /// High half of random 1: the initial value of MACs that go to the reader.
    random1: [u8; 4],
    pub until: u64,
    /// Accepted MACs, oldest first.
    macs: Vec<[u8; 4], MACS>,
    bad: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Infrared {
    Closed,
    /// The random number that the reader has to encrypt.
    Asked([u8; 8]),
    OpenUntil(u64),
}

impl<E: Block128> Element<E> {
    /// A MAC of the authentication in force, seen for the first time.
    pub(in crate::esam) fn check_mac(
        &mut self,
        name: KeyName,
        head: [u8; 5],
        data: &[&[u8]],
        mac: [u8; 4],
    ) -> Result<(), Refused> {
        self.judge_mac(name, head, data, mac, true)
    }

    /// The second MAC of a request, over what may be the same in the next one. The first, which is not, tells a repeat.
    pub(in crate::esam) fn check_second_mac(
        &mut self,
        name: KeyName,
        head: [u8; 5],
        data: &[&[u8]],
        mac: [u8; 4],
    ) -> Result<(), Refused> {
        self.judge_mac(name, head, data, mac, false)
    }

    fn judge_mac(
        &mut self,
        name: KeyName,
        head: [u8; 5],
        data: &[&[u8]],
        mac: [u8; 4],
        once: bool,
    ) -> Result<(), Refused> {
        if !self.bad_macs.allows_orders(self.day) {
            return Err(Refused::SUSPENDED);
        }
        let now_s = self.now_s;
        let authentication = self
            .authentication
            .as_mut()
            .filter(|authentication| now_s < authentication.until)
            .ok_or(Refused::IDENTITY)?;
        let key = cipher::load(&mut self.engine, &self.kept.key(name).1)?;
        let right = cipher::mac(&mut self.engine, &key, authentication.random2, head, data)?;
        let seen = once && authentication.macs.contains(&mac);
        if ct::same(&right, &mac) && !seen {
            if !once {
                return Ok(());
            }
            if authentication.macs.is_full() {
                authentication.macs.remove(0);
            }
            // There is room: the oldest was removed.
            let _ = authentication.macs.push(mac);
            return Ok(());
        }
        authentication.bad = authentication.bad.saturating_add(1);
        if authentication.bad == self.rules.per_authentication {
            self.authentication = None;
        }
        self.bad_macs.bad_tag(self.day);
        Err(Refused::MAC)
    }

    /// A MAC for the reader of the authentication in force, over what a file held.
    pub(in crate::esam) fn answer_mac(
        &mut self,
        head: [u8; 5],
        data: &[u8],
    ) -> Result<[u8; 4], Refused> {
        let random1 = self.in_force().ok_or(Refused::IDENTITY)?.random1;
        let key = cipher::load(&mut self.engine, &self.kept.key(KeyName::Parameter).1)?;
        cipher::mac(&mut self.engine, &key, random1, head, &[data])
    }

    pub(super) fn in_force(&self) -> Option<&Authentication> {
        self.authentication
            .as_ref()
            .filter(|authentication| self.now_s < authentication.until)
    }

    pub(super) fn authenticate(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize, Refused> {
        let (proof, rest) = data.split_first_chunk::<8>().ok_or(Refused::OTHER)?;
        let (random1, rest) = rest.split_first_chunk::<8>().ok_or(Refused::OTHER)?;
        let claimed: [u8; 8] = rest.try_into().map_err(|_| Refused::OTHER)?;
        // Before any cryptography: a request for another meter costs nothing.
        if turned(claimed) != self.kept.factor {
            return Err(Refused::ADDRESS);
        }
        if !self.bad_macs.allows_orders(self.day) {
            return Err(Refused::SUSPENDED);
        }
        self.authentication = None;
        let key = cipher::load(&mut self.engine, &self.kept.key(KeyName::Identity).1)?;
        let right = cipher::identity(&mut self.engine, &key, turned(*random1))?;
        if !ct::same(&right, &turned(*proof)) {
            self.bad_macs.bad_tag(self.day);
            return Err(Refused::IDENTITY);
        }
        let random2 = self.random2.take().ok_or(Refused::OTHER)?;
        let random2 = random2.first_chunk().copied().unwrap_or_default();
        let len = write(out, &[&turned(random2), &turned(self.kept.serial)])?;
        let seconds = u64::from(self.kept.minutes).saturating_mul(60);
        self.authentication = Some(Authentication {
            random2,
            random1: turned(*random1).first_chunk().copied().unwrap_or_default(),
            until: self.now_s.saturating_add(seconds),
            macs: Vec::new(),
            bad: 0,
        });
        Ok(len)
    }

    pub(super) fn set_validity(&mut self, data: &[u8]) -> Result<(), Refused> {
        let data: &[u8; 6] = data.try_into().map_err(|_| Refused::OTHER)?;
        let (minutes, mac) = data.split_first_chunk::<2>().ok_or(Refused::OTHER)?;
        let mac = mac.try_into().map_err(|_| Refused::OTHER)?;
        let bcd = turned(*minutes);
        let head = parameter_head(VALIDITY_OFFSET, 6);
        self.check_mac(KeyName::Parameter, head, &[&bcd], turned(mac))?;
        let digits = |byte: u8| {
            let (tens, ones) = (byte >> 4, byte & 0x0F);
            (tens < 10 && ones < 10).then_some(u16::from(tens * 10 + ones))
        };
        let [high, low] = bcd.map(digits);
        let minutes = high.and_then(|high| low.map(|low| high * 100 + low));
        let minutes = minutes.filter(|minutes| *minutes > 0);
        let minutes = minutes.ok_or(Refused::OTHER)?;
        self.change(|after| after.minutes = minutes);
        Ok(())
    }

    /// Ends the authentication and tells customer number, balance, purchase count and key info.
    pub(super) fn end(&mut self, out: &mut [u8]) -> Result<usize, Refused> {
        self.authentication = None;
        let Purse {
            balance,
            count,
            customer,
        } = self.kept.purse;
        let (info, _) = self.kept.key(KeyName::Main);
        let parts: [&[u8]; 4] = [
            &turned(customer),
            &turned(balance.to_be_bytes()),
            &turned(count.to_be_bytes()),
            &turned(info.to_bytes()),
        ];
        write(out, &parts)
    }

    /// The meter proves itself too, and asks the reader for a proof over a random number of its own.
    pub(super) fn infrared_ask(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize, Refused> {
        let random1: [u8; 8] = data.try_into().map_err(|_| Refused::OTHER)?;
        let random2 = self.random2.take().ok_or(Refused::OTHER)?;
        let key = cipher::load(&mut self.engine, &self.kept.key(KeyName::Identity).1)?;
        let proof = cipher::identity(&mut self.engine, &key, turned(random1))?;
        let [_, _, number @ ..] = self.kept.factor;
        let parts: [&[u8]; 4] = [
            &turned(number),
            &turned(self.kept.serial),
            &turned(proof),
            &turned(random2),
        ];
        let len = write(out, &parts)?;
        self.infrared = Infrared::Asked(random2);
        Ok(len)
    }

    pub(super) fn infrared_answer(&mut self, data: &[u8]) -> Result<(), Refused> {
        let proof: [u8; 8] = data.try_into().map_err(|_| Refused::OTHER)?;
        let Infrared::Asked(random2) = self.infrared else {
            return Err(Refused::IDENTITY);
        };
        self.infrared = Infrared::Closed;
        let key = cipher::load(&mut self.engine, &self.kept.key(KeyName::Identity).1)?;
        let right = cipher::identity(&mut self.engine, &key, random2)?;
        if !ct::same(&right, &turned(proof)) {
            return Err(Refused::IDENTITY);
        }
        self.infrared = Infrared::OpenUntil(self.now_s.saturating_add(INFRARED_SECONDS));
        Ok(())
    }
}
