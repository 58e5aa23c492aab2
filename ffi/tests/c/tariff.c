/* What the generated calls cannot know of the tariff module: rows behind pointers in structures, broken rules by their
 * numbers, the rate at an instant, a row that is refused, flash of other pages, tokens. */
#include "fixtures.h"

#include <stdio.h>

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            return 1;                                                           \
        }                                                                       \
    } while (0)

MTR_STORAGE(static, place, MTR_TARIFF_FULL_SIZE);

static mtr_broken rule;

static mtr_result make(const mtr_tables *first, const mtr_tables *second, const mtr_terms *terms, size_t size)
{
    mtr_tariff *made;

    return mtr_tariff_init(place, size, first, second, terms, &rule, &made);
}

static int rows(void)
{
    mtr_tables tables = *given_mtr_tables();
    mtr_terms terms = *given_mtr_terms();
    static const mtr_zone backwards[] = {{701, 1}, {101, 1}};
    static const mtr_tier closed[] = {{200000, 0}};

    CHECK(make(&tables, NULL, &terms, MTR_TARIFF_SMALL_SIZE) == MTR_OK && rule == MTR_BROKEN_NONE);
    CHECK(make(&tables, &tables, &terms, MTR_TARIFF_SIZE + 8) == MTR_ERR_LENGTH);
    tables.zones = NULL;
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_NULL);
    CHECK(make(given_mtr_tables(), &tables, &terms, sizeof place) == MTR_ERR_NULL);
    tables.zones = (const mtr_zone *)(const void *)((const char *)given_mtr_tables()->zones + 1);
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_ALIGN);
    tables.zones = (const mtr_zone *)(const void *)(place + 64);
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_OVERLAP);
    tables.zones = backwards;
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_PARAMETER && rule == MTR_BROKEN_ZONE_ORDER);
    tables = *given_mtr_tables();
    tables.slot_count = SIZE_MAX;
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_LENGTH);
    tables = *given_mtr_tables();
    tables.price_count = 1;
    CHECK(make(&tables, NULL, &terms, sizeof place) == MTR_ERR_PARAMETER && rule == MTR_BROKEN_PRICE_COUNT);
    tables = *given_mtr_tables();
    tables.tiers = closed;
    tables.tier_count = 1;
    CHECK(make(given_mtr_tables(), &tables, &terms, sizeof place) == MTR_ERR_PARAMETER && rule == MTR_BROKEN_TIER_ORDER);
    terms.holidays = NULL;
    CHECK(make(given_mtr_tables(), NULL, &terms, sizeof place) == MTR_ERR_NULL);
    terms = *given_mtr_terms();
    terms.demand_slip_min = 0;
    CHECK(make(given_mtr_tables(), NULL, &terms, sizeof place) == MTR_OK);
    terms.demand_min = 16;
    terms.demand_slip_min = 1;
    CHECK(make(given_mtr_tables(), NULL, &terms, sizeof place) == MTR_ERR_PARAMETER && rule == MTR_BROKEN_DEMAND);
    terms = *given_mtr_terms();
    terms.settlement[2].day = 29;
    CHECK(make(given_mtr_tables(), NULL, &terms, sizeof place) == MTR_ERR_PARAMETER && rule == MTR_BROKEN_SETTLEMENT);
    return 0;
}

/* All that DL/T 645 allows fits, in both sets. */
static int full(void)
{
    static mtr_zone zones[14];
    static mtr_rate_slot slots[8 * 14];
    static uint32_t prices[63];
    static mtr_tier tiers[7];
    static mtr_holiday holidays[254];
    static mtr_friendly friendly[14];
    mtr_tables tables = {zones, 14, slots, 112, prices, 63, tiers, 7};
    mtr_terms terms;
    unsigned nth;

    for (nth = 0; nth < 14; nth++) {
        zones[nth].start = (uint16_t)(101 + nth);
        zones[nth].table = (uint8_t)(nth % 8 + 1);
        friendly[nth].weekdays = 1;
        friendly[nth].until = 60;
    }
    for (nth = 0; nth < 112; nth++) {
        slots[nth].table = (uint8_t)(nth / 14 + 1);
        slots[nth].start = (uint16_t)(nth % 14 * 60);
        slots[nth].rate = (uint8_t)(nth % 63 + 1);
    }
    for (nth = 0; nth < 7; nth++)
        tiers[nth].up_to_wh = nth == 6 ? UINT64_MAX : nth + 1;
    for (nth = 0; nth < 254; nth++) {
        holidays[nth].year = 2026;
        holidays[nth].month = (uint8_t)(nth / 28 + 1);
        holidays[nth].day = (uint8_t)(nth % 28 + 1);
        holidays[nth].table = 8;
    }
    CHECK(mtr_terms_defaults(&terms) == MTR_OK);
    terms.holidays = holidays;
    terms.holiday_count = 254;
    terms.friendly = friendly;
    terms.friendly_count = 14;
    CHECK(make(&tables, &tables, &terms, sizeof place) == MTR_OK);
    terms.holiday_count = 255;
    CHECK(make(&tables, &tables, &terms, sizeof place) != MTR_OK);
    return 0;
}

