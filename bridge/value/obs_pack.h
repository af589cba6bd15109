/* obs_pack.h - observations as bytes, for a spool that waits for the database.
 *
 * The form is this program's own and may change with it: what an older one left behind and this
 * one does not understand is refused as a whole.
 */
#ifndef BRIDGE_VALUE_OBS_PACK_H
#define BRIDGE_VALUE_OBS_PACK_H

#include "bridge/base/buf.h"
#include "bridge/value/obs.h"

/* Appends one observation; out->bad when there is no memory. */
void obs_pack(struct buf *out, const struct obs *o);
/* Adds the observation of exactly these bytes to the batch.  0; 1: they make no sense;
 * ERR_NOMEM. */
int obs_unpack(struct obs_batch *into, const void *p, size_t len);

#endif
