/* Seal and open: a meter seals a reading, the head end opens it once; the head end seals an order, the meter's gate lets
 * it pass once, also over a restart; both agree on a session by a handshake.
 *
 *   cc seal.c $(pkg-config --cflags --libs --static meterkit) -o seal && ./seal
 *
 * Keys and random numbers are constants here; a product takes them from its production line and from a tested source. */
#include "meter.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
            return 1;                                                       \
        }                                                                   \
    } while (0)

MTR_STORAGE(static, data_key_storage, MTR_KEY_SIZE);
MTR_STORAGE(static, order_key_storage, MTR_KEY_SIZE);
MTR_STORAGE(static, auth_key_storage, MTR_KEY_SIZE);
MTR_STORAGE(static, sealer_storage, MTR_SEALER_SIZE);
MTR_STORAGE(static, opener_storage, MTR_OPENER_SIZE);
MTR_STORAGE(static, gate_storage, MTR_GATE_SIZE);
MTR_STORAGE(static, host_storage, MTR_HOST_SIZE);
MTR_STORAGE(static, responder_storage, MTR_RESPONDER_SIZE);
MTR_STORAGE(static, host_session_storage, MTR_SESSION_SIZE);
MTR_STORAGE(static, meter_session_storage, MTR_SESSION_SIZE);

static const mtr_key_id METER = {{0x20, 0x26, 0x11, 0x00, 0x00, 0x01}, 0};

/* The key service derives, the device gets the secret when it is made. */
static mtr_result load(unsigned char *storage, uint8_t purpose, mtr_key **key)
{
    static const uint8_t root[MTR_SECRET_LEN] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    uint8_t secret[MTR_SECRET_LEN];
    mtr_result result;

    result = mtr_key_derive(root, sizeof root, (const uint8_t *)"network1", 8, METER, purpose, 1, secret, sizeof secret);
    if (result != MTR_OK)
        return result;
    result = mtr_key_init(storage, MTR_KEY_SIZE, secret, sizeof secret, METER, purpose, 1, NULL, key);
    memset(secret, 0, sizeof secret);
    return result;
}

/* Stands for two pages of flash written in turn. */
static uint8_t kept[MTR_GATE_STATE_LEN];
static size_t kept_len;

static int32_t keep(void *context, const uint8_t *bytes, size_t len)
{
    (void)context;
    if (len > sizeof kept)
        return -1;
    memcpy(kept, bytes, len);
    kept_len = len;
    return 0;
}

static int reading(void)
{
    static const uint8_t text[] = "12.3 kWh";
    mtr_key *key;
    mtr_sealer *meter;
    mtr_opener *head_end;
    mtr_opened opened;
    uint8_t envelope[sizeof text + MTR_ENVELOPE_OVERHEAD], again[sizeof envelope];
    uint64_t limit;
    size_t len;

    CHECK(load(data_key_storage, MTR_PURPOSE_DATA, &key) == MTR_OK);
    CHECK(mtr_sealer_init(sealer_storage, sizeof sealer_storage, key, MTR_FROM_DEVICE, MTR_SUITE_CCM16, 0, 256,
                          &meter) == MTR_OK);
    CHECK(mtr_opener_init(opener_storage, sizeof opener_storage, key, MTR_FROM_DEVICE, MTR_SUITE_CCM16, NULL, 0,
                          &head_end) == MTR_OK);
    /* No number before its limit is stored. */
    CHECK(mtr_sealer_seal(meter, 0, NULL, 0, text, sizeof text, envelope, sizeof envelope, &len) == MTR_ERR_BUSY);
    CHECK(mtr_sealer_reservation(meter, &limit) == MTR_OK);
    /* ... here `limit` is written to flash ... */
    CHECK(mtr_sealer_stored(meter, limit) == MTR_OK);
    CHECK(mtr_sealer_seal(meter, 0, NULL, 0, text, sizeof text, envelope, sizeof envelope, &len) == MTR_OK);
    memcpy(again, envelope, len);

    CHECK(mtr_opener_open(head_end, NULL, 0, envelope, len, &opened) == MTR_OK);
    CHECK(opened.plain_len == sizeof text && memcmp(opened.plain, text, sizeof text) == 0);
    printf("opened message %u: %s\n", (unsigned)opened.counter, (const char *)opened.plain);
    /* The same once more, and a changed one: refused, and nothing is left of them. */
    CHECK(mtr_opener_open(head_end, NULL, 0, again, len, &opened) == MTR_ERR_SEAL);
    CHECK(mtr_sealer_seal(meter, 0, NULL, 0, text, sizeof text, envelope, sizeof envelope, &len) == MTR_OK);
    envelope[20] ^= 1;
    CHECK(mtr_opener_open(head_end, NULL, 0, envelope, len, &opened) == MTR_ERR_SEAL);
    CHECK(mtr_sealer_end(meter) == MTR_OK && mtr_opener_end(head_end) == MTR_OK && mtr_key_end(key) == MTR_OK);
    CHECK(mtr_key_end(key) == MTR_ERR_OBJECT);
    return 0;
}

