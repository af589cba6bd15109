/* copy.c - binary COPY both ways, with bounded memory: rows leave as soon as a chunk is full.
 *
 * Format (PostgreSQL manual, COPY, "Binary Format"): an 11-byte signature, flags, the length of
 * an extension; then rows, each a 16-bit number of fields and the fields; the number -1 ends.
 */
#include <string.h>

#include "bridge/pg/session.h"

enum { CHUNK = 64 * 1024, HEADER = 19 };

static const char signature[11] = "PGCOPY\n\377\r\n";  /* its NUL is the eleventh byte */

/* Sends the command and waits for the server to be ready for data in that direction. */
static int copy_command(struct pg *p, const char *sql, ExecStatusType expected, struct err *e)
{
	PGresult *res;
	ExecStatusType st;
	int r = pg_start(p, e);

	if (r < 0)
		return r;
	if (!PQsendQuery(p->c, sql))
		return pg_lose(p, ERR_SYS, e, "the COPY could not be sent");
	r = pg_next_result(p, &res, e);
	if (r < 0)
		return r;
	st = PQresultStatus(res);
	if (st == expected) {
		PQclear(res);
		return 0;
	}
	r = st == PGRES_FATAL_ERROR ? pg_fail_result(p, res, e)
				    : err_set(e, ERR_BUG, "a statement was no COPY of that kind");
	PQclear(res);
	if (p->c != NULL)
		pg_finish_statement(p, NULL);
	return r;
}

int pg_copy_begin(struct pg *p, const char *sql, struct err *e)
{
	int r = copy_command(p, sql, PGRES_COPY_IN, e);

	if (r < 0)
		return r;
	buf_reset(&p->copy);
	buf_add(&p->copy, signature, sizeof(signature));
	buf_u32(&p->copy, 0);
	buf_u32(&p->copy, 0);
	p->copying = true;
	return 0;
}

void pg_copy_row(struct pg *p, int n_fields)
{
	buf_u16(&p->copy, (uint16_t)n_fields);
}

void pg_copy_null(struct pg *p) { enc_null(&p->copy); }
void pg_copy_i32(struct pg *p, int32_t v) { enc_i32(&p->copy, v); }
void pg_copy_i64(struct pg *p, int64_t v) { enc_i64(&p->copy, v); }
void pg_copy_bool(struct pg *p, bool v) { enc_bool(&p->copy, v); }
void pg_copy_text(struct pg *p, const char *s, size_t len) { enc_text(&p->copy, s, len); }
void pg_copy_bytes(struct pg *p, const void *v, size_t len) { enc_bytes(&p->copy, v, len); }
void pg_copy_inet(struct pg *p, const struct ipaddr *v) { enc_inet(&p->copy, v); }
void pg_copy_mac(struct pg *p, const struct mac *v) { enc_mac(&p->copy, v); }
void pg_copy_time(struct pg *p, int64_t unix_s) { enc_time(&p->copy, unix_s); }

/* Hands the buffer to libpq and waits until it is on its way. */
static int copy_send(struct pg *p, struct err *e)
{
	int r = 1;

	if (p->copy.bad)
		return err_nomem(e);
	if (p->copy.len > 0)
		r = PQputCopyData(p->c, p->copy.p, (int)p->copy.len);
	buf_reset(&p->copy);
	if (r < 0)
		return pg_lose(p, ERR_SYS, e, "the database session broke during a COPY");
	/* Its buffer is empty before each chunk, so 0 means that it cannot grow. */
	if (r == 0)
		return pg_lose(p, ERR_NOMEM, e, "out of memory during a COPY");
	return pg_flush(p, e);
}

static int not_copying(struct pg *p, struct err *e)
{
	if (p->c == NULL)
		return pg_start(p, e);
	return err_set(e, ERR_BUG, "no COPY is open");
}

int pg_copy_flush(struct pg *p, struct err *e)
{
	if (!p->copying)
		return not_copying(p, e);
	return p->copy.len < CHUNK && !p->copy.bad ? 0 : copy_send(p, e);
}

/* The server's judgement on the whole COPY. */
static int copy_result(struct pg *p, struct err *e)
{
	PGresult *res;
	int r = pg_next_result(p, &res, e);

	if (r < 0)
		return r;
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		r = pg_fail_result(p, res, e);
	PQclear(res);
	if (p->c != NULL) {
		int r2 = pg_finish_statement(p, r < 0 ? NULL : e);

		if (r == 0)
			r = r2;
	}
	return r;
}

/* Sends what is left and the end; after it only the answer is missing. */
static int copy_finish(struct pg *p, const char **abort_why, struct err *e)
{
	int r;

	*abort_why = NULL;
	if (!p->copying)
		return not_copying(p, e);
	buf_u16(&p->copy, UINT16_MAX);
	r = copy_send(p, e);
	if (p->c == NULL)
		return r;
	p->copying = false;
	if (r < 0) {
		*abort_why = "out of memory";
		buf_fini(&p->copy);
	}
	if (PQputCopyEnd(p->c, *abort_why) <= 0)
		return pg_lose(p, ERR_SYS, e, "the database session broke during a COPY");
	return 0;
}

