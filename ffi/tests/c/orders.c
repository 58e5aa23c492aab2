/* DL/T 645 beyond reads: what goes through a secure element, clearings, freezes, load records, event records. Reader and
 * meter stand in one program; the element of both is a toy. */
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

MTR_STORAGE(static, master_storage, MTR_DLT645_MASTER_SIZE + 512);
MTR_STORAGE(static, slave_storage, MTR_DLT645_SLAVE_SIZE + 512);

struct meter {
    uint8_t authenticated, relay, cleared, output, frozen, opened_level;
    uint8_t written[16];
    size_t written_len;
};

/* Every byte turned round and four bytes of sum: enough to see who calls what. */
static uint32_t sum_of(const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0x645;
    while (len > 0)
        sum = sum * 31 + bytes[--len];
    return sum;
}

static int32_t host_begin(void *context, mtr_dlt645_address meter, uint8_t *request)
{
    (void)context;
    memset(request, meter.digits[5], 24);
    return 0;
}

static int32_t host_protect(void *context, uint8_t level, mtr_dlt645_address meter, uint8_t function, uint32_t id,
                            const uint8_t *plain, size_t len, uint8_t *out, size_t capacity, size_t *out_len)
{
    uint8_t turn = level == MTR_DLT645_CIPHER ? 0x5A : 0;
    uint32_t sum = sum_of(plain, len) + function + id;
    size_t at;

    (void)context, (void)meter;
    if (capacity < len + 4)
        return 1;
    for (at = 0; at < len; at++)
        out[at] = plain[at] ^ turn;
    for (at = 0; at < 4; at++)
        out[len + at] = (uint8_t)(sum >> 8 * at);
    *out_len = len + 4;
    return 0;
}

static int32_t meter_open(void *context, uint8_t level, uint8_t function, uint32_t id, const uint8_t *bytes, size_t len,
                          uint8_t *out, size_t capacity, size_t *out_len)
{
    struct meter *meter = (struct meter *)context;
    uint8_t turn = level == MTR_DLT645_CIPHER ? 0x5A : 0;
    uint32_t sum = 0;
    size_t at;

    if (!meter->authenticated || len < 4 || capacity < len - 4)
        return 1;
    for (at = 0; at < len - 4; at++)
        out[at] = bytes[at] ^ turn;
    for (at = 0; at < 4; at++)
        sum |= (uint32_t)bytes[len - 4 + at] << 8 * at;
    *out_len = len - 4;
    meter->opened_level = level;
    return sum == sum_of(out, len - 4) + function + id ? 0 : 1;
}

static uint16_t meter_security(void *context, uint32_t id, uint32_t operator_code, const uint8_t *data, size_t len,
                               uint8_t *out, size_t capacity, size_t *out_len)
{
    struct meter *meter = (struct meter *)context;

    (void)operator_code, (void)data;
    if (id != 0x070000FF || len != 24 || capacity < 12)
        return 1;
    meter->authenticated = 1;
    memset(out, 7, 12);
    *out_len = 12;
    return 0;
}

static uint8_t meter_write(void *context, uint32_t id, const mtr_dlt645_authority *authority, const uint8_t *data,
                           size_t len)
{
    struct meter *meter = (struct meter *)context;

    if (id != 0x04000403 || authority->level != meter->opened_level || len > sizeof meter->written)
        return MTR_DLT645_ERR_NOT_AUTHORISED;
    memcpy(meter->written, data, len);
    meter->written_len = len;
    return 0;
}

static uint8_t meter_control(void *context, const mtr_dlt645_authority *authority, const mtr_dlt645_control *control)
{
    struct meter *meter = (struct meter *)context;

    (void)authority;
    meter->relay = control->order;
    return 0;
}

static int32_t meter_other(void *context, uint8_t function, const uint8_t *data, size_t len, uint8_t *out,
                           size_t capacity, size_t *out_len)
{
    struct meter *meter = (struct meter *)context;

    *out_len = 0;
    switch (function) {
    case 0x16:
        meter->frozen = len == 4;
        return 0;
    case 0x19:
    case 0x1A:
    case 0x1B:
        meter->cleared = function;
        return 0;
    case 0x1D:
        if (len != 1 || capacity < 1)
            return MTR_DLT645_ERR_OTHER;
        out[0] = meter->output = data[0];
        *out_len = 1;
        return 0;
    default:
        return MTR_DLT645_SILENT;
    }
}

