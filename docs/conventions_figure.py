"""Draws conventions.png: positions in a view, heights in the ice, the sign of the CTF.

Run `python docs/conventions_figure.py`; another path may be given.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.projection import Projector
from cryoccd.records import Optics, Volume

BOX_PX, VOXEL_A = 64, 2.0
POINTS_A = ((24.0, -10.0, 6.0), (0.0, 30.0, -20.0), (-20.0, 0.0, 30.0))
ANGLES_DEG = (30.0, 40.0, 50.0)
BLUE, RED, GREY = "#1f6fb4", "#c8372d", "#666666"


def main(path: Path) -> None:
    """Write the picture."""
    mpl.rcParams["font.size"] = 8
    figure = Figure(figsize=(8.4, 2.9), dpi=110, layout="constrained")
    view, height, transfer = figure.subplots(1, 3)
    _view(view)
    _height(height)
    _transfer(transfer)
    figure.savefig(path)


def _view(axes: Axes) -> None:
    """Three spots of a map in one view, with circles where the matrix puts them."""
    axis = (torch.arange(BOX_PX) - BOX_PX // 2) * VOXEL_A
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    values = torch.zeros(BOX_PX, BOX_PX, BOX_PX)
    for weight, (px, py, pz) in zip((1.0, 0.7, 0.4), POINTS_A, strict=True):
        radius2 = (x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2
        values += weight * torch.exp(-radius2 / (2 * 5.0**2))
    angles_deg = torch.tensor([ANGLES_DEG])
    image = -Projector(Volume(values, VOXEL_A)).project(angles_deg)[0].numpy()  # dark on light
    axes.imshow(image, cmap="gray", origin="upper")
    seen_A = torch.tensor(POINTS_A) @ euler_to_matrix(angles_deg)[0].T
    at_px = (BOX_PX // 2 + seen_A[:, :2] / VOXEL_A).numpy()
    axes.plot(at_px[:, 0], at_px[:, 1], "o", ms=15, mfc="none", mec=RED)
    for name, (column, row) in zip("abc", at_px.tolist(), strict=True):
        axes.text(column + 5, row, name, color=RED, va="center")
    for name, end in (("x", (22, 0)), ("y", (0, 22))):
        axes.annotate("", end, (0, 0), arrowprops={"color": BLUE, "width": 1, "headwidth": 6})
        axes.text(end[0] + 2, end[1] + 3, name, color=BLUE)
    axes.text(2.5, 6, "[0, 0]", color=BLUE)
    axes.set(xlim=(-2, BOX_PX - 0.5), ylim=(BOX_PX - 0.5, -2))
    axes.set(title="view (30°, 40°, 50°); circles: (A c)xy", xlabel="column", ylabel="row")


def _height(axes: Axes) -> None:
    """Two heights in the ice and their defocus."""
    axes.axhspan(-230, 230, color="#dbe9f4")
    axes.axhline(0, color=GREY, lw=0.8, ls="--")
    axes.text(0.97, 12, "z = 0: 15000 Å", ha="right", color=GREY)
    for column, z_A in ((0.42, -120), (0.68, 120)):
        axes.plot(column, z_A, "o", ms=11, color="#333333")
        text = f"z = {z_A:+d} Å\ndefocus {15000 - z_A} Å"
        axes.text(column, z_A + (-38 if z_A < 0 else 42), text, ha="center", va="center")
        axes.texts[-1].set_verticalalignment("top" if z_A < 0 else "bottom")
    axes.annotate(
        "", (0.12, -290), (0.12, 290), arrowprops={"color": BLUE, "width": 1, "headwidth": 6}
    )
    axes.text(0.15, 262, "beam", color=BLUE)
    axes.set(xlim=(0, 1), ylim=(-310, 310), xticks=[], ylabel="z (Å)")
    axes.set_title("height in the ice")


def _transfer(axes: Axes) -> None:
    """The CTF starts at plus the amplitude contrast and rises under focus."""
    optics = Optics(300, 2.7, 0.1, VOXEL_A, 15000, 15000)
    side = 1024
    curve = ctf(optics, (side, side))[0].numpy()
    frequency_per_A = np.arange(len(curve)) / (side * VOXEL_A)
    keep = frequency_per_A <= 0.1
    axes.axhline(0, color=GREY, lw=0.8)
    axes.plot(frequency_per_A[keep], curve[keep], color="#333333", lw=1.2)
    axes.plot(0, curve[0], "o", color=RED, clip_on=False)
    axes.text(0.003, -0.2, "+0.1 at k = 0", color=RED)
    axes.set(xlim=(0, 0.1), ylim=(-1.1, 1.1), xlabel="k (1/Å)", ylabel="CTF")
    axes.set_title("CTF, 15000 Å under focus")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("conventions.png"))
