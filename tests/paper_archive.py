"""Miniatures of the published data sets: the archive's folders and names, small micrographs."""

import tempfile
from pathlib import Path

import mrcfile
import numpy as np
import torch
import yaml
from toys import noise_power

from cryoccd.imaging.masked_psd import random_field
from cryoccd.io.paper_set import PaperSet, read_paper_set

CONFIGS = Path(__file__).parents[1] / "configs/paper"
NAMES = {
    "proteasome": "14sep05c_c_00004gr_00032sq_00015hl_0000{}es_c.mrc",
    "ribosome": "06{}.mrc",
    "integrin": "18jam15a_010{}_ali_DW.mrc",
    "phage_ms2": "FoilHole_19046783_Data_19045905_19045906_20140519_124{}_frames_SumCorr.mrc",
    "human_baf": "WTcomplex_GraFix_154{}_DW.mrc",
}
"""File names of each set as the archive has them, with a number left open."""

HEIGHT, WIDTH = 264, 272
SMALL = {"pixel_size_A": 2.0, "bin": 2, "field_px": 128, "test_share": 0.5}
PARTICLE = {"structure": "assembly:dimer_d2", "symmetry": "D2", "diameter_A": 160.0, "box_px": 64}
COUNTS = {"mean": 4.0, "sd": 1.0, "collapse_ratio": 0.4}
PAGE = """<html><head><title>Index of /</title></head><body><table>
<tr><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><a href="/empiar/world_availability/">Parent Directory</a></td></tr>
{}</table></body></html>"""


def small_config(name: str, folder: Path, **changes) -> Path:
    """The set's own YAML, with small images and a structure that is made here."""
    values = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    values |= SMALL
    values["particle"] |= PARTICLE | COUNTS
    for key, value in changes.items():
        values[key] = values[key] | value if isinstance(value, dict) else value
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def centres(seed: int) -> np.ndarray:
    """(4, 2) x, y in pixels of the deposited micrograph, well apart."""
    corners = np.array([[70, 66], [190, 74], [76, 190], [196, 186]], dtype=float)
    return corners + np.random.default_rng(seed).uniform(-9, 9, (4, 2))


def micrograph(seed: int) -> np.ndarray:
    """(264, 272) dark particles in coloured noise."""
    noise = random_field(noise_power((HEIGHT, WIDTH)), torch.Generator().manual_seed(seed))
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = noise.numpy().copy()
    for cx, cy in centres(seed):
        image -= 2.0 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 22.0**2))
    return (500 + 20 * image).astype(np.float32)


def mrc_bytes(values: np.ndarray, pixel_size_A: float) -> bytes:
    """An MRC file; 0 leaves the pixel size out of its header."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.mrc"
        with mrcfile.new(path) as file:
            file.set_data(values)
            file.voxel_size = pixel_size_A
            file.header.label[:] = b""  # mrcfile puts the clock time here
        return path.read_bytes()


def serve(
    server, paper: PaperSet, name: str, count=4, pixel_size_A=2.0, base="/empiar"
) -> list[str]:
    """Put a miniature on a server, with the page that lists its folder; its file names."""
    files = [NAMES[name].format(number) for number in range(1, count + 1)]
    place = f"/empiar/{paper.empiar}/data/{paper.images.folder}"
    for number, file in enumerate(files, 1):
        server.files[f"{place}/{file}"] = mrc_bytes(micrograph(number), 2.0)
    beside = ["notes.txt", "older/", "001_movie.mrcs"]
    links = (f'<tr><td><a href="{link}">{link}</a></td></tr>\n' for link in (*files, *beside))
    server.files[f"{place}/"] = PAGE.format("".join(links)).encode()
    return files


def star_picks(files: list[str], pixel_size_A: float | None = None) -> str:
    """Reference picks as a STAR file, names as CryoSPARC writes them; one of an unknown file."""
    columns = ["MicrographName", "CoordinateX", "CoordinateY", "DefocusU", "DefocusV"]
    columns += ["MicrographPixelSize"] * (pixel_size_A is not None)
    size = [] if pixel_size_A is None else [f"{pixel_size_A}"]
    lines = ["data_particles", "", "loop_"]
    lines += [f"_rln{column} #{index}" for index, column in enumerate(columns, 1)]
    for number, file in enumerate([*files, "another.mrc"], 1):
        for x, y in centres(number):
            uid = f"00000123456789012345{number}"
            row = [f"J1/imported/{uid}_{file}", f"{x:.2f}", f"{y:.2f}", "14000.0", "16000.0", *size]
            lines.append(" ".join(row))
    return "\n".join([*lines, ""])


def small_set(name: str, folder: Path, **changes) -> PaperSet:
    """The set of `small_config`."""
    return read_paper_set(small_config(name, folder, **changes))
