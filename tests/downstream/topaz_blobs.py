"""Small folders of dark blobs in noise as 16-bit TIFF, whose picks are exact."""

import numpy as np
import tifffile
import yaml

DIAMETER_A = 64.0  # 16 px of 4 A


def draw(side_px, pixel_size_A, seed, noise_sd, count):
    """A micrograph of blobs whose sigma is a quarter of their diameter, and their centres."""
    rng = np.random.default_rng(seed)
    across = DIAMETER_A / pixel_size_A
    height, width = side_px
    centres = []
    while len(centres) < count:
        point = rng.uniform(across, np.array([width, height]) - across)
        if all(np.hypot(*(point - other)) > 1.5 * across for other in centres):
            centres.append(point)
    y, x = np.indices(side_px)
    image = np.zeros(side_px)
    for cx, cy in centres:
        image -= np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (across / 4) ** 2))
    return image + rng.normal(0, noise_sd, side_px), np.reshape(centres, (-1, 2))


def write_blobs(root, splits, side_px=(256, 240), pixel_size_A=4.0, noise_sd=1.0, seed=0, count=14):
    """A plain folder; `splits` holds the split of each micrograph by its name.

    A micrograph called "empty" has no blobs.
    """
    (root / "picks").mkdir(parents=True)
    (root / "micrographs").mkdir()
    for i, name in enumerate(splits):
        n = 0 if name == "empty" else count
        image, centres = draw(side_px, pixel_size_A, seed + i, noise_sd, n)
        counts = np.round(30000 + 4000 * image).astype(np.uint16)
        tifffile.imwrite(root / "micrographs" / f"{name}.tif", counts)
        rows = ["x_px,y_px", *(f"{x:.4f},{y:.4f}" for x, y in centres)]
        (root / "picks" / f"{name}.csv").write_text("\n".join(rows) + "\n")
    rows = ["micrograph,split", *(f"{name},{split}" for name, split in splits.items())]
    (root / "split.csv").write_text("\n".join(rows) + "\n")
    optics = {"pixel_size_A": pixel_size_A, "particle_diameter_A": DIAMETER_A}
    (root / "optics.yaml").write_text(yaml.safe_dump(optics))
    return root
