/* kea_lines.c - lines by pread. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/kea/kea_lines.h"
#include "bridge/base/clock.h"

int kea_lines_init(struct kea_lines *l, struct err *e)
{
	*l = (struct kea_lines){.fd = -1};
	l->buf = malloc(KEA_CHUNK);
	return l->buf != NULL ? 0 : err_nomem(e);
}

void kea_lines_fini(struct kea_lines *l)
{
	free(l->buf);
	l->buf = NULL;
}

void kea_lines_start(struct kea_lines *l, int fd, int64_t from, uint64_t lines, int64_t size,
		     bool live)
{
	l->fd = fd;
	l->at = l->done = from;
	l->size = size;
	l->live = live;
	l->line_no = l->done_lines = lines;
	l->cut = false;
	l->pos = l->have = 0;
}

/* Moves what is left to the front and fills up.  1: more bytes than before; 0: end of file. */
static int refill(struct kea_lines *l, struct err *e)
{
	size_t left = l->have - l->pos;
	size_t want = KEA_CHUNK - left;
	ssize_t n;

	memmove(l->buf, l->buf + l->pos, left);
	l->pos = 0;
	l->have = left;
	if ((int64_t)want > l->size - l->at)
		want = (size_t)(l->size - l->at);
	if (want == 0)
		return 0;
	if (clock_mono_ms() > l->until_ms)
		return err_set(e, ERR_BUSY, "reading took longer than its deadline");
	do
		n = pread(l->fd, l->buf + left, want, (off_t)l->at);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "reading");
	if (n == 0)
		return err_set(e, ERR_BUSY, "became shorter while it was read");
	l->at += n;
	l->have += (size_t)n;
	return 1;
}

/* The line that was given out ends just before pos. */
static void line_is_done(struct kea_lines *l)
{
	l->done = l->at - (int64_t)(l->have - l->pos);
	l->done_lines = l->line_no;
}

static void hand_out(struct kea_lines *l, const char **line, size_t *len, size_t n, size_t skip)
{
	*line = l->buf + l->pos;
	*len = n;
	/* Files that went through other systems: CR LF. */
	if (n > 0 && (*line)[n - 1] == '\r')
		(*len)--;
	l->pos += n + skip;
	l->line_no++;
}

/* Passes over the rest of a line that was cut. */
static int skip_rest(struct kea_lines *l, struct err *e)
{
	for (;;) {
		const char *nl = memchr(l->buf + l->pos, '\n', l->have - l->pos);
		int r;

		if (nl != NULL) {
			l->pos = (size_t)(nl - l->buf) + 1;
			l->cut = false;
			line_is_done(l);
			return 1;
		}
		l->pos = l->have;
		r = refill(l, e);
		if (r <= 0)
			return r;
	}
}

int kea_lines_next(struct kea_lines *l, const char **line, size_t *len, struct err *e)
{
	size_t seen = 0;
	int r;

	if (l->cut && (r = skip_rest(l, e)) <= 0)
		return r;
	for (;;) {
		size_t left = l->have - l->pos;
		const char *p = l->buf + l->pos;
		const char *nl = memchr(p + seen, '\n', left - seen);

		if (nl != NULL) {
			hand_out(l, line, len, (size_t)(nl - p), 1);
			line_is_done(l);
			return 1;
		}
		if (left == KEA_CHUNK) {
			hand_out(l, line, len, left, 0);
			l->cut = true;
			return 1;
		}
		seen = left;
		r = refill(l, e);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	if (l->have == l->pos || l->live)
		return 0;
	hand_out(l, line, len, l->have - l->pos, 0);
	return 1;
}
