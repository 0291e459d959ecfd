"""Exports for RELION, read by starfile, and by RELION itself where it is installed."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest
import starfile
import torch

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.run import export_micrographs
from cryoccd.io.mrc import read_mrc
from cryoccd.simulate.config import read_config
from cryoccd.simulate.run import simulate
from cryoccd.verify.shells import shell_correlation

CONFIGS = Path(__file__).parents[2] / "configs/simulate"
needs_relion = pytest.mark.skipif(
    shutil.which("relion_reconstruct") is None,
    reason="relion_reconstruct is absent: install the system package relion",
)
ANGLES = {"rlnAngleRot": "rot_deg", "rlnAngleTilt": "tilt_deg", "rlnAnglePsi": "psi_deg"}


def export(source, output, format="relion", **options):
    export_micrographs(Dataset(source), format, output, ExportOptions(**options))
    return output


@pytest.fixture(scope="module")
def exported(exact, tmp_path_factory):
    return export(exact, tmp_path_factory.mktemp("relion") / "exported")


@pytest.fixture(scope="module")
def edges(tmp_path_factory):
    """Three micrographs of three species, some particles cut by the edge, one without any."""
    root = tmp_path_factory.mktemp("edges") / "set"
    simulate(replace(read_config(CONFIGS / "demo.yaml"), count=3), root)
    return root


def relion(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def truth_of(root, rows):
    """The rows of the truth nearest to rows of particles.star."""
    origin = rows[["rlnOriginXAngst", "rlnOriginYAngst"]].to_numpy() / 3.0
    return rows[["rlnCoordinateX", "rlnCoordinateY"]].to_numpy() - origin


def test_particles_say_what_the_truth_says(exact, exported):
    blocks = starfile.read(exported / "particles.star")
    optics, rows = blocks["optics"], blocks["particles"]
    truth = Dataset(exact).particles
    np.testing.assert_allclose(truth_of(exported, rows), truth[["x_A", "y_A"]] / 3.0, atol=2e-6)
    assert rows.rlnOriginXAngst.abs().max() <= 1.5
    for theirs, ours in ANGLES.items():
        np.testing.assert_allclose(rows[theirs], truth[ours], atol=1e-6)
    np.testing.assert_allclose(rows.rlnDefocusU, truth.defocus_u_A, atol=1e-6)
    np.testing.assert_allclose(rows.rlnDefocusV, truth.defocus_v_A, atol=1e-6)
    np.testing.assert_allclose(rows.rlnDefocusAngle, truth.astigmatism_deg, atol=1e-6)
    assert set(rows.rlnOpticsGroup) == set(optics.rlnOpticsGroup) == {1}
    for column in ("rlnImagePixelSize", "rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize"):
        assert list(optics[column]) == [3.0]
    assert list(optics.rlnImageSize) == [64]
    assert list(optics.rlnImageDimensionality) == [2]


def test_images_are_named_from_1_and_are_there(exported):
    rows = starfile.read(exported / "particles.star")["particles"]
    assert rows.rlnImageName[0] == "000001@particles/mic_00000.mrcs"
    for file, part in rows.groupby(rows.rlnImageName.str.split("@").str[1]):
        with mrcfile.mmap(exported / file) as stack:
            assert stack.is_image_stack()
            assert float(stack.voxel_size.x) == 3.0
            assert stack.header.nz == len(part)
            assert stack.header.label[0].startswith(b"SYNTHETIC cryoccd")
        assert list(part.rlnImageName.str.split("@").str[0].astype(int)) == list(
            range(1, len(part) + 1)
        )
    micrographs = starfile.read(exported / "micrographs.star")["micrographs"]
    coords = starfile.read(exported / "coords.star")
    assert list(coords.rlnMicrographName) == list(micrographs.rlnMicrographName)
    for path in (*micrographs.rlnMicrographName, *coords.rlnMicrographCoordinates):
        assert not path.startswith("/")
        assert (exported / path).is_file()
    assert set(rows.rlnMicrographName) <= set(micrographs.rlnMicrographName)


def test_particles_are_bright_and_where_the_image_has_them(exact, exported):
    stack = mrcfile.read(exported / "particles/mic_00000.mrcs")
    row = starfile.read(exported / "particles.star")["particles"].iloc[0]
    x, y = int(row.rlnCoordinateX), int(row.rlnCoordinateY)
    clean = Dataset(exact).image("mic_00000")
    np.testing.assert_allclose(stack[0], 1 - clean[y - 32 : y + 32, x - 32 : x + 32], atol=1e-6)
    assert stack[:, 28:36, 28:36].mean() > 10 * abs(stack[:, :8].mean())


def test_the_edge_is_in_the_coordinates_and_not_in_the_stacks(edges, tmp_path):
    dataset = Dataset(edges)
    out = export(edges, tmp_path / "out", box_px=64)
    particles = starfile.read(out / "particles.star")["particles"]
    truth = dataset.particles
    points = truth[["x_A", "y_A"]].to_numpy() / 4.0
    on_field = ((points >= -0.5) & (points <= 255.5)).all(axis=1)
    nearest = np.floor(points + 0.5)
    whole = ((nearest >= 32) & (nearest <= 256 - 32)).all(axis=1)
    assert 0 < whole.sum() < on_field.sum() < len(truth)
    assert len(particles) == whole.sum()
    names = [f"coordinates/micrographs/{name}.star" for name in dataset.names]
    assert sum(len(starfile.read(out / name)) for name in names) == on_field.sum()
    classes = sorted(truth.species.unique())
    assert list(particles.rlnClassNumber) == [
        classes.index(name) + 1 for name in truth.species[whole]
    ]


def test_choices(edges, tmp_path):
    half = export(edges, tmp_path / "half", box_px=32, float16=True)
    with mrcfile.open(half / "particles/mic_00000.mrcs") as stack:
        assert stack.header.mode == 12
    none = export(edges, tmp_path / "none", stacks=False)
    assert not (none / "particles").exists()
    blocks = starfile.read(none / "particles.star")
    assert "rlnImageName" not in blocks["particles"]
    assert "rlnImageSize" not in blocks["optics"]
    assert (blocks["particles"].rlnOriginXAngst == 0).all()
    some = export(edges, tmp_path / "some", species=("cage_o",), stacks=False)
    assert set(starfile.read(some / "particles.star")["particles"].rlnClassNumber) == {2}
    with pytest.raises(CryoccdError, match=r"species cage: not in .*, expected of barrel_d7, "):
        export(edges, tmp_path / "bad", species=("cage",))
    assert not (tmp_path / "bad").exists()


def test_noise_is_normalised_and_settings_make_groups(exact, tmp_path):
    """Two beam tilts and a sharp background: two groups, background 0 and 1 in each box."""
    writer = DatasetWriter(tmp_path / "set", {"seed": 1})
    source, names = Dataset(exact), ["mic_00000", "mic_00001"]
    generator = np.random.default_rng(0)
    for name, tilt in zip(names, (0.0, 0.5), strict=True):
        exposure = source.exposure(name)
        exposure = replace(exposure, optics=replace(exposure.optics, beam_tilt_x_mrad=tilt))
        image = 40 * exposure.clean.numpy() + generator.normal(0, 6, (1024, 1024))
        writer.write(Item(name, exposure, 1, image.astype(np.float32), 4.4))
    writer.finish(names)
    out = export(tmp_path / "set", tmp_path / "out", box_px=64)
    blocks = starfile.read(out / "particles.star")
    assert list(blocks["optics"].rlnBeamTiltX) == [0.0, 0.5]
    assert list(blocks["particles"].groupby("rlnOpticsGroup").size()) == [50, 50]
    boxes = mrcfile.read(out / "particles/mic_00001.mrcs").astype(float)
    axis = np.arange(64) - 32
    ground = boxes[:, np.hypot(axis[:, None], axis) > 24]
    np.testing.assert_allclose(ground.mean(1), 0, atol=1e-5)
    np.testing.assert_allclose(ground.std(1), 1, atol=1e-5)
    assert boxes[:, 28:36, 28:36].mean() > 0.1


def test_without_particles_everything_is_still_there(exact, tmp_path):
    writer = DatasetWriter(tmp_path / "set", {"seed": 1})
    exposure = Dataset(exact).exposure("mic_00000")
    none = replace(
        exposure,
        particles=exposure.particles.iloc[:0],
        instances=torch.zeros_like(exposure.instances),
    )
    writer.write(Item("empty", none, 1))
    writer.finish(["empty"])
    out = export(tmp_path / "set", tmp_path / "out", box_px=64)
    assert len(starfile.read(out / "micrographs.star")["micrographs"]) == 1
    assert len(starfile.read(out / "coordinates/micrographs/empty.star")) == 0


def test_an_interrupted_export_goes_on(exact, tmp_path, monkeypatch):
    out = tmp_path / "out"
    command = ["export", "--input", str(exact), "--format", "relion", "--output", str(out)]
    seen = []

    def stop(path, *rest):
        if len(seen) == 3:
            raise KeyboardInterrupt
        seen.append(path)
        write(path, *rest)

    from cryoccd.io.export import relion as module

    write = module.write_stack
    monkeypatch.setattr(module, "write_stack", stop)
    assert main(command) == 130
    assert not (out / "particles.star").exists()
    first = (out / "particles/mic_00000.mrcs").stat().st_mtime_ns
    monkeypatch.setattr(module, "write_stack", write)
    assert main(command) == 2
    assert main([*command, "--box-px", "32", "--resume"]) == 2
    assert main([*command, "--resume"]) == 0
    assert (out / "particles/mic_00000.mrcs").stat().st_mtime_ns == first
    whole = export(exact, tmp_path / "whole")
    for path in sorted(p.relative_to(whole) for p in whole.rglob("*") if p.is_file()):
        assert (out / path).read_bytes() == (whole / path).read_bytes()
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in whole.iterdir())


def test_a_fault_leaves_nothing(exact, tmp_path, capsys):
    from planting import change_table, copied, sign

    root = copied(exact, tmp_path / "set")
    change_table(root, "micrographs", lambda t: t.assign(voltage_kV=float("nan")))
    out = tmp_path / "out"
    assert (
        main(["export", "--input", str(sign(root)), "--format", "relion", "--output", str(out)])
        == 2
    )
    error = capsys.readouterr().err
    assert "mic_00000: voltage_kV is unknown" in error
    assert error.count("\n") == 1
    assert not out.exists()
    assert main(["export", "--input", str(exact), "--format", "eman2", "--output", str(out)]) == 2
    assert "expected one of relion, topaz" in capsys.readouterr().err


def correlations(path, exact):
    found = torch.from_numpy(read_mrc(path)[0])
    truth = torch.from_numpy(read_mrc(exact / "species/lobed_c1.mrc")[0])
    mirror = torch.roll(truth.flip(-1), 1, -1)
    band = slice(1, int(0.8 * 32) + 1)
    return shell_correlation(found, truth)[band], shell_correlation(found, mirror)[band]


@needs_relion
def test_relion_reconstructs_the_map_from_the_exported_particles(exact, exported):
    relion(exported, "relion_reconstruct", "--i", "particles.star", "--o", "map.mrc", "--ctf")
    right, mirror = correlations(exported / "map.mrc", exact)
    assert right.min() > 0.98  # 0.999 with 2,000 particles
    assert mirror.mean() < 0.3


@needs_relion
def test_relion_extracts_at_the_exported_coordinates(exact, exported):
    """Its extraction cuts coordinates down to whole pixels, so only the lower half is compared."""
    relion(
        exported,
        *("relion_preprocess", "--i", "micrographs.star", "--coord_dir", "coordinates/"),
        *("--coord_suffix", ".star", "--part_star", "extracted.star", "--part_dir", "extracted/"),
        *("--extract", "--extract_size", "64", "--invert_contrast"),
    )
    rows = starfile.read(exported / "extracted.star")["particles"]
    assert len(rows) == len(Dataset(exact).particles)
    relion(exported, "relion_reconstruct", "--i", "extracted.star", "--o", "their.mrc", "--ctf")
    right, mirror = correlations(exported / "their.mrc", exact)
    assert right[:12].min() > 0.9
    assert mirror[:12].mean() < right[:12].mean() - 0.3


@needs_relion
def test_relion_reads_the_images(exported):
    command = ["relion_image_handler", "--i", "particles/mic_00000.mrcs", "--stats"]
    done = subprocess.run(command, cwd=exported, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("(x,y,z,n)= 64 x 64 x 1 x 1 ;") == 50
    assert done.stdout.count("angpix = 3\n") == 50


def test_the_page_for_cryosparc_names_the_jobs(exact, tmp_path):
    out = export(exact, tmp_path / "out", "cryosparc")
    page = (out / "JOBS.md").read_text()
    assert "Import Micrographs" in page
    assert "Import Particle Stack" in page
    assert "Pixel size (A): 3;" in page
    rows = starfile.read(out / "particles.star")["particles"]
    assert isinstance(rows, pd.DataFrame)
    assert len(rows) == len(Dataset(exact).particles)
