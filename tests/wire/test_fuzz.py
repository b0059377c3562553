"""Every operation of the API document under generated input: no fault, no undocumented answer, whoever asks.

schemathesis makes valid and invalid cases from the document; checked are the status (documented, below 500),
the content type, the headers and the body, whose schema lists the very codes that a route may answer.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atrio.kernel.testing.client import Client, LeavesStreams
from atrio.kernel.testing.plugin import PASSWORD
from tests.contract import facts
from tests.contract.recipes import recipe_for
from tests.contract.stage import ROLES
from tests.contract.test_rights import REFUSED
from tests.wire.walk import WALKERS, Walk, walked

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("fuzz")]

EXAMPLES = 3
"""Generated cases of the administrator for each operation and way; the cases at the bounds come on top."""
OTHERS = 2
"""Generated cases of everybody else, who also shares the cases at the bounds with the others."""
LEAVE = facts.key("DELETE", "/api/workspaces/{workspace_id}/members/{user_id}")
UNMADE = {
    facts.key("POST", "/api/users/{user_id}/calendars/{name}/import"),
    facts.key("POST", "/api/public/guest-upload/{upload_permission_token}"),
    facts.key("POST", "/api/workspaces/{workspace_id}/uploads"),
    *(
        facts.key(method, "/api/workspaces/{workspace_id}/uploads/{upload_token}")
        for method in ("GET", "HEAD", "PATCH", "POST", "DELETE")
    ),
}
"""No generator writes a calendar, a form with any number of files, or the headers of tus: only refusals are seen here,
the tests of caldav, upload_links and resumable send them."""
GIVEN = frozenset({
    "user_id", "content_id", "callee_id", "workspace_id", "new_workspace_id", "loggedin_user_password",
    "reset_password_token", "email", "emails", "password", "url", "content_ids", "token",
})  # fmt: skip
"""Fields that name something which exists: no generator finds it, the recipe of the route has it."""


@dataclass
class Fuzzed:
    """The instance under test, its document as schemathesis reads it, and who walks."""

    schema: Any
    session: Any
    walk: Walk
    checks: list[Any]
    statuses: dict[str, set[int]] = field(default_factory=dict)
    sent: int = 0

    def call(self, case: Any) -> None:
        """Send a case as the walker and hold the answer against the document."""
        walker = self.walk.walker
        basic = "Basic " + base64.b64encode(f"{walker.login}:{walker.password}".encode()).decode()
        answer = case.call(session=self.session, headers={"Authorization": basic}, allow_redirects=False)
        self.sent += 1
        self.statuses.setdefault(case.operation.label, set()).add(answer.status_code)
        case.validate_response(answer, checks=self.checks)

    def known(self, operation: Any) -> dict[str, Any]:
        """Return path parameters of things that exist; whatever earlier cases broke is whole again."""
        self.walk.mend()
        return self.walk.names(
            operation.method.upper(), operation.path, [p.name for p in operation.path_parameters]
        )


@pytest.fixture(scope="module", params=WALKERS)
def fuzzed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _databases: Any
) -> Iterator[Fuzzed]:
    """An instance with everything on it, driven in this process as one of the people."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.python import asgi
    from schemathesis.specs.openapi import checks

    schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
    with walked(tmp_path_factory.mktemp("fuzzed"), request.param, _databases) as walk:
        schema = schemathesis.openapi.from_dict(
            walk.root.get("/api/doc/spec.json").json, config=schemathesis.Config()
        )  # fmt: skip

        async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
            """Keep the instance out of schemathesis' hands: it would end it with the first test."""
            assert scope["type"] == "http"
            await LeavesStreams(walk.kernel.app)(scope, receive, send)

        schema.app = without_lifespan
        wanted = [
            not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
            checks.response_headers_conformance, checks.response_schema_conformance,
        ]  # fmt: skip
        with asgi.get_client(without_lifespan) as session:
            yield Fuzzed(schema, session, walk, wanted)


def _strategies(fuzzed: Fuzzed, operation: Any) -> Iterator[tuple[str, Any]]:
    """Give the ways to generate cases: valid and invalid, on things that exist and anywhere.

    What is wrong with a request does not depend on who asks, so only the administrator sends all of them.
    """
    from schemathesis import GenerationMode

    matching = {"If-Match": "*"} if any(p.name == "If-Match" for p in operation.headers) else None
    example = fuzzed.walk.example(operation.method.upper(), operation.path)
    known = fuzzed.known(operation)
    yield (
        "positive with what exists",
        operation.as_strategy(
            generation_mode=GenerationMode.POSITIVE, path_parameters=known or None, headers=matching
        ).map(partial(_filled, example)),
    )
    if fuzzed.walk.who != "administrator":
        return
    for mode in GenerationMode:
        known = fuzzed.known(operation)
        yield (
            f"{mode.value} on what exists",
            operation.as_strategy(generation_mode=mode, path_parameters=known or None, headers=matching),
        )
        if known:
            yield f"{mode.value} anywhere", operation.as_strategy(generation_mode=mode)


