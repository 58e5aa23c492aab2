//! Conditions of a meter: where each begins and ends, on its limit and one step beside it.

use metrology::event::{Condition, Conditions, Limits, Monitor, Observation, PhaseObservation};
use proptest::prelude::*;

const NOMINAL_UV: u64 = 220_000_000;
const BASIC_UA: u64 = 5_000_000;
const MAXIMUM_UA: u64 = 60_000_000;
const WINDOW_MS: u32 = 200;

fn limits() -> Limits {
    Limits::dlt614(NOMINAL_UV, BASIC_UA, MAXIMUM_UA)
}

/// Three healthy phases: 220 V, 5 A, unity power factor, right order.
fn healthy() -> Observation<3> {
    let mut window = Observation {
        elapsed_ms: WINDOW_MS,
        apparent_uva: 3_300_000_000,
        power_factor_ppm: 1_000_000,
        ..Observation::default()
    };
    for (line, angle) in window.phase.iter_mut().zip([0, -120_000, 120_000]) {
        *line = PhaseObservation {
            voltage_uv: NOMINAL_UV,
            current_ua: BASIC_UA,
            active_uw: 1_100_000_000,
            voltage_angle_mdeg: angle,
            current_lag_mdeg: 0,
        };
    }
    window
}

/// Feeds the same window; the milliseconds after which the condition changes its state, if it does in two minutes.
fn changes_after(
    monitor: &mut Monitor<3>,
    window: &Observation<3>,
    condition: Condition,
    phase: usize,
) -> Option<u32> {
    let before = monitor.active().contains(condition, phase);
    (1..=600).find_map(|n| {
        let changes = monitor.update(&limits(), window);
        let now = monitor.active().contains(condition, phase);
        let told = if before { changes.ended } else { changes.begun };
        assert_eq!(
            now != before,
            told.contains(condition, phase),
            "what is told is what changed"
        );
        (now != before).then_some(n * WINDOW_MS)
    })
}

struct Case {
    condition: Condition,
    phase: usize,
    /// Just on the good side of the begin limit.
    good: fn(&mut Observation<3>),
    /// Just beyond it.
    bad: fn(&mut Observation<3>),
    /// Between the two sides of the hysteresis: goes on.
    between: fn(&mut Observation<3>),
    /// At the end limit: ends.
    over: fn(&mut Observation<3>),
}

