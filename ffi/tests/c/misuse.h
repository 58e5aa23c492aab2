/* The head of the program that is generated from the header: every wrong argument must answer its code. */
#include "fixtures.h"

#include <stdio.h>
#include <string.h>

#define PARAMETERS 12

/* A buffer for each parameter, so that good arguments never overlap; enough for the storage of any object. */
static _Alignas(16) unsigned char scratch[PARAMETERS][65536];
static _Alignas(16) unsigned char zeros[65536];

static int wrong, total;

static void expect(const char *what, int expected, int got)
{
    total++;
    if (got != expected) {
        wrong++;
        fprintf(stderr, "%s: expected %d (%s), got %d (%s)\n", what, expected, mtr_result_text(expected), got,
                mtr_result_text(got));
    }
}

#define EXPECT(what, expected, call)                          \
    do {                                                      \
        memset(scratch, 0, sizeof scratch);                   \
        expect(what, expected, (int)(call));                  \
    } while (0)

static int finish(void)
{
    if (wrong == 0)
        printf("%d wrong calls answered their codes\n", total);
    return wrong != 0;
}
