"""Headers of the images, tomograms and maps of a set of tilt series."""

import pandas as pd

from cryoccd.io.dataset import TomogramSet
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.verify.files import first_of, header_faults, size_faults
from cryoccd.verify.finding import Finding


def check_tomogram_headers(tomograms: TomogramSet, tilts: pd.DataFrame) -> list[Finding]:
    """Shape, kind and mark of every file, and sizes of pixels and voxels by the tables."""
    faults: list[str] = []
    sizes: list[str] = []
    table = tomograms.tomograms
    counts = tilts["tomogram"].value_counts()
    columns = (table[name] for name in ("tomogram", "pixel_size_A", "voxel_size_A"))
    for name, pixel_size_A, voxel_size_A in zip(*columns, strict=True):
        stack = tomograms.root / "tilts" / f"{name}.mrcs"
        volume = tomograms.root / "tomograms" / f"{name}.mrc"
        shape = read_mrc_shape(stack)[-2:]
        binned = tuple(_binned(side, round(voxel_size_A / pixel_size_A)) for side in shape)
        faults += header_faults(tomograms, stack, (int(counts.get(name, 0)), *shape), "f4")
        faults += header_faults(tomograms, volume, binned, "f4")
        sizes += size_faults(tomograms, stack, float(pixel_size_A))
        sizes += size_faults(tomograms, volume, float(voxel_size_A))
    maps = sorted(tomograms.species_maps.values())
    for path in maps:
        edge = read_mrc_shape(path)[-1]
        faults += header_faults(tomograms, path, (edge,) * 3, "f4")
        sizes += size_faults(tomograms, path, float(table["pixel_size_A"].iloc[0]))
    count = 2 * len(table) + len(maps)
    found = Finding("headers", "pass", f"{count} files: size, kind and mark are right")
    scale = Finding("pixel size", "pass", f"{count} headers agree with the tables")
    if faults:
        found = Finding("headers", "FAIL", first_of(faults))
    if sizes:
        scale = Finding("pixel size", "FAIL", first_of(sizes))
    return [found, scale]


def _binned(side: int, binning: int) -> int:
    """Voxels along an axis of the tomogram: images are cut to multiples of two voxels."""
    return side if binning == 1 else side // (2 * binning) * 2
