//! The meter's element.

use core::fmt;

use zeroize::Zeroize;

use super::cipher::{self, CONTROL_HEAD, factor, parameter_head};
use super::files::ReadProgram;
use super::kept::{FILE_LEN, Kept, RECORD_LEN};
use super::update::{self, ENTRY_LEN};
use super::{HostKeys, KeyInfo, KeyName, Purse, Refused, turned};
use crate::engine::{Block128, copy, fill};
use crate::port::PortGuard;

mod authentication;

use authentication::{Authentication, Infrared};

/// Longest protected block.
pub(super) const BLOCK_MAX: usize = 208;

/// What happens after bad MACs. Two rules are in the field: 15 a day and the end of the authentication
/// at every third (2009), or 200 a day (2013).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacRules {
    /// Bad MACs a day after which remote setting and control rest until midnight.
    pub per_day: u16,
    /// Bad MACs in one authentication that end it; 0 for none.
    pub per_authentication: u8,
}

impl MacRules {
    /// 15 a day, every third ends the authentication.
    pub const OF_2009: Self = Self {
        per_day: 15,
        per_authentication: 3,
    };
    /// 200 a day.
    pub const OF_2013: Self = Self {
        per_day: 200,
        per_authentication: 0,
    };
}

/// The element of one meter. Requests and answers are as on the line, behind identifier and operator
/// code.
///
/// Before each call tell it the time with [`Element::set_now`]. After each call that returned `Ok`,
/// store what [`Element::unsaved`] has and say so with [`Element::saved`]; then send the answer.
pub struct Element<E: Block128> {
    pub(super) engine: E,
    pub(super) kept: Kept,
    after: Option<Kept>,
    authentication: Option<Authentication>,
    infrared: Infrared,
    bad_macs: PortGuard,
    rules: MacRules,
    pub(super) hoarding_limit: u32,
    pub(super) program: Option<ReadProgram>,
    random2: Option<[u8; 8]>,
    now_s: u64,
    day: u32,
}

impl<E: Block128> fmt::Debug for Element<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Element")
            .field("purse", &self.kept.purse)
            .finish_non_exhaustive()
    }
}

impl<E: Block128> Element<E> {
    /// A new element for a meter number (most significant byte first), with the production keys of a
    /// network diversified for it.
    ///
    /// # Errors
    /// [`Refused`] when the engine fails.
    pub fn new(
        mut engine: E,
        keys: &HostKeys,
        meter: [u8; 6],
        serial: [u8; 8],
    ) -> Result<Self, Refused> {
        let mut key = |name| -> Result<_, Refused> {
            let key = cipher::load(&mut engine, keys.of(name))?;
            let key = cipher::diversify(&mut engine, &key, factor(meter))?;
            Ok((KeyInfo::production(name), key))
        };
        let [a, b, c, d] = KeyName::ALL;
        let kept = Kept {
            factor: factor(meter),
            serial,
            minutes: 5,
            generation: 0,
            purse: Purse::default(),
            file: [0; FILE_LEN],
            keys: [key(a)?, key(b)?, key(c)?, key(d)?],
        };
        Ok(Self::of(engine, kept))
    }

    /// The element of the newer of two stored copies that is whole.
    ///
    /// # Errors
    /// [`Refused`] when neither is.
    pub fn restore(
        mut engine: E,
        chip: &E::Key,
        copies: [&[u8; RECORD_LEN]; 2],
    ) -> Result<Self, Refused> {
        let [first, second] = copies.map(|copy| Kept::decode(&mut engine, chip, copy).ok());
        let newer = match (first, second) {
            (Some(a), Some(b)) if b.generation.wrapping_sub(a.generation) < 1 << 31 => Some(b),
            (Some(a), _) => Some(a),
            (None, b) => b,
        };
        Ok(Self::of(engine, newer.ok_or(Refused::OTHER)?))
    }

    const fn of(engine: E, kept: Kept) -> Self {
        Self {
            engine,
            kept,
            after: None,
            authentication: None,
            infrared: Infrared::Closed,
            bad_macs: PortGuard::new(MacRules::OF_2013.per_day),
            rules: MacRules::OF_2013,
            hoarding_limit: 99_999_999,
            program: None,
            random2: None,
            now_s: 0,
            day: 0,
        }
    }

    /// Sets what happens after bad MACs.
    #[must_use]
    pub const fn with_rules(mut self, rules: MacRules) -> Self {
        self.rules = rules;
        self.bad_macs = PortGuard::new(rules.per_day);
        self
    }

    /// Sets the highest balance that a recharge may lead to, in hundredths of the currency unit.
    #[must_use]
    pub const fn with_hoarding_limit(mut self, limit: u32) -> Self {
        self.hoarding_limit = limit;
        self
    }

    /// Lets program comparison read the program: CPU number, address, buffer; false where there is nothing.
    #[must_use]
    pub const fn with_program(mut self, read: ReadProgram) -> Self {
        self.program = Some(read);
        self
    }

