"""Picks of other programs, as these write them."""

import numpy as np
import pandas as pd
import pytest
import starfile

from cryoccd.errors import CryoccdError
from cryoccd.io.picks import read_picks_file

POINTS = np.array([[10.0, 20.5], [0.0, 0.0], [511.25, 3.0]])
FRAME = pd.DataFrame(POINTS, columns=["rlnCoordinateX", "rlnCoordinateY"])


def same(picks, **expected):
    assert list(picks) == list(expected)
    for name, points in expected.items():
        np.testing.assert_array_equal(picks[name], points)
        assert picks[name].dtype == np.float64


def test_relion_3_0_one_table_of_many_micrographs(tmp_path):
    names = ["MotionCorr/job002/b.mrc", "MotionCorr/job002/a.1.mrc", "MotionCorr/job002/b.mrc"]
    starfile.write(FRAME.assign(rlnMicrographName=names), tmp_path / "particles.star")
    picks = read_picks_file(tmp_path / "particles.star")
    same(picks, **{"b": POINTS[[0, 2]], "a.1": POINTS[[1]]})


def test_relion_3_1_with_optics_and_images(tmp_path):
    optics = pd.DataFrame({"rlnOpticsGroup": [1], "rlnImagePixelSize": [1.2]})
    particles = FRAME.assign(rlnMicrographName=["x/m.mrc"] * 3, rlnOriginXAngst=[5.0] * 3)
    starfile.write({"optics": optics, "particles": particles}, tmp_path / "run_data.star")
    same(read_picks_file(tmp_path / "run_data.star"), m=POINTS)


@pytest.mark.parametrize(
    "name", ["m.star", "m_autopick.star", "m_manualpick.star", "m_topazpicks.star", "m.mrc.star"]
)
def test_relion_coordinates_named_after_the_micrograph(tmp_path, name):
    text = "\n# version 30001\n\ndata_\n\nloop_ \n_rlnCoordinateX #1 \n_rlnCoordinateY #2 \n"
    text += "_rlnAutopickFigureOfMerit #3 \n"
    lines = "".join(f" {x:12.6f} {y:12.6f} {0.5:12.6f} \n" for x, y in POINTS)
    (tmp_path / name).write_text(text + lines)
    same(read_picks_file(tmp_path / name), m=POINTS)


def test_topaz(tmp_path):
    rows = zip(["a", "a", "b"], POINTS.tolist(), [3.2, 1.0, -0.5], strict=True)
    text = "".join(f"{name}\t{x}\t{y}\t{score}\n" for name, (x, y), score in rows)
    (tmp_path / "extracted.txt").write_text("image_name\tx_coord\ty_coord\tscore\n" + text)
    same(read_picks_file(tmp_path / "extracted.txt"), a=POINTS[:2], b=POINTS[2:])


def test_topaz_for_training_has_no_score_and_names_may_be_numbers(tmp_path):
    (tmp_path / "t.txt").write_text("image_name\tx_coord\ty_coord\n007\t1\t2\n7\t3\t4\n")
    same(read_picks_file(tmp_path / "t.txt"), **{"007": [[1, 2]], "7": [[3, 4]]})


def test_eman_counts_to_the_corner_of_the_box(tmp_path):
    (tmp_path / "m.box").write_text("100\t200\t64\t64\n-10 5.5 33 33 -3\n\n")
    same(read_picks_file(tmp_path / "m.box"), m=[[132, 232], [6, 21.5]])
    (tmp_path / "none.box").write_text("")
    assert read_picks_file(tmp_path / "none.box")["none"].shape == (0, 2)


def test_csv_of_one_and_of_many_micrographs(tmp_path):
    (tmp_path / "m.1.csv").write_text("x_px, y_px, score\n1.5, 2, 0.1\n3, 4, 0.2\n")
    same(read_picks_file(tmp_path / "m.1.csv"), **{"m.1": [[1.5, 2], [3, 4]]})
    (tmp_path / "all.csv").write_text("micrograph,x_px,y_px\nb.mrc,1,2\na.mrc,3,4\nb.mrc,5,6\n")
    same(read_picks_file(tmp_path / "all.csv"), b=[[1, 2], [5, 6]], a=[[3, 4]])
    (tmp_path / "empty.csv").write_text("x_px,y_px\n")
    assert read_picks_file(tmp_path / "empty.csv")["empty"].shape == (0, 2)


