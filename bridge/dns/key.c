/* key.c - reads TSIG keys.  Decides which files and which words make a key.
 *
 * Two forms: the clause that tsig-keygen prints (BIND's comments and quotes included) and the one
 * line "[algorithm:]name:secret" with hmac-sha256 when no algorithm is named.  No message quotes
 * the file's words: in a malformed file any of them may be the secret.
 */
#include "bridge/dns/key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/base/own.h"
#include "bridge/dns/tsig_wire.h"
#include "bridge/value/base64.h"

#if defined(__SANITIZE_ADDRESS__)
#define KEEP_DUMPABLE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEP_DUMPABLE 1
#endif
#endif

enum { KEY_FILE_MAX = 16384 };

static const struct tsig_alg algs[] = {
	{"hmac-sha1", "SHA1", 20},     {"hmac-sha224", "SHA2-224", 28},
	{"hmac-sha256", "SHA2-256", 32}, {"hmac-sha384", "SHA2-384", 48},
	{"hmac-sha512", "SHA2-512", 64},
};

const struct tsig_alg *tsig_alg_find(const char *name, size_t len)
{
	if (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (strlen(algs[i].name) == len && strncasecmp(algs[i].name, name, len) == 0)
			return &algs[i];
	return NULL;
}

EVP_MAC_CTX *key_mac_new(const struct tsig_key *key)
{
	AUTO(tsig_ctx_freep) EVP_MAC_CTX *c = NULL;
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	/* OSSL_PARAM wants a char *, and only reads it. */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char *)(uintptr_t)key->alg->digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (hmac == NULL)
		return NULL;
	c = EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac);
	if (c == NULL || EVP_MAC_init(c, key->secret, key->secret_len, params) != 1)
		return NULL;
	return own_take(&c);
}

struct text {
	const char *p, *end;
	const char *file;
	int line;
	struct err *e;
};

/* A word borrowed from the text. */
struct word {
	const char *p;
	size_t len;
};

static int bad(const struct text *t, const char *why)
{
	err_set(t->e, ERR_CONF, "key file \"%s\", line %d: %s", t->file, t->line, why);
	err_hint(t->e, "write it with: tsig-keygen -a hmac-sha256 NAME, or one line "
		       "hmac-sha256:NAME:SECRET");
	return ERR_CONF;
}

static bool starts(const struct text *t, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(t->end - t->p) >= n && memcmp(t->p, s, n) == 0;
}

/* White space and BIND's three kinds of comment.  False: a comment does not end. */
static bool skip_space(struct text *t)
{
	while (t->p < t->end) {
		if (strchr(" \t\r\n", *t->p) != NULL && *t->p != '\0') {
			t->line += *t->p++ == '\n';
		} else if (*t->p == '#' || starts(t, "//")) {
			while (t->p < t->end && *t->p != '\n')
				t->p++;
		} else if (starts(t, "/*")) {
			for (t->p += 2; !starts(t, "*/"); t->p++) {
				if (t->p == t->end)
					return false;
				t->line += *t->p == '\n';
			}
			t->p += 2;
		} else {
			break;
		}
	}
	return true;
}

/* The next word: quoted, a run of other bytes, or one of { } ; alone.  Empty at the end. */
static bool next_word(struct text *t, struct word *w)
{
	if (!skip_space(t))
		return false;
	*w = (struct word){t->p, 0};
	if (t->p == t->end)
		return true;
	if (*t->p == '"') {
		w->p = ++t->p;
		while (t->p < t->end && *t->p != '"' && *t->p != '\n')
			t->p++;
		w->len = (size_t)(t->p - w->p);
		return t->p < t->end && *t->p++ == '"' && w->len > 0;
	}
	if (memchr("{};", *t->p, 3) != NULL) {
		t->p++;
	} else {
		while (t->p < t->end && memchr(" \t\r\n{};\"", *t->p, 8) == NULL)
			t->p++;
	}
	w->len = (size_t)(t->p - w->p);
	return true;
}

