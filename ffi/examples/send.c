/* A meter's sender: makes a reading now and then, keeps it in a file until the receiver has it, and sends over a TCP stream:
 *
 *   cc send.c $(pkg-config --cflags --libs --static meterkit) -o send
 *   ./send outbox.bin 127.0.0.1 4059 20
 *
 * keeps 20 readings and ends when the receiver has all that wait. It may be killed at any moment and started again: what
 * it has said to be kept will arrive, once. The receiver is any program that speaks the serial link on a stream: bodies of
 * kind 0 are messages up, of kind 1 acknowledgements down. */
#define _DEFAULT_SOURCE
#include "line.h"

#include <sys/stat.h>

#define PAGES 10u
/* What one body of the link can carry. */
#define MESSAGE_MAX MTR_LINK_BODY_MAX

MTR_STORAGE(static, outbox_storage, MTR_OUTBOX_SIZE);
MTR_STORAGE(static, link_storage, MTR_LINK_SIZE);

/* The file stands for a flash: a write is on the disk when it returns. */
static int32_t file_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    return pread(*(int *)context, bytes, len, (off_t)offset) == (ssize_t)len ? 0 : -1;
}

static int32_t file_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    int file = *(int *)context;

    return pwrite(file, bytes, len, (off_t)offset) == (ssize_t)len && fsync(file) == 0 ? 0 : -1;
}

static int32_t file_erase(void *context, uint32_t offset)
{
    static uint8_t erased[MTR_FLASH_PAGE];

    memset(erased, 0xFF, sizeof erased);
    return file_write(context, offset, erased, sizeof erased);
}

/* Opens the file, or makes it: erased pages, and behind them a row of bytes, one for each start of this program. */
static int open_file(const char *name)
{
    int file = open(name, O_RDWR | O_CREAT, 0600);
    uint32_t page;
    struct stat state;

    if (file < 0 || fstat(file, &state) != 0)
        return -1;
    if ((uint64_t)state.st_size < (uint64_t)PAGES * MTR_FLASH_PAGE)
        for (page = 0; page < PAGES; page++)
            if (file_erase(&file, page * MTR_FLASH_PAGE) != 0)
                return -1;
    return file;
}

/* The number of this start, durable before it is used: the row grows by a byte. */
static uint32_t next_boot(int file)
{
    struct stat state;
    uint8_t mark = 1;

    if (fstat(file, &state) != 0 || pwrite(file, &mark, 1, state.st_size) != 1 || fsync(file) != 0)
        return 0;
    return (uint32_t)((uint64_t)state.st_size + 1 - (uint64_t)PAGES * MTR_FLASH_PAGE);
}

/* One reading of the import register; says when it is kept. */
static mtr_result keep_reading(mtr_outbox *outbox, int64_t register_wh)
{
    mtr_proto_parts parts;
    mtr_proto_sample sample;
    mtr_proto_head head;
    mtr_proto_key key;
    uint8_t message[64];
    size_t len;
    mtr_result result;

    memset(&parts, 0, sizeof parts);
    memset(&sample, 0, sizeof sample);
    memset(&head, 0, sizeof head);
    parts.quantity = MTR_QUANTITY_ACTIVE_ENERGY;
    parts.direction = MTR_DIRECTION_IMPORT;
    result = mtr_proto_point(&parts, &sample.point);
    if (result != MTR_OK)
        return result;
    sample.value.mantissa = register_wh;
    result = mtr_outbox_next(outbox, MTR_STREAM_LEGAL, &key);
    if (result != MTR_OK)
        return result;
    head.stream = key.stream;
    head.boot = key.boot;
    head.seq = key.seq;
    head.time = (uint64_t)time(NULL);
    head.clk = MTR_CLOCK_SYNCHRONISED;
    result = mtr_proto_snapshot_write(&head, &sample, 1, message, sizeof message, &len);
    if (result == MTR_OK)
        result = mtr_outbox_push(outbox, message, len);
    if (result == MTR_OK) {
        printf("kept %u %u\n", (unsigned)key.boot, (unsigned)key.seq);
        fflush(stdout);
    }
    return result;
}

