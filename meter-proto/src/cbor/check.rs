//! What this form allows, checked once over the whole message.

use crate::error::Error;

/// Levels of nesting that a message of this standard can have, with two to spare for later releases.
const LEVELS: usize = 6;

/// One open array or map of the check.
#[derive(Clone, Copy)]
struct Level {
    /// Items still to come, keys and values counted.
    left: u64,
    /// Keys seen, bit per key; `None` for an array.
    keys: Option<u128>,
}

/// Walks over the one item that the bytes are, without recursion, and refuses everything this form does not allow.
pub(super) fn check(bytes: &[u8]) -> Result<(), Error> {
    let mut levels = [Level {
        left: 0,
        keys: None,
    }; LEVELS];
    let mut depth = 0usize; // levels in use
    let mut at = 0usize;
    loop {
        let position = at;
        let (major, number, after) = header(bytes, at)?;
        at = after;
        let is_key = match depth.checked_sub(1).and_then(|top| levels.get_mut(top)) {
            Some(Level {
                left,
                keys: Some(keys),
            }) if *left % 2 == 0 => {
                if major != 0 || number > 127 {
                    return Err(Error::BadType { position });
                }
                if *keys >> number & 1 == 1 {
                    return Err(Error::DuplicateKey {
                        position,
                        key: number as u8,
                    });
                }
                *keys |= 1 << number;
                true
            }
            _ => false,
        };
        match major {
            0 | 1 => {}
            2 | 3 => {
                let len = usize::try_from(number).ok();
                let end = len
                    .and_then(|len| at.checked_add(len))
                    .filter(|end| *end <= bytes.len());
                let end = end.ok_or(Error::Truncated {
                    position: bytes.len(),
                })?;
                if major == 3
                    && bytes
                        .get(at..end)
                        .is_none_or(|text| core::str::from_utf8(text).is_err())
                {
                    return Err(Error::BadText { position });
                }
                at = end;
            }
            4 | 5 => {
                let (left, keys) = if major == 4 {
                    (Some(number), None)
                } else {
                    (number.checked_mul(2), Some(0))
                };
                // Every item takes a byte at least: a larger number is a lie that would only cost time.
                let left = left.filter(|left| *left <= (bytes.len() - at.min(bytes.len())) as u64);
                let left = left.ok_or(Error::Truncated {
                    position: bytes.len(),
                })?;
                // The item itself is counted off its own level before the new one opens.
                if let Some(level) = depth.checked_sub(1).and_then(|top| levels.get_mut(top)) {
                    level.left = level.left.saturating_sub(1);
                }
                *levels.get_mut(depth).ok_or(Error::TooDeep { position })? = Level { left, keys };
                depth += 1;
            }
            7 if matches!(number, 20..=22) && !is_key => {}
            _ => return Err(Error::BadType { position }),
        }
        if major != 4
            && major != 5
            && let Some(level) = depth.checked_sub(1).and_then(|top| levels.get_mut(top))
        {
            level.left = level.left.saturating_sub(1);
        }
        while depth
            .checked_sub(1)
            .and_then(|top| levels.get(top))
            .is_some_and(|level| level.left == 0)
        {
            depth -= 1;
        }
        if depth == 0 {
            return if at < bytes.len() {
                Err(Error::TrailingBytes { position: at })
            } else {
                Ok(())
            };
        }
    }
}

/// Major type, argument and the place behind an item's first bytes.
fn header(bytes: &[u8], position: usize) -> Result<(u8, u64, usize), Error> {
    let first = *bytes.get(position).ok_or(Error::Truncated { position })?;
    let at = position + 1;
    let (major, short) = (first >> 5, first & 0x1F);
    let width = match short {
        0..=23 => return Ok((major, u64::from(short), at)),
        // Two-byte simple values and floats are not part of this form.
        24..=27 if major < 6 => 1usize << (short - 24),
        _ => return Err(Error::BadType { position }),
    };
    let raw = bytes
        .get(at..)
        .and_then(|rest| rest.get(..width))
        .ok_or(Error::Truncated {
            position: bytes.len(),
        })?;
    let number = raw
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let shortest = match width {
        1 => number >= 24,
        2 => number > 0xFF,
        4 => number > 0xFFFF,
        _ => number > 0xFFFF_FFFF,
    };
    if shortest {
        Ok((major, number, at + width))
    } else {
        Err(Error::BadNumber { position })
    }
}