static int order(void)
{
    static const mtr_store store = {NULL, keep};
    mtr_key *key;
    mtr_sealer *head_end;
    mtr_gate *gate;
    mtr_order close = {1, 0, 0, {0}, {26, 11, 21, 12, 30, 0}, {0x10, 0, 0, 1}, 0x1C};
    mtr_conditions now;
    mtr_verdict verdict;
    mtr_order_ack ack;
    uint8_t plain[MTR_ORDER_MAX], envelope[MTR_ORDER_MAX + MTR_ENVELOPE_OVERHEAD], answer[MTR_ACK_MAX];
    uint64_t limit;
    size_t len, plain_len;

    memset(&now, 0, sizeof now);
    memcpy(now.now, "\x1A\x0B\x15\x0C\x00\x00", 6); /* 26-11-21 12:00:00 */
    now.has_clock = now.port_allows = now.session_young = 1;
    now.relay = 2;

    CHECK(load(order_key_storage, MTR_PURPOSE_LCTRL, &key) == MTR_OK);
    CHECK(mtr_sealer_init(sealer_storage, sizeof sealer_storage, key, MTR_TO_DEVICE, MTR_SUITE_CCM16, 0, 256,
                          &head_end) == MTR_OK);
    CHECK(mtr_sealer_reservation(head_end, &limit) == MTR_OK && mtr_sealer_stored(head_end, limit) == MTR_OK);
    CHECK(mtr_gate_init(gate_storage, sizeof gate_storage, key, MTR_SUITE_CCM16, NULL, 0, &gate) == MTR_OK);

    CHECK(mtr_order_encode(&close, plain, sizeof plain, &plain_len) == MTR_OK);
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == MTR_OK);
    CHECK(verdict.kind == MTR_VERDICT_NEW && verdict.order.kind == 0x1C && verdict.order.number == 1);
    /* ... here the relay closes ... */
    CHECK(mtr_gate_finish(gate, 0, 1, NULL, &store, answer, sizeof answer, &len) == MTR_OK);
    CHECK(mtr_order_ack_parse(answer, len, &ack) == MTR_OK && ack.outcome == 0 && ack.relay == 1);
    printf("order %u done\n", (unsigned)ack.number);

    /* After a restart from the stored state the same order, sealed anew, only brings its answer back. */
    CHECK(mtr_gate_end(gate) == MTR_OK);
    CHECK(mtr_gate_init(gate_storage, sizeof gate_storage, key, MTR_SUITE_CCM16, kept, kept_len, &gate) == MTR_OK);
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == MTR_OK);
    CHECK(verdict.kind == MTR_VERDICT_REPEATED);
    CHECK(mtr_order_ack_parse(verdict.ack, verdict.ack_len, &ack) == MTR_OK && ack.number == 1 && ack.outcome == 0);
    kept[30] ^= 1;
    CHECK(mtr_gate_init(gate_storage, sizeof gate_storage, key, MTR_SUITE_CCM16, kept, kept_len, &gate) ==
          MTR_ERR_STATE);
    return 0;
}

static int session(void)
{
    static const uint8_t host_random[MTR_RANDOM_LEN] = {1, 2, 3}, meter_random[MTR_RANDOM_LEN] = {4, 5, 6};
    static const uint8_t text[] = "under a session";
    mtr_key *auth, *data;
    mtr_host *host;
    mtr_responder *responder;
    mtr_session *at_host, *at_meter;
    mtr_sealer *sealer;
    mtr_opener *opener;
    mtr_opened opened;
    uint8_t first[MTR_HANDSHAKE_MAX], second[MTR_HANDSHAKE_MAX], third[MTR_HANDSHAKE_MAX];
    uint8_t envelope[sizeof text + MTR_ENVELOPE_OVERHEAD], may_command, may_carry;
    size_t first_len, second_len, third_len, len;

    CHECK(load(auth_key_storage, MTR_PURPOSE_AUTH, &auth) == MTR_OK);
    CHECK(load(data_key_storage, MTR_PURPOSE_DATA, &data) == MTR_OK);
    CHECK(mtr_responder_init(responder_storage, sizeof responder_storage, &responder) == MTR_OK);
    CHECK(mtr_host_init(host_storage, sizeof host_storage, auth, MTR_SUITE_CCM8, host_random, sizeof host_random, first,
                        sizeof first, &first_len, &host) == MTR_OK);
    CHECK(mtr_responder_answer(responder, auth, first, first_len, meter_random, sizeof meter_random, 1000, second,
                               sizeof second, &second_len) == MTR_OK);
    CHECK(mtr_host_receive(host, auth, second, second_len, 1000, third, sizeof third, &third_len, host_session_storage,
                           sizeof host_session_storage, &at_host) == MTR_OK);
    CHECK(mtr_responder_finish(responder, auth, third, third_len, 1001, meter_session_storage,
                               sizeof meter_session_storage, &at_meter) == MTR_OK);
    CHECK(mtr_session_age(at_meter, 1002, &may_command, &may_carry) == MTR_OK && may_command == 1 && may_carry == 1);

    CHECK(mtr_sealer_init_session(sealer_storage, sizeof sealer_storage, at_meter, data, MTR_FROM_DEVICE, &sealer) ==
          MTR_OK);
    CHECK(mtr_opener_init_session(opener_storage, sizeof opener_storage, at_host, data, MTR_FROM_DEVICE, &opener) ==
          MTR_OK);
    CHECK(mtr_sealer_seal(sealer, 0, NULL, 0, text, sizeof text, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_opener_open(opener, NULL, 0, envelope, len, &opened) == MTR_OK);
    printf("opened %s\n", (const char *)opened.plain);
    CHECK(mtr_session_end(at_host) == MTR_OK && mtr_session_end(at_meter) == MTR_OK);
    return 0;
}

int main(void)
{
    CHECK(mtr_abi_version() == MTR_ABI_VERSION);
    return reading() || order() || session();
}
