"""Size of the particles of a set, for programs that ask for a radius."""

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.folder import open_folder
from cryoccd.io.folder_optics import read_optics_yaml


def particle_diameter_A(dataset: Dataset, options: ExportOptions) -> float:
    """As given, else of the set's optics.yaml, else measured on its labels.

    Raises:
        CryoccdError: none of them tells it.
    """
    if options.particle_diameter_A is not None:
        return options.particle_diameter_A
    beside = dataset.root / "optics.yaml"
    if beside.is_file():
        known = read_optics_yaml(beside).get("particle_diameter_A")
        if known is not None:
            return float(known)
    measured = open_folder(dataset.root).measured_diameter_A()
    if measured is None:
        raise CryoccdError(
            f"{dataset.root}: no labels tell the size of a particle; give --particle_diameter_A"
        )
    return measured
