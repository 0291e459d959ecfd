"""Names of the files of an archive's folder, from the web page that lists it; asked once and kept.

EMPIAR serves each entry as folders over https, a page with a link a file, as web servers list them.
"""

import html
import re
from pathlib import Path
from urllib.parse import unquote

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, write_text
from cryoccd.io.download import AbsentError, Transfer
from cryoccd.io.fetch_files import read_body

LISTING = "listing.txt"

_LINK = re.compile(r"<a\s[^>]*?href=[\"']([^\"'?#]+)[\"']", re.IGNORECASE)


def list_folder(folder: Path, archive: str, mirrored: str | None, transfer: Transfer) -> list[str]:
    """Sorted names of the files of a folder.

    Args:
        folder: in the cache; its listing.txt is read, or written.
        archive: address of the folder in the archive.
        mirrored: address on a mirror, which is asked instead: for its listing.txt, else its page.
        transfer: attempts, pauses and limits.

    Raises:
        AbsentError: there is no such folder.
        UnreachableError: no answer.
        CryoccdError: the page names no file.
    """
    if (folder / LISTING).is_file():
        return read_listing(folder)
    check_writable(folder / LISTING)
    if mirrored is None:
        names = _links(read_body(f"{archive}/", transfer))
    else:
        try:
            kept = read_body(f"{mirrored}/{LISTING}", transfer)
            names = kept.decode("utf8", "replace").splitlines()
        except AbsentError:
            names = _links(read_body(f"{mirrored}/", transfer))
    names = sorted({name for name in names if _is_name(name)})
    if not names:
        raise CryoccdError(f"{archive}/: the page names no file; look at it with a browser")
    write_text(folder / LISTING, "".join(f"{name}\n" for name in names))
    return names


def read_listing(folder: Path) -> list[str]:
    """The names that were listed before; none where none were."""
    path = folder / LISTING
    return path.read_text(encoding="utf8").splitlines() if path.is_file() else []


def _links(page: bytes) -> list[str]:
    """What the links of a page lead to."""
    links = _LINK.findall(page.decode("utf8", "replace"))
    return [unquote(html.unescape(link)).removeprefix("./") for link in links]


def _is_name(name: str) -> bool:
    """Whether it is a file of the folder itself; folders end with a slash."""
    return re.fullmatch(r"[\w+,=@-][\w.+,=@ -]*", name) is not None
