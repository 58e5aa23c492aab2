//! Follows the fundamental of one channel and says where its half cycles end.
//!
//! An oscillator runs at the measured frequency. Over each of its cycles the channel is multiplied with its
//! sine and cosine; the angle of the result is how far the signal leads. A loop of two gains turns the
//! oscillator after it, by changing its frequency, never by a jump: half cycles stay gap-free, and what is
//! synchronised to them (windows, spectra) stays so through dips, harmonics and noise. One whole cycle holds
//! dc and every harmonic back entirely. While the signal is gone, the oscillator runs on.
//!
//! The edges are the zero crossings of the fundamental itself, not of a delayed filter.

use super::trig;

/// Part of the phase error taken away in one half cycle, and part that goes into the frequency, as shifts.
///
/// Damped well: half a cycle of delay in the detector leaves 55 degrees of phase margin.
const PHASE_GAIN: u32 = 2;
const FREQUENCY_GAIN: u32 = 6;
/// Increments of the nominal frequency: at most 16,384 and at least 4 samples in a half cycle.
const SLOWEST: u32 = 1 << 17;
const FASTEST: u32 = 1 << 29;
/// Half cycles with more than a quarter turn of error before the search begins anew.
const PATIENCE: u8 = 20;

/// Half cycles in succession whose steps of amplitude keep the loop from acting.
const STEPS: u8 = 4;

/// What the oscillator is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// No fundamental found yet; half cycles have the nominal length.
    Searching,
    /// The signal is followed.
    Locked,
    /// The signal is gone; half cycles keep their last length.
    Holding,
    /// Half cycles of a given length, not measured ones.
    Fixed,
}

/// End of a half cycle, inside the last sample of a [`Span`].
///
/// A sample stands for the time from its own instant to that of the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Part of the last sample that still belongs to the half cycle that ends, Q16: 1 to 65,536.
    pub share: u32,
    /// Length of the half cycle, samples Q16.
    pub length: u32,
    /// Whether a whole cycle of the oscillator ends: the next one begins with a rising zero crossing.
    pub rising: bool,
    /// State of the oscillator during the half cycle.
    pub lock: Lock,
    /// The oscillator was set to a newly found signal here: what came before joins nothing after it.
    pub restart: bool,
}

/// A run of samples over which the oscillator's frequency was constant; at most one edge, in the last sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Samples taken.
    pub used: usize,
    /// Phase of the oscillator at the first sample, 2^-32 turn.
    pub phase: u32,
    /// Phase from sample to sample, 2^-32 turn.
    pub increment: u32,
    /// The edge in the last sample, if one was reached.
    pub edge: Option<Edge>,
}

/// Sums of a channel times sine and cosine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Detected {
    sine: i64,
    cosine: i64,
}

/// The oscillator and its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracker {
    rate_mhz: u32,
    phase: u32,
    /// Applied now; the frequency is `base`, the rest is phase correction.
    increment: u32,
    base: u32,
    nominal: u32,
    /// Peak of the fundamental below which it counts as gone, counts.
    level: u32,
    now: Detected,
    before: Detected,
    /// Samples since the last edge, Q16, and the same for the half cycle before.
    length: u32,
    before_length: u32,
    lock: Lock,
    /// Half cycles since the loop's input last changed its meaning; it is valid from 2 on.
    settled: u8,
    lead: i32,
    strikes: u8,
    /// Magnitude of the cycle before, for each sample, and the steps in succession.
    size: u64,
    steps: u8,
    home: Option<usize>,
    channel: usize,
    /// Phase of the channel now followed against the home channel.
    offset: i32,
    rebase: bool,
}

impl Tracker {
    /// Follows a fundamental of 0.6 to 2 times `nominal_mhz` (millihertz).
    ///
    /// `sample_rate_mhz` is thousandths of a sample per second and at least six times the highest frequency
    /// that shall be followed; `level` is the peak, in counts, below which a fundamental counts as gone.
    #[must_use]
    pub fn new(sample_rate_mhz: u32, nominal_mhz: u32, level: u32) -> Self {
        let nominal = ((u64::from(nominal_mhz) << 32) / u64::from(sample_rate_mhz.max(1)))
            .clamp(SLOWEST.into(), FASTEST.into()) as u32;
        Self {
            rate_mhz: sample_rate_mhz,
            phase: 0,
            increment: nominal,
            base: nominal,
            nominal,
            level,
            now: Detected::default(),
            before: Detected::default(),
            length: 0,
            before_length: 0,
            lock: Lock::Searching,
            settled: 0,
            lead: 0,
            strikes: 0,
            size: 0,
            steps: 0,
            home: None,
            channel: 0,
            offset: 0,
            rebase: false,
        }
    }