/* A daily freeze as a whole, one block of the load record, and the record of a power-down. */
static uint8_t meter_read(void *context, uint32_t id, const uint8_t *rest, size_t rest_len, uint8_t *out, size_t capacity,
                          size_t *len)
{
    static const uint8_t DOWN[12] = {0x09, 0x08, 0x07, 0x06, 0x05, 0x24, 0x00, 0x20, 0x07, 0x06, 0x05, 0x24};
    static const uint8_t TIME[5] = {0x00, 0x00, 0x21, 0x11, 0x26};
    static const uint8_t ENERGY[4] = {0x78, 0x56, 0x34, 0x12};
    mtr_dlt645_load_block block;
    size_t part, written;

    (void)context, (void)rest, (void)rest_len;
    *len = 0;
    if (id == 0x03110001) {
        memcpy(out, DOWN, sizeof DOWN);
        *len = sizeof DOWN;
        return 0;
    }
    if (id == 0x0506FF01) {
        for (part = 0; part < 12; part++) {
            const uint8_t *bytes = part == 0 ? TIME : ENERGY;
            size_t bytes_len = part == 0 ? sizeof TIME : part == 1 ? sizeof ENERGY : 0;
            if (mtr_dlt645_freeze_part_write(bytes, bytes_len, out + *len, capacity - *len, &written) != MTR_OK)
                return MTR_DLT645_ERR_OTHER;
            *len += written;
        }
        return 0;
    }
    if (id == 0x06000001) {
        memset(&block, 0, sizeof block);
        block.at.year = 26;
        block.at.month = 11;
        block.at.day = 21;
        block.at.hour = 15;
        /* Voltages 230.1 V, currents 5.000 A, 50.00 Hz. */
        block.lengths[0] = 17;
        memcpy(block.data, "\x01\x23\x01\x23\x01\x23\x00\x50\x00\x00\x50\x00\x00\x50\x00\x00\x50", 17);
        return mtr_dlt645_load_block_write(&block, out, capacity, len) == MTR_OK ? 0 : MTR_DLT645_ERR_OTHER;
    }
    return MTR_DLT645_ERR_NO_DATA;
}

static mtr_dlt645_master *master;
static mtr_dlt645_slave *slave;
static mtr_dlt645_application application;
static mtr_dlt645_event event;

static mtr_result talk(mtr_result asked)
{
    static uint64_t now = 1000;
    const uint8_t *bytes;
    size_t len, used;
    uint64_t at;

    if (asked != MTR_OK)
        return asked;
    while (mtr_dlt645_master_poll_event(master, &event) == MTR_MORE) {
        if (mtr_dlt645_master_poll_transmit(master, &bytes, &len) == MTR_OK) {
            if (mtr_dlt645_slave_handle_bytes(slave, now, bytes, len, &application, &used) != MTR_OK || used != len)
                return MTR_ERR_FRAME;
        } else if (mtr_dlt645_slave_poll_transmit(slave, &bytes, &len) == MTR_OK) {
            mtr_dlt645_master_handle_bytes(master, now, bytes, len);
        } else if (mtr_dlt645_slave_poll_timeout(slave, &at) == MTR_OK) {
            now = at;
            mtr_dlt645_slave_handle_timeout(slave, now, &application);
        } else if (mtr_dlt645_master_poll_timeout(master, &at) == MTR_OK) {
            now = at;
            mtr_dlt645_master_handle_timeout(master, now);
        }
    }
    return MTR_OK;
}

static int values(mtr_dlt645_address address)
{
    mtr_dlt645_place place;
    mtr_number number;
    mtr_stamp stamp;
    char name[96], text[96];
    size_t len;

    memset(&place, 0, sizeof place);
    place.id = 0x03110001;
    CHECK(talk(mtr_dlt645_master_read(master, 0, address, place.id)) == MTR_OK && event.kind == MTR_DLT645_DATA);
    while (mtr_dlt645_part_text(&place, event.data, event.data_len, text, sizeof text, &len) == MTR_OK) {
        CHECK(mtr_dlt645_part_name(&place, MTR_LANG_EN, event.data, event.data_len, name, sizeof name, &len) == MTR_OK);
        printf("%s %s\n", name, text);
        place.field++;
    }
    CHECK(place.field == 2);

    memset(&place, 0, sizeof place);
    place.id = 0x0506FF01;
    CHECK(talk(mtr_dlt645_master_read(master, 0, address, place.id)) == MTR_OK && event.kind == MTR_DLT645_DATA);
    CHECK(mtr_dlt645_part_stamp(&place, event.data, event.data_len, &stamp) == MTR_OK);
    place.part = 1;
    CHECK(mtr_dlt645_part_number(&place, event.data, event.data_len, &number) == MTR_OK);
    printf("freeze of 20%02u-%02u-%02u: %ld\n", stamp.year, stamp.month, stamp.day, (long)number.mantissa);
    place.part = 2;
    CHECK(mtr_dlt645_part_number(&place, event.data, event.data_len, &number) == MTR_ERR_VALUE);
    place.part = 12;
    CHECK(mtr_dlt645_part_number(&place, event.data, event.data_len, &number) == MTR_MORE);

    memset(&place, 0, sizeof place);
    place.id = 0x06000001;
    CHECK(talk(mtr_dlt645_master_read(master, 0, address, place.id)) == MTR_OK && event.kind == MTR_DLT645_DATA);
    CHECK(mtr_dlt645_part_text(&place, event.data, event.data_len, text, sizeof text, &len) == MTR_OK);
    printf("load of %s:", text);
    place.class_number = 1;
    while (mtr_dlt645_part_text(&place, event.data, event.data_len, text, sizeof text, &len) == MTR_OK) {
        printf(" %s", text);
        place.field++;
    }
    printf("\n");
    CHECK(place.field == 7);
    CHECK(mtr_dlt645_bit_name(0x04000503, 4, MTR_LANG_EN, text, sizeof text, &len) == MTR_OK);
    printf("bit 4 of status word 3: %s\n", text);
    return 0;
}

