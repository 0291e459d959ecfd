"""A small results folder with the runs behind it: micrographs, picks, boxes of tomograms, a log."""

import json

import numpy as np
import torch
import yaml
from report_fixtures import PROTOCOL, cell, entry, origin
from tomogram_folders import CLASSES, VOXEL_A, write_dataset
from toys import DIAMETER_PX, PIXEL_SIZE_A, exposure, write_real, write_simulated

from cryoccd.data.subtomograms.opened import Choices, Opened
from cryoccd.io.dataset import BoxItem, DatasetWriter, Item
from cryoccd.io.folder import open_folder
from cryoccd.launch.pickers import write_picks
from cryoccd.launch.places import Runs
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.cells import ResultCell

NASTY = "</script><script>alert(1)</script> & \"quoted\" 'note' <img src=http://x.y/z.png>"
VALUES = {"real_floor": 0.1, "spectrum": 0.5, "cut": 0.25, "white_ceiling": 9.0}
DATASETS = ("ice", "gold")
BOX_PX = 16


def write_generated(root, strength, seed=1000):
    writer = DatasetWriter(root, {"toy": seed})
    names = [f"sim_{i:03d}" for i in range(4)]
    for i, name in enumerate(names):
        known = exposure(seed + i)
        noise = torch.randn(known.clean.shape, generator=torch.Generator().manual_seed(i))
        writer.write(Item(name, known, seed + i, (known.clean + strength * noise).numpy()))
    writer.finish(names)


def write_results(root):
    """results/ and runs/ below a folder; returns both."""
    results, runs = root / "results", Runs(root / "runs" / "demo")
    for dataset in DATASETS:
        write_real(runs.data(dataset).real, n_train=1, n_test=4)
        write_simulated(runs.data(dataset).simulated_test, count=4)
        for method, value in VALUES.items():
            metrics = {"fd_scattering": entry(value), "signal_slope_20_10": entry(1.5 - value)}
            if method == "cut":
                metrics["signal_slope_20_10"] = entry(None, note=NASTY)
            protocol = PROTOCOL | {"tone_map": NASTY}
            if method in ("spectrum", "cut"):
                protocol |= {"training": "per_style", "train_styles": [dataset]}
                write_generated(runs.generated(method, dataset, dataset, 0), value)
            cell(method, dataset, metrics, protocol=protocol).write(results, "demo")
    log = runs.fit("cut", "ice", 0) / "logs" / "version_0" / "metrics.csv"
    log.parent.mkdir(parents=True)
    lines = [f"{40 * k},{40.0 * k},{1 / k:.6f}" for k in range(1, 301)]
    log.write_text("step,train/images,train/loss_nce\n" + "\n".join(lines) + "\n")
    return results, root / "runs"


def write_picking(results, runs_root):
    """A picking table of one data set, its cells judged by the picks that are on disk."""
    runs = Runs(runs_root / "demo")
    protocol = PickingProtocol(DIAMETER_PX * PIXEL_SIZE_A, draws=100)
    folder = open_folder(runs.data("ice").real)
    task = PickingTask(folder, tuple(folder.names("test")), protocol)
    rng = np.random.default_rng(0)
    for method, jitter_px in {"real_train": 1.0, "cut": 3.0, "random_picks": 40.0}.items():
        picks = {}
        for name, points in task.targets_px.items():
            moved = points + jitter_px * rng.standard_normal(points.shape)
            picks[name] = Picks(moved, rng.random(len(points)))
        write_picks(runs.root / "picking" / "ice" / f"{method}__fast__0" / "picks.csv", picks)
        found = {name: vars(metric) for name, metric in task.figures(picks).items()}
        known = {"domain": "oracle", "picker": "fast"} | protocol.as_dict()
        origin = {"commit": "0", "config_hash": "c", "data_hash": "d", "seconds": 1.0}
        origin |= {"versions": {"cryoccd": "0.1.0"}, "device": "cpu"}
        ResultCell("picking", method, "ice", 0, found, known, origin).write(results, "demo")


def break_cell(results, table="broken"):
    """A table whose only cell is no JSON."""
    folder = results / "demo" / table
    folder.mkdir(parents=True)
    (folder / "cut__ice__0.json").write_text(json.dumps({"half": 1}))


def write_volume(results, runs_root, **protocol):
    """A table of volumes of one data set; the row copy drew the held-out boxes themselves."""
    runs = Runs(runs_root / "demo")
    write_dataset(runs.data("kinds").root / "tomograms")
    arguments = {"root": "moved/since", "box_voxels": BOX_PX, "fold": 0, "seed": 0}
    module = "cryoccd.data.subtomograms.datamodule.SubtomogramDataModule"
    data = yaml.safe_dump({"data": {"class_path": module, "init_args": arguments}})
    for method in ("copy", "noise"):
        folder = runs.fit(method, "kinds", 0)
        folder.mkdir(parents=True)
        (folder / "data.yaml").write_text(data)
    rng = np.random.default_rng(0)
    noise = {name: rng.standard_normal((3, BOX_PX, BOX_PX, BOX_PX)) for name in CLASSES}
    write_boxes(runs.generated("copy", "kinds", "kinds", 0), held_out(runs))
    write_boxes(runs.generated("noise", "kinds", "kinds", 0), noise)
    write_boxes(runs.generated("slow_noise", "kinds", "kinds", 0), noise)
    slow = {"variant": {"method": "noise", "sampling": {"sampler.init_args.steps": 9}}}
    for method, value in {"real_half": 0.1, "copy": 0.2, "noise": 3.0, "slow_noise": 2.0}.items():
        known = {"domain": "oracle", "dark": True, **protocol}
        if method != "real_half":
            known |= {"training": "per_style", "train_styles": ["kinds"]}
        known |= slow if method == "slow_noise" else {}
        figures = {"fd_volume": entry(value)}
        ResultCell("volume", method, "kinds", 0, figures, known, origin()).write(results, "demo")


def held_out(runs):
    """Class to the held-out boxes, whole ones first, at a scale and a level of their own."""
    root = runs.data("kinds").root / "tomograms"
    opened = Opened.by(
        Choices(root, BOX_PX, "leave_one_out", 0, False, None, None, [], None, seed=0)
    )
    rows = {name: [] for name in CLASSES}
    whole = {
        row: opened.cutter.cut(int(row)).volume.unique().numel() == BOX_PX**3
        for row in opened.split.held
    }
    for row in sorted(opened.split.held, key=lambda row: not whole[row]):
        rows[opened.table.classes[opened.table.label[row]]].append(row)
    return {
        name: [7 * opened.cutter.cut(int(row)).volume[0].numpy() + 3 for row in own]
        for name, own in rows.items()
    }


def write_boxes(root, volumes):
    """A folder as `cryoccd sample` leaves it."""
    made_by = {"classes": list(CLASSES), "voxel_size_A": VOXEL_A, "box_voxels": BOX_PX}
    writer, names = DatasetWriter(root, made_by), []
    for label, boxes in volumes.items():
        for k, box in enumerate(boxes):
            names.append(f"{label}_{k}")
            values = np.asarray(box, np.float32)
            writer.write(BoxItem(names[-1], label, k, values, VOXEL_A, (0.5, 0.5, 0.5)))
    writer.finish(names)