def _filled(example: dict[str, Any], case: Any) -> Any:
    """Put what names something that exists into a generated case."""
    body, query = example.get("json_body"), example.get("query")
    if isinstance(case.body, dict) and body:
        case.body = {**case.body, **{k: v for k, v in body.items() if k in GIVEN}}
        if "new_password2" in case.body:
            case.body["new_password2"] = case.body["new_password"]
    if query:
        case.query = {**(case.query or {}), **{k: v for k, v in query.items() if k in GIVEN}}
    return case


def _boundaries(fuzzed: Fuzzed, operation: Any) -> Iterator[Any]:
    """Give schemathesis' fixed cases at the bounds of every value, without the other methods.

    Those that are not about the path are asked about things that exist.
    """
    from schemathesis import GenerationMode
    from schemathesis.core.parameters import ParameterLocation

    known = fuzzed.known(operation)
    place = WALKERS.index(fuzzed.walk.who)
    cases = fuzzed.schema.iter_coverage_cases(
        operation, generation_modes=list(GenerationMode),
        generation_config=fuzzed.schema.config.generation_for(operation=operation),
    )  # fmt: skip
    for number, case in enumerate(c for c in cases if c.method.upper() == operation.method.upper()):
        if place and number % 3 != place % 3:  # two people beside the administrator are enough for each case
            continue
        if known and case.meta.phase.data.parameter_location is not ParameterLocation.PATH:
            case.path_parameters = dict(known)
        yield case


def test_generated_requests_are_answered_as_documented(fuzzed: Fuzzed, subtests: pytest.Subtests) -> None:
    """Each operation at the bounds of its values and under generated input, the same at every run."""
    import hypothesis
    from hypothesis.errors import Unsatisfiable

    who = fuzzed.walk.who
    settings = hypothesis.settings(
        max_examples=OTHERS if who != "administrator" else EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    operations = [found.ok() for found in fuzzed.schema.get_all_operations()]
    for operation in operations:
        with subtests.test(operation=operation.label, how="bounds"):
            for case in _boundaries(fuzzed, operation):
                fuzzed.call(case)
        for how, strategy in _strategies(fuzzed, operation):
            with subtests.test(operation=operation.label, how=how):
                try:
                    settings(hypothesis.given(strategy)(fuzzed.call))()
                except Unsatisfiable:
                    assert how.startswith("negative"), "no valid input can be made"
        fuzzed.walk.forget()
    assert len(operations) > 150
    reached = {facts.key(o.method.upper(), o.path) for o in operations if min(fuzzed.statuses[o.label]) < 400}
    if who == "administrator":
        assert fuzzed.sent > 40 * len(operations)
        every = {facts.key(o.method.upper(), o.path) for o in operations}
        assert every - reached == UNMADE, "each operation succeeds under generated input"
        return
    assert fuzzed.sent > 10 * len(operations)
    # A path that no route takes is sent on to the same with a slash: 307 is no success.
    done = {
        facts.key(o.method.upper(), o.path) for o in operations if fuzzed.statuses[o.label] & {*range(200, 300)}
    }
    refused = {facts.key(r["method"], r["path"]) for r in facts.now() if who in _refused(r)}
    assert done & refused == set(), "nobody does what he may not"
    if who in ROLES:
        may = {facts.key(r["method"], r["path"]) for r in facts.now()} - refused - {LEAVE} - UNMADE
        assert may - reached == set(), "members do what they may"


def _refused(route: dict[str, Any]) -> dict[str, Any]:
    """Return who is refused. Paths of users are the walker's own, and everybody may leave a space himself."""
    rule = recipe_for(route).who or route["who"][0]
    return {} if rule in ("anybody", "self or administrator", "knows user", "leave") else REFUSED[rule]


def test_credentials_are_asked_for(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """Whatever is not declared public answers 401 to strangers and to wrong credentials, before all else."""
    wrong = "Basic " + base64.b64encode(b"admin@admin.admin:not-the-password").decode()
    closed = 0
    with walked(tmp_path, "administrator") as walk:
        document = walk.root.get("/api/doc/spec.json").json
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if not operation["security"]:
                    continue
                closed += 1
                names = walk.names(
                    method.upper(), path, [p["name"] for p in operation["parameters"] if p["in"] == "path"]
                )
                asked = path
                for name, value in names.items():
                    asked = asked.replace(f"{{{name}}}", str(value))
                with subtests.test(operation=f"{method} {path}"):
                    for headers in ({}, {"authorization": wrong}, {"cookie": f"session_key={'x' * 43}"}):
                        stranger = Client(walk.kernel.app)
                        answer = stranger.request(method.upper(), asked, headers=headers)
                        stranger.close()
                        assert answer.status == 401
                        assert method == "head" or answer.code is None
    assert closed > 130
    assert PASSWORD != "not-the-password"