int main(void)
{
    static const char DIGITS[] = "202106000123";
    static const uint8_t NAME[6] = {1, 2, 3, 4, 5, 6};
    struct meter meter;
    mtr_dlt645_host_element element = {NULL, host_begin, host_protect};
    mtr_dlt645_control control;
    mtr_dlt645_authority authority = {0x123456, 1, 2};
    mtr_timing timing;

    memset(&meter, 0, sizeof meter);
    memset(&application, 0, sizeof application);
    application.context = &meter;
    application.read = meter_read;
    application.write = meter_write;
    application.control = meter_control;
    application.security = meter_security;
    application.other = meter_other;
    application.open = meter_open;
    CHECK(mtr_dlt645_address_from_digits(DIGITS, strlen(DIGITS), &application.address) == MTR_OK);
    CHECK(mtr_timing_rs485(2400, &timing) == MTR_OK);
    CHECK(mtr_dlt645_master_init(master_storage, sizeof master_storage, &timing, &master) == MTR_OK);
    CHECK(mtr_dlt645_slave_init(slave_storage, sizeof slave_storage, &timing, &slave) == MTR_OK);

    /* Before the authentication the element refuses. */
    CHECK(talk(mtr_dlt645_master_write_protected(master, 0, application.address, 0x04000403, MTR_DLT645_MAC, 1, NAME, 6,
                                                 &element)) == MTR_OK && event.kind == MTR_DLT645_REFUSED);
    CHECK(talk(mtr_dlt645_master_authenticate(master, 0, application.address, 1, &element)) == MTR_OK &&
          event.kind == MTR_DLT645_SECURITY && event.data_len == 12);
    CHECK(talk(mtr_dlt645_master_write_protected(master, 0, application.address, 0x04000403, MTR_DLT645_MAC, 1, NAME, 6,
                                                 &element)) == MTR_OK && event.kind == MTR_DLT645_DONE);
    CHECK(meter.opened_level == MTR_DLT645_MAC && meter.written_len == 6 && memcmp(meter.written, NAME, 6) == 0);
    CHECK(talk(mtr_dlt645_master_write_protected(master, 0, application.address, 0x04000403, MTR_DLT645_CIPHER, 1, NAME,
                                                 5, &element)) == MTR_OK && event.kind == MTR_DLT645_DONE);
    CHECK(meter.opened_level == MTR_DLT645_CIPHER && meter.written_len == 5);
    CHECK(mtr_dlt645_master_write_protected(master, 0, application.address, 0x04000403, 2, 1, NAME, 6, &element) ==
          MTR_ERR_PARAMETER);
    memset(&control, 0, sizeof control);
    control.order = 0x1A;
    CHECK(talk(mtr_dlt645_master_order_protected(master, 0, application.address, 0x1C, &control, 0, 1, &element)) ==
              MTR_OK && event.kind == MTR_DLT645_DONE && meter.relay == 0x1A);
    element.protect = NULL;
    CHECK(mtr_dlt645_master_order_protected(master, 0, application.address, 0x1C, &control, 0, 1, &element) ==
          MTR_ERR_CALLBACK);
    printf("protected requests are opened by the meter\n");

    CHECK(talk(mtr_dlt645_master_freeze(master, 0, application.address, 99, 99, 99, 99)) == MTR_OK &&
          event.kind == MTR_DLT645_DONE && meter.frozen == 1);
    CHECK(talk(mtr_dlt645_master_clear_demand(master, 0, application.address, &authority)) == MTR_OK &&
          event.kind == MTR_DLT645_DONE && meter.cleared == 0x19);
    CHECK(talk(mtr_dlt645_master_clear_events(master, 0, application.address, 0x03300DFF, &authority)) == MTR_OK &&
          event.kind == MTR_DLT645_DONE && meter.cleared == 0x1B);
    CHECK(talk(mtr_dlt645_master_clear_meter(master, 0, application.address, &authority)) == MTR_OK &&
          event.kind == MTR_DLT645_DONE && meter.cleared == 0x1A);
    CHECK(talk(mtr_dlt645_master_output(master, 0, application.address, 2)) == MTR_OK && event.kind == MTR_DLT645_DONE &&
          meter.output == 2);
    printf("freezes, clearings and outputs are asked for\n");
    return values(application.address);
}
