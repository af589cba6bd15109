#!/bin/bash
# check-pure.sh LIBPURE ALLOWED: what the pure library takes from outside is on the list.
set -euo pipefail
export LC_ALL=C
lib=$1 list=$2
defined=$(nm --defined-only "$lib" 2>/dev/null | awk 'NF == 3 {print $3}' | sort -u)
undefined=$(nm -u "$lib" 2>/dev/null | awk '$1 == "U" {print $2}' | sed 's/@.*//' | sort -u)
extra=$(comm -23 <(comm -23 <(echo "$undefined") <(echo "$defined")) \
	<(sed -e 's/#.*//' -e 's/[[:space:]]//g' "$list" | grep -v '^$' | sort -u))
if [ -n "$extra" ]; then
	echo "pure: these symbols are not in $list:"
	echo "$extra"
	exit 1
fi
echo "pure: ok"
