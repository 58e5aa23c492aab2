/* What stands beside the metering chain, from C: the smallest meter, conditions, overload and cables, residual current,
 * arcs, harmonics, flicker, rapid changes, circuits and details; on waves whose values are known. Ends with 0 when all of
 * it is right. */
#include "meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            return 1;                                                           \
        }                                                                       \
    } while (0)

#define RATE 8000
#define TAU 6.283185307179586476925

static int near(double got, double wanted, double within)
{
    if (fabs(got - wanted) <= within)
        return 1;
    fprintf(stderr, "got %.6f, wanted %.6f\n", got, wanted);
    return 0;
}

/* A second of three phases of 230 V and 5 A in phase, which repeats without a step. */
static mtr_sample3 balanced[RATE];

static void waves(void)
{
    size_t at, k;

    for (at = 0; at < RATE; at++) {
        for (k = 0; k < 3; k++) {
            double sine = sqrt(2) * sin(TAU * (50 * (double)at / RATE - (double)k / 3));
            balanced[at].u[k] = (int32_t)lround(230.0 / 60e-6 * sine);
            balanced[at].i[k] = (int32_t)lround(5.0 / 24e-6 * sine);
        }
    }
}

MTR_STORAGE(static, chain_storage, MTR_METROLOGY3_SIZE);

static mtr_metrology3 *new_chain(void)
{
    mtr_metrology_parameters parameters;
    mtr_metrology3 *chain = NULL;

    if (mtr_metrology_defaults(RATE * 1000u, 50000, &parameters) != MTR_OK)
        return NULL;
    if (mtr_metrology3_init(chain_storage, sizeof chain_storage, &parameters, &chain) != MTR_OK)
        return NULL;
    return chain;
}

static int smallest_meter(void)
{
    MTR_STORAGE(static, storage, MTR_ENERGY3_SIZE);
    MTR_STORAGE(static, other_storage, MTR_ENERGY3_SIZE);
    MTR_STORAGE(static, single_storage, MTR_ENERGY1_SIZE);
    static mtr_sample1 single[RATE];
    mtr_metrology_parameters parameters;
    mtr_energy_constants constants, broken;
    mtr_energy_state state, other_state;
    mtr_energy_interval interval;
    mtr_energy3 *core = NULL, *other = NULL;
    mtr_energy1 *one = NULL;
    uint8_t saturated = 9;
    size_t at;

    CHECK(mtr_metrology_defaults(RATE * 1000u, 50000, &parameters) == MTR_OK);
    CHECK(mtr_energy_work_out(&parameters, 2, &constants) == MTR_ERR_PARAMETER);
    CHECK(mtr_energy_work_out(&parameters, 3, &constants) == MTR_OK);
    CHECK(mtr_energy3_init(storage, sizeof storage, &constants, NULL, &core) == MTR_OK);
    for (at = 0; at < 4; at++)
        CHECK(mtr_energy3_process(core, balanced, RATE, &saturated) == MTR_OK && saturated == 0);
    CHECK(mtr_energy3_state(core, &state) == MTR_OK);
    /* 1150 W for four seconds are 12.78 steps of 0.1 Wh in each phase, and 24.5 pulses of the sum at 6400 a kWh. */
    for (at = 0; at < 3; at++)
        CHECK(state.phase[at].imported == 12 && state.phase[at].exported == 0);
    CHECK(state.pulses.imported == 24);
    CHECK(mtr_energy3_interval(core, &interval) == MTR_OK);
    CHECK(interval.samples == 4 * RATE);
    CHECK(near(interval.voltage_q8[2] / 256.0 * 60e-6, 230, 0.001));
    CHECK(near(interval.current_q8[1] / 256.0 * 24e-6, 5, 0.0001));
    CHECK(mtr_energy3_interval(core, &interval) == MTR_OK && interval.samples == 0 && interval.voltage_q8[0] == 0);

    /* Another core goes on from the state to the last bit. */
    CHECK(mtr_energy3_init(other_storage, sizeof other_storage, &constants, &state, &other) == MTR_OK);
    CHECK(mtr_energy3_process(core, balanced, RATE, &saturated) == MTR_OK);
    CHECK(mtr_energy3_process(other, balanced, RATE, &saturated) == MTR_OK);
    CHECK(mtr_energy3_state(core, &state) == MTR_OK && mtr_energy3_state(other, &other_state) == MTR_OK);
    CHECK(memcmp(&state, &other_state, sizeof state) == 0);

    state.phase[1].remainder = constants.step_raw;
    CHECK(mtr_energy3_init(other_storage, sizeof other_storage, &constants, &state, &other) == MTR_ERR_STATE);
    broken = constants;
    broken.phase[2].voltage_hold = 13;
    CHECK(mtr_energy3_init(other_storage, sizeof other_storage, &broken, NULL, &other) == MTR_ERR_PARAMETER);
    broken = constants;
    broken.pulse_raw.high = 0;
    CHECK(mtr_energy3_init(other_storage, sizeof other_storage, &broken, NULL, &other) == MTR_ERR_PARAMETER);

    CHECK(mtr_energy_work_out(&parameters, 1, &constants) == MTR_OK);
    CHECK(mtr_energy1_init(single_storage, sizeof single_storage, &constants, NULL, &one) == MTR_OK);
    for (at = 0; at < RATE; at++) {
        single[at].u[0] = balanced[at].u[0];
        single[at].i[0] = -balanced[at].i[0];
    }
    single[7].u[0] = INT32_MAX;
    CHECK(mtr_energy1_process(one, single, RATE, &saturated) == MTR_OK && saturated == 1);
    CHECK(mtr_energy1_state(one, &state) == MTR_OK);
    CHECK(state.phase[0].imported == 0 && state.phase[0].exported == 3);
    CHECK(mtr_energy1_interval(one, &interval) == MTR_OK && interval.samples == RATE);
    return 0;
}

