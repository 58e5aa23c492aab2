//! Loads on a 230 V line, with and without a series arc, in the time domain.
//!
//! The arc is a voltage against the current: it goes out at each zero of the current and comes back when the voltage
//! across it reaches an ignition voltage. Both voltages are drawn anew for each half cycle, and some half cycles stay
//! dark: an arc never repeats itself, which is what tells it from a load.

use std::f64::consts::{PI, SQRT_2, TAU};

use testkit::Rng;

/// Simulation steps for each sample.
const OVER: usize = 8;

/// What is connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// Heater of so many amperes.
    Heater(f64),
    /// Induction motor: rms amperes, lag in degrees.
    Motor(f64, f64),
    /// Universal motor (drill, vacuum cleaner): commutator ripple that is not locked to the line.
    Brushes(f64),
    /// Rectifier with capacitor, mean output amperes.
    Supply(f64),
    /// Phase-cut dimmer at so many degrees before a heater of so many amperes.
    Dimmer(f64, f64),
    /// The same, being turned up and down.
    TurnedDimmer(f64),
    /// Heater beside a supply.
    Mixed(f64, f64),
    /// A heater that a thermostat switches every half second or so.
    Thermostat(f64),
    /// Burst control: one cycle on, one off.
    Burst(f64),
}

pub const LOADS: [Load; 15] = [
    Load::Heater(3.0),
    Load::Heater(10.0),
    Load::Motor(5.0, 40.0),
    Load::Motor(10.0, 60.0),
    Load::Brushes(5.0),
    Load::Brushes(8.0),
    Load::Supply(2.5),
    Load::Supply(4.0),
    Load::Dimmer(60.0, 8.0),
    Load::Dimmer(100.0, 8.0),
    Load::TurnedDimmer(8.0),
    Load::Mixed(4.0, 1.0),
    Load::Mixed(8.0, 2.0),
    Load::Thermostat(8.0),
    Load::Burst(8.0),
];

/// The arc.
#[derive(Clone, Copy, Debug)]
pub struct Arc {
    drop: f64,
    ignition: f64,
    burning: bool,
    flicker: f64,
}

impl Arc {
    pub fn new() -> Self {
        Self {
            drop: 20.0,
            ignition: 50.0,
            burning: false,
            flicker: 0.0,
        }
    }

    /// A new half cycle.
    pub fn renew(&mut self, rng: &mut Rng) {
        self.drop = 15.0 + 15.0 * unit(rng);
        self.ignition = self.drop + 10.0 + 60.0 * unit(rng) * unit(rng);
        if unit(rng) < 0.04 {
            self.ignition = 1e9;
        }
        self.burning = false;
    }

    /// Voltage that it takes away when `across` stands over arc and load; none lets no current through.
    pub fn drop(&mut self, across: f64, rng: &mut Rng) -> Option<f64> {
        self.flicker += 0.1 * (4.0 * (unit(rng) - 0.5) - self.flicker);
        if !self.burning && across.abs() >= self.ignition {
            self.burning = true;
        }
        self.burning.then_some((self.drop + self.flicker).max(5.0))
    }
}

pub fn unit(rng: &mut Rng) -> f64 {
    rng.below(1 << 24) as f64 / f64::from(1 << 24)
}

/// A line with a load: volts and amperes at `rate`.
pub struct Line {
    load: Load,
    arc: Option<Arc>,
    rng: Rng,
    rate: f64,
    frequency: f64,
    time: f64,
    current: f64,
    capacitor: f64,
    ripple: f64,
    on: bool,
    sign: bool,
    resistance_noise: f64,
}

impl Line {
    pub fn new(load: Load, arcing: bool, rate: f64, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let frequency = 49.9 + 0.2 * unit(&mut rng);
        let time = unit(&mut rng) / 50.0;
        Self {
            load,
            arc: arcing.then(Arc::new),
            rng,
            rate,
            frequency,
            time,
            current: 0.0,
            capacitor: 300.0,
            ripple: 0.0,
            on: true,
            sign: false,
            resistance_noise: 0.0,
        }
    }

    pub fn is_arcing(&self) -> bool {
        self.arc.is_some()
    }

    pub fn set_arcing(&mut self, arcing: bool) {
        self.arc = arcing.then(Arc::new);
    }

    /// The mean over one sample of a signal that is stepped finer: the filter before the converter.
    pub fn next(&mut self) -> (f64, f64) {
        let (mut u_sum, mut i_sum) = (0.0, 0.0);
        for _ in 0..OVER {
            let (u, i) = self.step(1.0 / (self.rate * OVER as f64));
            u_sum += u;
            i_sum += i;
        }
        (u_sum / OVER as f64, i_sum / OVER as f64)
    }

