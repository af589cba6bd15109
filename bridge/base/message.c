/* message.c - see message.h. */
#include "bridge/base/message.h"

static const struct message_row rows[] = {
#define MESSAGE_ROW(id, level, meaning) [MSG_##id] = {#id, LOG_LEVEL_##level, meaning},
	MESSAGES(MESSAGE_ROW)
#undef MESSAGE_ROW
};

const struct message_row *message_row(enum message m)
{
	return &rows[m];
}

const char *log_level_name(enum log_level level)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERR] = "error",
		[LOG_LEVEL_WARN] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug",
	};

	return names[level];
}
