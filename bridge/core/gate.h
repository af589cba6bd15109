/* gate.h - may a zone be sent to now?  Pure.
 *
 * Open until its server does not answer or refuses us as a whole; then closed for a while that
 * doubles, from a second to a minute.  What waits behind a closed gate keeps its place: nothing is
 * counted against the single owner.
 */
#ifndef BRIDGE_CORE_GATE_H
#define BRIDGE_CORE_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum gate_state { GATE_OPEN, GATE_UNREACHABLE, GATE_PARKED };

struct gate {
	uint8_t state;        /* enum gate_state */
	uint32_t attempts;    /* failed in a row */
	int64_t next_s;       /* closed before; Unix */
};

enum { GATE_MAX_S = 60 };

/* A closed gate lets one attempt through when its time has come. */
bool gate_lets(const struct gate *g, int64_t now_s);
/* The server took or judged a change.  True: it had been closed. */
bool gate_passed(struct gate *g);
/* dead: it did not answer; else it refused.  random: jitter, so that many do not come at once.
 * True: this is news. */
bool gate_failed(struct gate *g, bool dead, int64_t now_s, uint64_t random);

#endif
