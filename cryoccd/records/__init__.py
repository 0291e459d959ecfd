"""The immutable records that flow through the house; units stand in the names."""

from cryoccd.records.atoms import Atoms
from cryoccd.records.batch import UnpairedBatch
from cryoccd.records.exposure import ARTEFACT_COLUMNS, PARTICLE_COLUMNS, Exposure
from cryoccd.records.optics import Optics
from cryoccd.records.scene import Body, Debris, Particles, Scene
from cryoccd.records.volume import Volume
from cryoccd.records.volume_batch import VolumeBatch

__all__ = [
    "ARTEFACT_COLUMNS",
    "PARTICLE_COLUMNS",
    "Atoms",
    "Body",
    "Debris",
    "Exposure",
    "Optics",
    "Particles",
    "Scene",
    "UnpairedBatch",
    "Volume",
    "VolumeBatch",
]
