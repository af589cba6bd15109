/* outcome.h - what an answer means: rcode x TSIG error x what was sent -> reaction, cause, step.
 *
 * One table for push, command line, log and page.  Whoever learns a new rcode rule adds a row.
 */
#ifndef BRIDGE_CORE_OUTCOME_H
#define BRIDGE_CORE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RCODE_NOERROR = 0, RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3,
	RCODE_NOTIMP = 4, RCODE_REFUSED = 5, RCODE_YXDOMAIN = 6, RCODE_YXRRSET = 7,
	RCODE_NXRRSET = 8, RCODE_NOTAUTH = 9, RCODE_NOTZONE = 10,
	TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22,
};

const char *rcode_name(unsigned rcode);

/* How an exchange ended. */
struct answer {
	enum answer_end {
		ANSWER_REPLY,     /* an answer came; rcode, tsig_error and verified say which */
		ANSWER_TIMEOUT,   /* sent, no answer by the deadline: the result is unknown */
		ANSWER_LOST,      /* sent, the connection broke: the result is unknown */
		ANSWER_UNSENT,    /* no connection: certainly nothing happened */
	} end;
	uint8_t rcode;
	uint16_t tsig_error;      /* from the TSIG of the answer; 0 none */
	bool verified;            /* the answer's TSIG holds */
	int64_t clock_diff_s;     /* BADTIME: server's clock minus ours */
	const char *detail;       /* the system's words for LOST and UNSENT, or NULL */
};

enum outcome {
	OUTCOME_DONE,     /* proven applied */
	OUTCOME_REREAD,   /* a prerequisite failed: look at the owners, plan again */
	OUTCOME_SPLIT,    /* something in the batch is bad: bisect; alone: refused for good */
	OUTCOME_RETRY,    /* later, with backoff; nothing happened */
	OUTCOME_UNKNOWN,  /* may or may not have happened: read back before anything else */
	OUTCOME_PARK,     /* the server does not let us: every change there waits for a person */
};

struct outcome_row {
	enum outcome outcome;
	const char *what;   /* "server answered REFUSED" */
	const char *cause;  /* likely cause, by server make where they differ */
	const char *next;   /* the next step for a person */
};

const struct outcome_row *outcome_of(const struct answer *a);

/* Seconds until the next attempt: doubling from 1 s to 300 s with jitter of half. */
int64_t outcome_backoff_s(uint32_t attempts, uint64_t random);

#endif
