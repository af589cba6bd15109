/* priority.h - who goes first on a machine that has more to do than it can.
 *
 * DHCP's answers and the name server's do not wait; what becomes of a lease in DNS does, for a
 * while, and loses nothing by it.  So the daemon takes the smaller share of a busy processor, and
 * all that is left of an idle one.  As first as any other program goes what hears datagrams, which
 * nobody keeps for us for long, and what people look at.
 *
 * Linux weighs twice (sched(7)): sessions against each other ("autogroup"), and the processes of
 * one session by their nice values.  In a cgroup with a weight of its own (CPUWeight= of a unit)
 * that weight takes the place of the session's.
 */
#ifndef BRIDGE_ROLE_PRIORITY_H
#define BRIDGE_ROLE_PRIORITY_H

/* The session of this process, if it leads it, and what it starts from now on, goes after others.
 * A kernel that does not weigh sessions is left alone. */
void priority_session_later(void);
/* A session of its own, weighed as any other.  For a process that leads none. */
void priority_session_own(void);
/* This process goes after others. */
void priority_later(void);

#endif
