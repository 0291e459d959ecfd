"""Particles of one map: what stands in the tomograms where a reading puts them, and what should."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.io.dataset import TomogramSet
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.records import Optics, Volume
from cryoccd.verify.readings import TURNS, Reading
from cryoccd.verify.tomograms.cubes import filtered, mirrored
from cryoccd.verify.tomograms.readings import MAP_MIRRORED, TOMOGRAM_MIRRORED, placed
from cryoccd.verify.tomograms.subtomograms import Frame, Points, cut_cubes
from cryoccd.verify.tomograms.tables import ANGLES, POSITION
from cryoccd.verify.tomograms.wedge import tomogram_transfer

_OPTICS = ("voltage_kV", "cs_mm", "amplitude_contrast", "pixel_size_A", "phase_shift_deg")


@dataclass(frozen=True)
class TomogramParticles:
    """Particles of one map.

    Args:
        tomograms: the set.
        tilts: its table of tilts.
        rows: truth of the particles, those of a tomogram next to one another (see `first`).
        volume: their map.
    """

    tomograms: TomogramSet
    tilts: pd.DataFrame
    rows: pd.DataFrame
    volume: Volume

    def first(self, count: int, seed: int = 0) -> "TomogramParticles":
        """A random part of so many."""
        rows = self.rows
        if len(rows) > count:
            chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
            rows = rows.iloc[np.sort(chosen)]
        return replace(self, rows=rows.sort_values("tomogram", kind="stable"))

    @cached_property
    def frame(self) -> Frame:
        """Their cube."""
        return Frame.around(self.volume, self.tomograms.voxel_size_A)

    def cubes(self, reading: Reading | None) -> tuple[Tensor, Tensor]:
        """(n, m, m, m) what stands in the tomograms, and (n,) whether it lies inside.

        Args:
            reading: placing and hand; without one, cubes from anywhere in the same tomograms.
        """
        generator = np.random.default_rng(0)
        parts, whole = [], []
        for name, rows in self._by_tomogram():
            tomogram = self.tomograms.volume(name)
            points_px = _points_px(rows, tomogram.shape, self.tomograms.voxel_size_A)
            if reading is None:
                size = np.array(tomogram.shape[::-1])
                margin_px = np.minimum(self.frame.radius_px + 1, (size - 1) / 2)
                points_px = generator.uniform(margin_px, size - 1 - margin_px, points_px.shape)
            else:
                points_px = placed(points_px, tomogram.shape, reading)
            cubes, inside = cut_cubes(tomogram, points_px, self.frame)
            parts.append(cubes)
            whole.append(torch.from_numpy(inside))
        cubes = filtered(torch.cat(parts), self._transfers[0] * self.frame.band())
        if reading is not None and reading.hand == TOMOGRAM_MIRRORED:
            cubes = mirrored(cubes, axis=1)
        return cubes, torch.cat(whole)

    def views(self, reading: Reading) -> Tensor:
        """(n, m, m, m) what should stand there by the turn and hand of a reading, masked."""
        fine = self._fine
        if reading.hand == MAP_MIRRORED:
            fine = Volume(mirrored(fine.values, axis=2), fine.voxel_size_A)
        eulers_deg = torch.from_numpy(self.rows[ANGLES].to_numpy(np.float64, copy=True))
        turned = self.frame.turned(fine, TURNS[reading.turn](eulers_deg))
        return filtered(turned, self._transfers[1] * self.frame.band()) * self.frame.mask()

    @cached_property
    def _fine(self) -> Volume:
        return self.frame.fine(self.volume)

    @cached_property
    def _transfers(self) -> tuple[Tensor, Tensor]:
        """What is covered, and the transfer: (n, m, m, m // 2 + 1) each."""
        covered, transfers = [], []
        for name, rows in self._by_tomogram():
            table = self.tomograms.tomograms
            row = table[table["tomogram"] == name].iloc[0].to_dict()
            settings = {key: float(row[key]) for key in _OPTICS}
            height, width = read_mrc_shape(self.tomograms.root / "tilts" / f"{name}.mrcs")[-2:]
            seen, transfer = tomogram_transfer(
                self.frame.frequencies(),
                self.tilts[self.tilts["tomogram"] == name],
                Optics(**settings, defocus_u_A=0.0, defocus_v_A=0.0),
                torch.from_numpy(rows[POSITION].to_numpy(np.float64, copy=True)),
                (height, width),
            )
            covered.append(seen.float().expand(transfer.shape))
            transfers.append(transfer.float())
        return torch.cat(covered), torch.cat(transfers)

    def _by_tomogram(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for name, rows in self.rows.groupby("tomogram", sort=False):
            yield str(name), rows


def _points_px(rows: pd.DataFrame, shape: tuple[int, ...], voxel_size_A: float) -> Points:
    """(n, 3) x, y, z in voxels from the centre of voxel [0, 0, 0] of a tomogram (d, h, w)."""
    points_px = rows[POSITION].to_numpy(np.float64) / voxel_size_A
    return np.asarray(points_px + np.array([0, 0, shape[0] // 2]))
