"""Diameters of the classes: of the maps that lie with tomograms, or as a user tells."""

from collections.abc import Mapping, Sequence

from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.errors import CryoccdError, check_within
from cryoccd.io.tomograms import TomogramSource
from cryoccd.specimen.species import diameter_A


def class_diameters_A(
    source: TomogramSource, classes: Sequence[str], told_A: Mapping[str, float]
) -> dict[str, float]:
    """Diameter of each class: as told, else the largest of its maps'.

    Args:
        source: tomograms with maps.
        classes: names.
        told_A: diameters by name, in place of those of maps.

    Raises:
        CryoccdError: a class without map or diameter, or a diameter of no class or out of range.
    """
    for name, diameter in told_A.items():
        if name not in classes:
            raise CryoccdError(f"diameter: {name} is no class, expected {', '.join(classes)}")
        if isinstance(diameter, bool) or not isinstance(diameter, int | float):
            raise CryoccdError(f"diameter: {name} = {diameter!r}, expected a number of angstrom")
        check_within(f"diameter of {name}", diameter, 1, 1e5, "angstrom")
    found = {name: float(diameter) for name, diameter in told_A.items()}
    for name in classes:
        if name in found:
            continue
        own = [key for key in source.maps if _of(key, name)]
        if not own:
            raise CryoccdError(
                f"{source.root}: no map of {name} to measure it; give --diameter {name}=ANGSTROM"
            )
        found[name] = max(map(diameter_A, read_maps(source, own).values()))
    return found


def _of(key: str, name: str) -> bool:
    """Whether a map is that of a class: LABEL or LABEL-CONFORMATION."""
    return key == name or (key.startswith(f"{name}-") and key[len(name) + 1 :].isdigit())
