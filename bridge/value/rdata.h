/* rdata.h - the text of RDATA that is not what its type says (RFC 3597 5): "\# LENGTH HEX".
 *
 * For rr.c and rrtype.c only.
 */
#ifndef BRIDGE_VALUE_RDATA_H
#define BRIDGE_VALUE_RDATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/base/buf.h"

void rdata_print_raw(struct buf *out, const uint8_t *rdata, uint16_t len);
/* One spelling only: lower case, no blanks within the digits. */
bool rdata_parse_raw(struct buf *out, const char *s, size_t len);

#endif
