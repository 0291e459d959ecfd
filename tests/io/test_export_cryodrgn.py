"""Export for cryoDRGN: its own parsers give the same arrays, its back-projection the map."""

import pickle
import shlex
from importlib.util import find_spec

import mrcfile
import numpy as np
import pytest
import torch
from export_scripts import commands, run_python
from planting import change_table, copied, sign
from test_export_relion import export

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc
from cryoccd.verify.shells import shell_correlation

needs_cryodrgn = pytest.mark.skipif(
    find_spec("cryodrgn") is None, reason="cryodrgn is absent: pip install 'cryoccd[pose]'"
)

COMMANDS = """
import argparse, importlib, shlex, sys

for line in sys.stdin:
    program, command, *words = shlex.split(line)
    assert program == "cryodrgn"
    module = importlib.import_module(f"cryodrgn.commands.{command}")
    parser = argparse.ArgumentParser()
    module.add_args(parser)
    args = parser.parse_args(words)
    if command == "train_vae":  # hours
        print(args.zdim, args.num_epochs, args.ctf, args.poses)
    else:
        module.main(args)
"""


@pytest.fixture(scope="module")
def exported(exact, tmp_path_factory):
    return export(exact, tmp_path_factory.mktemp("cryodrgn") / "out", "cryodrgn")


@pytest.fixture(scope="module")
def used(exact, exported):
    """The folder after cryoDRGN has run the commands of the script, and read RELION's export."""
    star = export(exact, exported.parent / "relion") / "particles.star"
    lines = [
        shlex.join(["cryodrgn", "parse_pose_star", str(star), "-o", "their_poses.pkl"]),
        shlex.join(["cryodrgn", "parse_ctf_star", str(star), "-o", "their_ctf.pkl"]),
        *commands(exported / "cryodrgn.sh"),
    ]
    assert [line.split()[1] for line in lines[2:]] == ["backproject_voxel", "train_vae"]
    out = run_python(COMMANDS, folder=exported, text="\n".join(lines))
    assert f"8 25 {exported / 'ctf.pkl'} {exported / 'poses.pkl'}" in out
    return exported


def read(path):
    return pickle.loads(path.read_bytes())


@needs_cryodrgn
def test_its_parsers_give_the_same_arrays(used):
    rotations, shifts = read(used / "poses.pkl")
    their_rotations, their_shifts = read(used / "their_poses.pkl")
    assert rotations.shape == (400, 3, 3)
    assert shifts.shape == (400, 2)
    np.testing.assert_allclose(rotations, their_rotations, atol=1e-6)
    np.testing.assert_allclose(shifts, their_shifts, atol=1e-8)
    assert 0.4 < 64 * np.abs(shifts).max() <= 0.5  # there are sub-pixel parts to compare
    np.testing.assert_allclose(read(used / "ctf.pkl"), read(used / "their_ctf.pkl"), rtol=1e-6)


@needs_cryodrgn
def test_its_back_projection_gives_the_map_upright(exact, used):
    found = torch.from_numpy(read_mrc(used / "backprojected/backproject.mrc")[0])
    truth = torch.from_numpy(read_mrc(exact / "species/lobed_c1.mrc")[0])
    band = slice(1, int(0.8 * 32) + 1)
    right = shell_correlation(found, truth)[band]
    mirror = shell_correlation(found, torch.roll(truth.flip(-1), 1, -1))[band]
    assert right.min() > 0.95  # 0.967; 0.936 without the shifts, 0.64 with their sign reversed
    assert mirror.mean() < right.mean() - 0.5
    assert found[truth > truth.max() / 2].min() > 3 * found.std()  # matter is positive


def test_the_stack_is_one_and_in_order(exact, exported):
    with mrcfile.mmap(exported / "particles.mrcs") as stack:
        assert stack.data.shape == (400, 64, 64)
        assert stack.is_image_stack()
        assert float(stack.voxel_size.x) == 3.0
        assert stack.header.label[0].startswith(b"SYNTHETIC cryoccd")
        first = stack.data[0].copy()
    row = Dataset(exact).particles.iloc[0]
    x, y = (int(np.floor(row[name] / 3.0 + 0.5)) for name in ("x_A", "y_A"))
    clean = Dataset(exact).image("mic_00000")
    np.testing.assert_allclose(first, 1 - clean[y - 32 : y + 32, x - 32 : x + 32], atol=1e-6)


def test_half_precision(exact, tmp_path):
    out = export(exact, tmp_path / "out", "cryodrgn", box_px=32, float16=True)
    with mrcfile.mmap(out / "particles.mrcs") as stack:
        assert stack.header.mode == 12
        assert stack.data.shape == (400, 32, 32)
    assert (read(out / "ctf.pkl")[:, 0] == 32).all()


def test_what_it_cannot_do_without(exact, tmp_path):
    with pytest.raises(CryoccdError, match="cryoDRGN reads nothing but stacks"):
        export(exact, tmp_path / "out", "cryodrgn", stacks=False)
    with pytest.raises(CryoccdError, match="no particle with a whole box of 1024 px"):
        export(exact, tmp_path / "out", "cryodrgn", box_px=1024)
    for column, lacking in (("rot_deg", "angles"), ("defocus_u_A", "defocus")):
        root = copied(exact, tmp_path / lacking)
        change_table(root, "particles", lambda t, c=column: t.assign(**{c: float("nan")}))
        with pytest.raises(CryoccdError, match=f"no {lacking} of its particles"):
            export(sign(root), tmp_path / "out", "cryodrgn")
    assert not (tmp_path / "out").exists()