    /// Cycles of a given frequency (microhertz) from the first sample on: for benches whose source is known,
    /// and for records that are short of cycles.
    #[must_use]
    pub fn fixed(sample_rate_mhz: u32, frequency_uhz: u32) -> Self {
        let mut this = Self::new(sample_rate_mhz, frequency_uhz / 1000, 0);
        // Rounded up: a cycle of whole samples ends with its last sample, not in the next one.
        let rate_uhz = u128::from(sample_rate_mhz.max(1)) * 1000;
        let turn = (u128::from(frequency_uhz) << 32).div_ceil(rate_uhz);
        this.base = turn.clamp(SLOWEST.into(), FASTEST.into()) as u32;
        this.increment = this.base;
        this.lock = Lock::Fixed;
        this
    }

    /// State of the oscillator.
    #[must_use]
    pub const fn lock(&self) -> Lock {
        self.lock
    }

    /// Frequency of the oscillator, microhertz.
    #[must_use]
    pub fn frequency_uhz(&self) -> u32 {
        let product = u128::from(self.base) * u128::from(self.rate_mhz) * 1000;
        u32::try_from((product + (1 << 31)) >> 32).unwrap_or(u32::MAX)
    }

    /// Takes frames until the next half cycle ends or they do.
    ///
    /// `channel` is the one to follow; another one than before is followed without moving the edges.
    pub fn process<const C: usize>(&mut self, frames: &[[i32; C]], channel: usize) -> Span {
        self.run(frames.as_flattened(), C.max(1), channel)
    }

    /// Not generic: compiled once.
    fn run(&mut self, samples: &[i32], channels: usize, channel: usize) -> Span {
        self.follow(channel);
        let (phase, increment) = (self.phase, self.increment);
        let left = (1 << 31) - (phase & 0x7FFF_FFFF);
        let whole = ((left - 1) / increment.max(1)) as usize;
        let whole = whole.min(samples.len() / channels);
        let (before, rest) = samples
            .split_at_checked(whole * channels)
            .unwrap_or((samples, &[]));
        if self.lock != Lock::Fixed {
            self.detect(before.iter().skip(channel).step_by(channels), phase);
        }
        // Fits: a half cycle has at most 2^15 samples by the limits of `new`.
        let taken = whole as u32;
        self.phase = phase.wrapping_add(increment.wrapping_mul(taken));
        self.length = self.length.saturating_add(taken << 16);
        let mut span = Span {
            used: whole,
            phase,
            increment,
            edge: None,
        };
        if !rest.is_empty() {
            span.used += 1;
            span.edge = Some(self.cross(rest.get(channel).copied().unwrap_or(0)));
        }
        span
    }

    fn follow(&mut self, channel: usize) {
        let home = *self.home.get_or_insert(channel);
        if channel == self.channel || self.lock == Lock::Fixed {
            self.channel = channel;
            return;
        }
        self.channel = channel;
        (self.settled, self.rebase) = (0, channel != home);
        if channel == home {
            self.offset = 0;
        }
    }

