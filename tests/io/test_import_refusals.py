"""What import refuses: one line, and nothing is written."""

import numpy as np
import pytest
from import_inputs import PIXEL_A, do_import, flat, star, write_micrographs

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc, write_stack

XY = ("rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY")
ROWS = flat(lambda name, x, y: (f"M/{name}.mrc", x, y))
GOOD = star("particles", XY, ROWS)
GROUPED = (*XY, "rlnOpticsGroup")


def grouped(group):
    return star("particles", GROUPED, [(*row, group(i)) for i, row in enumerate(ROWS)])


def optics(column, *sizes):
    return star("optics", ("rlnOpticsGroup", column), enumerate(sizes, 1))


def images(path):
    return star("particles", (*XY, "rlnImageName"), [(*row, path) for row in ROWS])


@pytest.fixture
def real(tmp_path):
    return write_micrographs(tmp_path / "real")


def refused(tmp_path, picks, *options):
    with pytest.raises(CryoccdError) as fault:
        do_import(tmp_path, picks, *options)
    assert not (tmp_path / "imported").exists()
    assert "\n" not in str(fault.value)
    return str(fault.value)


CUT = GOOD.rstrip("\n")
BAD = {
    "missing cell": (CUT.rsplit(" ", 1)[0] + "\n", "row 6 of data_particles has 2 cells, expected"),
    "cut in a row": (CUT[:-1], "ends without a line break"),
    "cut in the head": (GOOD[: GOOD.index("_rlnCoordinateY")], "no block with the columns"),
    "too many cells": (GOOD.replace("5.5", "5 5"), "row 5 of data_particles has 4 cells"),
    "name with a space": (GOOD.replace("M/b", "M 1/b"), "has 4 cells, expected 3"),
    "no STAR": ("\x00\x01 nothing\n", "holds no table"),
    "text after rows": (GOOD + "the end\n", "row 7 of data_particles has 2 cells"),
    "two of a block": (GOOD + GOOD, "a second block data_particles"),
    "two of a column": (star("", (*XY, XY[1]), []), "a second column"),
    "value without value": ("data_\n_rlnCoordinateX\n", "_rlnCoordinateX has 0 values"),
    "groups without optics": (grouped(lambda i: 1), "without a block data_optics"),
    "unknown group": (
        optics("rlnVoltage", 300) + grouped(lambda i: 1 + (i == 4)),
        "lacks 2 of row 5",
    ),
    "group twice": (
        star("optics", ("rlnOpticsGroup",), [(1,), (1,)]) + grouped(lambda i: 1),
        "but has 1 twice",
    ),
    "mixed sizes": (
        optics("rlnMicrographPixelSize", PIXEL_A, 1.5) + grouped(lambda i: 1 + i % 2),
        "rlnMicrographPixelSize is 1.5 and 2 A in different optics groups",
    ),
    "mixed image sizes": (
        grouped(lambda i: 1 + i % 2) + optics("rlnImagePixelSize", 4, 6),
        "rlnImagePixelSize is 4 and 6 A",
    ),
    "not the headers'": (
        optics("rlnMicrographPixelSize", 1.5) + grouped(lambda i: 1),
        "pixel size 1.5 A by rlnMicrographPixelSize, but the set has 2 A",
    ),
    "movies of larger pixels": (
        optics("rlnMicrographOriginalPixelSize", 3) + grouped(lambda i: 1),
        "pixel size 3 A by rlnMicrographOriginalPixelSize",
    ),
    "absolute": (images("1@/etc/stack.mrcs"), "an absolute path or one with `..`; give --root"),
    "above": (images("1@../stack.mrcs"), "an absolute path or one with `..`; give --root"),
    "index 0": (images("000000@stack.mrcs"), "expected NUMBER@STACK with a number from 1"),
    "no index": (images("x@stack.mrcs"), "of row 1 is x@stack.mrcs"),
    "no defocus": (
        star("", (*XY, "rlnDefocusU", "rlnDefocusV"), [(*row, 1e9, 1e9) for row in ROWS]),
        "defocus_u_A = 1000000000.0, expected",
    ),
    "names of others": (
        GOOD.replace("M/", "M/other_"),
        "the picks name 'M/other_FoilHole_1.a.mrc', the folder has 'FoilHole_1.a'",
    ),
    "two names of one": (
        GOOD.replace("M/b.mrc 50", "N/b.mrc 50"),
        "both mean the micrograph b; keep one",
    ),
}


@pytest.mark.parametrize("fault", list(BAD))
def test_bad_star_files(tmp_path, real, fault):
    text, said = BAD[fault]
    (tmp_path / "p.star").write_text(text)
    message = refused(tmp_path, tmp_path / "p.star")
    assert said in message
    assert str(tmp_path) in message


def test_awkward_star_files_are_read(tmp_path, real):
    text = GOOD.replace("M/b.mrc 50.0", "'M/b.mrc'  50.0").replace("loop_", "loop_ # a table")
    text = text.replace("_rlnCoordinateX #2", "_rlnCoordinateX # the columns")
    text = text.replace("M/b.mrc 5.5 6.5", '\n\t"M/b.mrc" 5.5 6.5 # the first of b\n# and so on')
    text = "data_general\n\n_rlnSomething 'a b' # odd\n_rlnOther 1\n" + text.replace("\n", "\r\n")
    (tmp_path / "p.star").write_bytes(text.encode())
    assert len(do_import(tmp_path, tmp_path / "p.star").particles) == len(ROWS)


