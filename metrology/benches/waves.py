"""The samples of waves.rs through the Python package pqopen-lib 0.10.5: same errors, same output.

Three runs of the package for each wave: as it comes (one value for ten cycles), with its trapezoid rule (one value
for each cycle, here joined by ten), and with harmonics, which alone give it Q1. Each prints its errors under its
own name; the time is that of the run as it comes, in double precision.
"""

import logging
import sys
import time
from pathlib import Path

import numpy as np
from daqopen.channelbuffer import AcqBuffer
from pqopen.powersystem import PowerSystem

logging.disable(logging.CRITICAL)

SETTLING = 3
CYCLES = 10
BLOCK = 1600


def run(samples, rate, scales, prepare):
    """All output channels, and the seconds it took."""
    buffers = [
        AcqBuffer(size=100_000, scale_gain=scale, dtype=np.float64) for scale in scales
    ]
    system = PowerSystem(buffers[0], rate, nominal_frequency=50.0, nper=CYCLES)
    system.add_phase(*buffers)
    prepare(system)
    begin = time.perf_counter()
    for at in range(0, len(samples), BLOCK):
        for buffer, channel in zip(buffers, samples[at : at + BLOCK].T):
            buffer.put_data(channel)
        system.process()
    seconds = time.perf_counter() - begin
    return {
        name: channel.read_data_by_acq_sidx(0, len(samples))[0].astype(np.float64)
        for name, channel in system.output_channels.items()
    }, seconds


def worst(values, truth, scale):
    return np.max(np.abs(values - truth)) / scale


def joined(values, squares):
    """Means of ten cycles; of squares where the values are rms."""
    values = values[SETTLING * CYCLES :]
    rows = values[: len(values) // CYCLES * CYCLES].reshape(-1, CYCLES)
    return np.sqrt(np.mean(rows**2, axis=1)) if squares else np.mean(rows, axis=1)


folder = Path(sys.argv[1])
best = float("inf")
for line in (folder / "cases.txt").read_text().splitlines():
    name, *numbers = line.split()
    rate, u_scale, i_scale, u, i, p, q, f = map(float, numbers)
    samples = np.fromfile(folder / f"{name}.i32", dtype="<i4").reshape(-1, 2)
    scales, s = (u_scale, i_scale), u * i
    plain, seconds = run(samples, rate, scales, lambda system: None)
    for _ in range(2):
        seconds = min(seconds, run(samples, rate, scales, lambda system: None)[1])
    best = min(best, seconds / len(samples) * 1e9)
    harmonic, _ = run(samples, rate, scales, lambda system: system.enable_harmonic_calculation(50))
    trapezoid, _ = run(samples, rate, scales, lambda system: system.enable_rms_trapz_rule())
    q1 = worst(harmonic["Q1_H1"][SETTLING:], q, s)
    hertz = worst(joined(plain["Freq"], False), f, 1.0)
    rows = {
        "": (plain["U1_rms"][SETTLING:], plain["I1_rms"][SETTLING:], plain["P1"][SETTLING:]),
        "/trapezoid": (
            joined(trapezoid["U1_1p_rms"], True),
            joined(trapezoid["I1_1p_rms"], True),
            joined(trapezoid["P1_1p"], False),
        ),
    }
    for mode, (voltage, current, power) in rows.items():
        errors = [worst(voltage, u, u), worst(current, i, i), worst(power, p, s), q1, hertz]
        print(name + mode, *("%e" % error for error in errors))
print("nanoseconds %.1f" % best)
