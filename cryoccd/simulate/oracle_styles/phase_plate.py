"""Small particles near focus behind a phase plate, which shows them at low frequency."""

from cryoccd.imaging.detector import Detector
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle

PHASE_PLATE = OracleStyle(
    name="phase_plate",
    ingredients=(Ingredient("assembly:lobed_c1", 1.0, 115, (0.0, 0.5, 1.0)),),
    particles_per_um2=1700,
    b_factor_A2=80,
    damage_A2_per_e=2.0,
    solvent_V=4.9,
    defocus_A=(7000, 12000),
    thickness_A=300,
    thickness_spread=0.12,
    thickness_gradient=0.1,
    thickness_roughness=0.03,
    ice_noise=2.5,
    envelope_A2=70,
    mean_free_path_A=3100,
    inelastic_kept=0.0,
    contaminants=0.04,
    contaminant_radius_A=(50, 100),
    dose_e_per_A2=10,
    detector=Detector(
        dqe0=0.8,
        mtf_half=0.2,
        mtf_power=1.4,
        nnps_half=0.16,
        nnps_floor=0.15,
        gain_residue_rms=0.01,
    ),
    diameter_A=115,
    phase_shift_deg=70,
)
