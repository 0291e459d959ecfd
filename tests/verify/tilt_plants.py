"""A small set of tilt series without symmetry or noise, and changes of its tables."""

from planting import change_table

from cryoccd.io.dataset import TomogramSet
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.simulate.config import SimulateConfig, SpeciesConfig
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig
from cryoccd.verify.tomograms.run import verify_tomograms

SHAPE, PIXEL_A, VOXEL_A = (144, 176), 5.0, 10.0
CONFIG = SimulateConfig(
    species=[SpeciesConfig("assembly:lobed_c1")],
    count=2,
    shape_px=SHAPE,
    pixel_size_A=PIXEL_A,
    particles=CrowdingConfig(10.0),
    ice=IceConfig(median_A=400.0, sigma_log=0.0, roughness=0.0, minimum_A=100.0),
    tilts=TiltConfig(-60.0, 60.0, 5.0, axis_deg=85.0),
    tomogram=TomogramConfig(thickness_A=600.0, binning=2),
)
TOMOGRAM, STACK, MAP = "tomograms/tomo_00001.mrc", "tilts/tomo_00000.mrcs", "species/lobed_c1.mrc"


def verdicts(root):
    return {finding.family: finding for finding in verify_tomograms(TomogramSet(root))}


def failed(root):
    return {family: f.text for family, f in verdicts(root).items() if f.verdict == "FAIL"}


def columns(table_name="particles", **changes):
    def plant(root):
        change_table(
            root, table_name, lambda t: t.assign(**{name: f(t) for name, f in changes.items()})
        )

    return plant
