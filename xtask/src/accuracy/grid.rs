//! The points of the sweep and the workers that run them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::front::{self, Front};
use super::limits::{Factor, Load};
use super::point::{Outcome, Point};

/// Which grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grid {
    /// Section 11.2 of the proof plan in full.
    Full,
    /// Every front end, power factor and edge of the full grid, less often: for each run of the checks.
    Quick,
}

impl Grid {
    /// Deviation of the noise after averaging, as part of the class limit.
    pub const fn share(self) -> f64 {
        match self {
            Self::Full => 0.05,
            Self::Quick => 0.2,
        }
    }

    /// I / Imax, rising.
    pub fn currents(self) -> Vec<f64> {
        let step = match self {
            Self::Full => 1,
            Self::Quick => 2,
        };
        // Five to a decade over four decades, then the overload.
        let decades = (0..=20).step_by(step);
        let mut currents: Vec<f64> = decades
            .map(|k| 1e-4 * 10_f64.powf(f64::from(k) / 5.0))
            .collect();
        currents.push(1.2);
        currents
    }

    /// U / Un.
    fn voltages(self) -> &'static [f64] {
        match self {
            Self::Full => &[0.8, 0.9, 1.0, 1.1, 1.15],
            Self::Quick => &[0.8, 1.15],
        }
    }

    /// Off every grid of sample rate and window.
    fn frequencies(self) -> &'static [f64] {
        match self {
            Self::Full => &[45.03, 47.53, 49.01, 50.17, 51.03, 57.13, 60.07, 65.97],
            Self::Quick => &[45.03, 50.17, 65.97],
        }
    }

    /// All points, in the order of the table.
    pub fn points(self) -> Vec<Point> {
        let mut points = Vec::new();
        for front in front::all() {
            for factor in Factor::ALL {
                for current in self.currents() {
                    points.extend(self.at(front, Load { current, factor }));
                }
            }
        }
        for (seed, point) in points.iter_mut().enumerate() {
            point.seed = seed as u64;
        }
        points
    }

    fn at(self, front: Front, load: Load) -> impl Iterator<Item = Point> {
        let of_voltage = move |&voltage: &f64| {
            self.frequencies().iter().map(move |&hertz| Point {
                front,
                load,
                voltage,
                hertz,
                seed: 0,
            })
        };
        self.voltages().iter().flat_map(of_voltage)
    }

    /// Runs every point on all cores; outcomes in the order of the points.
    pub fn run(self) -> Vec<Outcome> {
        let points = self.points();
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(Vec::with_capacity(points.len()));
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some((index, point)) = {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        points.get(index).map(|point| (index, point))
                    } {
                        let outcome = point.run(self.share());
                        outcomes
                            .lock()
                            .expect("no worker panics with the lock")
                            .push((index, outcome));
                    }
                });
            }
        });
        let mut outcomes = outcomes.into_inner().expect("no worker panicked");
        outcomes.sort_by_key(|(index, _)| *index);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }
}
