"""Holes photographed at their rim: the carbon film comes into half of the micrographs."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

CARBON_EDGE = OracleStyle(
    name="carbon_edge",
    ingredients=(
        Ingredient("assembly:dimer_d2", 0.9, 175, (0.0, 0.6)),
        Ingredient("assembly:lobed_c1", 0.1, 115),
    ),
    particles_per_um2=900,
    b_factor_A2=110,
    damage_A2_per_e=3.0,
    solvent_V=4.9,
    defocus_A=(14000, 26000),
    thickness_A=500,
    thickness_spread=0.2,
    thickness_gradient=0.5,
    thickness_roughness=0.05,
    ice_noise=3.0,
    envelope_A2=80,
    mean_free_path_A=3000,
    inelastic_kept=0.0,
    contaminants=0.2,
    contaminant_radius_A=(60, 140),
    dose_e_per_A2=18,
    detector=Detector(
        dqe0=0.85,
        mtf_half=0.3,
        mtf_power=1.5,
        nnps_half=0.25,
        nnps_floor=0.4,
        gain_residue_rms=0.01,
    ),
    diameter_A=175,
    film_chance=0.5,
    film_thickness_A=180,
)
