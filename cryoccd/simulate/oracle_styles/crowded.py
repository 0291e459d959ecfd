"""A mixture so dense that its particles touch, in the thinnest film that holds them."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

CROWDED = OracleStyle(
    name="crowded",
    ingredients=(
        Ingredient("assembly:cage_o", 0.7, 145, (0.0, 0.3, 0.6, 1.0)),
        Ingredient("assembly:dimer_d2", 0.15, 175, (0.0, 1.0)),
        Ingredient("assembly:lobed_c1", 0.15, 115, (0.0, 0.5, 1.0)),
    ),
    particles_per_um2=3200,
    b_factor_A2=100,
    damage_A2_per_e=2.5,
    solvent_V=4.9,
    defocus_A=(10000, 18000),
    thickness_A=200,
    thickness_spread=0.1,
    thickness_gradient=0.1,
    thickness_roughness=0.08,
    ice_noise=3.5,
    envelope_A2=80,
    mean_free_path_A=3100,
    inelastic_kept=0.0,
    contaminants=0.04,
    contaminant_radius_A=(50, 100),
    dose_e_per_A2=18,
    detector=Detector(
        dqe0=0.8,
        mtf_half=0.18,
        mtf_power=1.3,
        nnps_half=0.12,
        nnps_floor=0.1,
        gain_residue_rms=0.015,
    ),
    diameter_A=145,
)
