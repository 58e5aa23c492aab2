/* From reset to main on an emulated board, with newlib's semihosting for printf and the end of the run. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int main(int argc, char **argv);
void _exit(int status);
extern void initialise_monitor_handles(void);

extern unsigned char data_image[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

/* Newlib calls these around main where there are constructors; there are none. */
void _init(void);
void _init(void)
{
}

void _fini(void);
void _fini(void)
{
}

static void stop(void)
{
    for (;;) {
    }
}

static void reset(void)
{
    static char name[] = "image";
    char *arguments[] = {name, NULL};

#if defined(__ARM_FP)
    /* CPACR: without it the first instruction of the floating-point unit is a fault. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
#endif
    memcpy(data_start, data_image, (size_t)(data_end - data_start));
    memset(bss_start, 0, (size_t)(bss_end - bss_start));
#if defined(SEMIHOSTING)
    initialise_monitor_handles();
#endif
    _exit(main(1, arguments));
}

struct vectors {
    void *stack;
    void (*handlers[15])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors VECTORS = {
    stack_top, {reset, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop, stop}};
