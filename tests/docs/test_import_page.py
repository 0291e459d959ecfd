"""docs/import.md: its example runs, its options are those of the verb."""

import inspect
import re
import shutil
from pathlib import Path

from cryoccd.cli.import_picks import import_picks
from cryoccd.io.dataset import Dataset

PAGE = (Path(__file__).parents[2] / "docs/import.md").read_text(encoding="utf8")


def test_the_example_runs(tmp_path, toy_folders, monkeypatch):
    shutil.copytree(toy_folders[1], tmp_path / "real")
    monkeypatch.chdir(tmp_path)
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    names: dict = {}
    exec(compile(block, "import.md", "exec"), names)
    assert names["picks_px"].shape == (9, 2)
    assert not Dataset(tmp_path / "imported").synthetic


def test_every_option_stands_in_the_page():
    options = set(inspect.signature(import_picks).parameters)
    assert set(re.findall(r"--(\w+)", PAGE)) == options
