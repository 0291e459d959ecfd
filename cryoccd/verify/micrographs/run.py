"""All checks of a set, from bytes to reconstruction."""

from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.progress import progress_bar
from cryoccd.verify.files import check_checksums, check_headers
from cryoccd.verify.finding import Finding, merged
from cryoccd.verify.micrographs.geometry import check_geometry
from cryoccd.verify.micrographs.instances import check_instances
from cryoccd.verify.micrographs.maps import check_named, read_maps
from cryoccd.verify.micrographs.tables import check_tables


def verify_micrographs(
    dataset: Dataset,
    count: int = 2000,
    images: str | None = None,
    maps: Path | None = None,
) -> list[Finding]:
    """Verdict on each family of labels of a set of micrographs.

    Args:
        dataset: the set.
        count: particles of each map to reconstruct from.
        images: clean or micrographs; by default clean where the set has it.
        maps: folder of species maps; by default that of the set.

    Raises:
        CryoccdError: images that the set has not, or maps of none of its species.
    """
    kind = images or ("clean" if (dataset.root / "clean").is_dir() else "micrographs")
    if kind not in ("clean", "micrographs") or not (dataset.root / kind).is_dir():
        raise CryoccdError(f"images = {kind}: not in {dataset.root}, expected micrographs or clean")
    labelled = (dataset.root / "instances").is_dir()
    folder = maps or dataset.root / "species"
    known = maps is not None or folder.is_dir()
    projectors = read_maps(folder, dataset.pixel_size_A) if known else {}
    if maps is not None:
        check_named(maps, projectors, dataset)
    with progress_bar() as progress:
        files = progress.add_task("checksums", total=len(dataset.manifest["files"]))
        findings = [check_checksums(dataset, lambda: progress.advance(files))]
        findings += [*check_headers(dataset), check_tables(dataset)]
        if labelled:
            labels = progress.add_task("instances", total=len(dataset.names))
            findings.append(check_instances(dataset, lambda: progress.advance(labels)))
        if projectors:
            steps = progress.add_task("geometry", total=2 + len(projectors))
            findings += check_geometry(
                dataset, projectors, kind, count, lambda: progress.advance(steps)
            )
    return merged(findings)
