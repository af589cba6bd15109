#!/bin/bash
# Fails when a file includes a room that tests/layers.txt does not give it, or a library that
# only one room may know.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0
room_of() { case $1 in bridge/*) r=${1#bridge/}; echo "${r%%/*}" ;; adapters/*) echo adapters ;; *) echo "" ;; esac; }

declare -A allowed
while IFS=: read -r room rest; do
	case $room in '#'* | '') continue ;; esac
	allowed[$room]=" $room $rest "
done < tests/layers.txt

while IFS=: read -r file line text; do
	target=$(sed -n 's/.*#include "\([^"]*\)".*/\1/p' <<< "$text")
	from=$(room_of "$file") to=$(room_of "$target")
	if [ -z "$to" ]; then continue; fi
	if [[ ${allowed[$from]:-} != *" $to "* ]]; then
		echo "$file:$line: room \"$from\" may not include \"$target\" (room \"$to\")"
		bad=1
	fi
done < <(grep -rn '#include "' bridge adapters --include='*.[ch]')

# library header : the one room that may include it
while read -r header room; do
	while IFS=: read -r file line _; do
		case $file in $room/*) ;; *)
			echo "$file:$line: only $room may include <$header>"
			bad=1 ;;
		esac
	done < <(grep -rnE "#include <$header" bridge adapters --include='*.[ch]')
done <<'EOF'
ldns/ bridge/dns
libpq-fe.h bridge/pg
confuse.h bridge/conf
libmnl/ adapters/neighbour
libsmartcols bridge/cli
EOF
if [ $bad -eq 0 ]; then echo "layers: ok"; fi
exit $bad
