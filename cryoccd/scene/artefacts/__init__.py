"""What lies in the ice and is no particle: each kind a class of its own in the labels."""

from cryoccd.scene.artefacts.aggregates import Aggregates
from cryoccd.scene.artefacts.broken import BrokenParticles
from cryoccd.scene.artefacts.carbon_edge import CarbonEdge
from cryoccd.scene.artefacts.crystalline_patch import CrystallinePatches
from cryoccd.scene.artefacts.ethane_blobs import EthaneBlobs
from cryoccd.scene.artefacts.gold_beads import GoldBeads
from cryoccd.scene.artefacts.ice_crystals import IceCrystals
from cryoccd.scene.artefacts.laws import Artefact, Candidates

__all__ = [
    "Aggregates",
    "Artefact",
    "BrokenParticles",
    "Candidates",
    "CarbonEdge",
    "CrystallinePatches",
    "EthaneBlobs",
    "GoldBeads",
    "IceCrystals",
]
