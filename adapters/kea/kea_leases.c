/* kea_leases.c - reads a Kea lease set: the live file and what its cleanup keeps beside it, whole
 * or from where it was read before, and then what is appended.
 *
 * Two passes over the same open files: the first finds the last row of each address, the second
 * gives those rows out in the order of the files.  In between only one bit a row is kept.
 *
 * A read that ended keeps the live file open and its place in it; from there the next one
 * follows.  A read that failed keeps neither: the one after it compares all files with the place.
 *
 * Kea's cleanup takes the rows of released leases out of the set.  So when all is to be read again
 * although a file is followed, that file is let go only if it is among those that are read;
 * otherwise the cleanup has been at it, and what it has left is given out first.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/kea/kea_follow.h"
#include "adapters/kea/kea_last.h"
#include "adapters/kea/kea_leases.h"
#include "adapters/kea/kea_place.h"
#include "adapters/kea/kea_walk.h"
#include "bridge/base/clock.h"
#include "bridge/base/own.h"

enum {
	BATCH_MAX = 4000,
	TRIES = 6, /* sleeping 20, 40, ... 320 ms between them */
	FIRST_PAUSE_MS = 20,
	/* What shows up just before the deadline of a wait is still read. */
	GRACE_MS = 5000,
	READY = 0, /* there are rows to give out */
	MOVED = 1, /* Kea is at its files, try again */
};

struct kea_leases {
	struct adapter base;
	const char *path; /* path_own, or NULL: standard input */
	char *path_own;
	bool emitting; /* pass 2 is under way */
	bool drained; /* standard input was read */
	bool whole; /* the next read gives everything */
	int answer; /* of this read when it ends */
	struct kea_family family; /* of this read */
	struct kea_last last;
	struct kea_walk walk;
	struct kea_spot from; /* where this read began */
	struct kea_place place; /* where the last one ended */
	struct kea_spot spot; /* the same while held is open, with its header */
	struct kea_file held; /* the live file after a read that ended */
	struct kea_follow follow;
	char cursor[KEA_PLACE_TEXT];
};

static int in_file(const struct kea_leases *a, int r, struct err *e)
{
	const char *suffix = a->walk.file < KEA_FILES ? kea_family_suffix(a->walk.file) : "";

	if (a->path == NULL)
		return err_in(e, r, "standard input");
	return err_in(e, r, "lease file \"%s%s\"", a->path, suffix);
}

static void leave_set(struct kea_leases *a)
{
	kea_family_close(&a->family);
	kea_last_fini(&a->last);
	a->emitting = false;
}

/* Back to the state without open files. */
static void stop(struct kea_leases *a)
{
	leave_set(a);
	own_closep(&a->held.fd);
	a->held.fd = -1;
}

/* ---- pass 1 ------------------------------------------------------------------------------ */

/* A row that is refused later still displaces the rows before it when it is clear whose it is:
 * Kea has newer knowledge of that address than the older row, so giving the older one out could
 * hand the address back to a client that lost it.  Nothing at all is said about it then, and
 * what is known already stands until its own time is over. */
static int index_row(struct kea_leases *a, const char *line, size_t len)
{
	struct ipaddr addr;

	if (kea_row_address(&addr, &a->walk.spot.h, line, len))
		return kea_last_put(&a->last, &addr, a->walk.row);
	return kea_last_mark(&a->last, a->walk.row);
}

