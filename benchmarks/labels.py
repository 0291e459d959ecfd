"""Labels beside an independent program, and the speed of exports.

    python benchmarks/labels.py oracle --output FOLDER [--micrographs 200] [--workers 2]
    python benchmarks/labels.py export [--count 1000]
    python benchmarks/labels.py perfect --output FOLDER

`oracle`: the oracle microscope (ice noise, camera, dose, another renderer than the simulator) makes
micrographs of a particle without symmetry; they and their truth go through `cryoccd import` and
`cryoccd export --format relion`; the map is reconstructed by relion_reconstruct and by ours from
the same 5,000 particles and compared with the map of the structure. `perfect`: the same without
noise, configs/simulate/verify-c1.yaml. `export`: micrographs a second and peak memory without
stacks, 100 particles each.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import starfile
import torch

from cryoccd.data.oracle_truth import import_truth
from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.run import FORMATS, export_micrographs
from cryoccd.io.mrc import read_mrc
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics
from cryoccd.simulate.config import read_config
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_styles import STYLES
from cryoccd.simulate.oracle_styles.style import Ingredient
from cryoccd.simulate.run import simulate
from cryoccd.specimen.species import load_species
from cryoccd.verify.micrographs.by_reconstruction import reconstructed
from cryoccd.verify.micrographs.images import Images
from cryoccd.verify.micrographs.sample import Sample
from cryoccd.verify.readings import Reading
from cryoccd.verify.shells import Curve, shell_correlation

SPECIES, PIXEL_A, BOX_PX, PARTICLES = "assembly:lobed_c1", 3.0, 64, 5000
CONFIGS = Path(__file__).parents[1] / "configs/simulate"


def main() -> None:
    """Print the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("--output", type=Path)
    parser.add_argument("--micrographs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--count", type=int, default=1000)
    options = parser.parse_args()
    PARTS[options.part](options)


def oracle(options: argparse.Namespace) -> None:
    """Both reconstructions from noisy micrographs."""
    root = options.output
    style = replace(
        STYLES["thin_ice"],
        name="labels",
        ingredients=(Ingredient(SPECIES, 1.0, 115),),
        shape_px=(512, 512),
        pixel_size_A=PIXEL_A,
        diameter_A=115,
    )
    write_oracle(style, root / "oracle", options.micrographs, 0, 0, workers=options.workers)
    import_truth(root / "oracle", root / "imported", split="train")
    _compare(root / "imported", root / "relion", "micrographs", PARTICLES)


def perfect(options: argparse.Namespace) -> None:
    """Both reconstructions from noise-free micrographs."""
    root = options.output
    config = read_config(CONFIGS / "verify-c1.yaml")
    simulate(config, root / "simulated", options.workers, resume=True)
    _compare(root / "simulated", root / "relion", "clean", 2000)


def export(options: argparse.Namespace) -> None:
    """Speed of each format without stacks, and how memory grows with the number."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for count in (options.count // 10, options.count):
            _many(root / f"set{count}", count)
        for format in FORMATS:
            if format == "cryodrgn":  # nothing but a stack
                continue
            choices = ExportOptions(stacks=False, box_px=32, particle_diameter_A=100.0)
            for count in (options.count // 10, options.count):
                output = root / f"{format}{count}"
                begun = time.perf_counter()
                export_micrographs(Dataset(root / f"set{count}"), format, output, choices)
                seconds = time.perf_counter() - begun
                print(
                    f"{format}: {count} micrographs, {count / seconds:.0f} a second, "
                    f"peak of the process {peak_MB():.0f} MB"
                )


def _compare(root: Path, output: Path, kind: str, count: int) -> None:
    dataset = Dataset(root)
    if not output.exists():
        export_micrographs(dataset, "relion", output, ExportOptions(box_px=BOX_PX))
    blocks = starfile.read(output / "particles.star")
    rows = blocks["particles"].iloc[:count]
    starfile.write({"optics": blocks["optics"], "particles": rows}, output / "chosen.star")
    command = ["relion_reconstruct", "--i", "chosen.star", "--o", "map.mrc", "--ctf"]
    subprocess.run(command, cwd=output, check=True, capture_output=True)
    volume = load_species(SPECIES, PIXEL_A, BOX_PX)[1]
    theirs = torch.from_numpy(read_mrc(output / "map.mrc")[0])
    sample = Sample("particle", _as_truth(rows), isolated=False)
    ours = reconstructed(Images(dataset, kind, Reading()), Projector(volume), sample)
    mirror = torch.roll(volume.values.flip(-1), 1, -1)
    print(f"{len(rows)} particles of {BOX_PX} px, {PIXEL_A:g} A/px, {kind}")
    for name, found in (("relion_reconstruct", theirs), ("ours", ours)):
        curve = Curve(shell_correlation(found, volume.values), PIXEL_A)
        other = Curve(shell_correlation(found, mirror), PIXEL_A)
        print(
            f"{name}: FSC 0.5 at {curve.resolution_A():.2f} A, 0.143 at "
            f"{curve.resolution_A(0.143):.2f} A, least to 0.8 Nyquist {curve.lowest():.4f}; "
            f"mirror 0.5 at {other.resolution_A():.2f} A, mean {other.mean():.3f}"
        )


def _as_truth(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of particles.star in the columns of the truth."""
    truth = pd.DataFrame({"micrograph": rows.rlnMicrographName.map(lambda name: Path(name).stem)})
    for axis in "XY":
        origin_px = rows[f"rlnOrigin{axis}Angst"] / PIXEL_A
        truth[f"{axis.lower()}_px"] = rows[f"rlnCoordinate{axis}"] - origin_px
    truth["rot_deg"], truth["tilt_deg"] = rows.rlnAngleRot, rows.rlnAngleTilt
    truth["psi_deg"] = rows.rlnAnglePsi
    truth["defocus_u_A"], truth["defocus_v_A"] = rows.rlnDefocusU, rows.rlnDefocusV
    return truth


def _many(root: Path, count: int) -> None:
    """A set of small images with 100 particles each."""
    generator = np.random.default_rng(0)
    optics = Optics(300, 2.7, 0.1, 4.0, 15000, 15000)
    writer = DatasetWriter(root, {"benchmark": count})
    names = [f"mic_{index:05d}" for index in range(count)]
    labels = torch.zeros(256, 256, dtype=torch.int32)
    grid = torch.arange(100, dtype=torch.int32).reshape(10, 10) + 1
    labels[3:253:25, 3:253:25] = grid
    for name in names:
        rows = pd.DataFrame(
            generator.uniform(0, 360, (100, len(PARTICLE_COLUMNS))), columns=list(PARTICLE_COLUMNS)
        )
        rows["instance_id"], rows["species"], rows["conformation"] = range(1, 101), "blob", 0
        rows["x_A"], rows["y_A"] = generator.uniform(0, 1020, (2, 100))
        rows["on_edge"] = False
        image = torch.rand(256, 256) + 1
        writer.write(Item(name, Exposure(image, labels, torch.ones(32, 32), rows, optics), 0))
    writer.finish(names)


def peak_MB() -> float:
    """Most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


PARTS = {"oracle": oracle, "perfect": perfect, "export": export}

if __name__ == "__main__":
    main()
