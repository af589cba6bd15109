/* kea_leases.c - reads a whole Kea lease set: the live file and what its cleanup keeps beside it.
 *
 * Two passes over the same open files: the first finds the last row of each address, the second
 * gives those rows out in the order of the files.  In between only one bit a row is kept.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/kea/kea_family.h"
#include "adapters/kea/kea_last.h"
#include "adapters/kea/kea_leases.h"
#include "adapters/kea/kea_leases_decode.h"
#include "adapters/kea/kea_lines.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum {
	BATCH_MAX = 4000,
	TRIES = 6, /* sleeping 20, 40, ... 320 ms between them */
	FIRST_PAUSE_MS = 20,
	MOVED = 1, /* Kea is at its files, try again */
};

/* A walk over all rows of all files, the same in both passes. */
struct walk {
	struct kea_lines lines;
	int file; /* KEA_FILES: at the end */
	bool started; /* this file's lines */
	bool headed; /* this file's header was read */
	struct kea_header h; /* family 0 before the first one */
	uint32_t row; /* of the row given out last, from 0 */
	uint32_t n_rows;
	char where[32]; /* "in x.1: ", for the reasons of refused rows */
};

struct kea_leases {
	struct adapter base;
	const char *path; /* path_own, or NULL: standard input */
	char *path_own;
	bool emitting; /* pass 2 is under way */
	bool drained; /* standard input was read */
	struct kea_family family;
	struct kea_last last;
	struct walk walk;
	char cursor[sizeof(((struct kea_family *)NULL)->cursor)];
};

/* ---- walking ----------------------------------------------------------------------------- */

static void walk_start(struct walk *w)
{
	w->file = 0;
	w->started = false;
	w->headed = false;
	w->h.family = 0;
	w->n_rows = 0;
}

/* On to the next file of the set: false after the last. */
static bool walk_file(struct walk *w, const struct kea_family *k)
{
	if (w->started)
		w->file++;
	while (w->file < KEA_FILES && k->f[w->file].fd < 0)
		w->file++;
	w->started = w->file < KEA_FILES;
	if (!w->started)
		return false;
	kea_lines_start(&w->lines, k->f[w->file].fd, k->f[w->file].size, w->file == KEA_LIVE);
	w->headed = false;
	w->where[0] = '\0';
	if (w->file != KEA_LIVE && k->f[KEA_LIVE].fd >= 0)
		snprintf(w->where, sizeof(w->where), "in %s: ", kea_family_suffix(w->file));
	return true;
}

/* 1: a header, taken; 0: a row; negative: this is no lease file. */
static int walk_header(struct walk *w, const char *line, size_t len, struct err *e)
{
	struct kea_header h;
	const char *why;

	if (w->headed && !kea_is_header(line, len))
		return 0;
	if (!kea_header_parse(&h, line, len, &why)) {
		if (w->headed)
			return 0;
		err_set(e, ERR_PROTO, "%s", why);
		err_hint(e, "is it the file that \"lease-database\" in Kea's configuration names?");
		return ERR_PROTO;
	}
	if (w->h.family != 0 && h.family != w->h.family)
		return err_set(e, ERR_PROTO, "DHCPv4 and DHCPv6 leases are mixed");
	w->h = h;
	w->headed = true;
	return 1;
}

/* A file without header says nothing, and nothing is not "no leases". */
static int walk_unheaded(const struct walk *w, struct err *e)
{
	if (w->file == KEA_LIVE)
		return err_set(e, ERR_BUSY, "has no header yet");
	return err_set(e, ERR_PROTO, "has no header");
}

