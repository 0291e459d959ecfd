"""The layer contracts of pyproject.toml hold."""

import os
import subprocess
import sys
from pathlib import Path


def test_import_contracts():
    command = Path(sys.executable).parent / "lint-imports"
    environment = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run([command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout
    assert "4 kept, 0 broken" in done.stdout
