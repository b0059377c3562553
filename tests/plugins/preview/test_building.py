"""How previews are kept and built: once, bounded, outside of requests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from atrio import hookimpl
from atrio.kernel.testing.client import Client
from atrio.kernel.testing.plugin import ADMIN, PASSWORD, counting, make_kernel, of_the_request
from atrio.plugins.preview import previewers, services
from atrio.plugins.preview.adapters import confinement
from atrio.plugins.preview.store import DAY, Failed, Key, Store
from atrio.plugins.preview.workshop import Busy, Workshop

from .conftest import Place
from .files import near, pdf, picture, seen

pytestmark = pytest.mark.any_engine

HERE = Path(__file__).parent
KEY = Key("ab" * 32, "picture.1", "jpg-9x9-1")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "kept", largest=1000, days=10, failure_hours=1)


def put(store: Store, key: Key, data: bytes, *, age_days: float = 0) -> Path:
    with store.folder() as folder:
        (folder / "x").write_bytes(data)
        store.keep(key, folder / "x")
    path = store.path(key)
    if age_days:
        then = path.stat().st_mtime - age_days * DAY
        os.utime(path, (then, then))
    return path


# -- the folder -----------------------------------------------------------------------------------------------


def test_what_is_kept_is_found(store: Store) -> None:
    assert store.find(KEY) is None
    put(store, KEY, b"bytes")
    found = store.find(KEY)
    assert found is not None
    assert (found.content, found.size) == (b"bytes", 5)
    put(store, KEY, b"Bytes")
    again = store.find(KEY)
    assert again is not None
    assert again.etag != found.etag, "other bytes have another tag"
    assert not list((store.root / "work").iterdir())


def test_a_file_to_write_is_gone_unless_it_was_kept(store: Store) -> None:
    with store.file() as file:
        file.write_bytes(b"x")
        store.keep(KEY, file)
    with pytest.raises(ValueError, match="fails"), store.file() as file:
        file.write_bytes(b"y")
        raise ValueError("fails")
    with store.file() as file:
        assert not file.exists()
    assert not list((store.root / "work").iterdir())
    found = store.find(KEY)
    assert found is not None
    assert found.content == b"x"


def test_a_failure_is_kept_for_a_while_and_ends_with_success(store: Store) -> None:
    store.keep_failure(KEY, Failed("page", "why"))
    with pytest.raises(Failed, match="why") as caught:
        store.find(KEY)
    assert caught.value.kind == "page"
    store.failure_seconds = -1
    store.keep_failure(KEY, Failed("page", "why"))
    assert store.find(KEY) is None, "too old"
    store.failure_seconds = 3600
    store.keep_failure(KEY, Failed("page"))
    put(store, KEY, b"x")
    assert store.find(KEY) is not None
    store.path(KEY).unlink()
    store.path(KEY).with_name(KEY.name + ".failed").write_text("{rubbish")
    assert store.find(KEY) is None


def test_what_is_old_or_too_much_goes(store: Store) -> None:
    store._written = -1_000_000  # not before it is asked to
    keys = [Key(f"{n:064d}", "b.1", "made") for n in range(5)]
    for n, key in enumerate(keys):
        put(store, key, b"x" * 300, age_days=5 - n)
    old = put(store, KEY, b"x", age_days=20)
    dead = store.root / "work" / "dead"
    dead.mkdir(parents=True)
    (dead / "out").write_bytes(b"x")
    os.utime(dead / "out", (0, 0))
    alive = store.root / "work" / "alive"
    alive.write_bytes(b"x")
    assert store.trim() == (4, 602)
    assert [store.find(key) is not None for key in keys] == [False, False, True, True, True]
    assert not old.exists()
    assert not old.parent.exists(), "empty folders go, too"
    assert alive.exists()
    assert store.trim() == (0, 0)


def test_what_is_asked_for_stays(store: Store) -> None:
    store._written = -1_000_000
    keys = [Key(f"{n:064d}", "b.1", "made") for n in range(3)]
    for key in keys:
        put(store, key, b"x" * 400, age_days=5)
    assert store.find(keys[1]) is not None
    tag = store.find(keys[1])
    store.trim()
    assert store.find(keys[1]) == tag, "its tag stays as well"
    assert sum(store.find(key) is not None for key in keys) == 2


def test_it_is_bounded_before_the_night(store: Store) -> None:
    for n in range(60):
        put(store, Key(f"{n:064d}", "b.1", "made"), b"x" * 100)
    assert sum(p.stat().st_size for p in store.root.rglob("made") if p.is_file()) <= 1000 + 200


# -- the threads ----------------------------------------------------------------------------------------------


def test_all_who_ask_wait_for_one() -> None:
    shop = Workshop(2, 3)
    go = threading.Event()
    calls: list[int] = []

    def build() -> str:
        calls.append(1)
        assert go.wait(20)
        return "made"

    first = shop.ask("a", build)
    assert shop.ask("a", build) is first
    others = [shop.ask(name, go.wait) for name in "bc"]
    with pytest.raises(Busy):
        shop.ask("d", build)
    go.set()
    assert first.result(20) == "made"
    assert [other.result(20) for other in others] == [True, True]
    assert calls == [1]
    assert shop.ask("a", build).result(20) == "made"
    shop.close()
    with pytest.raises(Busy):
        shop.ask("e", build)


def test_at_most_so_many_at_once() -> None:
    shop = Workshop(2, 50)
    lock, running, most = threading.Lock(), [0], [0]

    def build() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        with lock:
            running[0] -= 1

    for future in [shop.ask(str(n), build) for n in range(20)]:
        future.result(20)
    assert most[0] <= 2
    shop.close()


# -- instances ------------------------------------------------------------------------------------------------


def test_equal_bytes_are_built_once(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    real = services._run

    def run(kernel: Any, order: Any, *rest: Any) -> Any:
        runs.append(order.key.kind)
        return real(kernel, order, *rest)

    monkeypatch.setattr(services, "_run", run)
    data = picture(color="green")
    files = [place.file(f"{name}.png", data) for name in "ab"]

    def ask(_: int) -> list[Any]:
        one = Client(place.client.app, ADMIN, PASSWORD)
        try:
            return [one.get(f"{file}/preview/jpg/33x33/x") for file in files for _ in range(3)]
        finally:
            one.close()

    with ThreadPoolExecutor(3) as pool:
        answers = [answer for many in pool.map(ask, range(3)) for answer in many]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert runs == ["jpg-33x33-1"]
    bad = place.file("bad.png", b"no picture")
    for side in (33, 33, 34):
        assert place.get(f"{bad}/preview/jpg/{side}x33/x").code == 1013
    assert runs == ["jpg-33x33-1"] * 2, "it is none in any size"
    bad = place.file("bad.txt", b"\0" * 100)
    for path in ("jpg/33x33/x", "jpg/x", "pdf/x", "pdf/full/x"):
        assert place.get(f"{bad}/preview/{path}").code == 1013
    assert runs[2:] == ["made"]


def test_a_text_to_draw_is_nobody_elses_to_read(place_with: Any) -> None:
    kernel = place_with().kernel
    source = services.Source("ef" * 32, 6, "secret")
    with services.local_file(kernel, services.store_of(kernel), source) as path:
        assert path.read_text() == "secret"
        assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
    assert not path.exists()


def test_nothing_is_left_of_work(place: Any) -> None:
    for name, data, path, status in (
        ("a.png", picture(color="teal"), "jpg/21x21/x", 200), ("a.png", b"none at all", "jpg/21x21/x", 400),
        ("a.txt", b"a text of one line", "jpg/21x21/x", 200), ("a.pdf", b"no pages", "pdf/full/x", 400),
    ):  # fmt: skip
        assert place.get(f"{place.file(name, data)}/preview/{path}").status == status
    made = place.client.post(f"{place.space}/contents", {"label": "Work", "content_type": "html-document"}).json
    assert place.get(f"{place.space}/html-documents/{made['content_id']}/preview/pdf/full/x").status == 200
    assert not list((services.store_of(place.kernel).root / "work").iterdir())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="maps of processes are Linux's")
def test_the_process_that_pictures_are_forked_from_has_nothing_but_what_they_need(place: Any) -> None:
    seen(place.get(f"{place.file('one.png', picture(color='navy'))}/preview/jpg/22x22/x"))
    seen(place.get(f"{place.file('one.pdf', pdf())}/preview/jpg/22x22/x"))
    loaded = {}
    for group in set(services.READY.values()):
        process = services._fork_server(os.getpid(), group)._process
        assert process is not None
        loaded[group[0].rpartition(".")[2]] = Path(f"/proc/{process.pid}/maps").read_text()
    assert {name: "pdfium" in maps for name, maps in loaded.items()} == {"pictures": False, "pdf": True}
    assert all("_imaging" in maps for maps in loaded.values())


def test_who_cannot_wait_is_told_and_threads_stay_free(place_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_with(preview__wait_seconds=0, server__threads=1)
    go = threading.Event()
    real = services._run

    def run(*arguments: Any) -> Any:
        assert go.wait(30)
        return real(*arguments)

    monkeypatch.setattr(services, "_run", run)
    file = place.file("red.png", picture())
    text = place.file("text.txt", b"text")
    for _ in range(3):
        answer = place.get(f"{file}/preview/jpg/x")
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (400, 1013, "5")
    told = place.get(f"{text}/preview_info")
    assert (told.status, told.json["page_nb"], told.headers["retry-after"]) == (200, None, "5")
    assert place.get(file).status == 200, "the one thread is free"
    made = list(services.workshop_of(place.kernel)._asked.values())
    go.set()
    for future in made:
        future.result(30)
    assert seen(place.get(f"{file}/preview/jpg/x")).size == (80, 40)
    assert place.get(f"{text}/preview_info").json["page_nb"] == 1


def test_what_is_there_costs_no_process_and_few_statements(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    file = place.file("red.png", picture())
    paths = (f"{file}/raw/x", f"{file}/preview/jpg/x", f"{file}/preview_info")
    for path in paths:
        place.get(path)
    monkeypatch.setattr(services, "_run", None)
    counts = []
    for path in paths:
        with counting(place.kernel) as statements:
            assert place.get(path).status == 200
        counts.append(len(of_the_request(statements)))
    assert counts[1:] == counts[:1] * 2, "as many as the bytes themselves"


def test_two_processes_build_once(place: Any, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom atrio.plugins.preview.store import Key, Store\n"
        "store = Store(Path(sys.argv[1]), largest=10**6, days=9, failure_hours=1)\nkey = Key('cd' * 32, 'b', 'made')\n"
        "with store.lock(key):\n    if store.find(key) is None:\n        with store.folder() as f:\n"
        "            (f / 'x').write_bytes(b'x')\n            store.keep(key, f / 'x')\n        print('built')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "kept")]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [child.communicate(timeout=60)[0] for child in children]
    assert [child.returncode for child in children] == [0] * 4
    assert sorted(said) == ["", "", "", "built\n"]


def test_a_folder_that_was_deleted_is_made_anew(place: Any) -> None:
    file = place.file("red.png", picture())
    seen(place.get(f"{file}/preview/jpg/44x44/x"))
    shutil.rmtree(services.store_of(place.kernel).root)
    seen(place.get(f"{file}/preview/jpg/44x44/x"))


def test_bytes_that_are_missing_are_no_failure_to_keep(place: Any) -> None:
    file = place.file("lost.png", picture(color="purple"))
    path = place.kernel.blobs.path(sha256(picture(color="purple")).hexdigest())
    away = path.with_name("away")
    path.rename(away)
    assert place.get(f"{file}/preview/jpg/44x44/x").code == 1013
    away.rename(path)
    seen(place.get(f"{file}/preview/jpg/44x44/x"))


def test_the_nightly_task(place: Any) -> None:
    file = place.file("red.png", picture(color="pink"))
    seen(place.get(f"{file}/preview/jpg/x"))
    store = services.store_of(place.kernel)
    for path in store.root.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    place.kernel.run(place.kernel.jobs.tasks["preview.trim"][1].handler)
    assert not list(store.root.rglob("*jpg*"))


# -- programs and other plugins -------------------------------------------------------------------------------

FAKE_SOFFICE = """#!/bin/sh
set -e
case "$1" in -env:UserInstallation=file:///*) ;; *) exit 3 ;; esac
while [ "$1" != --outdir ]; do shift; done
cat {secret} && exit 4
grep -q %PDF "$3"
mkdir "$2"
cp "$3" "$2/document.pdf"
"""
"""Makes a PDF of what is one already; ends without when it can read what it must not."""


def test_without_the_extra_pictures_are_seen_still(place_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewers, "_is_there", lambda module: False)
    place = place_with()
    seen(place.get(f"{place.file('red.png', picture())}/preview/jpg/x"))
    for name, data in (("a.pdf", pdf()), ("a.txt", b"text"), ("a.html", b"<p>x"), ("a.svg", b"<svg/>")):
        file = place.file(name, data)
        assert place.get(f"{file}/preview/jpg/x").code == 1013
        assert place.get(f"{file}/preview/pdf/full/x").code == 1013
        assert place.get(f"{file}/preview_info").json["has_jpeg_preview"] is False
    made = place.client.post(f"{place.space}/contents", {"label": "Note", "content_type": "html-document"}).json
    note = f"{place.space}/html-documents/{made['content_id']}/preview"
    assert place.get(f"{note}/pdf/full/x").code == 1013
    assert place.get(f"{note}/html/x").status == 200


CONFINED = pytest.mark.skipif(confinement.version() == 0, reason="this system has no Landlock")
CONFINE = """
import socket, subprocess, sys
from pathlib import Path
from atrio.plugins.preview.adapters.confinement import confine
inside, outside = Path(sys.argv[1]), Path(sys.argv[2])
confine(str(inside), [str(outside / "given")])
def tell(name, call):
    try:
        call()
        print(name, "yes")
    except OSError:
        print(name, "no")
