"""What one imaginary acquisition is made of: a session at one microscope with one sample."""

from dataclasses import dataclass
from math import asin, radians, sin

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
        phase_shift_deg: of a phase plate, 0 without one.
        film_chance: share of micrographs that show the edge of the carbon film; nothing is picked
            on the film.
        film_thickness_A: of the film.
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
    phase_shift_deg: float = 0.0
    film_chance: float = 0.0
    film_thickness_A: float = 0.0
    shape_px: tuple[int, int] = (256, 256)
    pixel_size_A: float = 4.0

    @property
    def nominal_amplitude_contrast(self) -> float:
        """The fraction that its user types: it has the CTF of the true one and the phase plate."""
        return round(sin(asin(self.amplitude_contrast) + radians(self.phase_shift_deg)), 4)
