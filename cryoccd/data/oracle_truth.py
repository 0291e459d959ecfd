"""The hidden truth of an oracle set as labels, for evaluations alone: RELION would write the same.

OUTPUT.star     the particles of the main species of one split
OUTPUT/         the dataset folder that `cryoccd import` makes of them and the micrographs
"""

from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_parquet
from cryoccd.io.folder import open_folder
from cryoccd.io.imports import ImportSettings, import_picks
from cryoccd.io.star_write import write_star

_ANGLES = {"rlnAngleRot": "rot_deg", "rlnAngleTilt": "tilt_deg", "rlnAnglePsi": "psi_deg"}
_COLUMNS = ("micrograph", "species", "x_A", "y_A", *_ANGLES.values(), "defocus_u_A")


def import_truth(real: Path, output: Path, species: str | None = None, split: str = "test") -> None:
    """Write a dataset folder of a split's micrographs with true centres, angles and defocus.

    Args:
        real: folder of `write_oracle`.
        output: the dataset folder; left alone where it is finished.
        species: of the particles; None for all.
        split: train or test; micrographs of the other have no particles.

    Raises:
        CryoccdError: the folder has no hidden truth, or no such particle.
    """
    table = real / "truth.parquet"
    if not table.is_file():
        raise CryoccdError(f"{real}: no truth.parquet, so no known poses; only oracle sets have it")
    folder = open_folder(real)
    truth = read_parquet(table, _COLUMNS)
    truth = truth[truth["micrograph"].isin(folder.names(split))]
    if species is not None:
        truth = truth[truth["species"] == species]
    if truth.empty:
        raise CryoccdError(f"{table}: no particle of {species} in the split {split}")
    star = output.with_suffix(".star")
    write_truth(star, truth, folder.pixel_size_A, folder.known_optics)
    import_picks(real, star, output, ImportSettings(), resume=True)


def write_truth(
    path: Path, truth: pd.DataFrame, pixel_size_A: float, optics: dict[str, float]
) -> None:
    """Write hidden truth as a particle STAR file of RELION 3.1.

    Args:
        path: the file.
        truth: micrograph, x_A, y_A, the three angles and defocus_u_A of each particle.
        pixel_size_A: of the micrographs.
        optics: voltage_kV, cs_mm and amplitude_contrast.
    """
    columns = {
        "rlnCoordinateX": truth["x_A"] / pixel_size_A,
        "rlnCoordinateY": truth["y_A"] / pixel_size_A,
        **{name: truth[key] for name, key in _ANGLES.items()},
        "rlnDefocusU": truth["defocus_u_A"],
        "rlnDefocusV": truth["defocus_u_A"],
        "rlnDefocusAngle": 0.0 * truth["x_A"],
    }
    lens = (optics["voltage_kV"], optics["cs_mm"], optics["amplitude_contrast"], pixel_size_A)
    with write_star(path, "truth of the oracle") as star:
        star.loop(
            "optics",
            [
                *("rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage"),
                *("rlnSphericalAberration", "rlnAmplitudeContrast", "rlnMicrographPixelSize"),
            ],
        )
        star.rows([(1, "opticsGroup1", *lens)])
        star.loop("particles", ["rlnMicrographName", "rlnOpticsGroup", *columns])
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        names = truth["micrograph"].tolist()
        star.rows((f"{name}.mrc", 1, *row) for name, row in zip(names, values, strict=True))
