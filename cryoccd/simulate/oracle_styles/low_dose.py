"""A first look: a tenth of the usual exposure on a camera that counts nearly every electron."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

LOW_DOSE = OracleStyle(
    name="low_dose",
    ingredients=(
        Ingredient("assembly:dimer_d2", 0.9, 175, (0.0, 0.6)),
        Ingredient("assembly:lobed_c1", 0.1, 115),
    ),
    particles_per_um2=1000,
    b_factor_A2=70,
    damage_A2_per_e=2.0,
    solvent_V=4.9,
    defocus_A=(20000, 30000),
    thickness_A=450,
    thickness_spread=0.15,
    thickness_gradient=0.2,
    thickness_roughness=0.04,
    ice_noise=2.5,
    envelope_A2=50,
    mean_free_path_A=3100,
    inelastic_kept=0.0,
    contaminants=0.06,
    contaminant_radius_A=(60, 120),
    dose_e_per_A2=4,
    detector=Detector(
        dqe0=0.92,
        mtf_half=0.45,
        mtf_power=1.5,
        nnps_half=0.35,
        nnps_floor=0.75,
        gain_residue_rms=0.005,
    ),
    diameter_A=175,
)
