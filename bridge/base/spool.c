/* spool.c - see spool.h.
 *
 * The file, all numbers big endian:
 *
 *	"ipaspool"                 8 bytes
 *	where reading goes on      8
 *	where the records end      8
 *	records lost               8
 *	CRC of the 32 bytes above  4
 *	then records: length 4, CRC of the length and the bytes 4, the bytes
 *
 * The CRC is CRC-32/ISO-HDLC, that of Ethernet and zip.  A writer puts its record behind the
 * end, moves the end, gives the lock back and calls fsync: one that dies before leaves bytes
 * behind the end, which the next writer overwrites.  After a loss of power the header can be newer than
 * the records: then a CRC or a length does not fit, and everything up to the end is given up as
 * one damage.  There is no search for the next good record: bytes in a record are a client's
 * to choose, and could look like one.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/base/clock.h"
#include "bridge/base/own.h"
#include "bridge/base/spool.h"

enum { HEADER = 36, PREFIX = 8, LOCK_STEP_MS = 2 };

static const char magic[8] = {'i', 'p', 'a', 's', 'p', 'o', 'o', 'l'};

struct header {
	int64_t at, end;
	uint64_t lost;
};

/* ---- bytes ------------------------------------------------------------------------------- */

static uint32_t crc32_add(uint32_t crc, const uint8_t *p, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (UINT32_C(0xedb88320) & -(crc & 1));
	}
	return ~crc;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32));
	put_u32(p + 4, (uint32_t)v);
}

static uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* ---- the file ---------------------------------------------------------------------------- */

static int failed(const struct spool *s, const char *what, struct err *e)
{
	int code = errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_SYS;

	err_sys(e, errno, "spool \"%s\": %s", s->path, what);
	if (e != NULL)
		e->code = code;
	return code;
}

static int write_at(const struct spool *s, const void *p, size_t len, int64_t at, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(s->fd, (const char *)p + done, len - done,
				   at + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(s, "writing", e);
		done += (size_t)n;
	}
	return 0;
}

