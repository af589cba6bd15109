/* journal.h - what happened, line by line: to everything, or to names and addresses. */
#ifndef BRIDGE_REPORT_JOURNAL_H
#define BRIDGE_REPORT_JOURNAL_H

#include "bridge/report/why.h"

struct report_journal {
	int64_t at_s;
	const char *space;        /* NULL: none */
	const char *zone;
	const char *owner;        /* without final dot; NULL: none */
	struct ipaddr addr;
	const char *event;
	const char *before;
	const char *after;
	int rcode;                /* -1: none */
	const char *why;
};

typedef void (*report_journal_cb)(void *arg, const struct report_journal *row);

struct report_journal_filter {
	const char *space;        /* NULL: all; lines of no space are always among them */
	const char *zone;         /* without final dot, lower case; NULL: all */
	int64_t since_s;          /* 0: from the beginning */
	unsigned limit;           /* the latest so many */
	const struct report_subject *about;  /* NULL: everything */
};

/* Oldest first. */
int report_journal(struct pg *pg, const struct report_journal_filter *f, report_journal_cb cb,
		   void *arg, struct err *e);

#endif