    /// Day and count of bad MACs, so that switching off is no way to try again.
    pub const fn bad_macs(&self) -> [u8; 6] {
        self.bad_macs.to_bytes()
    }

    /// Goes on with the count of [`Element::bad_macs`].
    #[must_use]
    pub const fn with_bad_macs(mut self, stored: &[u8; 6]) -> Self {
        self.bad_macs = self.bad_macs.with_stored(stored);
        self
    }

    /// Tells the time: seconds of a clock that only goes forward, and the day of the calendar.
    pub const fn set_now(&mut self, now_s: u64, day: u32) {
        self.now_s = now_s;
        self.day = day;
    }

    /// Gives the random number for the next authentication, from a source that passed its tests. Each
    /// serves once.
    pub const fn give_random(&mut self, random2: [u8; 8]) {
        self.random2 = Some(random2);
    }

    /// Balance, purchase count and customer number.
    pub const fn purse(&self) -> &Purse {
        &self.kept.purse
    }

    /// What the element knows of a key.
    pub const fn key_info(&self, name: KeyName) -> KeyInfo {
        self.kept.key(name).0
    }

    /// Whether an authentication is in force.
    pub fn is_authenticated(&self) -> bool {
        self.in_force().is_some()
    }

    /// Whether the infrared port is open for more than number, address, time, energy and balance.
    pub fn infrared_is_open(&self) -> bool {
        matches!(self.infrared, Infrared::OpenUntil(until) if self.now_s < until)
    }

    /// What is to be stored before the answer is sent, over the older of two copies, and the number
    /// of that copy. `None` when nothing changed.
    ///
    /// # Errors
    /// [`Refused`] when the engine fails.
    pub fn unsaved(&mut self, chip: &E::Key) -> Result<Option<(usize, [u8; RECORD_LEN])>, Refused> {
        let Some(after) = &self.after else {
            return Ok(None);
        };
        let record = after.encode(&mut self.engine, chip)?;
        Ok(Some(((after.generation & 1) as usize, record)))
    }

    /// The record of the state that is in force: what a new element stores first.
    ///
    /// # Errors
    /// [`Refused`] when the engine fails.
    pub fn record(&mut self, chip: &E::Key) -> Result<[u8; RECORD_LEN], Refused> {
        self.kept.encode(&mut self.engine, chip)
    }

    /// States that [`Element::unsaved`] is durable.
    pub fn saved(&mut self) {
        if let Some(after) = self.after.take() {
            self.kept = after;
        }
    }

    /// Answers a request of function 03: writes what follows the identifier to the front of `out` and
    /// returns its length.
    ///
    /// # Errors
    /// [`Refused`]: the bits of SERR.
    pub fn request(&mut self, id: u32, data: &[u8], out: &mut [u8]) -> Result<usize, Refused> {
        // What was changed by the last request must be durable before the next one counts.
        self.after = None;
        match id {
            0x0700_00FF => self.authenticate(data, out),
            0x0700_01FF => self.set_validity(data).map(|()| 0),
            0x0700_02FF => self.end(out),
            0x0700_03FF => self.infrared_answer(data).map(|()| 0),
            0x0700_04FF => self.write_file(data, false).map(|()| 0),
            0x0700_05FF => self.write_file(data, true).map(|()| 0),
            0x0701_01FF => self.recharge(data, true).map(|()| 0),
            0x0701_02FF => self.recharge(data, false).map(|()| 0),
            0x0701_03FF => self.initialise(data).map(|()| 0),
            0x0702_01FF => self.update_key(KeyName::Control, data).map(|()| 0),
            0x0702_02FF => self.update_key(KeyName::Parameter, data).map(|()| 0),
            0x0702_03FF => self.update_key(KeyName::Identity, data).map(|()| 0),
            0x0702_04FF => self.update_key(KeyName::Main, data).map(|()| 0),
            0x0703_01FF => self.update_keys(data).map(|()| 0),
            0x0780_01FF => self.read_back(data, out),
            0x0780_02FF => self.compare_program(data, out),
            0x0780_03FF => self.infrared_ask(data, out),
            0x0781_02FF => self.status(out),
            _ => Err(Refused::OTHER),
        }
    }

    /// Opens an order (1C, 1A, 1B under level 98) and writes it as on the line: N1 to N8, for 1B and an
    /// identifier twelve bytes.
    ///
    /// # Errors
    /// [`Refused`], with nothing of it left in `out`.
    pub fn open_control(&mut self, block: &[u8], out: &mut [u8]) -> Result<usize, Refused> {
        if block.len() != 20 {
            return Err(Refused::OTHER);
        }
        let mut buf = [0; BLOCK_MAX];
        let plain = self.opened(KeyName::Control, block, |_| CONTROL_HEAD, &mut buf);
        let written = plain.and_then(|plain| {
            let ([kind, reserved, time @ ..], id) =
                plain.split_first_chunk::<8>().ok_or(Refused::MAC)?;
            let id_turned = match *id {
                [] => [0; 4],
                [a, b, c, d] => [d, c, b, a],
                _ => return Err(Refused::MAC),
            };
            let id = id_turned.get(..id.len()).unwrap_or_default();
            write(out, &[&[*kind, *reserved], &turned(*time), id])
        });
        buf.zeroize();
        written
    }