const CASES: &[Case] = &[
    Case {
        condition: Condition::VoltageLost,
        phase: 1,
        good: |w| w.phase[1].voltage_uv = 171_600_000,
        bad: |w| w.phase[1].voltage_uv = 171_599_999,
        between: |w| w.phase[1].voltage_uv = 186_999_999,
        over: |w| w.phase[1].voltage_uv = 187_000_000,
    },
    Case {
        condition: Condition::UnderVoltage,
        phase: 2,
        good: |w| (w.phase[2].voltage_uv, w.phase[2].current_ua) = (171_600_000, 0),
        bad: |w| (w.phase[2].voltage_uv, w.phase[2].current_ua) = (171_599_999, 0),
        between: |w| (w.phase[2].voltage_uv, w.phase[2].current_ua) = (175_999_999, 0),
        over: |w| (w.phase[2].voltage_uv, w.phase[2].current_ua) = (176_000_000, 0),
    },
    Case {
        condition: Condition::OverVoltage,
        phase: 0,
        good: |w| w.phase[0].voltage_uv = 264_000_000,
        bad: |w| w.phase[0].voltage_uv = 264_000_001,
        between: |w| w.phase[0].voltage_uv = 259_600_001,
        over: |w| w.phase[0].voltage_uv = 259_600_000,
    },
    Case {
        condition: Condition::CurrentLost,
        phase: 0,
        good: |w| w.phase[0].current_ua = 25_000,
        bad: |w| w.phase[0].current_ua = 24_999,
        between: |w| w.phase[0].current_ua = 249_999,
        over: |w| w.phase[0].current_ua = 250_000,
    },
    Case {
        condition: Condition::OverCurrent,
        phase: 1,
        good: |w| w.phase[1].current_ua = 72_000_000,
        bad: |w| w.phase[1].current_ua = 72_000_001,
        between: |w| w.phase[1].current_ua = 69_000_001,
        over: |w| w.phase[1].current_ua = 69_000_000,
    },
    Case {
        condition: Condition::Overload,
        phase: 2,
        good: |w| w.phase[2].active_uw = -15_840_000_000,
        bad: |w| w.phase[2].active_uw = -15_840_000_001,
        between: |w| w.phase[2].active_uw = 15_180_000_001,
        over: |w| w.phase[2].active_uw = 15_180_000_000,
    },
    Case {
        condition: Condition::Reverse,
        phase: 0,
        good: |w| w.phase[0].active_uw = -5_500_000,
        bad: |w| w.phase[0].active_uw = -5_500_001,
        between: |w| w.phase[0].active_uw = -4_400_001,
        over: |w| w.phase[0].active_uw = -4_400_000,
    },
    Case {
        condition: Condition::PhaseBroken,
        phase: 1,
        good: |w| (w.phase[1].voltage_uv, w.phase[1].current_ua) = (132_000_000, 0),
        bad: |w| (w.phase[1].voltage_uv, w.phase[1].current_ua) = (131_999_999, 0),
        between: |w| (w.phase[1].voltage_uv, w.phase[1].current_ua) = (142_999_999, 0),
        over: |w| (w.phase[1].voltage_uv, w.phase[1].current_ua) = (143_000_000, 0),
    },
    Case {
        condition: Condition::CurrentInterrupted,
        phase: 2,
        good: |w| w.phase[2].current_ua = 25_000,
        bad: |w| w.phase[2].current_ua = 24_999,
        between: |w| w.phase[2].current_ua = 29_999,
        over: |w| w.phase[2].current_ua = 30_000,
    },
    Case {
        condition: Condition::VoltageOrder,
        phase: 0,
        good: |w| w.phase[1].voltage_angle_mdeg = 180_000,
        bad: |w| swap_order(w),
        between: |w| {
            swap_order(w);
            w.phase[0].voltage_uv = 121_000_000;
        },
        over: |w| {
            swap_order(w);
            w.phase[0].voltage_uv = 120_999_999;
        },
    },
    Case {
        condition: Condition::CurrentOrder,
        phase: 0,
        good: |w| w.phase[1].current_lag_mdeg = 60_000,
        // Voltages in the right order, currents exchanged.
        bad: |w| (w.phase[1].current_lag_mdeg, w.phase[2].current_lag_mdeg) = (120_000, -120_000),
        between: |w| {
            (w.phase[1].current_lag_mdeg, w.phase[2].current_lag_mdeg) = (120_000, -120_000);
            w.phase[2].current_ua = 200_000;
        },
        over: |w| {
            (w.phase[1].current_lag_mdeg, w.phase[2].current_lag_mdeg) = (120_000, -120_000);
            w.phase[2].current_ua = 199_999;
        },
    },
    Case {
        condition: Condition::VoltageUnbalance,
        phase: 0,
        good: |w| w.phase[0].voltage_uv = 154_000_000,
        bad: |w| w.phase[0].voltage_uv = 153_999_500,
        between: |w| w.phase[0].voltage_uv = 158_399_500,
        over: |w| w.phase[0].voltage_uv = 158_400_000,
    },
    Case {
        condition: Condition::CurrentUnbalance,
        phase: 0,
        good: |w| w.phase[0].current_ua = 3_500_000,
        bad: |w| w.phase[0].current_ua = 3_499_990,
        between: |w| w.phase[0].current_ua = 3_599_990,
        over: |w| w.phase[0].current_ua = 3_600_000,
    },
    Case {
        condition: Condition::SevereCurrentUnbalance,
        phase: 0,
        good: |w| w.phase[0].current_ua = 500_000,
        bad: |w| w.phase[0].current_ua = 499_990,
        between: |w| w.phase[0].current_ua = 599_990,
        over: |w| w.phase[0].current_ua = 600_000,
    },
    Case {
        condition: Condition::AllVoltagesLost,
        phase: 0,
        good: |w| all(w, 132_000_000, 250_000),
        bad: |w| all(w, 131_999_999, 250_000),
        between: |w| all(w, 142_999_999, 250_000),
        over: |w| all(w, 143_000_000, 250_000),
    },
    Case {
        condition: Condition::PowerDown,
        phase: 0,
        good: |w| all(w, 132_000_000, 249_999),
        bad: |w| all(w, 131_999_999, 249_999),
        between: |w| all(w, 142_999_999, 249_999),
        over: |w| all(w, 143_000_000, 249_999),
    },
    Case {
        condition: Condition::PowerFactorLow,
        phase: 0,
        good: |w| w.power_factor_ppm = -300_000,
        bad: |w| w.power_factor_ppm = -299_999,
        between: |w| w.power_factor_ppm = 319_999,
        over: |w| w.power_factor_ppm = 320_000,
    },
];

fn swap_order(window: &mut Observation<3>) {
    window.phase[1].voltage_angle_mdeg = 120_000;
    window.phase[2].voltage_angle_mdeg = -120_000;
}

fn all(window: &mut Observation<3>, voltage_uv: u64, current_ua: u64) {
    for line in &mut window.phase {
        (line.voltage_uv, line.current_ua) = (voltage_uv, current_ua);
    }
}

