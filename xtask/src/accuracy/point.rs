//! One point of the sweep: the chain, the model and the truth on the same samples.

use metrology::{Meter, Sample};
use testkit::signal::{Model, Noise, Wave};

use super::front::{Front, IMAX, NOMINAL_VOLTS, RATE};
use super::limits::{Budget, Factor, Load, budget, judged};

/// Samples of one block, as firmware would give them.
const BLOCK: usize = 32;
/// Windows averaged at least; 10 or 12 cycles each, so one second.
const FEWEST_WINDOWS: u32 = 5;
/// Windows averaged where a front end is only shown: 4 s because a coarse current is a train of pulses, of which each
/// edge of a window cuts one; 10 s where it is noisy.
const SHOWN_WINDOWS: [u32; 2] = [20, 50];

/// A point of the sweep.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub front: Front,
    pub load: Load,
    /// U / Un.
    pub voltage: f64,
    pub hertz: f64,
    /// Of the noise.
    pub seed: u64,
}

/// Deviations of a point, per cent (frequency: hertz).
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    pub point: Point,
    /// Of the chain from the truth.
    pub total: f64,
    /// Of the chain from the model on the same samples.
    pub chain: Budget,
    /// Windows averaged.
    pub windows: u32,
}

impl Outcome {
    /// Length of the signal that was averaged, seconds.
    pub fn seconds(&self) -> f64 {
        f64::from(self.windows) * self.point.cycles() / self.point.hertz
    }

    /// Part of the class limit that the total error takes.
    pub fn part_of_class(&self) -> f64 {
        self.total.abs() / judged(self.point.load)
    }

    /// Largest part of a budget that the chain takes.
    pub fn part_of_budget(&self) -> f64 {
        let (found, allowed) = (self.chain, self.point.allowed());
        [
            (found.active, allowed.active),
            (found.current, allowed.current),
            (found.voltage, allowed.voltage),
            (found.reactive, allowed.reactive),
            (found.frequency, allowed.frequency),
        ]
        .into_iter()
        .map(|(found, allowed)| found.abs() / allowed)
        .fold(0.0, |worst, part| if part <= worst { worst } else { part })
    }

    /// Why the point is refused, when it is.
    pub fn refused(&self) -> Option<String> {
        let load = self.point.load;
        let place = format!(
            "{}, {:.3e} Imax, PF {}, {} Un, {} Hz",
            self.point.front.name,
            load.current,
            load.factor.name(),
            self.point.voltage,
            self.point.hertz
        );
        // Written so that a value that is no number is refused as well.
        let inside_class = match self.point.front.judged.part() {
            Some(part) => self.part_of_class() <= part,
            None => true,
        };
        let inside_budget = self.part_of_budget() <= 1.0;
        if !inside_class {
            let (total, limit) = (self.total, judged(load));
            return Some(format!(
                "{place}: error {total:.4} % at a limit of {limit} %"
            ));
        }
        (!inside_budget).then(|| {
            format!(
                "{place}: the chain leaves the model by {:.4?}, allowed {:.4?}",
                self.chain,
                self.point.allowed()
            )
        })
    }
}

/// Length-weighted means of what the windows gave.
#[derive(Default)]
struct Means {
    length: f64,
    cycles: f64,
    active: f64,
    reactive: f64,
    voltage_square: f64,
    current_square: f64,
}

impl Means {
    fn add(&mut self, quantities: &metrology::Quantities<1>) {
        let length = quantities.length_q16 as f64 / 65_536.0;
        let line = &quantities.phase[0];
        self.length += length;
        self.cycles += f64::from(quantities.cycles);
        self.active += length * line.active_uw as f64 * 1e-6;
        self.reactive += length * line.reactive_uvar as f64 * 1e-6;
        self.voltage_square += length * (line.voltage_uv as f64 * 1e-6).powi(2);
        self.current_square += length * (line.current_ua as f64 * 1e-6).powi(2);
    }
}

impl Point {
    /// What the chain may add to the model here.
    fn allowed(&self) -> Budget {
        let budget = budget(self.load);
        // Half of the last digit: below 1 % of In the microampere is no longer small.
        let resolution = 100.0 * 0.5e-6 / (self.load.current * IMAX);
        Budget {
            current: budget.current + resolution,
            ..budget
        }
    }

