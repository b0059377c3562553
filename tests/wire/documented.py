"""Holds an answer against the API document: status, media type, required headers, body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from atrio.kernel.testing.client import Answer

METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    method: str
    path: str
    shape: dict[str, Any]

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, place: str) -> list[dict[str, Any]]:
        return [p for p in self.shape["parameters"] if p["in"] == place]

    def body(self, media: str) -> dict[str, Any] | None:
        content = self.shape.get("requestBody", {}).get("content", {})
        return content[media]["schema"] if media in content else None


class Document:
    """An API document with a memory of its compiled schemas."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        resource = DRAFT202012.create_resource(document)
        self._registry = Registry().with_resource("urn:document", resource)
        self._validators: dict[str, Any] = {}

    def operations(self) -> Iterator[Operation]:
        for path, methods in self.document["paths"].items():
            for method in METHODS:
                if method in methods:
                    yield Operation(method.upper(), path, methods[method])

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def complaints(self, operation: Operation, answer: Answer, *, elsewhere: bool = False) -> list[str]:
        """Say what the document does not cover. `elsewhere`: the path may lead to no route or another one."""
        if answer.status >= 500:
            return [f"fault {answer.status}: {answer.body[:500]!r}"]
        if elsewhere and answer.status == 404 and b'"code":9999' in answer.body:
            return []  # no route has this path, whatever 404 may mean on the one that was meant
        declared = operation.shape["responses"].get(str(answer.status))
        if declared is None:
            there = answer.status in (307, 404) or (answer.status == 405 and "allow" in answer.headers)
            return [] if elsewhere and there else [f"undocumented status {answer.status}"]
        found = [
            f"no header {name}"
            for name, header in declared.get("headers", {}).items()
            if header.get("required") and name.lower() not in answer.headers
        ]
        content = declared.get("content")
        if content is None:
            return found + ([f"undocumented body {answer.body[:80]!r}"] if answer.body else [])
        media = answer.headers.get("content-type", "").partition(";")[0]
        matching = media if media in content else "*/*"
        if matching not in content:
            return [*found, f"undocumented media type {media!r}"]
        if media == "application/json":
            found += self._body(operation, answer, matching)
        return found

    def _body(self, operation: Operation, answer: Answer, media: str) -> list[str]:
        keys = (
            "paths",
            operation.path,
            operation.method.lower(),
            "responses",
            str(answer.status),
            "content",
            media,
        )
        pointer = "/".join(re.sub("/", "~1", key.replace("~", "~0")) for key in (*keys, "schema"))
        validator = self._validators.get(pointer)
        if validator is None:
            quoted = pointer.replace("{", "%7B").replace("}", "%7D").replace("*", "%2A")
            validator = Draft202012Validator({"$ref": f"urn:document#/{quoted}"}, registry=self._registry)
            self._validators[pointer] = validator
        return [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(answer.json)][:3]
