/* fuzz_spool.c - a spool file as anybody may have left it: it is read to its end, and what is
 * appended then is read back. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/base/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static char path[] = "/dev/shm/fuzz_spool.XXXXXX";

static void remove_file(void)
{
	unlink(path);
}

/* One file in memory for all executions. */
static void make_file(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0) {
		fd = mkstemp(path);
		atexit(remove_file);
	}
	must(fd >= 0 && ftruncate(fd, 0) == 0);
	must(pwrite(fd, data, size, 0) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b = BUF_INIT;
	struct spool s;
	size_t n = 0;
	int r;

	make_file(data, size);
	must(spool_open(&s, path, NULL) == 0);
	while ((r = spool_next(&s, &b, NULL)) == 1)
		must(++n <= size / 9);
	must(r == 0 && b.len <= size);
	must(spool_commit(&s, NULL) == 0);
	must(spool_append(&s, "fresh", 5, 1 << 20, NULL) == 0);
	buf_reset(&b);
	must(spool_next(&s, &b, NULL) == 1 && b.len == 5 && memcmp(b.p, "fresh", 5) == 0);
	must(s.lost == 0 && s.damaged == 0);
	buf_fini(&b);
	spool_close(&s);
	return 0;
}
