"""Requests to Elasticsearch by its official client, to OpenSearch by the client's transport with plain JSON.

The official client marks each request with the version of its API; OpenSearch and older servers refuse that. It is
an extra, so it is imported where it is used: an instance with another engine does without.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from ..config import ElasticConfig, addresses

if TYPE_CHECKING:
    from elastic_transport import NodeConfig, Transport
    from elasticsearch import Elasticsearch

OLDEST = {"elasticsearch": (9, 0), "opensearch": (2, 0), "elasticsearch, plain": (7, 10)}
BUSY = frozenset({408, 429, 502, 503, 504})


class ServerAway(Exception):
    """No answer: no server there, a time-out, or it is too busy. Trying again later may help."""


class ServerRefused(Exception):
    """An answer that trying again does not change; `status` is that of HTTP, `kind` the server's word for it."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(f"{status} {kind}: {reason}"[:500])
        self.status = status
        self.kind = kind


class Server:
    """One cluster. Safe for use by several threads; nothing is sent before it is asked."""

    def __init__(self, settings: ElasticConfig) -> None:
        from elastic_transport import Transport

        self._settings = settings
        self._client: Elasticsearch | None = None
        self._transport: Transport | None = None
        self._verified = False
        hosts = addresses(settings)
        if settings.product == "elasticsearch":
            self._client = _official(settings, hosts)
        else:
            self._transport = Transport([_node(settings, host) for host in hosts], max_retries=0)

    def call(
        self, method: str, path: str, body: Any = None, *, params: Mapping[str, str] | None = None,
        timeout: int | None = None, missing: bool = False,
    ) -> Any:  # fmt: skip
        """Send one request and return the JSON of the answer; a list is sent as lines of JSON.

        With `missing` a 404 gives None. ServerAway and ServerRefused for everything else that is no success.
        """
        from elastic_transport import TransportError
        from elasticsearch import UnsupportedProductError

        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = f"application/{'x-ndjson' if isinstance(body, list) else 'json'}"
        try:
            status, answer = self._send(
                method, path, body, params or {}, headers, timeout or self._settings.request_timeout
            )
        except UnsupportedProductError:
            raise ServerRefused(0, "unsupported", "no Elasticsearch; see search_elastic.product") from None
        except (TransportError, OSError) as error:
            raise ServerAway(f"{type(error).__name__}: {error}"[:300]) from None
        if 200 <= status < 300:
            return answer
        if status == 404 and missing:
            return None
        if status in BUSY:
            raise ServerAway(f"the server says {status}")
        raise ServerRefused(status, *_reason(answer))

    def _send(
        self, method: str, path: str, body: Any, params: Mapping[str, str], headers: dict[str, str], timeout: int
    ) -> tuple[int, Any]:  # fmt: skip
        from elasticsearch import ApiError

        if self._client is not None:
            client = self._client.options(request_timeout=timeout, max_retries=0)
            try:
                answer = client.perform_request(method, path, params=params, headers=headers, body=body)
            except ApiError as error:
                return error.meta.status, error.body
            return answer.meta.status, answer.body
        assert self._transport is not None
        target = f"{path}?{urlencode(params)}" if params else path
        plain = self._transport.perform_request(
            method, target, headers=headers, body=body, request_timeout=timeout
        )
        return plain.meta.status, plain.body

    def verify(self) -> str:
        """Return what answers there; ServerRefused when this plugin cannot work with it. Asks once."""
        version = self.call("GET", "/", timeout=self._settings.search_timeout)["version"]
        product = version.get("distribution", "elasticsearch")
        number = str(version.get("number", "0"))
        spoken = self._settings.product
        if spoken == "opensearch" and product != "opensearch":
            product, oldest = "Elasticsearch", OLDEST["elasticsearch, plain"]
        elif spoken == "elasticsearch" and product == "opensearch":
            raise ServerRefused(0, "unsupported", "this is OpenSearch; set search_elastic.product")
        else:
            oldest = OLDEST[spoken]
        digits = re.match(r"(\d+)\.(\d+)", number)
        found = (int(digits[1]), int(digits[2])) if digits else (0, 0)
        if found < oldest:
            least = ".".join(map(str, oldest))
            raise ServerRefused(0, "unsupported", f"{product} {number} is too old, {least} is needed")
        self._verified = True
        return f"{product} {number}"

    def verified(self) -> None:
        """Verify unless that was done."""
        if not self._verified:
            self.verify()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
        if self._transport is not None:
            self._transport.close()


def _official(settings: ElasticConfig, hosts: Sequence[str]) -> Elasticsearch:
    from elasticsearch import Elasticsearch

    options: dict[str, Any] = {"max_retries": 0, "request_timeout": settings.request_timeout}
    if settings.ca_file:
        options["ca_certs"] = settings.ca_file
    if settings.api_key:
        options["api_key"] = settings.api_key
    elif settings.user:
        options["basic_auth"] = (settings.user, settings.password)
    return Elasticsearch(list(hosts), **options)


def _node(settings: ElasticConfig, host: str) -> NodeConfig:
    from elastic_transport import NodeConfig

    parts = urlsplit(host)
    headers = {}
    if settings.api_key:
        headers["authorization"] = f"ApiKey {settings.api_key}"
    elif settings.user:
        login = base64.b64encode(f"{settings.user}:{settings.password}".encode()).decode()
        headers["authorization"] = f"Basic {login}"
    return NodeConfig(
        parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80),
        path_prefix=parts.path, headers=headers, ca_certs=settings.ca_file or None,
    )  # fmt: skip


def _reason(answer: Any) -> tuple[str, str]:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        root = (error.get("root_cause") or [error])[0]
        return str(error.get("type", "error")), str(root.get("reason", error.get("reason", "")))
    return "error", str(error or "")