    fn step(&mut self, dt: f64) -> (f64, f64) {
        self.time += dt;
        let angle = TAU * self.frequency * self.time;
        let u = 230.0
            * SQRT_2
            * (angle.sin() + 0.02 * (5.0 * angle + 1.0).sin() + 0.01 * (7.0 * angle).sin());
        let half = (angle / PI).rem_euclid(1.0) * 180.0;
        let i = match self.load {
            Load::Heater(a) => self.resistive(u, 230.0 / a),
            Load::Dimmer(degrees, a) => self.cut(u, half, degrees, a),
            Load::TurnedDimmer(a) => {
                let degrees = 80.0 + 30.0 * (TAU * 0.7 * self.time).sin();
                self.cut(u, half, degrees, a)
            }
            Load::Thermostat(a) => {
                if self.rng.below(((1.0 / dt) * 0.5) as u64) == 0 {
                    self.on = !self.on;
                }
                // A heater beside it goes on.
                let rest = self.resistive(u, 230.0 / 3.0);
                if self.on {
                    rest * (1.0 + a / 3.0)
                } else {
                    rest
                }
            }
            Load::Burst(a) => {
                let cycle = (angle / TAU) as u64;
                if cycle.is_multiple_of(2) {
                    self.resistive(u, 230.0 / a)
                } else {
                    self.resistive(u, 1e6)
                }
            }
            Load::Motor(a, degrees) => {
                let z = 230.0 / a;
                let (r, x) = (
                    z * degrees.to_radians().cos(),
                    z * degrees.to_radians().sin(),
                );
                self.inductive(u, r, x / (TAU * 50.0), dt)
            }
            Load::Brushes(a) => {
                self.ripple += TAU * 730.0 * dt * (1.0 + 0.03 * (TAU * 1.3 * self.time).sin());
                self.resistance_noise +=
                    dt * 4000.0 * (0.12 * (unit(&mut self.rng) - 0.5) - self.resistance_noise);
                let z = 230.0 / a;
                let r = z * 0.9 * (1.0 + 0.06 * self.ripple.sin() + self.resistance_noise);
                self.inductive(u, r, z * 0.4 / (TAU * 50.0), dt)
            }
            Load::Supply(a) => self.rectifier(u, a, dt),
            Load::Mixed(heater, supply) => {
                // One arc in the common wire: both hang behind the same voltage.
                let behind = self.behind_arc(u);
                let heat = behind / (230.0 / heater);
                let fed = self.rectified(behind, supply, dt);
                self.note_sign(u);
                heat + fed
            }
        };
        (u, i)
    }

    fn note_sign(&mut self, value: f64) {
        if (value > 0.0) != self.sign {
            self.sign = value > 0.0;
            if let Some(arc) = &mut self.arc {
                arc.renew(&mut self.rng);
            }
        }
    }

    /// Voltage behind an arc whose load follows the line.
    fn behind_arc(&mut self, u: f64) -> f64 {
        match &mut self.arc {
            None => u,
            Some(arc) => match arc.drop(u, &mut self.rng) {
                Some(drop) if u.abs() > drop => u - drop * u.signum(),
                _ => 0.0,
            },
        }
    }

    fn resistive(&mut self, u: f64, r: f64) -> f64 {
        self.note_sign(u);
        self.behind_arc(u) / r
    }

    fn cut(&mut self, u: f64, half: f64, degrees: f64, a: f64) -> f64 {
        self.note_sign(u);
        if half < degrees {
            return 0.0;
        }
        self.behind_arc(u) / (230.0 / a)
    }

    fn inductive(&mut self, u: f64, r: f64, l: f64, dt: f64) -> f64 {
        let before = self.current;
        // An arc that did not burn in this half cycle may in the next.
        if before == 0.0 {
            self.note_sign(u);
        }
        let drop = match &mut self.arc {
            None => Some(0.0),
            Some(arc) => {
                let across = if before == 0.0 {
                    u
                } else {
                    before.signum() * 1e6
                };
                let was = arc.burning;
                let drop = arc.drop(across, &mut self.rng);
                drop.map(|drop| drop * if was { before.signum() } else { u.signum() })
            }
        };
        let Some(drop) = drop else {
            self.current = 0.0;
            return 0.0;
        };
        self.current += dt * (u - r * before - drop) / l;
        // The arc goes out with the current.
        if self.arc.is_some() && before != 0.0 && self.current * before <= 0.0 {
            self.current = 0.0;
            if let Some(arc) = &mut self.arc {
                arc.renew(&mut self.rng);
            }
        }
        self.current
    }

    fn rectifier(&mut self, u: f64, a: f64, dt: f64) -> f64 {
        self.note_sign(u);
        let behind = match &mut self.arc {
            None => u,
            // Only what the capacitor does not hold stands across the arc.
            Some(arc) => {
                let across = (u.abs() - self.capacitor).max(0.0);
                match arc.drop(across, &mut self.rng) {
                    Some(drop) => u - drop * u.signum(),
                    None => 0.0,
                }
            }
        };
        self.rectified(behind, a, dt)
    }

    fn rectified(&mut self, behind: f64, a: f64, dt: f64) -> f64 {
        let flowing = ((behind.abs() - self.capacitor) / 3.0).max(0.0);
        self.capacitor += dt * (flowing - a * self.capacitor / 300.0) / (a * 600e-6);
        flowing * behind.signum()
    }
}
