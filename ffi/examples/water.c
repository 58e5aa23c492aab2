/* A prepaid water meter with a valve and its reader, both sides of CJ/T 188 in one program, joined in memory:
 *
 *   cc water.c $(pkg-config --cflags --libs --static meterkit) -o water
 *   ./water
 *
 * The reader asks for the present data, sells a purchase, closes the valve, and is refused what this meter does not have.
 * The same source runs on a Cortex-M under an emulator; read_water.c is the reader on a real line. */
#include "meter.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                             \
    do {                                                             \
        if (!(condition)) {                                          \
            printf("line %d: %s\n", __LINE__, #condition);           \
            return 1;                                                \
        }                                                            \
    } while (0)

MTR_STORAGE(static, master_storage, MTR_CJT188_MASTER_SIZE);
MTR_STORAGE(static, slave_storage, MTR_CJT188_SLAVE_SIZE);

/* What the meter knows. */
struct meter {
    uint32_t volume; /* 0.01 m3 */
    uint32_t bought; /* 0.01 m3 */
    uint8_t purchases;
    uint8_t valve;
};

static mtr_cjt188_status state_of(const struct meter *meter)
{
    mtr_cjt188_status status = {{0, 0}};

    mtr_cjt188_status_write(meter->valve, 0, MTR_CJT188_VALVE_BIT, MTR_CJT188_BATTERY_BIT, &status);
    return status;
}

static void put(mtr_cjt188_value *value, uint32_t mantissa)
{
    mtr_cjt188_quantity *number = &value->number[value->count++];

    number->mantissa = mantissa;
    number->decimals = 2;
    number->has_unit = 1;
    number->unit = 0x2C; /* m3 */
}

static int32_t read_item(void *context, uint16_t id, uint8_t *out, size_t capacity, size_t *len,
                         mtr_cjt188_status *status)
{
    const struct meter *meter = (const struct meter *)context;
    mtr_cjt188_value value;

    memset(&value, 0, sizeof value);
    *status = state_of(meter);
    value.status = *status;
    if (id == 0x901F) {
        value.kind = MTR_CJT188_VOLUME;
        put(&value, meter->volume);
        put(&value, meter->volume - 800);
    } else if (id == 0x8105) {
        value.kind = MTR_CJT188_PURCHASE;
        value.code = meter->purchases;
        put(&value, meter->bought);
        put(&value, meter->bought);
        put(&value, meter->bought - meter->volume);
    } else {
        return 1;
    }
    return mtr_cjt188_encode_value(id, &value, out, capacity, len);
}

static int32_t move_valve(void *context, uint8_t valve, mtr_cjt188_status *status)
{
    struct meter *meter = (struct meter *)context;

    meter->valve = valve == MTR_CJT188_OPEN ? MTR_CJT188_VALVE_OPEN : MTR_CJT188_VALVE_CLOSED;
    *status = state_of(meter);
    return 0;
}

/* Takes purchases in order, each once. */
static int32_t write_item(void *context, uint8_t function, uint16_t id, const uint8_t *data, size_t len, uint8_t *out,
                          size_t capacity, size_t *out_len, mtr_cjt188_status *status)
{
    struct meter *meter = (struct meter *)context;
    mtr_cjt188_value value;

    (void)function, (void)out, (void)capacity;
    if (id != 0xA013)
        return MTR_CJT188_SILENT;
    *status = state_of(meter);
    if (mtr_cjt188_decode(id, MTR_CJT188_COLD_WATER, data, len, &value) != MTR_OK ||
        value.code != (uint8_t)(meter->purchases + 1))
        return 1;
    meter->purchases++;
    meter->bought += value.number[0].mantissa;
    *out_len = 0;
    return 0;
}

/* Lets both sides talk until the question has ended. The meter stands before the reader's eyes: time is a number. */
static mtr_result talk(mtr_cjt188_master *master, mtr_cjt188_slave *slave, const mtr_cjt188_application *application,
                       mtr_cjt188_event *event)
{
    static uint64_t now = 1000;
    const uint8_t *bytes;
    size_t len, used;
    uint64_t at;

    while (mtr_cjt188_master_poll_event(master, event) == MTR_MORE) {
        if (mtr_cjt188_master_poll_transmit(master, &bytes, &len) == MTR_OK) {
            if (mtr_cjt188_slave_handle_bytes(slave, now, bytes, len, application, &used) != MTR_OK || used != len)
                return MTR_ERR_FRAME;
        } else if (mtr_cjt188_slave_poll_transmit(slave, &bytes, &len) == MTR_OK) {
            mtr_cjt188_master_handle_bytes(master, now, bytes, len);
        } else if (mtr_cjt188_slave_poll_timeout(slave, &at) == MTR_OK) {
            now = at;
            mtr_cjt188_slave_handle_timeout(slave, now, application);
        } else if (mtr_cjt188_master_poll_timeout(master, &at) == MTR_OK) {
            now = at;
            mtr_cjt188_master_handle_timeout(master, now);
        }
    }
    return MTR_OK;
}

int main(void)
{
    static const char DIGITS[] = "78330007061326";
    struct meter meter = {6800, 10000, 3, MTR_CJT188_VALVE_OPEN};
    mtr_cjt188_application application;
    mtr_cjt188_master *master;
    mtr_cjt188_slave *slave;
    mtr_cjt188_event event;
    mtr_cjt188_value value;
    mtr_timing timing;
    char text[96];
    size_t len;
    uint8_t valve, battery_low;

    CHECK(mtr_abi_version() == MTR_ABI_VERSION);
    memset(&application, 0, sizeof application);
    application.context = &meter;
    application.meter_type = application.also_hears = MTR_CJT188_COLD_WATER;
    application.read = read_item;
    application.valve = move_valve;
    application.write = write_item;
    CHECK(mtr_cjt188_address_from_digits(DIGITS, strlen(DIGITS), &application.address) == MTR_OK);
    CHECK(mtr_timing_rs485(2400, &timing) == MTR_OK);
    CHECK(mtr_cjt188_master_init(master_storage, sizeof master_storage, &timing, MTR_CJT188_LOW_FIRST, &master) == MTR_OK);
    CHECK(mtr_cjt188_slave_init(slave_storage, sizeof slave_storage, &timing, &slave) == MTR_OK);

    CHECK(mtr_cjt188_master_read(master, 0, MTR_CJT188_COLD_WATER, application.address, 0x901F) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK && event.kind == MTR_CJT188_DATA);
    CHECK(mtr_cjt188_text(event.id, event.meter_type, event.data, event.data_len, text, sizeof text, &len) == MTR_OK);
    printf("present data: %s\n", text);

    memset(&value, 0, sizeof value);
    value.kind = MTR_CJT188_RECHARGE;
    value.code = 4;
    value.number[0].mantissa = 2500;
    value.number[0].decimals = 2;
    CHECK(mtr_cjt188_master_write(master, 0, MTR_CJT188_COLD_WATER, application.address, 0xA013, &value) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK && event.kind == MTR_CJT188_DATA);
    /* The same purchase once more. */
    CHECK(mtr_cjt188_master_write(master, 0, MTR_CJT188_COLD_WATER, application.address, 0xA013, &value) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK);
    printf("purchase 4 %s\n", event.kind == MTR_CJT188_REFUSED ? "counts once" : "counts twice");
    CHECK(mtr_cjt188_master_read(master, 0, MTR_CJT188_COLD_WATER, application.address, 0x8105) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK && event.kind == MTR_CJT188_DATA);
    CHECK(mtr_cjt188_text(event.id, event.meter_type, event.data, event.data_len, text, sizeof text, &len) == MTR_OK);
    printf("account: %s\n", text);

    CHECK(mtr_cjt188_master_valve(master, 0, MTR_CJT188_COLD_WATER, application.address, MTR_CJT188_CLOSE) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK && event.kind == MTR_CJT188_DATA && event.has_status == 1);
    CHECK(mtr_cjt188_status_read(&event.status, MTR_CJT188_VALVE_BIT, MTR_CJT188_BATTERY_BIT, &valve, &battery_low) ==
          MTR_OK);
    printf("valve %s, battery %s\n", valve == MTR_CJT188_VALVE_CLOSED ? "closed" : "open", battery_low ? "low" : "good");

    CHECK(mtr_cjt188_master_read(master, 0, MTR_CJT188_COLD_WATER, application.address, 0xD120) == MTR_OK);
    CHECK(talk(master, slave, &application, &event) == MTR_OK && event.kind == MTR_CJT188_REFUSED);
    CHECK(mtr_cjt188_name(0xD120, MTR_LANG_EN, text, sizeof text, &len) == MTR_OK);
    printf("%s refused\n", text);
    return 0;
}