/* 1: a row; 0: no more; negative. */
static int walk_next(struct walk *w, const struct kea_family *k, const char **line, size_t *len,
		     struct err *e)
{
	for (;;) {
		int r;

		if (!w->started && !walk_file(w, k))
			return 0;
		r = kea_lines_next(&w->lines, line, len, e);
		if (r == 0) {
			if (!w->headed)
				return walk_unheaded(w, e);
			if (!walk_file(w, k))
				return 0;
			continue;
		}
		if (r < 0)
			return r;
		if (*len == 0)
			continue;
		r = walk_header(w, *line, *len, e);
		if (r < 0)
			return r;
		if (r == 1)
			continue;
		if (w->n_rows == UINT32_MAX - 1)
			return err_set(e, ERR_PROTO, "has more than 4 billion rows");
		w->row = w->n_rows++;
		return 1;
	}
}

static int in_file(const struct kea_leases *a, int r, struct err *e)
{
	const char *suffix = a->walk.file < KEA_FILES ? kea_family_suffix(a->walk.file) : "";

	if (a->path == NULL)
		return err_in(e, r, "standard input");
	return err_in(e, r, "lease file \"%s%s\"", a->path, suffix);
}

/* ---- pass 1 ------------------------------------------------------------------------------ */

/* A row that is refused later still displaces the rows before it when it is clear whose it is:
 * Kea has newer knowledge of that address than the older row, so giving the older one out could
 * hand the address back to a client that lost it.  Nothing at all is said about it then, and
 * what is known already stands until its own time is over. */
static int index_row(struct kea_leases *a, const char *line, size_t len)
{
	struct ipaddr addr;

	if (kea_row_address(&addr, &a->walk.h, line, len))
		return kea_last_put(&a->last, &addr, a->walk.row);
	return kea_last_mark(&a->last, a->walk.row);
}

static int index_rows(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	const char *line;
	size_t len;
	bool first = true;
	int r;

	walk_start(&a->walk);
	a->walk.lines.until_ms = until_ms;
	kea_last_fini(&a->last);
	while ((r = walk_next(&a->walk, &a->family, &line, &len, e)) > 0) {
		if (first)
			kea_last_init(&a->last, a->walk.h.family);
		first = false;
		if (index_row(a, line, len) < 0)
			return err_nomem(e);
	}
	if (r < 0)
		return in_file(a, r, e);
	kea_last_seal(&a->last);
	return 0;
}

/* ---- pass 2 ------------------------------------------------------------------------------ */

static int emit_row(struct kea_leases *a, struct obs_batch *into, const char *line, size_t len)
{
	const struct walk *w = &a->walk;

	if (!kea_last_has(&a->last, w->row))
		return 0;
	if (w->lines.cut) {
		obs_batch_refuse(into, w->lines.line_no, "the line is longer than 256 KiB");
		return 0;
	}
	return kea_row_decode(into, &w->h, line, len, w->lines.line_no, w->where);
}

static void stop(struct kea_leases *a)
{
	kea_family_close(&a->family);
	kea_last_fini(&a->last);
	a->emitting = false;
}

static int emit_rows(struct kea_leases *a, struct obs_batch *into, int64_t until_ms, struct err *e)
{
	const char *line;
	size_t len;
	int r;

	a->walk.lines.until_ms = until_ms;
	while ((r = walk_next(&a->walk, &a->family, &line, &len, e)) > 0) {
		if (emit_row(a, into, line, len) < 0)
			return err_nomem(e);
		if (into->n >= BATCH_MAX)
			return ADAPTER_MORE;
	}
	if (r < 0)
		return in_file(a, r, e);
	if (a->path == NULL) {
		a->drained = true;
		return ADAPTER_DELTA;
	}
	memcpy(a->cursor, a->family.cursor, sizeof(a->cursor));
	return ADAPTER_COMPLETE;
}

/* ---- the set ----------------------------------------------------------------------------- */

static void pause_before(int try_no, int64_t until_ms)
{
	int64_t at = clock_mono_ms() + ((int64_t)FIRST_PAUSE_MS << try_no);

	clock_sleep_until_ms(at < until_ms ? at : until_ms);
}

