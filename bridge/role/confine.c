/* confine.c - prctl(2), and landlock(7) by its system calls: there is no library around them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/base/log.h"
#include "bridge/base/own.h"
#include "bridge/base/vec.h"
#include "bridge/role/confine.h"

static const char subject[] = "landlock";

int confine_rights(struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "giving up new privileges");
	if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) < 0)
		return err_sys(e, errno, "giving up core files");
	return 0;
}

int confine_memory(struct err *e)
{
	if (!CONFINE_LOOKED_AT && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, errno, "closing the memory to others");
	return 0;
}

/* ---- paths ------------------------------------------------------------------------------ */

struct key {
	char *path;   /* real */
	dev_t dev;    /* 0 and 0 when it is not there */
	ino_t ino;
};

struct walls {
	VEC(struct key) keys;
	VEC(char *) open;     /* real paths of directories allowed whole */
	int ruleset;
	uint64_t rights;      /* handled */
};

static int add_real(char **out, const char *path, struct err *e);

/* A file that is not there: the real path of its directory, and its name. */
static int add_missing(char **out, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO(own_freep) char *dir = NULL;
	AUTO(own_freep) char *real_dir = NULL;
	int r;

	dir = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return err_nomem(e);
	r = add_real(&real_dir, dir, e);
	if (r == 0 && asprintf(out, "%s/%s", strcmp(real_dir, "/") == 0 ? "" : real_dir,
			       slash == NULL ? path : slash + 1) < 0)
		r = err_nomem(e);
	return r;
}

/* The path without links, as far as it exists.  out: owned by the caller. */
static int add_real(char **out, const char *path, struct err *e)
{
	*out = realpath(path, NULL);
	if (*out != NULL)
		return 0;
	if (errno == ENOENT && strcmp(path, ".") != 0 && strcmp(path, "/") != 0)
		return add_missing(out, path, e);
	return err_sys(e, errno, "%s", path);
}

static bool has_key(const struct walls *w, const char *path)
{
	for (size_t i = 0; i < w->keys.n; i++) {
		if (strcmp(w->keys.v[i].path, path) == 0)
			return true;
	}
	return false;
}

static int add_key(struct walls *w, const char *path, struct err *e)
{
	struct key k = {0};
	struct stat st;
	int r;

	if (path == NULL)
		return 0;
	r = add_real(&k.path, path, e);
	if (r < 0)
		return r;
	if (has_key(w, k.path)) {
		free(k.path);
		return 0;
	}
	if (stat(k.path, &st) == 0) {
		k.dev = st.st_dev;
		k.ino = st.st_ino;
	}
	if (vec_push(&w->keys, k) == 0)
		return 0;
	free(k.path);
	return err_nomem(e);
}

/* What is not there now needs no rule. */
static int add_open(struct walls *w, const char *dir, struct err *e)
{
	char *path = realpath(dir, NULL);

	if (path == NULL || vec_push(&w->open, path) == 0)
		return 0;
	free(path);
	return err_nomem(e);
}

/* A source's file with all that comes to stand beside it, or a directory itself. */
static int add_place(struct walls *w, const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	AUTO(own_freep) char *dir = NULL;
	struct stat st;

	if (file[0] != '/')
		return 0;
	if (stat(file, &st) == 0 && S_ISDIR(st.st_mode))
		return add_open(w, file, e);
	dir = strndup(file, slash == file ? 1 : (size_t)(slash - file));
	return dir == NULL ? err_nomem(e) : add_open(w, dir, e);
}

static int gather(struct walls *w, const struct conf *c, const struct settings *set, struct err *e)
{
	int r = add_open(w, c->state_dir, e);

	for (size_t i = 0; r == 0 && i < c->n_servers; i++) {
		r = add_key(w, c->servers[i].key_file, e);
		r = r < 0 ? r : add_key(w, c->servers[i].transfer_key_file, e);
	}
	for (size_t i = 0; r == 0 && set != NULL && i < set->n; i++) {
		if (set->v[i].type == SETTING_STR)
			r = add_place(w, set->v[i].str, e);
	}
	return r;
}

/* ---- rules ------------------------------------------------------------------------------ */

