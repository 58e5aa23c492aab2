/* Reads a water, gas or heat meter by CJ/T 188, on a serial port or through TCP:
 *
 *   cc read_water.c $(pkg-config --cflags --libs --static meterkit) -o read_water
 *   ./read_water serial /dev/ttyUSB0 2400 78330007061326
 *   ./read_water tcp 192.168.1.20 8899 78330007061326
 *
 * Every number comes with the digits and the unit that the meter sent. */
#define _DEFAULT_SOURCE
#include "line.h"

MTR_STORAGE(static, storage, MTR_CJT188_MASTER_SIZE);

/* Asks for one identifier and waits for the end of the question; 0 when there was an answer of the meter. */
static int ask(int line, mtr_cjt188_master *master, mtr_cjt188_address meter, uint16_t id)
{
    uint8_t bytes[256];
    const uint8_t *out;
    mtr_cjt188_event event;
    mtr_result result;
    char name[96], text[64];
    uint64_t at;
    size_t len;

    result = mtr_cjt188_master_read(master, line_now(), MTR_CJT188_ANY, meter, id);
    while (result == MTR_OK) {
        while (mtr_cjt188_master_poll_transmit(master, &out, &len) == MTR_OK)
            if (line_write(line, out, len) != 0)
                return -1;
        if (mtr_cjt188_master_poll_event(master, &event) == MTR_OK)
            break;
        if (mtr_cjt188_master_poll_timeout(master, &at) != MTR_OK)
            at = UINT64_MAX;
        int got = line_read(line, at, bytes, sizeof bytes);
        if (got < 0)
            return -1;
        if (got == 0)
            result = mtr_cjt188_master_handle_timeout(master, line_now());
        else
            result = mtr_cjt188_master_handle_bytes(master, line_now(), bytes, (size_t)got);
    }
    if (result != MTR_OK || mtr_cjt188_name(id, MTR_LANG_EN, name, sizeof name, &len) != MTR_OK) {
        fprintf(stderr, "%s\n", mtr_result_text(result));
        return -1;
    }
    if (event.kind == MTR_CJT188_DATA) {
        mtr_cjt188_quantity number;
        /* Present data hold several numbers: of water the volume now and at the last settlement. */
        uint32_t nth = 0;
        printf("%s of type %02X:", name, event.meter_type);
        while (mtr_cjt188_number(id, event.meter_type, nth++, event.data, event.data_len, &number) == MTR_OK)
            if (mtr_cjt188_quantity_text(&number, text, sizeof text, &len) == MTR_OK)
                printf(" %s", text);
        printf("\n");
        return 0;
    }
    if (event.kind == MTR_CJT188_REFUSED) {
        printf("%s refused\n", name);
        return 0;
    }
    fprintf(stderr, "no answer to %04X after %u tries\n", id, event.tries);
    return -1;
}

int main(int argc, char **argv)
{
    mtr_timing timing;
    mtr_cjt188_address meter;
    mtr_cjt188_master *master;
    int line = -1;

    if (argc != 5 || mtr_abi_version() != MTR_ABI_VERSION) {
        fprintf(stderr, "usage: read_water serial DEVICE BAUD ADDRESS | read_water tcp HOST PORT ADDRESS\n");
        return 2;
    }
    if (strcmp(argv[1], "serial") == 0) {
        unsigned baud = (unsigned)strtoul(argv[3], NULL, 10);
        line = line_serial(argv[2], baud);
        mtr_timing_rs485(baud, &timing);
    } else {
        line = line_connect(argv[2], argv[3]);
        mtr_timing_tcp(&timing);
    }
    if (line < 0) {
        perror(argv[2]);
        return 1;
    }
    if (mtr_cjt188_address_from_digits(argv[4], strlen(argv[4]), &meter) != MTR_OK ||
        mtr_cjt188_master_init(storage, sizeof storage, &timing, MTR_CJT188_LOW_FIRST, &master) != MTR_OK) {
        fprintf(stderr, "%s is no address\n", argv[4]);
        return 2;
    }
    /* Present data, the settlement of the month before, and one that few meters have. */
    int failed = ask(line, master, meter, 0x901F) || ask(line, master, meter, 0xD120) || ask(line, master, meter, 0x8105);
    close(line);
    return failed != 0;
}
