"""The OpenAPI document: valid, complete, and true of the enabled plugins."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from atrio.kernel.host import Kernel
from atrio.kernel.testing.client import Client


@pytest.fixture
def document(stranger: Client) -> dict[str, Any]:
    answer = stranger.get("/api/doc/spec.json")
    assert answer.status == 200
    return dict(answer.json)


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(m.upper(), path): op for path, verbs in document["paths"].items() for m, op in verbs.items()}


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_yaml_says_the_same(document: dict[str, Any], stranger: Client) -> None:
    answer = stranger.get("/api/doc/spec.yml")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(answer.body) == document


def test_every_route_stands_in_it_once(document: dict[str, Any], kernel: Kernel) -> None:
    shown = operations(document)
    declared = {(r.method, r.openapi_path()) for _, r in kernel.router.routes if not r.hidden}
    assert set(shown) == declared
    ids = [op["operationId"] for op in shown.values()]
    assert len(set(ids)) == len(ids)
    for key, operation in shown.items():
        assert operation["summary"], key
        assert operation["tags"], key
        for parameter in operation["parameters"]:
            assert parameter["in"] != "path" or parameter["required"], key


def test_it_follows_the_enabled_plugins(document: dict[str, Any], kernel: Kernel) -> None:
    from atrio.kernel.isolation import retire
    from atrio.kernel.plugins import State

    path = "/api/workspaces/{workspace_id}/contents"
    assert path in document["paths"]
    record = kernel.record("core_content")
    assert record is not None
    retire(kernel, record, State.DISABLED, "for the test")
    client = Client(kernel.app)
    again = client.get("/api/doc/spec.json").json
    client.close()
    assert path not in again["paths"]
    assert "/api/workspaces" in again["paths"]


def test_schemas_say_what_is_taken(document: dict[str, Any]) -> None:
    create = operations(document)["POST", "/api/workspaces"]
    shape = create["requestBody"]["content"]["application/json"]["schema"]
    shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    assert set(shape["required"]) == {"label", "description", "access_type", "default_user_role"}
    assert shape["properties"]["access_type"]["enum"] == ["confidential", "on_request", "open"]
    assert (shape["properties"]["label"]["minLength"], shape["properties"]["label"]["maxLength"]) == (1, 1024)
    assert "null" in shape["properties"]["parent_id"]["type"]
    upload = operations(document)["POST", "/api/workspaces/{workspace_id}/files"]
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]
    form = document["components"]["schemas"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form
    assert "files" in form["properties"]
    assert "parent_id" in form["properties"]


def test_refusals_and_rights_are_told(document: dict[str, Any]) -> None:
    shown = operations(document)
    note = shown["PUT", "/api/workspaces/{workspace_id}/html-documents/{content_id}"]
    assert {"200", "400", "401", "403", "412"} <= set(note["responses"])
    for code in ("1002", "1003", "2031", "2041", "2044", "3002"):
        assert code in note["responses"]["400"]["description"]
    assert note["security"]
    assert shown["POST", "/api/auth/login"]["security"] == []
    assert "4001" in shown["POST", "/api/auth/login"]["responses"]["403"]["description"]


@pytest.mark.parametrize("path", ["/api/doc/", "/api/doc/spec.json"])
def test_what_is_known_is_not_sent_again(stranger: Client, path: str) -> None:
    first = stranger.get(path)
    again = stranger.get(path, headers={"if-none-match": first.headers["etag"]})
    assert (first.status, again.status, again.body) == (200, 304, b"")


def test_the_page_runs_only_its_own_scripts(stranger: Client) -> None:
    answer = stranger.get("/api/doc/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert b"<script>" not in answer.body
    assert b"http://" not in answer.body
    assert b"https://" not in answer.body
    for bad in ("../plugin.py", "..%2Fplugin.py", "nothing.js"):
        assert stranger.get(f"/api/doc/static/{bad}").status in (400, 404)
