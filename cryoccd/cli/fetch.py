"""`cryoccd fetch`: structures, maps and weights of networks from public archives into the cache."""

from pathlib import Path


def run(argv: list[str]) -> None:
    """Fetch entries; what is in the cache already needs no network.

    Raises:
        CryoccdError: an unknown argument or identifier, no such entry, or no network.
    """
    from jsonargparse import ArgumentParser

    from cryoccd.cli.parse import config_files, underscored
    from cryoccd.io.fetch_entries import parse_entry
    from cryoccd.io.refusal import one_line

    parser = ArgumentParser(
        prog="cryoccd fetch", description=__doc__, exit_on_error=False, allow_abbrev=False
    )
    parser.add_argument("--config", action="config", help="YAML file with any of the options")
    parser.add_argument(
        "entry",
        nargs="+",
        help="pdb:1PMA, alphafold:P12345, emdb:1234, weights:inception or weights:clip",
    )
    parser.add_argument(
        "--cache", type=Path, help="folder, by default $CRYOCCD_CACHE or ~/.cache/cryoccd"
    )
    parser.add_argument(
        "--mirror",
        help="address that serves a cache folder, asked instead of the public archives; by default "
        "$CRYOCCD_MIRROR",
    )
    argv = underscored(argv)
    with one_line(parser, config_files(argv)):
        settings = parser.parse_args(argv)
    for identifier in settings.entry:
        parse_entry(identifier)
    _fetch_all(settings.entry, settings.cache, settings.mirror)


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
