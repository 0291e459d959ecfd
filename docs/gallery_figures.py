"""Renders every configuration of configs/simulate/gallery for docs/gallery.md.

Run `make gallery`, or `python docs/gallery_figures.py [NAME ...]` for some of them.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc
from cryoccd.io.progress import progress_bar
from cryoccd.simulate.config import read_config
from cryoccd.simulate.run import simulate

DOCS = Path(__file__).parent
CONFIGS = DOCS.parent / "configs/simulate/gallery"
GROUPS = {
    "placement": "Placement",
    "orientation": "Orientation",
    "context": "Cellular context",
    "artefact": "Ice and artefacts",
    "imaging": "Imaging",
}
COLOURS = np.array([colormaps["tab20"](k)[:3] for k in range(20)])


def main(names: list[str]) -> None:
    """Render the named configurations, or all, and write the page of all."""
    paths = sorted(CONFIGS.glob("*.yaml"))
    with progress_bar() as progress:
        for path in progress.track(paths, description="gallery"):
            if not names or path.stem in names:
                picture(path).save(DOCS / "gallery" / f"{path.stem}.jpg", quality=80)
    (DOCS / "gallery").mkdir(exist_ok=True)
    (DOCS / "gallery.md").write_text(page(paths))


def picture(path: Path) -> Image.Image:
    """The first micrograph of a configuration beside its instance labels."""
    with tempfile.TemporaryDirectory() as folder:
        config = read_config(path)
        simulate(config, Path(folder) / "set", title=path.stem)
        if config.tilts is not None:
            return tomogram(Path(folder) / "set")
        dataset = Dataset(Path(folder) / "set")
        name = dataset.names[0]
        image, labels = dataset.image(name), dataset.image(name, "instances").astype(int)
        particles = set(dataset.particles_of(name)["instance_id"])
    return Image.fromarray(np.hstack([grey(image), coloured(labels, particles)]))


def tomogram(folder: Path) -> Image.Image:
    """The tilt in the middle of a series beside a slice of its tomogram."""
    (series,) = (folder / "tilts").iterdir()
    (volume,) = (folder / "tomograms").iterdir()
    images, voxels = read_mrc(series)[0], read_mrc(volume)[0]
    depth = len(voxels) // 2
    part = grey(voxels[depth - 1 : depth + 2].mean(0))
    factor = images.shape[1] // part.shape[0]
    slab = part.repeat(factor, axis=0).repeat(factor, axis=1)
    return Image.fromarray(np.hstack([grey(images[len(images) // 2]), slab]))


def grey(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w, 3) with the central 99 % of the values between black and white."""
    low, high = np.percentile(image, [0.5, 99.5])
    scaled = np.clip((image - low) / max(high - low, 1e-12), 0, 1)
    return np.repeat((255 * scaled).astype(np.uint8)[..., None], 3, axis=2)


def coloured(labels: NDArray[np.int_], particles: set[int]) -> NDArray[np.uint8]:
    """(h, w, 3): particles in colours, what is no particle in grey, background white."""
    palette = np.ones((labels.max() + 1, 3))
    for k in range(1, len(palette)):
        palette[k] = COLOURS[k % 20] if k in particles else (0.55 + 0.05 * (k % 4),) * 3
    return (255 * palette[labels]).astype(np.uint8)


def page(paths: list[Path]) -> str:
    """The Markdown page: one picture a configuration, captioned by its first comment."""
    parts = [
        "# Gallery",
        "One small configuration for each law and artefact: on the left the micrograph, on the "
        "right its labels, particles in colours, all else in grey. Each runs as it is:",
        "    cryoccd simulate --config configs/simulate/gallery/placement_cluster.yaml "
        "--output cluster",
        "`make gallery` draws this page. The laws themselves are explained in "
        "[simulate.md](simulate.md).",
    ]
    known = {path.stem: path for path in paths}
    for prefix, heading in GROUPS.items():
        parts.append(f"## {heading}")
        parts += [_entry(path) for stem, path in known.items() if stem.startswith(prefix)]
    rest = [path for stem, path in known.items() if stem.split("_")[0] not in GROUPS]
    parts.append("## Nothing at all")
    parts += [_entry(path) for path in rest]
    return "\n\n".join(parts) + "\n"


def _entry(path: Path) -> str:
    caption = path.read_text().splitlines()[0].removeprefix("# ")
    return (
        f"**{path.stem}**: {caption} ([configuration](../configs/simulate/gallery/{path.name}))"
        f"\n\n![{path.stem}](gallery/{path.stem}.jpg)"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
