/* Key change, wrapped keys, logs, short envelopes, random sources and firmware from C; and what happens when a store or an
 * engine fails at any of its calls. "signed.h" holds two images that are signed for this test. Ends with 0 when all of it
 * is right. */
#include "meter.h"
#include "signed.h"

#include <stdio.h>
#include <string.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            return 1;                                                           \
        }                                                                       \
    } while (0)

static const mtr_key_id METER = {{0x20, 0x26, 0x11, 0, 0, 1}, 0};

/* A store with two copies written in turn, as flash has them; `fails` calls from now on are refused. */
struct copies {
    uint8_t bytes[2][512];
    size_t len[2];
    unsigned next, writes;
    int fails;
};

static int32_t keep(void *context, const uint8_t *bytes, size_t len)
{
    struct copies *copies = context;

    if (copies->fails > 0) {
        copies->fails--;
        return -1;
    }
    memcpy(copies->bytes[copies->next], bytes, len);
    copies->len[copies->next] = len;
    copies->next ^= 1;
    copies->writes++;
    return 0;
}

static mtr_result load(void *storage, size_t size, uint8_t purpose, uint8_t first, uint16_t epoch, const mtr_engine *engine,
                       mtr_key **key)
{
    uint8_t secret[MTR_SECRET_LEN] = {0};

    secret[0] = first;
    return mtr_key_init(storage, size, secret, sizeof secret, METER, purpose, epoch, engine, key);
}

/* The vector of RFC 3394, 4.1. */
static int wrapped_keys(void)
{
    static const uint8_t want[MTR_WRAPPED_LEN] = {0x1F, 0xA6, 0x8B, 0x0A, 0x81, 0x12, 0xB4, 0x47, 0xAE, 0xF3, 0x4B, 0xD8,
                                                  0xFB, 0x5A, 0x7B, 0x82, 0x9D, 0x3E, 0x86, 0x23, 0x71, 0xD2, 0xCF, 0xE5};
    MTR_STORAGE(static, storage, MTR_KEY_SIZE);
    uint8_t kek[16], secret[16], wrapped[MTR_WRAPPED_LEN], out[MTR_WRAPPED_LEN];
    mtr_key *key;
    size_t at;

    for (at = 0; at < 16; at++) {
        kek[at] = (uint8_t)at;
        secret[at] = (uint8_t)(at * 0x11);
    }
    CHECK(mtr_key_init(storage, sizeof storage, kek, sizeof kek, METER, MTR_PURPOSE_MASTER, 1, NULL, &key) == MTR_OK);
    CHECK(mtr_key_wrap(key, secret, sizeof secret, wrapped, sizeof wrapped - 1) == MTR_ERR_LENGTH);
    memset(wrapped, 0xEE, sizeof wrapped);
    CHECK(mtr_key_wrap(key, secret, 15, wrapped, sizeof wrapped) == MTR_ERR_LENGTH);
    for (at = 0; at < 23; at++)
        CHECK(wrapped[at] == 0);
    CHECK(mtr_key_wrap(key, secret, sizeof secret, wrapped, sizeof wrapped) == MTR_OK);
    CHECK(memcmp(wrapped, want, sizeof want) == 0);
    CHECK(mtr_key_unwrap(key, wrapped, sizeof wrapped, out, sizeof out) == MTR_OK);
    CHECK(memcmp(out, secret, sizeof secret) == 0);
    for (at = sizeof secret; at < sizeof out; at++)
        CHECK(out[at] == 0);
    wrapped[9] ^= 4;
    CHECK(mtr_key_unwrap(key, wrapped, sizeof wrapped, out, sizeof out) == MTR_ERR_SEAL);
    for (at = 0; at < sizeof out; at++)
        CHECK(out[at] == 0);
    CHECK(mtr_key_end(key) == MTR_OK);
    return 0;
}

