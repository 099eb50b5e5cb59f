#!/usr/bin/env python3
"""Holds a document to the rules of this contract that no linter of others knows.

    lint.py DOCUMENT.json

Each line that it prints is a rule that is broken, and where. The rules are the
functions below whose names begin with rule_; each says in its first line what it
asks for.
"""

import json
import re
import sys

METHODS = ("get", "put", "post", "patch", "delete")
VERBS = (
    "answer approve authorize cancel complete configure crawl create delete end export get give handoff list preview rate receive"
    " reject replay reply request resume retry rollback rotate search start stream submit sync test update upload verify"
).split()
SCOPES = ("read", "write", "full")
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
# POSTs that create nothing under a new id, or are harmless when repeated.
REPEATABLE = {
    "searchKnowledge", "cancelMessage", "cancelRun", "cancelTraining", "giveFeedback", "previewAPISource",
    "approveToolCall", "rejectToolCall", "answerToolCall",
    # planned
    "authorizeIntegration", "endConversation", "rateConversation",
    "receiveChannelEvent", "resumeConversation", "retryDelivery", "testIntegration", "testWebhook",
}  # fmt: skip
BOUNDS = ("maxLength", "minLength", "pattern", "maxItems", "minItems", "maxProperties", "minimum", "maximum", "enum")
# What generators miss; and const, which only a discriminator may have, and there is none yet.
FORBIDDEN = ("const", "if", "then", "else", "prefixItems", "$dynamicRef", "dependentSchemas", "unevaluatedProperties", "patternProperties")