static bool is(const struct word *w, const char *s)
{
	return w->len == strlen(s) && strncasecmp(w->p, s, w->len) == 0;
}

static bool take(struct text *t, const char *s)
{
	struct word w;

	return next_word(t, &w) && is(&w, s);
}

/* Room is reserved first, so that growing leaves no copy of the secret behind. */
static const char *set_secret(struct tsig_key *k, const struct word *w)
{
	struct buf b = BUF_INIT;
	const char *why = NULL;

	if (w->len > 2 * sizeof(k->secret))
		return "the secret is longer than 128 bytes";
	buf_reserve(&b, 2 * sizeof(k->secret));
	if (!base64_parse(&b, w->p, w->len) || b.bad || b.len == 0) {
		why = "the secret is not base64";
	} else if (b.len > sizeof(k->secret)) {
		why = "the secret is longer than 128 bytes";
	} else {
		memcpy(k->secret, b.p, b.len);
		k->secret_len = b.len;
	}
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.cap);
	buf_fini(&b);
	return why;
}

static const char *set_name(struct tsig_key *k, const struct word *w)
{
	if (w->len == 0 || !dname_parse(&k->name, w->p, w->len) || k->name.len == 1)
		return "the key's name is no domain name";
	return NULL;
}

static const char *set_alg(struct tsig_key *k, const struct word *w)
{
	k->alg = tsig_alg_find(w->p, w->len);
	if (k->alg != NULL)
		return NULL;
	if (w->len >= 8 && strncasecmp(w->p, "hmac-md5", 8) == 0)
		return "algorithm hmac-md5 is broken and not accepted";
	return "the algorithm is not hmac-sha1, -sha224, -sha256, -sha384 or -sha512";
}

/* algorithm WORD; secret WORD; } ; in either order, each once. */
static int parse_body(struct text *t, struct tsig_key *k)
{
	struct word w, v;
	const char *why;

	for (;;) {
		if (!next_word(t, &w))
			return bad(t, "a comment or quoted word does not end");
		if (is(&w, "}"))
			break;
		bool alg = is(&w, "algorithm"), secret = is(&w, "secret");
		if (!alg && !secret)
			return bad(t, "expected \"algorithm\", \"secret\" or \"}\"");
		if (alg ? k->alg != NULL : k->secret_len != 0)
			return bad(t, "a key has its algorithm or secret twice");
		if (!next_word(t, &v) || v.len == 0)
			return bad(t, "a value is missing");
		why = alg ? set_alg(k, &v) : set_secret(k, &v);
		if (why != NULL)
			return bad(t, why);
		if (!take(t, ";"))
			return bad(t, "expected \";\"");
	}
	if (k->alg == NULL || k->secret_len == 0)
		return bad(t, "the key lacks its algorithm or its secret");
	return take(t, ";") ? 0 : bad(t, "expected \";\"");
}

static int parse_clause(struct text *t, struct tsig_key *k)
{
	struct word w;
	const char *why;
	int r;

	if (!next_word(t, &w))
		return bad(t, "a quoted word does not end");
	why = set_name(k, &w);
	if (why != NULL)
		return bad(t, why);
	if (!take(t, "{"))
		return bad(t, "expected \"{\"");
	r = parse_body(t, k);
	if (r < 0)
		return r;
	if (!next_word(t, &w) || w.len > 0)
		return bad(t, "something follows the key; a key file holds one key");
	return 0;
}

/* One line; the secret is behind the last colon and the algorithm before the first of two. */
static int parse_line(struct text *t, struct tsig_key *k, const struct word *line)
{
	const char *end = line->p + line->len, *why = NULL;
	const char *a = memchr(line->p, ':', line->len), *b = memrchr(line->p, ':', line->len);
	struct word w;

	if (a == NULL)
		return bad(t, "neither a key clause nor \"[algorithm:]name:secret\"");
	w = (struct word){line->p, (size_t)(a - line->p)};
	k->alg = &algs[2];
	if (a != b) {
		why = set_alg(k, &w);
		w = (struct word){a + 1, (size_t)(b - a - 1)};
	}
	if (why == NULL)
		why = set_name(k, &w);
	w = (struct word){b + 1, (size_t)(end - b - 1)};
	if (why == NULL)
		why = set_secret(k, &w);
	if (why != NULL)
		return bad(t, why);
	return next_word(t, &w) && w.len == 0 ? 0 : bad(t, "something follows the key");
}