/* Both sides change a key; each step's store fails first and nothing has changed then. */
static int key_change(void)
{
    MTR_STORAGE(static, chip_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, master_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, device_storage, MTR_SLOT_SIZE);
    MTR_STORAGE(static, head_storage, MTR_SLOT_SIZE);
    MTR_STORAGE(static, key_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, other_key_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, sealer_storage, MTR_SEALER_SIZE);
    MTR_STORAGE(static, opener_storage, MTR_OPENER_SIZE);
    static struct copies device_copies, head_copies;
    const mtr_store device_store = {&device_copies, keep}, head_store = {&head_copies, keep}, none = {NULL, NULL};
    static const uint8_t old_secret[16] = {1}, new_secret[16] = {2}, device_random[16] = {3}, host_random[16] = {4};
    uint8_t wrapped[MTR_WRAPPED_LEN], proof[MTR_PROOF_LEN], plain[4] = {1, 2, 3, 4}, envelope[64];
    mtr_key *chip, *master, *key, *other;
    mtr_slot *device, *head;
    mtr_slot_epochs epochs;
    mtr_sealer *sealer;
    mtr_opener *opener;
    mtr_opened opened;
    size_t len;

    CHECK(load(chip_storage, sizeof chip_storage, MTR_PURPOSE_AUTH, 0xC1, 1, NULL, &chip) == MTR_OK);
    CHECK(load(master_storage, sizeof master_storage, MTR_PURPOSE_MASTER, 0x33, 1, NULL, &master) == MTR_OK);
    CHECK(mtr_slot_init(device_storage, sizeof device_storage, METER, 99, &device) == MTR_ERR_PARAMETER);
    CHECK(mtr_slot_init(device_storage, sizeof device_storage, METER, MTR_PURPOSE_DATA, &device) == MTR_OK);
    CHECK(mtr_slot_init(head_storage, sizeof head_storage, METER, MTR_PURPOSE_DATA, &head) == MTR_OK);
    CHECK(mtr_key_init_sending(key_storage, sizeof key_storage, device, NULL, &key) == MTR_ERR_REFUSED);

    CHECK(mtr_slot_provision(device, chip, old_secret, 16, 1, &none) == MTR_ERR_CALLBACK);
    device_copies.fails = 1;
    CHECK(mtr_slot_provision(device, chip, old_secret, 16, 1, &device_store) == MTR_ERR_CALLBACK);
    CHECK(mtr_slot_state(device, &epochs) == MTR_OK && epochs.has_active == 0);
    CHECK(mtr_slot_provision(device, chip, old_secret, 16, 1, &device_store) == MTR_OK);
    CHECK(mtr_slot_provision(device, chip, old_secret, 16, 1, &device_store) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_provision(head, chip, old_secret, 16, 1, &head_store) == MTR_OK);

    /* Staged on both sides. */
    CHECK(mtr_key_wrap(master, new_secret, sizeof new_secret, wrapped, sizeof wrapped) == MTR_OK);
    CHECK(mtr_slot_stage(device, chip, master, wrapped, sizeof wrapped, 1, &device_store) == MTR_ERR_PARAMETER);
    CHECK(mtr_slot_stage(device, chip, chip, wrapped, sizeof wrapped, 2, &device_store) == MTR_ERR_SEAL);
    device_copies.fails = 1;
    CHECK(mtr_slot_stage(device, chip, master, wrapped, sizeof wrapped, 2, &device_store) == MTR_ERR_CALLBACK);
    CHECK(mtr_slot_state(device, &epochs) == MTR_OK && epochs.has_staged == 0);
    CHECK(mtr_slot_proof(device, chip, MTR_SIDE_DEVICE, host_random, 16, proof, sizeof proof) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_stage(device, chip, master, wrapped, sizeof wrapped, 2, &device_store) == MTR_OK);
    CHECK(mtr_slot_stage(head, chip, master, wrapped, sizeof wrapped, 2, &head_store) == MTR_OK);

    /* Proved both ways; a proof cannot be reflected. */
    CHECK(mtr_slot_proof(device, chip, MTR_SIDE_DEVICE, host_random, 16, proof, sizeof proof) == MTR_OK);
    CHECK(mtr_slot_prove(device, chip, MTR_SIDE_HEAD_END, host_random, 16, proof, sizeof proof, &device_store) ==
          MTR_ERR_SEAL);
    CHECK(mtr_slot_prove(head, chip, MTR_SIDE_DEVICE, host_random, 16, proof, sizeof proof, &head_store) == MTR_OK);
    CHECK(mtr_slot_proof(head, chip, MTR_SIDE_HEAD_END, device_random, 16, proof, sizeof proof) == MTR_OK);
    device_copies.fails = 1;
    CHECK(mtr_slot_prove(device, chip, MTR_SIDE_HEAD_END, device_random, 16, proof, sizeof proof, &device_store) ==
          MTR_ERR_CALLBACK);
    CHECK(mtr_slot_state(device, &epochs) == MTR_OK && epochs.staged == 2 && epochs.proved == 0);
    CHECK(mtr_key_init_receiving(key_storage, sizeof key_storage, device, 2, 1000, NULL, &key) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_prove(device, chip, MTR_SIDE_HEAD_END, device_random, 16, proof, sizeof proof, &device_store) == MTR_OK);

    /* The power goes: the newer whole copy counts, whichever it is. */
    CHECK(mtr_slot_end(device) == MTR_OK);
    CHECK(device_copies.len[0] == MTR_SLOT_RECORD_LEN && device_copies.len[1] == MTR_SLOT_RECORD_LEN);
    CHECK(mtr_slot_init_stored(device_storage, sizeof device_storage, master, device_copies.bytes[0], MTR_SLOT_RECORD_LEN, NULL,
                               0, &device) == MTR_ERR_STATE);
    CHECK(mtr_slot_init_stored(device_storage, sizeof device_storage, chip, device_copies.bytes[1], MTR_SLOT_RECORD_LEN,
                               device_copies.bytes[0], MTR_SLOT_RECORD_LEN, &device) == MTR_OK);
    CHECK(mtr_slot_state(device, &epochs) == MTR_OK && epochs.active == 1 && epochs.staged == 2 && epochs.proved == 1);

    /* The first message under the new key: both sides go over to it. */
    CHECK(mtr_slot_seen(head, chip, 2, 1000, &head_store) == MTR_OK);
    CHECK(mtr_key_init_sending(other_key_storage, sizeof other_key_storage, head, NULL, &other) == MTR_OK);
    CHECK(mtr_key_init_receiving(key_storage, sizeof key_storage, device, 2, 1000, NULL, &key) == MTR_OK);
    CHECK(mtr_sealer_init(sealer_storage, sizeof sealer_storage, other, MTR_TO_DEVICE, MTR_SUITE_CCM16, 0, 8, &sealer) == MTR_OK);
    CHECK(mtr_sealer_reserve(sealer, &head_store) == MTR_OK);
    CHECK(mtr_sealer_seal(sealer, 0, NULL, 0, plain, sizeof plain, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_opener_init(opener_storage, sizeof opener_storage, key, MTR_TO_DEVICE, MTR_SUITE_CCM16, NULL, 0, &opener) == MTR_OK);
    CHECK(mtr_opener_open(opener, NULL, 0, envelope, len, &opened) == MTR_OK && opened.epoch == 2);
    CHECK(mtr_slot_seen(device, chip, 3, 1000, &device_store) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_seen(device, chip, 2, 1000, &device_store) == MTR_OK);
    CHECK(mtr_slot_state(device, &epochs) == MTR_OK && epochs.active == 2 && epochs.has_staged == 0);
    /* The old key still opens, for a week. */
    CHECK(mtr_key_init_receiving(key_storage, sizeof key_storage, device, 1, 2000, NULL, &key) == MTR_OK);
    CHECK(mtr_slot_expire(device, chip, 2000, &device_store) == MTR_MORE);
    CHECK(mtr_slot_expire(device, chip, 1000 + 7 * 86400, &device_store) == MTR_OK);
    CHECK(mtr_key_init_receiving(key_storage, sizeof key_storage, device, 1, 2000, NULL, &key) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_seen(device, chip, 2, 3000, &device_store) == MTR_MORE);

    CHECK(mtr_slot_abort(device, chip, &device_store) == MTR_ERR_REFUSED);
    CHECK(mtr_slot_stage(device, chip, master, wrapped, sizeof wrapped, 9, &device_store) == MTR_OK);
    CHECK(mtr_slot_abort(device, chip, &device_store) == MTR_OK);
    CHECK(mtr_slot_revoke(device, chip, &device_store) == MTR_OK);
    CHECK(mtr_slot_revoke(device, chip, &device_store) == MTR_ERR_REFUSED);
    CHECK(mtr_key_init_sending(key_storage, sizeof key_storage, device, NULL, &key) == MTR_ERR_REFUSED);
    return 0;
}

static int short_envelopes(void)
{
    MTR_STORAGE(static, key_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, sealer_storage, MTR_SEALER_SIZE);
    MTR_STORAGE(static, opener_storage, MTR_OPENER_SIZE);
    static struct copies copies;
    const mtr_store store = {&copies, keep};
    static const uint8_t plain[5] = {9, 8, 7, 6, 5};
    uint8_t envelope[sizeof plain + MTR_SHORT_OVERHEAD], again[sizeof envelope];
    mtr_key *key;
    mtr_sealer *sealer;
    mtr_opener *opener;
    mtr_opened opened;
    size_t len, kept_len;
    unsigned nth;

    CHECK(load(key_storage, sizeof key_storage, MTR_PURPOSE_DATA, 5, 1, NULL, &key) == MTR_OK);
    CHECK(mtr_sealer_init(sealer_storage, sizeof sealer_storage, key, MTR_FROM_DEVICE, MTR_SUITE_CCM8, 7, 2, &sealer) == MTR_OK);
    CHECK(mtr_opener_init(opener_storage, sizeof opener_storage, key, MTR_FROM_DEVICE, MTR_SUITE_CCM8, NULL, 0, &opener) == MTR_OK);
    /* A store that fails gives no numbers; one that works gives two, above the stored limit of 7. */
    copies.fails = 1;
    CHECK(mtr_sealer_reserve(sealer, &store) == MTR_ERR_CALLBACK);
    CHECK(mtr_sealer_seal_short(sealer, 0, NULL, 0, plain, sizeof plain, envelope, sizeof envelope, &len) == MTR_ERR_BUSY);
    CHECK(mtr_sealer_reserve(sealer, &store) == MTR_OK);
    CHECK(mtr_sealer_reserve(sealer, &store) == MTR_MORE);
    CHECK(copies.writes == 1 && copies.len[0] == 8 && memcmp(copies.bytes[0], "\0\0\0\0\0\0\0\x09", 8) == 0);
    for (nth = 8; nth <= 9; nth++) {
        CHECK(mtr_sealer_seal_short(sealer, 0, NULL, 0, plain, sizeof plain, envelope, sizeof envelope, &len) == MTR_OK);
        CHECK(len == sizeof envelope);
        kept_len = len;
        memcpy(again, envelope, len);
        CHECK(mtr_opener_open_short(opener, METER.address, 6, NULL, 0, envelope, len, &opened) == MTR_OK);
        CHECK(opened.counter == nth && opened.plain_len == sizeof plain && memcmp(opened.plain, plain, sizeof plain) == 0);
        CHECK(mtr_opener_open_short(opener, METER.address, 6, NULL, 0, again, kept_len, &opened) == MTR_ERR_SEAL);
    }
    CHECK(mtr_sealer_seal_short(sealer, 0, NULL, 0, plain, sizeof plain, envelope, sizeof envelope, &len) == MTR_ERR_BUSY);
    CHECK(mtr_sealer_reserve(sealer, &store) == MTR_OK && copies.bytes[1][7] == 11);
    CHECK(mtr_sealer_seal_short(sealer, 0, NULL, 0, plain, sizeof plain, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_opener_open_short(opener, METER.address, 5, NULL, 0, envelope, len, &opened) == MTR_ERR_LENGTH);
    CHECK(mtr_opener_open_short(opener, METER.address, 0, NULL, 0, envelope, len, &opened) == MTR_ERR_LENGTH);
    CHECK(mtr_opener_open_short(opener, (const uint8_t *)"\1\2\3\4\5\6", 6, NULL, 0, envelope, len, &opened) == MTR_ERR_SEAL);
    return 0;
}

static int log_of_lines(void)
{
    MTR_STORAGE(static, key_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, other_storage, MTR_KEY_SIZE);
    static const char *const LINES[3] = {"cover opened", "clock set", "order 7 refused"};
    mtr_log_head heads[4], wrong;
    mtr_key *key, *other;
    unsigned at;

    CHECK(load(key_storage, sizeof key_storage, MTR_PURPOSE_AUDIT, 6, 1, NULL, &key) == MTR_OK);
    CHECK(load(other_storage, sizeof other_storage, MTR_PURPOSE_DATA, 6, 1, NULL, &other) == MTR_OK);
    CHECK(mtr_log_begin(other, (const uint8_t *)"LEGL", 4, &heads[0]) == MTR_ERR_PARAMETER);
    CHECK(mtr_log_begin(key, (const uint8_t *)"LEG", 3, &heads[0]) == MTR_ERR_LENGTH);
    CHECK(mtr_log_begin(key, (const uint8_t *)"LEGL", 4, &heads[0]) == MTR_OK && heads[0].number == 0);
    for (at = 0; at < 3; at++)
        CHECK(mtr_log_append(key, &heads[at], (const uint8_t *)LINES[at], strlen(LINES[at]), &heads[at + 1]) == MTR_OK);
    CHECK(heads[3].number == 3);
    for (at = 0; at < 3; at++)
        CHECK(mtr_log_check(key, &heads[at], (const uint8_t *)LINES[at], strlen(LINES[at]), &heads[at + 1]) == MTR_OK);
    /* Changed, left out, or under another number: it does not follow. */
    CHECK(mtr_log_check(key, &heads[0], (const uint8_t *)"cover closed", 12, &heads[1]) == MTR_ERR_SEAL);
    CHECK(mtr_log_check(key, &heads[0], (const uint8_t *)LINES[1], strlen(LINES[1]), &heads[2]) == MTR_ERR_SEAL);
    wrong = heads[1];
    wrong.number = 2;
    CHECK(mtr_log_check(key, &heads[0], (const uint8_t *)LINES[0], strlen(LINES[0]), &wrong) == MTR_ERR_SEAL);
    return 0;
}

struct source {
    uint32_t state, left, stuck;
};

static int32_t draw(void *context, uint8_t *byte)
{
    struct source *source = context;

    if (source->left == 0)
        return -1;
    source->left--;
    source->state = source->state * 1664525u + 1013904223u;
    *byte = source->stuck ? 0x5A : (uint8_t)(source->state >> 24);
    return 0;
}

static int random_source(void)
{
    MTR_STORAGE(static, storage, MTR_HEALTH_SIZE);
    struct source state = {1, 1000, 0};
    const mtr_random_source source = {&state, draw}, none = {NULL, NULL};
    uint8_t bytes[32], zeros[32] = {0};
    mtr_health *health;
    unsigned at;

    CHECK(mtr_health_init(storage, sizeof storage, 0, &health) == MTR_ERR_PARAMETER);
    CHECK(mtr_health_init(storage, sizeof storage, 4, &health) == MTR_OK);
    CHECK(mtr_health_fill(health, &none, bytes, sizeof bytes) == MTR_ERR_CALLBACK);
    /* It ends within the start-up, then goes on. */
    CHECK(mtr_health_fill(health, &source, bytes, sizeof bytes) == MTR_ERR_CALLBACK && memcmp(bytes, zeros, 32) == 0);
    state.left = 100;
    CHECK(mtr_health_fill(health, &source, bytes, sizeof bytes) == MTR_OK && memcmp(bytes, zeros, 32) != 0);
    CHECK(state.left == 100 - 24 - 32);
    CHECK(mtr_health_take(health, 0x17) == MTR_OK);
    state.stuck = 1;
    CHECK(mtr_health_fill(health, &source, bytes, sizeof bytes) == MTR_ERR_REFUSED && memcmp(bytes, zeros, 32) == 0);
    CHECK(mtr_health_take(health, 0x17) == MTR_ERR_REFUSED);
    CHECK(mtr_health_init(storage, sizeof storage, 4, &health) == MTR_OK);
    for (at = 0; at < 1024; at++)
        CHECK(mtr_health_take(health, (uint8_t)(at * 167 >> 3)) == MTR_MORE);
    CHECK(mtr_health_take(health, 0x5A) == MTR_OK);
    return 0;
}

/* A gate whose store fails: nothing may be done, and the very order comes again. */
static int failing_store(void)
{
    MTR_STORAGE(static, key_storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, sealer_storage, MTR_SEALER_SIZE);
    MTR_STORAGE(static, gate_storage, MTR_GATE_SIZE);
    static struct copies numbers, copies;
    const mtr_store number_store = {&numbers, keep}, store = {&copies, keep}, none = {NULL, NULL};
    mtr_order close = {1, 0, 0, {0}, {26, 11, 21, 12, 30, 0}, {0x10, 0, 0, 1}, 0x1C};
    mtr_conditions now;
    mtr_verdict verdict;
    mtr_order_ack ack;
    mtr_key *key;
    mtr_sealer *head_end;
    mtr_gate *gate;
    uint8_t plain[MTR_ORDER_MAX], envelope[64], answer[MTR_ACK_MAX];
    size_t plain_len, len, answer_len;
    int turn;

    memset(&now, 0, sizeof now);
    memcpy(now.now, "\x1A\x0B\x15\x0C\x00\x00", 6);
    now.has_clock = now.port_allows = now.session_young = 1;
    now.relay = 2;
    CHECK(load(key_storage, sizeof key_storage, MTR_PURPOSE_LCTRL, 7, 1, NULL, &key) == MTR_OK);
    CHECK(mtr_sealer_init(sealer_storage, sizeof sealer_storage, key, MTR_TO_DEVICE, MTR_SUITE_CCM16, 0, 64, &head_end) == MTR_OK);
    CHECK(mtr_sealer_reserve(head_end, &number_store) == MTR_OK);
    CHECK(mtr_gate_init(gate_storage, sizeof gate_storage, key, MTR_SUITE_CCM16, NULL, 0, &gate) == MTR_OK);
    CHECK(mtr_order_encode(&close, plain, sizeof plain, &plain_len) == MTR_OK);
    /* A missing callback is seen before anything is opened; twice the store fails; the third time it works. */
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &none, &verdict) == MTR_ERR_CALLBACK);
    copies.fails = 2;
    for (turn = 0; turn < 3; turn++) {
        CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
        memset(&verdict, 0xEE, sizeof verdict);
        CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == (turn < 2 ? MTR_ERR_CALLBACK : MTR_OK));
        /* Nothing was handed out. */
        if (turn < 2)
            CHECK((unsigned)verdict.kind == 0xEEEEEEEE);
        CHECK(copies.writes == (turn < 2 ? 0u : 1u));
    }
    CHECK(verdict.kind == MTR_VERDICT_NEW && verdict.order.number == 1);
    /* The outcome is there even when it could not be stored, and the order is never handed out again. */
    copies.fails = 1;
    CHECK(mtr_gate_finish(gate, 0, 1, NULL, &store, answer, sizeof answer, &answer_len) == MTR_ERR_CALLBACK);
    CHECK(mtr_order_ack_parse(answer, answer_len, &ack) == MTR_OK && ack.outcome == 0 && ack.number == 1);
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == MTR_OK && verdict.kind == MTR_VERDICT_REPEATED);
    /* A refusal is stored before it is answered, too. */
    close.number = 2;
    close.deadline[3] = 11;
    CHECK(mtr_order_encode(&close, plain, sizeof plain, &plain_len) == MTR_OK);
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    copies.fails = 1;
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == MTR_ERR_CALLBACK);
    CHECK(mtr_sealer_seal(head_end, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len) == MTR_OK);
    CHECK(mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict) == MTR_OK);
    CHECK(verdict.kind == MTR_VERDICT_REFUSED || verdict.kind == MTR_VERDICT_REPEATED);
    CHECK(mtr_order_ack_parse(verdict.ack, verdict.ack_len, &ack) == MTR_OK && ack.outcome == 24);
    return 0;
}

