//! The files of an element: written, read back, and the program compared.
//!
//! | file | holds | written by |
//! |---|---|---|
//! | 1 | balance 4, purchase count 4 | recharges, initialisation |
//! | 2 | customer number at 36, minutes of validity at 43; zeros before and between | recharges, change of validity |
//! | 5 | info of the four keys, 4 bytes each, by number | key updates |
//! | 6 | 64 bytes of the head end | 070004, 070005 |

use zeroize::Zeroize;

use super::cipher::{self, VALIDITY_OFFSET, file_head};
use super::kept::FILE_LEN;
use super::meter::{BLOCK_MAX, write};
use super::{Element, KeyInfo, KeyName, Refused, turned};
use crate::engine::{Block128, copy, fill};

/// Reads the program of a CPU from an address on; false where there is nothing to read.
pub type ReadProgram = fn(cpu: u8, address: u32, out: &mut [u8]) -> bool;

/// Bytes that a program comparison encrypts.
pub const COMPARED_LEN: usize = 64;
/// Most bytes of one read back.
pub const READ_BACK_MAX: usize = 64;

/// Number of the purse file.
pub const PURSE_FILE: u8 = 1;
const PARAMETER_FILE: u8 = 2;
const KEY_FILE: u8 = 5;
/// Number of the information file.
pub const INFO_FILE: u8 = 6;
const CUSTOMER_OFFSET: usize = 36;

/// Instruction of a write with MAC.
pub const WRITE: u8 = 0xD6;
/// Instruction of a read with MAC.
pub const READ: u8 = 0xB0;

/// What a read back asks for, inside the element: `DF 01 | file 2 | offset 2 | length 2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTag {
    /// Number of the file: 1, 2, 5 or 6.
    pub file: u8,
    /// First byte.
    pub offset: u8,
    /// How many bytes, 1 to 64.
    pub len: u8,
}

impl ReadTag {
    /// The eight bytes as on the line.
    pub const fn to_line(self) -> [u8; 8] {
        [self.len, 0, self.offset, 0, self.file, 0, 0x01, 0xDF]
    }

    /// From the line; `None` for anything else.
    pub const fn from_line(bytes: [u8; 8]) -> Option<Self> {
        match bytes {
            [len, 0, offset, 0, file, 0, 0x01, 0xDF] => Some(Self { file, offset, len }),
            _ => None,
        }
    }

    /// Command head of the read, under which its MAC is made.
    pub(super) fn head(self) -> [u8; 5] {
        file_head(
            READ,
            self.file,
            self.offset,
            usize::from(self.len).saturating_add(4),
        )
    }
}

impl<E: Block128> Element<E> {
    /// The information file.
    pub const fn information(&self) -> &[u8; FILE_LEN] {
        &self.kept.file
    }

    /// `file | offset | P1 | data | MAC`, the data in clear or ciphered.
    pub(super) fn write_file(&mut self, data: &[u8], hidden: bool) -> Result<(), Refused> {
        let ([file, offset, p1], block) = data.split_first_chunk().ok_or(Refused::OTHER)?;
        if *file != INFO_FILE || *p1 != 0x80 | INFO_FILE {
            return Err(Refused::OTHER);
        }
        let mut buf = [0; BLOCK_MAX];
        let head = |len| file_head(WRITE, INFO_FILE, *offset, len);
        let plain = if hidden {
            self.opened(KeyName::Parameter, block, head, &mut buf)
        } else {
            let (plain, mac) = block.split_last_chunk::<4>().ok_or(Refused::OTHER)?;
            let inner = buf.get_mut(..plain.len()).ok_or(Refused::OTHER)?;
            copy(inner, plain);
            inner.reverse();
            self.check_mac(
                KeyName::Parameter,
                head(block.len()),
                &[inner],
                turned(*mac),
            )
            .map(|()| &*inner)
        };
        let mut file = self.kept.file;
        let fits = plain.and_then(|plain| {
            let from = usize::from(*offset);
            let place = file.get_mut(from..from.saturating_add(plain.len()));
            let place = place
                .filter(|place| !place.is_empty())
                .ok_or(Refused::OTHER)?;
            copy(place, plain);
            Ok(())
        });
        buf.zeroize();
        fits?;
        self.change(|after| after.file = file);
        Ok(())
    }