static int conditions(void)
{
    MTR_STORAGE(static, storage, MTR_MONITOR_SIZE);
    mtr_monitor *monitor = NULL;
    mtr_limits limits;
    mtr_quantities window;
    mtr_changes changes;
    unsigned windows = 1;

    CHECK(mtr_limits_dlt614(220000000, 5000000, 60000000, &limits) == MTR_OK);
    CHECK(limits.limit[MTR_CONDITION_VOLTAGE_LOST].watched == 1);
    CHECK(limits.limit[MTR_CONDITION_VOLTAGE_LOST].delay_ms == 60000);
    CHECK(mtr_monitor_init(storage, sizeof storage, &limits, 2, 0, &monitor) == MTR_ERR_PARAMETER);
    CHECK(mtr_monitor_init(storage, sizeof storage, &limits, 1, UINT64_MAX, &monitor) == MTR_ERR_STATE);
    CHECK(mtr_monitor_init(storage, sizeof storage, &limits, 1, 0, &monitor) == MTR_OK);
    /* 68 % of the voltage with current: lost, once it has held for 60 s. */
    memset(&window, 0, sizeof window);
    window.phase[0].voltage_uv = 150000000;
    window.phase[0].current_ua = 2000000;
    window.duration_ms = 200;
    while (mtr_monitor_update(monitor, &window, &changes) == MTR_MORE && windows < 1000)
        windows++;
    CHECK(windows == 300 && changes.begun == 1 && changes.active == 1 && changes.ended == 0);
    /* The power goes: it does not begin again, and ends by its own limit. */
    CHECK(mtr_monitor_init(storage, sizeof storage, &limits, 1, changes.active, &monitor) == MTR_OK);
    window.phase[0].voltage_uv = 220000000;
    for (windows = 1; mtr_monitor_update(monitor, &window, &changes) == MTR_MORE && windows < 1000; windows++)
        CHECK(changes.active == 1);
    CHECK(windows == 300 && changes.ended == 1 && changes.active == 0);
    /* A condition of the whole meter of three phases: the wrong order, bit 18 + 9. */
    CHECK(mtr_monitor_init(storage, sizeof storage, &limits, 3, 0, &monitor) == MTR_OK);
    for (windows = 0; windows < 3; windows++) {
        window.phase[windows].voltage_uv = 220000000;
        window.phase[windows].voltage_angle_mdeg = (int32_t)windows * 120000;
    }
    window.duration_ms = 60000;
    CHECK(mtr_monitor_update(monitor, &window, &changes) == MTR_OK);
    CHECK(changes.begun >> (18 + MTR_CONDITION_VOLTAGE_ORDER) & 1);
    return 0;
}