/* A unit of a chip whose call number `fail_at` fails. Not AES, but the same for both sides; it counts what it holds. */
static unsigned calls, fail_at;
static int held;
static uint8_t slots[32][16];

static int fails(void)
{
    return ++calls == fail_at;
}

static int32_t unit_load(void *context, const uint8_t *secret, uint32_t *slot)
{
    unsigned at;

    (void)context;
    if (fails())
        return -1;
    for (at = 0; at < 32 && slots[at][15] != 0; at++)
        ;
    if (at == 32)
        return -2;
    memcpy(slots[at], secret, 15);
    slots[at][15] = 1;
    *slot = at;
    held++;
    return 0;
}

static int32_t unit_encrypt(void *context, uint32_t slot, uint8_t *blocks, size_t count)
{
    size_t at, round;

    (void)context;
    if (fails() || slot >= 32 || slots[slot][15] == 0)
        return -1;
    for (; count > 0; count--, blocks += 16)
        for (round = 0; round < 4; round++)
            for (at = 0; at < 16; at++)
                blocks[at] = (uint8_t)((blocks[at] ^ slots[slot][at] ^ blocks[(at + 1) % 16]) * 5 + 1);
    return 0;
}

static int32_t unit_decrypt(void *context, uint32_t slot, uint8_t *block)
{
    (void)context, (void)slot, (void)block;
    return -1;
}

