"""Small untrusted files, read whole or refused in one line: JSON, YAML and Parquet."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import yaml

from cryoccd.errors import CryoccdError


def read_json(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds.

    Raises:
        CryoccdError: the file is absent, no JSON, or holds no object.
    """
    _check_file(path)
    try:
        values = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise CryoccdError(f"{path}: not readable as JSON ({_reason(error)}); remove it") from error
    if not isinstance(values, dict):
        raise CryoccdError(f"{path}: no JSON object; remove it")
    return values


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        CryoccdError: the file is absent, no text, no YAML, or holds no mapping.
    """
    _check_file(path)
    try:
        return parse_yaml(path.read_text(encoding="utf8"), path)
    except (OSError, ValueError) as error:
        raise CryoccdError(f"{path}: not readable as text ({_reason(error)}); mend it") from error


def parse_yaml(text: str, path: Path) -> dict[str, Any]:
    """The mapping that a YAML text holds; `path` names it.

    Raises:
        CryoccdError: no YAML, or no mapping.
    """
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CryoccdError(f"{path}: not readable as YAML ({_reason(error)}); mend it") from error
    if not isinstance(values, dict):
        raise CryoccdError(f"{path}: no YAML mapping, expected lines KEY: VALUE; write them")
    return values


def read_parquet(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table with at least the given columns.

    Raises:
        CryoccdError: the file is absent, no Parquet, or lacks a column.
    """
    check_parquet(path, columns)
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are one or the other
        raise _no_parquet(path, error) from error


def check_parquet(path: Path, columns: tuple[str, ...]) -> None:
    """Refuse a table without these columns, by its schema alone.

    Raises:
        CryoccdError: the file is absent, no Parquet, or lacks a column.
    """
    _check_file(path)
    try:
        known = pq.read_schema(path).names
    except (OSError, ValueError) as error:
        raise _no_parquet(path, error) from error
    missing = [column for column in columns if column not in known]
    if missing:
        raise CryoccdError(f"{path}: lacks the column {missing[0]}; make it again")


def _no_parquet(path: Path, error: Exception) -> CryoccdError:
    return CryoccdError(f"{path}: not readable as Parquet ({_reason(error)}); make it again")


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, yaml.MarkedYAMLError) and mark is not None:
        return f"line {mark.line + 1}: {error.problem}"
    return getattr(error, "strerror", None) or " ".join(str(error).split())
