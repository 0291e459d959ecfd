"""A good session: an even film of thin ice, an energy filter and a counting camera."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

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