def test_a_folder_of_all_kinds(tmp_path):
    (tmp_path / "c.csv").write_text("x_px,y_px\n1,2\n")
    (tmp_path / "b.BOX").write_text("0 0 10 10\n")
    starfile.write(FRAME, tmp_path / "a_autopick.star")
    (tmp_path / "notes.md").write_text("other files are left alone")
    same(read_picks_file(tmp_path), a=POINTS, b=[[5, 5]], c=[[1, 2]])


def test_many_picks_of_many_micrographs_keep_their_order(tmp_path):
    rng = np.random.default_rng(0)
    owner = rng.integers(0, 500, 20_000)
    points = rng.uniform(0, 4000, (20_000, 2)).round(3)
    table = pd.DataFrame(points, columns=["x_px", "y_px"]).assign(micrograph=owner.astype(str))
    table.to_csv(tmp_path / "all.csv", index=False)
    picks = read_picks_file(tmp_path / "all.csv")
    assert sum(map(len, picks.values())) == 20_000
    for name in ("0", "17", "499"):
        np.testing.assert_array_equal(picks[name], points[owner == int(name)])


BAD = {
    "no columns.csv": ("a,b\n1,2\n", "no column x_px .found a, b."),
    "nan.csv": ("x_px,y_px\n1,2\nnan,3\n", "row 2 holds no pair of numbers in x_px, y_px"),
    "inf.csv": ("x_px,y_px\ninf,3\n", "row 1 holds no pair"),
    "word.csv": ("x_px,y_px\n1,two\n", "row 1 holds no pair"),
    "short.csv": ("x_px,y_px\n1\n", "row 1 holds no pair"),
    "long.csv": ("x_px,y_px\n1,2,3\n1,2,3\n", "rows have more cells"),
    "nobody.csv": ("micrograph,x_px,y_px\n,1,2\n", "row 1 names no micrograph"),
    "headed.csv": ("micrograph,x_px,y_px\n", "no rows, so no micrograph is named"),
    "twins.csv": ("micrograph,x_px,y_px\na/m.mrc,1,2\nb/m.mrc,1,2\n", "several .* called m in"),
    "empty.csv": ("", "not a readable table"),
    "commas.txt": ("image_name,x_coord,y_coord\na,1,2\n", "no column image_name"),
    "headed.txt": ("image_name\tx_coord\ty_coord\n", "no rows"),
    "nan.txt": ("image_name\tx_coord\ty_coord\na\t1\tnan\n", "row 1 holds no pair"),
    "empty.txt": ("", "not a readable table"),
    "short.box": ("1 2 3\n4 5 6\n", "not an EMAN box file"),
    "uneven.box": ("1 2 3 4\n4 5 6\n", "not an EMAN box file"),
    "words.box": ("x y w h\n", "not an EMAN box file .*; expected x y width height"),
    "nan.box": ("nan 2 3 4\n", "a box of nan 2 3 4"),
    "flat.box": ("1 2 0 0\n", "a box of 1 2 0 0"),
    "angles.star": ("data_\nloop_\n_rlnAngleRot #1\n1.0\n", "no block with the columns"),
    "nan.star": ("data_\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n1 x\n", "no number"),
    "empty.star": ("", "no data block|not a readable STAR"),
    "picks.json": ("{}", "unknown kind of picks, expected .star, .txt"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_files_are_refused_in_one_line(tmp_path, name):
    text, said = BAD[name]
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CryoccdError, match=said) as fault:
        read_picks_file(path)
    assert str(fault.value).startswith(f"{path}: ")
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("suffix", [".star", ".txt", ".tsv", ".box", ".csv"])
@pytest.mark.parametrize("seed", range(4))
def test_binary_junk_is_refused(tmp_path, suffix, seed):
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(np.random.default_rng(seed).bytes(3000))
    with pytest.raises(CryoccdError) as fault:
        read_picks_file(path)
    assert str(fault.value).startswith(f"{path}: ")
    assert "\n" not in str(fault.value)


def test_folders_without_picks_or_with_two_of_one_micrograph(tmp_path):
    with pytest.raises(CryoccdError, match="no such file"):
        read_picks_file(tmp_path / "absent")
    with pytest.raises(CryoccdError, match=r"no picks, expected files \.star"):
        read_picks_file(tmp_path)
    (tmp_path / "m.csv").write_text("x_px,y_px\n1,2\n")
    (tmp_path / "m.box").write_text("0 0 10 10\n")
    with pytest.raises(CryoccdError, match=r"m\.csv: picks of m stand in another file"):
        read_picks_file(tmp_path)
