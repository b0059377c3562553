"""What waits to be indexed together does not wait for the sweep of jobs."""

from __future__ import annotations

import time
from pathlib import Path

from atrio.kernel.testing.live import LiveServer


def test_a_comment_is_found_a_moment_after_it_settled(tmp_path: Path) -> None:
    server = LiveServer(tmp_path)  # the sweep comes at the start, and 30 s later
    try:
        space = {"label": "Harbour", "description": "", "access_type": "open", "default_user_role": "reader"}
        _, made = server.call("POST", "/api/workspaces", space)
        contents = f"/api/workspaces/{made['workspace_id']}/contents"
        _, note = server.call("POST", contents, {"label": "Quay", "content_type": "html-document"})
        time.sleep(1)
        begun = time.monotonic()
        status, _ = server.call("POST", f"{contents}/{note['content_id']}/comments", {"raw_content": "lighthouse"})
        assert status == 200
        found = 0
        while not found and time.monotonic() - begun < 20:
            time.sleep(0.3)
            _, answer = server.call("GET", "/api/advanced_search/content?search_string=lighthouse")
            found = answer["total_hits"]
        assert found == 1
    finally:
        server.stop()
