/* err.c - composing the sentence of an error.
 *
 * A new text is built aside first, so the old one may be among the arguments.
 */
#include <stdio.h>
#include <string.h>

#include "bridge/base/err.h"

/* Formats into dst; what does not fit ends in "..." so that nobody takes it for the whole. */
static void __attribute__((format(printf, 3, 0)))
put(char *dst, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, size, fmt, ap);

	if (n < 0)
		dst[0] = '\0';
	else if ((size_t)n >= size)
		memcpy(dst + size - 4, "...", 4);
}

/* Appends with the same mark for what was cut. */
static void append(char *dst, size_t size, const char *s)
{
	size_t have = strlen(dst), room = size - have - 1, len = strlen(s);

	memcpy(dst + have, s, len < room ? len : room);
	dst[have + (len < room ? len : room)] = '\0';
	if (len > room)
		memcpy(dst + size - 4, "...", 4);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	put(text, sizeof(text), fmt, ap);
	va_end(ap);
	e->code = code;
	memcpy(e->text, text, sizeof(text));
	e->hint[0] = '\0';
	return code;
}

int err_sys(struct err *e, int errnum, const char *fmt, ...)
{
	char text[sizeof(e->text)], words[128];
	va_list ap;

	if (e == NULL)
		return ERR_SYS;
	va_start(ap, fmt);
	put(text, sizeof(text), fmt, ap);
	va_end(ap);
	append(text, sizeof(text), ": ");
	append(text, sizeof(text), strerror_r(errnum, words, sizeof(words)));
	e->code = ERR_SYS;
	memcpy(e->text, text, sizeof(text));
	e->hint[0] = '\0';
	return ERR_SYS;
}

int err_in(struct err *e, int code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	put(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (e->text[0] != '\0') {
		append(text, sizeof(text), ": ");
		append(text, sizeof(text), e->text);
	}
	e->code = code;
	memcpy(e->text, text, sizeof(text));
	return code;
}

void err_hint(struct err *e, const char *fmt, ...)
{
	char hint[sizeof(e->hint)];
	va_list ap;

	if (e == NULL)
		return;
	va_start(ap, fmt);
	put(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	memcpy(e->hint, hint, sizeof(hint));
}

int err_nomem(struct err *e)
{
	return err_set(e, ERR_NOMEM, "out of memory");
}
