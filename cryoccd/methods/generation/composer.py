"""One tomogram of generated boxes in a generated background."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from cryoccd.imaging.volume_psd import random_volume
from cryoccd.io.dataset import TomogramItem
from cryoccd.io.dataset.box_item import UNKNOWN
from cryoccd.io.tomograms import ANGLES, POSITION
from cryoccd.io.tomograms.voxels import Triple
from cryoccd.methods.generation.blend import Blend, shares
from cryoccd.methods.generation.drawn import Wanted, drawn
from cryoccd.methods.generation.places import Place
from cryoccd.methods.generation.placing import Placed
from cryoccd.methods.generation.posed import Posed, Posing
from cryoccd.methods.generation.surroundings import Surroundings
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class Composer:
    """Composes tomograms.

    Args:
        model: fitted, on the device.
        surroundings: of the tomograms that it was fitted to.
        radii_px: radius of a particle of each label.
        margin_px: about a particle that is as in its box.
        rim_px: over which a box goes over into the background.
        posing: gives poses of which the model is told; None leaves them to chance.
        batch_size: boxes at once.
        device: where the model is.
    """

    model: VolumeGenerator
    surroundings: Surroundings
    radii_px: Mapping[int, float]
    margin_px: float
    rim_px: float
    posing: Posing | None = None
    batch_size: int = 8
    device: str = "cpu"

    def compose(self, name: str, placed: Placed, shape: Triple, seed: int) -> TomogramItem:
        """A tomogram in the units of the measured ones.

        A particle's box hangs on the seed, the name of the tomogram, its class and its place; the
        order of the particles changes what they are called and nothing else.

        Args:
            name: of the tomogram.
            placed: its particles.
            shape: voxels along z, y, x.
            seed: of the set.

        Raises:
            CryoccdError: the model fails.
        """
        order = np.lexsort((*placed.xyz_px.T, placed.labels))
        labels, xyz_px = placed.labels[order], placed.xyz_px[order]
        made_from = item_seed(seed, "compose", name)
        posed = None
        if self.posing is not None:
            rng = np.random.default_rng(item_seed(made_from, "poses"))
            posed = self.posing.pose(labels, xyz_px, shape, rng)
        draw = torch.Generator().manual_seed(item_seed(made_from, "background"))
        blend = Blend(random_volume(self.surroundings.autocorrelation, shape, draw))
        side = int(self.model.box_voxels)
        windows = {
            label: shares(side, radius_px, self.margin_px, self.rim_px)
            for label, radius_px in self.radii_px.items()
        }
        centres = np.floor(xyz_px + 0.5).astype(np.int64)
        for first in range(0, len(labels), self.batch_size):
            rows = range(first, min(first + self.batch_size, len(labels)))
            wanted = [
                self._wanted(made_from, int(labels[row]), xyz_px[row], centres[row], shape, posed)
                for row in rows
            ]
            boxes = drawn(self.model, wanted, self.device)
            for row, each, box in zip(rows, wanted, boxes, strict=True):
                scale = self.surroundings.scales[each.label]
                scaled = torch.from_numpy(box) * scale.deviation + scale.mean
                blend.add(scaled, windows[each.label], centres[row])
        volume = blend.volume() * self.surroundings.deviation + self.surroundings.mean
        voxel_size_A = float(self.model.voxel_size_A)
        truth = self._truth(labels, xyz_px, shape, posed, voxel_size_A)
        return TomogramItem(name, made_from, volume.numpy(), voxel_size_A, truth)

    def _wanted(
        self,
        seed: int,
        label: int,
        xyz_px: NDArray[np.float64],
        centre_px: NDArray[np.int64],
        shape: Triple,
        posed: Posed | None,
    ) -> Wanted:
        x, y, z = map(float, (xyz_px + 0.5) / np.array(shape[::-1]))
        density = None if posed is None else posed.box(centre_px, int(self.model.box_voxels))
        label_name = self.model.classes[label]
        where = ", ".join(f"{value:.2f}" for value in xyz_px)
        number = item_seed(seed, "box", label_name, where)
        return Wanted(f"{label_name} at {where}", label, number, Place((x, y, z), density))

    def _truth(
        self,
        labels: NDArray[np.int64],
        xyz_px: NDArray[np.float64],
        shape: Triple,
        posed: Posed | None,
        voxel_size_A: float,
    ) -> pd.DataFrame:
        """Rows of the particles; z_A counts from slice d // 2."""
        species = [self.model.classes[label] for label in labels]
        xyz_A = (xyz_px - np.array([0, 0, shape[0] // 2])) * voxel_size_A
        angles_deg = np.tile(UNKNOWN, (len(labels), 1)) if posed is None else posed.angles_deg
        rows = pd.DataFrame(np.hstack([xyz_A, angles_deg]), columns=[*POSITION, *ANGLES])
        conformations = [0] * len(labels)
        if posed is not None:
            # a map is called SPECIES, or SPECIES-CONFORMATION
            ends = [key[len(name) + 1 :] for key, name in zip(posed.keys, species, strict=True)]
            conformations = [int(end or 0) for end in ends]
        ids = range(1, len(labels) + 1)
        return rows.assign(instance_id=ids, species=species, conformation=conformations)
