"""Which micrographs a report looks at."""

from collections.abc import Sequence

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.part import Part
from cryoccd.errors import CryoccdError


def part_of(report: str, data: CryoDataModule, index: int) -> Part:
    """One of the pairs of folders of the data.

    Raises:
        CryoccdError: there is no such pair.
    """
    if not 0 <= index < len(data.parts):
        raise CryoccdError(f"{report}: part = {index}, expected 0 to {len(data.parts) - 1}")
    return data.parts[index]


def held_out_first(
    report: str, count: int, held_out: Sequence[str], trained: Sequence[str]
) -> tuple[str, ...]:
    """The first micrographs of a side: of those held out, or of all where none are.

    Raises:
        CryoccdError: there are not as many.
    """
    names, kind = (held_out, "held out") if held_out else (trained, "there")
    if len(names) < count:
        raise CryoccdError(
            f"{report}: micrographs = {count}, expected at most {len(names)}, as many as are "
            f"{kind} on a side; see the data's validation"
        )
    return tuple(names[:count])
