"""The hidden parameters of the oracle: imaginary acquisitions that no method may look into.

They differ in sample and density, ice, dose, defocus, optics, camera and contamination. Methods see
their micrographs, picks and nominal optics alone; the import contract of the project forbids them
this package.
"""

from cryoccd.simulate.oracle_styles.carbon_edge import CARBON_EDGE
from cryoccd.simulate.oracle_styles.contaminated import CONTAMINATED
from cryoccd.simulate.oracle_styles.crowded import CROWDED
from cryoccd.simulate.oracle_styles.low_dose import LOW_DOSE
from cryoccd.simulate.oracle_styles.phase_plate import PHASE_PLATE
from cryoccd.simulate.oracle_styles.small_particle import SMALL_PARTICLE
from cryoccd.simulate.oracle_styles.style import Ingredient, OracleStyle
from cryoccd.simulate.oracle_styles.thick_ice import THICK_ICE
from cryoccd.simulate.oracle_styles.thin_ice import THIN_ICE

STYLES: dict[str, OracleStyle] = {
    style.name: style
    for style in (
        THIN_ICE,
        THICK_ICE,
        LOW_DOSE,
        PHASE_PLATE,
        CROWDED,
        CONTAMINATED,
        SMALL_PARTICLE,
        CARBON_EDGE,
    )
}
"""The acquisitions by name."""

__all__ = ["STYLES", "Ingredient", "OracleStyle"]
