#!/usr/bin/env python3
"""A server that answers what the programs beside it ask, and nothing else.

    fake.py KEY    prints its address, and serves until it is killed

It answers as the contract says, with one thing more: each object has a field
`added_later` that the contract does not have, since clients must pass over it.
"""

import email.parser
import email.policy
import http.server
import json
import sys
import time

KEY = sys.argv[1]
NOW = "2026-11-21T10:00:00.123456Z"
documents = {}


def grown(value):
    """Returns value with a field more in each object."""
    if isinstance(value, dict):
        return {k: grown(v) for k, v in value.items()} | {"added_later": {"a": [1, None]}}
    if isinstance(value, list):
        return [grown(v) for v in value]
    return value


def reply(document, sequence):
    quote = "The shop opens at nine in the morning from Monday to Saturday."
    return {
        "id": f"msg_{sequence}",
        "conversation_id": "conv_1",
        "agent_id": "agt_1",
        "text": quote,
        "outcome": "answer",
        "confidence": {"score": 0.93, "threshold": 0.5, "calibrated": False, "reasons": []},
        "citations": [
            {
                "document_id": document,
                "document_version": 1,
                "passage_id": "psg_1",
                "start": 0,
                "end": len(quote),
                "quote": quote,
                "title": "Opening hours",
                "claim_start": 0,
                "claim_end": len(quote),
            }
        ],
        "knowledge_revision": 7,
        "created_at": NOW,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        print(format % args, file=sys.stderr)

    def answer(self, status, body=None, kind="application/json"):
        data = b"" if body is None else json.dumps(grown(body)).encode()
        self.send_response(status)
        self.send_header("X-Request-Id", "req_1")
        if status != 401:
            self.send_header("X-RateLimit-Limit", "100")
            self.send_header("X-RateLimit-Remaining", "99")
            self.send_header("X-RateLimit-Reset", "1795255200")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def error(self, status, code, message, **details):
        self.answer(status, {"error": {"code": code, "message": message, "details": details, "request_id": "req_1"}})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def json(self, *fields):
        """Reads a body of these fields, or refuses it and returns None."""
        raw = self.body()
        if (self.headers.get("Content-Type") or "").split(";")[0] != "application/json":
            return self.error(415, "unsupported_media_type", "the body is not JSON")
        value = json.loads(raw)
        for field in value:
            if field not in fields:
                return self.error(400, "invalid_request", f"{field} is no field of this request", field=field)
        return value

    def multipart(self):
        """Returns the parts of the body by their names."""
        head = b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n"
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body())
        return {p.get_param("name", header="content-disposition"): p for p in message.iter_parts()}

    def serve(self):
        path = self.path.split("?")[0]
        if self.headers.get("Authorization") != f"Bearer {KEY}" and self.headers.get("x-api-key") != KEY:
            self.body()
            return self.error(401, "invalid_api_key", "the API key does not work: create another one")
        fields = ("agent_id", "message", "conversation_id", "user", "metadata", "context", "attachments", "reply_format")
        document = next(iter(documents), "doc_none")
        match self.command, path:
            case "GET", "/v1/agents":
                agent = {"id": "agt_1", "name": "Shop", "is_default": True, "version": 1, "created_at": NOW, "updated_at": NOW}
                self.answer(200, {"data": [agent], "has_more": False})
            case "POST", "/v1/message":
                if (value := self.json(*fields)) is not None:
                    self.answer(200, reply(document, 1 + len(value["message"])))
            case "POST", "/v1/message/stream":
                if self.json(*fields) is not None:
                    self.stream(reply(document, 2))
            case "POST", "/v1/knowledge/files":
                parts = self.multipart()
                name = parts["file"].get_filename() or ""
                if not name.endswith(".txt"):
                    return self.error(415, "unsupported_media_type", "the file is of no type that is known", field="file")
                documents["doc_1"] = parts["file"].get_payload(decode=True)
                made = {"id": "doc_1", "kind": "upload", "title": parts["title"].get_content().strip(), "format": "text", "version": 1}
                made |= {"external_id": parts["external_id"].get_content().strip(), "state": "ready"}
                made |= {"metadata": json.loads(parts["metadata"].get_content()), "created_at": NOW, "updated_at": NOW}
                self.answer(202, {"document": made})
            case "DELETE", "/v1/knowledge/documents/doc_1" if documents:
                documents.clear()
                self.answer(200, {"id": "doc_1", "kind": "document", "versions": 1, "deleted_at": NOW, "out_of_reach": []})
            case _:
                self.body()
                self.error(404, "not_found", f"there is no {self.command} {path}")

    def stream(self, whole):
        self.send_response(200)
        self.send_header("X-Request-Id", "req_1")
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        half = len(whole["text"]) // 2
        events = [
            {"type": "message.started"},
            {"type": "text.delta", "delta": whole["text"][:half]},
            {"type": "unheard.of"},
            {"type": "text.delta", "delta": whole["text"][half:]},
            {"type": "message.completed", "reply": whole},
        ]
        for number, event in enumerate(events, 1):
            event |= {"sequence": number, "message_id": whole["id"], "conversation_id": whole["conversation_id"]}
            data = json.dumps(grown(event))
            self.chunk(f": a comment\nid: {number}\nevent: {event['type']}\ndata: {data}\n\n".encode())
            time.sleep(0.02)
        self.chunk(b"")

    do_GET = do_POST = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