static int overload(void)
{
    MTR_STORAGE(static, storage, MTR_THERMAL_SIZE);
    MTR_STORAGE(static, cable_storage, MTR_CABLE_SIZE);
    mtr_thermal *line = NULL;
    mtr_cable *cable = NULL;
    mtr_thermal_limits limits;
    mtr_thermal_state state;
    mtr_cable_limits cable_limits;
    mtr_cable_state cable_state;
    uint8_t saved[MTR_THERMAL_STATE_LEN];
    uint32_t second, trip_ms = 0, warned = 0, tripped = 0;
    uint64_t heat;
    size_t len = 0;

    CHECK(mtr_thermal_defaults(&limits) == MTR_OK);
    limits.rated_ua = 0;
    CHECK(mtr_thermal_init(storage, sizeof storage, &limits, NULL, 0, 0, &line) == MTR_ERR_PARAMETER);
    limits.rated_ua = 63000000;
    limits.time_constant_ms = 1200000;
    CHECK(mtr_thermal_init(storage, sizeof storage, &limits, NULL, 0, 0, &line) == MTR_OK);
    CHECK(mtr_thermal_time_to_trip(line, 63000000, &trip_ms) == MTR_MORE);
    CHECK(mtr_thermal_time_to_trip(line, 126000000, &trip_ms) == MTR_OK);
    /* t = tau ln(4 / (4 - 1.103)). */
    CHECK(near(trip_ms / 1000.0, 1200 * log(4 / (4 - 1.103)), 1));
    for (second = 1; second < 1000 && tripped == 0; second++) {
        mtr_result result = mtr_thermal_update(line, 126000000, 1000, &state);
        CHECK(result == MTR_OK || result == MTR_MORE);
        if (result == MTR_OK && state.level == MTR_LEVEL_WARNING)
            warned = second;
        if (result == MTR_OK && state.level == MTR_LEVEL_ALARM)
            tripped = second;
    }
    CHECK(warned > 0 && warned < tripped && near(tripped, trip_ms / 1000.0, 1));
    heat = state.heat_permille;
    CHECK(mtr_thermal_save(line, saved, sizeof saved - 1, &len) == MTR_ERR_LENGTH);
    CHECK(mtr_thermal_save(line, saved, sizeof saved, &len) == MTR_OK && len == MTR_THERMAL_STATE_LEN);
    CHECK(mtr_thermal_init(storage, sizeof storage, &limits, saved, len, 0, &line) == MTR_OK);
    (void)mtr_thermal_update(line, 63000000, 0, &state);
    CHECK(near((double)state.heat_permille, (double)heat, 1));
    saved[3] ^= 1;
    CHECK(mtr_thermal_init(storage, sizeof storage, &limits, saved, len, 0, &line) == MTR_ERR_STATE);
    CHECK(mtr_thermal_init(storage, sizeof storage, &limits, NULL, 0, 0, &line) == MTR_OK);

    CHECK(mtr_cable_defaults(&cable_limits) == MTR_OK && cable_limits.temperature.alarm == 70000);
    CHECK(mtr_cable_init(cable_storage, sizeof cable_storage, &cable_limits, &cable) == MTR_OK);
    CHECK(mtr_cable_update(cable, line, -60000, 20000, 1000, &cable_state) == MTR_ERR_REFUSED);
    for (second = 0; second < 12; second++)
        CHECK(mtr_cable_update(cable, line, 65000, 30000, 1000, &cable_state) == MTR_OK);
    /* 65 degrees warn; 35 K of rise without current are an alarm; it does not rise. */
    CHECK(cable_state.temperature == MTR_LEVEL_WARNING && cable_state.rise == MTR_LEVEL_ALARM);
    CHECK(cable_state.rate == MTR_LEVEL_NORMAL && cable_state.excess_mk == 35000);
    return 0;
}

