"""Names that become those of files."""

from pathlib import PurePosixPath

from cryoccd.errors import CryoccdError


def check_file_name(what: str, name: str) -> None:
    """Refuse a name that would lead elsewhere.

    Raises:
        CryoccdError: it names what the name is of.
    """
    if PurePosixPath(name).name != name or not name or name.startswith("."):
        raise CryoccdError(f"{what} {name!r} cannot name a file; take another name")
