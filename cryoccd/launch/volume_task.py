"""What generated boxes are judged by: held-out boxes, and a classifier of those trained on."""

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.downstream.volumes import VolumeClassifier, fit_classifier
from cryoccd.downstream.volumes.sets import real_boxes
from cryoccd.errors import UnfitError
from cryoccd.launch.volume_levels import level_errors
from cryoccd.launch.volume_settings import VolumeSettings
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume import BoxSet, halves, phase_randomised, volume_figures
from cryoccd.metrics.volume.columns import LEVELS_DB
from cryoccd.metrics.volume.groups import over_generated
from cryoccd.metrics.volume.pose_error import FIGURES as POSE_ERRORS
from cryoccd.metrics.volume.pose_error import BoxPoses, pose_errors
from cryoccd.records import Volume


@dataclass(frozen=True)
class VolumeTask:
    """One set of tomograms.

    Args:
        data: opened; its held-out part is what is compared with.
        settings: how.
        classifier_path: file of the classifier; it is trained anew.
        seed: of the classifier and of every choice of boxes.
        device: where to compute.
    """

    data: SubtomogramDataModule
    settings: VolumeSettings
    classifier_path: Path
    seed: int = 0
    device: str = "cpu"

    @cached_property
    def real(self) -> tuple[BoxSet, BoxPoses | None]:
        """Held-out boxes, and their poses where these are known."""
        return real_boxes(self.data, "held")

    @cached_property
    def training(self) -> BoxSet:
        """Boxes that models are fitted to."""
        return real_boxes(self.data, "train")[0]

    @cached_property
    def classifier(self) -> VolumeClassifier:
        """Trained on the boxes that models are fitted to."""
        accelerator = "gpu" if self.device.startswith("cuda") else "cpu"
        known = (self.training, self.classifier_path, self.seed, self.real[0])
        return fit_classifier(self.settings.classifier, *known, accelerator=accelerator)

    def train(self) -> None:
        """Train the classifier, whose bar is better shown before anything else is."""
        _ = self.classifier

    @cached_property
    def maps(self) -> dict[str, Volume] | None:
        """Of each class, the first of its conformations; None where there are none."""
        source, table = self.data.opened.source, self.data.opened.table
        if not source.maps and self.settings.maps is None:
            return None
        pairs = sorted(set(zip(table.label.tolist(), table.map_keys, strict=True)), reverse=True)
        first = {table.classes[label]: key for label, key in pairs}
        found = read_maps(source, list(first.values()), self.settings.maps)
        return {name: found[key] for name, key in first.items()}

    def protocol(self) -> dict[str, Any]:
        """What the figures depend on, equal for all rows."""
        settings, real = self.settings, self.real[0]
        return {
            "held_out": self.data.opened.split.name,
            "boxes_to_train_on": len(self.training),
            "boxes_held_out": len(real),
            "box_voxels": real.box_px,
            "voxel_size_A": round(real.voxel_size_A, 4),
            "samples_of_a_class": settings.samples,
            "tilt_limit_deg": settings.tilt_limit_deg,
            "dark": settings.dark,
            "symmetry": dict(settings.symmetry),
            "classifier": asdict(settings.classifier),
        }

    def figures(
        self, boxes: BoxSet, poses: BoxPoses | None = None, real: BoxSet | None = None
    ) -> dict[str, Metric]:
        """Every figure of boxes but for those of levels.

        Args:
            boxes: that are judged.
            poses: that they were drawn for; None where none were told.
            real: what they are compared with; None for all held-out boxes.
        """
        settings = self.settings
        real = self.real[0] if real is None else real
        found = volume_figures(
            real,
            boxes,
            self.classifier.read(real),
            self.classifier.read(boxes),
            self.training,
            self.maps,
            settings.tilt_limit_deg,
            settings.dark,
            self.seed,
        )
        return found | self._pose_errors(boxes, poses)

    def floor(self) -> dict[str, Metric]:
        """Half of the held-out boxes beside the other, poses of as many as a model's.

        Raises:
            UnfitError: they are all of one tomogram.
        """
        real, poses = self.real
        if len(set(real.groups.tolist())) < 2:
            raise UnfitError("one tomogram is held out; hold out two or more to part them")
        one, two = (half.take(self._first(half)) for half in halves(real))
        rows = self._first(real)
        told = None if poses is None else poses.take(rows)
        found = self.figures(two, None, one) | self._pose_errors(real.take(rows), told)
        return found | self.levels(None)

    def ceiling(self) -> dict[str, Metric]:
        """Noise of the spectrum of held-out boxes, called as these are."""
        real, poses = self.real
        rows = self._first(real)
        told = None if poses is None else poses.take(rows)
        noise = phase_randomised(real.take(rows), self.seed)
        return self.figures(noise, told) | self.levels(None)

    def levels(
        self, model: VolumeGenerator | None, data: SubtomogramDataModule | None = None
    ) -> dict[str, Metric]:
        """How well a model sees held-out boxes through noise; undefined where it does not denoise.

        Args:
            model: on its device.
            data: the same with densities, for a model that takes them.
        """
        rows = self._first(self.real[0])
        boxes, real = (data or self.data).boxes("held"), self.real[0].take(rows)
        levels_dB, errors = list(LEVELS_DB.values()), None
        if model is not None:
            errors = level_errors(model, boxes, rows.tolist(), levels_dB, self.seed)
        if errors is None:
            return dict.fromkeys(LEVELS_DB, _undefined("no diffusion", len(real)))

        def mean(error: torch.Tensor) -> Metric:
            return over_generated(lambda kept: float(error[kept].mean()), real)

        return dict(zip(LEVELS_DB, map(mean, errors.unbind(1)), strict=True))

    def _pose_errors(self, boxes: BoxSet, poses: BoxPoses | None) -> dict[str, Metric]:
        """Undefined where no pose or no map is known."""
        if poses is None or self.maps is None:
            what = "no pose was told" if poses is None else "no maps"
            return dict.fromkeys(
                (figure.name for figure in POSE_ERRORS), _undefined(what, len(boxes))
            )
        settings = self.settings
        known = (self.maps, settings.symmetry, settings.tilt_limit_deg, settings.dark)
        return pose_errors(boxes, poses, *known)

    def _first(self, boxes: BoxSet) -> torch.Tensor:
        """As many of each class as a model has, spread over the tomograms."""
        rows = []
        for label in boxes.occurring:
            own = (boxes.labels == label).nonzero().flatten()
            count = min(len(own), self.settings.samples)
            rows.append(own[torch.linspace(0, len(own) - 1, count).round().long()])
        return torch.cat(rows)


def _undefined(why: str, n: int) -> Metric:
    return Metric(None, None, None, n, "none", f"undefined: {why}")
