/* message.h - every message with an identity of its own, as rows: id, level, meaning.
 *
 * People grep for ids and alarms hang on them: once released an id is never renamed and never
 * means something else.  ipambridge-messages(7) says of each what to do; a test compares the two.
 */
#ifndef BRIDGE_BASE_MESSAGE_H
#define BRIDGE_BASE_MESSAGE_H

enum log_level { LOG_LEVEL_ERR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

#define MESSAGES(M)                                                                                \
	M(NOTE, INFO, "words without an id of their own, at any level")                            \
	M(RUN_FAILED, ERR, "the command could not do what it was asked to")                        \
	M(RUN_LATE, WARN, "the time of a pass is over; the next goes on where it stopped")         \
	/* what goes to name servers */                                                            \
	M(UPDATE_DONE, INFO, "changes were sent, proven and kept")                                 \
	M(UPDATE_REFUSED, WARN, "the server refuses one name for good")                            \
	M(UPDATE_FAILED, WARN, "the server fails on one name; it is tried again")                  \
	M(UPDATE_HELD, WARN, "too much would end or change at once: the brake holds it")           \
	M(PUSH_FAILED, WARN, "changes could not be sent to the server of a zone")                  \
	M(PUSH_STOPPED, WARN, "the server does not answer or lets nothing through: the zone waits")\
	M(SERVER_BACK, INFO, "a server that was away or refused answers again")                    \
	M(NAME_FROZEN, WARN, "somebody keeps undoing a name: it is left alone")                    \
	/* what comes back from them */                                                            \
	M(PULL_DONE, INFO, "a zone was read and differed from what was known")                     \
	M(PULL_WHOLE, DEBUG, "what changed in a zone cannot be followed: all of it is read")       \
	M(PULL_FAILED, WARN, "a zone could not be read")                                           \
	M(TRANSFER_REFUSED, WARN, "the server does not give the zone: it is asked name by name")   \
	M(TRANSFER_GIVEN, INFO, "a server that did not give the zone does so again")               \
	M(ZONE_RESTORED, WARN, "the serial went back: ours is written or removed again")           \
	M(PARENT_DIFFERS, WARN, "the zone above a classless zone does not lead to it")             \
	M(NOTIFY_LISTENS, INFO, "messages that say NOTIFY are listened for at this address")       \
	M(NOTIFY_FAILED, WARN, "nobody can send us NOTIFY: only the schedule counts")              \
	M(NOTIFY_HEARD, DEBUG, "a server says that a zone changed: it is looked at")               \
	M(NOTIFY_REFUSED, WARN, "a NOTIFY message was not taken")                                  \
	/* sources */                                                                              \
	M(SOURCE_READ, INFO, "a source was read")                                                  \
	M(SOURCE_FAILED, WARN, "a source could not be read; nothing ends by that")                 \
	M(SOURCE_OLD, WARN, "a source shows rows older than what is kept; they are dropped")       \
	M(SOURCE_LIMIT, WARN, "the system gives a source less than it asked for")                  \
	M(RECORD_REFUSED, WARN, "a source shows a record that cannot be taken")                    \
	M(EVENTS_LOST, WARN, "events were lost on their way; the source is compared as a whole")   \
	M(SPOOL_FULL, WARN, "the spool file is full: events are refused and counted")              \
	M(SPOOL_FAILED, WARN, "the spool file cannot be used; events are taken in without it")     \
	/* the database */                                                                         \
	M(DATABASE_LOST, WARN, "the database cannot be reached; it is tried again")                \
	M(DATABASE_BACK, INFO, "the database can be reached again")                                \
	M(DATABASE_SAYS, WARN, "the database server has something to say")                         \
	M(DATABASE_RESTORED, ERR, "the database is older than what was seen of it: nothing is sent") \
	M(MARK_FAILED, WARN, "the mark of the journal cannot be kept in the state directory")      \
	M(POLICY_DIFFERS, ERR, "another daemon on this database has another configuration")        \
	/* the daemon itself */                                                                    \
	M(DAEMON_STARTED, INFO, "the daemon has started its processes")                            \
	M(DAEMON_STOPPED, INFO, "the daemon has ended, as it was told to")                         \
	M(CONFIG_LOADED, INFO, "a changed configuration is in use")                                \
	M(CONFIG_REFUSED, ERR, "a changed configuration is wrong: the old one stays in use")       \
	M(ROLE_DIED, WARN, "a process of the daemon ended by itself; it is started again")         \
	M(ROLE_HUNG, WARN, "a process of the daemon stood still; it is killed and started again")  \
	M(ROLE_UNCONFINED, WARN, "the kernel cannot confine a process that reads foreign data")    \
	M(HTTP_LISTENS, INFO, "metrics and health are served at this address")                     \
	M(KEY_WEAK, WARN, "a key uses an algorithm that is no longer strong")

enum message {
#define MESSAGE_ENUM(id, level, meaning) MSG_##id,
	MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
	MSG_COUNT
};

struct message_row {
	const char *id;         /* "UPDATE_REFUSED" */
	enum log_level level;
	const char *meaning;    /* one line */
};

const struct message_row *message_row(enum message m);
const char *log_level_name(enum log_level level);  /* "error", "warning", "info", "debug" */

#endif
