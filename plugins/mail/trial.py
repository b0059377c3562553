"""`atrio mail test`: one mail, now, outside the queue, with what is wrong in plain words."""

from __future__ import annotations

from types import SimpleNamespace

from atrio.kernel.host import Kernel

from .config import MailConfig, file_folder, sender_address
from .delivery import open_transport
from .facts import Facts
from .message import UnusableAddress, build, shared
from .rendering import language_of, render
from .transport import Permanent, Temporary, Unreachable


def try_out(kernel: Kernel, address: str, wanted: str | None) -> tuple[list[str], bool]:
    """Send the mail `trial` to an address; return what to print, and whether it left."""
    settings = kernel.config[MailConfig]
    lines = [f"from {sender_address(kernel.config)} to {address}"]
    if settings.transport == "off":
        return [*lines, "mail is off: set mail.transport to smtp (or file)"], False
    language = language_of(kernel, wanted)
    transport = open_transport(kernel)
    try:
        if settings.transport == "smtp":
            from .adapters.smtp import SmtpTransport, probe

            assert isinstance(transport, SmtpTransport)
            lines.append(probe(transport))
        to = SimpleNamespace(email=address, public_name="")
        row = SimpleNamespace(kind="trial", ref="trial", receiver=0, mail_id=kernel.clock.now())
        words = render(kernel, "trial", {}, language)
        facts = Facts("trial", {})
        common = shared(kernel.config, "trial", facts, words, language)
        transport.send(build(kernel.config, b"trial", row, to, facts, common))
    except UnusableAddress as error:
        return [*lines, f"{error}"], False
    except Unreachable as error:
        return [*lines, f"no mail can leave: {error}{_hint(str(error))}"], False
    except Temporary as error:
        return [*lines, f"the server takes it later, perhaps: {error}"], False
    except Permanent as error:
        return [*lines, f"the server refuses it: {error}{_hint(str(error))}"], False
    finally:
        transport.close()
    if settings.transport == "file":
        return [
            *lines,
            f"written as a file into {file_folder(kernel.config)}; nothing leaves: mail.transport is file",
        ], True
    return [*lines, "taken by the server; if it does not arrive, look there, and into the junk folder"], True


def _hint(answer: str) -> str:
    lowered = answer.lower()
    if "relay" in lowered:
        return "\n(it wants a login, or a sender of its own: mail.smtp_user, mail.from_address)"
    if "sender" in lowered:
        return "\n(it does not like the sender: mail.from_address)"
    return ""
