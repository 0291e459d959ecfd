"""How well the pose estimator learns poses, on images whose poses are known.

    python benchmarks/poses.py --output FOLDER [--images 51200] [--workers 2]

Trains on 12,000 simulated particles of 48 px and tests on others, of two kinds: those of the
simulator, and those of the oracle microscope (another renderer, other scattering factors) with its
ice noise, damage and shot noise switched off. White noise at SNR 0.1 is added to both sides where a
row says so. Prints a row a case, and what its estimator cost.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from time import process_time

from cryoccd.data.oracle_truth import import_truth
from cryoccd.downstream.pose.boxes import BoxOptions, read_particles
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.train import fit_pose
from cryoccd.metrics.pose.report import pose_errors
from cryoccd.simulate.config import read_config
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_styles import STYLES
from cryoccd.simulate.oracle_styles.style import Ingredient
from cryoccd.simulate.run import simulate

CONFIG = Path(__file__).parents[1] / "configs/simulate/verify-c1.yaml"
PIXEL_A = {"lobed_c1": 3.0, "barrel_d7": 4.0}
GROUP = {"lobed_c1": "C1", "barrel_d7": "D7"}
DIAMETER_A = {"lobed_c1": 115.0, "barrel_d7": 150.0}
SNR, BOX_PX = 0.1, 64


def main() -> None:
    """Print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--images", type=int, default=51_200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    lines = [
        "Errors in degrees: value [95 % interval over micrographs], chance.",
        "",
        "| particle | SNR | tested on | n | median | mean | view, median | CPU min |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for name, snr in (("lobed_c1", None), ("lobed_c1", SNR), ("barrel_d7", None)):
        lines += _case(name, snr, options)
    (options.output / "poses.md").write_text("\n".join(lines) + "\n", encoding="utf8")
    print("\n".join(lines))


def _case(name: str, snr: float | None, options: argparse.Namespace) -> list[str]:
    """A row for each kind of test image."""
    root = options.output
    clean = BoxOptions(kind="clean", box_A=BOX_PX * PIXEL_A[name])
    training = read_particles(_simulated(name, 240, 1, options), clean)
    tests = {
        "simulator": read_particles(_simulated(name, 40, 2, options), clean),
        "oracle": read_particles(_oracle(name, options), replace(clean, kind="micrographs")),
    }
    config = PoseConfig(images=options.images, symmetry=GROUP[name], snr=snr, boxes=clean)
    file = root / f"{name}{'' if snr is None else '-noisy'}-{options.seed}.safetensors"
    begun = process_time()
    estimator = fit_pose(config, training, options.seed, file, accelerator="cpu")
    minutes = (process_time() - begun) / 60
    lines = []
    for where, images in tests.items():
        seen = images if snr is None else images.at_snr(snr, seed=99)
        group = estimator.operators.double().cpu()
        errors = pose_errors(seen.poses, estimator.estimate(seen), group, seen.micrographs)
        row = [name, f"{snr or 'none'}", where, f"{len(seen)}"]
        for figure in ("geodesic_median_deg", "geodesic_mean_deg", "view_median_deg"):
            score = errors.unaligned[figure]
            ends = score.interval
            row.append(f"{score.value:.1f} [{ends.low:.1f}, {ends.high:.1f}], {score.chance:.0f}")
        lines.append(f"| {' | '.join([*row, f'{minutes:.1f}'])} |")
    return lines


def _simulated(name: str, count: int, seed: int, options: argparse.Namespace) -> Path:
    """Micrographs of 1024 px with about 50 whole particles each, none near another."""
    config, pixel_A = read_config(CONFIG), PIXEL_A[name]
    box_A = BOX_PX * pixel_A
    particles = replace(
        config.particles, min_distance_A=2**0.5 * box_A, edge_distance_A=0.52 * box_A
    )
    species = replace(config.species[0], source=f"assembly:{name}")
    config = replace(config, species=[species], particles=particles, pixel_size_A=pixel_A)
    config = replace(config, count=count, seed=seed)
    root: Path = options.output / f"{name}-simulated-{seed}"
    simulate(config, root, options.workers, resume=True)
    return root


def _oracle(name: str, options: argparse.Namespace) -> Path:
    """Particles of the oracle without its noise, damage, crystals or other species."""
    root: Path = options.output / f"{name}-oracle"
    size_A = DIAMETER_A[name]
    style = replace(
        STYLES["thin_ice"],
        name=f"quiet_{name}",
        ingredients=(Ingredient(f"assembly:{name}", 1.0, size_A),),
        diameter_A=size_A,
        shape_px=(1024, 1024),
        pixel_size_A=PIXEL_A[name],
        particles_per_um2=300.0,  # few neighbours within a box, as in the training set
        detector=replace(STYLES["thin_ice"].detector, gain_residue_rms=0.0),
        ice_noise=0.0,
        damage_A2_per_e=0.0,
        dose_e_per_A2=1e6,
        contaminants=0.0,
    )
    write_oracle(style, root, 1, 40, 0, workers=options.workers)
    import_truth(root, root.with_name(f"{name}-truth"))
    return root.with_name(f"{name}-truth")


if __name__ == "__main__":
    main()
