/* A prepaid meter with its store: account, sales, alarms, trips, emergency credit, all of it kept over power cuts.
 *
 *   cc purse.c $(pkg-config --cflags --libs --static meterkit) -o purse
 *   ./purse                     a story on flash in memory; it runs on a Cortex-M under an emulator too
 *   ./purse FILE CUT ORDER...   orders to a meter whose flash is a file; after CUT steps of writing the power goes
 *
 * Orders: `open COUNT HUNDREDTHS` and `sell COUNT HUNDREDTHS`, `use TENTHS SECOND` (the energy register of the metering
 * core in 0.1 Wh, and seconds since 10:00), `key SECOND`, `show`. */
#include "meter.h"

#include "flash.h"

#define CHECK(condition)                                                    \
    do {                                                                    \
        if (!(condition)) {                                                 \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);          \
            return 1;                                                       \
        }                                                                   \
    } while (0)

/* Names of the records: the state, and four rows of each kind in a ring. */
#define STATE 1u
#define ROW(kind, number) ((uint16_t)(0x100u + (kind) * 4u + (number) % 4u))

MTR_STORAGE(static, journal_storage, MTR_JOURNAL_SIZE);
MTR_STORAGE(static, tariff_storage, MTR_TARIFF_SMALL_SIZE);
MTR_STORAGE(static, prepaid_storage, MTR_PREPAID_SIZE);

static mtr_journal *journal;
static mtr_tariff *tariff;
static mtr_prepaid *prepaid;
static uint32_t sequence;

static int32_t keep(void *context, uint32_t kind, uint32_t number, const uint8_t *bytes, size_t len)
{
    (void)context;
    return mtr_journal_write(journal, ROW(kind, number), bytes, len) == MTR_OK ? 0 : -1;
}

static const mtr_rows ROWS = {NULL, keep, MTR_ROW_ACTIVE | MTR_ROW_PURSE};

/* 21 November 2026 in China, so many seconds behind 10:00. */
static mtr_moment at(long second)
{
    mtr_moment moment;

    moment.utc_s = 1795226400 + second;
    moment.offset_s = 28800;
    return moment;
}

/* Money counts 10^-7. */
static void print(const char *what, int64_t money)
{
    uint64_t size = (uint64_t)(money < 0 ? -money : money);

    printf("%s %s%lu.%07lu", what, money < 0 ? "-" : "", (unsigned long)(size / 10000000), (unsigned long)(size % 10000000));
}

/* 0.50 a kWh by day, 0.25 by night. */
static int tables(void)
{
    static const mtr_zone zones[] = {{101, 1}};
    static const mtr_rate_slot slots[] = {{8 * 60, 1, 1}, {22 * 60, 1, 2}};
    static const uint32_t prices[] = {5000, 2500};
    static const mtr_tables set = {zones, 1, slots, 2, prices, 2, NULL, 0};
    mtr_terms terms;
    mtr_broken broken;

    CHECK(mtr_terms_defaults(&terms) == MTR_OK);
    CHECK(mtr_tariff_init(tariff_storage, sizeof tariff_storage, &set, NULL, &terms, &broken, &tariff) == MTR_OK);
    return 0;
}

/* Power comes on: what the flash holds, or a new meter with alarms at 5.00 and 2.00 and an emergency credit of 3.00. */
static int start(void)
{
    static const mtr_purse_limits limits = {500 * MTR_MONEY_HUNDREDTH, 200 * MTR_MONEY_HUNDREDTH, 300 * MTR_MONEY_HUNDREDTH, 0, 0};
    uint8_t state[MTR_PREPAID_STATE_MAX];
    size_t len;
    mtr_result found;

    CHECK(mtr_journal_init(journal_storage, sizeof journal_storage, &FLASH, &journal) == MTR_OK);
    found = mtr_journal_read(journal, STATE, state, sizeof state, &len);
    CHECK(found == MTR_OK || found == MTR_MORE);
    if (found == MTR_MORE) {
        sequence = 0;
        CHECK(mtr_prepaid_init(prepaid_storage, sizeof prepaid_storage, 1, &limits, &prepaid) == MTR_OK);
    } else {
        CHECK(mtr_prepaid_init_stored(prepaid_storage, sizeof prepaid_storage, state, len, &sequence, &prepaid) == MTR_OK);
    }
    return 0;
}

/* After the rows, and before anybody is told. */
static int store(void)
{
    uint8_t state[MTR_PREPAID_STATE_MAX];
    size_t len;

    CHECK(mtr_prepaid_save(prepaid, ++sequence, state, sizeof state, &len) == MTR_OK);
    CHECK(mtr_journal_write(journal, STATE, state, len) == MTR_OK);
    return 0;
}

static int balance(const char *what)
{
    mtr_account account;

    CHECK(mtr_prepaid_account(prepaid, &account) == MTR_OK);
    printf("%s,", what);
    print(" balance", account.balance);
    printf("\n");
    return 0;
}