/* 2026-11-21, a Saturday, in China. */
static mtr_moment at(unsigned minute)
{
    mtr_moment moment;

    moment.utc_s = 1795190400 + 60 * (int64_t)minute;
    moment.offset_s = 28800;
    return moment;
}

static int rate(void)
{
    mtr_tables second = *given_mtr_tables();
    mtr_terms terms = *given_mtr_terms();
    static const uint32_t dearer[] = {6000, 3000};
    static const mtr_holiday holidays[] = {{2026, 11, 22, 2}};
    mtr_tariff *tariff;
    mtr_rate_at found;

    second.prices = dearer;
    terms.holidays = holidays;
    terms.work_days = 0x3F;
    terms.rest_table = 1;
    CHECK(mtr_tariff_init(place, sizeof place, given_mtr_tables(), &second, &terms, &rule, &tariff) == MTR_OK);
    CHECK(mtr_tariff_rate(tariff, 0, at(479), &found) == MTR_OK);
    CHECK(found.rate == 2 && found.price == 2500 && found.table == 1 && found.by == 1 && found.next_s == at(480).utc_s);
    CHECK(mtr_tariff_rate(tariff, MTR_SECOND_PRICES, at(480), &found) == MTR_OK);
    CHECK(found.rate == 1 && found.price == 6000 && found.next_s == at(1320).utc_s);
    CHECK(mtr_tariff_rate(tariff, 0, at(1440), &found) == MTR_OK && found.table == 2 && found.by == 0);
    CHECK(mtr_tariff_rate(tariff, 0, at(2880), &found) == MTR_OK && found.table == 2 && found.by == 2);
    CHECK(mtr_tariff_rate(tariff, 16, at(0), &found) == MTR_ERR_PARAMETER);
    return 0;
}

static int32_t refuse(void *context, uint32_t kind, uint32_t number, const uint8_t *bytes, size_t len)
{
    (void)kind, (void)number, (void)bytes, (void)len;
    ++*(int *)context;
    return -1;
}

/* Calls back into its own meter. */
static int32_t again(void *context, uint32_t kind, uint32_t number, const uint8_t *bytes, size_t len)
{
    mtr_account account;

    (void)kind, (void)number, (void)bytes, (void)len;
    return mtr_prepaid_account(*(mtr_prepaid **)context, &account) == MTR_ERR_BUSY ? 0 : -1;
}

static int refused_rows(void)
{
    mtr_prepaid *meter = fixture_mtr_prepaid();
    mtr_recharge sale = {1000 * MTR_MONEY_HUNDREDTH, 1, {1, 2, 3, 4, 5, 6}};
    mtr_answer answer;
    mtr_account account;
    int calls = 0;
    mtr_rows busy = {&meter, again, MTR_ROW_ALL}, failing = {&calls, refuse, MTR_ROW_ALL}, missing = {NULL, NULL, 0};

    CHECK(mtr_prepaid_open(meter, &sale, at(0), &missing, &answer) == MTR_ERR_CALLBACK);
    CHECK(mtr_prepaid_open(meter, &sale, at(0), &busy, &answer) == MTR_OK && answer.effect.rows == 1);
    CHECK(mtr_prepaid_account(meter, &account) == MTR_OK && account.balance == sale.amount && account.open);
    sale.count = 2;
    sale.customer[0] = 9;
    CHECK(mtr_prepaid_recharge(meter, &sale, at(1), &failing, &answer) == MTR_ERR_REFUSED);
    CHECK(answer.refusal == MTR_REFUSAL_CUSTOMER && answer.serr == 16 && calls == 0);
    sale.customer[0] = 1;
    /* Ahead of what is stored: the object has ended, and its stored state still has sale 1 only. */
    CHECK(mtr_prepaid_recharge(meter, &sale, at(1), &failing, &answer) == MTR_ERR_CALLBACK && calls == 1);
    CHECK(mtr_prepaid_account(meter, &account) == MTR_ERR_OBJECT);
    return 0;
}

/* Pages of 128 bytes up to 4096: the journal goes where it should. */
static uint8_t board[4 * 4096];
static uint32_t board_page;

static int32_t board_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(bytes, board + offset, len);
    return 0;
}

static int32_t board_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(board + offset, bytes, len);
    return 0;
}

static int32_t board_erase(void *context, uint32_t offset)
{
    (void)context;
    if (offset % board_page != 0)
        return -1;
    memset(board + offset, 0xFF, board_page);
    return 0;
}

