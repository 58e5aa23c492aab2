/* Decodes a DL/T 645 frame out of a noisy stream, encodes it back, and meters one second of a
 * 230 V, 5 A sine in phase: prints what it found and ends with 0 when all of it is right. */
#include "meter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            return 1;                                                           \
        }                                                                       \
    } while (0)

MTR_STORAGE(static, decoder_storage, MTR_DLT645_DECODER_SIZE);
MTR_STORAGE(static, chain_storage, MTR_METROLOGY1_SIZE);

/* Forward active energy, total = 123456.78 kWh, with noise and a preamble in front. */
static const uint8_t LINE[] = {0x00, 0x68, 0x11, 0xFE, 0xFE, 0x68, 0x23, 0x01, 0x00, 0x06, 0x21, 0x20, 0x68,
                               0x91, 0x08, 0x33, 0x33, 0x34, 0x33, 0xAB, 0x89, 0x67, 0x45, 0x81, 0x16};

static int frames(void)
{
    mtr_dlt645_decoder *decoder = NULL;
    mtr_dlt645_frame frame;
    mtr_dlt645_refusals refusals;
    uint8_t out[64];
    size_t len = 0, found = 0, at;
    mtr_number energy;

    CHECK(mtr_dlt645_decoder_init(NULL, sizeof decoder_storage, &decoder) == MTR_ERR_NULL);
    CHECK(mtr_dlt645_decoder_init(decoder_storage, 8, &decoder) == MTR_ERR_LENGTH);
    CHECK(mtr_dlt645_decoder_init(decoder_storage + 1, sizeof decoder_storage - 1, &decoder) != MTR_OK);
    CHECK(mtr_dlt645_decoder_init(decoder_storage, sizeof decoder_storage, NULL) == MTR_ERR_NULL);
    CHECK(mtr_dlt645_decoder_init(decoder_storage, sizeof decoder_storage, &decoder) == MTR_OK);

    /* Byte by byte, as a UART gives them. */
    for (at = 0; at < sizeof LINE; at++) {
        size_t used = 0;
        mtr_result result = mtr_dlt645_decoder_push(decoder, LINE + at, 1, &used, &frame);
        CHECK(result == MTR_OK || result == MTR_MORE);
        CHECK(used == 1);
        if (result == MTR_OK)
            found++;
    }
    CHECK(found == 1);
    CHECK(memcmp(frame.address.digits, "\x20\x21\x06\x00\x01\x23", 6) == 0);
    CHECK(frame.control == 0x91 && frame.length == 8);
    CHECK(memcmp(frame.data, "\x00\x00\x01\x00\x78\x56\x34\x12", 8) == 0);
    CHECK(mtr_dlt645_decoder_refusals(decoder, &refusals) == MTR_OK);
    CHECK(refusals.noise > 0 && refusals.checksum == 0);

    CHECK(mtr_dlt645_encode(&frame, out, 19, &len) == MTR_ERR_LENGTH);
    CHECK(mtr_dlt645_encode(&frame, out, sizeof out, &len) == MTR_OK);
    CHECK(len == 20 && memcmp(out, LINE + 5, len) == 0);
    CHECK(mtr_dlt645_number(0x00010000, 0, frame.data + 4, 3, &energy) == MTR_ERR_VALUE);
    CHECK(mtr_dlt645_number(0x7F7F7F7F, 0, frame.data + 4, 4, &energy) == MTR_ERR_IDENTIFIER);
    CHECK(mtr_dlt645_number(0x00010000, 0, frame.data + 4, 4, &energy) == MTR_OK);
    CHECK(energy.mantissa == 12345678 && energy.decimals == 2);
    printf("frame of %02X%02X%02X%02X%02X%02X: %d.%02d kWh\n", frame.address.digits[0], frame.address.digits[1], frame.address.digits[2],
           frame.address.digits[3], frame.address.digits[4], frame.address.digits[5], (int)(energy.mantissa / 100),
           (int)(energy.mantissa % 100));
    return 0;
}

static int window(void)
{
    static mtr_sample1 samples[8000];
    const double tau = 6.283185307179586476925;
    mtr_metrology_parameters parameters;
    mtr_metrology1 *chain = NULL;
    mtr_quantities quantities;
    mtr_registers registers;
    mtr_progress progress;
    size_t at;

    CHECK(mtr_metrology_defaults(8000000, 50000, &parameters) == MTR_OK);
    parameters.phase[0].voltage_gain = 0;
    CHECK(mtr_metrology1_init(chain_storage, sizeof chain_storage, &parameters, &chain) == MTR_ERR_PARAMETER);
    CHECK(mtr_metrology_defaults(8000000, 50000, &parameters) == MTR_OK);
    CHECK(mtr_metrology1_init(chain_storage, sizeof chain_storage, &parameters, &chain) == MTR_OK);
    CHECK(mtr_metrology1_quantities(chain, &quantities) == MTR_MORE);
    for (at = 0; at < 8000; at++) {
        double sine = sqrt(2) * sin(tau * 50 * (double)at / 8000);
        samples[at].u[0] = (int32_t)lround(230.0 / 60e-6 * sine);
        samples[at].i[0] = (int32_t)lround(5.0 / 24e-6 * sine);
    }
    /* Four seconds: the sine has whole cycles in each. */
    for (at = 0; at < 4; at++) {
        CHECK(mtr_metrology1_process(chain, samples, 8000, &progress) == MTR_OK);
        CHECK(progress.windows >= 4);
    }
    CHECK(mtr_metrology1_quantities(chain, &quantities) == MTR_OK);
    printf("%.4f V, %.5f A, %.3f W, %.4f Hz\n", quantities.phase[0].voltage_uv / 1e6, quantities.phase[0].current_ua / 1e6,
           quantities.active_uw / 1e6, quantities.frequency_uhz / 1e6);
    CHECK(fabs(quantities.phase[0].voltage_uv / 1e6 - 230) < 0.023);
    CHECK(fabs(quantities.phase[0].current_ua / 1e6 - 5) < 0.0005);
    CHECK(fabs(quantities.active_uw / 1e6 - 1150) < 0.115);
    CHECK(fabs(quantities.frequency_uhz / 1e6 - 50) < 0.001);
    CHECK(mtr_metrology1_registers(chain, &registers) == MTR_OK);
    /* 1150 W for four seconds is 1.278 Wh, the last window (at most 0.064 Wh) still open. */
    CHECK(registers.imported == 12 && registers.exported == 0);
    return 0;
}

int main(void)
{
    CHECK(mtr_abi_version() == MTR_ABI_VERSION);
    CHECK(strcmp(mtr_result_text(MTR_OK), "done") == 0);
    CHECK(mtr_result_text(12345) != NULL);
    return frames() || window();
}
