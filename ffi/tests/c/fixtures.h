/* Live objects and callbacks for the generated programs: one maker for each opaque type of the header, and one for each
 * structure with callbacks. A type without a maker does not compile. */
#include "meter.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Storage with its own buffer behind the object. */
#define MAKE(type, SIZE, behind, ...)                                       \
    MTR_STORAGE(static, storage, (SIZE) + (behind));                        \
    type *made = NULL;                                                      \
    mtr_result result = type##_init(storage, sizeof storage, __VA_ARGS__);  \
    assert(result == MTR_OK);                                               \
    (void)result;                                                           \
    return made

static inline mtr_dlt645_decoder *fixture_mtr_dlt645_decoder(void)
{
    MAKE(mtr_dlt645_decoder, MTR_DLT645_DECODER_SIZE, 0, &made);
}

static inline mtr_dlt645_master *fixture_mtr_dlt645_master(void)
{
    mtr_timing timing;
    mtr_timing_rs485(2400, &timing);
    MAKE(mtr_dlt645_master, MTR_DLT645_MASTER_SIZE, 256, &timing, &made);
}

static inline mtr_dlt645_slave *fixture_mtr_dlt645_slave(void)
{
    mtr_timing timing;
    mtr_timing_rs485(2400, &timing);
    MAKE(mtr_dlt645_slave, MTR_DLT645_SLAVE_SIZE, 256, &timing, &made);
}

static inline uint8_t answer_zero(void *context, uint32_t id, const uint8_t *rest, size_t rest_len, uint8_t *out,
                                  size_t capacity, size_t *len)
{
    (void)context, (void)id, (void)rest, (void)rest_len;
    *len = capacity < 4 ? capacity : 4;
    memset(out, 0, *len);
    return 0;
}

static inline const mtr_dlt645_application *given_mtr_dlt645_application(void)
{
    static mtr_dlt645_application application;
    application.read = answer_zero;
    return &application;
}

static inline mtr_metrology_parameters usual_constants(void)
{
    mtr_metrology_parameters parameters;
    mtr_metrology_defaults(8000000, 50000, &parameters);
    return parameters;
}

static inline mtr_metrology1 *fixture_mtr_metrology1(void)
{
    mtr_metrology_parameters parameters = usual_constants();
    MAKE(mtr_metrology1, MTR_METROLOGY1_SIZE, 0, &parameters, &made);
}

static inline mtr_metrology3 *fixture_mtr_metrology3(void)
{
    mtr_metrology_parameters parameters = usual_constants();
    MAKE(mtr_metrology3, MTR_METROLOGY3_SIZE, 0, &parameters, &made);
}

static inline mtr_pulse *fixture_mtr_pulse(void)
{
    MAKE(mtr_pulse, MTR_PULSE_SIZE, 0, 8000000, 30000, &made);
}

static inline mtr_quality3 *fixture_mtr_quality3(void)
{
    mtr_quality_setup setup = {8000000, 50000, 3833333u << 8, 0, 0, 0, 0, 7};
    MAKE(mtr_quality3, MTR_QUALITY3_SIZE, 0, &setup, &made);
}
