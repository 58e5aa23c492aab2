/* Messages of a meter, kept on flash until the receiver has them, over a line that damages bytes: sender and receiver in
 * one program, the flash in memory:
 *
 *   cc keep.c $(pkg-config --cflags --libs --static meterkit) -o keep
 *   ./keep
 *
 * In the middle the power fails: the sender begins again with what is on the flash, and nothing is lost or counted twice.
 * The same source runs on a Cortex-M under an emulator; send.c does it on a real line with a file. */
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

#define PAGES 4u

MTR_STORAGE(static, outbox_storage, MTR_OUTBOX_SIZE);
MTR_STORAGE(static, sender_storage, MTR_LINK_SIZE);
MTR_STORAGE(static, receiver_storage, MTR_LINK_SIZE);

static uint8_t memory[PAGES * MTR_FLASH_PAGE];

static int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(bytes, memory + offset, len);
    return 0;
}

static int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    size_t at;

    (void)context;
    for (at = 0; at < len; at++)
        memory[offset + at] &= bytes[at];
    return 0;
}

static int32_t flash_erase(void *context, uint32_t offset)
{
    (void)context;
    memset(memory + offset, 0xFF, MTR_FLASH_PAGE);
    return 0;
}

/* Two streams with two pages each. */
static mtr_result start(uint32_t boot, mtr_outbox **outbox)
{
    mtr_flash flash;
    mtr_outbox_setup setup;
    uint8_t stream;

    memset(&flash, 0, sizeof flash);
    flash.read = flash_read;
    flash.write = flash_write;
    flash.erase = flash_erase;
    flash.page = MTR_FLASH_PAGE;
    flash.pages = PAGES;
    mtr_outbox_defaults(boot, 10, &setup);
    for (stream = 0; stream < MTR_STREAMS; stream++)
        if (stream != MTR_STREAM_LEGAL && stream != MTR_STREAM_EVENT)
            setup.stream[stream].pages = 0;
    return mtr_outbox_init(outbox_storage, sizeof outbox_storage, &flash, &setup, outbox);
}

static mtr_result head_of(mtr_outbox *outbox, uint8_t stream, uint64_t second, mtr_proto_head *head)
{
    mtr_proto_key key;
    mtr_result result = mtr_outbox_next(outbox, stream, &key);

    memset(head, 0, sizeof *head);
    if (result == MTR_OK) {
        head->stream = stream;
        head->boot = key.boot;
        head->seq = key.seq;
        head->time = second;
        head->clk = MTR_CLOCK_LEGAL;
    }
    return result;
}

/* Import register and voltage. */
static mtr_result keep_reading(mtr_outbox *outbox, uint64_t second, int64_t register_wh)
{
    mtr_proto_parts parts;
    mtr_proto_sample samples[2];
    mtr_proto_head head;
    uint8_t message[64];
    size_t len;
    mtr_result result;

    memset(samples, 0, sizeof samples);
    memset(&parts, 0, sizeof parts);
    parts.quantity = MTR_QUANTITY_ACTIVE_ENERGY;
    parts.direction = MTR_DIRECTION_IMPORT;
    mtr_proto_point(&parts, &samples[0].point);
    samples[0].value.mantissa = register_wh;
    memset(&parts, 0, sizeof parts);
    parts.quantity = MTR_QUANTITY_VOLTAGE;
    parts.phase = MTR_PHASE_L1;
    mtr_proto_point(&parts, &samples[1].point);
    samples[1].value.mantissa = 2301;
    samples[1].value.exponent = -1;
    result = head_of(outbox, MTR_STREAM_LEGAL, second, &head);
    if (result == MTR_OK)
        result = mtr_proto_snapshot_write(&head, samples, 2, message, sizeof message, &len);
    if (result == MTR_OK)
        result = mtr_outbox_push(outbox, message, len);
    return result;
}

static mtr_result keep_cover_opened(mtr_outbox *outbox, uint64_t second)
{
    mtr_proto_event event;
    mtr_proto_head head;
    uint8_t message[80];
    size_t len;
    mtr_result result;

    memset(&event, 0, sizeof event);
    event.code = MTR_EVENT_COVER;
    event.severity = 6;
    event.phase = MTR_EVENT_RAISED;
    result = head_of(outbox, MTR_STREAM_EVENT, second, &head);
    if (result == MTR_OK)
        result = mtr_proto_event_write(&head, &event, message, sizeof message, &len);
    if (result == MTR_OK)
        result = mtr_outbox_push(outbox, message, len);
    return result;
}

/* The receiver: prints what is new, remembers it, and answers with an acknowledgement. Real ones remember durably. */
struct receiver {
    mtr_link *link;
    uint32_t boot[MTR_STREAMS], seq[MTR_STREAMS];
    unsigned repeats;
};