static void unit_release(void *context, uint32_t slot)
{
    (void)context;
    memset(slots[slot], 0, 16);
    held--;
}

/* Keys, a message both ways and an order on the unit. The result of the first call that does not end well, or MTR_OK. */
static mtr_result on_the_unit(void)
{
    MTR_STORAGE(static, storage, MTR_KEY_SIZE);
    MTR_STORAGE(static, sealer_storage, MTR_SEALER_SIZE);
    MTR_STORAGE(static, opener_storage, MTR_OPENER_SIZE);
    MTR_STORAGE(static, gate_storage, MTR_GATE_SIZE);
    static struct copies copies;
    const mtr_engine engine = {NULL, unit_load, unit_encrypt, unit_decrypt, unit_release};
    const mtr_store store = {&copies, keep};
    const mtr_order close = {1, 0, 0, {0}, {26, 11, 21, 12, 30, 0}, {0x10, 0, 0, 1}, 0x1C};
    mtr_conditions now;
    mtr_key *key = NULL;
    mtr_sealer *sealer = NULL;
    mtr_opener *opener = NULL;
    mtr_gate *gate = NULL;
    mtr_opened opened;
    mtr_verdict verdict;
    mtr_result result;
    uint8_t plain[MTR_ORDER_MAX], envelope[64], again[64];
    size_t plain_len = 0, len = 0;

    memset(&copies, 0, sizeof copies);
    memset(&now, 0, sizeof now);
    memcpy(now.now, "\x1A\x0B\x15\x0C\x00\x00", 6);
    now.has_clock = now.port_allows = now.session_young = 1;
    result = load(storage, sizeof storage, MTR_PURPOSE_LCTRL, 9, 1, &engine, &key);
    if (result == MTR_OK)
        result = mtr_sealer_init(sealer_storage, sizeof sealer_storage, key, MTR_TO_DEVICE, MTR_SUITE_CCM16, 0, 8, &sealer);
    if (result == MTR_OK)
        result = mtr_opener_init(opener_storage, sizeof opener_storage, key, MTR_TO_DEVICE, MTR_SUITE_CCM16, NULL, 0, &opener);
    if (result == MTR_OK)
        result = mtr_gate_init(gate_storage, sizeof gate_storage, key, MTR_SUITE_CCM16, NULL, 0, &gate);
    if (result == MTR_OK)
        result = mtr_order_encode(&close, plain, sizeof plain, &plain_len);
    if (result == MTR_OK)
        result = mtr_sealer_reserve(sealer, &store);
    if (result == MTR_OK)
        result = mtr_sealer_seal(sealer, 1, NULL, 0, plain, plain_len, envelope, sizeof envelope, &len);
    memcpy(again, envelope, sizeof again);
    if (result == MTR_OK)
        result = mtr_opener_open(opener, NULL, 0, again, len, &opened);
    if (result == MTR_OK && memcmp(opened.plain, plain, plain_len) != 0)
        result = MTR_ERR_VALUE;
    if (result == MTR_OK) {
        copies.writes = 0;
        result = mtr_gate_judge(gate, NULL, 0, envelope, len, &now, &store, &verdict);
        /* A failing unit is a reason to drop the order, never to pass it. */
        if (result == MTR_OK && verdict.kind != MTR_VERDICT_NEW)
            result = verdict.kind == MTR_VERDICT_DROPPED && verdict.reason != 0 ? MTR_ERR_CALLBACK : MTR_ERR_VALUE;
    }
    if (gate != NULL)
        (void)mtr_gate_end(gate);
    if (opener != NULL)
        (void)mtr_opener_end(opener);
    if (sealer != NULL)
        (void)mtr_sealer_end(sealer);
    if (key != NULL)
        (void)mtr_key_end(key);
    return result;
}

