"""Images that cannot be used, on every side of the verbs that read them."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from cryoccd.io.mrc import write_mrc

SIDE = 128
GREY = np.random.default_rng(0).normal(100, 10, (SIDE, SIDE)).astype(np.float32)
NAN = np.where(np.arange(SIDE) == 3, np.nan, GREY).astype(np.float32)
HUGE = struct.pack("<4i", 100_000, 100_000, 10, 2).ljust(1024, b"\0")  # 400 GB in 1 kB


def mrc(path, values, pixel_size_A=4.0):
    write_mrc(path, np.zeros_like(values), pixel_size_A, "test")
    path.write_bytes(path.read_bytes()[:1024] + values.tobytes())  # NaN as well


def tif(path, values):
    tifffile.imwrite(path, values)


def png(path, values):
    whole = values.astype(np.uint8 if values.ndim == 3 else np.uint16)
    Image.fromarray(whole).save(path)


WRITERS = {"mrc": mrc, "tif": tif, "png": png}


def cut(n_bytes):
    return lambda path, write: path.write_bytes(path.read_bytes()[:n_bytes])


def holding(values, *more):
    return lambda path, write: write(path, values, *more)


FAULTS = {
    "missing": (lambda path, write: path.unlink(), "split.csv: names {stem}"),
    "empty": (cut(0), "empty file; copy it again"),
    "cut inside the header": (cut(90), "again"),
    "truncated": (cut(-5000), "again"),
    "garbage": (lambda path, write: path.write_bytes(b"\x13\x37" * 3000), "{name}: not a"),
    "constant": (holding(np.full_like(GREY, 7)), "constant, every pixel is 7; leave it out"),
    "tiny": (holding(GREY[:8, :8]), "8 x 8 pixels, expected at least 16"),
    "of other size than its picks": (holding(GREY[:40, :40]), "picks/{stem}.csv"),
}
ONE_KIND = {
    ("mrc", "claims 400 GB"): (lambda p, w: p.write_bytes(HUGE), "claims 100000 x 100000 x 10"),
    ("mrc", "NaN"): (holding(NAN), "holds NaN or infinity; remove or repair it"),
    ("tif", "NaN"): (holding(NAN), "holds NaN or infinity; remove or repair it"),
    ("mrc", "stack"): (holding(np.stack([GREY] * 3)), "3 dimensions (3, 128, 128), expected 2"),
    ("tif", "colour"): (holding(np.zeros((64, 64, 3), np.uint8)), "expected a grey 2-D image"),
    ("png", "colour"): (holding(np.zeros((64, 64, 3), np.uint8)), "expected 8 or 16 bit grey"),
    ("mrc", "other pixel size"): (holding(GREY, 7.0), "pixel size 7 A, but 4 A"),
}
CASES = {(kind, fault): how for fault, how in FAULTS.items() for kind in WRITERS} | ONE_KIND


def convert(root, kind):
    """Images of another kind in place of the MRC files; optics.yaml knows the pixel size."""
    for index, path in enumerate(sorted((root / "micrographs").iterdir())):
        if kind != "mrc":
            path.unlink()
            WRITERS[kind](path.with_suffix(f".{kind}"), np.roll(GREY, 5 * index))


@pytest.mark.parametrize("side", ["fit real", "evaluate real", "evaluate made"])
@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_one_line_names_the_image(side, kind, fault, verbs, copy, refused):
    spoil, words = CASES[kind, fault]
    verb, name = side.split()
    root = copy(name)
    convert(root, kind)
    stem = "real_001" if side != "evaluate real" else "real_004"  # of the test split
    path = root / "micrographs" / f"{stem}.{kind}"
    spoil(path, WRITERS[kind])
    argv, output = verbs(verb, **{name: root})
    refused(argv, stem, words.format(stem=stem, name=path.name), output=output)


@pytest.mark.parametrize("n_workers", [0, 1])
def test_a_micrograph_below_the_crop_is_named_before_training(n_workers, fit, copy, refused):
    root = copy("real")
    for path in (root / "picks").iterdir():
        path.unlink()
    mrc(root / "micrographs/real_002.mrc", GREY[:40, :40])
    argv = fit(method="cryogem", demo=True, real=str(root), num_workers=n_workers)
    refused(argv, "crop_px = 64 is larger than micrograph real_002 (40 x 40 px)")
    argv = fit(method="cryogem", demo=True, crop_px=512, num_workers=n_workers)
    refused(argv, "crop_px = 512", "smaller crop")
