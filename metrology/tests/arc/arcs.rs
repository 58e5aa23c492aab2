//! Series arcs as a voltage against the current.
//!
//! An arc goes out at each zero of the current and comes back when the voltage across it reaches an ignition voltage:
//! an arc never repeats itself, which is what tells it from a load. The detector was made with [`Kind::Drawn`]; the
//! others are kept apart to judge it.

use testkit::Rng;

/// How an arc behaves from one half cycle to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both voltages are drawn anew for each half cycle, and some half cycles stay dark.
    Drawn,
    /// The drop wanders between 12 and 40 V, most of it carried over; ignition follows the drop; no dark half cycle.
    Calm,
    /// A loose contact: arcs for some 20 half cycles, touches for some 4.
    Loose,
}

#[derive(Clone, Copy, Debug)]
pub struct Arc {
    kind: Kind,
    drop: f64,
    ignition: f64,
    burning: bool,
    flicker: f64,
    touching: bool,
}

pub fn unit(rng: &mut Rng) -> f64 {
    rng.below(1 << 24) as f64 / f64::from(1 << 24)
}

impl Arc {
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            drop: 20.0,
            ignition: 50.0,
            burning: false,
            flicker: 0.0,
            touching: false,
        }
    }

    /// A new half cycle.
    pub fn renew(&mut self, rng: &mut Rng) {
        self.burning = false;
        match self.kind {
            Kind::Drawn => {
                self.drop = 15.0 + 15.0 * unit(rng);
                self.ignition = self.drop + 10.0 + 60.0 * unit(rng) * unit(rng);
                if unit(rng) < 0.04 {
                    self.ignition = 1e9;
                }
            }
            Kind::Calm => {
                self.drop += 0.5 * (12.0 + 28.0 * unit(rng) - self.drop);
                self.ignition = self.drop * (1.3 + 0.7 * unit(rng));
            }
            Kind::Loose => {
                let leaves = if self.touching { 0.25 } else { 0.05 };
                self.touching ^= unit(rng) < leaves;
                self.drop = 15.0 + 15.0 * unit(rng);
                self.ignition = self.drop + 10.0 + 60.0 * unit(rng) * unit(rng);
                if self.touching {
                    (self.drop, self.ignition, self.burning) = (0.0, 0.0, true);
                }
            }
        }
    }

    /// Whether current flows through it now.
    pub fn burns(&self) -> bool {
        self.burning
    }

    /// Voltage that it takes away when `across` stands over arc and load; none lets no current through.
    pub fn drop(&mut self, across: f64, rng: &mut Rng) -> Option<f64> {
        self.flicker += 0.1 * (4.0 * (unit(rng) - 0.5) - self.flicker);
        if !self.burning && across.abs() >= self.ignition {
            self.burning = true;
        }
        if self.touching {
            return Some(0.0);
        }
        self.burning.then_some((self.drop + self.flicker).max(5.0))
    }
}
