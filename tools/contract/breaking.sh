#!/usr/bin/env bash
# Fails when the contract has changed so that a client made from an earlier one
# stops working.
#
#   breaking.sh [BASE]    BASE is a commit, tag or branch
#
# Without BASE it is the newest tag that has a contract, and before there is one
# the commit in which the contract was first complete. It needs Go and git.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
need go git
cd "$root"
complete=c4f10bcbd8d71c93a98f4ba095cf80890685fabd

base=${1:-}
if [ -z "$base" ]; then
	for tag in $(git tag --list 'v*' --merged HEAD --sort=-version:refname); do
		git cat-file -e "$tag:openapi.yaml" 2>/dev/null && base=$tag && break
	done
fi
base=${base:-$complete}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git show "$base:openapi.yaml" >"$scratch/openapi.yaml" || fail "$base has no openapi.yaml"
say "against $base"
go run "github.com/oasdiff/oasdiff@$oasdiff" breaking "$scratch/openapi.yaml" openapi.yaml --fail-on ERR