#[test]
fn every_condition_begins_beyond_its_limit_and_ends_at_the_other_side_of_the_hysteresis() {
    for condition in Condition::ALL {
        assert!(
            CASES.iter().any(|case| case.condition == condition),
            "{condition:?} has a case"
        );
    }
    for Case {
        condition,
        phase,
        good,
        bad,
        between,
        over,
    } in CASES
    {
        let (condition, phase) = (*condition, *phase);
        let window = |change: &fn(&mut Observation<3>)| {
            let mut window = healthy();
            change(&mut window);
            window
        };
        let mut monitor = Monitor::<3>::new();
        let mut wait = |change| changes_after(&mut monitor, &window(change), condition, phase);
        assert_eq!(wait(good), None, "{condition:?}: nothing on the limit");
        assert_eq!(
            wait(bad),
            Some(60_000),
            "{condition:?}: begins after its delay"
        );
        assert_eq!(
            wait(between),
            None,
            "{condition:?}: goes on inside the hysteresis"
        );
        assert_eq!(
            wait(over),
            Some(60_000),
            "{condition:?}: ends after its delay"
        );
        assert_eq!(
            wait(between),
            None,
            "{condition:?}: does not begin again inside"
        );
    }
}

#[test]
fn a_break_in_the_bad_time_starts_the_delay_again() {
    let mut monitor = Monitor::<3>::new();
    let mut low = healthy();
    low.phase[0].voltage_uv = 150_000_000;
    for _ in 0..299 {
        assert!(monitor.update(&limits(), &low).begun.is_empty());
    }
    assert!(monitor.update(&limits(), &healthy()).begun.is_empty());
    assert_eq!(
        changes_after(&mut monitor, &low, Condition::VoltageLost, 0),
        Some(60_000)
    );
}

#[test]
fn what_held_before_the_power_went_does_not_begin_again() {
    let mut monitor = Monitor::<3>::new();
    let mut low = healthy();
    low.phase[2].voltage_uv = 100_000_000;
    for _ in 0..300 {
        let _ = monitor.update(&limits(), &low);
    }
    let stored = monitor.active().bits();
    let mut monitor = Monitor::<3>::resume(Conditions::from_bits(stored).expect("own bits"));
    for _ in 0..600 {
        assert!(monitor.update(&limits(), &low).begun.is_empty());
    }
    assert_eq!(
        changes_after(&mut monitor, &healthy(), Condition::VoltageLost, 2),
        Some(60_000)
    );
}

#[test]
fn a_limit_that_is_taken_away_ends_its_condition() {
    let mut monitor = Monitor::<3>::new();
    let mut high = healthy();
    high.phase[0].voltage_uv = 300_000_000;
    for _ in 0..300 {
        let _ = monitor.update(&limits(), &high);
    }
    assert!(monitor.active().contains(Condition::OverVoltage, 0));
    let changes = monitor.update(&Limits::default(), &high);
    assert!(changes.ended.contains(Condition::OverVoltage, 0) && monitor.active().is_empty());
}

#[test]
fn sets_have_stable_bits() {
    // Stored by meters in the field and carried between cores.
    for (bit, condition, phase) in [
        (0, Condition::VoltageLost, 0),
        (4, Condition::UnderVoltage, 1),
        (20, Condition::Reverse, 2),
        (26, Condition::CurrentInterrupted, 2),
        (27, Condition::VoltageOrder, 0),
        (34, Condition::SevereCurrentUnbalance, 0),
    ] {
        let set = Conditions::from_bits(1 << bit).expect("a bit of the set");
        assert_eq!(set.iter().collect::<Vec<_>>(), [(condition, phase)]);
    }
    assert_eq!(Conditions::from_bits(1 << 35), None);
}

fn any_window() -> impl Strategy<Value = Observation<3>> {
    let line = (
        any::<u64>(),
        any::<u64>(),
        any::<i64>(),
        any::<i32>(),
        any::<i32>(),
    );
    (
        proptest::array::uniform3(line),
        any::<u64>(),
        any::<i32>(),
        any::<u32>(),
    )
        .prop_map(
            |(lines, apparent_uva, power_factor_ppm, elapsed_ms)| Observation {
                phase: lines.map(|(voltage_uv, current_ua, active_uw, lead, lag)| {
                    PhaseObservation {
                        voltage_uv,
                        current_ua,
                        active_uw,
                        voltage_angle_mdeg: lead,
                        current_lag_mdeg: lag,
                    }
                }),
                apparent_uva,
                power_factor_ppm,
                elapsed_ms,
            },
        )
}

proptest! {
    #[test]
    fn what_begins_and_ends_adds_up_to_what_holds(
        windows in proptest::collection::vec(any_window(), 1..40),
        delay_ms in any::<u32>(),
    ) {
        let limits = limits().with_delay_ms(delay_ms);
        let mut monitor = Monitor::<3>::new();
        let mut held = 0_u64;
        for window in &windows {
            let changes = monitor.update(&limits, window);
            prop_assert_eq!(held & changes.begun.bits(), 0);
            prop_assert_eq!(held & changes.ended.bits(), changes.ended.bits());
            held = held & !changes.ended.bits() | changes.begun.bits();
            prop_assert_eq!(held, monitor.active().bits());
        }
    }
}
