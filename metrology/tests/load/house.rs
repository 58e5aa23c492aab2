//! A house of appliances that switch themselves: powers by the second and what was really switched.

use testkit::Rng;

/// One thing in the house.
struct Appliance {
    watts: f64,
    vars: f64,
    /// Mean seconds on and off.
    on_s: f64,
    off_s: f64,
    /// Hours of the day in which it is used.
    hours: core::ops::Range<u64>,
    /// Power of the first seconds over its later one, and how fast it falls.
    inrush: f64,
    settle_s: f64,
    /// Noise of its power, parts of it.
    noise: f64,
    runs: bool,
    since: u64,
    until: u64,
}

/// What really happened.
pub struct Event {
    pub second: u64,
    pub appliance: usize,
    /// Change of power.
    pub watts: f64,
}

pub struct House {
    appliances: Vec<Appliance>,
    rng: Rng,
    second: u64,
    pub events: Vec<Event>,
}

fn unit(rng: &mut Rng) -> f64 {
    rng.below(1 << 24) as f64 / f64::from(1 << 24)
}

impl House {
    pub fn new(seed: u64) -> Self {
        let appliance = |watts: f64, vars: f64, on_s: f64, off_s: f64, hours| Appliance {
            watts,
            vars,
            on_s,
            off_s,
            hours,
            inrush: 1.0,
            settle_s: 1.0,
            noise: 0.002,
            runs: false,
            since: 0,
            until: 0,
        };
        let motor = |appliance: Appliance, inrush, settle_s| Appliance {
            inrush,
            settle_s,
            noise: 0.01,
            ..appliance
        };
        Self {
            appliances: vec![
                motor(appliance(110.0, 75.0, 900.0, 1800.0, 0..24), 6.0, 0.7),
                motor(appliance(85.0, 60.0, 1200.0, 2400.0, 0..24), 6.0, 0.7),
                appliance(2000.0, 0.0, 180.0, 5400.0, 6..23),
                appliance(1200.0, 250.0, 120.0, 9000.0, 7..21),
                appliance(140.0, -30.0, 5400.0, 7200.0, 16..24),
                appliance(1500.0, 0.0, 240.0, 600.0, 17..24),
                appliance(60.0, 5.0, 3600.0, 3600.0, 17..24),
                appliance(45.0, 0.0, 1800.0, 3600.0, 6..9),
                motor(appliance(750.0, 120.0, 300.0, 14_400.0, 9..18), 1.6, 1.5),
                appliance(2800.0, 0.0, 600.0, 20_000.0, 6..22),
                appliance(900.0, 0.0, 60.0, 120.0, 11..13),
            ],
            rng: Rng::new(seed),
            second: 0,
            events: Vec::new(),
        }
    }

    /// The next second: watts and vars.
    pub fn second(&mut self) -> (f64, f64) {
        let hour = self.second / 3600;
        let (mut p, mut q) = (75.0, -40.0);
        // Standby wanders; the line voltage moves everything by a little.
        p += 5.0 * (self.second as f64 / 700.0).sin() + 1.5 * (unit(&mut self.rng) - 0.5);
        for (number, appliance) in self.appliances.iter_mut().enumerate() {
            if self.second >= appliance.until {
                let mean = if appliance.runs {
                    appliance.off_s
                } else {
                    appliance.on_s
                };
                let allowed = appliance.runs || appliance.hours.contains(&hour);
                let spread = 0.5 + unit(&mut self.rng);
                if self.second > 0 && allowed {
                    appliance.runs = !appliance.runs;
                    let sign = if appliance.runs { 1.0 } else { -1.0 };
                    let watts = sign * appliance.watts;
                    self.events.push(Event {
                        second: self.second,
                        appliance: number,
                        watts,
                    });
                    appliance.since = self.second;
                    appliance.until = self.second + (mean * spread) as u64 + 1;
                } else {
                    let wait = appliance.off_s * unit(&mut self.rng);
                    appliance.until = self.second + wait as u64 + 1;
                }
            }
            if appliance.runs {
                let age = (self.second - appliance.since) as f64;
                let start = 1.0 + (appliance.inrush - 1.0) * (-age / appliance.settle_s).exp();
                let noise = 1.0 + appliance.noise * 2.0 * (unit(&mut self.rng) - 0.5);
                p += appliance.watts * start * noise;
                q += appliance.vars * start * noise;
            }
        }
        self.second += 1;
        (p, q)
    }
}
