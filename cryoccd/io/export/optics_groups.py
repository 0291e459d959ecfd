"""Optics groups of RELION 3.1: what micrographs of one microscope setting have in common."""

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.star_write import Cell, StarFile

_SHARED = {
    "rlnVoltage": "voltage_kV",
    "rlnSphericalAberration": "cs_mm",
    "rlnAmplitudeContrast": "amplitude_contrast",
    "rlnBeamTiltX": "beam_tilt_x_mrad",
    "rlnBeamTiltY": "beam_tilt_y_mrad",
}


class OpticsGroups:
    """The groups of a set.

    Args:
        micrographs: its table of micrographs.

    Raises:
        CryoccdError: a setting that no group can do without is unknown.
    """

    def __init__(self, micrographs: pd.DataFrame) -> None:
        columns = [*_SHARED.values(), "pixel_size_A"]
        for column in columns:
            unknown = micrographs[column].isna()
            if unknown.any():
                name = micrographs.loc[unknown, "micrograph"].iloc[0]
                raise CryoccdError(
                    f"{name}: {column} is unknown, but RELION's optics need it; import the "
                    "micrographs with an optics.yaml"
                )
        self._settings = micrographs[columns].drop_duplicates().reset_index(drop=True)
        keys = [tuple(row) for row in self._settings.itertuples(index=False)]
        self._number = {key: number for number, key in enumerate(keys, 1)}
        self._columns = columns

    def number(self, settings: dict[str, float]) -> int:
        """Number of the group, from 1, of a micrograph with these settings."""
        return self._number[tuple(settings[column] for column in self._columns)]

    def write(self, star: StarFile, box_px: int | None = None) -> None:
        """Write data_optics, with size and pixel size of the images where there are some."""
        images = ("rlnImagePixelSize", "rlnImageSize", "rlnImageDimensionality") if box_px else ()
        star.loop(
            "optics",
            [
                "rlnOpticsGroup",
                "rlnOpticsGroupName",
                *_SHARED,
                "rlnMicrographPixelSize",
                "rlnMicrographOriginalPixelSize",
                *images,
            ],
        )
        rows: list[list[Cell]] = []
        for key, number in self._number.items():
            pixel_size_A = float(key[-1])
            image: list[Cell] = [pixel_size_A, box_px, 2] if box_px else []
            shared = [float(value) for value in key[:-1]]
            group = f"opticsGroup{number}"
            rows.append([number, group, *shared, pixel_size_A, pixel_size_A, *image])
        star.rows(rows)
