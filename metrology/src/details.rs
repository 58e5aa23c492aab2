//! What costs something for every sample and not every meter wants: peaks, line-to-line voltages, the computed
//! neutral, and reactive power by a delay and by an integral.
//!
//! A [`Details`] follows a meter through the same windows. Who has none pays nothing. Reactive power by
//! Budeanu's definition is the sum over orders of [`pq::Spectrum::reactive`](crate::pq::Spectrum::reactive),
//! the residual definition [`PhaseQuantities::nonactive_uva`](crate::PhaseQuantities::nonactive_uva).

use crate::calibration::{Calibration, CalibrationError};
use crate::compensation::Correction;
use crate::division::rounded_div;
use crate::meter::{Follower, Meter, Progress, Shared};
use crate::oscillator::Oscillator;
use crate::power::{Closed, Rotation, Weights, power_micro};
use crate::rms::{mean_micro, rms_micro};
use crate::sample::{FULL_SCALE, Sample};
use crate::sensor::{Integrator, Rogowski};
use crate::window::part;

/// A quarter turn, 2^-32 turn.
const QUARTER: i128 = 1 << 30;
/// Samples by which the integral comes late.
const LATE: usize = Rogowski::DELAY as usize;

/// More of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DetailedPhase {
    /// Largest magnitude of the voltage, offset removed, microvolts.
    pub voltage_peak_uv: u64,
    /// Largest magnitude of the current, offset removed, microamperes.
    pub current_peak_ua: u64,
    /// Peak over rms value of the voltage, millionths; 0 without a voltage.
    pub voltage_crest_ppm: u32,
    /// The same of the current.
    pub current_crest_ppm: u32,
    /// Voltage between this phase and the next, the last and the first, rms, microvolts.
    pub line_to_line_uv: u64,
    /// ⟨u(t − T/4) i(t)⟩, microvars: order h counts with the cosine of φ_h − h · 90°.
    pub delayed_reactive_uvar: i64,
    /// ⟨ω∫u dt · i⟩, microvars: order h counts by its h-th part. The integral settles some 20 s after the start.
    pub integral_reactive_uvar: i64,
}

/// More of all phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DetailedQuantities<const PHASES: usize> {
    /// By phase.
    pub phase: [DetailedPhase; PHASES],
    /// Sum of the phase currents, sample by sample: what the neutral carries, rms, microamperes.
    pub neutral_ua: u64,
}

/// Sums of one phase that a window needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    /// Σ of the late voltage, and of the one a sample later still, times the current.
    delayed: [i64; 2],
    /// The same with the integral of the voltage.
    integral: [i64; 2],
    /// Σ of the voltage times that of the next phase, and of the currents.
    voltages: i64,
    currents: i64,
    /// Least and largest sample of voltage and current.
    u: Span,
    i: Span,
}

/// Least and largest sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    least: i32,
    largest: i32,
}

impl Default for Span {
    fn default() -> Self {
        Self {
            least: i32::MAX,
            largest: i32::MIN,
        }
    }
}

impl Span {
    fn take(&mut self, x: i32) {
        self.least = self.least.min(x);
        self.largest = self.largest.max(x);
    }

    fn join(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.largest = self.largest.max(other.largest);
    }

    /// Largest magnitude beside an offset, counts.
    fn peak(&self, offset: i32) -> i32 {
        if self.least > self.largest {
            return 0;
        }
        let (low, high) = (self.least - offset, self.largest - offset);
        low.abs().max(high.abs())
    }
}

impl Sums {
    fn products(&mut self) -> [&mut i64; 6] {
        let Self {
            delayed: [a, b],
            integral: [c, d],
            voltages,
            currents,
            ..
        } = self;
        [a, b, c, d, voltages, currents]
    }
}

/// What a phase remembers of its past samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Past<const DELAY: usize> {
    /// Voltages, a ring.
    voltages: [i32; DELAY],
    integrator: Integrator,
    integral: i32,
    /// Currents, the newest last.
    currents: [i32; LATE],
}

