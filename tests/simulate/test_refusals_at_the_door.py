"""What a configuration cannot get is refused in one line, before anything is written."""

from pathlib import Path

import numpy as np
import pytest

from cryoccd.cli import main
from cryoccd.io.mrc import write_mrc

BASE = """
count: 1
shape_px: [96, 96]
pixel_size_A: 6.0
species: [{source: "assembly:lobed_c1"}]
particles: {mean: 4}
"""

CASES = [
    ("ice: {median_A: -300}", "median_A = -300"),
    ("ice: {wedge: 3}", "wedge = 3"),
    ("optics: {defocus_A: [1.5, 2.5]}", "defocus_A = [1.5, 2.5], expected"),
    ("optics: {voltage_kV: 300000}", "voltage_kV = 300000"),
    ("optics: {convergence_mrad: 50}", "convergence_mrad = 50"),
    ("optics: {phase_shift_deg: [-90, 0]}", "phase_shift_deg"),
    ("box_px: 128", "box_px = 128, expected 8 to 96"),
    ("particles: {mean: 900}", "mean = 900 does not fit the field, expected at most"),
    ("particles: {mean: 900, overlap_in_projection: true}", "of the ice"),
    ('species: [{source: "assembly:lobed_c1", symmetry: D7}]', "D7"),
    ('species: [{source: "assembly:lobed_c1", symmetry: Z3}]', "Z3"),
    ('species: [{source: "assembly:lobed_c1", kind: membrane_protein}]', "needs membranes"),
    ('species: [{source: "library:no_such_thing"}]', "no_such_thing"),
    (
        "species: [{source: 'assembly:lobed_c1', placement: {class_path: "
        "cryoccd.scene.placement.in_label.InLabel, init_args: {label: 1}}}]",
        "needs backdrop",
    ),
    (
        "species: [{source: 'assembly:lobed_c1', placement: {class_path: "
        "cryoccd.scene.placement.grid.Grid, init_args: {pitch: 0.5}}}]",
        "pitch = 0.5",
    ),
    (
        "species: [{source: 'assembly:lobed_c1', placement: {class_path: "
        "cryoccd.scene.placement.grid.Grid, init_args: {pitsch: 2}}}]",
        "pitsch",
    ),
    ("dose: {dose_e_per_A2: -1}", "dose_e_per_A2 = -1"),
    ("dose: {dose_e_per_A2: 40, dose_weighting: true}", "frames"),
    ("camera: {preset: counting}", "camera without dose"),
    ("movies: true", "movies without frames"),
    ("dose: {dose_e_per_A2: 40}\ncamera: {preset: k9}", "k9"),
    ("dose: {dose_e_per_A2: 40}\nsolvent: {mean_free_path_A: 1}", "mean_free_path_A = 1"),
    (
        "artefacts: [{class_path: cryoccd.scene.artefacts.crystalline_patch.CrystallinePatches}]",
        "CrystallinePatches at pixel_size_A = 6.0",
    ),
    (
        "membranes: [{class_path: cryoccd.scene.membranes.vesicles.Vesicles, "
        "init_args: {thickness_A: 5}}]",
        "thickness_A = 5",
    ),
    ("tilts: {lowest_deg: -90}", "lowest_deg = -90"),
    (
        "tilts: {step_deg: 20}\n"
        "artefacts: [{class_path: cryoccd.scene.artefacts.ethane_blobs.EthaneBlobs}]",
        "EthaneBlobs cannot be turned",
    ),
    ("scattering: born", "born"),
]


def refusal(text: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the verb prints; keys of the base that the text has are replaced."""
    new = {line.partition(":")[0] for line in text.splitlines()}
    kept = [line for line in BASE.splitlines() if line.partition(":")[0] not in new]
    config = folder / "set.yaml"
    config.write_text("\n".join([*kept, text]) + "\n")
    assert main(["simulate", "--config", str(config), "--output", str(folder / "out")]) == 2
    assert not (folder / "out").exists()
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


@pytest.mark.parametrize(("text", "words"), CASES, ids=[words for _, words in CASES])
def test_refused(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in refusal(text, tmp_path, capsys)


@pytest.mark.parametrize(
    ("shape", "voxel_A", "words"),
    [
        ((4, 12, 12), 48.0, "cover 96 x 96 px"),
        ((4, 10, 12), 48.0, "cover 96 x 80 px, expected the field's 96 x 96 px"),
        ((4, 12, 12), 50.0, "expected a whole multiple of pixel_size_A"),
    ],
)
def test_a_label_volume_of_another_size(
    shape: tuple[int, int, int],
    voxel_A: float,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_mrc(tmp_path / "cell.mrc", np.ones(shape, np.int8), voxel_A, "labels")
    text = f"backdrop: {{path: {tmp_path / 'cell.mrc'}, densities_V: {{1: 0.5}}}}"
    if words.startswith("cover 96 x 96"):  # the right size: only the label can be wrong
        text = text.replace("{1:", "{2:")
        words = "has no label 2"
    assert words in refusal(text, tmp_path, capsys)
