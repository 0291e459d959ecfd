"""Structures and maps that cannot be simulated."""

import gzip
import struct

import numpy as np
import pytest

from cryoccd.io.mrc import write_mrc

ATOM = "ATOM      1  N   ALA A   1      11.104   6.134  -6.504  1.00  0.00          %s\nEND\n"
WATER = (ATOM % " O").replace("ALA", "HOH")
VOLUME = np.random.default_rng(0).normal(size=(16, 16, 16)).astype(np.float32)
HUGE = struct.pack("<4i", 100_000, 100_000, 10, 2).ljust(1024, b"\0")


def volume(values, voxel_size_A=8.0):
    def write(path):
        write_mrc(path, np.zeros_like(values), voxel_size_A or 1.0, "test")
        content = bytearray(path.read_bytes()[:1024] + values.tobytes())
        if not voxel_size_A:
            content[40:52] = bytes(12)
        path.write_bytes(content)

    return write


def text(content):
    return lambda path: path.write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )


FAULTS = {
    "absent": ("a.pdb", lambda path: None, "no such file"),
    "no atoms": ("a.pdb", text("HEADER\nEND\n"), "no atoms"),
    "empty": ("a.pdb", text(""), "no atoms"),
    "garbage": ("a.pdb", text(b"\x13\x37" * 500), "no atoms"),
    "water alone": ("a.pdb", text(WATER), "no atoms besides water"),
    "unknown element": ("a.pdb", text(ATOM % "Xx"), "no electron scattering factor"),
    "cut archive": (
        "a.pdb.gz",
        text(gzip.compress(ATOM.encode() * 99, mtime=0)[:60]),
        "not a readable",
    ),
    "no mmCIF": ("a.cif", text(b"\x13\x37" * 500), "not a readable structure"),
    "empty mmCIF": ("a.cif", text("data_x\n"), "no atoms"),
    "unknown suffix": ("a.xyz", text("3\n"), "expected assembly: with"),
    "empty map": ("a.mrc", text(""), "0 bytes"),
    "claims 400 GB": ("a.mrc", text(HUGE), "claims 100000 x 100000 x 10"),
    "NaN in a map": ("a.mrc", volume(np.where(VOLUME > 3, np.nan, VOLUME)), "holds NaN"),
    "constant map": ("a.mrc", volume(np.ones_like(VOLUME)), "constant, every voxel is 1"),
    "map of an image": ("a.mrc", volume(VOLUME[0]), "2 dimensions (16, 16), expected 3"),
    "voxel size 0": ("a.mrc", volume(VOLUME, 0.0), "voxel size 0 in the header"),
}


@pytest.mark.parametrize(("name", "write", "words"), FAULTS.values(), ids=FAULTS)
def test_one_line_names_the_structure(name, write, words, tmp_path, refused):
    write(tmp_path / name)
    output = tmp_path / "set"
    small = ["--shape_px=[64, 64]", "--pixel_size_A=8", "--count=1", "--particles.mean=2"]
    argv = ["simulate", "--structure", tmp_path / name, "--output", output, *small]
    refused(argv, f"{tmp_path / name}: ", words, output=output)