static int residual_and_arcs(void)
{
    MTR_STORAGE(static, storage, MTR_RESIDUAL_SIZE);
    MTR_STORAGE(static, arc_storage, MTR_ARC_SIZE);
    static int32_t samples[RATE];
    static mtr_sample1 line[RATE];
    mtr_threshold threshold = {20000, 30000, 2000, 0};
    mtr_residual *residual = NULL;
    mtr_residual_current current;
    mtr_arc *arc = NULL;
    mtr_arc_limits limits;
    mtr_arc_report report;
    uint32_t worst, seed = 20261121, broken;
    size_t at, used, cycles;

    /* 20 mA rms and 10 mA direct; a count is 1 uA. */
    CHECK(mtr_residual_init(storage, sizeof storage, 1000, &threshold, &residual) == MTR_OK);
    CHECK(mtr_residual_close(residual, 1000, &current) == MTR_MORE);
    for (at = 0; at < RATE; at++)
        samples[at] = (int32_t)lround(20000 * sqrt(2) * sin(TAU * 50 * (double)at / RATE)) + 10000;
    CHECK(mtr_residual_take(residual, samples, RATE) == MTR_OK);
    CHECK(mtr_residual_close(residual, 1000, &current) == MTR_OK);
    CHECK(near((double)current.ac_ua, 20000, 2) && near((double)current.dc_ua, 10000, 2));
    CHECK(near((double)current.total_ua, sqrt(5) * 10000, 2) && current.level == MTR_LEVEL_WARNING);
    /* Balanced currents leave nothing but what rounding leaves of three: under two counts. */
    CHECK(mtr_residual_take_sums(residual, balanced, RATE) == MTR_OK);
    CHECK(mtr_residual_close(residual, 1000, &current) == MTR_OK && current.total_ua <= 2);
    CHECK(current.level == MTR_LEVEL_NORMAL);

    /* A line that repeats itself, and one whose current is another in every half cycle. */
    CHECK(mtr_arc_defaults((uint32_t)(1.8 / 24e-6), &limits) == MTR_OK);
    for (broken = 0; broken < 2; broken++) {
        double size = 1;
        CHECK(mtr_arc_init(arc_storage, sizeof arc_storage, &limits, &arc) == MTR_OK);
        for (at = 0; at < RATE; at++) {
            if (broken && at % (RATE / 100) == 0) {
                seed = seed * 1664525u + 1013904223u;
                size = 0.5 + (seed >> 8) / 33554432.0;
            }
            line[at].u[0] = balanced[at].u[0];
            line[at].i[0] = (int32_t)(balanced[at].i[0] * size);
        }
        worst = MTR_LEVEL_NORMAL;
        for (at = 0, cycles = 0; at < RATE; at += used) {
            mtr_result result = mtr_arc_process1(arc, line + at, RATE - at, &report);
            CHECK(result == MTR_OK || (result == MTR_MORE && report.used == RATE - at));
            used = report.used;
            cycles += result == MTR_OK;
            if (report.level > worst)
                worst = report.level;
        }
        CHECK(cycles >= 45 && cycles <= 50);
        CHECK(worst == (broken ? MTR_LEVEL_ALARM : MTR_LEVEL_NORMAL));
    }
    CHECK(mtr_arc_process3(arc, balanced, RATE, 3, &report) == MTR_ERR_PARAMETER);
    CHECK(mtr_arc_process3(arc, balanced, RATE, 2, &report) == MTR_OK && report.used <= 2 * RATE / 50);
    return 0;
}

/* Ten seconds of three voltages with a tenth of the fifth order, and of currents that lag by 60 degrees; the first voltage
 * 3 % lower from the fifth second on. */
static mtr_frame3 voltages[10 * RATE], currents[10 * RATE];

