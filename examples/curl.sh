#!/usr/bin/env bash
# The hosted API with curl: an agent, a document, a question, its reply as it comes,
# a delete, and a refusal. Run it in an empty folder, with answerdesk on the PATH:
#
#	bash curl.sh
#
# It serves the folder "data" at 127.0.0.1:8080, or where ANSWERDESK_ADDR and DESK
# say. README.md has the same lines.
set -euo pipefail

answerdesk serve --data data 2>desk.log &
desk=${DESK:-http://127.0.0.1:8080}
curl -s --retry 9 --retry-connrefused "$desk/readyz"
key=$(answerdesk keys create --data data --name "First steps" --scope full)
auth="Authorization: Bearer $key" json="Content-Type: application/json"

# An agent, and a document for it to answer from.
agent=$(curl -sS "$desk/v1/agents" -H "$auth" -H "$json" -d '{"name": "Shop"}' | grep -o 'agt_[0-9a-z]*')
document=$(curl -sS "$desk/v1/knowledge/documents" -H "$auth" -H "$json" \
  -d '{"title": "Hours", "text": "We open at nine in the morning. On Sundays we stay closed."}' | grep -o 'doc_[0-9a-z]*')

# A question, and the same one with the reply as it comes.
curl -sS "$desk/v1/message" -H "$auth" -H "$json" -d '{"agent_id": "'"$agent"'", "message": "When do you open?"}'
curl -sSN "$desk/v1/message/stream" -H "$auth" -H "$json" -d '{"agent_id": "'"$agent"'", "message": "When do you open?"}'

# Deleted means gone: now the agent says that it does not know.
curl -sS -X DELETE "$desk/v1/knowledge/documents/$document" -H "$auth"
curl -sS "$desk/v1/message" -H "$auth" -H "$json" -d '{"agent_id": "'"$agent"'", "message": "When do you open?"}'
kill $! && wait $!
