"""Every operation of the API document under generated input: no fault, no undocumented answer.

schemathesis makes valid and invalid cases from the document; checked are the status (documented, below 500),
the content type, the headers and the body, whose schema lists the very codes that a route may answer.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, make_kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.xdist_group("fuzz")]

BASIC = "Basic " + base64.b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
EXAMPLES = 12


@dataclass
class Fuzzed:
    """The instance under test, its document as schemathesis reads it, and where the data lies."""

    schema: Any
    session: Any
    client: Client
    space_id: int
    checks: list[Any]
    made: list[int] = field(default_factory=list)
    statuses: dict[str, set[int]] = field(default_factory=dict)
    sent: int = 0

    def resources(self, path: str) -> dict[str, Any]:
        """Return path parameters of things that exist, fresh ones: an earlier case may have closed the last."""
        client, base = self.client, f"/api/workspaces/{self.space_id}"
        found: dict[str, Any] = {"workspace_id": self.space_id, "user_id": 1, "filename": "raw", "name": "init.js"}
        if "{content_id}" in path:
            label = f"target {len(self.made)}"
            if "/files/" in path:
                answer = client.request(
                    "POST", f"{base}/files", files={"files": (f"{label}.png", PNG, "image/png")}
                )
            else:
                kind = "folder" if "/folders/" in path else "html-document"
                answer = client.post(f"{base}/contents", {"label": label, "content_type": kind})
            assert answer.status == 200, answer.body
            found["content_id"] = answer.json["content_id"]
            found["revision_id"] = answer.json["current_revision_id"]
            self.made.append(answer.json["content_id"])
        names = [name for name in found if f"{{{name}}}" in path]
        return {name: found[name] for name in names}

    def call(self, case: Any) -> None:
        """Send a case as administrator and hold the answer against the document."""
        answer = case.call(session=self.session, headers={"Authorization": BASIC}, allow_redirects=False)
        self.sent += 1
        self.statuses.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=self.checks)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """An instance with a space, driven in this process as its administrator."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.python import asgi
    from schemathesis.specs.openapi import checks

    kernel = make_kernel(tmp_path_factory.mktemp("fuzzed"), {"accounts__failures_allowed": 1_000_000})
    client = Client(kernel.app, ADMIN, PASSWORD)
    created = client.post(
        "/api/workspaces",
        {"label": "Fuzz", "description": "", "access_type": "open", "default_user_role": "reader"},
    )
    assert created.status == 200, created.body
    schema = schemathesis.openapi.from_dict(
        client.get("/api/doc/spec.json").json, config=schemathesis.Config()
    )  # fmt: skip

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        """Keep the instance out of schemathesis' hands: it would end it with the first test."""
        assert scope["type"] == "http"
        await kernel.app(scope, receive, send)

    schema.app = without_lifespan
    wanted = [
        not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
        checks.response_headers_conformance, checks.response_schema_conformance,
    ]  # fmt: skip
    with asgi.get_client(without_lifespan) as session:
        yield Fuzzed(schema, session, client, created.json["workspace_id"], wanted)
    client.close()
    kernel.stop()
    kernel.app.pool.close()
    kernel.app.io.close()


def _strategies(fuzzed: Fuzzed, operation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Give the ways to generate cases: valid and invalid, on things that exist and anywhere."""
    from schemathesis import GenerationMode

    known = fuzzed.resources(path)
    matching = {"If-Match": "*"} if any(p.name == "If-Match" for p in operation.headers) else None
    for mode in GenerationMode:
        yield f"{mode.value} anywhere", operation.as_strategy(generation_mode=mode)
        if known:
            yield (
                f"{mode.value} on what exists",
                operation.as_strategy(generation_mode=mode, path_parameters=known, headers=matching),
            )


def _boundaries(fuzzed: Fuzzed, operation: Any) -> Iterator[Any]:
    """Give schemathesis' fixed cases at the bounds of every value, without the other methods."""
    from schemathesis import GenerationMode

    cases = fuzzed.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode),
        generation_config=fuzzed.schema.config.generation_for(operation=operation),
    )  # fmt: skip
    return (case for case in cases if case.method.upper() == operation.method.upper())


def test_generated_requests_are_answered_as_documented(fuzzed: Fuzzed, subtests: pytest.Subtests) -> None:
    """Each operation at the bounds of its values and under generated input, the same at every run."""
    import hypothesis
    from hypothesis.errors import Unsatisfiable

    settings = hypothesis.settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    operations = [found.ok() for found in fuzzed.schema.get_all_operations()]
    for operation in operations:
        with subtests.test(operation=operation.label, how="bounds"):
            for case in _boundaries(fuzzed, operation):
                fuzzed.call(case)
        for how, strategy in _strategies(fuzzed, operation, operation.path):
            with subtests.test(operation=operation.label, how=how):
                try:
                    settings(hypothesis.given(strategy)(fuzzed.call))()
                except Unsatisfiable:
                    assert how.startswith("negative"), "no valid input can be made"
    assert len(operations) > 40
    assert fuzzed.sent > 60 * len(operations)
    unreached = {o.label for o in operations if min(fuzzed.statuses[o.label]) >= 400}
    assert unreached == {"POST /api/auth/login"}, "only a password cannot be guessed"


def test_credentials_are_asked_for(fuzzed: Fuzzed, subtests: pytest.Subtests) -> None:
    """Whatever is not declared public answers 401 to strangers and to wrong credentials, before all else."""
    wrong = "Basic " + base64.b64encode(b"admin@admin.admin:not-the-password").decode()
    closed = 0
    for found in fuzzed.schema.get_all_operations():
        operation = found.ok()
        if not operation.definition.raw["security"]:
            continue
        closed += 1
        path = operation.path
        for name, value in {**fuzzed.resources(path), "rest": "x"}.items():
            path = path.replace(f"{{{name}}}", str(value))
        with subtests.test(operation=operation.label):
            for headers in ({}, {"authorization": wrong}, {"cookie": f"session_key={'x' * 43}"}):
                stranger = Client(fuzzed.client.app)
                answer = stranger.request(operation.method.upper(), path, headers=headers)
                stranger.close()
                assert answer.status == 401
                assert answer.code is None
    assert closed > 30
