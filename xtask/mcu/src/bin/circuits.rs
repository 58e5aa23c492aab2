//! Instructions of what stands around the signal chain, counted by SysTick in the emulator: a Rogowski
//! integrator for one sample, twelve further circuits for one set, a pulse output for one block. Results are
//! checked.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use metrology::{
    Calibration, Circuit, CircuitCalibration, Circuits, Integrator, Meter, Parameters, PulseOutput,
    Rogowski, Sample,
};

#[cfg(not(board = "microbit"))]
const CIRCUITS: usize = 12;
/// What 16 KiB hold twice over.
#[cfg(board = "microbit")]
const CIRCUITS: usize = 3;
/// Sets of a block; ten blocks are a cycle of 50 Hz at 8 kHz.
const BLOCK: usize = 16;

/// A triangle of 50 Hz, a third of a turn later for every channel.
fn wave(n: usize, channel: usize) -> i32 {
    let at = (n * 3 + channel % 3 * 160) % 480;
    ((at as i32 - 240).abs() - 120) * 30_000
}

struct Bench {
    calibration: Calibration<3>,
    constants: CircuitCalibration<CIRCUITS>,
    meter: Meter<3>,
    circuits: Circuits<3, CIRCUITS>,
    at: usize,
}

impl Bench {
    fn new() -> Option<Self> {
        let mut p = Parameters::<3>::new(8_000_000, 50_000);
        for phase in &mut p.phase {
            (phase.delay_ns, phase.angle) = (12_000, 8_000_000);
        }
        let calibration = Calibration::try_new(p).ok()?;
        let mut on = core::array::from_fn(|k| Circuit::on(k as u8 % 3));
        for circuit in &mut on {
            (circuit.constants.delay_ns, circuit.constants.angle) = (12_000, 8_000_000);
        }
        let constants = CircuitCalibration::try_new(&calibration, on).ok()?;
        Some(Self {
            meter: Meter::new(&calibration),
            circuits: Circuits::new(),
            calibration,
            constants,
            at: 0,
        })
    }

    /// The next block; `with` the circuits or the meter alone.
    fn step(&mut self, with: bool) {
        let from = self.at;
        self.at = (from + BLOCK) % 160;
        let block: [Sample<3>; BLOCK] = core::array::from_fn(|n| Sample {
            u: core::array::from_fn(|k| wave(from + n, k)),
            i: core::array::from_fn(|k| wave(from + n, k) / 3),
            n: 0,
        });
        let currents: [[i32; CIRCUITS]; BLOCK] =
            core::array::from_fn(|n| core::array::from_fn(|k| wave(from + n, k) >> (k / 3)));
        let (block, currents) = (black_box(&block), black_box(&currents));
        let progress = if with {
            self.circuits.process(
                &mut self.meter,
                &self.calibration,
                &self.constants,
                block,
                currents,
            )
        } else {
            self.meter.process(&self.calibration, block)
        };
        black_box(progress.windows);
    }
}

fn run() -> Option<()> {
    let mut bench = Bench::new()?;
    let alone = count::per_call(|| bench.step(false));
    bench.meter = Meter::new(&bench.calibration);
    let with = count::per_call(|| bench.step(true));
    let [first, .., last] = bench.circuits.quantities();
    // Every three circuits carry half of the three before.
    let ratio = (first.active_uw + last.active_uw / 2).checked_div(last.active_uw)?;
    let sets = (CIRCUITS * BLOCK) as u64;
    if ratio == 1 << (CIRCUITS / 3 - 1) {
        let each = (with.saturating_sub(alone) + sets / 2) / sets;
        hprintln!("circuit-set {}", each);
    }

    let rogowski = Rogowski::try_new(8_000_000, 50_000).ok()?;
    let mut integrator = Integrator::default();
    let mut n = 0;
    let mut highest = 0;
    let mut call = |integrate: bool| {
        for _ in 0..BLOCK {
            let x = black_box(wave(n, 0));
            n = (n + 1) % 160;
            if integrate {
                highest = integrator.next(&rogowski, x).max(highest);
            }
        }
    };
    let alone = count::per_call(|| call(false));
    let with = count::per_call(|| call(true));
    // The integral of the triangle has π/4 of its amplitude, a quarter of that is given.
    if (600_000..1_000_000).contains(&highest) {
        let each = with.saturating_sub(alone) / BLOCK as u64;
        hprintln!("rogowski-sample {}", each);
    }

    let mut output = PulseOutput::try_new(8_000_000, 30_000, 0).ok()?;
    let mut blocks = 0_u32;
    let mut rising = 0_u32;
    let each = count::per_call(|| {
        // A window of 0.2 s has a hundred blocks and brings five pulses.
        let (energy, length) = if blocks.is_multiple_of(100) {
            (5 << 32, 1600 << 16)
        } else {
            (0, 0)
        };
        blocks += 1;
        output.advance(black_box(energy), length, BLOCK as u32);
        while let Some(edge) = output.next_edge() {
            rising += u32::from(edge.rising);
        }
    });
    // 4000 blocks are 40 windows.
    if (190..=200).contains(&rising) {
        hprintln!("pulse-block {}", each);
    }
    Some(())
}

#[entry]
fn main() -> ! {
    count::start();
    if run().is_none() {
        debug::exit(debug::EXIT_FAILURE);
    }
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
