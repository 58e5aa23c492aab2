/* What the two examples on a line share: a serial port or a TCP stream as a file descriptor, a clock, and waiting. */
#ifndef LINE_H
#define LINE_H

#include "meter.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds of a clock that does not go back. */
static inline uint64_t line_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A serial port with 8 data bits, even parity and one stop bit, as DL/T 645 asks for; -1 when it does not open. */
static inline int line_serial(const char *device, unsigned baud)
{
    static const struct {
        unsigned baud;
        speed_t speed;
    } SPEEDS[] = {{1200, B1200}, {2400, B2400}, {4800, B4800}, {9600, B9600}, {19200, B19200}};
    struct termios port;
    size_t at;
    int line = open(device, O_RDWR | O_NOCTTY);

    if (line < 0 || tcgetattr(line, &port) != 0)
        return -1;
    cfmakeraw(&port);
    port.c_cflag |= CLOCAL | CREAD | PARENB | CS8;
    for (at = 0; at < sizeof SPEEDS / sizeof SPEEDS[0]; at++)
        if (SPEEDS[at].baud == baud) {
            cfsetispeed(&port, SPEEDS[at].speed);
            cfsetospeed(&port, SPEEDS[at].speed);
        }
    /* A pseudo-terminal has no parity: what it can do is set. */
    tcsetattr(line, TCSANOW, &port);
    return line;
}

/* A TCP stream to a meter or a gateway; -1 when nobody listens. */
static inline int line_connect(const char *host, const char *port)
{
    struct addrinfo hints, *found = NULL, *one;
    int line = -1;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -1;
    for (one = found; one != NULL && line < 0; one = one->ai_next) {
        line = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
        if (line >= 0 && connect(line, one->ai_addr, one->ai_addrlen) != 0) {
            close(line);
            line = -1;
        }
    }
    freeaddrinfo(found);
    return line;
}

/* Writes all; 0 when it went. */
static inline int line_write(int line, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(line, bytes, len);
        if (written <= 0)
            return -1;
        bytes += written;
        len -= (size_t)written;
    }
    return 0;
}

/* Waits for bytes until `at` (UINT64_MAX for ever). Their number; 0 when the time has passed; -1 when the line is gone. */
static inline int line_read(int line, uint64_t at, uint8_t *bytes, size_t capacity)
{
    struct pollfd wait;
    uint64_t now = line_now();
    int ready;
    ssize_t got;

    wait.fd = line;
    wait.events = POLLIN;
    wait.revents = 0;
    ready = poll(&wait, 1, at == UINT64_MAX ? -1 : at <= now ? 0 : (int)(at - now));
    if (ready == 0)
        return 0;
    got = ready < 0 ? -1 : read(line, bytes, capacity);
    return got <= 0 ? -1 : (int)got;
}

#endif
