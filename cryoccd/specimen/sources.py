"""Words that name a specimen: assemblies, library names, identifiers, files, folders of files."""

import re
from collections.abc import Callable
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.specimen.assemblies import ASSEMBLIES

ASSEMBLY_PREFIX = "assembly:"
LIBRARY_PREFIX = "library:"
ALPHAFOLD_PREFIX = "alphafold:"
EMDB_PREFIX = "emdb:"
FETCHED_PREFIXES = ("pdb:", ALPHAFOLD_PREFIX, EMDB_PREFIX)
STRUCTURE_SUFFIXES = (".pdb", ".ent", ".cif", ".mmcif")
MAP_SUFFIXES = (".mrc", ".map")

Resolve = Callable[[str], Path]
"""From an identifier such as pdb:3J9I to the file it stands for."""


def species_name(source: str) -> str:
    """What a specimen of this source is called: a name fit for a file.

    That of the assembly or library entry, the identifier (emd_1234 for emdb:1234), or the file's
    or folder's name without its suffixes.
    """
    for prefix in (ASSEMBLY_PREFIX, LIBRARY_PREFIX, "pdb:", ALPHAFOLD_PREFIX):
        if source.startswith(prefix):
            return source.removeprefix(prefix)
    if source.startswith(EMDB_PREFIX):
        return f"emd_{source.removeprefix(EMDB_PREFIX).removeprefix('EMD-')}"
    path = Path(source.removesuffix(".gz"))
    return path.stem if suffix(path) in (*STRUCTURE_SUFFIXES, *MAP_SUFFIXES) else path.name


def source_files(source: str, resolve: Resolve | None = None) -> list[Path]:
    """The files of a source, all structures or all maps; none for an embedded assembly.

    Args:
        source: assembly:NAME, an identifier of FETCHED_PREFIXES, a structure file, a map, or a
            folder of either, whose files are sorted by the numbers in their names.
        resolve: where fetched files lie, by default the cache of `cryoccd fetch`.

    Raises:
        CryoccdError: another kind of source, or a folder of no such files or of both.
    """
    if source.startswith(ASSEMBLY_PREFIX):
        return []
    if source.startswith(FETCHED_PREFIXES):
        return [(resolve or _cached)(source)]
    path = Path(source)
    if path.is_dir():
        return _folder_files(path)
    if suffix(path) not in (*STRUCTURE_SUFFIXES, *MAP_SUFFIXES):
        raise CryoccdError(
            f"{source}: no specimen comes from this kind of source; expected {ASSEMBLY_PREFIX} "
            f"with {', '.join(ASSEMBLIES)}, {LIBRARY_PREFIX}NAME, one of "
            f"{', '.join(FETCHED_PREFIXES)}, a file {', '.join(STRUCTURE_SUFFIXES)} (.gz), a map "
            f"{', '.join(MAP_SUFFIXES)}, or a folder of them"
        )
    return [path]


def suffix(path: Path) -> str:
    """Suffix in small letters, before any .gz."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def _folder_files(folder: Path) -> list[Path]:
    files = [path for path in folder.iterdir() if path.is_file()]
    maps = [path for path in files if suffix(path) in MAP_SUFFIXES]
    structures = [path for path in files if suffix(path) in STRUCTURE_SUFFIXES]
    if bool(maps) == bool(structures):
        raise CryoccdError(
            f"{folder}: {len(maps)} maps and {len(structures)} structures, expected maps "
            f"{', '.join(MAP_SUFFIXES)} or structures {', '.join(STRUCTURE_SUFFIXES)}, one a "
            "conformation"
        )
    return sorted(maps or structures, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """vol_2 before vol_10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _cached(identifier: str) -> Path:
    from cryoccd.io.fetch import cached

    return Path(cached(identifier))
