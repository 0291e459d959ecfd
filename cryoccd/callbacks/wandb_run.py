"""A run of Weights & Biases that stays in one folder and tells nothing of the machine.

W&B keeps a cache and staged files in the home folder, where they fill quotas; here they lie in
`FOLDER/wandb` beside the run. Code, console, packages, host and system metrics are not recorded.
wandb is imported when a run is opened and not before.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cryoccd.errors import CryoccdError

if TYPE_CHECKING:
    from wandb import Run

Mode = Literal["auto", "online", "offline"]

PROJECT = "cryoccd"
_FOLDERS = ("WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")
_FLUSH_SECONDS = 0.1  # what a killed run may lose; wandb's own 15 s are all of a short run


@contextmanager
def files_within(folder: Path) -> Iterator[None]:
    """Have wandb write nothing outside of `folder`, by the variables that it reads.

    Its process ends with the block: the next runs have places of their own.
    """
    before = dict(os.environ)
    for name in _FOLDERS:
        kind = name.removeprefix("WANDB_").removesuffix("_DIR").lower()
        os.environ[name] = str(folder.absolute() / "wandb" / kind)
    try:
        yield
    finally:
        if wandb := sys.modules.get("wandb"):
            wandb.teardown()
        for name in _FOLDERS:
            os.environ.pop(name)
            os.environ |= {name: before[name]} if name in before else {}


def open_run(folder: Path, mode: Mode, **details: Any) -> "Run":
    """Open a run below `folder`, inside `files_within`.

    Args:
        folder: of the run; W&B's own is `folder/wandb/offline-run-TIME-ID`, or `run-TIME-ID`.
        mode: auto is online where there is a login, else offline.
        details: of `wandb.init`: id, project, name, config and so on.

    Raises:
        CryoccdError: wandb refuses, such as a login that the server does not know.
    """
    import wandb

    folder.mkdir(parents=True, exist_ok=True)  # else wandb takes a temporary one
    settings = wandb.Settings(
        silent=True,
        console="off",
        save_code=False,
        disable_code=True,
        disable_git=True,
        host="",
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        x_transaction_log_flush_interval=_FLUSH_SECONDS,
    )
    try:
        return wandb.init(
            dir=folder.absolute(), mode=resolved(mode), settings=settings, resume="allow", **details
        )
    except wandb.Error as error:
        raise CryoccdError(f"W&B: {error}; take mode offline, and upload later") from error


def resolved(mode: Mode) -> Literal["online", "offline"]:
    """Whether a run is online: `auto` is where there is a login and WANDB_MODE is not offline."""
    if mode == "auto":
        offline = os.environ.get("WANDB_MODE") in ("offline", "dryrun", "disabled")
        return "online" if not offline and logged_in() else "offline"
    return mode


def logged_in() -> bool:
    """Whether wandb finds a key in the environment, in netrc or in its settings; asks no server.

    Raises:
        CryoccdError: it finds one that is malformed.
    """
    from wandb.errors import AuthenticationError

    # what wandb.init asks; the public wandb.setup() would start a process
    from wandb.sdk import wandb_setup
    from wandb.sdk.lib import wbauth

    host = wandb_setup.singleton().settings.base_url
    try:
        known = wbauth.authenticate_session(
            host=host, source="cryoccd", prompt=False, update_session=False
        )
    except AuthenticationError as error:
        raise CryoccdError(f"W&B: {error}; mend it, or take mode offline") from error
    return known is not None


def where(run: "Run") -> str:
    """One line: where a run is, and how it comes to W&B's site."""
    if run.offline:
        folder = Path(run.settings.sync_dir)
        near = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        return f"W&B: offline run; upload it with: wandb sync {near}"
    return f"W&B: {run.url}"
