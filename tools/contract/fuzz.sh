#!/usr/bin/env bash
# Asks a running server with requests made from the contract, good and bad ones, and
# looks at each answer: no fault of the server, no status, header, content type or
# body that the contract does not have, nothing without a key.
#
#   fuzz.sh URL KEY [EXAMPLES]    EXAMPLES for each operation (default 50)
#
# KEY has the scope full, belongs to the operator, and has the plan unlimited. What the
# server holds afterwards is garbage: give it a folder of its own. What is left out, and
# why, is in schemathesis.toml. It needs Python 3.11.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
[ $# -ge 2 ] || fail "usage: fuzz.sh URL KEY [EXAMPLES]"
need python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
document "$scratch/openapi.json"
bin=$(python_tools "${schemathesis[@]}")

status=0
(cd "$scratch" && ANSWERDESK_KEY=$2 "$bin/schemathesis" --config-file "$here/schemathesis.toml" run openapi.json --url "$1" \
	--seed "${SEED:-1}" --max-examples "${3:-50}" --phases examples,coverage,fuzzing,stateful \
	--continue-on-failure --generation-database none --no-color \
	--report json --report-json-path report.json >report.txt) || status=$?
[ -f "$scratch/report.json" ] || fail "$(cat "$scratch/report.txt")"
[ "$status" -eq 0 ] || cat "$scratch/report.txt"

python3 - "$scratch/report.json" <<'PY'
import json, sys

with open(sys.argv[1]) as f:
    r = json.load(f)
ops, cases = r["operations"], r["test_cases"]
print(f"operations: {ops['total']} in the contract, {ops['selected']} selected, {ops['tested']} tested, {ops['errored']} errored")
print(f"cases: {cases['generated']} made, {cases['generated'] - cases['without_checks']} checked, {cases['with_failures']} failed; seed {r['seed']}; {r['running_time']:.0f} s")
failed = cases["unique_failures"] + ops["errored"] + cases["errored"]
if not r["complete"] or ops["tested"] != ops["selected"]:
    print("it was not run to its end")
    failed += 1
print(f"{ops['tested']} passed, {failed} failed")
sys.exit(1 if failed else 0)
PY
exit "$status"