static int power_quality(void)
{
    MTR_STORAGE(static, storage, MTR_QUALITY3_SIZE);
    MTR_STORAGE(static, rapid_storage, MTR_RAPID_CHANGES_SIZE);
    static unsigned char places[4][MTR_HARMONICS_SIZE + MTR_ALIGN];
    static mtr_harmonics_window windows[4];
    const uint32_t declared_q8 = (uint32_t)(230 / 60e-6) << 8;
    mtr_quality_setup setup = {RATE * 1000u, 50000, 0, 0, 0, 0, 0, 7};
    mtr_quality3 *analyzer = NULL;
    mtr_rapid_changes *rapid = NULL;
    mtr_rapid_change change;
    mtr_harmonics *harmonics[4];
    mtr_quality_step step;
    mtr_unbalance unbalance;
    int64_t active, reactive;
    size_t at, k, full = 0, changed = 0, three_seconds = 0, dips = 0;

    for (at = 0; at < 10 * RATE; at++) {
        for (k = 0; k < 3; k++) {
            double turn = 50 * (double)at / RATE - (double)k / 3;
            double size = k == 0 && at >= 5 * RATE ? 0.97 : 1;
            voltages[at].u[k] = (int32_t)lround(size * 230 / 60e-6 * sqrt(2) * (sin(TAU * turn) + 0.1 * sin(TAU * 5 * turn)));
            currents[at].u[k] = (int32_t)lround(5 / 24e-6 * sqrt(2) * sin(TAU * (turn - 1.0 / 6)));
        }
    }
    setup.declared_q8 = declared_q8;
    CHECK(mtr_quality3_init(storage, sizeof storage, &setup, &analyzer) == MTR_OK);
    CHECK(mtr_rapid_changes_init(rapid_storage, sizeof rapid_storage, 50000, declared_q8 / 50, declared_q8 / 100, 7, &rapid) ==
          MTR_OK);
    for (k = 0; k < 4; k++) {
        unsigned char *place = places[k] + (MTR_ALIGN - (uintptr_t)places[k] % MTR_ALIGN) % MTR_ALIGN;
        CHECK(mtr_harmonics_init(place, MTR_HARMONICS_SIZE, RATE * 1000u, 50000, &harmonics[k]) == MTR_OK);
    }
    for (at = 0; at < 10 * RATE; at += step.used) {
        mtr_result result = mtr_quality3_process(analyzer, voltages + at, 10 * RATE - at, &step);
        CHECK(result == MTR_OK || result == MTR_MORE);
        CHECK(mtr_harmonics_follow(harmonics[0], analyzer, voltages + at, step.used + 1, 0, &windows[0]) ==
              MTR_ERR_PARAMETER);
        CHECK(mtr_harmonics_follow(harmonics[0], analyzer, voltages + at, step.used, 3, &windows[0]) == MTR_ERR_PARAMETER);
        for (k = 0; k < 4; k++) {
            const mtr_frame3 *frames = k < 3 ? voltages : currents;
            mtr_result more = mtr_harmonics_follow(harmonics[k], analyzer, frames + at, step.used, (uint32_t)k % 3, &windows[k]);
            CHECK(more == MTR_OK || more == MTR_MORE);
            full += more == MTR_OK;
        }
        if (result == MTR_OK && mtr_rapid_changes_follow(rapid, analyzer, &change) == MTR_OK)
            changed++;
        three_seconds += (step.has & MTR_QUALITY_HAS_THREE_SECONDS) != 0;
        dips += (step.has & MTR_QUALITY_HAS_DIP_BEGUN) != 0;
    }
    CHECK(full >= 4 * 45 && full % 4 == 0);
    CHECK(three_seconds == 3 && dips == 0);
    CHECK(windows[0].highest_order == 50 && windows[0].overrange == 0);
    CHECK(near(windows[1].line_q8[0] / 256.0 * 60e-6, 230, 0.02));
    CHECK(near(windows[1].subgroup_q8[4] / 256.0 * 60e-6, 23, 0.02));
    CHECK(near(windows[1].thd_ppm, 100000, 100) && near(windows[1].thds_ppm, 100000, 100));
    CHECK(near(windows[1].between_q8[0] / 256.0 * 60e-6, 0, 0.02));
    /* 230 V, 5 A, 60 degrees behind: half of it active. */
    CHECK(mtr_harmonics_power(&windows[0], &windows[3], 0, &active, &reactive) == MTR_ERR_PARAMETER);
    CHECK(mtr_harmonics_power(&windows[0], &windows[3], 51, &active, &reactive) == MTR_ERR_PARAMETER);
    CHECK(mtr_harmonics_power(&windows[0], &windows[3], 1, &active, &reactive) == MTR_OK);
    CHECK(near((double)active / 65536 * 60e-6 * 24e-6, 0.97 * 575, 0.1));
    CHECK(near((double)reactive / 65536 * 60e-6 * 24e-6, 0.97 * 1150 * sqrt(0.75), 0.1));
    /* One voltage of 0.97: (0.97 + 2) / 3 in the rotation, 0.01 against it and 0.01 in all. */
    CHECK(mtr_harmonics_unbalance(&windows[0], &windows[1], &windows[2], &unbalance) == MTR_OK);
    CHECK(near(unbalance.negative_ppm, 0.01 / 0.99 * 1e6, 20) && near(unbalance.zero_ppm, 0.01 / 0.99 * 1e6, 20));
    CHECK(unbalance.reversed == 0);
    CHECK(mtr_harmonics_unbalance(&windows[0], &windows[2], &windows[1], &unbalance) == MTR_OK && unbalance.reversed == 1);
    CHECK(changed == 1 && change.channel == 0);
    CHECK(near(change.steady_q8 / 256.0 * 60e-6, 0.03 * 230 * sqrt(1.01), 0.1));
    return 0;
}

