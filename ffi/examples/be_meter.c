/* Is a DL/T 645-2007 meter with an energy register, three voltages and a password, on a serial port or as a TCP server
 * for one client:
 *
 *   cc be_meter.c $(pkg-config --cflags --libs --static meterkit) -o be_meter
 *   ./be_meter serial /dev/ttyUSB0 2400 202106000123
 *   ./be_meter tcp 0 202106000123                       (says which port it listens on)
 *
 * It ends when the line is closed. */
#define _DEFAULT_SOURCE
#include "line.h"

#include <netinet/in.h>

MTR_STORAGE(static, storage, MTR_DLT645_SLAVE_SIZE + 200);

/* What this meter knows. */
struct meter {
    int32_t energy; /* 0.01 kWh */
    int32_t voltage[3]; /* 0.1 V */
};

static uint8_t read_item(void *context, uint32_t id, const uint8_t *rest, size_t rest_len, uint8_t *out,
                         size_t capacity, size_t *len)
{
    const struct meter *meter = (const struct meter *)context;
    size_t phase, one;

    (void)rest, (void)rest_len;
    if (id == 0x00010000)
        return mtr_dlt645_encode_number(id, meter->energy, out, capacity, len) == MTR_OK ? 0 : MTR_DLT645_ERR_OTHER;
    if (id == 0x0201FF00) {
        *len = 0;
        for (phase = 0; phase < 3; phase++) {
            uint32_t item = 0x02010100 + 0x100 * (uint32_t)phase;
            if (mtr_dlt645_encode_number(item, meter->voltage[phase], out + *len, capacity - *len, &one) != MTR_OK)
                return MTR_DLT645_ERR_OTHER;
            *len += one;
        }
        return 0;
    }
    return MTR_DLT645_ERR_NO_DATA;
}

/* Clears nothing and sets nothing: a write that the guard let pass is only reported. */
static uint8_t write_item(void *context, uint32_t id, const mtr_dlt645_authority *authority, const uint8_t *data,
                          size_t len)
{
    (void)context, (void)data;
    printf("write of %08X, %u bytes, by operator %u\n", (unsigned)id, (unsigned)len,
           (unsigned)authority->operator_code);
    return 0;
}

static int serve(int line, mtr_dlt645_slave *slave, const mtr_dlt645_application *application)
{
    uint8_t bytes[256];
    const uint8_t *out;
    uint64_t at;
    size_t len, used, from;

    for (;;) {
        if (mtr_dlt645_slave_poll_timeout(slave, &at) != MTR_OK)
            at = UINT64_MAX;
        int got = line_read(line, at, bytes, sizeof bytes);
        if (got < 0)
            return 0;
        if (got == 0 && mtr_dlt645_slave_handle_timeout(slave, line_now(), application) != MTR_OK)
            return 1;
        from = 0;
        do {
            /* It stops behind a request that has an answer: send that first, then hand in the rest. */
            if (mtr_dlt645_slave_handle_bytes(slave, line_now(), bytes + from, (size_t)got - from, application,
                                              &used) != MTR_OK)
                return 1;
            from += used;
            while (mtr_dlt645_slave_poll_transmit(slave, &out, &len) == MTR_OK)
                if (line_write(line, out, len) != 0)
                    return 0;
            /* On a serial line the answer waits for its turnaround time. */
            if (from < (size_t)got && mtr_dlt645_slave_poll_timeout(slave, &at) == MTR_OK) {
                poll(NULL, 0, 1);
                mtr_dlt645_slave_handle_timeout(slave, line_now(), application);
            }
        } while (from < (size_t)got);
    }
}

/* Waits for one client; says the port. */
static int listen_once(uint16_t port)
{
    struct sockaddr_in own;
    socklen_t own_len = sizeof own;
    int server = socket(AF_INET, SOCK_STREAM, 0), line;

    memset(&own, 0, sizeof own);
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_port = htons(port);
    if (server < 0 || bind(server, (struct sockaddr *)&own, sizeof own) != 0 || listen(server, 1) != 0 ||
        getsockname(server, (struct sockaddr *)&own, &own_len) != 0)
        return -1;
    printf("port %u\n", ntohs(own.sin_port));
    fflush(stdout);
    line = accept(server, NULL, NULL);
    close(server);
    return line;
}

int main(int argc, char **argv)
{
    struct meter meter = {12345678, {2301, 2298, 2305}};
    mtr_dlt645_application application;
    mtr_timing timing;
    mtr_dlt645_slave *slave;
    int line, serial = argc == 5 && strcmp(argv[1], "serial") == 0;

    if ((argc != 4 && !serial) || mtr_abi_version() != MTR_ABI_VERSION) {
        fprintf(stderr, "usage: be_meter serial DEVICE BAUD ADDRESS | be_meter tcp PORT ADDRESS\n");
        return 2;
    }
    memset(&application, 0, sizeof application);
    application.context = &meter;
    application.read = read_item;
    application.write = write_item;
    if (mtr_dlt645_address_from_digits(argv[argc - 1], strlen(argv[argc - 1]), &application.address) != MTR_OK) {
        fprintf(stderr, "%s is no address\n", argv[argc - 1]);
        return 2;
    }
    if (serial) {
        unsigned baud = (unsigned)strtoul(argv[3], NULL, 10);
        line = line_serial(argv[2], baud);
        mtr_timing_rs485(baud, &timing);
    } else {
        line = listen_once((uint16_t)strtoul(argv[2], NULL, 10));
        mtr_timing_tcp(&timing);
    }
    if (line < 0) {
        perror(argv[2]);
        return 1;
    }
    /* Level 2 with the password 123456 may write. */
    if (mtr_dlt645_slave_init(storage, sizeof storage, &timing, &slave) != MTR_OK ||
        mtr_dlt645_slave_set_guard(slave, 0) != MTR_OK || mtr_dlt645_slave_set_password(slave, 2, 0x123456) != MTR_OK)
        return 1;
    int failed = serve(line, slave, &application);
    close(line);
    return failed;
}
