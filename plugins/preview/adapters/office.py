"""Documents of office programs to PDF, with LibreOffice: a profile for one call, no macros, no links."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .confinement import confine
from .programs import call, leave_network

SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution"
 oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel"
 oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
 oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent"
 oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link"
 oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link"
 oor:op="fuse"><value>1</value></prop></item>
</oor:items>
"""


def convert(
    path: str, out: str, program: str, seconds: int, extension: str = ".odt", *, unconfined: bool = False
) -> None:  # fmt: skip
    """Write a document as a PDF; ValueError when LibreOffice makes none."""
    folder = Path(out).parent
    leave_network()
    confine(str(folder), (path, str(_home(program))), required=not unconfined)
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(SETTINGS)
    source = folder / f"document{extension}"
    # A copy: it looks for a lock file and for companions beside what it opens.
    shutil.copyfile(path, source)
    made = folder / "made"
    command = [
        program, f"-env:UserInstallation=file://{profile}", "--headless", "--invisible", "--norestore",
        "--nolockcheck", "--nodefault", "--nologo", "--convert-to", "pdf", "--outdir", str(made), str(source),
    ]  # fmt: skip
    environment = {
        "HOME": str(folder), "TMPDIR": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }  # fmt: skip
    call(command, str(folder), seconds, environment)
    found = sorted(made.glob("*.pdf"))
    if not found:
        raise ValueError("LibreOffice made nothing of it")
    os.replace(found[0], out)


def _home(program: str) -> Path:
    """Return where LibreOffice is, wherever it was installed; the file itself where it is laid out otherwise."""
    path = Path(program).resolve()
    return path.parent.parent if path.parent.name == "program" and path.parent.parent.name else path
