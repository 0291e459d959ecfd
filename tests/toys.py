"""Small folders with a known truth: blobs as particles in noise of a known spectrum."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.masked_psd import random_field
from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.mrc import write_mrc
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics

SIDE = 128
DIAMETER_PX = 16.0
PIXEL_SIZE_A = 4.0
CONTRAST = 0.05
OPTICS = Optics(300, 2.7, 0.1, PIXEL_SIZE_A, 15000, 15000)


def noise_power(shape=(SIDE, SIDE)):
    """Power per pixel of the toy's real noise, of variance near 1."""
    return 0.5 + 4 * torch.exp(-((radial_frequency(shape).double() / 0.1) ** 2) / 2)


def draw_centres(seed, n=9):
    rng = np.random.default_rng(seed)
    centres = []
    while len(centres) < n:
        point = rng.uniform(4, SIDE - 4, 2)
        if all(np.hypot(*(point - other)) > 1.3 * DIAMETER_PX for other in centres):
            centres.append(point)
    return np.array(centres).reshape(-1, 2)


def blobs(centres):
    """Dark blobs (negative contrast)."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    image = torch.zeros(SIDE, SIDE)
    for cx, cy in centres:
        image -= CONTRAST * torch.exp(
            -((x - cx) ** 2 + (y - cy) ** 2) / (2 * (DIAMETER_PX / 4) ** 2)
        )
    return image


def exposure(seed, n=9, pixel=PIXEL_SIZE_A):
    centres = draw_centres(seed, n) if n else np.zeros((0, 2))
    rows = pd.DataFrame(0.0, index=range(len(centres)), columns=list(PARTICLE_COLUMNS))
    rows["instance_id"] = range(1, len(centres) + 1)
    rows["species"] = "blob"
    rows["conformation"] = 0
    rows["on_edge"] = False
    rows["x_A"], rows["y_A"] = (centres * pixel).T
    instances = torch.zeros(SIDE, SIDE, dtype=torch.int32)
    for i, centre in enumerate(centres, 1):
        mask = disc_mask((SIDE, SIDE), torch.from_numpy(centre)[None], DIAMETER_PX / 2)
        instances[mask] = i
    ramp = torch.linspace(300, 500, SIDE // 8).repeat(SIDE // 8, 1)
    optics = replace(OPTICS, pixel_size_A=pixel)
    return Exposure(1 + blobs(centres), instances, ramp, rows, optics)


def write_simulated(root: Path, count=8, seed=1000, empty=(), pixel=PIXEL_SIZE_A, n=9):
    writer = DatasetWriter(root, {"toy": seed})
    names = [f"sim_{i:03d}" for i in range(count)]
    for i, name in enumerate(names):
        writer.write(Item(name, exposure(seed + i, 0 if i in empty else n, pixel), seed + i))
    writer.finish(names)
    return root


def write_real(root: Path, gain=60.0, n_train=8, n_test=8, seed=0, picks=True, pixel=PIXEL_SIZE_A):
    """Real side: gain * blobs + coloured noise on an arbitrary scale."""
    split = ["micrograph,split"]
    for i in range(n_train + n_test):
        name = f"real_{i:03d}"
        centres = draw_centres(seed + i)
        generator = torch.Generator().manual_seed(seed + i)
        image = gain * blobs(centres) + random_field(noise_power(), generator)
        write_mrc(root / "micrographs" / f"{name}.mrc", (1000 + 37 * image).numpy(), pixel, "toy")
        if picks:
            lines = ["x_px,y_px", *(f"{x:.2f},{y:.2f}" for x, y in centres)]
            (root / "picks").mkdir(exist_ok=True)
            (root / "picks" / f"{name}.csv").write_text("\n".join(lines) + "\n")
        split.append(f"{name},{'train' if i < n_train else 'test'}")
    (root / "split.csv").write_text("\n".join(split) + "\n")
    optics = {
        "voltage_kV": 300,
        "cs_mm": 2.7,
        "amplitude_contrast": 0.1,
        "pixel_size_A": pixel,
        "defocus_A": [12000, 18000],
        "particle_diameter_A": DIAMETER_PX * pixel,
    }
    (root / "optics.yaml").write_text(yaml.safe_dump(optics))
    return root