/// Follows a meter; `DELAY` samples of each voltage are kept: at least a quarter of the longest cycle and two,
/// 46 at 8 kHz and 45 Hz.
///
/// ```
/// use metrology::{Calibration, Details, Meter, Parameters, Sample};
///
/// let calibration = Calibration::<3>::try_new(Parameters::new(8_000_000, 50_000))?;
/// let mut meter = Meter::new(&calibration);
/// let mut details = Details::<3, 48>::try_new(&calibration)?;
/// # let wave = |n: usize| ((n % 160) as i32 - 80).abs() * 60_000 - 2_400_000;
/// # let block: Vec<Sample<3>> = (0..8000)
/// #     .map(|n| Sample { u: [wave(n), wave(n + 107), wave(n + 53)], i: [wave(n); 3], n: 0 })
/// #     .collect();
/// let progress = details.process(&mut meter, &calibration, &block);
/// assert!(progress.windows > 0);
/// let (line, more) = (&meter.quantities().phase[0], &details.quantities().phase[0]);
/// // √3 between the phases, less what the triangle's third harmonic does not add.
/// assert!(more.line_to_line_uv > line.voltage_uv * 17 / 10);
/// # Ok::<(), metrology::CalibrationError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Details<const PHASES: usize, const DELAY: usize> {
    sums: [Sums; PHASES],
    /// Parts of a shared sample that belong after the edge.
    rest: [Sums; PHASES],
    past: [Past<DELAY>; PHASES],
    /// Where the next voltage goes in the rings.
    at: usize,
    /// Samples by which voltages come late; it follows the frequency from window to window.
    late: usize,
    rogowski: Rogowski,
    quantities: DetailedQuantities<PHASES>,
}

impl<const PHASES: usize, const DELAY: usize> Details<PHASES, DELAY> {
    /// Details from the next window on.
    ///
    /// # Errors
    /// [`CalibrationError::Parameter`] when `DELAY` does not hold a quarter of a nominal cycle and two.
    pub fn try_new(calibration: &Calibration<PHASES>) -> Result<Self, CalibrationError> {
        let p = calibration.parameters();
        let turn = p.nominal_mhz.saturating_mul(4);
        let quarter = p.sample_rate_mhz.checked_div(turn).unwrap_or(u32::MAX);
        let min = i64::from(quarter) + 2;
        if i64::try_from(DELAY).unwrap_or(i64::MAX) < min {
            let max = i64::from(u16::MAX);
            let rule = crate::calibration::Rule::Range { min, max };
            return Err(crate::calibration::bad("DELAY", None, rule));
        }
        Ok(Self {
            sums: [Sums::default(); PHASES],
            rest: [Sums::default(); PHASES],
            past: [Past {
                voltages: [0; DELAY],
                integrator: Integrator::default(),
                integral: 0,
                currents: [0; LATE],
            }; PHASES],
            at: 0,
            late: quarter as usize,
            rogowski: Rogowski::try_new(p.sample_rate_mhz, p.nominal_mhz)?,
            quantities: DetailedQuantities {
                phase: [DetailedPhase::default(); PHASES],
                neutral_ua: 0,
            },
        })
    }

    /// Gives the next samples to the meter and follows it.
    pub fn process(
        &mut self,
        meter: &mut Meter<PHASES>,
        calibration: &Calibration<PHASES>,
        block: &[Sample<PHASES>],
    ) -> Progress {
        meter.follow(calibration, block, self)
    }

    /// Details of the last closed window; all zero before the first.
    #[must_use]
    pub const fn quantities(&self) -> &DetailedQuantities<PHASES> {
        &self.quantities
    }

