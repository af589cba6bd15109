#!/bin/bash
# Everything that needs real servers: store tests and the differential test on a private
# PostgreSQL, then pytest.  The servers come from contrib/servers; none may be missing.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
env=$(contrib/servers env) || { echo "integration: no servers: run contrib/bootstrap servers"; exit 1; }
eval "$env"
build=${IPAMBRIDGE_BUILD:-build/gcc}
tag=$(basename "$build")
mkdir -p build/results
dir=$(mktemp -d /tmp/ipambridge-it.XXXXXX)
chmod 755 "$dir"
# shellcheck disable=SC2317     # called by the trap
stop() { contrib/local-postgres stop "$dir/pg" > /dev/null 2>&1; rm -rf "$dir"; }
trap stop EXIT
db=$(contrib/local-postgres start "$dir/pg" --fast | tail -n 1) || exit 1
rc=0

passed=0 failed=0
run_db() {
	local name=$1
	shift
	if IPAMBRIDGE_TEST_DB="$db" timeout 300 "$@" > "$dir/out" 2>&1; then
		echo "ok   $name"
	else
		echo "FAIL $name"
		tail -n 60 "$dir/out"
		rc=1
	fi
}
for t in pg_test store_test sending_test live_test; do
	run_db $t "$build/$t"
	p=$(sed -n 's/^\[  PASSED  *\] \([0-9]*\) test.*/\1/p' "$dir/out" | awk '{n += $1} END {print n + 0}')
	f=$(sed -n 's/^\[  FAILED  *\] \([0-9]*\) test.*/\1/p' "$dir/out" | awk '{n += $1} END {print n + 0}')
	passed=$((passed + p)) failed=$((failed + f))
done
run_db "differential (10,000 operations)" "$build/differential" -s 1 -n 10000
if [ $rc -eq 0 ]; then passed=$((passed + 1)); elif [ $failed -eq 0 ]; then failed=1; fi
echo "$passed $failed" > "build/results/store-$tag.count"

xml=$dir/pytest.xml
# Most tests wait for servers: two a core keep it busy.
jobs=${INTEGRATION_JOBS:-$(($(nproc) * 2))}
/usr/bin/python3 -m pytest -q -x -n "$jobs" --tb=short -p no:cacheprovider --junitxml="$xml" \
	tests/integration || rc=1
/usr/bin/python3 - "$xml" > "build/results/pytest-$tag.count" <<'EOF' || rc=1
import sys, xml.etree.ElementTree as E
s = E.parse(sys.argv[1]).getroot()
s = s if s.tag == "testsuite" else s.find("testsuite")
n, bad = int(s.get("tests")), int(s.get("failures")) + int(s.get("errors"))
skipped = int(s.get("skipped"))
print(n - bad - skipped, bad + skipped)
sys.exit(1 if skipped or n == 0 else 0)
EOF
exit $rc
