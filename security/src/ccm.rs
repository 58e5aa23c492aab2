//! CCM (RFC 3610, NIST SP 800-38C) in place with a detached tag, over any [`Block128`] engine.
//!
//! Every step hands the engine the authentication block together with the next counter block, so a
//! two-lane cipher spends one call for each block of the message instead of two.

use crate::aead::{self, AeadError, Way};
use crate::engine::{self, Block, Block128, Parts, copy, xor, xor_block};
use crate::key::wipe;

/// Longest associated data: lengths from 65280 on take another coding that nothing here needs.
pub const MAX_AAD: usize = 65_279;

/// Encrypts `body` in place and returns the tag in the first `tag_len` bytes of a block.
///
/// `tag_len` is 4, 6, .. 16; the nonce has 7 to 13 bytes; `aad` is read as one string of bytes.
///
/// # Errors
/// [`AeadError::TagLength`], [`AeadError::NonceLength`], [`AeadError::TooLong`], and the engine's;
/// after the engine's, `body` is wiped.
pub fn seal<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
    tag_len: usize,
) -> Result<Block, AeadError> {
    let mut run = Run::try_new(Way::Seal, nonce, aad, body, tag_len)?;
    let driven = engine.drive(key, &mut run);
    let tag = run.tag();
    drop(run);
    match driven {
        Ok(()) => Ok(tag),
        Err(error) => {
            wipe(body);
            Err(AeadError::Engine(error.into()))
        }
    }
}

/// Decrypts `body` in place if `tag` is right. On every error `body` is wiped: no plaintext of an
/// unproved message is ever left.
///
/// # Errors
/// [`AeadError::Tag`] when the message is not the sealed one; otherwise as [`seal`].
pub fn open<E: Block128>(
    engine: &mut E,
    key: &E::Key,
    nonce: &[u8],
    aad: &[&[u8]],
    body: &mut [u8],
    tag: &[u8],
) -> Result<(), AeadError> {
    let driven = match Run::try_new(Way::Open, nonce, aad, body, tag.len()) {
        Ok(mut run) => engine
            .drive(key, &mut run)
            .map(|()| run.tag())
            .map_err(|error| AeadError::Engine(error.into())),
        Err(error) => Err(error),
    };
    match driven {
        Ok(right) => aead::judge(body, right, tag),
        Err(error) => {
            wipe(body);
            Err(error)
        }
    }
}

/// The mode at work on one message.
pub(crate) struct Run<'a> {
    /// `[0]` the authentication state, `[1]` a counter block or the keystream made of it.
    lanes: [Block; 2],
    /// The counter block that was made last.
    counter: Block,
    /// The encrypted counter block zero, which hides the tag.
    mask: Block,
    aad_len: u16,
    aad: Parts<'a>,
    rest: &'a mut [u8],
    way: Way,
    stage: Stage,
}

/// What the engine encrypts next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Both lanes: the first authentication block and counter block zero.
    First,
    /// Both lanes: a block of associated data, or of the message, and a counter block.
    Both,
    /// Lane 0 alone: lane 1 holds the keystream already, or none is needed.
    State,
    /// Lane 1 alone: the first counter block of a message without associated data.
    Stream,
    Done,
}

