/* error.c - what went wrong in the database: SQLSTATE to reaction, cause and next step.
 *
 * One table.  The sentence is the server's own primary message; what follows is for the person
 * who reads it at night.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "bridge/pg/session.h"

struct reaction {
	const char *state;  /* SQLSTATE or the start of one; the first that fits wins */
	int code;
	bool gone;          /* the session is of no more use */
	const char *hint;
};

static const struct reaction reactions[] = {
	{"08", ERR_SYS, true, "the connection to the database broke; it is tried again"},
	{"25006", ERR_SYS, true, "this server is a standby: add target_session_attrs=read-write"},
	{"25P03", ERR_SYS, true, "this process was stopped in the middle of a transaction"},
	{"28P01", ERR_DENIED, true, "wrong password: check the password file (PGPASSFILE, ~/.pgpass)"},
	{"28", ERR_DENIED, true, "check the user in the setting \"database\" and the server's "
				 "pg_hba.conf"},
	{"3D000", ERR_CONF, true, "create it with createdb, or correct dbname in the setting "
				  "\"database\""},
	{"3F000", ERR_CONF, false, "create the tables: ipambridge db init"},
	{"40001", ERR_BUSY, false, "another writer came first; it is tried again"},
	{"40P01", ERR_BUSY, false, "two writers waited for each other; it is tried again"},
	{"55P03", ERR_BUSY, false, "another session holds the lock; see pg_stat_activity"},
	{"57014", ERR_BUSY, false, "the statement took longer than it may; see pg_stat_activity for "
				   "what slows the server"},
	{"57P03", ERR_BUSY, true, "the server is starting or stopping; try again in a moment"},
	{"57P", ERR_SYS, true, "the server ended the session (restart, or an administrator)"},
	{"42501", ERR_DENIED, false, "the database user lacks a privilege: use the owner of schema "
				     "\"ipambridge\", or grant it"},
	/* Our keys are only given twice when two writers insert at the same moment. */
	{"23505", ERR_BUSY, false, "another writer inserted the same row; it is tried again"},
	{"42P01", ERR_BUG, false, "a table is missing: ipambridge db status"},
	{"42703", ERR_BUG, false, "a column is missing: ipambridge db status"},
	{"53300", ERR_BUSY, true, "raise max_connections or close other sessions"},
	{"53100", ERR_SYS, false, "the server's disk is full"},
	{"53", ERR_SYS, false, "the server lacks memory or disk"},
	{"58", ERR_SYS, false, "the server's own file system fails; see its log"},
	{"XX", ERR_SYS, false, "the server found itself damaged; see its log"},
	{"", ERR_BUG, false, ""},
};

const char *pg_first_line(char *out, size_t size, const char *s)
{
	size_t n;

	while (*s != '\0' && isspace((unsigned char)*s))
		s++;
	n = strcspn(s, "\r\n");
	snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), s);
	return out;
}

static const struct reaction *reaction_of(const char *state)
{
	const struct reaction *r = reactions;

	while (strncmp(state, r->state, strlen(r->state)) != 0)
		r++;
	return r;
}

/* Did the message come over a session that has ended meanwhile? */
static bool session_ended(const struct pg *p)
{
	return PQstatus(p->c) == CONNECTION_BAD;
}

int pg_fail_result(struct pg *p, const PGresult *res, struct err *e)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const struct reaction *re;
	char line[400];
	struct err here = {0};
	int code;

	/* libpq makes results of its own, without a state, when the connection breaks. */
	if (state == NULL)
		state = session_ended(p) ? "08006" : "";
	if (words == NULL)
		words = PQresultErrorMessage(res);
	re = reaction_of(state);
	code = re->code;
	pg_first_line(line, sizeof(line), words);
	err_set(&here, code, "database: %s%s%s%s", line, *state == '\0' ? "" : " (",
		state, *state == '\0' ? "" : ")");
	if (*re->hint != '\0')
		err_hint(&here, "%s", re->hint);
	if (e != NULL)
		*e = here;
	if (re->gone || session_ended(p)) {
		pg_lose(p, code, NULL, here.text);
		p->lost = here;
	}
	return code;
}

/* No SQLSTATE reaches us from a connection that failed, only words, the server's in its own
 * language.  So: what libpq knows first, then the words we know. */
struct symptom {
	const char *words;
	int code;
	const char *hint;
};

static const struct symptom symptoms[] = {
	{"password", ERR_DENIED, "check the password file (PGPASSFILE, ~/.pgpass: only its owner may "
				 "read it)"},
	{"pg_hba.conf", ERR_DENIED, "the server's pg_hba.conf has no line for this user and address"},
	{"Peer authentication", ERR_DENIED, "the system user must be the database user"},
	{"role \"", ERR_DENIED, "create the user with createuser, or correct user in the setting "
				"\"database\""},
	{"database \"", ERR_CONF, "create it with createdb, or correct dbname in the setting "
				  "\"database\""},
	{"No such file", ERR_SYS, "no server listens on this socket: is it running, and is host its "
				  "socket directory?"},
	{"Connection refused", ERR_SYS, "no server listens there: is it running?"},
	{"Permission denied", ERR_DENIED, "this system user may not use the socket directory"},
	{"could not translate host", ERR_SYS, "the host name is not known: check host in the setting "
					      "\"database\""},
	{"starting up", ERR_BUSY, "the server is starting; try again in a moment"},
	{"shutting down", ERR_BUSY, "the server is stopping; try again in a moment"},
	{"recovery mode", ERR_BUSY, "the server recovers from a crash; try again in a moment"},
	{"read-only", ERR_SYS, "only standby servers answer: is the primary down?"},
	{"too many", ERR_BUSY, "raise max_connections or close other sessions"},
	{"remaining connection slots", ERR_BUSY, "raise max_connections or close other sessions"},
	{"invalid connection option", ERR_CONF, "the setting \"database\" is a libpq string: "
						"host=DIR dbname=NAME"},
	{"missing \"=\"", ERR_CONF, "the setting \"database\" is a libpq string: host=DIR dbname=NAME"},
	{"", ERR_SYS, "is the server running, and is the setting \"database\" right?"},
};

int pg_fail_connect(PGconn *c, struct err *e)
{
	const char *words = PQerrorMessage(c);
	const struct symptom *s = symptoms;
	char line[400];

	if (!PQconnectionNeedsPassword(c))
		while (strstr(words, s->words) == NULL)
			s++;
	err_set(e, s->code, "no database session: %s", pg_first_line(line, sizeof(line), words));
	err_hint(e, "%s", s->hint);
	return s->code;
}
