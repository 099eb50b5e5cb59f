#!/usr/bin/env bash
# Sends a running server every example that docs/reference-examples.md says is
# answered today.
#
#   examples.sh URL KEY    KEY has the scope full, belongs to the operator, and has the plan unlimited
#
# It needs Python 3.11.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
[ $# -eq 2 ] || fail "usage: examples.sh URL KEY"
need python3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
document "$scratch/contract.json"
document "$scratch/planned.json" "$here/draft.yaml"
ANSWERDESK_KEY=$2 python3 -B "$here/reference.py" "$root/docs/reference-examples.md" "$scratch/contract.json" "$scratch/planned.json" "$1"
