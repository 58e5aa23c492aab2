//! Houses of appliances that switch themselves at any moment: mean powers of windows and what was really switched.

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
    /// Power at first over its later one (less than one: it rises slowly), and how fast that goes.
    inrush: f64,
    settle_s: f64,
    /// Noise of its power from window to window, parts of it.
    noise: f64,
    runs: bool,
    since_ms: u64,
    until_ms: u64,
}

impl Appliance {
    const fn new(
        watts: f64,
        vars: f64,
        on_s: f64,
        off_s: f64,
        hours: core::ops::Range<u64>,
    ) -> Self {
        Self {
            watts,
            vars,
            on_s,
            off_s,
            hours,
            inrush: 1.0,
            settle_s: 1.0,
            noise: 0.002,
            runs: false,
            since_ms: 0,
            until_ms: 0,
        }
    }

    fn starting(self, inrush: f64, settle_s: f64, noise: f64) -> Self {
        Self {
            inrush,
            settle_s,
            noise,
            ..self
        }
    }

    /// Part of the rated power that it takes between two times since its start, times their distance.
    fn taken(&self, from_s: f64, to_s: f64) -> f64 {
        let decay = |at: f64| (-at / self.settle_s).exp();
        (to_s - from_s) + (self.inrush - 1.0) * self.settle_s * (decay(from_s) - decay(to_s))
    }
}

/// What really happened.
pub struct Event {
    pub at_ms: u64,
    pub appliance: usize,
    /// Change of power.
    pub watts: f64,
}

pub struct House {
    appliances: Vec<Appliance>,
    rng: Rng,
    now_ms: u64,
    pub events: Vec<Event>,
}

fn unit(rng: &mut Rng) -> f64 {
    rng.below(1 << 24) as f64 / f64::from(1 << 24)
}

impl House {
    fn of(appliances: Vec<Appliance>, seed: u64) -> Self {
        Self {
            appliances,
            rng: Rng::new(seed),
            now_ms: 0,
            events: Vec::new(),
        }
    }

    /// The house that the detectors and their limits were made with.
    pub fn training(seed: u64) -> Self {
        let new = Appliance::new;
        let fridge =
            |watts, vars, on_s| new(watts, vars, on_s, 2.0 * on_s, 0..24).starting(6.0, 0.7, 0.01);
        let list = vec![
            fridge(110.0, 75.0, 900.0),
            fridge(85.0, 60.0, 1200.0),
            new(2000.0, 0.0, 180.0, 5400.0, 6..23),
            new(1200.0, 250.0, 120.0, 9000.0, 7..21),
            new(140.0, -30.0, 5400.0, 7200.0, 16..24),
            new(1500.0, 0.0, 240.0, 600.0, 17..24),
            new(60.0, 5.0, 3600.0, 3600.0, 17..24),
            new(45.0, 0.0, 1800.0, 3600.0, 6..9),
            new(750.0, 120.0, 300.0, 14_400.0, 9..18).starting(1.6, 1.5, 0.01),
            new(2800.0, 0.0, 600.0, 20_000.0, 6..22),
            new(900.0, 0.0, 60.0, 120.0, 11..13),
        ];
        Self::of(list, seed)
    }

    /// Another house, which only judges them: a car and a heat pump that rise slowly, a freezer, a drum that turns to and
    /// fro, an oven in short cycles, a picture that changes.
    pub fn held_out(seed: u64) -> Self {
        let new = Appliance::new;
        let list = vec![
            new(7200.0, -150.0, 7200.0, 40_000.0, 0..7).starting(0.1, 4.0, 0.001),
            new(1800.0, 300.0, 1500.0, 2400.0, 0..24).starting(0.3, 6.0, 0.006),
            new(95.0, 110.0, 1100.0, 2100.0, 0..24).starting(7.0, 0.4, 0.01),
            new(320.0, 180.0, 12.0, 6.0, 9..11).starting(1.8, 0.5, 0.03),
            new(2200.0, 0.0, 45.0, 60.0, 17..19),
            new(850.0, 0.0, 150.0, 20_000.0, 6..9),
            new(1600.0, 40.0, 400.0, 15_000.0, 6..22).starting(1.1, 0.3, 0.01),
            new(95.0, -15.0, 7000.0, 6000.0, 15..24).starting(1.0, 1.0, 0.08),
            new(70.0, -20.0, 2500.0, 4000.0, 7..23),
            new(52.0, 8.0, 3000.0, 3000.0, 16..24),
            new(1050.0, 420.0, 90.0, 7000.0, 7..21).starting(1.2, 1.0, 0.004),
        ];
        Self::of(list, seed)
    }

    /// The same without what is switched more often than every half minute.
    pub fn without_drum(seed: u64) -> Self {
        let mut house = Self::held_out(seed);
        house
            .appliances
            .retain(|appliance| appliance.on_s.min(appliance.off_s) > 30.0);
        house
    }

    /// Mean watts and vars of the next window.
    pub fn window(&mut self, window_ms: u64) -> (f64, f64) {
        let (begin, end) = (self.now_ms, self.now_ms + window_ms);
        let hour = begin / 3_600_000;
        // Standby wanders; the line voltage moves everything by a little.
        let mut p =
            75.0 + 5.0 * (begin as f64 / 700_000.0).sin() + 1.5 * (unit(&mut self.rng) - 0.5);
        let mut q = -40.0;
        for (number, appliance) in self.appliances.iter_mut().enumerate() {
            // Seconds of this window that it ran, from its start on.
            let mut ran = None;
            if appliance.runs {
                ran = Some((
                    appliance.since_ms,
                    begin,
                    end.min(appliance.until_ms).max(begin),
                ));
            }
            if appliance.until_ms < end {
                let at_ms = appliance.until_ms.max(begin);
                let mean = if appliance.runs {
                    appliance.off_s
                } else {
                    appliance.on_s
                };
                let allowed = appliance.runs || appliance.hours.contains(&hour);
                let spread = 0.5 + unit(&mut self.rng);
                if begin > 0 && allowed {
                    appliance.runs = !appliance.runs;
                    let sign = if appliance.runs { 1.0 } else { -1.0 };
                    self.events.push(Event {
                        at_ms,
                        appliance: number,
                        watts: sign * appliance.watts,
                    });
                    appliance.since_ms = at_ms;
                    appliance.until_ms = at_ms + (mean * spread * 1000.0) as u64 + 1_000;
                    if appliance.runs {
                        ran = Some((at_ms, at_ms, end));
                    }
                } else {
                    let wait = appliance.off_s * unit(&mut self.rng);
                    appliance.until_ms = at_ms + (wait * 1000.0) as u64 + 1_000;
                }
            }
            if let Some((since, from, to)) = ran {
                let age = |at: u64| (at - since) as f64 / 1000.0;
                let noise = 1.0 + appliance.noise * 2.0 * (unit(&mut self.rng) - 0.5);
                let part = appliance.taken(age(from), age(to)) * noise * 1000.0 / window_ms as f64;
                p += appliance.watts * part;
                q += appliance.vars * part;
            }
        }
        self.now_ms = end;
        (p, q)
    }
}