    /// Sums of one set of samples; goes on by one.
    fn one(&mut self, set: &Sample<PHASES>) -> [Sums; PHASES] {
        let limited = |x: i32| x.clamp(-FULL_SCALE, FULL_SCALE);
        let (u, i) = (set.u.map(limited), set.i.map(limited));
        let next = |of: &[i32; PHASES], k: usize| {
            let after = if k + 1 < PHASES { k + 1 } else { 0 };
            of.get(after).copied().unwrap_or(0)
        };
        let product = |a: i32, b: i32| i64::from(a) * i64::from(b);
        let mut sums = [Sums::default(); PHASES];
        let channels = u.iter().zip(&i).zip(&mut self.past).zip(&mut sums);
        for (k, (((&u_now, &i_now), past), sums)) in channels.enumerate() {
            if let Some(place) = past.voltages.get_mut(self.at) {
                *place = u_now;
            }
            let older = |late: usize| {
                let at = self.at + DELAY - late.min(DELAY);
                let at = if at < DELAY { at } else { at - DELAY };
                past.voltages.get(at).copied().unwrap_or(0)
            };
            sums.delayed = [self.late, self.late + 1].map(|late| product(older(late), i_now));
            let before = past.integral;
            past.integral = past.integrator.next(&self.rogowski, u_now);
            let [i_late, ..] = past.currents;
            past.currents.rotate_left(1);
            if let Some(place) = past.currents.last_mut() {
                *place = i_now;
            }
            sums.integral = [product(past.integral, i_late), product(before, i_late)];
            (sums.voltages, sums.currents) =
                (product(u_now, next(&u, k)), product(i_now, next(&i, k)));
            sums.u.take(u_now);
            sums.i.take(i_now);
        }
        self.at = if self.at + 1 < DELAY { self.at + 1 } else { 0 };
        sums
    }

    fn add(&mut self, others: &mut [Sums; PHASES]) {
        for (sums, other) in self.sums.iter_mut().zip(others) {
            for (sum, part) in sums.products().into_iter().zip(other.products()) {
                *sum = sum.saturating_add(*part);
            }
            sums.u.join(other.u);
            sums.i.join(other.i);
        }
    }

    fn worked_out(
        &self,
        calibration: &Calibration<PHASES>,
        closed: &Closed<'_, PHASES>,
    ) -> DetailedQuantities<PHASES> {
        let p = calibration.parameters();
        let (rotation, corrections) = (
            closed.rotation(calibration),
            closed.corrections(calibration),
        );
        let mut quantities = DetailedQuantities {
            phase: [DetailedPhase::default(); PHASES],
            neutral_ua: 0,
        };
        let mut neutral = 0_i128;
        let gained = |square_q32: i128, a: u64, b: u64| {
            let gain = (u128::from(a) * u128::from(b)) >> 30;
            (square_q32 * gain as i128) >> 30
        };
        for (k, out) in quantities.phase.iter_mut().enumerate() {
            let after = if k + 1 < PHASES { k + 1 } else { 0 };
            let (
                Some(sums),
                Some(line),
                Some(next),
                Some(constants),
                Some(gains),
                Some(next_gains),
            ) = (
                self.sums.get(k),
                closed.sums.phase.get(k),
                closed.sums.phase.get(after),
                p.phase.get(k),
                corrections.get(k),
                corrections.get(after),
            )
            else {
                continue;
            };
            let length = closed.sums.length;
            let micro = |peak: i32, gain: u64, nano: u32| {
                mean_micro(i64::from(peak) << 16, gain, nano).unsigned_abs()
            };
            let u_peak = sums.u.peak(constants.voltage_offset);
            out.voltage_peak_uv = micro(u_peak, gains.voltage_gain, p.voltage_nv);
            let i_peak = sums.i.peak(constants.current_offset);
            out.current_peak_ua = micro(i_peak, gains.current_gain, p.current_na);
            let u_square = line.u.variance_q32(length, 0) as i128;
            let i_square = line.i.variance_q32(length, constants.current_noise) as i128;
            let rms = |square: i128, gain: u64, nano: u32| rms_micro(square as u128, gain, nano);
            let u_rms = rms(u_square, gains.voltage_gain, p.voltage_nv);
            let i_rms = rms(i_square, gains.current_gain, p.current_na);
            out.voltage_crest_ppm = crest(out.voltage_peak_uv, u_rms);
            out.current_crest_ppm = crest(out.current_peak_ua, i_rms);

            // Squares of differences and sums from squares and products, all less their means.
            let mean = |product: i64, a: i64, b: i64| {
                let n = i128::from(length);
                let numerator = (i128::from(product) << 16) * n - i128::from(a) * i128::from(b);
                rounded_div(rounded_div(numerator << 16, n) << 16, n)
            };
            let (g, h) = (gains.voltage_gain, next_gains.voltage_gain);
            let other = next.u.variance_q32(length, 0) as i128;
            let both = mean(sums.voltages, line.u.sum, next.u.sum);
            let square = gained(u_square, g, g) + gained(other, h, h) - 2 * gained(both, g, h);
            out.line_to_line_uv = rms(square.max(0), 1 << 30, p.voltage_nv);
            let (g, h) = (gains.current_gain, next_gains.current_gain);
            neutral += gained(i_square, g, g);
            if PHASES > 1 {
                neutral += 2 * gained(mean(sums.currents, line.i.sum, next.i.sum), g, h);
            }

            let power = |sums: [i64; 2], weights: &Weights, mean: i128| {
                let [straight, delayed] = sums.map(i128::from);
                let (a, b) = (i128::from(weights.straight), i128::from(weights.delayed));
                let raw = straight * a + delayed * b - mean * (a + b);
                let mean_q16 = rounded_div(raw << 2, i128::from(length));
                power_micro(mean_q16, p.voltage_nv, p.current_na)
            };
            let means = i128::from(line.u.sum) * i128::from(line.i.sum);
            let means = rounded_div(means, i128::from(length) << 16);
            let weights = self.quarter(gains, &rotation);
            out.delayed_reactive_uvar = power(sums.delayed, &weights, means);
            // The integral is a quarter of the voltage at the nominal frequency, and falls with frequency.
            let scale = rounded_div(
                4 * i128::from(gains.power_gain) * i128::from(rotation.frequency_mhz),
                i128::from(p.nominal_mhz),
            );
            let lag = gains.lag(rotation.frequency_mhz);
            let weights = Weights::turning(lag, rotation.turn, scale);
            out.integral_reactive_uvar = power(sums.integral, &weights, 0);
        }
        quantities.neutral_ua = rms_micro(neutral.max(0) as u128, 1 << 30, p.current_na);
        quantities
    }

