/* kea_family.h - the files that together are one Kea lease set, held open as of one moment.
 *
 * Kea's cleanup process renames and removes files while we look (X to X.1, X.1 and X.2 to
 * X.completed, that to X.2).  A family is good when, after its files were opened and read, the
 * same files still have the same names.
 */
#ifndef ADAPTERS_KEA_KEA_FAMILY_H
#define ADAPTERS_KEA_KEA_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bridge/base/err.h"

/* In the order Kea reads them; X.2 and X.1 only when there is no X.completed. */
enum { KEA_COMPLETED, KEA_SNAPSHOT, KEA_PREVIOUS, KEA_LIVE, KEA_FILES };

struct kea_file {
	int fd;           /* -1: not part of the set */
	int64_t size;     /* when it was opened: nothing later is read */
	dev_t dev;
	ino_t ino;
	int64_t mtime_s;
	long mtime_ns;
};

struct kea_family {
	struct kea_file f[KEA_FILES];
	char cursor[512];
};

#define KEA_FAMILY_INIT {{{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}}, ""}

/* "", ".completed", ".2", ".1" */
const char *kea_family_suffix(int which);
/* Opens the files there are and writes the cursor.  0; 1 when Kea seems to be in the middle of
 * changing them (*e says how it looks), try again soon; negative otherwise.  Nothing is open
 * but after 0. */
int kea_family_open(struct kea_family *k, const char *path, struct err *e);
/* A single stream instead of a family: copies standard input to an unlinked file. */
int kea_family_stdin(struct kea_family *k, int64_t until_ms, struct err *e);
/* Do the files still have these names? */
bool kea_family_same(const struct kea_family *k, const char *path);
void kea_family_close(struct kea_family *k);

#endif
