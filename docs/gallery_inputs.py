"""Makes the small inputs of configs/simulate/gallery: picks, views and a segmented volume.

Run `python docs/gallery_inputs.py`. All of them are synthetic.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import starfile

from cryoccd.io.mrc import write_mrc

FOLDER = Path(__file__).parents[1] / "configs/simulate/gallery"


def main() -> None:
    """Write the three files."""
    generator = np.random.default_rng(0)
    starfile.write(picks(generator), FOLDER / "picks.star", overwrite=True)
    starfile.write(views(generator), FOLDER / "views.star", overwrite=True)
    label = "SYNTHETIC segmentation: 0 outside, 1 wall, 2 lumen"
    write_mrc(FOLDER / "cell.mrc", cell().astype(np.int8), 40.0, label)


def picks(generator: np.random.Generator) -> pd.DataFrame:
    """A ring and a band of picks on micrographs of 320 x 320 px."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = 160 + 110 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    band = np.stack([np.linspace(30, 290, 7), np.full(7, 160.0)], axis=1)
    tables = [
        pd.DataFrame(points + generator.normal(0, 3, points.shape), columns=["x", "y"]).assign(
            rlnMicrographName=f"{name}.mrc"
        )
        for name, points in (("ring", ring), ("band", band))
    ]
    return pd.concat(tables).rename(columns={"x": "rlnCoordinateX", "y": "rlnCoordinateY"})


def views(generator: np.random.Generator) -> pd.DataFrame:
    """Angles of an imaginary refinement: side views, the rest spread."""
    tilt = np.concatenate([generator.normal(90, 8, 150), generator.uniform(0, 180, 50)])
    rot, psi = generator.uniform(-180, 180, (2, len(tilt)))
    return pd.DataFrame({"rlnAngleRot": rot, "rlnAngleTilt": tilt, "rlnAnglePsi": psi}).round(2)


def cell() -> np.ndarray:
    """(20, 40, 40) labels of an ellipsoid with a wall, voxels of 40 A."""
    z, y, x = np.ogrid[-9.5:10, -19.5:20, -19.5:20]
    radius = np.sqrt((x / 16) ** 2 + (y / 12) ** 2 + (z / 8) ** 2)
    return np.select([radius < 0.85, radius < 1.0], [2, 1], 0)


if __name__ == "__main__":
    main()
