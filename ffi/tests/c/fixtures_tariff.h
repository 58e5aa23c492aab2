/* Live objects and given structures of the tariff module; part of fixtures.h. */

static inline const mtr_tables *given_mtr_tables(void)
{
    static const mtr_zone zones[] = {{101, 1}, {701, 2}};
    static const mtr_rate_slot slots[] = {{0, 1, 2}, {480, 1, 1}, {1320, 1, 2}, {0, 2, 1}};
    static const uint32_t prices[] = {5000, 2500};
    static const mtr_tier tiers[] = {{200000, 0}, {UINT64_MAX, 1000}};
    static const mtr_tables tables = {zones, 2, slots, 4, prices, 2, tiers, 2};
    return &tables;
}

static inline const mtr_terms *given_mtr_terms(void)
{
    static const mtr_holiday holidays[] = {{2026, 1, 1, 2}};
    static const mtr_friendly friendly[] = {{1320, 480, 0x7F}};
    static mtr_terms terms;
    mtr_terms_defaults(&terms);
    terms.holidays = holidays;
    terms.holiday_count = 1;
    terms.friendly = friendly;
    terms.friendly_count = 1;
    terms.standing = MTR_MONEY_HUNDREDTH;
    terms.demand_min = 15;
    terms.demand_slip_min = 1;
    terms.daily.kind = MTR_PATTERN_DAILY;
    terms.hourly.minutes = 60;
    terms.power.watts = 5000;
    return &terms;
}

static inline mtr_tariff *fixture_mtr_tariff(void)
{
    static mtr_broken broken;
    MAKE(mtr_tariff, MTR_TARIFF_SMALL_SIZE, 0, given_mtr_tables(), NULL, given_mtr_terms(), &broken, &made);
}

static inline mtr_prepaid *fixture_mtr_prepaid(void)
{
    static const mtr_purse_limits limits = {20000000, 10000000, 5000000, 0, 0};
    MAKE(mtr_prepaid, MTR_PREPAID_SIZE, 0, 1, &limits, &made);
}

static inline int32_t keep_row(void *context, uint32_t kind, uint32_t number, const uint8_t *bytes, size_t len)
{
    static uint8_t last[MTR_ROW_MAX];
    (void)context, (void)number;
    assert(kind <= MTR_ROW_REFUND && len <= sizeof last);
    memcpy(last, bytes, len);
    return 0;
}

static inline const mtr_rows *given_mtr_rows(void)
{
    static mtr_rows rows;
    rows.keep = keep_row;
    rows.parts = MTR_ROW_ALL;
    return &rows;
}

static inline mtr_journal *fixture_mtr_journal(void)
{
    static struct fixture_flash memory;
    mtr_flash flash = flash_in_memory(&memory);
    flash.pages = 4;
    MAKE(mtr_journal, MTR_JOURNAL_SIZE, 0, &flash, &made);
}

static inline mtr_spent *fixture_mtr_spent(void)
{
    MAKE(mtr_spent, MTR_SPENT_SIZE, 0, NULL, 0, &made);
}

/* No cipher, but one to one. */
static inline int32_t turn(void *context, uint64_t *block)
{
    (void)context;
    *block = *block << 32 | *block >> 32;
    return 0;
}

static inline const mtr_cipher *given_mtr_cipher(void)
{
    static const mtr_cipher cipher = {NULL, turn, turn};
    return &cipher;
}