static int flicker(void)
{
    MTR_STORAGE(static, storage, MTR_FLICKER_SIZE);
    static mtr_frame3 frames[RATE];
    mtr_flicker *meter = NULL;
    mtr_flicker_severity severity;
    uint32_t sensation = 0, most = 0;
    size_t second, at, from;

    CHECK(mtr_flicker_init(storage, sizeof storage, RATE * 1000u, 2, &meter) == MTR_ERR_PARAMETER);
    CHECK(mtr_flicker_init(storage, sizeof storage, RATE * 1000u, MTR_LAMP_230V_50HZ, &meter) == MTR_OK);
    CHECK(mtr_flicker_finish(meter, &severity) == MTR_MORE);
    CHECK(mtr_flicker_process(meter, frames, RATE, 3) == MTR_ERR_PARAMETER);
    /* Sinusoidal changes of 0.25 % at 8.8 Hz are the threshold of perception (IEC 61000-4-15, table 1). */
    for (second = 0; second < 40; second++) {
        for (at = 0; at < RATE; at++) {
            double t = (double)second + (double)at / RATE;
            double size = 1 + 0.00125 * sin(TAU * 8.8 * t);
            frames[at].u[1] = (int32_t)lround(230 / 60e-6 * sqrt(2) * size * sin(TAU * 50 * t));
        }
        for (from = 0; from < RATE; from += 80) {
            CHECK(mtr_flicker_process(meter, frames + from, 80, 1) == MTR_OK);
            CHECK(mtr_flicker_sensation(meter, &sensation) == MTR_OK);
            if (second >= 30 && sensation > most)
                most = sensation;
        }
        if (second == 19)
            CHECK(mtr_flicker_restart(meter) == MTR_OK);
    }
    CHECK(near(most / 1048576.0, 1, 0.08));
    CHECK(mtr_flicker_finish(meter, &severity) == MTR_OK && severity.has_long == 0);
    CHECK(severity.short_ppm > 500000 && severity.short_ppm < 900000);
    CHECK(mtr_flicker_finish(meter, &severity) == MTR_MORE);
    return 0;
}

