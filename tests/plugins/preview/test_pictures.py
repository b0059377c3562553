"""Previews of pictures."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from atrio.kernel.testing.client import Client


def picture(width: int = 800, height: int = 400, form: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (width, height), options.pop("color", "red")).save(buffer, form, **options)
    return buffer.getvalue()


def test_a_picture_fits_the_box(client: Client, make_space: Any, send_file: Any) -> None:
    space = make_space()
    made = send_file(client, f"/api/workspaces/{space}/files", "red.jpg", picture())
    place = f"/api/workspaces/{space}/files/{made.json['content_id']}/preview/jpg"
    answer = client.get(f"{place}/128x128/x.jpg")
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "image/jpeg"
    drawn = Image.open(io.BytesIO(answer.body))
    assert drawn.size == (128, 64)
    assert client.get(f"{place}/128x128/x.jpg").headers["etag"] == answer.headers["etag"]
    assert client.get(f"{place}/x.jpg").status == 200
