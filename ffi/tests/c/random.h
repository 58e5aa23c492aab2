/* The head of the program that is generated from the header: random calls on live objects, with good arguments mostly
 * and wrong ones sometimes. Equal seeds make equal calls. */
#include "fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS 12
#define SCRATCH 4096

static _Alignas(16) unsigned char scratch[PARAMETERS][SCRATCH];
static _Alignas(16) unsigned char zeros[65536];

static uint64_t state;

/* xorshift64*: any generator will do that is the same everywhere. */
static uint64_t draw(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}

static void drawn_bytes(void *place, size_t len)
{
    unsigned char *bytes = place;
    size_t at;

    for (at = 0; at < len; at++)
        bytes[at] = (unsigned char)(draw() >> 32);
}

/* Zeros often: most structures take them. */
static void drawn_structure(void *place, size_t len)
{
    drawn_bytes(place, len);
    if (draw() % 4 != 0)
        memset(place, 0, len);
}

/* Small numbers and the ends of the range come often. */
static uint64_t drawn_value(void)
{
    switch (draw() % 6) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return draw();
    default: return draw() % 200;
    }
}

static size_t drawn_count(size_t most)
{
    switch (draw() % 16) {
    case 0: return 0;
    case 1: return SIZE_MAX;
    case 2: return most;
    default: return draw() % (most < 64 ? most + 1 : 64);
    }
}

/* A place of its own for each parameter; sometimes that of another one, misaligned or NULL. What lies there is sometimes
 * new and sometimes what an earlier call left. */
static void *drawn_place(size_t nth)
{
    switch (draw() % 24) {
    case 0: return NULL;
    case 1: return scratch[nth] + 1;
    case 2: return scratch[draw() % PARAMETERS];
    case 3:
    case 4:
    case 5: drawn_bytes(scratch[nth], 256); return scratch[nth];
    case 6: memset(scratch[nth], 0, 256); return scratch[nth];
    default: return scratch[nth];
    }
}

static void *drawn_object(void *live)
{
    switch (draw() % 32) {
    case 0: return NULL;
    case 1: return zeros;
    case 2: return (unsigned char *)zeros + 1;
    default: return live;
    }
}

/* New storage comes from the pools below, whose size is exact, so that a write behind it is seen. */
static void *pool[64];
static size_t pooled, last_size;

static void *drawn_storage(size_t nth, size_t size)
{
    (void)nth;
    last_size = draw() % 8 == 0 ? size - 1 : size + draw() % 512;
    if (pooled == sizeof pool / sizeof pool[0])
        return NULL;
    pool[pooled] = aligned_alloc(16, (last_size + 15) / 16 * 16);
    memset(pool[pooled], 0xA5, last_size);
    return pool[pooled++];
}

static size_t drawn_storage_size(void)
{
    return last_size;
}

static int play(int argc, char **argv, int (*const *calls)(void), size_t count, void (*renew)(void))
{
    unsigned long total = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000, nth;
    size_t *good = calloc(count, sizeof *good), once = 0, at;
    unsigned long refused = 0;

    state = argc > 1 ? strtoull(argv[1], NULL, 10) | 1 : 1;
    for (nth = 0; nth < total; nth++) {
        if (nth % 512 == 0) {
            /* The objects of the pool go, so all handles are made anew. */
            renew();
            while (pooled > 0)
                free(pool[--pooled]);
        }
        size_t which = draw() % count;
        int code = calls[which]();
        if (code == MTR_OK || code == MTR_MORE)
            good[which]++;
        else if (code < 0)
            refused++;
        if (code > 1 || code < -64) {
            fprintf(stderr, "call %lu of function %zu answered %d\n", nth, which, code);
            return 1;
        }
    }
    for (at = 0; at < count; at++)
        once += good[at] > 0;
    printf("%lu random calls, %lu refused\n%zu functions answered without an error at least once\n", total, refused,
           once);
    while (pooled > 0)
        free(pool[--pooled]);
    free(good);
    return 0;
}
