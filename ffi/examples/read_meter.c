/* Reads energy and voltage of a DL/T 645-2007 meter, on a serial port or through TCP:
 *
 *   cc read_meter.c $(pkg-config --cflags --libs --static meterkit) -o read_meter
 *   ./read_meter serial /dev/ttyUSB0 2400 202106000123
 *   ./read_meter tcp 192.168.1.20 8899 202106000123
 *
 * The master owns no port, no clock and no heap: the loop in `ask` is all that joins it to them. */
#define _DEFAULT_SOURCE
#include "line.h"

MTR_STORAGE(static, storage, MTR_DLT645_MASTER_SIZE + 256);

/* Asks for one identifier and waits for the end of the question; 0 when there was an answer of the meter. */
static int ask(int line, mtr_dlt645_master *master, mtr_dlt645_address meter, uint32_t id)
{
    uint8_t bytes[256];
    const uint8_t *out;
    mtr_dlt645_event event;
    mtr_result result;
    uint64_t at;
    size_t len;

    result = mtr_dlt645_master_read(master, line_now(), meter, id);
    while (result == MTR_OK) {
        while (mtr_dlt645_master_poll_transmit(master, &out, &len) == MTR_OK)
            if (line_write(line, out, len) != 0)
                return -1;
        if (mtr_dlt645_master_poll_event(master, &event) == MTR_OK)
            break;
        if (mtr_dlt645_master_poll_timeout(master, &at) != MTR_OK)
            at = UINT64_MAX;
        int got = line_read(line, at, bytes, sizeof bytes);
        if (got < 0)
            return -1;
        if (got == 0)
            result = mtr_dlt645_master_handle_timeout(master, line_now());
        else
            result = mtr_dlt645_master_handle_bytes(master, line_now(), bytes, (size_t)got);
    }
    if (result != MTR_OK) {
        fprintf(stderr, "%s\n", mtr_result_text(result));
        return -1;
    }
    if (event.kind == MTR_DLT645_DATA) {
        char name[96], text[64];
        size_t name_len;
        /* A block holds several values. */
        uint32_t nth = 0;
        result = mtr_dlt645_name(id, MTR_LANG_EN, name, sizeof name, &name_len);
        if (result != MTR_OK)
            return -1;
        while (mtr_dlt645_text(id, nth++, event.data, event.data_len, text, sizeof text, &len) == MTR_OK)
            printf("%s = %s\n", name, text);
        return 0;
    }
    if (event.kind == MTR_DLT645_REFUSED) {
        printf("%08X refused, ERR %02X\n", (unsigned)id, event.error);
        return 0;
    }
    fprintf(stderr, "no answer to %08X after %u tries\n", (unsigned)id, event.tries);
    return -1;
}

int main(int argc, char **argv)
{
    mtr_timing timing;
    mtr_dlt645_address meter;
    mtr_dlt645_master *master;
    int line = -1;

    if (argc != 5 || mtr_abi_version() != MTR_ABI_VERSION) {
        fprintf(stderr, "usage: read_meter serial DEVICE BAUD ADDRESS | read_meter tcp HOST PORT ADDRESS\n");
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
    if (mtr_dlt645_address_from_digits(argv[4], strlen(argv[4]), &meter) != MTR_OK ||
        mtr_dlt645_master_init(storage, sizeof storage, &timing, &master) != MTR_OK) {
        fprintf(stderr, "%s is no address\n", argv[4]);
        return 2;
    }
    /* Forward active energy, the three voltages as a block, and one that few meters have. */
    int failed = ask(line, master, meter, 0x00010000) || ask(line, master, meter, 0x0201FF00) ||
                 ask(line, master, meter, 0x0280000B);
    close(line);
    return failed != 0;
}
