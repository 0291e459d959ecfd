"""Three small micrographs, higher than wide, their picks, and the verb on them."""

import numpy as np

from cryoccd.cli.import_picks import run
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import write_mrc

H, W, PIXEL_A = 80, 64, 2.0
TRUTH = {
    "FoilHole_1.a": [[10.0, 20.5], [0.0, 0.0], [63.0, 79.0], [30.25, 70.0]],
    "b": [[5.5, 6.5], [50.0, 11.0]],
    "empty": [],
}


def write_micrographs(root, names=tuple(TRUTH), pixel_size_A=PIXEL_A, dtype=np.float32):
    for i, name in enumerate(names):
        values = np.random.default_rng(i).normal(100, 10, (H, W)).astype(dtype)
        write_mrc(root / "micrographs" / f"{name}.mrc", values, pixel_size_A, "made by a test")
    return root


def flat(function=lambda name, x, y: (name, x, y)):
    """One entry a pick, of all micrographs."""
    return [function(name, x, y) for name, points in TRUTH.items() for x, y in points]


def star(block, columns, rows):
    head = "".join(f"_{column} #{i}\n" for i, column in enumerate(columns, 1))
    lines = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    return f"\n# version 30001\n\ndata_{block}\n\nloop_\n{head}{lines}\n"


def do_import(tmp_path, picks, *options, output="imported"):
    root = tmp_path / output
    argv = ["--micrographs", tmp_path / "real", "--picks", picks, "--output", root, *options]
    run([str(word) for word in argv])
    return Dataset(root)


def check(dataset, truth=TRUTH, within_px=1e-6):
    assert sorted(dataset.names) == sorted(TRUTH)
    for name, points in truth.items():
        rows = dataset.particles_of(name)
        found = rows[["x_A", "y_A"]].to_numpy() / PIXEL_A
        np.testing.assert_allclose(found, np.reshape(points, (-1, 2)), atol=within_px)
        assert list(rows["instance_id"]) == list(range(1, len(points) + 1))