static int pages(void)
{
    static const uint32_t sizes[] = {128, 1024, 2048, 2064, 4096};
    MTR_STORAGE(static, storage, MTR_JOURNAL_SIZE);
    mtr_flash flash = {NULL, board_read, board_write, board_erase, 0, 0};
    mtr_journal *journal;
    uint8_t record[MTR_RECORD_MAX], out[MTR_RECORD_MAX];
    size_t nth, len, turn;

    for (nth = 0; nth < sizeof sizes / sizeof sizes[0]; nth++) {
        board_page = flash.page = sizes[nth];
        flash.pages = sizes[nth] < MTR_FLASH_PAGE ? 4 * MTR_FLASH_PAGE / sizes[nth] : 4;
        memset(board, 0xFF, sizeof board);
        CHECK(mtr_journal_init(storage, sizeof storage, &flash, &journal) == MTR_OK);
        CHECK(mtr_journal_read(journal, 7, out, sizeof out, &len) == MTR_MORE);
        for (turn = 0; turn < 50; turn++) {
            memset(record, (int)turn, sizeof record);
            CHECK(mtr_journal_write(journal, 7, record, 100 + turn * 16) == MTR_OK);
        }
        CHECK(mtr_journal_end(journal) == MTR_OK);
        CHECK(mtr_journal_init(storage, sizeof storage, &flash, &journal) == MTR_OK);
        CHECK(mtr_journal_read(journal, 7, out, 883, &len) == MTR_ERR_LENGTH);
        CHECK(mtr_journal_read(journal, 7, out, sizeof out, &len) == MTR_OK);
        CHECK(len == 884 && memcmp(out, record, len) == 0);
        CHECK(mtr_journal_remove(journal, 7) == MTR_OK);
        CHECK(mtr_journal_read(journal, 7, out, sizeof out, &len) == MTR_MORE);
        CHECK(mtr_journal_write(journal, 7, record, 0) == MTR_ERR_LENGTH);
        /* Two that are not short of a page each want more pages. */
        CHECK(mtr_journal_write(journal, 8, record, sizeof record) == MTR_OK);
        CHECK(mtr_journal_write(journal, 9, record, sizeof record) == MTR_ERR_FULL);
        CHECK(mtr_journal_read(journal, 8, out, sizeof out, &len) == MTR_OK && len == sizeof record);
        CHECK(mtr_journal_end(journal) == MTR_OK);
    }
    flash.page = 96;
    CHECK(mtr_journal_init(storage, sizeof storage, &flash, &journal) == MTR_ERR_PARAMETER);
    flash.page = MTR_FLASH_PAGE;
    flash.pages = 3;
    CHECK(mtr_journal_init(storage, sizeof storage, &flash, &journal) == MTR_ERR_PARAMETER);
    flash.pages = 4;
    flash.erase = NULL;
    CHECK(mtr_journal_init(storage, sizeof storage, &flash, &journal) == MTR_ERR_CALLBACK);
    return 0;
}

static int32_t broken_cipher(void *context, uint64_t *block)
{
    (void)context, (void)block;
    return 1;
}

static int tokens(void)
{
    mtr_token credit, found;
    mtr_cipher failing = {NULL, broken_cipher, NULL};
    char text[MTR_TOKEN_TEXT];
    mtr_spent *spent = fixture_mtr_spent();
    uint8_t reason, state[MTR_SPENT_LEN];

    memset(&credit, 0, sizeof credit);
    credit.random = 11;
    credit.tid = 1698595;
    credit.amount = 256; /* 25.6 kWh */
    CHECK(mtr_token_encode(&credit, given_mtr_cipher(), text, 20) == MTR_ERR_LENGTH);
    CHECK(mtr_token_encode(&credit, given_mtr_cipher(), text, sizeof text) == MTR_OK && strlen(text) == 20);
    CHECK(mtr_token_decode(text, 20, given_mtr_cipher(), &found) == MTR_OK);
    CHECK(found.kind == MTR_TOKEN_CREDIT && found.amount == 256 && found.tid == 1698595 && found.random == 11);
    CHECK(mtr_token_decode(text, 19, given_mtr_cipher(), &found) == MTR_ERR_VALUE);
    CHECK(mtr_token_decode(text, 20, &failing, &found) == MTR_ERR_CALLBACK);
    CHECK(mtr_token_encode(&credit, &failing, text, sizeof text) == MTR_ERR_CALLBACK);
    text[19] = text[19] == '0' ? '1' : '0';
    CHECK(mtr_token_decode(text, 20, given_mtr_cipher(), &found) == MTR_ERR_SEAL);
    credit.random = 16;
    CHECK(mtr_token_encode(&credit, given_mtr_cipher(), text, sizeof text) == MTR_ERR_PARAMETER);

    CHECK(mtr_spent_spend(spent, 1698595, 255, &reason) == MTR_OK && reason == 0);
    CHECK(mtr_spent_save(spent, state, sizeof state) == MTR_OK);
    CHECK(mtr_spent_spend(spent, 1698595, 255, &reason) == MTR_ERR_REFUSED && reason == 1);
    CHECK(mtr_spent_spend(spent, 1698596, 1, &reason) == MTR_ERR_REFUSED && reason == 3);
    CHECK(mtr_spent_clear(spent) == MTR_OK && mtr_spent_spend(spent, 1698595, 255, &reason) == MTR_OK);
    return 0;
}

int main(void)
{
    if (rows() || full() || rate() || refused_rows() || pages() || tokens())
        return 1;
    printf("tariff: all as it should be\n");
    return 0;
}
