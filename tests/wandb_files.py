"""What offline runs of W&B hold, read from their files.

The format is wandb's own and not public: LevelDB's log (blocks of 32 KiB; records of CRC, length,
kind and payload) behind 7 bytes, each record a protobuf message. Pinned by `test_the_reader_agrees`
against `wandb leet inspect`.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_BLOCK, _HEADER = 32768, 7


@dataclass
class Run:
    """One file of a run."""

    path: Path
    id: str = ""
    name: str = ""
    group: str = ""
    job_type: str = ""
    project: str = ""
    host: str = ""
    tags: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    artifacts: list[Any] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)


def runs_below(folder: Path) -> list[Run]:
    """The offline runs below a folder, by the time at which they began."""
    paths = folder.rglob("offline-run-*/run-*.wandb")
    return [read(path) for path in sorted(paths, key=lambda p: p.parent.name)]


def read(path: Path) -> Run:
    run = Run(path)
    for record in records(path):
        kind = record.WhichOneof("record_type")
        run.kinds.add(kind)
        if kind == "run":
            message = record.run
            run.id, run.name, run.project = message.run_id, message.display_name, message.project
            run.group, run.job_type, run.host = message.run_group, message.job_type, message.host
            run.tags = tuple(message.tags)
            run.config |= {i.key: json.loads(i.value_json) for i in message.config.update}
        elif kind == "config":
            run.config |= {i.key: json.loads(i.value_json) for i in record.config.update}
        elif kind == "history":
            run.rows.append({_key(i): json.loads(i.value_json) for i in record.history.item})
        elif kind == "summary":
            for item in record.summary.update:
                *above, last = item.nested_key or [item.key]
                place = run.summary
                for key in above:
                    if not isinstance(place.get(key), dict):
                        place[key] = {}
                    place = place[key]
                place[last] = json.loads(item.value_json)
        elif kind == "metric":
            run.metrics[record.metric.name or record.metric.glob_name] = record.metric
        elif kind == "artifact":
            run.artifacts.append(record.artifact)
    return run


def records(path: Path) -> Iterator[Any]:
    from wandb.proto import wandb_internal_pb2

    data, at, whole = path.read_bytes(), _HEADER, b""
    while at + _HEADER <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        whole += data[at + _HEADER : at + _HEADER + length]
        at += _HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            whole = b""
            yield record


def _key(item: Any) -> str:
    return item.key or ".".join(item.nested_key)
