/* base64.h - RFC 4648 4, as DHCID text has it. */
#ifndef BRIDGE_VALUE_BASE64_H
#define BRIDGE_VALUE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/buf.h"

void base64_print(struct buf *out, const uint8_t *p, size_t len);
/* Strict, so that equal bytes have one text only: full groups, padding only at the end, unused
 * bits zero, nothing between.  False (malformed, or out is bad) leaves the length of out alone. */
bool base64_parse(struct buf *out, const char *s, size_t len);

#endif
