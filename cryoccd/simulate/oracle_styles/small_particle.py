"""A protein of 58 kDa in ice much thicker than it: little contrast, many false friends."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

SMALL_PARTICLE = OracleStyle(
    name="small_particle",
    ingredients=(Ingredient("assembly:globin_c2", 1.0, 80, (0.0, 1.0)),),
    particles_per_um2=2500,
    b_factor_A2=80,
    damage_A2_per_e=2.0,
    solvent_V=4.9,
    defocus_A=(15000, 25000),
    thickness_A=350,
    thickness_spread=0.25,
    thickness_gradient=0.3,
    thickness_roughness=0.06,
    ice_noise=2.5,
    envelope_A2=40,
    mean_free_path_A=3100,
    inelastic_kept=0.0,
    contaminants=0.3,
    contaminant_radius_A=(30, 80),
    dose_e_per_A2=40,
    detector=Detector(
        dqe0=0.88,
        mtf_half=0.4,
        mtf_power=1.5,
        nnps_half=0.35,
        nnps_floor=0.6,
        gain_residue_rms=0.008,
    ),
    diameter_A=80,
    pixel_size_A=3.0,
)