    /// Weights that delay the voltage by a quarter turn and the lateness of the current.
    fn quarter(&self, gains: &Correction, rotation: &Rotation) -> Weights {
        let whole = self.late as i128 * i128::from(rotation.turn);
        let rest = QUARTER + gains.lag(rotation.frequency_mhz) - whole;
        Weights::turning(rest, rotation.turn, gains.power_gain.into())
    }
}

impl<const PHASES: usize, const DELAY: usize> Follower<PHASES> for Details<PHASES, DELAY> {
    fn whole(&mut self, _: &Calibration<PHASES>, sets: &[Sample<PHASES>], _: usize, _: Oscillator) {
        for set in sets {
            let mut sums = self.one(set);
            self.add(&mut sums);
        }
    }

    fn share(&mut self, _: &Calibration<PHASES>, set: &Sample<PHASES>, _: usize, shared: &Shared) {
        let mut sums = self.one(set);
        self.rest = sums;
        for (sums, rest) in sums.iter_mut().zip(&mut self.rest) {
            for (old, new) in sums.products().into_iter().zip(rest.products()) {
                *old = part(*old, shared.weight);
                *new -= *old;
            }
        }
        self.add(&mut sums);
    }

    fn close(
        &mut self,
        calibration: &Calibration<PHASES>,
        closed: &Closed<'_, PHASES>,
        publish: bool,
        commit: bool,
    ) {
        if publish {
            self.quantities = self.worked_out(calibration, closed);
        }
        if commit {
            self.sums = [Sums::default(); PHASES];
            let turn = closed.rotation(calibration).turn.max(1);
            self.late = ((1 << 30) / turn as usize).min(DELAY.saturating_sub(2));
        }
    }

    fn resume(&mut self) {
        let mut rest = core::mem::replace(&mut self.rest, [Sums::default(); PHASES]);
        self.add(&mut rest);
    }
}

/// Peak over rms value, millionths.
fn crest(peak: u64, rms: u64) -> u32 {
    let ppm = rounded_div(i128::from(peak) * 1_000_000, i128::from(rms));
    u32::try_from(ppm).unwrap_or(u32::MAX)
}
