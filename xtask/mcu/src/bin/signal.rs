//! Instructions of the signal chain for one set of samples, counted by SysTick in the emulator; results are checked.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use metrology::{
    Calibration, EnergyConstants, EnergyCore, Meter, NeutralParameters, Parameters, Sample, Sync,
    Window,
};

/// Sets of one cycle: 50 Hz at 8 kHz.
const CYCLE: usize = 160;
/// Sets in a block.
const BLOCK: usize = 64;
/// Two cycles: whole blocks.
const SETS: usize = 2 * CYCLE;
/// Three phases 120 degrees apart, the currents 22.5 degrees late and a third as large, a small neutral current.
static WAVE: [Sample<3>; SETS] = wave();

const fn wave() -> [Sample<3>; SETS] {
    // A sine by the recurrence of its second difference, 2 - 2 cos(2 pi / 160) in Q32.
    let mut sine = [0_i32; CYCLE];
    let (mut now, mut slope) = (0_i64, 164_700_000_i64 << 8);
    let mut n = 0;
    while n < CYCLE {
        sine[n] = (now >> 18) as i32;
        slope -= (now >> 10) * 1_578_905 / (1 << 20);
        now += slope;
        n += 1;
    }
    let mut sets = [Sample::ZERO; SETS];
    n = 0;
    while n < SETS {
        sets[n] = Sample {
            u: [
                sine[n % CYCLE],
                sine[(n + 107) % CYCLE],
                sine[(n + 53) % CYCLE],
            ],
            i: [
                sine[(n + 150) % CYCLE] / 3,
                sine[(n + 97) % CYCLE] / 3,
                sine[(n + 43) % CYCLE] / 3,
            ],
            n: sine[(n + 10) % CYCLE] / 50,
        };
        n += 1;
    }
    sets
}

/// Instructions of one set, in blocks of [`BLOCK`]; the last window's voltage and angle are checked.
fn show(name: &str, p: Parameters<3>) {
    let mut right = false;
    if let Ok(calibration) = Calibration::try_new(p) {
        let mut meter = Meter::new(&calibration);
        let mut at = 0;
        let instructions = count::per_call(|| {
            let block = WAVE.get(at..at + BLOCK).unwrap_or(&[]);
            at = (at + BLOCK) % SETS;
            let _ = meter.process(&calibration, black_box(block));
        });
        hprintln!("{} {}", name, instructions / BLOCK as u64);
        let q = meter.quantities();
        let line = &q.phase[1];
        right = q.frequency_uhz == Some(50_000_000)
            && line.voltage_uv.abs_diff(180_064_361) < 1000
            && line.angle_mdeg.abs_diff(22_955) < 10;
    }
    end_if_wrong(right);
}

/// The same of the smallest meter; the energy of the second phase is checked.
fn show_core(p: Parameters<3>) {
    let constants =
        Calibration::try_new(p).and_then(|calibration| EnergyConstants::new(&calibration));
    let mut right = false;
    if let Ok(constants) = constants {
        let mut core = EnergyCore::new();
        let mut at = 0;
        let instructions = count::per_call(|| {
            let block = WAVE.get(at..at + BLOCK).unwrap_or(&[]);
            at = (at + BLOCK) % SETS;
            let _ = core.process(&constants, black_box(block));
        });
        hprintln!("energy-core {}", instructions / BLOCK as u64);
        // 32 s of 180 V and 24 A, 22.5 degrees and the calibrated 0.45 late: 35.5 Wh.
        let [_, second, _] = core.registers();
        right = second.counts.import.abs_diff(355) < 3;
        if !right {
            hprintln!("# {}", second.counts.import);
        }
    }
    end_if_wrong(right);
}

fn end_if_wrong(right: bool) {
    if !right {
        hprintln!("a wrong result");
        debug::exit(debug::EXIT_FAILURE);
    }
}

#[entry]
fn main() -> ! {
    count::start();
    let mut p = Parameters::<3>::new(8_000_000, 50_000);
    p.neutral = Some(NeutralParameters {
        gain: metrology::Gain::ONE,
        offset: 0,
    });
    for phase in &mut p.phase {
        phase.delay_ns = 12_000;
        phase.angle = 8_000_000;
    }
    show("signal-chain", p);
    // Twelve seconds to a window: what its end costs does not show.
    p.window = Window::Cycles(600);
    show("signal-sums", p);
    p.sync = Sync::Fixed(50_000_000);
    show("signal-kernels", p);
    show_core(p);
    hprintln!(
        "# bytes of a meter: {} of three phases, {} of one; of the smallest: {} and {}",
        size_of::<Meter<3>>(),
        size_of::<Meter<1>>(),
        size_of::<EnergyCore<3>>(),
        size_of::<EnergyCore<1>>()
    );
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