static int failing_engine(void)
{
    unsigned total, nth;

    fail_at = 0;
    calls = 0;
    CHECK(on_the_unit() == MTR_OK && held == 0);
    total = calls;
    CHECK(total > 20);
    for (nth = 1; nth <= total; nth++) {
        fail_at = nth;
        calls = 0;
        CHECK(on_the_unit() == MTR_ERR_CALLBACK);
        /* What was loaded was given back. */
        CHECK(held == 0);
    }
    return 0;
}

/* Two slots in flash; `dead` makes one of them unreadable. */
struct flash {
    struct {
        uint8_t manifest[MTR_MANIFEST_LEN + MTR_SIGNATURE_LEN];
        uint8_t image[IMAGE_LEN];
    } slot[2];
    uint8_t record[2][MTR_BOOT_RECORD_LEN];
    uint32_t dead;
    int fails;
};

static int32_t read_manifest(void *context, uint32_t slot, uint8_t *out, size_t len)
{
    struct flash *flash = context;

    if (slot > 1 || slot == flash->dead || len != sizeof flash->slot[slot].manifest)
        return -1;
    memcpy(out, flash->slot[slot].manifest, len);
    return 0;
}

static int32_t read_image(void *context, uint32_t slot, uint32_t offset, uint8_t *out, size_t len)
{
    struct flash *flash = context;

    if (slot > 1 || offset > IMAGE_LEN || len > IMAGE_LEN - offset)
        return -1;
    memcpy(out, flash->slot[slot].image + offset, len);
    return 0;
}

