//! Harmonics to order 50 of six channels at 8 kHz: instructions for one second of signal, result checked.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use mcu::count;
use metrology::pq::{Buffer, EMPTY_BUFFER, Grouping, Resampler, Sampled, Span, Spectrum, Tracker};

const CHANNELS: usize = 6;
/// Samples of one cycle of 50 Hz at 8 kHz.
const CYCLE: i32 = 160;
const WINDOW: usize = 1600;

/// Half waves in the shape of parabolas: order h has 1/h³ of the fundamental, odd orders only.
fn sample(n: i32) -> i32 {
    let (at, half) = (n % CYCLE, CYCLE / 2);
    let arc = (at % half) * (half - at % half) * 2000;
    if at < half { arc } else { -arc }
}

struct Chain {
    tracker: Tracker,
    resampler: Resampler<CHANNELS>,
    buffers: [Buffer; CHANNELS],
    subgroups: [[u32; 50]; CHANNELS],
    windows: u32,
}

impl Chain {
    #[inline(never)]
    fn resample(&mut self, frames: &[[i32; CHANNELS]], transform: bool) {
        let mut rest = frames;
        while !rest.is_empty() {
            let span: Span = self.tracker.process(rest, 0);
            let (now, later) = rest.split_at_checked(span.used).unwrap_or((rest, &[]));
            let (subgroups, windows) = (&mut self.subgroups, &mut self.windows);
            self.resampler
                .process(now, &span, &mut self.buffers, |buffers, sampled| {
                    *windows += 1;
                    if transform {
                        spectra(buffers, sampled, subgroups);
                    }
                });
            if let Some(edge) = span.edge
                && edge.restart
            {
                self.resampler.restart(edge.rising);
            }
            rest = later;
        }
    }
}

/// Transforms all channels and reads all orders.
fn spectra(
    buffers: &mut [Buffer; CHANNELS],
    sampled: Sampled,
    subgroups: &mut [[u32; 50]; CHANNELS],
) {
    for (buffer, subgroups) in buffers.iter_mut().zip(subgroups) {
        let spectrum = Spectrum::transform(buffer, sampled);
        for (order, place) in (1..).zip(subgroups) {
            *place = spectrum.harmonic(order, Grouping::Subgroup);
        }
    }
}

#[entry]
fn main() -> ! {
    count::start();
    let frames: [[i32; CHANNELS]; WINDOW] = core::array::from_fn(|n| [sample(n as i32); CHANNELS]);
    let mut chain = Chain {
        tracker: Tracker::new(8_000_000, 50_000, 10_000),
        resampler: Resampler::new(8_000_000, 10),
        buffers: [EMPTY_BUFFER; CHANNELS],
        subgroups: [[0; 50]; CHANNELS],
        windows: 0,
    };
    for _ in 0..5 {
        chain.resample(&frames, false);
    }
    let seen = chain.windows;
    let points = count::once(|| {
        for _ in 0..5 {
            chain.resample(black_box(&frames), false);
        }
    });
    let all = count::once(|| {
        for _ in 0..5 {
            chain.resample(black_box(&frames), true);
        }
    });
    let [fundamental, _, third, ..] = chain.subgroups[CHANNELS - 1];
    // 1/27 of the fundamental, 37,037 millionths.
    let part = u64::from(third) * 1_000_000 / u64::from(fundamental.max(1));
    if chain.windows != seen + 10 || part.abs_diff(37_037) > 40 {
        hprintln!(
            "wrong: {} windows, order 3 has {}",
            chain.windows - seen,
            part
        );
        debug::exit(debug::EXIT_FAILURE);
    }
    hprintln!("harmonics-points {}", points);
    hprintln!("harmonics {}", all);
    debug::exit(debug::EXIT_SUCCESS);
    loop {
        cortex_m::asm::wfi();
    }
}
