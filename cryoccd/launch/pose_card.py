"""Pose estimators trained on labelled particles, judged on images of known poses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from cryoccd.downstream.pose.boxes import read_particles
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.images import ParticleImages
from cryoccd.downstream.pose.reconstruct import first_half, reconstruct
from cryoccd.downstream.pose.train import fit_pose
from cryoccd.metrics.pose.poses import Poses, random_rotations
from cryoccd.metrics.pose.report import PoseErrors, pose_errors
from cryoccd.metrics.pose.resolution import Resolution, resolution, sphere_mask
from cryoccd.records import Volume
from cryoccd.report.pose_card import PoseCard, PoseRow
from cryoccd.specimen.species import diameter_A, load_species
from cryoccd.specimen.symmetry import point_group


@dataclass(frozen=True)
class PoseTask:
    """Images of known poses that estimators are judged on.

    Args:
        particles: the images.
        symmetry: point group of the particle.
        reference: its map at the images' pixels and box; None for no resolutions.
        seed: of intervals, halves and random poses.
    """

    particles: ParticleImages
    symmetry: str
    reference: Volume | None = None
    seed: int = 0

    def errors(self, poses: Poses) -> PoseErrors:
        """Errors with intervals over micrographs, and chance."""
        group = torch.from_numpy(point_group(self.symmetry))
        known = self.particles
        return pose_errors(known.poses, poses, group, known.micrographs, self.seed)

    def resolution(self, poses: Poses) -> Resolution | None:
        """Of the map that these poses make of the images; None without a reference."""
        if self.reference is None:
            return None
        known = self.particles
        shifts_A = poses.shifts_A if poses.shifts_A is not None else known.poses.shifts_A
        assert shifts_A is not None  # those of known poses are known
        first, _ = first_half(known.micrographs, self.seed)
        maps = reconstruct(
            known.images,
            poses.rotations,
            shifts_A / known.pixel_size_A,
            lambda index: known.select(index).transfer(2 * known.box_px),
            first,
            self.symmetry,
        )
        size_A = self.reference.voxel_size_A
        mask = sphere_mask(self.reference.box_px, diameter_A(self.reference) / 2 / size_A)
        return resolution(maps.full, self.reference.values, size_A, mask, maps.halves)

    def anchors(self) -> dict[str, PoseRow]:
        """Rows of true and of random poses, where there is a reference."""
        if self.reference is None:
            return {}
        drawn = random_rotations(len(self.particles), self.seed)
        random = Poses(drawn, self.particles.poses.shifts_A)
        return {
            "true_poses": PoseRow(None, self.resolution(self.particles.poses)),
            "random_poses": PoseRow(self.errors(random), self.resolution(random)),
        }


@dataclass(frozen=True)
class Estimators:
    """Trains estimators and keeps them.

    Args:
        task: what they are judged on.
        config: how they are trained.
        work: folder of estimators.
        device: where they are trained.
    """

    task: PoseTask
    config: PoseConfig
    work: Path
    device: str = "cpu"

    def trained(self, name: str, training: Path, seed: int) -> Poses:
        """Poses of the task's images by an estimator trained on a dataset folder."""
        known = self.task.particles
        boxes = replace(
            self.config.boxes,
            box_px=known.box_px,
            box_A=known.box_px * known.pixel_size_A,
            phase_flip=known.phase_flipped,
        )
        config = replace(self.config, boxes=boxes, symmetry=self.task.symmetry)
        path = self.work / f"{name}__{seed}" / "estimator.safetensors"
        accelerator = "gpu" if self.device.startswith("cuda") else "cpu"
        estimator = fit_pose(config, training, seed, path, accelerator=accelerator)
        return estimator.estimate(known)


def read_task(
    real: Path, config: PoseConfig, box_A: float, symmetry: str, structure: str | None
) -> PoseTask:
    """The particles of a dataset folder with known poses, and the map of their structure.

    Args:
        real: dataset folder with angles, such as one of `cryoccd import`.
        config: how particles become images.
        box_A: side of what is cut out.
        symmetry: point group.
        structure: `assembly:NAME` or a structure file; None for no resolutions.
    """
    particles = read_particles(real, replace(config.boxes, box_A=box_A))
    reference = None
    if structure is not None:
        reference = load_species(structure, particles.pixel_size_A, particles.box_px)[1]
    return PoseTask(particles, symmetry, reference)


def make_pose_card(
    estimators: Estimators,
    sets: dict[str, Path],
    seeds: Sequence[int],
    programs: Mapping[str, Callable[[], Poses]],
    inputs: dict[str, Any],
    console: Console,
) -> PoseCard:
    """Train, estimate and judge.

    Args:
        estimators: the task, and how estimators are made.
        sets: dataset folders to train on, by the names of their rows.
        seeds: of the estimators; a row a seed.
        programs: other programs that find poses from the images alone, in a frame of their own.
        inputs: for the record.
        console: where the user is told what is done.

    Raises:
        CryoccdError: a program is absent, failed, or posed other particles.
    """
    task, rows = estimators.task, {}
    for name, folder in sets.items():
        for seed in seeds:
            row = name if len(seeds) == 1 else f"{name} {seed}"
            console.rule(f"pose estimator · {row}")
            poses = estimators.trained(name, folder, seed)
            rows[row] = PoseRow(task.errors(poses), task.resolution(poses))
    for name, find in programs.items():
        console.rule(name)
        poses = find()
        errors = task.errors(poses)
        aligned = Poses(errors.alignment.aligned(poses.rotations), poses.shifts_A)
        rows[name] = PoseRow(errors, task.resolution(aligned), "aligned")
    with console.status("true and random poses"):
        rows |= task.anchors()
    title = f"Poses learnt from {inputs['generated']}, judged on {inputs['real']}"
    known = task.particles
    protocol = {
        "particles": len(known),
        "left_out_near_borders": known.left_out,
        "box_px": known.box_px,
        "pixel_size_A": round(known.pixel_size_A, 4),
        "symmetry": task.symmetry,
        "seed": task.seed,
    }
    return PoseCard(title, rows, protocol, inputs)