class Contract:
    def __init__(self, document):
        self.document = document
        self.found = []
        self.operations = [
            (method, path, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in METHODS
        ]

    def say(self, where, what):
        self.found.append(f"{where}: {what}")

    def resolve(self, thing):
        while "$ref" in thing:
            target = self.document
            for part in thing["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            thing = target
        return thing

    def inside(self, schema, where, seen=()):
        """Yields each schema that is part of another one, and where it is."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[-1]
            if name in seen:
                return
            seen, where, schema = (*seen, name), name, self.resolve(schema)
        yield schema, where
        for name, part in schema.get("properties", {}).items():
            yield from self.inside(part, f"{where}.{name}", seen)
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                yield from self.inside(schema[key], f"{where}.{key}", seen)
        for key in ("oneOf", "anyOf", "allOf"):
            for i, part in enumerate(schema.get(key, [])):
                yield from self.inside(part, f"{where}.{key}[{i}]", seen)

    def sent(self):
        """Yields the schemas of requests: of parameters and of bodies."""
        for method, path, op in self.operations:
            for p in map(self.resolve, op.get("parameters", [])):
                yield from self.inside(p["schema"], f"{op['operationId']}.{p['name']}")
            for media in op.get("requestBody", {}).get("content", {}).values():
                yield from self.inside(media["schema"], op["operationId"])

    def answered(self):
        """Yields the schemas of answers."""
        for method, path, op in self.operations:
            for code, response in op["responses"].items():
                for media in self.resolve(response).get("content", {}).values():
                    yield from self.inside(media["schema"], f"{op['operationId']} {code}")


def types(schema):
    t = schema.get("type", [])
    return t if isinstance(t, list) else [t]


def rule_names(c):
    """Operations are called by a verb and a noun."""
    for method, path, op in c.operations:
        verb = re.match(r"[a-z]+", op["operationId"])
        if not verb or verb[0] not in VERBS or not re.fullmatch(r"[a-z]+[A-Z][A-Za-z]+", op["operationId"]):
            c.say(op["operationId"], "is not called by a verb and a noun")


def rule_scopes(c):
    """Each operation says which scope of a key may call it, or that no key is needed."""
    for method, path, op in c.operations:
        if op.get("security") == []:
            if "x-scope" in op:
                c.say(op["operationId"], "needs no key and has an x-scope")
        elif "security" in op or op.get("x-scope") not in SCOPES:
            c.say(op["operationId"], "has neither an x-scope nor security: []")
        elif op["x-scope"] == "read" and method not in ("get",) and op["operationId"] not in REPEATABLE:
            c.say(op["operationId"], "changes something with the scope read")


def rule_statuses(c):
    """With a key: 400, 401, 403, 429, 500, 503; with an id 404; with a body 413 and 415; with If-Match 412;
    with Idempotency-Key 404 and 409. Without: none of 401 and 403, unless it is a channel."""
    for method, path, op in c.operations:
        names = {c.resolve(p)["name"] for p in op.get("parameters", [])}
        want = set()
        if op.get("security") != []:
            want |= {"400", "401", "403", "429", "500", "503"}
        if "{" in path:
            want.add("404")
        if "requestBody" in op:
            want |= {"413", "415"}
        if "If-Match" in names:
            want |= {"409", "412"}
        if "If-None-Match" in names:
            want.add("304")
        if "Idempotency-Key" in names:
            want |= {"404", "409"}
        for code in sorted(want - set(op["responses"])):
            c.say(op["operationId"], f"does not say when it answers {code}")


def rule_headers(c):
    """Every answer has X-Request-Id; those to a key the limits, a 429 also Retry-After; what can be replayed says so."""
    for method, path, op in c.operations:
        names = {c.resolve(p)["name"] for p in op.get("parameters", [])}
        for code, response in op["responses"].items():
            headers = set(c.resolve(response).get("headers", {}))
            want = {"X-Request-Id"}
            if op.get("security") != [] and code != "401":
                want |= set(LIMITS)
            if code == "429":
                want |= {*LIMITS, "Retry-After"}
            if code == "401":
                want.add("WWW-Authenticate")
            if code[0] == "2" and "Idempotency-Key" in names:
                want.add("Idempotent-Replayed")
            if code == "304" or code[0] == "2" and names & {"If-Match", "If-None-Match"}:
                want.add("ETag")
            for header in sorted(want - headers):
                c.say(f"{op['operationId']} {code}", f"lacks the header {header}")


def rule_idempotency(c):
    """POSTs take an Idempotency-Key, and nothing else does."""
    for method, path, op in c.operations:
        has = any(c.resolve(p)["name"] == "Idempotency-Key" for p in op.get("parameters", []))
        needs = method == "post" and op["operationId"] not in REPEATABLE
        if has and method != "post" or needs and not has:
            c.say(op["operationId"], "takes an Idempotency-Key" if has else "takes no Idempotency-Key")


def rule_bodies(c):
    """Bodies have one content type and a schema with a name; those of streams, pages and text are plain strings."""
    for method, path, op in c.operations:
        bodies = [("body", op.get("requestBody", {}))]
        bodies += [(code, c.resolve(r)) for code, r in op["responses"].items()]
        for which, body in bodies:
            content = body.get("content", {})
            if len(content) > 1:
                c.say(f"{op['operationId']} {which}", "has several content types")
            for kind, media in content.items():
                plain = kind not in ("application/json", "multipart/form-data")
                if plain and media["schema"] != {"type": "string"} or not plain and set(media["schema"]) != {"$ref"}:
                    c.say(f"{op['operationId']} {which}", f"has a {kind} body of no name")
                if which[0] in "45" and media["schema"] != {"$ref": "#/components/schemas/ErrorResponse"} and path != "/readyz":
                    c.say(f"{op['operationId']} {which}", "is no ErrorResponse")


def rule_pages(c):
    """What is listed has limit, cursor, and answers with data, next_cursor and has_more."""
    for method, path, op in c.operations:
        params = {c.resolve(p)["name"] for p in op.get("parameters", [])}
        if not {"limit", "cursor"} & params:
            continue
        if not {"limit", "cursor"} <= params:
            c.say(op["operationId"], "has one of limit and cursor")
        page = c.resolve(c.resolve(op["responses"]["200"])["content"]["application/json"]["schema"])
        if set(page["properties"]) != {"data", "next_cursor", "has_more"} or page["required"] != ["data", "has_more"]:
            c.say(op["operationId"], "answers with no page")
        if not op["operationId"].startswith("list"):
            c.say(op["operationId"], "is a list by another name")


def any_json(schema):
    """Whether a field takes whatever JSON there is, as it was sent: its bytes are bounded, not what it holds."""
    return schema.get("x-go-type") == "json.RawMessage"


def rule_bounds(c):
    """What is sent is bounded and closed: strings, lists and free objects have a most; only ChannelEvent is open."""
    for schema, where in c.sent():
        t = types(schema)
        if any_json(schema):
            continue
        if "string" in t and not {"maxLength", "enum"} & set(schema) and schema.get("format") not in ("binary", "date-time"):
            c.say(where, "is a string without maxLength")
        if "array" in t and "maxItems" not in schema:
            c.say(where, "is a list without maxItems")
        if "object" in t:
            if "properties" in schema and schema.get("additionalProperties") is not False:
                c.say(where, "takes fields that are not named")
            if "properties" not in schema and "maxProperties" not in schema:
                c.say(where, "is a free object without maxProperties")


def rule_open(c):
    """What is answered may grow: it has no bound, no enum, and is not closed."""
    for schema, where in c.answered():
        for key in BOUNDS:
            if key in schema:
                c.say(where, f"is answered with {key}, which can never be loosened")
        if schema.get("additionalProperties") is False:
            c.say(where, "is answered and closed: no field can be added")


def rule_kinds(c):
    """Numbers have a format; known values belong to strings; there is nothing of JSON Schema that generators miss."""
    for schema, where in [*c.sent(), *c.answered()]:
        t = types(schema)
        if any_json(schema):
            continue
        if {"integer", "number"} & set(t) and schema.get("format") not in ("int32", "int64", "double"):
            c.say(where, "is a number without a format")
        if "x-known-values" in schema:
            values = schema["x-known-values"]
            if not {"string", "array"} & set(t) or len(set(values)) != len(values):
                c.say(where, "has x-known-values and is no string, or one twice")
            if "More values are added" not in schema.get("description", ""):
                c.say(where, "does not say that more values are added over time")
        for key in FORBIDDEN:
            if key in schema:
                c.say(where, f"has {key}")
        if not t and not {"oneOf", "anyOf", "allOf", "$ref"} & set(schema):
            c.say(where, "has no type")
        for key in ("oneOf", "anyOf"):
            if key in schema:
                others = [s for s in schema[key] if s != {"type": "null"}]
                if len(others) > 1 and "discriminator" not in schema:
                    c.say(where, f"is {key} of several without a discriminator")
        for name in schema.get("properties", {}):
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                c.say(f"{where}.{name}", "is not in snake_case")
        for name in schema.get("required", []):
            if name not in schema.get("properties", {}):
                c.say(f"{where}.{name}", "is required and unknown")


def rule_patches(c):
    """What changes something is a merge patch: nothing is required, and its schema is named Patch."""
    for method, path, op in c.operations:
        if method not in ("put", "patch"):
            continue
        ref = op["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        if not ref.endswith("Patch") or "required" in c.resolve({"$ref": ref}):
            c.say(op["operationId"], "takes no merge patch")


def rule_descriptions(c):
    """Every schema that has a name has a description that begins with a capital and ends with a full stop."""
    for name, schema in c.document["components"]["schemas"].items():
        if not re.fullmatch(r"(?s)[A-Z`'].*\.", schema.get("description", "")) and not schema.get("description", "").startswith("read:"):
            c.say(name, "has no description that is a sentence")


RULES = [rule for name, rule in list(globals().items()) if name.startswith("rule_")]


def lint(document):
    """Returns what is wrong with a document."""
    contract = Contract(document)
    for rule in RULES:
        rule(contract)
    return sorted(set(contract.found))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        document = json.load(f)
    found = lint(document)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(Contract(document).operations)} operations, {len(RULES)} rules, {len(found)} found", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
