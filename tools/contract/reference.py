#!/usr/bin/env python3
"""Holds docs/reference-examples.md to what the server and the contract do.

    reference.py PAGE CONTRACT.json PLANNED.json [URL]

The routes of rows that are answered today are in the contract, those of the others
only in what is planned. With a URL, every example that the page says is answered
today is sent, as it stands in its document but for host, key and ids; the key, of
scope full, is in ANSWERDESK_KEY.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request

ROW = re.compile(r"^\| ([A-Z])(\d+) \| (.+?) \| (\w+) \| (.+?) \| (.*?) ?\|$")
MESSAGE = '{\n    "agent_id": "your-agent-id",\n    "message": "What are your business hours?"\n  }'
CONTENT = """{
"content": "Your content here",
"metadata": {
"title": "Example Document",
"category": "Documentation",
"tags": ["api", "example"]
}
}"""
BULK = """{
"items": [
{
"content": "First document",
"metadata": { "title": "Doc 1" }
},
{
"content": "Second document",
"metadata": { "title": "Doc 2" }
}
]
}"""


def rows(page):
    found = []
    for line in page.splitlines():
        if re.match(r"\| [A-Z]\d", line):
            if not (m := ROW.match(line)):
                sys.exit(f"not a row: {line}")
            found.append(m.groups())
    return found


def look(page, contract, planned):
    """Returns what the page says that the documents do not bear out."""
    ids = [
        {op["operationId"] for item in d["paths"].values() for op in item.values() if isinstance(op, dict)}
        for d in (contract, planned)
    ]
    bad, last = [], {}
    for system, number, example, today, route, _ in rows(page):
        name = system + number
        if int(number) != last.get(system, 0) + 1:
            bad.append(f"{name} does not follow {system}{last.get(system, 0)}")
        last[system] = int(number)
        for operation in re.findall(r"`(\w+)`", route):
            if operation not in ids[1]:
                bad.append(f"{name}: nothing is planned that is called {operation}")
            elif today in ("yes", "native") and operation not in ids[0]:
                bad.append(f"{name}: {operation} is not in the contract")
            elif today == "planned" and operation in ids[0] and operation != "createContentBulk":
                bad.append(f"{name}: {operation} is in the contract")
        if today not in ("yes", "native", "planned"):
            bad.append(f"{name}: {today} is no answer")
    return bad


class Caller:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def call(self, method, path, body=None, want=(200,), headers=None):
        """Sends what is given, and returns the answer and its headers."""
        sent = {"Authorization": f"Bearer {self.key}"} if headers is None else dict(headers)
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = body.encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, sent, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as e:
            answer = e
        with answer:
            text = answer.read().decode()
            if answer.status not in want:
                raise AssertionError(f"{method} {path} answers {answer.status}, want {want}: {text[:300]}")
            return (json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text), answer.headers


def send(c):
    """Sends the examples, and returns the numbers of those that were answered."""
    done = []

    def example(numbers, *args, fields=(), **kwargs):
        value, headers = c.call(*args, **kwargs)
        for field in fields:
            assert field in value, f"{numbers}: no {field} in {value}"
        done.extend(numbers.split())
        return value, headers

    agents, headers = example("M17 M2 M4", "GET", "/v1/agents", fields=["data"])
    agent = agents["data"][-1]["id"]
    for header in ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
        assert headers[header].isdigit(), header
    done.append("S32")
    c.call("GET", "/v1/agents", headers={"x-api-key": c.key})
    done.append("A2")
    reply, _ = example("M1 M3 M6", "POST", "/v1/message", MESSAGE.replace("your-agent-id", agent), fields=["text", "confidence"])
    stream, headers = example("M7", "POST", "/v1/message/stream", MESSAGE.replace("your-agent-id", agent))
    assert headers["Content-Type"] == "text/event-stream" and "event: message.completed" in stream
    conversation = reply["conversation_id"]
    example("M8", "GET", "/v1/conversations", fields=["data", "has_more"])
    example("M9", "GET", f"/v1/conversations/{conversation}", fields=["id"])
    messages, _ = example("M10", "GET", f"/v1/conversations/{conversation}/messages", fields=["data"])
    assert len(messages["data"]) == 2, messages
    example("M11", "DELETE", f"/v1/conversations/{conversation}", fields=["deleted_at"])
    c.call("GET", f"/v1/conversations/{conversation}", want=(404,))
    document, _ = example("M12", "POST", "/v1/knowledge/documents", '{"text": "We open at nine."}', want=(201,), fields=["id"])
    example("M13", "GET", "/v1/knowledge/documents", fields=["data"])
    example("M14", "DELETE", f"/v1/knowledge/documents/{document['id']}", fields=["deleted_at"])
    pair = '{"question": "Do you ship abroad?", "answer": "Yes."}'
    pairs, _ = example("M16", "POST", "/v1/knowledge/qa-pairs", pair, want=(201,), fields=["data"])
    website, _ = example("M15", "POST", "/v1/knowledge/websites", '{"url": "https://shop.example"}', want=(201,), fields=["run_id", "state"])
    example("M18", "GET", f"/v1/agents/{agent}", fields=["name"])
    example("M19", "PUT", f"/v1/agents/{agent}/settings", '{"threshold": 0.5}', fields=["threshold"])

    error = ["error"]
    example("M22", "POST", "/v1/message", "{}", want=(400,), fields=error)
    example("M23", "GET", "/v1/agents", want=(401,), headers={}, fields=error)
    example("M25", "GET", "/v1/agents/agt_none", want=(404,), fields=error)
    keys = {}
    for scope in ("read", "write", "full"):
        body = json.dumps({"name": f"examples {scope}", "scope": scope, "plan": "unlimited"})
        keys[scope], _ = c.call("POST", "/v1/api-keys", body, want=(201,))
    reads, writes = ({"Authorization": f"Bearer {keys[scope]['secret']}"} for scope in ("read", "write"))
    example("M24", "POST", "/v1/content", CONTENT, want=(403,), headers=reads, fields=error)
    c.call("GET", "/v1/content", headers=reads)
    c.call("GET", "/v1/content", headers=writes, want=(403,))
    done.append("C2")

    content, _ = example("C4 C6", "POST", "/v1/content", CONTENT, want=(201,), fields=["id", "metadata"])
    bulk, _ = example("C5 C7", "POST", "/v1/content/bulk", BULK, fields=["results", "created"])
    assert bulk["failed"] == 0, bulk
    listed, _ = example("C3 C10 C29", "GET", "/v1/content", fields=["data"])
    assert content["id"] in [d["id"] for d in listed["data"]], listed
    example("C8", "PUT", f"/v1/content/{content['id']}", '{"content": "Other content here"}', fields=["version"])
    example("C9", "DELETE", f"/v1/content/{content['id']}", fields=["deleted_at"])
    example("C26", "POST", "/v1/content/bulk", json.dumps({"items": [{"content": "a"}] * 1001}), want=(400,), fields=error)
    run, _ = example("C11", "POST", "/v1/train", want=(202,), fields=["id", "state"])
    status, _ = example("C12", "GET", "/v1/train/status", fields=["phase", "progress"])
    assert status["id"] == run["id"], status
    example("C13", "POST", "/v1/train/cancel", fields=["state"])
    many = json.dumps({"items": [{"content": f"{i} " + "a b c d " * 12400} for i in range(1000)], "dry_run": True})
    assert 99_000_000 < len(many) < 100_000_000, len(many)
    example("C28", "POST", "/v1/content/bulk", many, fields=["results"])

    c.call("DELETE", f"/v1/knowledge/websites/{website['id']}")
    for thing in pairs["data"]:
        c.call("DELETE", f"/v1/knowledge/qa-pairs/{thing['id']}")
    for thing in bulk["results"]:
        c.call("DELETE", f"/v1/content/{thing['id']}")
    for key in keys.values():
        c.call("DELETE", f"/v1/api-keys/{key['id']}", want=(204,))
    return done


def main():
    page, contract, planned = (open(name, encoding="utf-8").read() for name in sys.argv[1:4])
    bad = look(page, json.loads(contract), json.loads(planned))
    today = {s + n: t for s, n, _, t, _, _ in rows(page)}
    print(*bad, sep="\n", end="\n" if bad else "")
    counts = {t: sum(1 for v in today.values() if v == t) for t in sorted(set(today.values()))}
    print(f"{len(today)} examples: {', '.join(f'{n} {t}' for t, n in counts.items())}", file=sys.stderr)
    if len(sys.argv) > 4:
        # A fault of the server cannot be asked for.
        want = {name for name, t in today.items() if t == "yes"} - {"M27"}
        done = set(send(Caller(sys.argv[4], os.environ["ANSWERDESK_KEY"])))
        for name in sorted(want ^ done):
            bad.append(name)
            print(f"{name} is {'not sent' if name in want else 'sent, and the page does not say yes'}")
        print(f"{len(want & done)} passed, {len(bad)} failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