static int32_t write_record(void *context, uint32_t copy, const uint8_t *bytes, size_t len)
{
    struct flash *flash = context;

    if (flash->fails > 0) {
        flash->fails--;
        return -1;
    }
    if (copy > 1 || len != MTR_BOOT_RECORD_LEN)
        return -1;
    memcpy(flash->record[copy], bytes, len);
    return 0;
}

static int firmware(void)
{
    MTR_STORAGE(static, chunks_storage, MTR_CHUNKS_SIZE + 16);
    MTR_STORAGE(static, boot_storage, MTR_BOOT_SIZE);
    static struct flash flash;
    const mtr_flash_slots slots_in_flash = {&flash, read_manifest, read_image, write_record};
    const mtr_flash_slots none = {&flash, read_manifest, NULL, write_record};
    mtr_admission admission;
    mtr_public_key keys[2];
    mtr_manifest manifest;
    mtr_image_fault fault;
    mtr_chunks *chunks;
    mtr_boot *boot;
    mtr_boot_decision decision;
    mtr_boot_state state;
    uint32_t number, offset, at;
    uint8_t byte, map[1] = {0xFF};
    size_t map_len, len;

    memset(&flash, 0, sizeof flash);
    flash.dead = MTR_SLOT_NONE;
    memcpy(flash.slot[0].manifest, OLD_MANIFEST, sizeof OLD_MANIFEST);
    memcpy(flash.slot[0].image, OLD_IMAGE, IMAGE_LEN);
    memset(&admission, 0, sizeof admission);
    admission.core = MTR_CORE_MANAGEMENT;
    admission.hardware = 0x0101;
    admission.slot_len = IMAGE_LEN;
    admission.security_counter = 1;
    memset(keys, 0x77, sizeof keys);
    memcpy(keys[1].bytes, PUBLIC_KEY, sizeof PUBLIC_KEY);

    /* What the loader asks before the first chunk. */
    CHECK(mtr_manifest_parse(NEW_MANIFEST, MTR_MANIFEST_LEN - 1, &manifest) == MTR_ERR_FRAME);
    CHECK(mtr_manifest_parse(NEW_MANIFEST, MTR_MANIFEST_LEN, &manifest) == MTR_OK);
    CHECK(manifest.core == MTR_CORE_MANAGEMENT && manifest.image_len == IMAGE_LEN && manifest.chunk_len == 256);
    CHECK(manifest.chunks == 3 && manifest.security_counter == 2 && manifest.version[0] == 1 && manifest.version[1] == 2);
    CHECK(mtr_manifest_admit(NEW_MANIFEST, MTR_MANIFEST_LEN, &admission, &fault) == MTR_OK && fault == MTR_IMAGE_GOOD);
    admission.hardware = 0x0102;
    CHECK(mtr_manifest_admit(NEW_MANIFEST, MTR_MANIFEST_LEN, &admission, &fault) == MTR_ERR_REFUSED);
    CHECK(fault == MTR_IMAGE_OTHER_HARDWARE);
    admission.hardware = 0x0101;
    admission.security_counter = 3;
    CHECK(mtr_manifest_admit(NEW_MANIFEST, MTR_MANIFEST_LEN, &admission, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_ROLLBACK);
    admission.security_counter = 1;
    admission.core = 9;
    CHECK(mtr_manifest_admit(NEW_MANIFEST, MTR_MANIFEST_LEN, &admission, &fault) == MTR_ERR_PARAMETER);
    admission.core = MTR_CORE_MANAGEMENT;

    /* Chunks in any order, with a cut between. */
    CHECK(mtr_manifest_map_len(NEW_MANIFEST, MTR_MANIFEST_LEN, &map_len) == MTR_OK && map_len == 1);
    CHECK(mtr_chunks_init(chunks_storage, MTR_CHUNKS_SIZE, NEW_MANIFEST, MTR_MANIFEST_LEN, NULL, 0, &chunks) == MTR_ERR_LENGTH);
    CHECK(mtr_chunks_init(chunks_storage, sizeof chunks_storage, NEW_MANIFEST, MTR_MANIFEST_LEN, NULL, 0, &chunks) == MTR_OK);
    memcpy(flash.slot[1].manifest, NEW_MANIFEST, sizeof NEW_MANIFEST);
    for (number = 2; number < 3; number--) {
        len = number == 2 ? IMAGE_LEN - 512 : 256;
        CHECK(mtr_chunks_wants(chunks, number, len + 1, &offset) == MTR_ERR_LENGTH);
        CHECK(mtr_chunks_wants(chunks, number, len, &offset) == MTR_OK && offset == number * 256);
        memcpy(flash.slot[1].image + offset, NEW_IMAGE + offset, len);
        CHECK(mtr_chunks_note(chunks, number, &at, &byte) == MTR_OK && at == 0);
        map[0] = byte;
        CHECK(mtr_chunks_wants(chunks, number, len, &offset) == MTR_MORE);
        if (number == 1)
            CHECK(mtr_chunks_init(chunks_storage, sizeof chunks_storage, NEW_MANIFEST, MTR_MANIFEST_LEN, map, 1, &chunks) == MTR_OK);
        CHECK(mtr_chunks_missing(chunks, 0, &at) == (number > 0 ? MTR_OK : MTR_MORE));
    }
    CHECK(mtr_chunks_wants(chunks, 3, 256, &offset) == MTR_ERR_PARAMETER && mtr_chunks_note(chunks, 3, &at, &byte) == MTR_ERR_PARAMETER);

    /* Marked, tried, not confirmed: the old one comes back. */
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 0, MTR_SLOT_A, NULL, 0, NULL, 0, &boot) ==
          MTR_ERR_PARAMETER);
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 2, MTR_SLOT_NONE, NULL, 0, NULL, 0, &boot) ==
          MTR_ERR_PARAMETER);
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 2, MTR_SLOT_A, NULL, 0, NULL, 0, &boot) == MTR_OK);
    CHECK(mtr_boot_decide(boot, &none, &decision) == MTR_ERR_CALLBACK);
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_OK && decision.because == 0);
    CHECK(decision.start == MTR_START_A && decision.again == MTR_START_A);
    flash.slot[1].image[99] ^= 1;
    CHECK(mtr_boot_verify(boot, &slots_in_flash, MTR_SLOT_B, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_HASH);
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_HASH);
    flash.slot[1].image[99] ^= 1;
    flash.slot[1].manifest[MTR_MANIFEST_LEN + 3] ^= 1;
    CHECK(mtr_boot_verify(boot, &slots_in_flash, MTR_SLOT_B, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_SIGNATURE);
    flash.slot[1].manifest[MTR_MANIFEST_LEN + 3] ^= 1;
    flash.dead = MTR_SLOT_B;
    CHECK(mtr_boot_verify(boot, &slots_in_flash, MTR_SLOT_B, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_UNREADABLE);
    flash.dead = MTR_SLOT_NONE;
    CHECK(mtr_boot_verify(boot, &slots_in_flash, MTR_SLOT_NONE, &fault) == MTR_ERR_PARAMETER);
    flash.fails = 1;
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_ERR_CALLBACK);
    CHECK(mtr_boot_read(boot, &state) == MTR_OK && state.free == MTR_SLOT_B);
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_OK && fault == MTR_IMAGE_GOOD);
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_ERR_BUSY);
    flash.fails = 1;
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_ERR_CALLBACK);
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_OK && decision.because == 1);
    CHECK(decision.start == MTR_START_B && decision.again == MTR_START_B);
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 2, MTR_SLOT_A, flash.record[0], MTR_BOOT_RECORD_LEN,
                        flash.record[1], MTR_BOOT_RECORD_LEN, &boot) == MTR_OK);
    CHECK(mtr_boot_read(boot, &state) == MTR_OK && state.on_trial == 1 && state.free == MTR_SLOT_NONE);
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_OK && decision.because == 3);
    CHECK(decision.start == MTR_START_A && decision.again == MTR_START_A);
    CHECK(mtr_boot_confirm(boot, &slots_in_flash) == MTR_ERR_REFUSED);

    /* Once more, and confirmed: the counter follows, and the old one is below it. */
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_OK);
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_OK && decision.start == MTR_START_B);
    CHECK(mtr_boot_confirm(boot, &slots_in_flash) == MTR_OK);
    CHECK(mtr_boot_read(boot, &state) == MTR_OK && state.active == MTR_SLOT_B && state.counter_floor == 2 && state.on_trial == 0);
    CHECK(mtr_boot_mark(boot, &slots_in_flash, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_ROLLBACK);
    memset(flash.record, 0, sizeof flash.record);
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 2, MTR_SLOT_A, flash.record[0], MTR_BOOT_RECORD_LEN,
                        flash.record[1], 3, &boot) == MTR_ERR_STATE);
    /* Neither verifies: nothing starts. */
    CHECK(mtr_boot_init(boot_storage, sizeof boot_storage, &admission, keys, 1, MTR_SLOT_A, NULL, 0, NULL, 0, &boot) == MTR_OK);
    CHECK(mtr_boot_verify(boot, &slots_in_flash, MTR_SLOT_A, &fault) == MTR_ERR_REFUSED && fault == MTR_IMAGE_UNKNOWN_KEY);
    CHECK(mtr_boot_decide(boot, &slots_in_flash, &decision) == MTR_OK && decision.because == 5);
    CHECK(decision.start == MTR_START_NOTHING && decision.again == MTR_START_NOTHING);
    return 0;
}

int main(void)
{
    if (wrapped_keys() || key_change() || short_envelopes() || log_of_lines() || random_source() || failing_store() ||
        failing_engine() || firmware())
        return 1;
    printf("all of security is right\n");
    return 0;
}
