"""Species by name: the library that comes with the package, and the user's own in the same YAML."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from cryoccd.errors import CryoccdError, check_within
from cryoccd.specimen.symmetry import point_group

KINDS = ("enzyme", "ribosome", "capsid", "membrane_protein", "filament_subunit")
MASS_KDA = (0.1, 1e6)

_FIELDS = {"source": str, "symmetry": str, "class": str, "assembly": str, "about": str}
_NUMBERS = ("mass_kDa",)


@dataclass(frozen=True)
class Entry:
    """One species of a library.

    Args:
        name: by which it is called.
        source: assembly:NAME, pdb:ID, alphafold:UNIPROT, emdb:NUMBER, or a path.
        mass_kDa: mass of the whole, nominal.
        kind: class of molecule, one of KINDS.
        symmetry: point group as `point_group` spells it.
        assembly: biological assembly of the file.
        about: what it is, in words.
    """

    name: str
    source: str
    mass_kDa: float
    kind: str
    symmetry: str = "C1"
    assembly: str = "1"
    about: str = ""

    def __post_init__(self) -> None:
        check_kind(self.kind)
        check_within("mass_kDa", self.mass_kDa, *MASS_KDA, "kilodalton")
        _check_symmetry(self.symmetry)


def check_kind(kind: str) -> None:
    """Refuse a class of molecule that is not one of KINDS.

    Raises:
        CryoccdError: it names the classes.
    """
    if kind not in KINDS:
        raise CryoccdError(f"class '{kind}', expected one of {', '.join(KINDS)}")


def read_library(path: Path | None = None) -> dict[str, Entry]:
    """Entries by name, of the user's YAML or of the package's own.

    Args:
        path: a mapping of names to the fields source, class, mass_kDa, symmetry, assembly, about;
            the first three are required. None is the library of the package.

    Raises:
        CryoccdError: not such a file; the line names the entry and the field.
    """
    place: Any = path or files("cryoccd.specimen") / "library.yaml"
    try:
        raw = yaml.safe_load(place.read_text(encoding="utf8"))
    except FileNotFoundError as error:
        raise CryoccdError(f"{place}: no such file") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{place}: not readable YAML ({reason}); correct it there") from error
    if not isinstance(raw, dict) or not raw:
        raise CryoccdError(f"{place}: expected a mapping of species names to their fields")
    return {str(name): _entry(f"{place}: species '{name}'", name, raw[name]) for name in raw}


def library_entry(name: str, library: dict[str, Entry] | None = None) -> Entry:
    """The entry of that name, in the package's library by default.

    Raises:
        CryoccdError: no such entry; the line names all of them.
    """
    entries = read_library() if library is None else library
    if name not in entries:
        raise CryoccdError(f"library: no species '{name}', expected one of {', '.join(entries)}")
    return entries[name]


@cache
def _check_symmetry(symmetry: str) -> None:
    point_group(symmetry)


def _entry(where: str, name: Any, fields: Any) -> Entry:
    known = [*_FIELDS, *_NUMBERS]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise CryoccdError(f"{where}: expected a name and a mapping of {', '.join(known)}")
    for field, value in fields.items():
        if field not in known:
            raise CryoccdError(f"{where}: unknown field '{field}', expected {', '.join(known)}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number if field in _NUMBERS else isinstance(value, str)):
            wanted = "a number" if field in _NUMBERS else "text, in quotes where it is a number"
            raise CryoccdError(f"{where}: {field} = {value!r}, expected {wanted}")
    missing = [field for field in ("source", "class", "mass_kDa") if field not in fields]
    if missing:
        raise CryoccdError(f"{where}: field {missing[0]} is missing")
    rest = {field: value for field, value in fields.items() if field != "class"}
    try:
        return Entry(name=name, kind=fields["class"], **rest)
    except CryoccdError as error:
        raise CryoccdError(f"{where}: {error}") from error
