"""The same picks in the files of each program, imported to the same truth."""

import numpy as np
import pandas as pd
import pytest
import starfile
from import_inputs import PIXEL_A, TRUTH, H, check, do_import, flat, star, write_micrographs

from cryoccd.errors import CryoccdError

COORDINATES = ("rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY")


@pytest.fixture
def real(tmp_path):
    return write_micrographs(tmp_path / "real")


def frame(**more):
    rows = flat(lambda name, x, y: (f"MotionCorr/job002/Movies/{name}.mrc", x, y))
    return pd.DataFrame(rows, columns=list(COORDINATES)).assign(**more)


OPTICS = pd.DataFrame(
    {
        "rlnOpticsGroupName": ["opticsGroup1"],
        "rlnOpticsGroup": [1],
        "rlnVoltage": [300.0],
        "rlnSphericalAberration": [2.7],
        "rlnAmplitudeContrast": [0.1],
        "rlnMicrographPixelSize": [PIXEL_A],
        "rlnImagePixelSize": [2 * PIXEL_A],
    }
)


def test_relion_3_0(tmp_path, real):
    starfile.write(frame(), tmp_path / "particles.star")
    check(do_import(tmp_path, tmp_path / "particles.star"))


@pytest.mark.parametrize("first", ["optics", "particles"])
def test_relion_3_1_in_any_order_of_blocks(tmp_path, real, first):
    """Readers that take the first block find no coordinates in it."""
    blocks = {"optics": OPTICS, "particles": frame(rlnOpticsGroup=1)}
    names = sorted(blocks, reverse=first == "particles")
    starfile.write({name: blocks[name] for name in names}, tmp_path / "run_data.star")
    assert next(iter(starfile.read(tmp_path / "run_data.star"))) == first
    dataset = do_import(tmp_path, tmp_path / "run_data.star")
    check(dataset)
    assert set(dataset.micrographs["voltage_kV"].dropna()) == {300.0}


def test_topaz_itself_reads_the_first_block_alone(tmp_path):
    topaz_star = pytest.importorskip("topaz.utils.star", reason="topaz is not installed")
    blocks = {"optics": OPTICS, "particles": frame(rlnOpticsGroup=1)}
    starfile.write(blocks, tmp_path / "run_data.star")
    with (tmp_path / "run_data.star").open() as stream:
        assert "CoordinateX" not in topaz_star.parse(stream).columns


def test_shifts_of_a_refinement_move_the_centre(tmp_path, real):
    moved = frame(rlnOpticsGroup=1, rlnOriginXAngst=3.0, rlnOriginYAngst=-5.0)
    moved["rlnCoordinateX"] += 3.0 / PIXEL_A
    moved["rlnCoordinateY"] += -5.0 / PIXEL_A
    starfile.write({"optics": OPTICS, "particles": moved}, tmp_path / "run_data.star")
    check(do_import(tmp_path, tmp_path / "run_data.star"))


@pytest.mark.parametrize("image_pixel_size_A", [None, 2 * PIXEL_A])
def test_shifts_of_relion_3_0_are_in_pixels_of_the_particle_image(
    tmp_path, real, image_pixel_size_A
):
    moved = frame(rlnOriginX=2.0, rlnOriginY=-1.5)
    factor = 1.0
    if image_pixel_size_A is not None:
        moved = moved.assign(rlnMagnification=1e4 / image_pixel_size_A, rlnDetectorPixelSize=1.0)
        factor = image_pixel_size_A / PIXEL_A
    moved["rlnCoordinateX"] += 2.0 * factor
    moved["rlnCoordinateY"] += -1.5 * factor
    starfile.write(moved, tmp_path / "particles.star")
    check(do_import(tmp_path, tmp_path / "particles.star"))


