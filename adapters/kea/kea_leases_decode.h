/* kea_leases_decode.h - one line of a Kea memfile lease file to one observation.
 *
 * Kea's CSV is not RFC 4180: no quotes, a comma inside a field is written "&#x2c", a newline in
 * a host name is written as it is and breaks the row in two.  Columns are found by the names in
 * the header, because versions differ and only ever append.
 */
#ifndef ADAPTERS_KEA_KEA_LEASES_DECODE_H
#define ADAPTERS_KEA_KEA_LEASES_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/value/obs.h"

enum kea_column {
	KEA_ADDRESS,
	KEA_HWADDR,
	KEA_CLIENT_ID,
	KEA_DUID,
	KEA_VALID_LIFETIME,
	KEA_EXPIRE,
	KEA_SUBNET_ID,
	KEA_PREF_LIFETIME,
	KEA_LEASE_TYPE,
	KEA_IAID,
	KEA_PREFIX_LEN,
	KEA_FQDN_FWD,
	KEA_FQDN_REV,
	KEA_HOSTNAME,
	KEA_STATE,
	KEA_COLUMNS,
};

enum { KEA_NO_COLUMN = 255, KEA_MAX_COLUMNS = 64, KEA_RAW_MAX = 512 };

struct kea_header {
	uint8_t family;           /* 4 or 6 */
	uint8_t n;                /* columns this header names */
	uint8_t n_max;            /* columns a row may have */
	uint8_t at[KEA_COLUMNS];  /* position, or KEA_NO_COLUMN */
};

/* Does the line look like a header at all?  A header can come again inside a file when
 * somebody joined files. */
bool kea_is_header(const char *line, size_t len);
/* False when this is no lease file we understand; *why is then a static sentence. */
bool kea_header_parse(struct kea_header *out, const char *line, size_t len, const char **why);

/* The address the row speaks for, also when the row will be refused.  False: for none, because
 * the address does not parse or the row ends before its host name does: such a piece of a
 * broken row must not displace the good row of whatever address it starts with. */
bool kea_row_address(struct ipaddr *out, const struct kea_header *h, const char *line, size_t len);

/* Adds an observation, counts a skipped row or refuses it.  record is the line number, where
 * goes before the reason ("" or "in x.1: ").  0 or ERR_NOMEM. */
int kea_row_decode(struct obs_batch *into, const struct kea_header *h, const char *line,
		   size_t len, uint64_t record, const char *where);

#endif
