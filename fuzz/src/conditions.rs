//! The event engine, the safety machines and the load shape: any row of values.

use metrology::event::{Conditions, Limit, Limits, Monitor, Observation, PhaseObservation};
use metrology::load::{Pairing, RunLimits, RunMonitor, StepDetector, StepLimits, Window};
use metrology::safety::{
    ArcDetector, ArcLimits, CableLimits, CableMonitor, ResidualSums, ThermalLimits, ThermalModel,
};

use crate::input::Input;

fn long(input: &mut Input<'_>) -> u64 {
    // Mostly of the size of voltages and currents, now and then anything.
    let value = u64::from(input.word());
    match input.byte() {
        0 => value << 32 | u64::from(input.word()),
        1 => u64::MAX - value,
        _ => value,
    }
}

/// Windows of any quantities under any limits: what begins and what ends adds up to what holds; a monitor that goes on
/// from the stored set does the same as one that was never away, as soon as nothing is pending.
pub fn monitor(bytes: &[u8]) {
    let mut input = Input { bytes };
    let mut limits = Limits::dlt614(long(&mut input), long(&mut input), long(&mut input));
    if input.byte() & 1 == 0 {
        limits = limits.with_delay_ms(input.word());
    }
    if input.byte() & 1 == 0 {
        limits.reverse = Some(Limit {
            begin: long(&mut input),
            end: long(&mut input),
            delay_ms: input.word(),
            gate: long(&mut input),
        });
    }
    let mut monitor = Monitor::<3>::resume(
        Conditions::from_bits(long(&mut input) >> 29).unwrap_or(Conditions::EMPTY),
    );
    let mut held = monitor.active().bits();
    while !input.bytes.is_empty() {
        let mut window = Observation::<3> {
            elapsed_ms: input.word(),
            apparent_uva: long(&mut input),
            power_factor_ppm: input.word() as i32,
            ..Observation::default()
        };
        for line in &mut window.phase {
            *line = PhaseObservation {
                voltage_uv: long(&mut input),
                current_ua: long(&mut input),
                active_uw: long(&mut input) as i64,
                voltage_angle_mdeg: input.word() as i32,
                current_lag_mdeg: input.word() as i32,
            };
        }
        let changes = monitor.update(&limits, &window);
        assert_eq!(changes.begun.bits() & held, 0, "what holds does not begin");
        assert_eq!(
            changes.ended.bits() & !held,
            0,
            "what does not hold does not end"
        );
        held = (held | changes.begun.bits()) & !changes.ended.bits();
        assert_eq!(held, monitor.active().bits());
        assert_eq!(monitor.active().iter().count() as u32, held.count_ones());
    }
    let resumed = Monitor::<3>::resume(Conditions::from_bits(held).expect("own bits"));
    assert_eq!(resumed.active(), monitor.active());
}

/// The machines of electrical safety and of the load shape take any values; stored heat reads back or is refused.
pub fn machines(bytes: &[u8]) {
    let mut input = Input { bytes };
    let limits = ThermalLimits {
        rated_ua: long(&mut input),
        time_constant_ms: input.word(),
        ..ThermalLimits::CABLE
    };
    let mut state: [u8; ThermalModel::STATE_LEN] = core::array::from_fn(|_| input.byte());
    let mut line = ThermalModel::restore(&limits, &state, input.word()).unwrap_or_default();
    let (mut cable, mut residual) = (CableMonitor::new(), ResidualSums::new());
    let arc_limits = ArcLimits::new(input.word());
    let mut arc = ArcDetector::new();
    let mut running = RunMonitor::new();
    let run = RunLimits {
        start_uw: long(&mut input),
        stop_uw: long(&mut input),
        delay_ms: input.word(),
    };
    let (mut steps, mut pairs) = (StepDetector::new(), Pairing::<4>::new());
    while !input.bytes.is_empty() {
        let elapsed_ms = input.word();
        let _ = line.update(&limits, long(&mut input), elapsed_ms);
        let (cable_mc, ambient_mc) = (input.word() as i32, input.word() as i32);
        if let Ok(state) = cable.update(&CableLimits::PVC, &line, cable_mc, ambient_mc, elapsed_ms)
        {
            assert!(state.worst() >= state.temperature);
        }
        for _ in 0..input.byte() {
            let (u, i) = (input.word() as i32, input.word() as i32);
            residual.push(i);
            if let Some(report) = arc.push(&arc_limits, u, i) {
                assert!(report.cycles <= 32);
            }
            if input.bytes.is_empty() {
                break;
            }
        }
        if let Some(found) = residual.close(input.word()) {
            // The whole is at least each of its parts, to a microampere and the rounding of the root.
            let slack = 2 + found.total_ua / 1_000;
            assert!(found.total_ua + slack >= found.ac_ua.max(found.dc_ua.unsigned_abs()));
        }
        let window = Window {
            active_uw: long(&mut input) as i64,
            reactive_uvar: long(&mut input) as i64,
            elapsed_ms,
        };
        let _ = running.update(&run, &window);
        if let Some(step) = steps.update(&StepLimits::HOUSE, &window) {
            let _ = pairs.update(&StepLimits::HOUSE, &step);
        }
        assert!(pairs.running() <= 4);
    }
    line.save(&mut state).expect("room for the heat");
    let again = ThermalModel::restore(&limits, &state, 0).expect("own bytes");
    assert_eq!(again.heat_permille(), line.heat_permille());
}
