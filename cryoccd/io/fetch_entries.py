"""Entries of public archives: their identifiers, their files in the cache, their addresses.

pdb:1PMA, pdb:pdb_00001pma    pdb/1pma.cif.gz
alphafold:P12345              alphafold/P12345.cif
emdb:1234, emdb:EMD-1234      emdb/emd_1234.map.gz, emdb/emd_1234.xml
weights:inception             weights/weights-inception-2015-12-05-6726825d.pth
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.published_weights import PUBLISHED


@dataclass(frozen=True)
class Hosts:
    """Base addresses of the archives.

    Args:
        rcsb: files of the RCSB PDB.
        wwpdb: the wwPDB's archive of PDB and EMDB.
        ebi: the same archive at the EBI (PDBe, EMDB).
        alphafold: AlphaFold DB.
        github: releases of torch-fidelity.
        hugging_face: weights of CLIP.
        empiar: entries of EMPIAR, each a folder.
    """

    rcsb: str = "https://files.rcsb.org"
    wwpdb: str = "https://files.wwpdb.org/pub"
    ebi: str = "https://ftp.ebi.ac.uk/pub/databases"
    alphafold: str = "https://alphafold.ebi.ac.uk"
    github: str = "https://github.com"
    hugging_face: str = "https://huggingface.co"
    empiar: str = "https://ftp.ebi.ac.uk/empiar/world_availability"


@dataclass(frozen=True)
class Entry:
    """One entry of an archive.

    Args:
        kind: pdb, alphafold, emdb or weights.
        name: its name there, as the archive spells it.
    """

    kind: str
    name: str

    @property
    def files(self) -> tuple[str, ...]:
        """Its files below the cache folder, the structure or map first."""
        if self.kind == "pdb":
            return (f"pdb/{self.name}.cif.gz",)
        if self.kind == "alphafold":
            return (f"alphafold/{self.name}.cif",)
        if self.kind == "weights":
            return (f"weights/{PUBLISHED[self.name].file}",)
        return (f"emdb/emd_{self.name}.map.gz", f"emdb/emd_{self.name}.xml")

    @property
    def sha256(self) -> str | None:
        """Checksum of the file, known beforehand for weights alone: archives revise entries."""
        return PUBLISHED[self.name].sha256 if self.kind == "weights" else None

    def addresses(
        self, file: str, hosts: Hosts, read_json: Callable[[str], Any]
    ) -> tuple[str, ...]:
        """Where one of its files is had, the first choice first.

        Args:
            file: one of `files`.
            hosts: the archives.
            read_json: reads a JSON document, where the archive is asked for the current version.
        """
        if self.kind == "pdb":
            divided = f"pdb/data/structures/divided/mmCIF/{self.name[1:3]}/{self.name}.cif.gz"
            first = f"{hosts.rcsb}/download/{self.name}.cif.gz"
            return (first, f"{hosts.wwpdb}/{divided}", f"{hosts.ebi}/{divided}")
        if self.kind == "alphafold":
            answer = read_json(f"{hosts.alphafold}/api/prediction/{self.name}")
            return (f"{hosts.alphafold}/files/{_model_name(self.name, answer)}",)
        if self.kind == "weights":
            weights = PUBLISHED[self.name]
            return (f"{getattr(hosts, weights.host)}/{weights.path}",)
        part = f"map/emd_{self.name}.map.gz"
        if file.endswith(".xml"):
            part = f"header/emd-{self.name}.xml"
        return tuple(
            f"{host}/emdb/structures/EMD-{self.name}/{part}" for host in (hosts.ebi, hosts.wwpdb)
        )


def parse_entry(identifier: str) -> Entry:
    """The entry that an identifier names.

    Raises:
        CryoccdError: an unknown kind, or a name that the archive cannot have.
    """
    kind, colon, name = identifier.partition(":")
    if not colon or kind not in _PATTERNS:
        raise CryoccdError(
            f"{identifier!r}: unknown kind of entry, expected pdb:1PMA, alphafold:P12345, "
            "emdb:1234 or weights:inception"
        )
    pattern, expected = _PATTERNS[kind]
    match = re.fullmatch(pattern, name, re.IGNORECASE | re.ASCII)
    if match is None:
        raise CryoccdError(f"{identifier!r}: no such name, expected {expected}")
    found = match["name"]
    return Entry(kind, found.upper() if kind == "alphafold" else found.lower())


_PATTERNS = {
    "pdb": (
        r"(pdb_0000)?(?P<name>[1-9][a-z0-9]{3})",
        "four characters as in pdb:1PMA, or pdb:pdb_00001pma",
    ),
    "alphafold": (
        r"(?P<name>[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9]([A-Z][A-Z0-9]{2}[0-9]){1,2})",
        "a UniProt accession as in alphafold:P12345",
    ),
    "emdb": (r"(EMD-)?(?P<name>[0-9]{4,6})", "four to six digits as in emdb:1234"),
    "weights": (rf"(?P<name>{'|'.join(PUBLISHED)})", f"weights:{' or weights:'.join(PUBLISHED)}"),
}


def _model_name(accession: str, answer: Any) -> str:
    """File name of the current model; only the name is taken from the answer, never its host."""
    pattern = rf"(?:.*/)?(AF-{accession}-F1-model_v[0-9]{{1,3}}\.cif)"
    for record in answer if isinstance(answer, list) else []:
        address = record.get("cifUrl") if isinstance(record, dict) else None
        match = re.fullmatch(pattern, address) if isinstance(address, str) else None
        if match is not None:
            return match[1]
    raise CryoccdError(
        f"alphafold:{accession}: AlphaFold DB names no model of the whole chain; predictions of "
        "long chains are in pieces, download them by hand"
    )
