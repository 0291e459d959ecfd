"""Where particles lie: one law a file, all under one hard core."""

from cryoccd.scene.placement.aggregate import Aggregate
from cryoccd.scene.placement.air_water import AirWater
from cryoccd.scene.placement.blue_noise import BlueNoise
from cryoccd.scene.placement.capsids import Capsids
from cryoccd.scene.placement.cluster import Cluster
from cryoccd.scene.placement.defaults import DEFAULT_LAWS
from cryoccd.scene.placement.dense import Dense
from cryoccd.scene.placement.filament import Filament
from cryoccd.scene.placement.from_picks import FromPicks
from cryoccd.scene.placement.gaussian import Gaussian
from cryoccd.scene.placement.gradient import Gradient
from cryoccd.scene.placement.grid import Grid
from cryoccd.scene.placement.in_label import InLabel
from cryoccd.scene.placement.law import PlacementLaw, Proposal
from cryoccd.scene.placement.membrane_bound import MembraneBound
from cryoccd.scene.placement.polysome import Polysome
from cryoccd.scene.placement.uniform import Uniform

__all__ = [
    "DEFAULT_LAWS",
    "Aggregate",
    "AirWater",
    "BlueNoise",
    "Capsids",
    "Cluster",
    "Dense",
    "Filament",
    "FromPicks",
    "Gaussian",
    "Gradient",
    "Grid",
    "InLabel",
    "MembraneBound",
    "PlacementLaw",
    "Polysome",
    "Proposal",
    "Uniform",
]