impl<'a> Run<'a> {
    pub(crate) fn try_new(
        way: Way,
        nonce: &[u8],
        aad: &'a [&'a [u8]],
        body: &'a mut [u8],
        tag_len: usize,
    ) -> Result<Self, AeadError> {
        if !(4..=16).contains(&tag_len) || !tag_len.is_multiple_of(2) {
            return Err(AeadError::TagLength { found: tag_len });
        }
        if !(7..=13).contains(&nonce.len()) {
            return Err(AeadError::NonceLength { found: nonce.len() });
        }
        // q bytes at the end of each block count the message and its blocks: 2 to 8.
        let q = 15_usize.saturating_sub(nonce.len());
        let length = u64::try_from(body.len()).map_err(|_| AeadError::TooLong)?;
        if q < 8 && length >> (8 * q) != 0 {
            return Err(AeadError::TooLong);
        }
        let aad_len = aad
            .iter()
            .try_fold(0_usize, |sum, part| sum.checked_add(part.len()))
            .filter(|len| *len <= MAX_AAD)
            .and_then(|len| u16::try_from(len).ok())
            .ok_or(AeadError::TooLong)?;

        let flags = [q.saturating_sub(1), tag_len.saturating_sub(2) / 2];
        let [q_flag, tag_flag] = flags.map(|n| n.to_le_bytes()[0]);
        let aad_flag = if aad_len > 0 { 0x40 } else { 0 };
        let mut first = u128::from(length).to_be_bytes();
        let mut counter = [0; 16];
        first[0] = aad_flag | tag_flag << 3 | q_flag;
        counter[0] = q_flag;
        for block in [&mut first, &mut counter] {
            copy(block.get_mut(1..).unwrap_or_default(), nonce);
        }
        Ok(Self {
            lanes: [first, counter],
            counter,
            mask: [0; 16],
            aad_len,
            aad: Parts::new(aad),
            rest: body,
            way,
            stage: Stage::First,
        })
    }

    /// The tag that belongs to the plaintext, all 16 bytes of it.
    pub(crate) fn tag(&self) -> Block {
        let mut tag = self.mask;
        xor_block(&mut tag, &self.lanes[0]);
        tag
    }

    fn next_counter(&mut self) {
        // The counter field is wide enough for every block: the length was checked against it.
        self.counter = u128::from_be_bytes(self.counter)
            .wrapping_add(1)
            .to_be_bytes();
        self.lanes[1] = self.counter;
    }

    /// Begins the associated data with their length; the first counter block goes with their first
    /// block.
    fn begin(&mut self) {
        if self.aad_len > 0 {
            let [state, _] = &mut self.lanes;
            xor(state, &self.aad_len.to_be_bytes());
            self.aad.absorb(state, 2);
            self.stage = if self.rest.is_empty() {
                Stage::State
            } else {
                self.next_counter();
                Stage::Both
            };
        } else if self.rest.is_empty() {
            self.stage = Stage::Done;
        } else {
            self.next_counter();
            self.stage = Stage::Stream;
        }
    }

    /// Goes on with the associated data, or behind them with the message.
    fn go_on(&mut self) {
        if self.aad.absorb(&mut self.lanes[0], 0) > 0 {
            self.stage = Stage::State;
        } else if self.rest.is_empty() {
            self.stage = Stage::Done;
        } else {
            self.take_block();
        }
    }

    /// Takes the next block of the message with the keystream in lane 1.
    fn take_block(&mut self) {
        let rest = core::mem::take(&mut self.rest);
        let [state, stream] = &mut self.lanes;
        let plain_first = self.way == Way::Seal;
        let (block, rest) = rest.split_at_mut(rest.len().min(16));
        if plain_first {
            xor(state, block);
        }
        xor(block, stream);
        if !plain_first {
            xor(state, block);
        }
        self.rest = rest;
        self.stage = if self.rest.is_empty() {
            Stage::State
        } else {
            self.next_counter();
            Stage::Both
        };
    }
}

impl engine::Run for Run<'_> {
    fn blocks(&mut self) -> &mut [Block] {
        let wanted = match self.stage {
            Stage::First | Stage::Both => 0..2,
            Stage::State => 0..1,
            Stage::Stream => 1..2,
            Stage::Done => 0..0,
        };
        self.lanes.get_mut(wanted).unwrap_or_default()
    }

    fn encrypted(&mut self) {
        match self.stage {
            Stage::First => {
                self.mask = self.lanes[1];
                self.begin();
            }
            Stage::Both | Stage::State | Stage::Stream => self.go_on(),
            Stage::Done => {}
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        wipe(self.lanes.as_flattened_mut());
        wipe(&mut self.mask);
    }
}
