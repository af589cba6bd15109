/* kea_place.c - the place as text, and the check that a file still is what was read. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/kea/kea_place.h"
#include "bridge/base/hash.h"

enum {
	HEAD_MAX = 2048, /* a header with every column there is has 200 bytes */
	TAIL_MAX = 512,  /* covers at least a usual last row */
};

/* ---- text -------------------------------------------------------------------------------- */

static int print_id(char *out, size_t room, int which, const struct kea_id *id)
{
	return snprintf(out, room, " X%s:%" PRIu64 ":%" PRIu64 ":%" PRId64 ":%" PRId64,
			kea_family_suffix(which), id->dev, id->ino, id->size, id->mtime_ns);
}

bool kea_place_text(char out[KEA_PLACE_TEXT], const struct kea_place *p)
{
	size_t at = (size_t)snprintf(out, KEA_PLACE_TEXT, "v2");

	for (int i = 0; i < KEA_FILES && at < KEA_PLACE_TEXT; i++) {
		if (p->id[i].ino != 0)
			at += (size_t)print_id(out + at, KEA_PLACE_TEXT - at, i, &p->id[i]);
	}
	if (at < KEA_PLACE_TEXT)
		at += (size_t)snprintf(out + at, KEA_PLACE_TEXT - at,
				       " %" PRId64 ":%" PRIu64 ":%" PRId64 ":%016" PRIx64,
				       p->offset, p->lines, p->head_at, p->sum);
	if (at >= KEA_PLACE_TEXT)
		out[0] = '\0';
	return at < KEA_PLACE_TEXT;
}

/* Bytes taken; 0 when the text does not begin with this file. */
static int scan_id(struct kea_id *id, const char *text, int which)
{
	char label[16];
	int n = snprintf(label, sizeof(label), " X%s:", kea_family_suffix(which)), used = 0;

	if (strncmp(text, label, (size_t)n) != 0 ||
	    sscanf(text + n, "%" SCNu64 ":%" SCNu64 ":%" SCNd64 ":%" SCNd64 "%n", &id->dev,
		   &id->ino, &id->size, &id->mtime_ns, &used) != 4) {
		*id = (struct kea_id){0};
		return 0;
	}
	return n + used;
}

bool kea_place_parse(struct kea_place *p, const char *text)
{
	char again[KEA_PLACE_TEXT];
	const char *at = text + 2;

	*p = (struct kea_place){0};
	if (strncmp(text, "v2 ", 3) != 0)
		return false;
	for (int i = 0; i < KEA_FILES; i++)
		at += scan_id(&p->id[i], at, i);
	p->known = sscanf(at, " %" SCNd64 ":%" SCNu64 ":%" SCNd64 ":%" SCNx64, &p->offset,
			  &p->lines, &p->head_at, &p->sum) == 4 &&
		   p->id[KEA_LIVE].ino != 0 && p->head_at >= 0 && p->head_at < p->offset &&
		   p->offset <= p->id[KEA_LIVE].size && kea_place_text(again, p) &&
		   strcmp(again, text) == 0;
	return p->known;
}

/* ---- the file ---------------------------------------------------------------------------- */

/* The header line at head_at, and behind it in buf the bytes before offset: how many together,
 * 0 when they cannot be had. */
static size_t read_proof(char buf[HEAD_MAX + TAIL_MAX], size_t *head_len,
			 const struct kea_place *p, int fd)
{
	int64_t from = p->offset > TAIL_MAX ? p->offset - TAIL_MAX : 0;
	ssize_t n = pread(fd, buf, HEAD_MAX, (off_t)p->head_at);
	const char *nl = n > 0 ? memchr(buf, '\n', (size_t)n) : NULL;

	if (nl == NULL)
		return 0;
	*head_len = (size_t)(nl - buf);
	n = pread(fd, buf + *head_len, (size_t)(p->offset - from), (off_t)from);
	if (n != p->offset - from)
		return 0;
	return *head_len + (size_t)n;
}

/* The key only has to be the same next time. */
static bool proof(uint64_t *sum, struct kea_header *h, const struct kea_place *p, int fd)
{
	static const struct hash_key key = {0x6c65617365732d34, 0x6c65617365732d36};
	char buf[HEAD_MAX + TAIL_MAX];
	size_t head_len = 0, n = read_proof(buf, &head_len, p, fd);
	const char *why;

	if (n == 0)
		return false;
	*sum = hash_bytes(&key, buf, n);
	if (head_len > 0 && buf[head_len - 1] == '\r')
		head_len--;
	return kea_header_parse(h, buf, head_len, &why);
}

bool kea_place_sign(struct kea_place *p, int fd)
{
	struct kea_header h;

	return proof(&p->sum, &h, p, fd);
}

bool kea_place_holds(const struct kea_place *p, int fd, struct kea_header *h)
{
	uint64_t sum;

	return proof(&sum, h, p, fd) && sum == p->sum;
}

int kea_place_compare(const struct kea_place *p, const struct kea_family *k, struct kea_header *h)
{
	const struct kea_file *live = &k->f[KEA_LIVE];
	const struct kea_id *was = &p->id[KEA_LIVE];

	if (!p->known || !kea_id_same_file(&live->id, was) || live->id.size < was->size)
		return KEA_READ_ALL;
	/* Written to, but nothing was appended: not what Kea does. */
	if (live->id.size == was->size && live->id.mtime_ns != was->mtime_ns)
		return KEA_READ_ALL;
	for (int i = 0; i < KEA_LIVE; i++) {
		if (!kea_id_equal(&k->f[i].id, &p->id[i]))
			return KEA_READ_ALL;
	}
	if (!kea_place_holds(p, live->fd, h))
		return KEA_READ_ALL;
	return live->id.size == was->size ? KEA_READ_NOTHING : KEA_READ_ON;
}
