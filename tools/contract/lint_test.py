#!/usr/bin/env python3
"""Breaks each rule of lint.py in a copy of the contract, and expects it to say so.

    lint_test.py CONTRACT.json
"""

import copy
import json
import sys

import lint

REF = "#/components/schemas/"


def schema(d, name):
    return d["components"]["schemas"][name]


def prop(d, name, field):
    return schema(d, name)["properties"][field]


def op(d, path, method):
    return d["paths"][path][method]


def without(values, name):
    return [v for v in values if v.get("$ref", "").rsplit("/", 1)[-1] != name]


# What is done to the contract, and what must be said of it.
BREAKS = [
    (lambda d: op(d, "/v1/agents", "get").update(operationId="agents"), "agents: is not called"),
    (lambda d: op(d, "/v1/agents", "get").pop("x-scope"), "listAgents: has neither"),
    (lambda d: op(d, "/v1/agents", "post").update({"x-scope": "read"}), "createAgent: changes something"),
    (lambda d: op(d, "/healthz", "get").update({"x-scope": "read"}), "getHealth: needs no key and"),
    (lambda d: op(d, "/v1/agents/{id}", "get")["responses"].pop("404"), "getAgent: does not say when it answers 404"),
    (lambda d: op(d, "/v1/agents", "get")["responses"].pop("429"), "listAgents: does not say when it answers 429"),
    (lambda d: op(d, "/v1/agents", "get")["responses"]["200"]["headers"].pop("X-RateLimit-Limit"), "listAgents 200: lacks"),
    (lambda d: d["components"]["responses"]["RateLimited"]["headers"].pop("Retry-After"), "listAgents 429: lacks"),
    (lambda d: op(d, "/v1/agents/{id}", "get")["responses"]["304"]["headers"].pop("ETag"), "getAgent 304: lacks"),
    (lambda d: op(d, "/v1/agents", "post").update(parameters=[]), "createAgent: takes no Idempotency-Key"),
    (
        lambda d: op(d, "/v1/agents", "get")["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"}),
        "listAgents: takes an Idempotency-Key",
    ),
    (
        lambda d: op(d, "/v1/agents", "post")["requestBody"]["content"].update({"text/plain": {"schema": {"type": "string"}}}),
        "createAgent body: has several",
    ),
    (
        lambda d: op(d, "/v1/agents", "post")["requestBody"]["content"].update({"application/json": {"schema": {"type": "object"}}}),
        "createAgent body: has a application/json body of no name",
    ),
    (
        lambda d: d["components"]["responses"]["NotFound"]["content"]["application/json"].update(schema={"$ref": REF + "Agent"}),
        "getAgent 404: is no ErrorResponse",
    ),
    (
        lambda d: op(d, "/v1/agents", "get").update(parameters=without(op(d, "/v1/agents", "get")["parameters"], "Cursor")),
        "listAgents: has one of",
    ),
    (lambda d: schema(d, "AgentList")["properties"].update(total={"type": "integer", "format": "int32"}), "listAgents: answers with no page"),
    (lambda d: prop(d, "AgentRequest", "name").pop("maxLength"), "AgentRequest.name: is a string without maxLength"),
    (lambda d: prop(d, "AgentRequest", "languages").pop("maxItems"), "AgentRequest.languages: is a list without"),
    (lambda d: schema(d, "AgentRequest").pop("additionalProperties"), "AgentRequest: takes fields"),
    (lambda d: schema(d, "MetadataInput").pop("maxProperties"), "MetadataInput: is a free object"),
    (lambda d: d["components"]["parameters"]["Cursor"]["schema"].pop("maxLength"), "listAgents.cursor: is a string without"),
    (lambda d: prop(d, "Agent", "name").update(maxLength=10), "Agent.name: is answered with maxLength"),
    (lambda d: prop(d, "Agent", "name").update(enum=["a"]), "Agent.name: is answered with enum"),
    (lambda d: schema(d, "Agent").update(additionalProperties=False), "Agent: is answered and closed"),
    (lambda d: prop(d, "Agent", "threshold").pop("format"), "Agent.threshold: is a number without"),
    (lambda d: prop(d, "Reply", "outcome").update(description="What."), "Reply.outcome: does not say that more"),
    (lambda d: prop(d, "Reply", "outcome")["x-known-values"].append("refuse"), "Reply.outcome: has x-known-values"),
    (lambda d: prop(d, "Reply", "outcome").update(const="a"), "Reply.outcome: has const"),
    (lambda d: prop(d, "Reply", "text").pop("type"), "Reply.text: has no type"),
    (
        lambda d: schema(d, "Reply")["properties"].update(both={"oneOf": [{"$ref": REF + "Agent"}, {"$ref": REF + "Confidence"}]}),
        "Reply.both: is oneOf of several",
    ),
    (lambda d: schema(d, "Reply")["properties"].update({"aB": {"type": "string"}}), "Reply.aB: is not in snake_case"),
    (lambda d: schema(d, "Reply")["required"].append("more"), "Reply.more: is required and unknown"),
    (lambda d: schema(d, "ContentPatch").update(required=["content"]), "updateContent: takes no merge patch"),
    (lambda d: schema(d, "Agent").update(description="an agent"), "Agent: has no description"),
]


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        contract = json.load(f)
    before = set(lint.lint(contract))
    bad = 0
    for i, (change, want) in enumerate(BREAKS):
        broken = copy.deepcopy(contract)
        change(broken)
        said = [line for line in lint.lint(broken) if line not in before]
        if not any(line.startswith(want) for line in said):
            bad += 1
            print(f"break {i}: said {said}, want {want!r}")
    print(f"{len(BREAKS) - bad} passed, {bad} failed", file=sys.stderr)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
