/* wirelen.h - small facts of DNS arithmetic that several rooms share. */
#ifndef BRIDGE_VALUE_WIRELEN_H
#define BRIDGE_VALUE_WIRELEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WIRE_HEADER = 12,
	WIRE_RR_FIXED = 10,   /* type, class, TTL, RDLENGTH */
	WIRE_MESSAGE_MAX = 65535,
};

/* Serial arithmetic (RFC 1982): is b newer than a?  The undefined distance 2^31 is "no". */
bool serial_newer(uint32_t a, uint32_t b);
/* RFC 3339 UTC, "2026-11-21T09:00:00Z"; out at least 24 bytes; "" for 0 and OBS_FOREVER. */
const char *time_print(char out[24], int64_t unix_s);

#endif
