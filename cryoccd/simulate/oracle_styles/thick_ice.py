"""Thick ice without an energy filter: a haze of inelastic electrons, particles at many heights."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

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