tell("write inside", lambda: (inside / "new").write_text("x"))
tell("read inside", lambda: (inside / "new").read_text())
tell("read given", lambda: (outside / "given").read_text())
tell("write given", lambda: (outside / "given").write_text("x"))
tell("read outside", lambda: (outside / "secret").read_text())
tell("link outside", lambda: ((inside / "link").symlink_to(outside / "secret"), (inside / "link").read_text()))
tell("list outside", lambda: list(outside.iterdir()))
tell("environment", lambda: Path("/proc/self/environ").read_bytes())
def child():
    if subprocess.run(["/bin/cat", str(outside / "secret")], stderr=subprocess.DEVNULL).returncode:
        raise OSError
tell("child", child)
"""


@CONFINED
def test_what_is_confined_sees_its_folder_alone(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    for name in ("given", "secret"):
        (outside / name).write_text(name)
    done = subprocess.run(
        [sys.executable, "-c", CONFINE, str(inside), str(outside)], capture_output=True, text=True, timeout=60
    )
    said = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    yes = {name for name, can in said.items() if can == "yes"}
    assert yes == {"write inside", "read inside", "read given"}, done.stderr
    assert "secret" not in done.stdout


@CONFINED
def test_the_plumbing_of_office_documents_with_a_stand_in_for_libreoffice(
    place_with: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    """A script of ours plays LibreOffice: what is tested is how it is called and what becomes of its file."""
    program, secret = tmp_path / "soffice", tmp_path / "secret"
    secret.write_text("secret")
    program.write_text(FAKE_SOFFICE.format(secret=secret))
    program.chmod(0o755)
    place = place_with(preview__soffice=str(program))
    file = place.file("letter.docx", pdf(2))
    assert place.get(f"{file}/preview_info").json["page_nb"] == 2
    assert seen(place.get(f"{file}/preview/jpg/64x64/x", page=2)).size == (64, 32)
    assert place.get(f"{file}/preview/jpg/64x64/x", page=3).code == 1012
    assert place.get(f"{file}/preview/pdf/full/x").body == pdf(2)
    bad = place.file("bad.docx", b"nothing")
    assert place.get(f"{bad}/preview/pdf/full/x").code == 1013
    assert not place.get(f"{bad}/preview_info").json["has_pdf_preview"]
    open_to_all = place_with(preview__soffice=str(program), preview__unconfined=True)
    monkeypatch.setattr(confinement, "version", lambda: 0)
    assert previewers.previewer_of(open_to_all.kernel, "", ".docx") is not None
    assert previewers.previewer_of(place_with(preview__soffice=str(program)).kernel, "", ".docx") is None


def test_without_programs_their_types_have_none(place_with: Any) -> None:
    place = place_with(preview__soffice="no", preview__ffmpeg="no")
    for name in ("letter.odt", "film.mp4", "song.mp3"):
        file = place.file(name, b"anything")
        assert place.get(f"{file}/preview/jpg/x").code == 1013
        assert place.get(f"{file}/preview_info").json["page_nb"] is None


class Brings:
    """A plugin that knows what nobody knows."""

    @hookimpl
    def register_previewers(self) -> list[dict[str, Any]]:
        return [
            {"name": "dots", "version": 1, "extensions": (".dots",), "makes": "image", "options": {"color": "blue"},
             "target": "preview_of_dots:draw"},
            {"name": "wrong"},
            {"name": "lost", "extensions": (".lost",), "makes": "pdf", "target": "no_such_module:draw"},
        ]  # fmt: skip


def test_another_plugin_brings_a_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "preview_of_dots.py").write_text(
        "from PIL import Image\n\ndef draw(path, out, options):\n"
        "    if open(path, 'rb').read() == b'bad':\n        raise KeyError('no dots')\n"
        "    Image.new('RGB', (10, 10), options['color']).save(out, 'PNG')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    kernel = make_kernel(tmp_path / "data", {"preview__wait_seconds": 60})
    kernel.hooks.register(Brings())
    client = Client(kernel.app, ADMIN, PASSWORD)
    place = Place(kernel, client)
    image = seen(place.get(f"{place.file('a.dots', b'...')}/preview/jpg/x"))
    assert near(image, (5, 5), (0, 0, 255))
    assert place.get(f"{place.file('bad.dots', b'bad')}/preview/jpg/x").code == 1013
    assert place.get(f"{place.file('a.lost', b'...')}/preview/jpg/x").code == 1013
    client.close()
    kernel.stop()
    kernel.app.pool.close()
    kernel.app.io.close()
