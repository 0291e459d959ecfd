"""A screening microscope of 200 kV: wet grids, crystals everywhere, an integrating camera."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

CONTAMINATED = OracleStyle(
    name="contaminated",
    ingredients=(
        Ingredient("assembly:barrel_d7", 0.8, 180, (0.0, 0.6)),
        Ingredient("assembly:lobed_c1", 0.2, 115, (0.0, 1.0)),
    ),
    particles_per_um2=600,
    b_factor_A2=150,
    damage_A2_per_e=3.0,
    solvent_V=4.9,
    defocus_A=(25000, 38000),
    thickness_A=600,
    thickness_spread=0.3,
    thickness_gradient=0.4,
    thickness_roughness=0.1,
    ice_noise=3.0,
    envelope_A2=200,
    mean_free_path_A=2200,
    inelastic_kept=0.7,
    contaminants=2.5,
    contaminant_radius_A=(60, 180),
    dose_e_per_A2=25,
    detector=Detector(
        dqe0=0.35,
        mtf_half=0.12,
        mtf_power=1.1,
        nnps_half=0.1,
        nnps_floor=0.05,
        gain_residue_rms=0.03,
    ),
    diameter_A=180,
    voltage_kV=200,
    pixel_size_A=5.0,
)