    /// Windows over which the noise averages out to a `share` of the class limit (one deviation).
    fn windows(&self, share: f64) -> u32 {
        let scatter = self
            .front
            .scatter(self.load.current * IMAX, self.load.factor.cosine());
        let samples = (100.0 * scatter / (judged(self.load) * share)).powi(2);
        let per_window = RATE * self.cycles() / self.hertz;
        let wanted = (samples / per_window).ceil() as u32;
        match self.front.judged.part() {
            Some(_) => wanted.max(FEWEST_WINDOWS),
            None => wanted.clamp(SHOWN_WINDOWS[0], SHOWN_WINDOWS[1]),
        }
    }

    /// Cycles of a standard window.
    fn cycles(&self) -> f64 {
        if self.hertz > 55.0 { 12.0 } else { 10.0 }
    }

    /// Runs the point. The noise is averaged down to a `share` of the class limit.
    pub fn run(&self, share: f64) -> Outcome {
        let (front, hertz) = (self.front, self.hertz);
        let turns = hertz / RATE;
        let (volts, amperes) = (self.voltage * NOMINAL_VOLTS, self.load.current * IMAX);
        let lag = self.load.factor.degrees();
        let u = Wave::sine(volts * front.counts_per_volt(), 11.0);
        let late = front.fault.lag(hertz).to_degrees();
        let i = Wave::sine(amperes * front.counts_per_ampere(), 11.0 - lag - late);

        let calibration = front.calibration(hertz);
        let mut meter = Meter::new(&calibration);
        let (mut u, mut i) = (u.generator(turns), i.generator(turns));
        let mut noise = Noise::new(self.seed);
        let mut sample = || Sample {
            u: [front.converter.count(u.value(), &mut noise)],
            i: [front.converter.count(i.value(), &mut noise)],
            n: 0,
        };
        // One by one, so that the model begins at the sample in which a window does.
        while meter.process(&calibration, &[sample()]).windows == 0
            || !meter.quantities().flags.synchronous
        {}
        let wanted = self.windows(share);
        let mut model = Model::new(turns, 0.5, f64::from(wanted) * self.cycles());
        let mut means = Means::default();
        let mut windows = 0;
        while windows < wanted || !model.is_complete() {
            let block: [Sample<1>; BLOCK] = std::array::from_fn(|_| sample());
            for sample in &block {
                model.push(sample.u[0], sample.i[0]);
            }
            if meter.process(&calibration, &block).windows > 0 && windows < wanted {
                means.add(meter.quantities());
                windows += 1;
            }
        }
        let reference = model.reference().turned_back(front.fault.lag(hertz));
        self.compare(&means, reference, windows)
    }

    fn compare(&self, means: &Means, model: testkit::signal::Reference, windows: u32) -> Outcome {
        let (volts, amperes) = (self.voltage * NOMINAL_VOLTS, self.load.current * IMAX);
        let apparent = volts * amperes;
        let truth = apparent * self.load.factor.cosine();
        let mean = |sum: f64| sum / means.length;
        let active = mean(means.active);
        let (per_volt, per_ampere) = (self.front.counts_per_volt(), self.front.counts_per_ampere());
        let per_watt = per_volt * per_ampere;
        let reactive_scale = match self.load.factor {
            Factor::One => apparent,
            factor => apparent * factor.degrees().to_radians().sin().abs(),
        };
        let noise_square = self.front.converter.noise_square() / per_ampere.powi(2);
        let model_current = ((model.current / per_ampere).powi(2) - noise_square)
            .max(0.0)
            .sqrt();
        let percent = |difference: f64, scale: f64| 100.0 * difference / scale;
        Outcome {
            point: *self,
            total: percent(active - truth, truth),
            chain: Budget {
                active: percent(active - model.active / per_watt, truth),
                current: percent(mean(means.current_square).sqrt() - model_current, amperes),
                voltage: percent(
                    mean(means.voltage_square).sqrt() - model.voltage / per_volt,
                    volts,
                ),
                reactive: percent(
                    mean(means.reactive) - model.reactive / per_watt,
                    reactive_scale,
                ),
                frequency: means.cycles * RATE / means.length - self.hertz,
            },
            windows,
        }
    }
}