static int sell(int opens, uint32_t count, long hundredths, long second)
{
    mtr_recharge sale = {0, 0, {0, 0, 0x20, 0x26, 0x11, 0x21}};
    mtr_answer answer;
    mtr_result result;

    sale.count = count;
    sale.amount = hundredths * MTR_MONEY_HUNDREDTH;
    result = opens ? mtr_prepaid_open(prepaid, &sale, at(second), &ROWS, &answer)
                   : mtr_prepaid_recharge(prepaid, &sale, at(second), &ROWS, &answer);
    if (result == MTR_ERR_REFUSED) {
        printf("sale %lu refused: %d, expected %lu\n", (unsigned long)count, (int)answer.refusal, (unsigned long)answer.expected);
        return 0;
    }
    CHECK(result == MTR_OK && answer.amount == sale.amount);
    if (!answer.repeated && store() != 0)
        return 1;
    printf("sale %lu %s", (unsigned long)count, answer.repeated ? "was booked before" : "booked");
    print(", balance then", answer.after);
    printf("%s\n", answer.effect.relay_open == MTR_OFF ? ", relay closes" : "");
    return 0;
}

/* Energy and time. The state need not be stored each time: its mark of the register and its balance belong together, so
 * that what was not stored is charged after the next start. */
static int use(uint64_t tenths, long second)
{
    mtr_energy energy;
    mtr_effect effect;

    memset(&energy, 0, sizeof energy);
    energy.tenths[0] = tenths;
    energy.now = at(second);
    energy.clock_good = 1;
    CHECK(mtr_prepaid_advance(prepaid, tariff, &energy, &ROWS, &effect) == MTR_OK);
    if ((effect.rows > 0 || effect.relay_open != MTR_SAME) && store() != 0)
        return 1;
    if (effect.alarm == MTR_ON)
        printf("alarm\n");
    if (effect.relay_open == MTR_ON) {
        mtr_fee_status status;
        mtr_shown shown = {0, 0, 0, 0};
        CHECK(mtr_prepaid_status(prepaid, tariff, shown, &status) == MTR_OK);
        printf("relay opens, cause %d\n", status.why);
    }
    return 0;
}

static int key(long second)
{
    mtr_answer answer;

    CHECK(mtr_prepaid_key(prepaid, at(second), &ROWS, &answer) == MTR_OK);
    if (answer.effect.rows > 0 && store() != 0)
        return 1;
    printf("the key %s\n", answer.effect.relay_open == MTR_OFF ? "closes the relay" : "changes nothing");
    return 0;
}

/* The power goes and comes: the objects are made anew from the flash. */
static int restart(void)
{
    CHECK(mtr_prepaid_end(prepaid) == MTR_OK && mtr_journal_end(journal) == MTR_OK);
    return start();
}

static int story(void)
{
    if (start() || use(0, 0) || sell(1, 1, 1000, 10) || use(120000, 3600) || balance("used 12 kWh"))
        return 1;
    /* Nothing was stored since the alarm: the register of the metering core brings the energy back. */
    if (restart() || balance("restarted") || use(120000, 3700) || balance("read the register"))
        return 1;
    if (use(170000, 7200) || key(7210) || use(200000, 10800) || key(10810) || use(260000, 14400) || key(14410))
        return 1;
    if (restart() || balance("restarted") || sell(0, 2, 2000, 14500) || sell(0, 2, 2000, 14510) || sell(0, 4, 100, 14520))
        return 1;
    /* 23:00: the night price, for what is used from then on. */
    return use(260000, 46800) || use(360000, 50400) || balance("used 10 kWh by night");
}

/* What it has, on one line. */
static int show(void)
{
    mtr_account account;
    mtr_fee_registers registers;
    uint8_t bytes[MTR_ROW_MAX];
    size_t len;

    CHECK(mtr_prepaid_account(prepaid, &account) == MTR_OK && mtr_prepaid_registers(prepaid, &registers) == MTR_OK);
    printf("count %lu", (unsigned long)account.count);
    print(" cumulative", account.cumulative);
    print(" balance", account.balance);
    printf(" charged %lu\n", (unsigned long)registers.charged_wh[0]);
    /* The row of a sale is written before the state that counts it. */
    if (account.count > 0) {
        mtr_row row;
        CHECK(mtr_journal_read(journal, ROW(MTR_ROW_PURCHASE, account.count), bytes, sizeof bytes, &len) == MTR_OK);
        CHECK(mtr_row_decode(bytes, len, &row) == MTR_OK && row.number == account.count && row.purchases == account.count);
    }
    return 0;
}

static int orders(int count, char **words)
{
    int nth = 0;

    while (nth < count) {
        const char *word = words[nth++];
        long first = nth < count ? strtol(words[nth], NULL, 10) : 0;
        long second = nth + 1 < count ? strtol(words[nth + 1], NULL, 10) : 0;
        int failed;

        if (strcmp(word, "show") == 0) {
            failed = show();
        } else if (strcmp(word, "key") == 0) {
            failed = key(first);
            nth += 1;
        } else if (strcmp(word, "use") == 0) {
            failed = use((uint64_t)first, second);
            nth += 2;
        } else {
            failed = sell(strcmp(word, "open") == 0, (uint32_t)first, second, 0);
            nth += 2;
        }
        if (failed || fflush(stdout) != 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    CHECK(mtr_abi_version() == MTR_ABI_VERSION);
    CHECK(flash_open(argc > 2 ? argv[1] : NULL, argc > 2 ? strtol(argv[2], NULL, 10) : 0) == 0);
    if (tables() != 0)
        return 1;
    if (argc > 2)
        return start() || orders(argc - 3, argv + 3);
    return story();
}
