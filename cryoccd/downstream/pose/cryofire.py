"""Poses by CryoFIRE, from a checkout of its repository (ml-struct-bio/cryofire, not on PyPI).

It learns an encoder from image to pose and conformation together with a map, without any pose given
(Levy et al., arXiv:2210.07387). Its train command takes the name of a JSON file in its `configs`
folder. It wants numpy.product, which numpy 2 no longer has: that name is put back for it. It was
made for tens of thousands of images and more.

CryoFIRE is under the GPL: only its command is used. The tests run a stand-in of it, so what is not
proven of the program itself is that its translations are in pixels, as those of cryoDRGN.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryoccd.downstream.pose.program import last_poses, read_poses, run_logged
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import default_box_px
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.run import export_micrographs
from cryoccd.metrics.pose.poses import Poses

TRAIN = Path("src/commands/train.py")

SETTINGS: dict[str, Any] = {
    "pose": None,
    "colors": None,
    "test_particles": None,
    "test_ctf": None,
    "test_pose": None,
    "test_colors": None,
    "norm": None,
    "load": None,
    "ind": None,
    "relion31": False,
    "lazy": False,
    "verbose_time": False,
    "num_workers": 0,
    "log_interval": 50_000,
    "log_heavy_interval": 5,
    "lr": 1e-4,
    "batch_size": 32,
    "num_epochs": 200,
    "wd": 0.0,
    "beta_conf": 0.0,
    "no_trans": False,
    "loss_scale": 1.0,
    "pose_only_phase": 10_000_000,
    "output_mask": "frequency_marching",
    "add_one_frequency_every": 100_000,
    "sym_loss": True,
    "sym_loss_factor": 2,
    "use_gt_poses": False,
    "depth_cnn": 6,
    "channels_cnn": 16,
    "kernel_size_cnn": 3,
    "variational_het": False,
    "z_dim": 8,
    "std_z_init": 3.0,
    "input_mask": "none",
    "hypervolume_layers": 3,
    "hypervolume_dim": 256,
    "pe_type": "gaussian",
    "pe_dim": 6,
    "feat_sigma": 0.5,
    "hypervolume_domain": "hartley",
}
"""Its settings of EMPIAR-10028 at 128 px; depth_cnn falls by one for each halving of the box."""

_PATCHED = (
    "import runpy, sys, numpy; numpy.product = numpy.prod; "
    "sys.path.insert(0, sys.argv[1].rpartition('/')[0]); sys.argv = sys.argv[1:]; "
    "runpy.run_path(sys.argv[0], run_name='__main__')"
)


def cryofire(
    checkout: Path,
    root: Path,
    work: Path,
    settings: Mapping[str, Any] | None = None,
    python: Path = Path(sys.executable),
    seed: int = 0,
    box_px: int | None = None,
    species: tuple[str, ...] | None = None,
) -> Poses:
    """Poses of the particles of a dataset folder, in the order of `read_particles` with this box.

    Args:
        checkout: folder of the repository.
        root: a finished dataset folder with defoci; its angles are written and not looked at.
        work: a new folder.
        settings: in place of SETTINGS.
        python: interpreter that has what CryoFIRE needs.
        seed: of the program.
        box_px: side of the boxes; None for that of the set's largest map.
        species: which to take; None for all.

    Raises:
        CryoccdError: the folder is no checkout, a setting is unknown, `work` is not empty, or the
            program failed.
    """
    check_checkout(checkout)
    dataset = Dataset(root)
    box_px = box_px or default_box_px(dataset, ExportOptions())
    config = cryofire_config(work, box_px, settings or {}, seed)
    options = ExportOptions(box_px=box_px, species=species)
    export_micrographs(dataset, "cryodrgn", work / "particles", options)
    name = f"cryoccd_{work.absolute().name}"
    write_text(checkout / "configs" / f"{name}.json", json.dumps(config, indent=4))
    train = str((checkout / TRAIN).absolute())
    run_logged(
        "CryoFIRE", [str(python), "-c", _PATCHED, train, name], checkout, work / "cryofire.log"
    )
    return read_poses(last_poses(work / "cryofire"), dataset.pixel_size_A)


def check_checkout(checkout: Path) -> None:
    """Refuse a folder that does not hold CryoFIRE.

    Raises:
        CryoccdError: it names the file that is missing.
    """
    for part in (TRAIN, Path("configs")):
        if not (checkout / part).exists():
            raise CryoccdError(
                f"{checkout}: has no {part}, expected a checkout of CryoFIRE; "
                "git clone https://github.com/ml-struct-bio/cryofire"
            )


def cryofire_config(
    work: Path, box_px: int, settings: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Its configuration for the export in `work`/particles.

    Raises:
        CryoccdError: a setting that it does not know.
    """
    for name in settings:
        if name not in SETTINGS:
            raise CryoccdError(f"cryofire: unknown setting {name}; known: {', '.join(SETTINGS)}")
    particles = (work / "particles").absolute()
    paths = {
        "outdir": str(work.absolute() / "cryofire"),
        "particles": str(particles / "particles.mrcs"),
        "ctf": str(particles / "ctf.pkl"),
    }
    depth = {"depth_cnn": max(1, box_px.bit_length() - 2)}
    return {**paths, **SETTINGS, **depth, "seed": seed, **settings}
