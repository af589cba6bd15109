/* kea_walk.c - from file to file, from line to line, with the header that counts there. */

#include <stdio.h>
#include <string.h>

#include "adapters/kea/kea_walk.h"

void kea_walk_start(struct kea_walk *w, const struct kea_spot *from)
{
	w->spot = from != NULL ? *from : (struct kea_spot){0};
	w->file = w->spot.file;
	w->started = false;
	w->headed = false;
	w->n_rows = 0;
}

static void start_lines(struct kea_walk *w, const struct kea_file *f)
{
	bool again = w->file == w->spot.file && w->spot.h.family != 0;

	kea_lines_start(&w->lines, f->fd, again ? w->spot.offset : 0, again ? w->spot.lines : 0,
			f->id.size, w->file == KEA_LIVE);
	w->headed = again;
}

/* On to the next file of the set: false after the last. */
static bool next_file(struct kea_walk *w, const struct kea_family *k)
{
	if (w->started)
		w->file++;
	while (w->file < KEA_FILES && k->f[w->file].fd < 0)
		w->file++;
	w->started = w->file < KEA_FILES;
	if (!w->started)
		return false;
	start_lines(w, &k->f[w->file]);
	w->where[0] = '\0';
	if (w->file != KEA_LIVE && k->f[KEA_LIVE].fd >= 0)
		snprintf(w->where, sizeof(w->where), "in %s: ", kea_family_suffix(w->file));
	return true;
}

/* 1: a header, taken; 0: a row; negative: this is no lease file. */
static int take_header(struct kea_walk *w, const char *line, size_t len, int64_t at,
		       struct err *e)
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
	if (w->spot.h.family != 0 && h.family != w->spot.h.family)
		return err_set(e, ERR_PROTO, "DHCPv4 and DHCPv6 leases are mixed");
	w->spot.h = h;
	w->spot.head_at = at;
	w->headed = true;
	return 1;
}

/* A file without header says nothing, and nothing is not "no leases". */
static int unheaded(const struct kea_walk *w, struct err *e)
{
	if (w->file == KEA_LIVE)
		return err_set(e, ERR_BUSY, "has no header yet");
	return err_set(e, ERR_PROTO, "has no header");
}

int kea_walk_next(struct kea_walk *w, const struct kea_family *k, const char **line, size_t *len,
		  struct err *e)
{
	for (;;) {
		int64_t at;
		int r;

		if (!w->started && !next_file(w, k))
			return 0;
		at = w->lines.done;
		r = kea_lines_next(&w->lines, line, len, e);
		if (r == 0) {
			if (!w->headed)
				return unheaded(w, e);
			if (!next_file(w, k))
				return 0;
			continue;
		}
		if (r < 0)
			return r;
		if (*len == 0)
			continue;
		r = take_header(w, *line, *len, at, e);
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

struct kea_spot kea_walk_end(const struct kea_walk *w)
{
	struct kea_spot s = w->spot;

	s.file = KEA_LIVE;
	s.offset = w->lines.done;
	s.lines = w->lines.done_lines;
	return s;
}
