/* Flash for purse.c: a file, memory, or the flash of a chip. A program of yours has the last only. */
#ifndef EXAMPLES_FLASH_H
#define EXAMPLES_FLASH_H

#include "meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__ARM_ARCH_6M__)

/* The last pages of an nRF51, 1024 bytes each, by its controller: enable, write words, wait. */
#define FLASH_PAGE 1024u
#define FLASH_PAGES 16u
#define FLASH_BEGIN 0x3C000u

#define NVMC_READY (*(volatile uint32_t *)0x4001E400u)
#define NVMC_CONFIG (*(volatile uint32_t *)0x4001E504u)
#define NVMC_ERASEPAGE (*(volatile uint32_t *)0x4001E508u)

static int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(bytes, (const void *)(FLASH_BEGIN + offset), len);
    return 0;
}

static void flash_wait(void)
{
    while (NVMC_READY == 0) {
    }
}

static int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    size_t at;

    (void)context;
    NVMC_CONFIG = 1;
    for (at = 0; at < len; at += 4) {
        uint32_t word;
        memcpy(&word, bytes + at, 4);
        *(volatile uint32_t *)(FLASH_BEGIN + offset + at) = word;
        flash_wait();
    }
    NVMC_CONFIG = 0;
    return 0;
}

static int32_t flash_erase(void *context, uint32_t offset)
{
    (void)context;
    NVMC_CONFIG = 2;
    NVMC_ERASEPAGE = FLASH_BEGIN + offset;
    flash_wait();
    NVMC_CONFIG = 0;
    return 0;
}

static int flash_open(const char *name, long cut)
{
    uint32_t offset;

    (void)name, (void)cut;
    for (offset = 0; offset < FLASH_PAGE * FLASH_PAGES; offset += FLASH_PAGE)
        flash_erase(NULL, offset);
    return 0;
}

#else

#define FLASH_PAGE MTR_FLASH_PAGE
#define FLASH_PAGES 8u

/* What the flash holds; a file follows every change at once. */
static uint8_t flash_bytes[FLASH_PAGE * FLASH_PAGES];
static FILE *flash_file;
/* Steps until the power goes; negative: it stays. */
static long flash_left = -1;

static int flash_follow(size_t offset, size_t len)
{
    if (flash_file == NULL)
        return 0;
    if (fseek(flash_file, (long)offset, SEEK_SET) != 0 || fwrite(flash_bytes + offset, 1, len, flash_file) != len)
        return -1;
    return fflush(flash_file);
}

/* One step of a write or an erase was made: the power may go now, in the middle of it. */
static void flash_step(size_t offset, size_t len)
{
    if (flash_left < 0 || flash_left-- > 0)
        return;
    flash_follow(offset, len);
    _Exit(3);
}

static int32_t flash_read(void *context, uint32_t offset, uint8_t *bytes, size_t len)
{
    (void)context;
    memcpy(bytes, flash_bytes + offset, len);
    return 0;
}

static int32_t flash_write(void *context, uint32_t offset, const uint8_t *bytes, size_t len)
{
    size_t at;

    (void)context;
    for (at = 0; at < len; at++) {
        /* Bits are only cleared; half of a byte first. */
        flash_bytes[offset + at] &= (uint8_t)(bytes[at] | 0x55);
        flash_step(offset, len);
        flash_bytes[offset + at] &= bytes[at];
    }
    return flash_follow(offset, len);
}

static int32_t flash_erase(void *context, uint32_t offset)
{
    size_t at;

    (void)context;
    /* In no order: a cut leaves some of the old bytes. */
    for (at = 0; at < FLASH_PAGE; at++) {
        flash_bytes[offset + at * 617 % FLASH_PAGE] = 0xFF;
        if (at % 64 == 0)
            flash_step(offset, FLASH_PAGE);
    }
    return flash_follow(offset, FLASH_PAGE);
}

/* Without a name the flash is in memory. After `cut` steps the power goes: the program ends with 3; 0 is never. */
static int flash_open(const char *name, long cut)
{
    memset(flash_bytes, 0xFF, sizeof flash_bytes);
    if (name == NULL)
        return 0;
    flash_file = fopen(name, "r+b");
    if (flash_file != NULL && fread(flash_bytes, 1, sizeof flash_bytes, flash_file) != sizeof flash_bytes)
        return -1;
    if (flash_file == NULL) {
        flash_file = fopen(name, "w+b");
        if (flash_file == NULL || flash_follow(0, sizeof flash_bytes) != 0)
            return -1;
    }
    flash_left = cut > 0 ? cut : -1;
    return 0;
}

#endif

static const mtr_flash FLASH = {NULL, flash_read, flash_write, flash_erase, FLASH_PAGE, FLASH_PAGES};

#endif
