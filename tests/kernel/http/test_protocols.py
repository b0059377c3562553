"""HTTP/2, h11 and WebSocket are imported with the first connection that needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

from atrio.kernel.testing.live import LiveServer, Wire

pytestmark = pytest.mark.any_engine
SCRIPT = """
import sys
from atrio.kernel import http1
from atrio.kernel.http1 import protocols
from atrio.kernel.http1.connection import Http1
http1.install(tls={tls})
import hypercorn.asyncio.run
from hypercorn import protocol
assert protocol.H11Protocol is Http1
print(*[name in sys.modules for name in ("wsproto", "hypercorn.protocol.h2", "hypercorn.protocol.h11")])
protocols.load()
from hypercorn.protocol import h2, h11
assert protocol.H2Protocol is h2.H2Protocol
assert protocol.H2CProtocolRequiredError is h11.H2CProtocolRequiredError
assert protocol.H2ProtocolAssumedError is h11.H2ProtocolAssumedError
assert protocol.H11Protocol is Http1
"""


@pytest.mark.parametrize("tls", [False, True])
def test_they_come_when_they_are_needed_and_with_tls_at_once(tls: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(tls=tls)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tls)] * 3


def test_another_hypercorn_is_imported_whole() -> None:
    script = (
        "import sys\n"
        "from atrio.kernel.http1 import protocols\n"
        "del protocols.STANDINS['h11']['H2ProtocolAssumedError']\n"
        "package = protocols.light()\n"
        "print(package.H2Protocol.__module__, 'hypercorn.protocol.h11' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["hypercorn.protocol.h2", "True"]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_server_without_tls_speaks_them_all(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)
    try:
        wire = Wire(server.port)
        wire.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
        assert wire.socket.recv(9)[3:4] == b"\x04"  # a SETTINGS frame
        wire.close()
        head = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n"
        wire = Wire(server.port)
        asked = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n"
        wire.socket.sendall(head + asked)
        assert wire.socket.recv(12) == b"HTTP/1.1 101"
        wire.close()
        wire = Wire(server.port)
        asked = b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        wire.socket.sendall(head + asked + b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert wire.read()[0] == 403  # no route is one of WebSocket
        wire.close()
        assert server.call("GET", "/health/live")[0] == 200
    finally:
        server.stop()