/* An acknowledgement of the receiver. */
static mtr_result take(mtr_outbox *outbox, mtr_link *link)
{
    mtr_proto_acknowledgement told;
    mtr_proto_head head;
    const uint8_t *body;
    uint32_t removed;
    uint8_t kind;
    size_t len;

    if (mtr_link_received(link, &kind, &body, &len) != MTR_OK)
        return MTR_OK;
    if (kind == 1 && mtr_proto_acknowledgement_read(body, len, &head, &told) == MTR_OK &&
        mtr_outbox_handle_acknowledgement(outbox, line_now(), &told, &removed) != MTR_OK)
        return MTR_ERR_CALLBACK;
    return mtr_link_release(link);
}

/* Sends what is due; a message that the link has not taken yet waits in `message`. */
static int give(int line, mtr_outbox *outbox, mtr_link *link)
{
    static uint8_t message[MESSAGE_MAX];
    static size_t waiting;
    uint8_t frame[MTR_LINK_FRAME_MAX];
    mtr_transmit transmit;
    size_t len;

    if (waiting == 0 &&
        mtr_outbox_poll_transmit(outbox, line_now(), message, sizeof message, &transmit) == MTR_OK)
        waiting = transmit.len;
    if (waiting != 0 && mtr_link_send(link, 0, message, waiting) == MTR_OK)
        waiting = 0;
    while (mtr_link_poll_transmit(link, line_now(), frame, sizeof frame, &len) == MTR_OK)
        if (line_write(line, frame, len) != 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    mtr_flash flash;
    mtr_outbox_setup setup;
    mtr_outbox *outbox;
    mtr_link *link;
    mtr_proto_key key;
    mtr_result result = MTR_OK;
    uint8_t bytes[256], scratch[MESSAGE_MAX];
    uint32_t boot;
    long readings, made = 0;
    size_t len;
    int file, line, got = 0;

    if (argc != 5 || mtr_abi_version() != MTR_ABI_VERSION) {
        fprintf(stderr, "usage: send FILE HOST PORT READINGS\n");
        return 2;
    }
    readings = strtol(argv[4], NULL, 10);
    file = open_file(argv[1]);
    boot = file < 0 ? 0 : next_boot(file);
    if (boot == 0) {
        perror(argv[1]);
        return 1;
    }
    memset(&flash, 0, sizeof flash);
    flash.context = &file;
    flash.read = file_read;
    flash.write = file_write;
    flash.erase = file_erase;
    flash.page = MTR_FLASH_PAGE;
    flash.pages = PAGES;
    line = line_connect(argv[2], argv[3]);
    if (line < 0) {
        perror(argv[2]);
        return 1;
    }
    if (mtr_outbox_defaults(boot, PAGES, &setup) != MTR_OK)
        return 1;
    /* On a fast line a lost message is asked for again soon. */
    setup.first_ms = 500;
    if (mtr_outbox_init(outbox_storage, sizeof outbox_storage, &flash, &setup, &outbox) != MTR_OK ||
        mtr_outbox_recover_alarms(outbox, scratch, sizeof scratch) != MTR_OK ||
        mtr_link_init(link_storage, sizeof link_storage, 200, &link) != MTR_OK)
        return 1;
    while (got >= 0 && result == MTR_OK) {
        if (made < readings) {
            result = keep_reading(outbox, 1000000 + made);
            /* Full: what waits must go first. */
            if (result == MTR_OK)
                made++;
            else if (result == MTR_ERR_FULL)
                result = MTR_OK;
        } else if (mtr_outbox_oldest(outbox, &key, scratch, sizeof scratch, &len) == MTR_MORE) {
            printf("all delivered\n");
            close(line);
            return 0;
        }
        if (give(line, outbox, link) != 0)
            break;
        got = line_read(line, line_now() + 5, bytes, sizeof bytes);
        if (got > 0 && result == MTR_OK)
            result = mtr_link_handle_bytes(link, line_now(), bytes, (size_t)got);
        if (result == MTR_OK)
            result = take(outbox, link);
    }
    fprintf(stderr, "%s\n", result == MTR_OK ? "the receiver is gone" : mtr_result_text(result));
    return 1;
}
