//! Which off belongs to which on.

use super::step::{Step, StepLimits};

/// Something that was switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switched {
    /// Number of the on, from 1.
    pub number: u32,
    /// How long it ran until it was switched off, milliseconds.
    pub ran_ms: u64,
    /// Energy that it took in that time if its power stayed, microwatthours.
    pub energy_uwh: i64,
}

/// What a step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Something was switched on.
    On {
        /// Its number, from 1.
        number: u32,
        /// Its powers.
        step: Step,
    },
    /// Something was switched off.
    Off {
        /// Which one, when its on is known.
        of: Option<Switched>,
        /// A second one that went with it in the same step.
        and: Option<Switched>,
        /// The powers that went.
        step: Step,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    number: u32,
    step: Step,
}

/// Remembers up to `N` that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pairing<const N: usize> {
    /// The oldest first, without holes.
    open: [Option<Open>; N],
    numbers: u32,
}

impl<const N: usize> Pairing<N> {
    /// Nothing runs.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            open: [None; N],
            numbers: 0,
        }
    }

    /// How many are known to run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.open.iter().flatten().count()
    }

    /// Takes a step. More consumption is an on; less is the off of the one whose powers are nearest, or of the two whose
    /// sum is. When more than `N` run, the oldest is forgotten.
    pub fn update(&mut self, limits: &StepLimits, step: &Step) -> Change {
        // Capacitors and feeding in count by what is larger.
        let leading = if step.active_uw.unsigned_abs() >= step.reactive_uvar.unsigned_abs() {
            step.active_uw
        } else {
            step.reactive_uvar
        };
        if leading > 0 {
            self.numbers = self.numbers.wrapping_add(1);
            let number = self.numbers;
            if self.open.last().is_some_and(Option::is_some) {
                self.remove(0);
            }
            if let Some(place) = self.open.iter_mut().find(|place| place.is_none()) {
                *place = Some(Open {
                    number,
                    step: *step,
                });
            }
            return Change::On {
                number,
                step: *step,
            };
        }
        let (of, and) = match self.nearest(limits, step) {
            Some((first, second)) => {
                // The later place first: removing moves what is behind it.
                let and = second.and_then(|place| self.remove(place));
                (self.remove(first), and)
            }
            None => (None, None),
        };
        let told = |open: Open| {
            let ran_ms = step.at_ms.saturating_sub(open.step.at_ms);
            let energy = i128::from(open.step.active_uw) * i128::from(ran_ms) / 3_600_000;
            Switched {
                number: open.number,
                ran_ms,
                energy_uwh: i64::try_from(energy).unwrap_or(i64::MAX),
            }
        };
        Change::Off {
            of: of.map(told),
            and: and.map(told),
            step: *step,
        }
    }

    /// The place, or the two places in rising order, whose powers went, if they fit; one is preferred to two, and of
    /// equals the one that was switched on last.
    fn nearest(&self, limits: &StepLimits, off: &Step) -> Option<(usize, Option<usize>)> {
        let known = || {
            let places = self.open.iter().enumerate();
            places.filter_map(|(place, open)| Some((place, (*open)?.step)))
        };
        let singles = known().filter_map(|(place, on)| {
            let by = misfit(limits, on.active_uw, on.reactive_uvar, off)?;
            Some((by, (place, None)))
        });
        let pairs = known().flat_map(|(place, on)| {
            known().skip(place + 1).filter_map(move |(other, second)| {
                let active_uw = on.active_uw.saturating_add(second.active_uw);
                let reactive_uvar = on.reactive_uvar.saturating_add(second.reactive_uvar);
                let by = misfit(limits, active_uw, reactive_uvar, off)?;
                Some((by, (place, Some(other))))
            })
        });
        // Of equals the last one.
        let best = |(least, places), (by, others)| {
            if by <= least {
                (by, others)
            } else {
                (least, places)
            }
        };
        singles
            .reduce(best)
            .or_else(|| pairs.reduce(best))
            .map(|(_, places)| places)
    }

    fn remove(&mut self, place: usize) -> Option<Open> {
        let rest = self.open.get_mut(place..)?;
        let removed = rest.first_mut()?.take();
        rest.rotate_left(1);
        removed
    }
}

/// By how much an off misses these powers, when it is near enough.
fn misfit(limits: &StepLimits, active_uw: i64, reactive_uvar: i64, off: &Step) -> Option<u64> {
    let size = active_uw.unsigned_abs().max(reactive_uvar.unsigned_abs());
    let share = u128::from(size) * u128::from(limits.pair_permille) / 1000;
    let active = active_uw.saturating_add(off.active_uw).unsigned_abs();
    let reactive = reactive_uvar
        .saturating_add(off.reactive_uvar)
        .unsigned_abs();
    let by = active.max(reactive);
    (u128::from(by) <= share.max(limits.step_uw.into())).then_some(by)
}

impl<const N: usize> Default for Pairing<N> {
    fn default() -> Self {
        Self::new()
    }
}
