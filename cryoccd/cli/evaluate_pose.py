"""`cryoccd evaluate pose`: do labels train an estimator that poses real particles?"""

import json
from pathlib import Path

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.cli.parse import numbers
from cryoccd.downstream.pose.boxes import read_particles
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.launch.pose_card import Estimators, make_pose_card, read_task
from cryoccd.launch.pose_programs import pose_programs

_POSE = PoseConfig()


def evaluate_pose(
    real: Path,
    generated: Path,
    output: Path,
    seeds: str = "0",
    real_train: Path | None = None,
    structure: str | None = None,
    cryodrgn: bool = False,
    cryofire: Path | None = None,
    work: Path | None = None,
    pose: PoseConfig = _POSE,
    device: str = "cpu",
) -> None:
    """Train a pose estimator on labelled particles, judge it on known poses; write JSON, Markdown.

    Args:
        real: dataset folder of images with known poses, such as one of `cryoccd import`.
        generated: dataset folder that the estimator is trained on.
        output: the JSON file to be written.
        seeds: comma list of the seeds of the estimators.
        real_train: dataset folder of other real images with known poses: the bound.
        structure: assembly:NAME or a structure file of the particle: adds the resolution of the
            maps that the poses make, beside true and random poses.
        cryodrgn: pose the real images by cryoDRGN's ab initio too (pip install 'cryoccd[pose]').
        cryofire: checkout of CryoFIRE, which poses the real images too.
        work: folder for estimators; by default OUTPUT without its ending.
        pose: settings of the estimator; pose.symmetry is the point group of the particle.
        device: where it is trained: cpu or cuda.
    """
    page, _ = check_output(output)
    for name, folder in (("real", real), ("generated", generated), ("real_train", real_train)):
        if folder is not None and not (folder / "manifest.json").is_file():
            raise CryoccdError(
                f"{name} = {folder}: no finished dataset folder; cryoccd import makes one of real "
                "micrographs and a STAR file with angles"
            )
    if real.resolve() == generated.resolve():
        raise CryoccdError(f"{generated}: is the real set itself; train on another")
    console = Console(stderr=True)
    with console.status("reading particles"):
        box_A = pose.boxes.box_A
        if box_A is None:
            one = read_particles(generated, pose.boxes)
            box_A = one.box_px * one.pixel_size_A
        task = read_task(real, pose, box_A, pose.symmetry, structure)
    sets = {"generated": generated} | ({"real_train": real_train} if real_train else {})
    inputs = {"real": str(real), "generated": str(generated), "real_train": str(real_train)}
    work = work or output.with_suffix("")
    programs = pose_programs(real, work, box_A, pose.boxes.species, cryodrgn, cryofire)
    estimators = Estimators(task, pose, work, device)
    card = make_pose_card(estimators, sets, numbers("seeds", seeds), programs, inputs, console)
    write_text(page, card.markdown())
    write_text(output, json.dumps(card.record(), indent=2) + "\n")
    shown = Console()
    card.show(shown)
    shown.print(f"written {output}, {page}", markup=False, style="dim", soft_wrap=True)
