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

static inline int32_t element_begin(void *context, mtr_dlt645_address meter, uint8_t *request)
{
    (void)context;
    memset(request, meter.digits[0], 24);
    return 0;
}

static inline int32_t element_protect(void *context, uint8_t level, mtr_dlt645_address meter, uint8_t function,
                                      uint32_t id, const uint8_t *plain, size_t len, uint8_t *out, size_t capacity,
                                      size_t *out_len)
{
    (void)context, (void)level, (void)meter, (void)function, (void)id;
    if (capacity < len + 4)
        return -1;
    memcpy(out, plain, len);
    memset(out + len, 0, 4);
    *out_len = len + 4;
    return 0;
}

static inline const mtr_dlt645_host_element *given_mtr_dlt645_host_element(void)
{
    static mtr_dlt645_host_element element;
    element.begin = element_begin;
    element.protect = element_protect;
    return &element;
}

static inline mtr_cjt188_decoder *fixture_mtr_cjt188_decoder(void)
{
    MAKE(mtr_cjt188_decoder, MTR_CJT188_DECODER_SIZE, 0, &made);
}

static inline mtr_cjt188_master *fixture_mtr_cjt188_master(void)
{
    mtr_timing timing;
    mtr_timing_rs485(2400, &timing);
    MAKE(mtr_cjt188_master, MTR_CJT188_MASTER_SIZE, 0, &timing, MTR_CJT188_LOW_FIRST, &made);
}

static inline mtr_cjt188_slave *fixture_mtr_cjt188_slave(void)
{
    mtr_timing timing;
    mtr_timing_rs485(2400, &timing);
    MAKE(mtr_cjt188_slave, MTR_CJT188_SLAVE_SIZE, 0, &timing, &made);
}

static inline int32_t answer_present(void *context, uint16_t id, uint8_t *out, size_t capacity, size_t *len,
                                     mtr_cjt188_status *status)
{
    static mtr_cjt188_value value;

    (void)context, (void)status;
    value.kind = MTR_CJT188_DAY;
    value.code = 25;
    return mtr_cjt188_encode_value(id, &value, out, capacity, len);
}

static inline const mtr_cjt188_application *given_mtr_cjt188_application(void)
{
    static mtr_cjt188_application application;
    application.read = answer_present;
    return &application;
}

/* Flash in memory; every kind of object that wants some has its own. */
struct fixture_flash {
    uint8_t bytes[32 * MTR_FLASH_PAGE];
};

static inline int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    memcpy(bytes, ((struct fixture_flash *)context)->bytes + offset, len);
    return 0;
}

static inline int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    uint8_t *place = ((struct fixture_flash *)context)->bytes + offset;
    size_t at;

    /* As flash does: ones become zeros only. */
    for (at = 0; at < len; at++)
        place[at] &= bytes[at];
    return 0;
}

static inline int32_t flash_erase(void *context, uint32_t offset)
{
    memset(((struct fixture_flash *)context)->bytes + offset, 0xFF, MTR_FLASH_PAGE);
    return 0;
}

static inline mtr_flash flash_in_memory(struct fixture_flash *memory)
{
    mtr_flash flash = {memory, flash_read, flash_write, flash_erase, MTR_FLASH_PAGE, 32};
    memset(memory->bytes, 0xFF, sizeof memory->bytes);
    return flash;
}

static inline const mtr_flash *given_mtr_flash(void)
{
    static struct fixture_flash memory;
    static mtr_flash flash;
    flash = flash_in_memory(&memory);
    return &flash;
}

static inline mtr_outbox *fixture_mtr_outbox(void)
{
    static struct fixture_flash memory;
    mtr_flash flash = flash_in_memory(&memory);
    mtr_outbox_setup setup;
    mtr_outbox_defaults(7, 32, &setup);
    MAKE(mtr_outbox, MTR_OUTBOX_SIZE, 0, &flash, &setup, &made);
}

