//! Where conditions begin and end.

use super::condition::Condition;

/// One limit with hysteresis, delay and gate. What the numbers are is said by the field of [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Where the condition begins.
    pub begin: u64,
    /// Where it ends (the other side of the hysteresis).
    pub end: u64,
    /// How long it must hold before it begins, and be gone before it ends, milliseconds.
    pub delay_ms: u32,
    /// A second quantity that must be there for the condition to hold; unused where the field names none.
    pub gate: u64,
}

/// Limits of every condition; `None` is not watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Voltage below, microvolts, while the phase carries at least the gate, microamperes.
    pub voltage_lost: Option<Limit>,
    /// Voltage below, microvolts; not judged while the phase is lost or broken.
    pub under_voltage: Option<Limit>,
    /// Voltage above, microvolts.
    pub over_voltage: Option<Limit>,
    /// Current below, microamperes, while the voltage is at least the gate, microvolts, and another phase carries at
    /// least `end`.
    pub current_lost: Option<Limit>,
    /// Current above, microamperes.
    pub over_current: Option<Limit>,
    /// Active power of one phase above, microwatts, either direction.
    pub overload: Option<Limit>,
    /// Power out of one phase above, microwatts.
    pub reverse: Option<Limit>,
    /// Voltage below, microvolts, while the phase carries less than the gate, microamperes.
    pub phase_broken: Option<Limit>,
    /// Current below, microamperes, while the voltage is at least the gate, microvolts.
    pub current_interrupted: Option<Limit>,
    /// Reversed while every voltage is at least `begin`, microvolts (below `end` it ends). Three phases only.
    pub voltage_order: Option<Limit>,
    /// Reversed while every current is at least `begin`, microamperes (below `end` it ends). Three phases only.
    pub current_order: Option<Limit>,
    /// (largest - smallest) / largest above, millionths, while the largest is at least the gate, microvolts.
    pub voltage_unbalance: Option<Limit>,
    /// The same for currents; the gate in microamperes.
    pub current_unbalance: Option<Limit>,
    /// A second, higher limit of the same.
    pub severe_current_unbalance: Option<Limit>,
    /// Every voltage below, microvolts, while a phase carries at least the gate, microamperes.
    pub all_voltages_lost: Option<Limit>,
    /// Every voltage below, microvolts, while no phase carries the gate, microamperes.
    pub power_down: Option<Limit>,
    /// Magnitude of the total power factor below, millionths, while the apparent power is at least the gate,
    /// microvoltamperes.
    pub power_factor_low: Option<Limit>,
}

impl Limits {
    /// Usual settings of a Chinese smart meter (DL/T 614 and the State Grid's type specification) for a nominal voltage,
    /// a basic and a maximum current: delays of 60 s, lost and under-voltage below 78 %, over-voltage above 120 %,
    /// broken below 60 %, over-current and overload above 120 % of the maximum, reversal above 0.5 % of basic power,
    /// unbalance above 30 %, power factor below 0.3.
    #[must_use]
    pub const fn dlt614(nominal_uv: u64, basic_ua: u64, maximum_ua: u64) -> Self {
        const fn limit(begin: u64, end: u64, gate: u64) -> Option<Limit> {
            Some(Limit {
                begin,
                end,
                delay_ms: 60_000,
                gate,
            })
        }
        const fn share(of: u64, per_mille: u64) -> u64 {
            (of / 1000).saturating_mul(per_mille)
        }
        // µV · µA / 10^6 = µW; both sides first in thousands so that nothing overflows.
        let basic_uw = (nominal_uv / 1000).saturating_mul(basic_ua / 1000);
        let maximum_uw = (nominal_uv / 1000).saturating_mul(maximum_ua / 1000);
        let (nothing, some) = (share(basic_ua, 5), share(basic_ua, 50));
        Self {
            voltage_lost: limit(share(nominal_uv, 780), share(nominal_uv, 850), nothing),
            under_voltage: limit(share(nominal_uv, 780), share(nominal_uv, 800), 0),
            over_voltage: limit(share(nominal_uv, 1200), share(nominal_uv, 1180), 0),
            current_lost: limit(nothing, some, share(nominal_uv, 700)),
            over_current: limit(share(maximum_ua, 1200), share(maximum_ua, 1150), 0),
            overload: limit(share(maximum_uw, 1200), share(maximum_uw, 1150), 0),
            reverse: limit(share(basic_uw, 5), share(basic_uw, 4), 0),
            phase_broken: limit(share(nominal_uv, 600), share(nominal_uv, 650), nothing),
            current_interrupted: limit(nothing, share(basic_ua, 6), share(nominal_uv, 600)),
            voltage_order: limit(share(nominal_uv, 600), share(nominal_uv, 550), 0),
            current_order: limit(some, share(basic_ua, 40), 0),
            voltage_unbalance: limit(300_000, 280_000, share(nominal_uv, 600)),
            current_unbalance: limit(300_000, 280_000, some),
            severe_current_unbalance: limit(900_000, 880_000, some),
            all_voltages_lost: limit(share(nominal_uv, 600), share(nominal_uv, 650), some),
            power_down: limit(share(nominal_uv, 600), share(nominal_uv, 650), some),
            power_factor_low: limit(300_000, 320_000, share(basic_uw, 50)),
        }
    }

    /// The same with another delay for every condition, milliseconds.
    #[must_use]
    pub fn with_delay_ms(mut self, delay_ms: u32) -> Self {
        let every = [
            &mut self.voltage_lost,
            &mut self.under_voltage,
            &mut self.over_voltage,
            &mut self.current_lost,
            &mut self.over_current,
            &mut self.overload,
            &mut self.reverse,
            &mut self.phase_broken,
            &mut self.current_interrupted,
            &mut self.voltage_order,
            &mut self.current_order,
            &mut self.voltage_unbalance,
            &mut self.current_unbalance,
            &mut self.severe_current_unbalance,
            &mut self.all_voltages_lost,
            &mut self.power_down,
            &mut self.power_factor_low,
        ];
        for limit in every.into_iter().flatten() {
            limit.delay_ms = delay_ms;
        }
        self
    }

    /// The limit of one condition, when it is watched.
    #[must_use]
    pub const fn of(&self, condition: Condition) -> Option<Limit> {
        match condition {
            Condition::VoltageLost => self.voltage_lost,
            Condition::UnderVoltage => self.under_voltage,
            Condition::OverVoltage => self.over_voltage,
            Condition::CurrentLost => self.current_lost,
            Condition::OverCurrent => self.over_current,
            Condition::Overload => self.overload,
            Condition::Reverse => self.reverse,
            Condition::PhaseBroken => self.phase_broken,
            Condition::CurrentInterrupted => self.current_interrupted,
            Condition::VoltageOrder => self.voltage_order,
            Condition::CurrentOrder => self.current_order,
            Condition::VoltageUnbalance => self.voltage_unbalance,
            Condition::CurrentUnbalance => self.current_unbalance,
            Condition::AllVoltagesLost => self.all_voltages_lost,
            Condition::PowerDown => self.power_down,
            Condition::PowerFactorLow => self.power_factor_low,
            Condition::SevereCurrentUnbalance => self.severe_current_unbalance,
        }
    }
}
