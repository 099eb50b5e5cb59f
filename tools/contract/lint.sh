#!/usr/bin/env bash
# Looks over the contract, and over what it will become with the planned routes:
# redocly for what holds of every OpenAPI document, lint.py for our own rules,
# each of which lint_test.py breaks first. Then, whether the routes that
# docs/reference-examples.md names are where it says.
#
#   lint.sh
#
# It needs Node 20 and Python 3.11.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need node python3
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

document "$scratch/contract.json"
document "$scratch/planned.json" "$here/draft.yaml"
bin=$(node_tools "${redocly[@]}")
python3 -B "$here/lint_test.py" "$scratch/contract.json"
bad=0
for name in contract planned; do
	say "$name"
	if ! "$bin/redocly" lint --config "$here/redocly.yaml" --format stylish "$scratch/$name.json" >"$scratch/redocly" 2>&1; then
		cat "$scratch/redocly"
		bad=1
	fi
	python3 -B "$here/lint.py" "$scratch/$name.json" || bad=1
done
python3 -B "$here/reference.py" "$root/docs/reference-examples.md" "$scratch/contract.json" "$scratch/planned.json" || bad=1
exit $bad
