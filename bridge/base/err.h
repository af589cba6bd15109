/* err.h - one error: a code to react to, a sentence to read, a hint to act on.
 *
 * A function returns 0 when done, a negative ERR_ code when it cannot go on (return it
 * unchanged, adding context with err_in), or a positive answer that its header names and its
 * caller handles.  Codes are chosen by reaction, not by cause; the sentence carries the cause.
 *
 * Sentences: lower case, no full stop, names in double quotes, no function names, no secrets.
 */
#ifndef BRIDGE_BASE_ERR_H
#define BRIDGE_BASE_ERR_H

#include <stdarg.h>

enum err_code {
	ERR_NOMEM = -1,  /* out of memory */
	ERR_SYS = -2,    /* the system refused: file, socket, database session */
	ERR_CONF = -3,   /* the user must change a file or an argument */
	ERR_PROTO = -4,  /* a peer or a file said something malformed */
	ERR_BUSY = -5,   /* not now: deadline passed, lock held; try again later */
	ERR_DENIED = -6, /* a peer refused us; somebody must change a permission */
	ERR_BUG = -7,    /* our own invariant does not hold */
};

struct err {
	int code;
	char text[640];
	char hint[320]; /* the next step for a person; empty when there is none */
};

/* All take a NULL err: the caller wants the code without the words.  All return code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As err_set, followed by ": " and the words for errnum. */
int err_sys(struct err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the sentence that is there. */
int err_in(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Replaces the hint. */
void err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_nomem(struct err *e);

#endif
