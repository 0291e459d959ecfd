"""What a user asks for of a matrix: rows, column groups and figures, by their names."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from cryoccd.errors import CryoccdError
from cryoccd.launch.matrix import ALL, DatasetSpec, Matrix, known_methods
from cryoccd.launch.variants import Check


def choose_metrics(wanted: Sequence[str], added: Sequence[str], of: Collection[str]) -> list[str]:
    """Columns of each group: those of networks whose weights are given, then the wanted ones.

    Args:
        wanted: names.
        added: of networks.
        of: every figure that the table has without them.

    Raises:
        CryoccdError: a name that no figure has.
    """
    known = {*of, *added}
    if unknown := [name for name in wanted if name not in known]:
        raise CryoccdError(
            f"metrics: {', '.join(unknown)} unknown; known are {', '.join(sorted(known))}"
        )
    return list(dict.fromkeys([*added, *wanted]))


def select(matrix: Matrix, methods: Sequence[str] | None, datasets: Sequence[str] | None) -> Matrix:
    """The matrix with some of its rows and column groups.

    Args:
        matrix: the whole.
        methods: any rows, also methods that the matrix does not name; ["all"] for all variants,
            or without any for every method that has a configuration; None for those of the matrix.
        datasets: some of its data sets; ["all"] for all; None for its default.

    Raises:
        CryoccdError: a name is unknown.
    """
    if methods is None:
        methods = matrix.methods
    elif list(methods) == [ALL]:
        # those of the matrix first, in its order
        known = matrix.variants or known_methods(matrix.family)
        methods = list(dict.fromkeys([*matrix.methods, *known]))
    columns = chosen("styles", datasets or matrix.default_datasets or [ALL], matrix.datasets)
    selected = replace(matrix, methods=list(methods), datasets=columns)
    configs = {row: selected.method_configs(row) for row in selected.methods}
    changed = {row: matrix.variants[row] for row in configs if row in matrix.variants}
    if changed:
        check = Check(matrix.family)
        for row, variant in changed.items():
            check(row, variant, configs[row])
    return selected


def chosen(field: str, names: Sequence[str], specs: Sequence[DatasetSpec]) -> list[DatasetSpec]:
    """The data sets of some names, or of ["all"], in the order of the names.

    Raises:
        CryoccdError: a name is unknown.
    """
    if list(names) == [ALL]:
        return list(specs)
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise CryoccdError(
                f"{field}: {name!r} is unknown, expected of {', '.join(known)}, or {ALL}"
            )
    return [known[name] for name in names]
