#!/usr/bin/env python3
"""Puts openapi.yaml and the planned routes of draft.yaml together into one document.

    merge.py OPENAPI [DRAFT] > merged.json

Without DRAFT it only turns OPENAPI into JSON. The answer is JSON, which is YAML
too. It needs PyYAML.
"""

import json
import sys

import yaml


def extend(have, more, where):
    """Adds what a draft says about a thing that the contract has: new keys, and
    new entries of lists. What both say must be the same."""
    for key, value in more.items():
        at = f"{where}.{key}"
        if key not in have:
            have[key] = value
        elif isinstance(have[key], dict) and isinstance(value, dict):
            extend(have[key], value, at)
        elif isinstance(have[key], list) and isinstance(value, list):
            have[key] += [v for v in value if v not in have[key]]
        elif have[key] != value:
            sys.exit(f"{at} is {have[key]!r} in the contract and {value!r} in the draft")


def merge(contract, draft):
    for path, item in draft["paths"].items():
        mine = contract["paths"].setdefault(path, {})
        for method, operation in item.items():
            if method in mine:
                sys.exit(f"{method.upper()} {path} is in the contract: take it out of the draft")
            mine[method] = operation
    tags = [t["name"] for t in contract["tags"]]
    contract["tags"] += [t for t in draft["tags"] if t["name"] not in tags]
    for kind, things in draft["components"].items():
        mine = contract["components"].setdefault(kind, {})
        for name, thing in things.items():
            where = f"components.{kind}.{name}"
            if not thing.pop("x-extends", False):
                if name in mine:
                    sys.exit(f"{where} is in the contract: take it out of the draft, or say x-extends")
                mine[name] = thing
            elif name in mine:
                extend(mine[name], thing, where)
            else:
                sys.exit(f"{where} extends nothing: the contract has no such thing")
    return contract


class Loader(yaml.SafeLoader):
    """Leaves dates as the strings they are in JSON."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def main():
    documents = []
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as f:
            documents.append(yaml.load(f, Loader))
    merged = documents[0] if len(documents) == 1 else merge(*documents)
    json.dump(merged, sys.stdout, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
