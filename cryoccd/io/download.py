"""One file over HTTP: tried again with growing pauses, continued where it broke off.

A partial file is continued by a Range request (RFC 9110, 14.2), guarded by If-Range with the entity
tag that came with its beginning, so that parts of two versions never meet in one file.
"""

import re
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

import cryoccd
from cryoccd.errors import CryoccdError

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes at hand, and with those of the whole file where they are known."""

_CHUNK = 1 << 18
_LONGEST_PAUSE_S = 60.0
_BROKEN = (urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError, HTTPException)
_PASSING = (408, 425, 429, 500, 502, 503, 504)


class AbsentError(CryoccdError):
    """The server answers that it has no such file."""


class UnreachableError(CryoccdError):
    """The server did not give the file, for a reason that may pass."""


@dataclass(frozen=True)
class Transfer:
    """How a file is asked for.

    Args:
        attempts: without any new byte, before it is given up.
        pause_s: before the second attempt; each further one is twice as long.
        timeout_s: without an answer.
        largest_bytes: longer files are refused.
    """

    attempts: int = 4
    pause_s: float = 1.0
    timeout_s: float = 30.0
    largest_bytes: int = 1 << 34


def download(
    address: str, part: Path, transfer: Transfer, on_progress: OnProgress | None = None
) -> None:
    """Bring the body of an address to `part`, or go on from what stands there already.

    Args:
        address: http or https.
        part: file to write; it is kept where the transfer fails, with its entity tag beside it.
        transfer: how.
        on_progress: told of every piece.

    Raises:
        AbsentError: there is no such file.
        UnreachableError: no answer, or none that was complete.
        CryoccdError: the server refuses, or the file is longer than allowed.
    """
    failures, longest = 0, _size(part)
    while True:
        asked_s = ""
        try:
            _attempt(address, part, transfer, on_progress or (lambda done, total: None))
            _tag_file(part).unlink(missing_ok=True)
            return
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"{error.code} {error.reason}"
            if error.code in (404, 410):
                raise AbsentError(f"{address}: {reason}") from error
            if error.code == 416:  # what is there is not the beginning of this file
                part.unlink(missing_ok=True)
            elif error.code not in _PASSING:
                raise CryoccdError(f"{address}: {reason}; the server refuses it") from error
            asked_s = error.headers.get("Retry-After", "")
        except _BROKEN as error:
            cause = getattr(error, "reason", error)
            reason = " ".join(str(cause).split()) or type(cause).__name__
            if isinstance(cause, socket.gaierror):  # no network: waiting does not help
                raise UnreachableError(f"{address}: {reason}") from error
        grown = _size(part) > longest
        longest = max(longest, _size(part))
        failures = 1 if grown else failures + 1
        if failures >= transfer.attempts:
            raise UnreachableError(f"{address}: {reason}, after {failures} attempts")
        pause_s = transfer.pause_s * 2 ** (failures - 1)
        time.sleep(min(max(pause_s, _seconds(asked_s)), _LONGEST_PAUSE_S))


def _attempt(address: str, part: Path, transfer: Transfer, on_progress: OnProgress) -> None:
    """One request; what arrives is appended to the part."""
    headers = {"User-Agent": f"cryoccd/{cryoccd.__version__}", "Accept-Encoding": "identity"}
    tag = _tag(part, address)
    if tag and _size(part) > 0:
        headers |= {"Range": f"bytes={_size(part)}-", "If-Range": tag}
    with _opener().open(
        urllib.request.Request(address, headers=headers), timeout=transfer.timeout_s
    ) as answer:
        start = _start(answer, part)
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        if (total or 0) > transfer.largest_bytes:
            raise CryoccdError(_too_long(address, total, transfer))
        if start == 0:
            _begin(part, address, answer)
        with part.open("ab") as target:
            done = start
            on_progress(done, total)
            while chunk := answer.read(_CHUNK):
                done += len(chunk)
                if done > transfer.largest_bytes:
                    raise CryoccdError(_too_long(address, None, transfer))
                target.write(chunk)
                on_progress(done, total)
    if total is not None and done != total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def _start(answer: HTTPResponse, part: Path) -> int:
    """Where in the file the body begins; 0 for a whole one."""
    if answer.status != 206:
        return 0
    size = _size(part)
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if found is None or int(found[1]) != size:
        part.unlink(missing_ok=True)
        raise ConnectionError(f"the server went on at another place than byte {size}")
    return size


def _opener() -> urllib.request.OpenerDirector:
    """Web addresses only: no redirection leads to a file or to FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _tag_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.tag")


def _tag(part: Path, address: str) -> str | None:
    """The entity tag of the part, if it came from this address."""
    try:
        known, tag = _tag_file(part).read_text(encoding="utf8").splitlines()
    except (OSError, ValueError):
        return None
    return tag if known == address else None


def _begin(part: Path, address: str, answer: HTTPResponse) -> None:
    """An empty part, then its tag: a kill in between leaves no tag beside another's bytes."""
    tag = answer.headers.get("ETag", "")
    _tag_file(part).unlink(missing_ok=True)
    part.write_bytes(b"")
    if tag.startswith('"'):  # a weak tag does not promise the same bytes
        _tag_file(part).write_text(f"{address}\n{tag}\n", encoding="utf8")


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0  # a date is not worth reading


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _too_long(address: str, total: int | None, transfer: Transfer) -> str:
    found = "more" if total is None else f"{total} bytes"
    return f"{address}: {found}, expected at most {transfer.largest_bytes} bytes"