def test_one_row_with_and_without_a_loop(tmp_path, real):
    (tmp_path / "loop.star").write_text(star("particles", XY, [("M/b.mrc", 3, 4)]))
    text = "data_particles\n\n_rlnMicrographName M/b.mrc\n_rlnCoordinateX 3\n_rlnCoordinateY 4\n"
    (tmp_path / "simple.star").write_text(text)
    for name in ("loop", "simple"):
        dataset = do_import(tmp_path, tmp_path / f"{name}.star", output=name)
        assert list(dataset.particles["x_A"]) == [6.0]


def test_paths_are_allowed_below_the_root_alone(tmp_path, real):
    stack = tmp_path / "project/Extract/stack.mrcs"
    write_stack(stack, np.zeros((2, 4, 4), np.float32), PIXEL_A, "test")
    for path in (stack, "Extract/../Extract/stack.mrcs", "Extract/stack.mrcs"):
        (tmp_path / "p.star").write_text(images(f"2@{path}"))
        root = ("--root", tmp_path / "project")
        do_import(tmp_path, tmp_path / "p.star", *root, output=f"of{len(str(path))}")
        (tmp_path / "p.star").write_text(images(f"3@{path}"))
        said = refused(tmp_path, tmp_path / "p.star", *root)
        assert "a stack shorter than its STAR: it has 2" in said
    for path in ("/etc/stack.mrcs", "../stack.mrcs"):
        (tmp_path / "p.star").write_text(images(f"1@{path}"))
        said = refused(tmp_path, tmp_path / "p.star", "--root", tmp_path / "project")
        assert "is not below --root" in said


def test_a_stack_beside_its_star(tmp_path, real):
    write_stack(tmp_path / "s.mrcs", np.zeros((5, 4, 4), np.float32), PIXEL_A, "test")
    named = [(*row, f"{i:06d}@s.mrcs") for i, row in enumerate(ROWS, 1)]
    (tmp_path / "p.star").write_text(star("", (*XY, "rlnImageName"), named))
    said = refused(tmp_path, tmp_path / "p.star")
    assert "rlnImageName of row 6 is image 6" in said


@pytest.mark.parametrize("file", ["/etc/b.star", "../b.star", "absent.star", "b.json"])
def test_coordinate_files_that_are_refused(tmp_path, real, file):
    (tmp_path / "b.json").write_text("{}")
    columns = ("rlnMicrographName", "rlnMicrographCoordinates")
    (tmp_path / "coords.star").write_text(star("coordinate_files", columns, [("b.mrc", file)]))
    said = refused(tmp_path, tmp_path / "coords.star")
    assert file in said
    assert "--root" in said or "unknown kind of picks" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scale", "0"), "scale = 0"),
        (("--threshold", "1.5"), "threshold = 1.5"),
        (("--root", "/absent/folder"), "no such folder"),
        (("--pixel_size_A", "3"), "mend the wrong one"),
    ],
)
def test_settings(tmp_path, real, options, said):
    (tmp_path / "p.star").write_text(GOOD)
    assert said in refused(tmp_path, tmp_path / "p.star", *options)


def test_headers_that_differ(tmp_path, real):
    values = np.random.default_rng(0).normal(size=(80, 64)).astype(np.float32)
    write_mrc(real / "micrographs/b.mrc", values, 3.0, "test")
    (tmp_path / "p.star").write_text(GOOD)
    assert "b.mrc: pixel size 3 A by its header" in refused(tmp_path, tmp_path / "p.star")


def test_images_are_judged_before_anything_is_written(tmp_path, real):
    last = real / "micrographs/empty.mrc"
    last.write_bytes(last.read_bytes()[:-4] + np.float32("nan").tobytes())
    (tmp_path / "p.star").write_text(GOOD)
    assert "empty.mrc: holds NaN" in refused(tmp_path, tmp_path / "p.star")
    write_stack(last, np.zeros((2, 80, 64), np.float32), PIXEL_A, "test")
    assert "2 images in one file" in refused(tmp_path, tmp_path / "p.star")


def test_cbox_before_1_8_and_two_files_of_one(tmp_path, real):
    (tmp_path / "b.cbox").write_text("data_other\n\nloop_\n_CoordinateX\n1\n")
    assert "no block data_cryolo" in refused(tmp_path, tmp_path / "b.cbox")
    (tmp_path / "picks").mkdir()
    (tmp_path / "picks/b.csv").write_text("x_px,y_px\n1,2\n")
    (tmp_path / "picks/b.box").write_text("0 0 10 10\n")
    assert "both mean the micrograph b" in refused(tmp_path, tmp_path / "picks")


def test_the_command_line_says_it_in_one_line(tmp_path, real, capsys):
    (tmp_path / "p.star").write_text(GOOD[:-3])
    argv = ["import", "--micrographs", real, "--picks", tmp_path / "p.star"]
    assert main([str(word) for word in [*argv, "--output", tmp_path / "imported"]]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("cryoccd: error: ")
    assert not (tmp_path / "imported").exists()