    /// 17 bits of the sample times 15 bits of the oscillator: no wide multiplication in here.
    fn detect<'a>(&mut self, samples: impl Iterator<Item = &'a i32>, mut phase: u32) {
        let Detected {
            mut sine,
            mut cosine,
        } = self.now;
        for x in samples {
            let x = limited(*x) >> 7;
            let step = (phase >> 21) as usize;
            sine += i64::from(x * (trig::sine_step(step) >> 16));
            cosine += i64::from(x * (trig::cosine_step(step) >> 16));
            phase = phase.wrapping_add(self.increment);
        }
        self.now = Detected { sine, cosine };
    }

    /// Takes the sample in which the half cycle ends.
    fn cross(&mut self, x: i32) -> Edge {
        let left = u64::from((1 << 31) - (self.phase & 0x7FFF_FFFF));
        let share = ((left << 16) / u64::from(self.increment.max(1))).clamp(1, 1 << 16) as u32;
        let carried = self.now;
        self.detect([&x].into_iter(), self.phase);
        let part = |whole: i64, less: i64| ((whole - less) * i64::from(share)) >> 16;
        let first = Detected {
            sine: carried.sine + part(self.now.sine, carried.sine),
            cosine: carried.cosine + part(self.now.cosine, carried.cosine),
        };
        let rest = Detected {
            sine: self.now.sine - first.sine,
            cosine: self.now.cosine - first.cosine,
        };
        let length = self.length.saturating_add(share);
        let before = self.phase;
        self.phase = before.wrapping_add(self.increment);
        let cycle = Detected {
            sine: self.before.sine.saturating_add(first.sine),
            cosine: self.before.cosine.saturating_add(first.cosine),
        };
        let samples = u64::from(length.saturating_add(self.before_length) >> 16);
        let lock = self.lock;
        let restart = self.steer(cycle, samples);
        (self.before, self.now) = (first, rest);
        (self.before_length, self.length) = (length, (1 << 16) - share);
        Edge {
            share,
            length,
            rising: before >> 31 == 1,
            lock,
            restart,
        }
    }

    /// Turns the oscillator after the signal; whether it was set to a newly found one.
    fn steer(&mut self, cycle: Detected, samples: u64) -> bool {
        if self.lock == Lock::Fixed {
            return false;
        }
        // A peak of A gives A · samples / 2, times 2^14 / 2^7.
        let size = magnitude(cycle).checked_div(samples).unwrap_or(0);
        let weak = size < u64::from(self.level) << 6;
        let stepped = size.abs_diff(self.size) > size >> 5;
        self.size = size;
        self.settled = self.settled.saturating_add(1);
        let lead = trig::angle(cycle.cosine, cycle.sine);
        match self.lock {
            Lock::Searching => return self.search(weak, lead),
            _ if weak => {
                self.lock = Lock::Holding;
                self.increment = self.base;
                return false;
            }
            _ => {}
        }
        // A cycle with a step of amplitude in it has an angle that says nothing about the phase.
        self.steps = if stepped {
            (self.steps + 1) % (STEPS + 1)
        } else {
            0
        };
        if self.settled < 2 || self.steps != 0 {
            self.increment = self.base;
            return false;
        }
        if self.rebase {
            (self.offset, self.rebase) = (lead, false);
        }
        let lead = lead.wrapping_sub(self.offset);
        self.lock = Lock::Locked;
        self.strikes = if lead.unsigned_abs() > 1 << 30 {
            self.strikes + 1
        } else {
            0
        };
        if self.strikes > PATIENCE {
            (self.lock, self.settled, self.strikes, self.offset) = (Lock::Searching, 0, 0, 0);
            self.home = Some(self.channel);
            return false;
        }
        // The whole error would be gone after one half cycle by this change of the increment.
        let whole = (i64::from(lead) * i64::from(self.base)) >> 31;
        let base = i64::from(self.base);
        let drift = (whole >> FREQUENCY_GAIN).clamp(-base >> 8, base >> 8);
        self.base = self.clamped(base + drift);
        let push = (whole >> PHASE_GAIN).clamp(-base >> 6, base >> 6);
        self.increment = (i64::from(self.base) + push) as u32;
        false
    }

    /// Takes the frequency from the angle between two cycles, half a cycle apart, until it fits.
    fn search(&mut self, weak: bool, lead: i32) -> bool {
        if weak {
            self.settled = 0;
            (self.base, self.increment) = (self.nominal, self.nominal);
            return false;
        }
        match self.settled {
            0 | 1 => return false,
            2 => {
                self.lead = lead;
                return false;
            }
            _ => {}
        }
        let drift = lead.wrapping_sub(self.lead);
        let base = i64::from(self.base);
        self.base = self.clamped(base + ((i64::from(drift) * base) >> 31));
        (self.increment, self.settled) = (self.base, 0);
        if drift.unsigned_abs() > 1 << 26 {
            return false;
        }
        // Measured in the middle of the cycle just over, half a cycle ago.
        let lead = lead.wrapping_add(drift).wrapping_sub(self.offset);
        self.phase = self.phase.wrapping_add_signed(lead);
        self.lock = Lock::Locked;
        true
    }

    /// Within 0.6 to 2 times nominal. (`clamp` would bring a panic for bounds that the compiler does not know.)
    fn clamped(&self, increment: i64) -> u32 {
        let nominal = i64::from(self.nominal);
        let highest = (2 * nominal).min(1 << 30);
        increment.min(highest).max(nominal * 6 / 10) as u32
    }
}

/// Length of a vector, up to 7 % too large.
fn magnitude(v: Detected) -> u64 {
    let (x, y) = (v.sine.unsigned_abs(), v.cosine.unsigned_abs());
    x.max(y) + (x.min(y) / 2)
}

/// A sample limited to 24 bits: one instruction where the core saturates.
#[inline]
pub(crate) fn limited(x: i32) -> i32 {
    x.clamp(-crate::FULL_SCALE - 1, crate::FULL_SCALE)
}
