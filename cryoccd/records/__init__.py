"""The immutable records that flow through the house; units stand in the names."""

from cryoccd.records.atoms import Atoms
from cryoccd.records.batch import UnpairedBatch
from cryoccd.records.exposure import PARTICLE_COLUMNS, Exposure
from cryoccd.records.optics import Optics
from cryoccd.records.scene import Artefacts, Particles, Scene
from cryoccd.records.volume import Volume

__all__ = [
    "PARTICLE_COLUMNS",
    "Artefacts",
    "Atoms",
    "Exposure",
    "Optics",
    "Particles",
    "Scene",
    "UnpairedBatch",
    "Volume",
]
