"""`cryoccd fetch`: structures, maps, micrographs and weights from public archives, cached."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryoccd.io.paper_set import PaperSet


def run(argv: list[str]) -> None:
    """Fetch entries; what is in the cache already needs no network.

    Raises:
        CryoccdError: an unknown argument or identifier, no such entry, or no network.
    """
    from jsonargparse import ArgumentParser

    from cryoccd.cli.parse import config_files, underscored
    from cryoccd.io.fetch_entries import parse_entry
    from cryoccd.io.paper_set import PAPER_SETS, find_paper_set
    from cryoccd.io.refusal import one_line

    parser = ArgumentParser(
        prog="cryoccd fetch", description=__doc__, exit_on_error=False, allow_abbrev=False
    )
    parser.add_argument("--config", action="config", help="YAML file with any of the options")
    parser.add_argument(
        "entry",
        nargs="+",
        help="pdb:1PMA, alphafold:P12345, emdb:1234, empiar:10028 (micrographs of a data set of "
        "--sets), weights:inception or weights:clip",
    )
    parser.add_argument(
        "--cache", type=Path, help="folder, by default $CRYOCCD_CACHE or ~/.cache/cryoccd"
    )
    parser.add_argument(
        "--mirror",
        help="address that serves a cache folder, asked instead of the public archives; by default "
        "$CRYOCCD_MIRROR",
    )
    parser.add_argument(
        "--limit", type=int, help="micrographs of an EMPIAR entry, by default all of the data set"
    )
    parser.add_argument(
        "--sets", type=Path, default=PAPER_SETS, help="folder that tells where their files lie"
    )
    argv = underscored(argv)
    with one_line(parser, config_files(argv)):
        settings = parser.parse_args(argv)
    papers = {}
    for identifier in settings.entry:
        if identifier.startswith("empiar:"):
            papers[identifier] = find_paper_set(identifier, settings.sets)
        else:
            parse_entry(identifier)
    others = [identifier for identifier in settings.entry if identifier not in papers]
    _fetch_all(others, settings.cache, settings.mirror)
    for paper in papers.values():
        _fetch_paper(paper, settings.limit, settings.cache, settings.mirror)


def _fetch_all(identifiers: list[str], cache: Path | None, mirror: str | None) -> None:
    from rich.progress import TaskID
    from rich.text import Text

    from cryoccd.io.fetch import fetch, recommended_contour
    from cryoccd.io.progress import progress_bar

    with progress_bar() as bar:
        for identifier in identifiers:
            task = bar.add_task(f"{identifier}, kB", total=None)

            def show(done: int, total: int | None, task: TaskID = task) -> None:
                bar.update(task, completed=done // 1000, total=total and total // 1000)

            path = fetch(identifier, cache, mirror, on_progress=show)
            bar.update(task, completed=1, total=1, visible=False)
            bar.print(Text(f"{identifier}: {path}"), soft_wrap=True)
            if identifier.startswith("emdb:"):
                level = recommended_contour(identifier, cache)
                told = "none" if level is None else f"{level:g}"
                bar.print(Text(f"{identifier}: recommended contour {told}"), soft_wrap=True)


def _fetch_paper(
    paper: "PaperSet", limit: int | None, cache: Path | None, mirror: str | None
) -> None:
    from rich.text import Text

    from cryoccd.io.fetch_images import cached_images, fetch_images
    from cryoccd.io.progress import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(f"{paper.identifier}, files", total=None)
        kilobytes = bar.add_task("", total=None)

        def on_file(name: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)
            bar.reset(kilobytes, description=f"{name}, kB", total=None)

        def show(done: int, total: int | None) -> None:
            bar.update(kilobytes, completed=done // 1000, total=total and total // 1000)

        folder = fetch_images(paper, limit, cache, mirror, on_file=on_file, on_progress=show)
        bar.update(task, visible=False)
        bar.update(kilobytes, visible=False)
        count = len(cached_images(paper, cache))
        bar.print(Text(f"{paper.identifier}: {count} micrographs in {folder}"), soft_wrap=True)