static int circuits_and_details(void)
{
    MTR_STORAGE(static, storage, MTR_CIRCUITS_SIZE);
    MTR_STORAGE(static, details_storage, MTR_DETAILS3_SIZE);
    static mtr_currents sets[RATE];
    mtr_circuit circuit[4];
    mtr_metrology_parameters parameters;
    mtr_circuits *circuits = NULL;
    mtr_details3 *follower = NULL;
    mtr_metrology3 *chain = new_chain();
    mtr_circuit_quantities found, before;
    mtr_details details;
    mtr_progress progress;
    uint8_t saved[MTR_CIRCUITS_STATE_MAX];
    size_t at, k, len = 0;

    CHECK(chain != NULL && mtr_metrology_defaults(RATE * 1000u, 50000, &parameters) == MTR_OK);
    for (k = 0; k < 4; k++) {
        circuit[k].constants = parameters.phase[0];
        circuit[k].voltage = (uint32_t)k % 3;
    }
    CHECK(mtr_circuits_init(storage, sizeof storage, chain, circuit, MTR_CIRCUITS + 1, &circuits) == MTR_ERR_PARAMETER);
    CHECK(mtr_circuits_init(storage, sizeof storage, chain, NULL, 0, &circuits) == MTR_ERR_PARAMETER);
    circuit[3].voltage = 3;
    CHECK(mtr_circuits_init(storage, sizeof storage, chain, circuit, 4, &circuits) == MTR_ERR_PARAMETER);
    circuit[3].voltage = 0;
    CHECK(mtr_circuits_init(storage, sizeof storage, chain, circuit, 4, &circuits) == MTR_OK);
    /* Each circuit has the current of its phase; the last one twice that, and back to the grid. */
    for (at = 0; at < RATE; at++) {
        for (k = 0; k < 3; k++)
            sets[at].i[k] = balanced[at].i[k];
        sets[at].i[3] = -2 * balanced[at].i[0];
    }
    CHECK(mtr_circuits_process(circuits, chain, balanced, RATE, sets, RATE - 1, &progress) == MTR_ERR_LENGTH);
    for (k = 0; k < 4; k++)
        CHECK(mtr_circuits_process(circuits, chain, balanced, RATE, sets, RATE, &progress) == MTR_OK && progress.windows >= 4);
    for (k = 0; k < 3; k++) {
        CHECK(mtr_circuits_quantities(circuits, (uint32_t)k, &found) == MTR_OK);
        CHECK(near((double)found.current_ua / 1e6, 5, 0.0005) && near((double)found.active_uw / 1e6, 1150, 0.115));
        CHECK(found.imported == 12 && found.exported == 0 && found.saturated == 0);
    }
    CHECK(mtr_circuits_quantities(circuits, 3, &found) == MTR_OK);
    /* 25.6 steps, of which the last window (1.3 at most) is open. */
    CHECK(near((double)found.active_uw / 1e6, -2300, 0.23) && found.imported == 0 && found.exported == 24);
    CHECK(mtr_circuits_quantities(circuits, MTR_CIRCUITS - 1, &before) == MTR_OK && before.current_ua == 0);
    CHECK(mtr_circuits_quantities(circuits, MTR_CIRCUITS, &before) == MTR_ERR_PARAMETER);
    CHECK(mtr_circuits_save(circuits, chain, saved, 16, &len) == MTR_ERR_LENGTH);
    CHECK(mtr_circuits_save(circuits, chain, saved, sizeof saved, &len) == MTR_OK);
    chain = new_chain();
    CHECK(mtr_circuits_init(storage, sizeof storage, chain, circuit, 4, &circuits) == MTR_OK);
    CHECK(mtr_circuits_restore(circuits, chain, saved, len) == MTR_OK);
    CHECK(mtr_circuits_quantities(circuits, 3, &before) == MTR_OK && before.exported == found.exported);
    saved[5] ^= 1;
    CHECK(mtr_circuits_restore(circuits, chain, saved, len) == MTR_ERR_STATE);

    chain = new_chain();
    CHECK(mtr_details3_init(details_storage, sizeof details_storage, chain, &follower) == MTR_OK);
    CHECK(mtr_details3_quantities(follower, &details) == MTR_OK && details.phase[0].voltage_peak_uv == 0);
    CHECK(mtr_details3_process(follower, chain, balanced, RATE, &progress) == MTR_OK && progress.windows >= 4);
    CHECK(mtr_details3_quantities(follower, &details) == MTR_OK);
    for (k = 0; k < 3; k++) {
        CHECK(near((double)details.phase[k].voltage_peak_uv / 1e6, 230 * sqrt(2), 0.1));
        CHECK(near((double)details.phase[k].line_to_line_uv / 1e6, 230 * sqrt(3), 0.02));
        CHECK(near(details.phase[k].current_crest_ppm, sqrt(2) * 1e6, 500));
        CHECK(near((double)details.phase[k].delayed_reactive_uvar / 1e6, 0, 0.2));
    }
    CHECK(near((double)details.neutral_ua, 0, 20000));
    return 0;
}

int main(void)
{
    waves();
    if (smallest_meter() || conditions() || overload() || residual_and_arcs() || power_quality() || flicker() ||
        circuits_and_details())
        return 1;
    printf("all of metrology is right\n");
    return 0;
}
