#!/bin/sh
# embed-sql.sh DIR FILE...: DIR/sql.c and DIR/sql.h with every SQL file as a C string.
#   schema/0001_init.sql        -> a row of sql_migrations[] (version, name, text)
#   schema/query/NAME.sql       -> const char sql_NAME[]
set -eu
dir=$1
shift
quote() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t"/' -e 's/$/\\n"/' "$1"; }
{
	echo '/* generated from schema/ by tests/embed-sql.sh */'
	echo '#ifndef GEN_SQL_H'
	echo '#define GEN_SQL_H'
	echo '#include <stddef.h>'
	echo 'struct sql_migration { int version; const char *name; const char *text; };'
	echo 'struct sql_named { const char *name; const char *text; };'
	echo 'extern const struct sql_migration sql_migrations[];'
	echo 'extern const size_t sql_n_migrations;'
	echo '/* every statement of schema/query, for the test that prepares them all */'
	echo 'extern const struct sql_named sql_queries[];'
	echo 'extern const size_t sql_n_queries;'
	for f; do
		case $f in
		schema/query/*) echo "extern const char sql_$(basename "$f" .sql)[];" ;;
		esac
	done
	echo '#endif'
} > "$dir/sql.h"
{
	echo '#include "sql.h"'
	for f; do
		case $f in
		schema/query/*)
			echo "const char sql_$(basename "$f" .sql)[] ="
			quote "$f"
			echo '	;'
			;;
		esac
	done
	echo 'const struct sql_migration sql_migrations[] = {'
	for f; do
		case $f in
		schema/query/*) ;;
		*)
			n=$(basename "$f")
			v=$(echo "$n" | sed 's/^0*\([0-9][0-9]*\)_.*/\1/')
			echo "	{ $v, \"$n\","
			quote "$f"
			echo '	},'
			;;
		esac
	done
	echo '	{ 0, NULL, NULL } };'
	echo 'const size_t sql_n_migrations = sizeof(sql_migrations) / sizeof(sql_migrations[0]) - 1;'
	echo 'const struct sql_named sql_queries[] = {'
	for f; do
		case $f in
		schema/query/*) n=$(basename "$f" .sql); echo "	{ \"$n\", sql_$n }," ;;
		esac
	done
	echo '	{ NULL, NULL } };'
	echo 'const size_t sql_n_queries = sizeof(sql_queries) / sizeof(sql_queries[0]) - 1;'
} > "$dir/sql.c"