    /// Checks a write of parameters under level 99 and writes its data as on the line.
    ///
    /// # Errors
    /// [`Refused`], with nothing of it left in `out`.
    pub fn open_parameters(
        &mut self,
        id: u32,
        block: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let (data, mac) = block.split_last_chunk::<4>().ok_or(Refused::OTHER)?;
        let mut buf = [0; BLOCK_MAX];
        let inner = buf.get_mut(..data.len()).ok_or(Refused::OTHER)?;
        copy(inner, data);
        inner.reverse();
        let head = parameter_head(0, block.len().saturating_add(4));
        let parts: [&[u8]; 2] = [&id.to_be_bytes(), inner];
        self.check_mac(KeyName::Parameter, head, &parts, turned(*mac))?;
        write(out, &[data])
    }

    /// Opens a write of parameters under level 98 and writes its data as on the line. The identifier
    /// inside must be the one outside.
    ///
    /// # Errors
    /// [`Refused`], with nothing of it left in `out`.
    pub fn open_hidden_parameters(
        &mut self,
        id: u32,
        block: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let mut buf = [0; BLOCK_MAX];
        let head = |len| parameter_head(0, len);
        let plain = self.opened(KeyName::Parameter, block, head, &mut buf);
        let written = plain.and_then(|plain| {
            let (inner, data) = plain.split_first_chunk::<4>().ok_or(Refused::MAC)?;
            if *inner != id.to_be_bytes() {
                return Err(Refused::MAC);
            }
            let len = write(out, &[data])?;
            if let Some(data) = out.get_mut(..len) {
                data.reverse();
            }
            Ok(len)
        });
        buf.zeroize();
        written
    }

    /// The plain text of ciphertext and MAC that came as one turned block.
    pub(super) fn opened<'b>(
        &mut self,
        name: KeyName,
        block: &[u8],
        head: impl FnOnce(usize) -> [u8; 5],
        buf: &'b mut [u8; BLOCK_MAX],
    ) -> Result<&'b [u8], Refused> {
        let whole = buf.get_mut(..block.len()).ok_or(Refused::OTHER)?;
        copy(whole, block);
        whole.reverse();
        let head = head(whole.len());
        let (blocks, mac) = whole.split_last_chunk_mut::<4>().ok_or(Refused::OTHER)?;
        self.check_mac(name, head, &[blocks], *mac)?;
        let key = cipher::load(&mut self.engine, &self.kept.key(name).1)?;
        cipher::open(&mut self.engine, &key, blocks)
    }

    fn update_key(&mut self, name: KeyName, data: &[u8]) -> Result<(), Refused> {
        let data: &[u8; 40] = data.try_into().map_err(|_| Refused::OTHER)?;
        let (info, rest) = data.split_first_chunk::<4>().ok_or(Refused::OTHER)?;
        let (mac, ciphered) = rest.split_first_chunk::<4>().ok_or(Refused::OTHER)?;
        if KeyInfo::from_bytes(turned(*info)).id != name as u8 {
            return Err(Refused::OTHER);
        }
        let mut entry = [0; ENTRY_LEN];
        fill(&mut entry, &[info, ciphered]);
        update::turn_entries(&mut entry);
        let head = update::head(name as u8, ENTRY_LEN);
        self.updated(head, &entry, turned(*mac))
    }

    fn update_keys(&mut self, data: &[u8]) -> Result<(), Refused> {
        let (body, mac) = data.split_last_chunk::<4>().ok_or(Refused::OTHER)?;
        let mut entries = [0; 4 * ENTRY_LEN];
        let whole = !body.is_empty() && body.len().is_multiple_of(ENTRY_LEN);
        let entries = entries
            .get_mut(..body.len())
            .filter(|_| whole)
            .ok_or(Refused::OTHER)?;
        copy(entries, body);
        update::turn_entries(entries);
        let head = update::head(0, entries.len());
        self.updated(head, entries, turned(*mac))
    }

    fn updated(&mut self, head: [u8; 5], entries: &[u8], mac: [u8; 4]) -> Result<(), Refused> {
        self.check_mac(KeyName::Main, head, &[entries], mac)?;
        self.after = Some(update::apply(&mut self.engine, &self.kept, entries)?);
        Ok(())
    }

    pub(super) fn change(&mut self, change: impl FnOnce(&mut Kept)) {
        let mut after = self.kept.duplicate();
        after.generation = after.generation.wrapping_add(1);
        change(&mut after);
        self.after = Some(after);
    }
}

/// Writes the parts one behind the other to the front of `out` and returns their length.
pub(super) fn write(out: &mut [u8], parts: &[&[u8]]) -> Result<usize, Refused> {
    let len = parts.iter().map(|part| part.len()).sum();
    fill(out.get_mut(..len).ok_or(Refused::OTHER)?, parts);
    Ok(len)
}