/* Opens and indexes the set: 0, MOVED, ADAPTER_SAME or negative. */
static int begin_once(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	int r = kea_family_open(&a->family, a->path, e);

	if (r != 0)
		return r < 0 ? r : MOVED;
	if (strcmp(a->family.cursor, a->cursor) == 0 && kea_family_same(&a->family, a->path))
		return ADAPTER_SAME;
	r = index_rows(a, until_ms, e);
	if (r < 0 && r != ERR_BUSY)
		return r;
	if (r == ERR_BUSY)
		return clock_mono_ms() > until_ms ? r : MOVED;
	if (!kea_family_same(&a->family, a->path)) {
		err_set(e, ERR_BUSY,
			"lease file \"%s\": Kea replaced its files while they were read", a->path);
		return MOVED;
	}
	return 0;
}

static int begin(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	int r = MOVED;

	if (a->path == NULL) {
		r = kea_family_stdin(&a->family, until_ms, e);
		return r < 0 ? r : index_rows(a, until_ms, e);
	}
	for (int i = 0; r == MOVED && i < TRIES; i++) {
		stop(a);
		if (i > 0)
			pause_before(i - 1, until_ms);
		r = begin_once(a, until_ms, e);
	}
	if (r == MOVED) {
		r = e != NULL ? e->code : ERR_BUSY;
		err_hint(e, "the next pass tries again; see that kea-lfc does not hang");
	}
	return r;
}

static int kea_read(struct adapter *base, struct obs_batch *into, int64_t until_ms, struct err *e)
{
	struct kea_leases *a = (struct kea_leases *)base;
	int r;

	if (a->drained)
		return ADAPTER_DELTA;
	if (!a->emitting) {
		r = begin(a, until_ms, e);
		if (r != 0) {
			stop(a);
			return r;
		}
		a->emitting = true;
		walk_start(&a->walk);
	}
	r = emit_rows(a, into, until_ms, e);
	if (r != ADAPTER_MORE)
		stop(a);
	return r;
}

static const char *kea_cursor(struct adapter *base)
{
	const struct kea_leases *a = (const struct kea_leases *)base;

	return a->cursor[0] != '\0' ? a->cursor : NULL;
}

static void kea_close(struct adapter *base)
{
	struct kea_leases *a = (struct kea_leases *)base;

	if (a == NULL)
		return;
	stop(a);
	kea_lines_fini(&a->walk.lines);
	free(a->path_own);
	free(a);
}

static int kea_open(struct adapter **out, const struct settings *set, const char *cursor,
		    struct err *e)
{
	const char *path = settings_str(set, "file", NULL);
	struct kea_leases *a;

	if (path == NULL || path[0] == '\0')
		return err_set(e, ERR_CONF, "a source of type kea-leases needs \"file\"");
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return err_nomem(e);
	a->base.ops = &kea_leases_ops;
	a->family = (struct kea_family)KEA_FAMILY_INIT;
	a->path_own = strdup(path);
	if (a->path_own == NULL || kea_lines_init(&a->walk.lines, e) < 0) {
		kea_close(&a->base);
		return err_nomem(e);
	}
	a->path = strcmp(path, "-") == 0 ? NULL : a->path_own;
	if (cursor != NULL && a->path != NULL && strlen(cursor) < sizeof(a->cursor))
		memcpy(a->cursor, cursor, strlen(cursor) + 1);
	*out = &a->base;
	return 0;
}

static const struct setting_key kea_keys[] = {
    {"file", SETTING_STR, true,
     "Kea's live lease file; those its cleanup leaves beside it are found; - is standard input"},
    {NULL, SETTING_STR, false, NULL},
};

const struct adapter_ops kea_leases_ops = {
    .type = "kea-leases",
    .kind = OBS_LEASE,
    .keys = kea_keys,
    .open = kea_open,
    .read = kea_read,
    .cursor = kea_cursor,
    .close = kea_close,
};