static inline mtr_link *fixture_mtr_link(void)
{
    MAKE(mtr_link, MTR_LINK_SIZE, 0, 50, &made);
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

static inline mtr_energy_constants energy_constants(uint32_t phases)
{
    mtr_metrology_parameters parameters = usual_constants();
    mtr_energy_constants constants;
    mtr_energy_work_out(&parameters, phases, &constants);
    return constants;
}

static inline mtr_energy1 *fixture_mtr_energy1(void)
{
    mtr_energy_constants constants = energy_constants(1);
    MAKE(mtr_energy1, MTR_ENERGY1_SIZE, 0, &constants, NULL, &made);
}

static inline mtr_energy3 *fixture_mtr_energy3(void)
{
    mtr_energy_constants constants = energy_constants(3);
    MAKE(mtr_energy3, MTR_ENERGY3_SIZE, 0, &constants, NULL, &made);
}

static inline mtr_harmonics *fixture_mtr_harmonics(void)
{
    MAKE(mtr_harmonics, MTR_HARMONICS_SIZE, 0, 8000000, 50000, &made);
}

static inline mtr_flicker *fixture_mtr_flicker(void)
{
    MAKE(mtr_flicker, MTR_FLICKER_SIZE, 0, 8000000, MTR_LAMP_230V_50HZ, &made);
}

static inline mtr_rapid_changes *fixture_mtr_rapid_changes(void)
{
    MAKE(mtr_rapid_changes, MTR_RAPID_CHANGES_SIZE, 0, 50000, 19166667, 9583333, 7, &made);
}

static inline mtr_circuits *fixture_mtr_circuits(void)
{
    mtr_circuit circuit = {usual_constants().phase[0], 1};
    MAKE(mtr_circuits, MTR_CIRCUITS_SIZE, 0, fixture_mtr_metrology3(), &circuit, 1, &made);
}

static inline mtr_details3 *fixture_mtr_details3(void)
{
    MAKE(mtr_details3, MTR_DETAILS3_SIZE, 0, fixture_mtr_metrology3(), &made);
}

static inline mtr_monitor *fixture_mtr_monitor(void)
{
    mtr_limits limits;
    mtr_limits_dlt614(220000000, 5000000, 60000000, &limits);
    MAKE(mtr_monitor, MTR_MONITOR_SIZE, 0, &limits, 3, 0, &made);
}

static inline mtr_thermal *fixture_mtr_thermal(void)
{
    mtr_thermal_limits limits;
    mtr_thermal_defaults(&limits);
    MAKE(mtr_thermal, MTR_THERMAL_SIZE, 0, &limits, NULL, 0, 0, &made);
}

static inline mtr_cable *fixture_mtr_cable(void)
{
    mtr_cable_limits limits;
    mtr_cable_defaults(&limits);
    MAKE(mtr_cable, MTR_CABLE_SIZE, 0, &limits, &made);
}

static inline mtr_residual *fixture_mtr_residual(void)
{
    mtr_threshold threshold = {20000, 30000, 2000, 0};
    MAKE(mtr_residual, MTR_RESIDUAL_SIZE, 0, 1000, &threshold, &made);
}

static inline mtr_arc *fixture_mtr_arc(void)
{
    mtr_arc_limits limits;
    mtr_arc_defaults(75000, &limits);
    MAKE(mtr_arc, MTR_ARC_SIZE, 0, &limits, &made);
}

/* A unit of a chip: not AES, but it shows that the callbacks are used rightly, and it fails now and then. */
static uint8_t unit_keys[8][16];
static unsigned unit_next;

static inline int32_t unit_load(void *context, const uint8_t *secret, uint32_t *slot)
{
    (void)context;
    *slot = unit_next++ % 8;
    memcpy(unit_keys[*slot], secret, 16);
    return 0;
}

static inline int32_t unit_encrypt(void *context, uint32_t slot, uint8_t *blocks, size_t count)
{
    size_t at;

    (void)context;
    if (slot >= 8)
        return -1;
    for (at = 0; at < count * 16; at++)
        blocks[at] = (uint8_t)((blocks[at] ^ unit_keys[slot][at % 16]) * 5 + 1);
    return 0;
}

static inline int32_t unit_decrypt(void *context, uint32_t slot, uint8_t *block)
{
    (void)context, (void)slot, (void)block;
    return -1;
}

static inline const mtr_engine *given_mtr_engine(void)
{
    static mtr_engine engine;
    engine.load = unit_load;
    engine.encrypt = unit_encrypt;
    engine.decrypt = unit_decrypt;
    return &engine;
}

static uint8_t stored_bytes[1024];

static inline int32_t store_write(void *context, const uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(stored_bytes, bytes, len < sizeof stored_bytes ? len : sizeof stored_bytes);
    return 0;
}

static inline const mtr_store *given_mtr_store(void)
{
    static mtr_store store;
    store.write = store_write;
    return &store;
}

static inline mtr_key *key_for(uint8_t purpose)
{
    static const uint8_t secret[MTR_SECRET_LEN] = {7};
    mtr_key_id id = {{0x20, 0x26, 0x11, 0, 0, 1}, 0};
    MAKE(mtr_key, MTR_KEY_SIZE, 0, secret, sizeof secret, id, purpose, 1, NULL, &made);
}

static inline mtr_key *fixture_mtr_key(void)
{
    return key_for(MTR_PURPOSE_AUTH);
}

static inline mtr_sealer *fixture_mtr_sealer(void)
{
    MAKE(mtr_sealer, MTR_SEALER_SIZE, 0, key_for(MTR_PURPOSE_DATA), MTR_FROM_DEVICE, MTR_SUITE_CCM16, 64, 64, &made);
}

static inline mtr_opener *fixture_mtr_opener(void)
{
    MAKE(mtr_opener, MTR_OPENER_SIZE, 0, key_for(MTR_PURPOSE_DATA), MTR_FROM_DEVICE, MTR_SUITE_CCM16, NULL, 0, &made);
}

static inline mtr_gate *fixture_mtr_gate(void)
{
    MAKE(mtr_gate, MTR_GATE_SIZE, 0, key_for(MTR_PURPOSE_LCTRL), MTR_SUITE_CCM16, NULL, 0, &made);
}

static inline mtr_slot *fixture_mtr_slot(void)
{
    static const uint8_t secret[MTR_SECRET_LEN] = {8};
    MTR_STORAGE(static, storage, MTR_SLOT_SIZE);
    mtr_key_id id = {{0x20, 0x26, 0x11, 0, 0, 1}, 0};
    mtr_slot *made = NULL;
    mtr_result result = mtr_slot_init(storage, sizeof storage, id, MTR_PURPOSE_DATA, &made);
    assert(result == MTR_OK);
    result = mtr_slot_provision(made, key_for(MTR_PURPOSE_MASTER), secret, sizeof secret, 1, given_mtr_store());
    assert(result == MTR_OK);
    (void)result;
    return made;
}

static inline int32_t source_byte(void *context, uint8_t *byte)
{
    static uint32_t state = 1;
    (void)context;
    state = state * 1664525u + 1013904223u;
    *byte = (uint8_t)(state >> 24);
    return 0;
}

static inline const mtr_random_source *given_mtr_random_source(void)
{
    static mtr_random_source source;
    source.byte = source_byte;
    return &source;
}

static inline mtr_health *fixture_mtr_health(void)
{
    MAKE(mtr_health, MTR_HEALTH_SIZE, 0, 4, &made);
}

/* A manifest of three chunks of 256 bytes for the management core of hardware 0x0101; nobody signed it. */
static inline const uint8_t *manifest_of_three(void)
{
    static uint8_t manifest[MTR_MANIFEST_LEN] = {'M', 'F', 'W', '1', 0, MTR_MANIFEST_LEN, 1, 1, MTR_CORE_MANAGEMENT, 0, 1, 1};
    manifest[26] = 2;
    manifest[27] = 9;
    manifest[28] = 1;
    return manifest;
}

static inline mtr_admission usual_admission(void)
{
    mtr_admission admission;
    memset(&admission, 0, sizeof admission);
    admission.core = MTR_CORE_MANAGEMENT;
    admission.hardware = 0x0101;
    admission.slot_len = 4096;
    return admission;
}

static inline mtr_chunks *fixture_mtr_chunks(void)
{
    MAKE(mtr_chunks, MTR_CHUNKS_SIZE, 64, manifest_of_three(), MTR_MANIFEST_LEN, NULL, 0, &made);
}

static inline mtr_boot *fixture_mtr_boot(void)
{
    mtr_admission admission = usual_admission();
    mtr_public_key key = {{1}};
    MAKE(mtr_boot, MTR_BOOT_SIZE, 0, &admission, &key, 1, MTR_SLOT_A, NULL, 0, NULL, 0, &made);
}

static inline int32_t slots_manifest(void *context, uint32_t slot, uint8_t *out, size_t len)
{
    (void)context, (void)slot;
    memset(out, 0, len);
    memcpy(out, manifest_of_three(), MTR_MANIFEST_LEN);
    return 0;
}

static inline int32_t slots_read(void *context, uint32_t slot, uint32_t offset, uint8_t *out, size_t len)
{
    (void)context, (void)slot, (void)offset;
    memset(out, 0, len);
    return 0;
}

static inline int32_t slots_write(void *context, uint32_t copy, const uint8_t *bytes, size_t len)
{
    (void)context, (void)copy;
    memcpy(stored_bytes, bytes, len < sizeof stored_bytes ? len : sizeof stored_bytes);
    return 0;
}

static inline const mtr_flash_slots *given_mtr_flash_slots(void)
{
    static mtr_flash_slots slots;
    slots.manifest = slots_manifest;
    slots.read = slots_read;
    slots.write = slots_write;
    return &slots;
}

static uint8_t first_message[MTR_HANDSHAKE_MAX];
static size_t first_len;

static inline mtr_host *fixture_mtr_host(void)
{
    static const uint8_t random[MTR_RANDOM_LEN] = {1};
    MAKE(mtr_host, MTR_HOST_SIZE, 0, key_for(MTR_PURPOSE_AUTH), MTR_SUITE_CCM16, random, sizeof random, first_message,
         sizeof first_message, &first_len, &made);
}

static inline mtr_responder *fixture_mtr_responder(void)
{
    MAKE(mtr_responder, MTR_RESPONDER_SIZE, 0, &made);
}

static inline mtr_session *fixture_mtr_session(void)
{
    static const uint8_t random[MTR_RANDOM_LEN] = {2};
    MTR_STORAGE(static, storage, MTR_SESSION_SIZE);
    mtr_host *host = fixture_mtr_host();
    mtr_responder *responder = fixture_mtr_responder();
    mtr_key *key = key_for(MTR_PURPOSE_AUTH);
    uint8_t second[MTR_HANDSHAKE_MAX], third[MTR_HANDSHAKE_MAX];
    size_t second_len = 0, third_len = 0;
    mtr_session *made = NULL;
    mtr_result result = mtr_responder_answer(responder, key, first_message, first_len, random, sizeof random, 100,
                                             second, sizeof second, &second_len);
    assert(result == MTR_OK);
    result = mtr_host_receive(host, key, second, second_len, 100, third, sizeof third, &third_len, storage,
                              sizeof storage, &made);
    assert(result == MTR_OK);
    (void)result;
    return made;
}

#include "fixtures_tariff.h"
