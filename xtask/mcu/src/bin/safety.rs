//! Instructions of the event engine, the safety machines and the load shape; every step checks its result.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use metrology::event::{Limits, Monitor, Observation, PhaseObservation};
use metrology::load::{StepDetector, StepLimits, Window};
use metrology::safety::{ArcDetector, ArcLimits, Level, ThermalLimits, ThermalModel};

/// Samples of a cycle: 4 kHz at 50 Hz.
const CYCLE: u32 = 80;

/// Half waves in the shape of parabolas.
fn wave(n: u32) -> i32 {
    let at = (n % (CYCLE / 2)) as i32;
    let arc = at * (CYCLE as i32 / 2 - at) * 10_000;
    if n % CYCLE < CYCLE / 2 { arc } else { -arc }
}

fn must(right: bool) {
    if !right {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[entry]
fn main() -> ! {
    count::start();
    let around = count::per_call(|| {
        black_box(());
    });
    let show = |name: &str, instructions: u64| {
        hprintln!("{} {}", name, instructions.saturating_sub(around));
    };

    let (limits, mut arc, mut n) = (ArcLimits::new(10_000), ArcDetector::new(), 0);
    let waves: [i32; CYCLE as usize] = core::array::from_fn(|n| wave(n as u32));
    let mut cycles = 0_u32;
    let each = count::per_call(|| {
        let value = waves.get(n).copied().unwrap_or(0);
        n = (n + 1) % waves.len();
        if let Some(report) = arc.push(&limits, black_box(value), black_box(value / 4)) {
            must(report.level == Level::Normal);
            cycles += 1;
        }
    });
    must(cycles > 40);
    show("arc-sample", each);

    let (limits, mut line) = (ThermalLimits::CABLE, ThermalModel::new());
    show(
        "thermal-window",
        count::per_call_of(400, || {
            must(
                line.update(&limits, black_box(30_000_000), black_box(200))
                    .is_none(),
            );
        }),
    );

    let limits = Limits::dlt614(220_000_000, 5_000_000, 60_000_000);
    let mut monitor = Monitor::<3>::new();
    let mut window = Observation::<3> {
        apparent_uva: 3_300_000_000,
        power_factor_ppm: 1_000_000,
        elapsed_ms: 200,
        ..Observation::default()
    };
    for (line, angle) in window.phase.iter_mut().zip([0, -120_000, 120_000]) {
        *line = PhaseObservation {
            voltage_uv: 220_000_000,
            current_ua: 5_000_000,
            active_uw: 1_100_000_000,
            voltage_angle_mdeg: angle,
            current_lag_mdeg: 0,
        };
    }
    show(
        "events-window",
        count::per_call_of(400, || {
            must(monitor.update(&limits, black_box(&window)).begun.is_empty());
        }),
    );

    let mut steps = StepDetector::new();
    let window = Window {
        active_uw: 500_000_000,
        reactive_uvar: 20_000_000,
        elapsed_ms: 1_000,
    };
    show(
        "load-window",
        count::per_call_of(400, || {
            must(
                steps
                    .update(&StepLimits::HOUSE, black_box(&window))
                    .is_none(),
            );
        }),
    );
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
