/* metrics_file.h - metrics in a file, for node_exporter's textfile collector and passes by cron. */
#ifndef BRIDGE_CLI_METRICS_FILE_H
#define BRIDGE_CLI_METRICS_FILE_H

#include "bridge/base/err.h"
#include "bridge/core/policy.h"
#include "bridge/pg/pg.h"

/* The file is there whole, old or new, at every moment; its directory must be writable. */
int metrics_file_write(const char *path, struct pg *pg, const struct policy *p, struct err *e);

#endif