int pg_copy_end(struct pg *p, struct err *e)
{
	const char *abort_why;
	int r = copy_finish(p, &abort_why, e);

	if (r < 0)
		return r;
	r = copy_result(p, e);
	return abort_why != NULL && p->c != NULL ? err_nomem(e) : r;
}

int pg_copy_end_later(struct pg *p, struct err *e)
{
	const char *abort_why;
	int r = copy_finish(p, &abort_why, e);

	if (r < 0)
		return r;
	if (abort_why != NULL) {
		copy_result(p, NULL);
		return err_nomem(e);
	}
	p->unanswered = true;
	return pg_flush(p, e);
}

int pg_copy_answer(struct pg *p, struct err *e)
{
	p->unanswered = false;
	return copy_result(p, e);
}

/* ---- out ----------------------------------------------------------------------------------- */

enum { FIELDS_MAX = 64 };

/* What has arrived and is not yet handed on. */
struct reader {
	struct buf b;
	size_t at;
	bool started;  /* past the header */
	bool ended;    /* past the trailer */
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The next row: 1, 0 when more bytes are needed, ERR_PROTO. */
static int reader_row(struct reader *rd, struct pg_field *field, int *n, struct err *e)
{
	const uint8_t *p = (const uint8_t *)rd->b.p + rd->at;
	size_t left = rd->b.len - rd->at, at = 2;
	int i;

	if (left < 2)
		return 0;
	*n = be16(p);
	if (*n == UINT16_MAX) {
		rd->ended = true;
		rd->at += 2;
		return 0;
	}
	if (*n > FIELDS_MAX)
		return err_set(e, ERR_PROTO, "the database sent a row of %d fields", *n);
	for (i = 0; i < *n; i++) {
		uint32_t len;

		if (left < at + 4)
			return 0;
		len = be32(p + at);
		at += 4;
		field[i] = (struct pg_field){NULL, 0};
		if (len == UINT32_MAX)
			continue;
		if (len > INT32_MAX)
			return err_set(e, ERR_PROTO, "the database sent a field of %u bytes", len);
		if (left < at + len)
			return 0;
		field[i] = (struct pg_field){p + at, len};
		at += len;
	}
	rd->at += at;
	return 1;
}

static int reader_feed(struct reader *rd, const char *p, size_t len, pg_row_cb cb, void *arg,
		       struct err *e)
{
	struct pg_field field[FIELDS_MAX];
	int n, r;

	if (rd->ended)
		return err_set(e, ERR_PROTO, "the database sent rows after the end");
	/* What was handed on before makes room; usually nothing is left of it. */
	if (rd->at > 0 && rd->at <= rd->b.len) {
		rd->b.len -= rd->at;
		memmove(rd->b.p, rd->b.p + rd->at, rd->b.len);
		rd->at = 0;
	}
	buf_add(&rd->b, p, len);
	if (rd->b.bad)
		return err_nomem(e);
	if (!rd->started) {
		if (rd->b.len < HEADER)
			return 0;
		if (memcmp(rd->b.p, signature, sizeof(signature)) != 0)
			return err_set(e, ERR_PROTO, "the database sent no binary COPY");
		rd->at = HEADER + be32((const uint8_t *)rd->b.p + 15);
		rd->started = true;
	}
	while (rd->at <= rd->b.len && (r = reader_row(rd, field, &n, e)) != 0) {
		if (r < 0)
			return r;
		r = cb(arg, field, n, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The next message of rows: 1, 0 at the end. */
static int copy_receive(struct pg *p, char **data, int *len, struct err *e)
{
	for (;;) {
		int r;

		*data = NULL;
		*len = PQgetCopyData(p->c, data, 1);
		if (*len > 0)
			return 1;
		if (*len == -1)
			return 0;
		if (*len < -1)
			return pg_lose(p, ERR_SYS, e, "the database session broke during a COPY");
		r = pg_wait_input(p, e);
		if (r < 0)
			return r;
	}
}

int pg_copy_out(struct pg *p, const char *sql, pg_row_cb cb, void *arg, struct err *e)
{
	struct reader rd = {0};
	int ended = 0, r;

	r = copy_command(p, sql, PGRES_COPY_OUT, e);
	while (r >= 0) {
		char *data;
		int len;

		r = copy_receive(p, &data, &len, ended < 0 ? NULL : e);
		if (r <= 0)
			break;
		/* After a refusal by cb the rest is read and thrown away. */
		if (ended == 0)
			ended = reader_feed(&rd, data, (size_t)len, cb, arg, e);
		PQfreemem(data);
	}
	if (r == 0)
		r = copy_result(p, ended < 0 ? NULL : e);
	if (r == 0 && ended == 0 && !rd.ended)
		r = err_set(e, ERR_PROTO, "the rows of a COPY ended early");
	buf_fini(&rd.b);
	return ended < 0 ? ended : r;
}