def test_angles_classes_and_defocus(tmp_path, real):
    rows = frame(rlnOpticsGroup=1)
    n = len(rows)
    rows["rlnAngleRot"], rows["rlnAngleTilt"] = np.arange(n) * 10.0, 45.0
    rows["rlnAnglePsi"] = [-999.0] + [30.0] * (n - 1)
    rows["rlnClassNumber"] = [1, 2] * (n // 2)
    rows["rlnDefocusU"], rows["rlnDefocusV"] = 11000.0 + 100 * np.arange(n), 10000.0
    rows["rlnDefocusAngle"] = 20.0 + np.arange(n)
    starfile.write({"optics": OPTICS, "particles": rows}, tmp_path / "run_data.star")
    dataset = do_import(tmp_path, tmp_path / "run_data.star")
    first = dataset.particles_of("FoilHole_1.a")
    assert list(first["rot_deg"]) == [0, 10, 20, 30]
    assert set(first["tilt_deg"]) == {45.0}
    assert np.isnan(first["psi_deg"][0])  # what pickers write for an unknown angle
    assert list(first["psi_deg"][1:]) == [30.0] * 3
    assert list(first["species"]) == ["class1", "class2", "class1", "class2"]
    assert list(first["defocus_u_A"]) == [11000, 11100, 11200, 11300]
    assert list(first["astigmatism_deg"]) == [20, 21, 22, 23]
    optics = dataset.optics("FoilHole_1.a")  # of the particle in the middle
    assert (optics.defocus_u_A, optics.defocus_v_A, optics.astigmatism_deg) == (11100, 10000, 21)
    assert (optics.voltage_kV, optics.cs_mm, optics.amplitude_contrast) == (300, 2.7, 0.1)
    with pytest.raises(CryoccdError, match=r"empty has no voltage_kV, .*defocus_u_A"):
        dataset.optics("empty")


def test_micrographs_star_tells_the_defocus_of_each(tmp_path, real):
    names = [f"x/{name}.mrc" for name in TRUTH]
    table = pd.DataFrame({"rlnMicrographName": names, "rlnOpticsGroup": 1})
    table["rlnDefocusU"], table["rlnDefocusV"] = [12000.0, 13000.0, 14000.0], 11000.0
    table["rlnDefocusAngle"], table["rlnPhaseShift"] = 15.0, 90.0
    optics = OPTICS.drop(columns="rlnImagePixelSize")
    starfile.write({"optics": optics, "micrographs": table}, real / "micrographs.star")
    starfile.write(frame(), tmp_path / "particles.star")
    dataset = do_import(tmp_path, tmp_path / "particles.star")
    assert [dataset.optics(name).defocus_u_A for name in TRUTH] == [12000, 13000, 14000]
    assert dataset.optics("empty").phase_shift_deg == 90
    assert set(dataset.particles_of("b")["defocus_u_A"]) == {13000.0}


@pytest.mark.parametrize("suffix", ["", "_autopick", "_manualpick", "_topazpicks"])
def test_coordinate_files_named_after_their_micrographs(tmp_path, real, suffix):
    (tmp_path / "picks").mkdir()
    for name, points in TRUTH.items():
        text = star("", COORDINATES[1:], points)
        (tmp_path / "picks" / f"{name}{suffix}.star").write_text(text)
    check(do_import(tmp_path, tmp_path / "picks"))
    alone = do_import(tmp_path, tmp_path / "picks" / f"b{suffix}.star", output="alone")
    check(alone, {**TRUTH, "FoilHole_1.a": []})


@pytest.mark.parametrize("where", ["", "AutoPick/job005/"])
def test_list_of_coordinate_files(tmp_path, real, where):
    folder = tmp_path / "project" / where
    (folder / "Movies").mkdir(parents=True)
    rows = []
    for name, points in TRUTH.items():
        text = star("", ("rlnCoordinateX", "rlnCoordinateY", "rlnAutopickFigureOfMerit"), [])
        lines = "".join(f"{x:12.6f} {y:12.6f} {-999.0:12.6f} \n" for x, y in points)
        (folder / "Movies" / f"{name}_autopick.star").write_text(text + lines)
        rows.append((f"MotionCorr/{name}.mrc", f"{where}Movies/{name}_autopick.star"))
    text = star("coordinate_files", ("rlnMicrographName", "rlnMicrographCoordinates"), rows)
    (folder / "autopick.star").write_text(text)
    check(do_import(tmp_path, folder / "autopick.star"))
    below = do_import(
        tmp_path, folder / "autopick.star", "--root", tmp_path / "project", output="below"
    )
    check(below)


def test_topaz_on_its_own_grid(tmp_path, real):
    text = "image_name\tx_coord\ty_coord\tscore\n"
    text += "".join(flat(lambda name, x, y: f"{name}\t{x / 4}\t{y / 4}\t1.5\n"))
    (tmp_path / "extracted.txt").write_text(text)
    dataset = do_import(tmp_path, tmp_path / "extracted.txt", "--scale", "4")
    check(dataset)
    assert len(dataset.particles) == len(flat())  # numbers are multiplied, not the list


def test_eman_boxes(tmp_path, real):
    (tmp_path / "boxes").mkdir()
    for name, points in TRUTH.items():
        text = "".join(f"{x - 16}\t{y - 16}\t32\t32\n" for x, y in points)
        (tmp_path / "boxes" / f"{name}.box").write_text(text)
    check(do_import(tmp_path, tmp_path / "boxes"))


def test_cbox_of_cryolo(tmp_path, real):
    (tmp_path / "CBOX").mkdir()
    columns = [
        "CoordinateX",
        "CoordinateY",
        "CoordinateZ",
        "Width",
        "Height",
        "Depth",
        "EstWidth",
        "EstHeight",
    ]
    columns += ["Confidence", "NumBoxes", "Angle"]
    for name, points in TRUTH.items():
        rows = [(x - 16.5, y - 16.5, "<NA>", 33, 33, 1, 31, 30, 0.9, 1, "<NA>") for x, y in points]
        text = "data_global\n\n_cbox_format_version 1.0\n" + star("cryolo", columns, rows)
        text += "data_cryolo_include\n\nloop_\n_slice_index #1\n\n"
        (tmp_path / "CBOX" / f"{name}.cbox").write_text(text)
    check(do_import(tmp_path, tmp_path / "CBOX"))


def test_csv_of_one_and_of_many(tmp_path, real):
    (tmp_path / "csv").mkdir()
    for name, points in TRUTH.items():
        pd.DataFrame(points, columns=["x_px", "y_px"]).to_csv(
            tmp_path / "csv" / f"{name}.csv", index=False
        )
    check(do_import(tmp_path, tmp_path / "csv"))
    table = pd.DataFrame(flat(), columns=["micrograph", "x_px", "y_px"])
    table.to_csv(tmp_path / "all.csv", index=False)
    check(do_import(tmp_path, tmp_path / "all.csv", output="all"))


def test_rows_counted_from_the_other_end(tmp_path, real):
    table = pd.DataFrame(flat(lambda n, x, y: (n, x, H - 1 - y)))
    table.columns = ["micrograph", "x_px", "y_px"]
    table.to_csv(tmp_path / "all.csv", index=False)
    check(do_import(tmp_path, tmp_path / "all.csv", "--flip_y"))


@pytest.mark.parametrize(
    "written",
    [
        "J12/motioncorrected/009270517818331954156_{}.mrc",
        "J12/imported/123456789012345_{}",  # some tools leave the suffix out
        "{}",
    ],
)
def test_names_of_cryosparc(tmp_path, real, written):
    table = frame()
    table["rlnMicrographName"] = flat(lambda name, x, y: written.format(name))
    starfile.write(table, tmp_path / "cs.star")
    check(do_import(tmp_path, tmp_path / "cs.star"))


def test_the_exact_name_goes_before_the_shortened_one(tmp_path):
    names = ["123456789012345_b", "b"]
    write_micrographs(tmp_path / "real", names)
    rows = [("x/123456789012345_b.mrc", 1, 2), ("x/b.mrc", 3, 4)]
    (tmp_path / "p.star").write_text(star("", COORDINATES, rows))
    dataset = do_import(tmp_path, tmp_path / "p.star")
    assert [list(dataset.particles_of(name)["x_A"]) for name in names] == [[2.0], [6.0]]
