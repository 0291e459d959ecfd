"""The hidden parameters of the oracle: imaginary acquisitions that no method may look into.

Each style is one session at one microscope with one sample. Methods see its micrographs, picks and
nominal optics alone; the import contract of the project forbids them this file.
"""

from dataclasses import dataclass

from cryoccd.imaging.detector import Detector


@dataclass(frozen=True)
class Ingredient:
    """One species of the sample.

    Args:
        species: name of the structure.
        abundance: share of the particles, relative to the other ingredients.
        diameter_A: hard-core diameter.
        flex: one value a conformation; conformations are equally likely.
    """

    species: str
    abundance: float
    diameter_A: float
    flex: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class OracleStyle:
    """One imaginary acquisition.

    Args:
        name: name of the style.
        ingredients: the sample; the first is the main species, which is picked.
        particles_per_um2: expected number of particles a square micrometre.
        b_factor_A2: B factor of every atom.
        damage_A2_per_e: growth of the B factor with the exposure, at its middle.
        solvent_V: potential of the solvent that atoms displace.
        defocus_A: lowest and highest defocus, uniform between.
        thickness_A: median thickness of the ice.
        thickness_spread: standard deviation of log thickness between micrographs.
        thickness_gradient: relative change of the thickness across the field.
        thickness_roughness: relative standard deviation of the smooth random part.
        ice_noise: amplitude of the structural ice noise; 1 is a liquid of independent waters.
        envelope_A2: B-like envelope of the lens on the scattered wave.
        mean_free_path_A: of inelastic scattering in ice.
        inelastic_kept: share of the inelastic electrons that reach the camera, 0 with a filter.
        contaminants: expected crystals a micrograph.
        contaminant_radius_A: smallest and largest radius of the crystals.
        dose_e_per_A2: exposure.
        detector: the camera; its pixel is half of the final one.
        diameter_A: nominal diameter of the main species, as the user would type it.
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction.
        shape_px: height and width of the micrographs.
        pixel_size_A: final pixel size, twice that of the camera.
    """

    name: str
    ingredients: tuple[Ingredient, ...]
    particles_per_um2: float
    b_factor_A2: float
    damage_A2_per_e: float
    solvent_V: float
    defocus_A: tuple[float, float]
    thickness_A: float
    thickness_spread: float
    thickness_gradient: float
    thickness_roughness: float
    ice_noise: float
    envelope_A2: float
    mean_free_path_A: float
    inelastic_kept: float
    contaminants: float
    contaminant_radius_A: tuple[float, float]
    dose_e_per_A2: float
    detector: Detector
    diameter_A: float
    voltage_kV: float = 300.0
    cs_mm: float = 2.7
    amplitude_contrast: float = 0.1
    shape_px: tuple[int, int] = (256, 256)
    pixel_size_A: float = 4.0


THIN_ICE = OracleStyle(
    name="thin_ice",
    ingredients=(
        Ingredient("assembly:barrel_d7", 0.85, 180, (0.0, 0.4, 0.8)),
        Ingredient("assembly:lobed_c1", 0.15, 115, (0.5,)),
    ),
    particles_per_um2=1300,
    b_factor_A2=90,
    damage_A2_per_e=2.0,
    solvent_V=4.9,
    defocus_A=(12000, 22000),
    thickness_A=350,
    thickness_spread=0.15,
    thickness_gradient=0.15,
    thickness_roughness=0.04,
    ice_noise=3.0,
    envelope_A2=60,
    mean_free_path_A=3100,
    inelastic_kept=0.0,
    contaminants=0.06,
    contaminant_radius_A=(60, 120),
    dose_e_per_A2=8,
    detector=Detector(
        dqe0=0.85,
        mtf_half=0.16,
        mtf_power=1.5,
        nnps_half=0.12,
        nnps_floor=0.08,
        gain_residue_rms=0.015,
    ),
    diameter_A=180,
)

THICK_ICE = OracleStyle(
    name="thick_ice",
    ingredients=(
        Ingredient("assembly:cage_o", 0.9, 145, (0.2, 1.0)),
        Ingredient("assembly:lobed_c1", 0.1, 115),
    ),
    particles_per_um2=1250,
    b_factor_A2=140,
    damage_A2_per_e=3.0,
    solvent_V=4.9,
    defocus_A=(18000, 32000),
    thickness_A=800,
    thickness_spread=0.2,
    thickness_gradient=0.3,
    thickness_roughness=0.06,
    ice_noise=3.0,
    envelope_A2=120,
    mean_free_path_A=2800,
    inelastic_kept=0.5,
    contaminants=0.1,
    contaminant_radius_A=(80, 160),
    dose_e_per_A2=12,
    detector=Detector(
        dqe0=0.7,
        mtf_half=0.15,
        mtf_power=1.6,
        nnps_half=0.12,
        nnps_floor=0.06,
        gain_residue_rms=0.02,
    ),
    diameter_A=150,
)

STYLES: dict[str, OracleStyle] = {style.name: style for style in (THIN_ICE, THICK_ICE)}
"""The acquisitions by name."""