    /// `tag | data | MAC` of a part of a file, for the reader that authenticated.
    pub(super) fn read_back(&mut self, data: &[u8], out: &mut [u8]) -> Result<usize, Refused> {
        let line: [u8; 8] = data.try_into().map_err(|_| Refused::OTHER)?;
        let tag = ReadTag::from_line(line).ok_or(Refused::OTHER)?;
        let len = usize::from(tag.len);
        let mut buf = [0; READ_BACK_MAX];
        let part = buf.get_mut(..len).filter(|part| !part.is_empty());
        let part = part.ok_or(Refused::OTHER)?;
        self.read_file(tag.file, usize::from(tag.offset), part)?;
        let mac = self.answer_mac(tag.head(), part)?;
        part.reverse();
        write(out, &[&line, part, &turned(mac)])
    }

    fn read_file(&self, file: u8, offset: usize, out: &mut [u8]) -> Result<(), Refused> {
        let mut whole = [0; FILE_LEN];
        let purse = &self.kept.purse;
        let len = match file {
            PURSE_FILE => {
                let parts: [&[u8]; 2] = [&purse.balance.to_be_bytes(), &purse.count.to_be_bytes()];
                fill(&mut whole, &parts);
                8
            }
            PARAMETER_FILE => {
                let [high, low] = bcd(self.kept.minutes);
                let places = [
                    (CUSTOMER_OFFSET, &purse.customer[..]),
                    (usize::from(VALIDITY_OFFSET), &[high, low]),
                ];
                for (at, field) in places {
                    copy(whole.get_mut(at..).unwrap_or_default(), field);
                }
                usize::from(VALIDITY_OFFSET).saturating_add(2)
            }
            KEY_FILE => {
                let infos = KeyName::ALL.map(|name| KeyInfo::to_bytes(self.kept.key(name).0));
                copy(&mut whole, infos.as_flattened());
                16
            }
            INFO_FILE => {
                whole = self.kept.file;
                FILE_LEN
            }
            _ => return Err(Refused::OTHER),
        };
        let part = whole
            .get(..len)
            .and_then(|whole| whole.get(offset..offset.saturating_add(out.len())))
            .ok_or(Refused::OTHER)?;
        copy(out, part);
        Ok(())
    }

    /// `CPU | key | factor address 4 | data address 4`: 64 bytes of the program under a key that 8 others diversify.
    pub(super) fn compare_program(
        &mut self,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, Refused> {
        let data: [u8; 10] = data.try_into().map_err(|_| Refused::OTHER)?;
        let [cpu, key, f0, f1, f2, f3, d0, d1, d2, d3] = data;
        if !self.is_authenticated() {
            return Err(Refused::IDENTITY);
        }
        let name = KeyName::from_number(key).ok_or(Refused::OTHER)?;
        let read = self.program.ok_or(Refused::OTHER)?;
        let (mut factor, mut program) = ([0; 8], [0; COMPARED_LEN]);
        let factor_at = u32::from_le_bytes([f0, f1, f2, f3]);
        let program_at = u32::from_le_bytes([d0, d1, d2, d3]);
        if !read(cpu, factor_at, &mut factor) || !read(cpu, program_at, &mut program) {
            return Err(Refused::OTHER);
        }
        let key = &self.kept.key(name).1;
        let compared = cipher::compared(&mut self.engine, key, factor, program);
        program.zeroize();
        write(out, &[&turned(compared?)])
    }
}

/// Four decimal digits, most significant first.
fn bcd(minutes: u16) -> [u8; 2] {
    let pair = |two: u16| (((two / 10 % 10) << 4) | (two % 10)).to_le_bytes()[0];
    [pair(minutes / 100), pair(minutes % 100)]
}
