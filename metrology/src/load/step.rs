//! Steps between steady states.

use crate::quantities::Quantities;

/// Powers of one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Active power, microwatts.
    pub active_uw: i64,
    /// Reactive power, microvars.
    pub reactive_uvar: i64,
    /// Length, milliseconds.
    pub elapsed_ms: u32,
}

impl Window {
    /// All phases of a window of the meter; for `elapsed_ms` see [`Quantities::duration_ms`].
    #[must_use]
    pub const fn of<const PHASES: usize>(quantities: &Quantities<PHASES>, elapsed_ms: u32) -> Self {
        Self {
            active_uw: quantities.total.active_uw,
            reactive_uvar: quantities.total.reactive_uvar,
            elapsed_ms,
        }
    }
}

/// What is steady and what is a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepLimits {
    /// Windows of a steady state may differ from its mean by this much, microwatts or microvars,
    pub steady_uw: u64,
    /// or by this part of the mean, thousandths, if that is more.
    pub steady_permille: u32,
    /// Windows that make a new steady state, at least 1.
    pub settle: u8,
    /// Least change of either power that is a step, microwatts or microvars.
    pub step_uw: u64,
    /// What an off may differ from its on, thousandths of the on; never less than `step_uw`.
    pub pair_permille: u32,
}

impl StepLimits {
    /// A household in windows of a second and more: 15 W or 2 %, three windows, steps from 30 W, pairs within 15 %.
    pub const HOUSE: Self = Self {
        steady_uw: 15_000_000,
        steady_permille: 20,
        settle: 3,
        step_uw: 30_000_000,
        pair_permille: 150,
    };

    /// A household in windows of this length. Shorter ones must agree for as long as three of a second do: a start that
    /// takes seconds would be told in pieces.
    #[must_use]
    pub const fn house(window_ms: u32) -> Self {
        let settle = match 3_000_u32.checked_div(window_ms) {
            // A mean remembers no more windows than that.
            Some(windows) if windows > MEMORY as u32 => MEMORY as u8,
            Some(windows) if windows > 3 => windows as u8,
            Some(_) => 3,
            None => MEMORY as u8,
        };
        Self {
            settle,
            ..Self::HOUSE
        }
    }
}

/// One step from a steady state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Change of active power, microwatts.
    pub active_uw: i64,
    /// Change of reactive power, microvars.
    pub reactive_uvar: i64,
    /// When it began, milliseconds since the detector started.
    pub at_ms: u64,
    /// How long it took until the powers were steady, milliseconds.
    pub took_ms: u32,
}

/// Most windows that a mean remembers: slow drift is followed, not told.
const MEMORY: i64 = 16;

/// Mean of some windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    active_uw: i64,
    reactive_uvar: i64,
    windows: i64,
}

impl State {
    const fn of(window: &Window) -> Self {
        Self {
            active_uw: window.active_uw,
            reactive_uvar: window.reactive_uvar,
            windows: 1,
        }
    }

    /// Whether a window belongs to this state.
    fn holds(&self, limits: &StepLimits, window: &Window) -> bool {
        let near = |mean: i64, value: i64| {
            let share = u128::from(mean.unsigned_abs()) * u128::from(limits.steady_permille) / 1000;
            u128::from(mean.abs_diff(value)) <= share.max(limits.steady_uw.into())
        };
        near(self.active_uw, window.active_uw) && near(self.reactive_uvar, window.reactive_uvar)
    }

    fn take(&mut self, window: &Window) {
        self.windows = (self.windows + 1).min(MEMORY);
        let moved = |mean: i64, value: i64| {
            let step = (i128::from(value) - i128::from(mean)) / i128::from(self.windows);
            mean.saturating_add(i64::try_from(step).unwrap_or(0))
        };
        self.active_uw = moved(self.active_uw, window.active_uw);
        self.reactive_uvar = moved(self.reactive_uvar, window.reactive_uvar);
    }
}

/// Finds steps in a row of windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepDetector {
    steady: Option<State>,
    candidate: Option<State>,
    now_ms: u64,
    /// Since when the steady state was left.
    left_ms: u64,
}

impl StepDetector {
    /// Nothing was seen.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            steady: None,
            candidate: None,
            now_ms: 0,
            left_ms: 0,
        }
    }

    /// Powers of the steady state, microwatts and microvars, when there is one.
    #[must_use]
    pub fn steady(&self) -> Option<(i64, i64)> {
        self.steady
            .map(|state| (state.active_uw, state.reactive_uvar))
    }

    /// Takes the next window; the step that ended with it.
    pub fn update(&mut self, limits: &StepLimits, window: &Window) -> Option<Step> {
        let began_ms = self.now_ms;
        self.now_ms = self.now_ms.saturating_add(window.elapsed_ms.into());
        // Back where it was: a spike, no step.
        if let Some(steady) = self
            .steady
            .as_mut()
            .filter(|steady| steady.holds(limits, window))
        {
            steady.take(window);
            self.candidate = None;
            return None;
        }
        let candidate = match self.candidate {
            Some(mut candidate) if candidate.holds(limits, window) => {
                candidate.take(window);
                candidate
            }
            Some(_) => State::of(window),
            None => {
                self.left_ms = began_ms;
                State::of(window)
            }
        };
        if candidate.windows < i64::from(limits.settle.max(1)).min(MEMORY) {
            self.candidate = Some(candidate);
            return None;
        }
        self.candidate = None;
        let before = self.steady.replace(candidate)?;
        let step = Step {
            active_uw: candidate.active_uw.saturating_sub(before.active_uw),
            reactive_uvar: candidate.reactive_uvar.saturating_sub(before.reactive_uvar),
            at_ms: self.left_ms,
            took_ms: u32::try_from(began_ms.saturating_sub(self.left_ms)).unwrap_or(u32::MAX),
        };
        let large = step
            .active_uw
            .unsigned_abs()
            .max(step.reactive_uvar.unsigned_abs());
        (large >= limits.step_uw).then_some(step)
    }
}