int key_parse(struct tsig_key *out, const char *text, size_t len, const char *file, bool *weak,
	      struct err *e)
{
	struct text t = {text, text + len, file, 1, e};
	struct word w;
	int r;

	memset(out, 0, sizeof(*out));
	if (weak != NULL)
		*weak = false;
	if (!next_word(&t, &w))
		r = bad(&t, "a comment or quoted word does not end");
	else if (w.len == 0)
		r = bad(&t, "the file holds no key");
	else
		r = is(&w, "key") ? parse_clause(&t, out) : parse_line(&t, out, &w);
	if (r == 0 && (out->mac = key_mac_new(out)) == NULL)
		r = err_set(e, ERR_SYS, "key file \"%s\": OpenSSL does not offer %s", file,
			    out->alg->name);
	if (r < 0) {
		key_wipe(out);
		return r;
	}
	if (weak != NULL)
		*weak = out->alg == &algs[0];
	return 0;
}

static int check_mode(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "key file \"%s\"", path);
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_CONF, "key file \"%s\" is not a regular file", path);
	} else if ((st.st_mode & 077) != 0) {
		err_set(e, ERR_CONF, "key file \"%s\" can be read or changed by others (mode %04o)",
			path, (unsigned)st.st_mode & 07777);
		err_hint(e, "chmod 600 '%s'; if others may have read it, make a new key", path);
	} else if (st.st_uid != geteuid() && st.st_uid != 0) {
		err_set(e, ERR_CONF, "key file \"%s\" belongs to another user (uid %u)", path,
			(unsigned)st.st_uid);
		err_hint(e, "chown it to the user that runs ipambridge, or to root");
	} else {
		return 0;
	}
	return ERR_CONF;
}

static int open_key(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0)
		return fd;
	if (errno == ELOOP) {
		err_set(e, ERR_CONF, "key file \"%s\" is a symbolic link", path);
		err_hint(e, "name the file itself");
		return ERR_CONF;
	}
	int code = errno == EMFILE || errno == ENFILE || errno == ENOMEM ? ERR_SYS : ERR_CONF;
	err_sys(e, errno, "key file \"%s\"", path);
	err_hint(e, "is key-file of the server right, and may this user read it?");
	return code;
}

/* Reads to the end; the count, or negative. */
static ssize_t read_all(int fd, char *b, size_t cap)
{
	size_t n = 0;

	while (n < cap) {
		ssize_t r = read(fd, b + n, cap - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

int key_read(struct tsig_key *out, const char *path, bool *weak, struct err *e)
{
	char b[KEY_FILE_MAX];
	AUTO(own_closep) int fd = open_key(path, e);
	int r;

	memset(out, 0, sizeof(*out));
	if (fd < 0)
		return fd;
	r = check_mode(fd, path, e);
	if (r < 0)
		return r;
#ifndef KEEP_DUMPABLE
	/* From here on a crash leaves no core and no other process of this user may look in.
	 * The leak checker of a sanitizer build has to, so there it stays as it was. */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	ssize_t n = read_all(fd, b, sizeof(b));
	if (n < 0)
		r = err_sys(e, errno, "key file \"%s\"", path);
	else if ((size_t)n == sizeof(b))
		r = err_set(e, ERR_CONF, "key file \"%s\" is over 16 KiB, no key file is", path);
	else
		r = key_parse(out, b, (size_t)n, path, weak, e);
	OPENSSL_cleanse(b, sizeof(b));
	return r;
}

void key_wipe(struct tsig_key *k)
{
	tsig_ctx_freep(&k->mac);
	OPENSSL_cleanse(k, sizeof(*k));
}