static int index_rows(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	const char *line;
	size_t len;
	bool first = true;
	int r;

	kea_walk_start(&a->walk, &a->from);
	a->walk.lines.until_ms = until_ms;
	kea_last_fini(&a->last);
	while ((r = kea_walk_next(&a->walk, &a->family, &line, &len, e)) > 0) {
		if (first)
			kea_last_init(&a->last, a->walk.spot.h.family);
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
	const struct kea_walk *w = &a->walk;

	if (!kea_last_has(&a->last, w->row))
		return 0;
	if (w->lines.cut) {
		obs_batch_refuse(into, w->lines.line_no, "the line is longer than 256 KiB");
		return 0;
	}
	return kea_row_decode(into, &w->spot.h, line, len, w->lines.line_no, w->where);
}

/* The live file stays open, its place is known, the rest is let go. */
static void settle(struct kea_leases *a, const struct kea_spot *spot)
{
	own_closep(&a->held.fd);
	a->spot = *spot;
	a->held = a->family.f[KEA_LIVE];
	a->family.f[KEA_LIVE].fd = -1;
	kea_family_close(&a->family);
	kea_last_fini(&a->last);
	a->emitting = false;
}

/* Remembers how far was read.  The older files are those that were read with it, or, when what
 * came was followed, those that are there now: they came of what was followed. */
static void remember(struct kea_leases *a, const struct kea_spot *spot)
{
	struct kea_place *p = &a->place;

	if (a->answer == ADAPTER_COMPLETE) {
		for (int i = 0; i < KEA_LIVE; i++)
			p->id[i] = a->family.f[i].id;
	} else {
		kea_family_older(p->id, a->path);
	}
	p->id[KEA_LIVE] = a->family.f[KEA_LIVE].id;
	p->offset = spot->offset;
	p->lines = spot->lines;
	p->head_at = spot->head_at;
	p->known = kea_place_sign(p, a->family.f[KEA_LIVE].fd);
	if (!p->known || !kea_place_text(a->cursor, p))
		a->cursor[0] = '\0';
}

static int finish(struct kea_leases *a)
{
	struct kea_spot spot = kea_walk_end(&a->walk);

	if (a->path == NULL) {
		stop(a);
		a->drained = true;
		return ADAPTER_DELTA;
	}
	remember(a, &spot);
	settle(a, &spot);
	return a->answer;
}

static int emit_rows(struct kea_leases *a, struct obs_batch *into, int64_t until_ms, struct err *e)
{
	const char *line;
	size_t len;
	int r;

	a->walk.lines.until_ms = until_ms;
	while ((r = kea_walk_next(&a->walk, &a->family, &line, &len, e)) > 0) {
		if (emit_row(a, into, line, len) < 0)
			return err_nomem(e);
		if (into->n >= BATCH_MAX)
			return ADAPTER_MORE;
	}
	return r < 0 ? in_file(a, r, e) : finish(a);
}

/* ---- the set ----------------------------------------------------------------------------- */

static void pause_before(int try_no, int64_t until_ms)
{
	int64_t at = clock_mono_ms() + ((int64_t)FIRST_PAUSE_MS << try_no);

	clock_sleep_until_ms(at < until_ms ? at : until_ms);
}

static struct kea_spot spot_of(const struct kea_place *p, const struct kea_header *h)
{
	return (struct kea_spot){.file = KEA_LIVE,
				 .offset = p->offset,
				 .lines = p->lines,
				 .head_at = p->head_at,
				 .h = *h};
}

/* Where this read begins: READY or ADAPTER_SAME. */
static int choose(struct kea_leases *a)
{
	struct kea_header h;
	int what = a->whole ? KEA_READ_ALL : kea_place_compare(&a->place, &a->family, &h);

	a->from = (struct kea_spot){0};
	a->answer = ADAPTER_COMPLETE;
	if (what == KEA_READ_ALL)
		return READY;
	a->from = spot_of(&a->place, &h);
	a->answer = ADAPTER_DELTA;
	return what == KEA_READ_NOTHING ? ADAPTER_SAME : READY;
}

/* Opens and indexes the set: READY, MOVED, ADAPTER_SAME or negative. */
static int begin_once(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	int r = kea_family_open(&a->family, a->path, e);
	bool same;

	if (r != 0)
		return r < 0 ? r : MOVED;
	same = choose(a) == ADAPTER_SAME;
	r = same ? 0 : index_rows(a, until_ms, e);
	if (r < 0 && r != ERR_BUSY)
		return r;
	if (r == ERR_BUSY)
		return clock_mono_ms() > until_ms ? r : MOVED;
	if (!kea_family_same(&a->family, a->path)) {
		err_set(e, ERR_BUSY,
			"lease file \"%s\": Kea replaced its files while they were read", a->path);
		return MOVED;
	}
	return same ? ADAPTER_SAME : READY;
}

static int begin(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	int r = MOVED;

	if (a->path == NULL) {
		r = kea_family_stdin(&a->family, until_ms, e);
		return r < 0 ? r : index_rows(a, until_ms, e);
	}
	for (int i = 0; r == MOVED && i < TRIES; i++) {
		leave_set(a);
		if (i > 0)
			pause_before(i - 1, until_ms);
		r = begin_once(a, until_ms, e);
	}
	if (r == MOVED) {
		r = e != NULL ? e->code : ERR_BUSY;
		err_hint(e, "the next pass tries again; see that kea-lfc does not hang");
	}
	if (r == ADAPTER_SAME)
		settle(a, &a->from);
	return r;
}

static int64_t with_grace(int64_t until_ms)
{
	int64_t least = clock_mono_ms() + GRACE_MS;

	return until_ms > least ? until_ms : least;
}

/* ---- following --------------------------------------------------------------------------- */

/* The held file alone, or with the one that took its name. */
static void take_files(struct kea_leases *a, struct kea_file *next)
{
	a->from = a->spot;
	a->answer = ADAPTER_DELTA;
	if (next->fd >= 0) {
		a->from.file = KEA_PREVIOUS;
		a->family.f[KEA_PREVIOUS] = a->held;
		a->family.f[KEA_LIVE] = *next;
	} else {
		a->family.f[KEA_LIVE] = a->held;
	}
	a->held.fd = -1;
}

/* As before take_files: the new file cannot be read yet. */
static int give_back(struct kea_leases *a, struct err *e)
{
	if (a->from.file == KEA_PREVIOUS) {
		a->held = a->family.f[KEA_PREVIOUS];
		a->family.f[KEA_PREVIOUS].fd = -1;
	} else {
		a->held = a->family.f[KEA_LIVE];
		a->family.f[KEA_LIVE].fd = -1;
	}
	kea_family_close(&a->family);
	return kea_follow_not_ready(&a->follow, e);
}

/* READY when there is a row, KEA_QUIET when there is none, KEA_UNSURE or negative. */
static int take_news(struct kea_leases *a, struct kea_file *next, int64_t until_ms, struct err *e)
{
	struct kea_header h;
	int r;

	if (!kea_place_holds(&a->place, a->held.fd, &h)) {
		own_closep(&next->fd);
		return KEA_UNSURE;
	}
	take_files(a, next);
	r = index_rows(a, until_ms, e);
	if (r == ERR_BUSY && a->walk.file == KEA_LIVE && !a->walk.headed)
		return give_back(a, e);
	if (r == ERR_BUSY)
		return KEA_UNSURE; /* became shorter under our eyes */
	if (r == 0 && a->walk.n_rows == 0) {
		finish(a);
		return KEA_QUIET;
	}
	return r;
}

static int look_once(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	struct kea_file next;
	int r = kea_follow_look(&a->follow, &a->held, &next, e);

	return r == KEA_GREW || r == KEA_ROTATED ? take_news(a, &next, until_ms, e) : r;
}

/* What came since the last read, waiting for it: as begin, or ADAPTER_IDLE. */
static int news(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	bool last = false;

	for (;;) {
		int64_t read_ms = with_grace(until_ms);
		int r = look_once(a, read_ms, e);

		if (r == KEA_UNSURE) {
			/* All that was left in it has been given out. */
			stop(a);
			return begin(a, read_ms, e);
		}
		if (r != KEA_QUIET)
			return r;
		if (last)
			return ADAPTER_IDLE;
		last = !kea_follow_wait(&a->follow, until_ms);
	}
}

/* Is the held file among those that are read? */
static bool is_in_set(const struct kea_leases *a)
{
	bool in = false;

	for (int i = 0; i < KEA_FILES; i++)
		in = in || (a->family.f[i].fd >= 0 &&
			    kea_id_same_file(&a->family.f[i].id, &a->held.id));
	return in;
}

/* Everything, or first what is left in the held file: as begin. */
static int all(struct kea_leases *a, int64_t until_ms, struct err *e)
{
	int r = begin(a, until_ms, e);

	if (r != READY || a->held.fd < 0 || is_in_set(a))
		return r;
	leave_set(a);
	r = news(a, clock_mono_ms(), e);
	return r == ADAPTER_IDLE ? ADAPTER_DELTA : r;
}

static int kea_read(struct adapter *base, struct obs_batch *into, int64_t until_ms, struct err *e)
{
	struct kea_leases *a = (struct kea_leases *)base;
	bool follows = a->held.fd >= 0, grace;
	int r = READY;

	if (a->drained)
		return ADAPTER_DELTA;
	if (!a->emitting) {
		r = a->whole    ? all(a, until_ms, e)
		    : follows ? news(a, until_ms, e)
			      : begin(a, until_ms, e);
		a->whole = false;
		if (r == READY) {
			a->emitting = true;
			kea_walk_start(&a->walk, &a->from);
		}
	}
	grace = follows || a->answer == ADAPTER_DELTA;
	if (r == READY)
		r = emit_rows(a, into, grace ? with_grace(until_ms) : until_ms, e);
	if (r < 0)
		stop(a);
	return r;
}

static void kea_whole(struct adapter *base)
{
	struct kea_leases *a = (struct kea_leases *)base;

	a->whole = true;
}

static int64_t kea_ahead(const struct adapter *base)
{
	const struct kea_leases *a = (const struct kea_leases *)base;

	return a->held.fd < 0 || a->emitting ? -1 : kea_id_open(a->held.fd).size - a->spot.offset;
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
	kea_follow_fini(&a->follow);
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
	a->held.fd = -1;
	a->follow = (struct kea_follow)KEA_FOLLOW_INIT;
	a->path_own = strdup(path);
	if (a->path_own == NULL || kea_follow_init(&a->follow, a->path_own, e) < 0 ||
	    kea_lines_init(&a->walk.lines, e) < 0) {
		kea_close(&a->base);
		return err_nomem(e);
	}
	a->path = strcmp(path, "-") == 0 ? NULL : a->path_own;
	if (cursor != NULL && a->path != NULL && kea_place_parse(&a->place, cursor))
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
    .follows = true,
    .keys = kea_keys,
    .open = kea_open,
    .read = kea_read,
    .whole = kea_whole,
    .ahead = kea_ahead,
    .cursor = kea_cursor,
    .close = kea_close,
};
