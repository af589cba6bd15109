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

/* A file as it was at one moment.  All zero: there is none. */
struct kea_id {
	uint64_t dev, ino;
	int64_t size;
	int64_t mtime_ns; /* Unix */
};

struct kea_file {
	int fd;           /* -1: not part of the set */
	struct kea_id id; /* when it was looked at last: nothing past that size is read */
};

struct kea_family {
	struct kea_file f[KEA_FILES];
};

#define KEA_FAMILY_INIT {{{.fd = -1}, {.fd = -1}, {.fd = -1}, {.fd = -1}}}

/* "", ".completed", ".2", ".1" */
const char *kea_family_suffix(int which);
/* Opens the files there are.  0; 1 when Kea seems to be in the middle of changing them (*e says
 * how it looks), try again soon; negative otherwise.  Nothing is open but after 0. */
int kea_family_open(struct kea_family *k, const char *path, struct err *e);
/* One file of the set.  0 also when it is not there (fd -1), but for the live file. */
int kea_file_open(struct kea_file *f, const char *path, int which, struct err *e);
/* A single stream instead of a family: copies standard input to an unlinked file. */
int kea_family_stdin(struct kea_family *k, int64_t until_ms, struct err *e);

/* The file of this name now; all zero when there is none. */
struct kea_id kea_id_named(const char *path, int which);
/* The open file now; all zero when it cannot be told. */
struct kea_id kea_id_open(int fd);
/* The same file, whatever was written to it meanwhile. */
bool kea_id_same_file(const struct kea_id *a, const struct kea_id *b);
bool kea_id_equal(const struct kea_id *a, const struct kea_id *b);
/* What kea_family_open would find beside the live file, without opening it. */
void kea_family_older(struct kea_id id[KEA_FILES], const char *path);
/* Do the files still have these names? */
bool kea_family_same(const struct kea_family *k, const char *path);
void kea_family_close(struct kea_family *k);

#endif
