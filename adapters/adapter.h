/* adapter.h - a source of observations as a row of functions.
 *
 * An adapter is I/O (x.c) around a decoder (x_decode.c: bytes to observations, no file
 * descriptor, its own fuzz target).  It may die at any line: its cursor is stored together with
 * the observations it led to.
 */
#ifndef ADAPTERS_ADAPTER_H
#define ADAPTERS_ADAPTER_H

#include "bridge/base/err.h"
#include "bridge/value/obs.h"
#include "bridge/value/setting.h"

enum {
	ADAPTER_MORE = 0,      /* the batch holds observations, read again for more */
	ADAPTER_IDLE = 1,      /* nothing new until the deadline */
	ADAPTER_COMPLETE = 2,  /* the batch ends a proper snapshot: what it did not show is absent */
	ADAPTER_SAME = 3,      /* the source is byte for byte what the cursor says: nothing to do */
	ADAPTER_DELTA = 4,     /* everything there is was read, but absence means nothing */
	ADAPTER_LOST = 5,      /* as DELTA, but events were lost: compare the confirming source in full */
};

struct adapter {
	const struct adapter_ops *ops;
};

struct adapter_ops {
	const char *type;                 /* as the configuration spells it */
	enum obs_kind kind;               /* of its observations */
	bool events;                      /* told, not read: answers only in the daemon */
	bool follows;                     /* after the end of a read the next waits for news */
	const struct setting_key *keys;   /* settings it accepts */
	/* The cursor is what cursor() answered after an earlier complete read, or NULL. */
	int (*open)(struct adapter **out, const struct settings *set, const char *cursor,
		    struct err *e);
	/* Blocks until until_ms (monotonic) at most.  One of the ADAPTER_ answers; negative: the
	 * source could not be read, reopen.  The batch is reset by the caller before each call;
	 * a call adds at most a few thousand observations. */
	int (*read)(struct adapter *a, struct obs_batch *into, int64_t until_ms, struct err *e);
	/* The next read is to give everything, as after open without a cursor.  What the adapter has
	 * followed is not let go before all of it was given out: until then the answer is still
	 * ADAPTER_DELTA, and the wish is to be told again.  NULL: only a new open does that. */
	void (*whole)(struct adapter *a);
	/* Bytes that are there to be read; negative: it can't be told now.  NULL: never. */
	int64_t (*ahead)(const struct adapter *a);
	/* Where we are, as text for the next open; valid until the next call. NULL: no cursor. */
	const char *(*cursor)(struct adapter *a);
	void (*close)(struct adapter *a);
};

/* NULL when no adapter has this type. */
const struct adapter_ops *adapter_find(const char *type);
/* i-th adapter, NULL after the last: for help texts and import. */
const struct adapter_ops *adapter_at(size_t i);

#endif
