/* Meters a recorded waveform: one voltage and one current, 32-bit little-endian counts, frame after frame:
 *
 *   cc waveform.c $(pkg-config --cflags --libs --static meterkit) -o waveform
 *   ./waveform FILE RATE_HZ NANOVOLTS_PER_COUNT NANOAMPERES_PER_COUNT
 *
 * Without arguments it meters ten seconds of a 230 V, 5 A square wave of its own, whose values are known. The same
 * source runs on a Cortex-M under an emulator, with the samples of its own. */
#include "meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 8000u
/* As many as an interrupt of a converter would bring. */
#define BLOCK 40u

MTR_STORAGE(static, chain_storage, MTR_METROLOGY1_SIZE);
MTR_STORAGE(static, pulse_storage, MTR_PULSE_SIZE);

/* Counts of the own wave at 60 uV and 24 uA a count, 50 Hz. */
static void own_wave(uint32_t from, mtr_sample1 *samples, size_t count)
{
    size_t at;

    for (at = 0; at < count; at++) {
        int32_t sign = (from + at) / (RATE / 100) % 2 == 0 ? 1 : -1;
        samples[at].u[0] = sign * 3833333;
        samples[at].i[0] = sign * 208333;
        samples[at].n = 0;
    }
}

static int32_t count_of(const unsigned char *bytes)
{
    return (int32_t)((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24);
}

/* The next frames of the recording; their number. */
static size_t recorded(FILE *file, mtr_sample1 *samples, size_t count)
{
    unsigned char frame[8];
    size_t at;

    for (at = 0; at < count && fread(frame, sizeof frame, 1, file) == 1; at++) {
        samples[at].u[0] = count_of(frame);
        samples[at].i[0] = count_of(frame + 4);
        samples[at].n = 0;
    }
    return at;
}

/* Millionths with three places, rounded to nearest, without floating point. */
static void print(const char *what, int64_t micro, const char *unit)
{
    const char *sign = micro < 0 ? "-" : "";
    uint64_t milli = ((uint64_t)(micro < 0 ? -micro : micro) + 500) / 1000;

    printf("%s %s%lu.%03lu %s\n", what, sign, (unsigned long)(milli / 1000), (unsigned long)(milli % 1000), unit);
}

int main(int argc, char **argv)
{
    static mtr_sample1 samples[BLOCK];
    mtr_metrology_parameters parameters;
    mtr_metrology1 *chain;
    mtr_pulse *pulse;
    mtr_progress progress;
    mtr_pulse_edge edge;
    mtr_quantities quantities;
    mtr_registers registers;
    FILE *file = NULL;
    uint32_t position = 0, rate = RATE, pulses = 0;
    size_t count;

    if (mtr_abi_version() != MTR_ABI_VERSION || (argc > 1 && argc != 5))
        return 2;
    if (argc == 5) {
        file = fopen(argv[1], "rb");
        if (file == NULL) {
            perror(argv[1]);
            return 1;
        }
        rate = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    mtr_metrology_defaults(rate * 1000, 50000, &parameters);
    if (argc == 5) {
        parameters.voltage_nv = (uint32_t)strtoul(argv[3], NULL, 10);
        parameters.current_na = (uint32_t)strtoul(argv[4], NULL, 10);
        /* Recordings have few bits: less fundamental is enough for the zero crossings. */
        parameters.sync_level = 100;
    }
    if (mtr_metrology1_init(chain_storage, sizeof chain_storage, &parameters, &chain) != MTR_OK ||
        mtr_pulse_init(pulse_storage, sizeof pulse_storage, rate * 1000, 30000, &pulse) != MTR_OK) {
        printf("a constant is outside its range\n");
        return 1;
    }
    for (;;) {
        if (file != NULL) {
            count = recorded(file, samples, BLOCK);
        } else {
            count = position < 10 * RATE ? BLOCK : 0;
            own_wave(position, samples, count);
        }
        if (count == 0)
            break;
        if (mtr_metrology1_process(chain, samples, count, &progress) != MTR_OK ||
            mtr_pulse_advance(pulse, progress.active_share, progress.length_q16, (uint32_t)count) != MTR_OK)
            return 1;
        /* A board sets its timer here. */
        while (mtr_pulse_next(pulse, &edge) == MTR_OK)
            pulses += edge.rising;
        position += (uint32_t)count;
    }
    if (file != NULL)
        fclose(file);
    if (mtr_metrology1_quantities(chain, &quantities) != MTR_OK ||
        mtr_metrology1_registers(chain, &registers) != MTR_OK) {
        printf("the record is shorter than a window\n");
        return 1;
    }
    print("voltage", (int64_t)quantities.phase[0].voltage_uv, "V");
    print("current", (int64_t)quantities.phase[0].current_ua, "A");
    print("power", quantities.phase[0].active_uw, "W");
    print("frequency", quantities.frequency_uhz, "Hz");
    printf("energy %lu steps of 0.1 Wh, %lu pulses\n", (unsigned long)registers.imported, (unsigned long)pulses);
    return 0;
}