/* How many bytes there were: fewer than len at the end of the file; negative. */
static ssize_t read_at(const struct spool *s, void *p, size_t len, int64_t at, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(s->fd, (char *)p + done, len - done, at + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(s, "reading", e);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int64_t size_of(const struct spool *s)
{
	struct stat st;

	return fstat(s->fd, &st) == 0 ? st.st_size : 0;
}

/* A header that cannot be believed: everything is read again, and something may be missing. */
static void header_guess(struct header *h, int64_t size)
{
	h->at = HEADER;
	h->end = size > HEADER ? size : HEADER;
	h->lost = size > 0;
}

static int header_get(struct header *h, const struct spool *s, struct err *e)
{
	uint8_t b[HEADER];
	ssize_t n = read_at(s, b, sizeof(b), 0, e);

	if (n < 0)
		return (int)n;
	header_guess(h, size_of(s));
	if (n < HEADER || memcmp(b, magic, sizeof(magic)) != 0 ||
	    crc32_add(0, b, HEADER - 4) != get_u32(b + HEADER - 4))
		return 0;
	h->at = (int64_t)get_u64(b + 8);
	h->end = (int64_t)get_u64(b + 16);
	h->lost = get_u64(b + 24);
	if (h->at < HEADER || h->end < h->at)
		header_guess(h, size_of(s));
	return 0;
}

static int header_put(const struct header *h, const struct spool *s, struct err *e)
{
	uint8_t b[HEADER];

	memcpy(b, magic, sizeof(magic));
	put_u64(b + 8, (uint64_t)h->at);
	put_u64(b + 16, (uint64_t)h->end);
	put_u64(b + 24, h->lost);
	put_u32(b + HEADER - 4, crc32_add(0, b, HEADER - 4));
	return write_at(s, b, sizeof(b), 0, e);
}

static int to_disk(const struct spool *s, struct err *e)
{
	return fsync(s->fd) < 0 ? failed(s, "fsync", e) : 0;
}

/* Takes the lock and reads the header. */
static int begin(struct spool *s, struct header *h, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + SPOOL_WAIT_MS;
	int r;

	while (flock(s->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failed(s, "locking", e);
		if (clock_mono_ms() >= until_ms)
			return err_set(e, ERR_BUSY, "spool \"%s\" is locked by another process",
				       s->path);
		clock_sleep_until_ms(clock_mono_ms() + LOCK_STEP_MS);
	}
	if (spool_removed(s))
		r = err_set(e, ERR_SYS, "spool \"%s\" was removed", s->path);
	else
		r = header_get(h, s, e);
	if (r < 0)
		flock(s->fd, LOCK_UN);
	return r;
}

static int end(const struct spool *s, int r)
{
	flock(s->fd, LOCK_UN);
	return r;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* A new file whose directory is not on disk is gone after a loss of power. */
static int created(const struct spool *s, struct err *e)
{
	const char *slash = strrchr(s->path, '/');
	AUTO(own_freep) char *dir = slash != NULL ? strndup(s->path, (size_t)(slash - s->path) + 1)
						  : strdup(".");
	AUTO(own_closep) int fd = dir != NULL ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	/* Whatever the umask says: the other side is of the group. */
	if (fchmod(s->fd, 0660) < 0 || fd < 0 || fsync(fd) < 0)
		return failed(s, "making it", e);
	return 0;
}

int spool_open(struct spool *s, const char *path, struct err *e)
{
	const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	struct stat st;

	*s = (struct spool)SPOOL_INIT;
	s->path = strdup(path);
	if (s->path == NULL)
		return err_nomem(e);
	s->fd = open(path, flags | O_CREAT | O_EXCL, 0660);
	if (s->fd >= 0)
		return created(s, e);
	if (errno == EEXIST)
		s->fd = open(path, flags);
	if (s->fd < 0)
		return failed(s, "opening", e);
	if (fstat(s->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_CONF, "spool \"%s\" is no file", path);
	return 0;
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	*s = (struct spool)SPOOL_INIT;
}

bool spool_removed(const struct spool *s)
{
	struct stat st;

	return s->fd >= 0 && fstat(s->fd, &st) == 0 && st.st_nlink == 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static int put_record(const struct spool *s, struct header *h, const void *p, size_t len,
		      struct err *e)
{
	uint8_t prefix[PREFIX];
	int r;

	put_u32(prefix, (uint32_t)len);
	put_u32(prefix + 4, crc32_add(crc32_add(0, prefix, 4), p, len));
	if ((r = write_at(s, prefix, PREFIX, h->end, e)) < 0 ||
	    (r = write_at(s, p, len, h->end + PREFIX, e)) < 0)
		return r;
	h->end += PREFIX + (int64_t)len;
	return 0;
}

/* What a full disk refuses is counted too: the header's place is there already. */
static int append(struct spool *s, struct header *h, const void *p, size_t len, int64_t max,
		  struct err *e)
{
	bool full = h->end > max - PREFIX - (int64_t)len;
	int r = full ? SPOOL_FULL : put_record(s, h, p, len, e);
	int w;

	if (r != 0)
		h->lost++;
	w = header_put(h, s, e);
	return w < 0 ? w : r;
}

int spool_append(struct spool *s, const void *p, size_t len, int64_t max, struct err *e)
{
	struct header h;
	int r, w;

	if (len == 0 || len > SPOOL_RECORD_MAX)
		return err_set(e, ERR_BUG, "a record of %zu bytes", len);
	r = begin(s, &h, e);
	if (r < 0)
		return r;
	r = end(s, append(s, &h, p, len, max, e));
	/* Without the lock: the disk then serves all who wait for it at once. */
	w = to_disk(s, e);
	return w < 0 ? w : r;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* The record at s->at: 1; 0 when the bytes there are none; negative. */
static int take(struct spool *s, const struct header *h, struct buf *out, struct err *e)
{
	uint8_t prefix[PREFIX];
	ssize_t n = read_at(s, prefix, PREFIX, s->at, e);
	uint32_t len = n == PREFIX ? get_u32(prefix) : 0;
	char *room;

	if (n < 0)
		return (int)n;
	if (len == 0 || len > SPOOL_RECORD_MAX || s->at + PREFIX + (int64_t)len > h->end)
		return 0;
	room = buf_reserve(out, len);
	if (room == NULL)
		return err_nomem(e);
	n = read_at(s, room, len, s->at + PREFIX, e);
	if (n < 0)
		return (int)n;
	if (n < (ssize_t)len ||
	    crc32_add(crc32_add(0, prefix, 4), (uint8_t *)room, len) != get_u32(prefix + 4))
		return 0;
	out->len += len;
	out->p[out->len] = '\0';
	s->at += PREFIX + (int64_t)len;
	return 1;
}

static int next(struct spool *s, const struct header *h, struct buf *out, struct err *e)
{
	int r;

	s->lost = h->lost;
	if (s->at < h->at || s->at > h->end)
		s->at = h->at;
	if (s->at == h->end)
		return 0;
	r = take(s, h, out, e);
	if (r == 0) {
		s->damaged++;
		s->at = h->end;
	}
	return r;
}

int spool_next(struct spool *s, struct buf *out, struct err *e)
{
	struct header h;
	int r = begin(s, &h, e);

	return r < 0 ? r : end(s, next(s, &h, out, e));
}

static int commit(struct spool *s, struct header *h, struct err *e)
{
	bool empty = s->at == h->end;
	int r;

	if (s->at == h->at && s->lost == 0 && s->damaged == 0)
		return 0;
	h->lost -= s->lost < h->lost ? s->lost : h->lost;
	h->at = empty ? HEADER : s->at;
	h->end = empty ? HEADER : h->end;
	/* The header first: a file that is shorter than it says would look damaged. */
	if ((r = header_put(h, s, e)) < 0 || (r = to_disk(s, e)) < 0)
		return r;
	if (empty && ftruncate(s->fd, HEADER) < 0)
		return failed(s, "truncating", e);
	s->at = h->at;
	s->lost = 0;
	s->damaged = 0;
	return 0;
}

int spool_commit(struct spool *s, struct err *e)
{
	struct header h;
	int r;

	if (s->at == 0)
		return 0; /* nothing was read */
	r = begin(s, &h, e);
	return r < 0 ? r : end(s, commit(s, &h, e));
}