static bool is_key(const struct walls *w, const char *path, const struct stat *st)
{
	for (size_t i = 0; i < w->keys.n; i++) {
		const struct key *k = &w->keys.v[i];

		if (strcmp(path, k->path) == 0 ||
		    (k->ino != 0 && k->dev == st->st_dev && k->ino == st->st_ino))
			return true;
	}
	return false;
}

/* A key is below this directory. */
static bool is_on_the_way(const struct walls *w, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < w->keys.n; i++) {
		if (strncmp(w->keys.v[i].path, path, n) == 0 &&
		    (w->keys.v[i].path[n] == '/' || strcmp(path, "/") == 0))
			return true;
	}
	return false;
}

static bool is_open(const struct walls *w, const char *path)
{
	for (size_t i = 0; i < w->open.n; i++) {
		if (strcmp(w->open.v[i], path) == 0)
			return true;
	}
	return false;
}

/* What cannot be opened needs no rule: it stays denied.  Symbolic links have none of their own. */
static int allow(const struct walls *w, const char *path, struct err *e)
{
	AUTO(own_closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || S_ISLNK(st.st_mode) || is_key(w, path, &st))
		return 0;
	rule.allowed_access = S_ISDIR(st.st_mode) ? w->rights : LANDLOCK_ACCESS_FS_READ_FILE;
	if (syscall(SYS_landlock_add_rule, w->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_sys(e, errno, "landlock: %s", path);
	return 0;
}

static int allow_beside(const struct walls *w, const char *dir, struct err *e);

static int allow_entry(const struct walls *w, const char *dir, const char *name, struct err *e)
{
	AUTO(own_freep) char *path = NULL;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (asprintf(&path, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name) < 0) {
		path = NULL;
		return err_nomem(e);
	}
	return is_on_the_way(w, path) && !is_open(w, path) ? allow_beside(w, path, e)
							    : allow(w, path, e);
}

/* Everything in this directory but what is on the way to a key.  As deep as a path is. */
static int allow_beside(const struct walls *w, const char *dir, struct err *e)
{
	struct dirent *d;
	DIR *list = opendir(dir);
	int r = 0;

	while (r == 0 && list != NULL && (d = readdir(list)) != NULL)
		r = allow_entry(w, dir, d->d_name, e);
	if (list != NULL)
		closedir(list);
	return r;
}

/* ---- the whole -------------------------------------------------------------------------- */

static int enforce(const struct walls *w, struct err *e)
{
	int r = is_open(w, "/") ? allow(w, "/", e) : allow_beside(w, "/", e);

	if (r == 0 && syscall(SYS_landlock_restrict_self, w->ruleset, 0) < 0)
		r = err_sys(e, errno, "landlock");
	return r;
}

/* What is written above, tried. */
static void check(const struct walls *w)
{
	for (size_t i = 0; i < w->keys.n; i++) {
		int fd = open(w->keys.v[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		close(fd);
		log_event(MSG_ROLE_UNCONFINED, subject,
			  "key file %s can be read by this role: it is among files that the role "
			  "needs; give the keys a directory of their own", w->keys.v[i].path);
	}
}

static void fini(struct walls *w)
{
	for (size_t i = 0; i < w->keys.n; i++)
		free(w->keys.v[i].path);
	for (size_t i = 0; i < w->open.n; i++)
		free(w->open.v[i]);
	vec_fini(&w->keys);
	vec_fini(&w->open);
	if (w->ruleset >= 0)
		close(w->ruleset);
}

/* Moving files between directories is denied to whoever has any rules unless a rule allows it;
 * kernels before 5.19 cannot be asked to. */
static int open_rules(struct walls *w)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};

	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	w->rights = attr.handled_access_fs;
	if (abi >= 1)
		w->ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	return w->ruleset;
}

int confine_keys(const struct conf *c, const struct settings *set, struct err *e)
{
	struct walls w = {.ruleset = -1};
	int r = gather(&w, c, set, e);

	if (r == 0 && w.keys.n > 0) {
		if (open_rules(&w) < 0)
			log_event(MSG_ROLE_UNCONFINED, subject,
				  "the kernel has none (%s): only their permissions keep this role "
				  "from the key files", strerror(errno));
		else
			r = enforce(&w, e);
		if (r == 0 && w.ruleset >= 0)
			check(&w);
	}
	fini(&w);
	return r;
}