static int receive(struct receiver *receiver)
{
    mtr_proto_head head, own;
    mtr_proto_sample samples[MTR_SAMPLES_MAX];
    mtr_proto_event event;
    mtr_proto_acknowledgement told;
    const uint8_t *body;
    uint8_t kind, answer[128];
    char name[64], value[32];
    size_t len, count, at, text_len;

    if (mtr_link_received(receiver->link, &kind, &body, &len) != MTR_OK)
        return 0;
    CHECK(mtr_proto_peek(body, len, &kind, &head) == MTR_OK && head.stream < MTR_STREAMS);
    if (head.boot > receiver->boot[head.stream] || head.seq > receiver->seq[head.stream]) {
        receiver->boot[head.stream] = head.boot;
        receiver->seq[head.stream] = head.seq;
        printf("%u.%u:", (unsigned)head.boot, (unsigned)head.seq);
        if (kind == MTR_KIND_SNAPSHOT) {
            CHECK(mtr_proto_snapshot_read(body, len, &head, samples, MTR_SAMPLES_MAX, &count) == MTR_OK);
            for (at = 0; at < count; at++) {
                CHECK(mtr_proto_point_name(samples[at].point, MTR_LANG_EN, name, sizeof name, &text_len) == MTR_OK);
                CHECK(mtr_proto_value_text(&samples[at].value, value, sizeof value, &text_len) == MTR_OK);
                printf(" %s %s", name, value);
                CHECK(mtr_proto_point_unit(samples[at].point, value, sizeof value, &text_len) == MTR_OK);
                printf(" %s", value);
            }
        } else {
            CHECK(mtr_proto_event_read(body, len, &head, &event) == MTR_OK);
            CHECK(mtr_proto_event_name(event.code, MTR_LANG_EN, name, sizeof name, &text_len) == MTR_OK);
            printf(" %s", name);
        }
        printf("\n");
    } else {
        receiver->repeats++;
    }
    memset(&own, 0, sizeof own);
    memset(&told, 0, sizeof told);
    told.stream = head.stream;
    told.boot = head.boot;
    told.contiguous = head.seq;
    CHECK(mtr_proto_acknowledgement_write(&own, &told, answer, sizeof answer, &len) == MTR_OK);
    /* Busy: the one before is under way, and this body stays until the next look. */
    if (mtr_link_send(receiver->link, 1, answer, len) == MTR_OK)
        CHECK(mtr_link_release(receiver->link) == MTR_OK);
    return 0;
}

/* Lets both ends talk for a second. Every seventh frame loses a bit. */
static int talk(mtr_outbox *outbox, mtr_link *sender, struct receiver *receiver, uint64_t *now)
{
    static unsigned frames;
    mtr_link *ends[2];
    mtr_proto_acknowledgement told;
    mtr_proto_head head;
    mtr_transmit transmit;
    uint64_t until = *now + 1000;
    uint8_t frame[MTR_LINK_FRAME_MAX], message[MTR_LINK_BODY_MAX], kind;
    const uint8_t *body;
    uint32_t removed;
    size_t len;
    int end, waiting = 0;

    ends[0] = sender;
    ends[1] = receiver->link;
    for (; *now < until; ++*now) {
        for (end = 0; end < 2; end++) {
            if (mtr_link_poll_transmit(ends[end], *now, frame, sizeof frame, &len) != MTR_OK)
                continue;
            if (++frames % 7 == 0)
                frame[len / 2] ^= 0x10;
            CHECK(mtr_link_handle_bytes(ends[1 - end], *now, frame, len) == MTR_OK);
        }
        CHECK(receive(receiver) == 0);
        if (mtr_link_received(sender, &kind, &body, &len) == MTR_OK) {
            CHECK(mtr_proto_acknowledgement_read(body, len, &head, &told) == MTR_OK);
            CHECK(mtr_outbox_handle_acknowledgement(outbox, *now, &told, &removed) == MTR_OK);
            CHECK(mtr_link_release(sender) == MTR_OK);
        }
        if (!waiting)
            waiting = mtr_outbox_poll_transmit(outbox, *now, message, sizeof message, &transmit) == MTR_OK;
        if (waiting && mtr_link_send(sender, 0, message, transmit.len) == MTR_OK)
            waiting = 0;
    }
    return 0;
}

int main(void)
{
    struct receiver receiver;
    mtr_outbox *outbox;
    mtr_link *sender;
    mtr_proto_key key;
    uint8_t message[MTR_LINK_BODY_MAX];
    uint64_t now = 0;
    size_t len;

    CHECK(mtr_abi_version() == MTR_ABI_VERSION);
    memset(memory, 0xFF, sizeof memory);
    memset(&receiver, 0, sizeof receiver);
    CHECK(mtr_link_init(receiver_storage, sizeof receiver_storage, 20, &receiver.link) == MTR_OK);
    CHECK(start(1, &outbox) == MTR_OK);
    CHECK(mtr_link_init(sender_storage, sizeof sender_storage, 20, &sender) == MTR_OK);

    CHECK(keep_reading(outbox, 1795219200, 12345678) == MTR_OK);
    CHECK(talk(outbox, sender, &receiver, &now) == 0);
    CHECK(mtr_outbox_oldest(outbox, &key, message, sizeof message, &len) == MTR_MORE);
    CHECK(keep_reading(outbox, 1795220100, 12345690) == MTR_OK);
    CHECK(keep_cover_opened(outbox, 1795220160) == MTR_OK);

    printf("power fails\n");
    memset(outbox_storage, 0, sizeof outbox_storage);
    memset(sender_storage, 0, sizeof sender_storage);
    CHECK(start(2, &outbox) == MTR_OK);
    CHECK(mtr_outbox_recover_alarms(outbox, message, sizeof message) == MTR_OK);
    CHECK(mtr_link_init(sender_storage, sizeof sender_storage, 20, &sender) == MTR_OK);
    CHECK(mtr_outbox_handle_reconnect(outbox) == MTR_OK);
    CHECK(keep_reading(outbox, 1795221000, 12345703) == MTR_OK);
    CHECK(talk(outbox, sender, &receiver, &now) == 0);
    CHECK(mtr_outbox_oldest(outbox, &key, message, sizeof message, &len) == MTR_MORE);
    printf("nothing waits\n");
    return 0;
}
