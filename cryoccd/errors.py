"""The one exception that a user sees."""


class CryoccdError(Exception):
    """A fault of the input: one line that names the file or field, the value, and the mend.

    The command line prints it without a traceback and exits with code 2.
    """


class UnfitError(CryoccdError):
    """What is asked of a method cannot be: a fit to this data, or more steps than it has levels.

    A table notes it in the cell and goes on.
    """


def check_within(name: str, value: float, low: float, high: float, unit: str) -> None:
    """Refuse a value outside [low, high], NaN among them.

    Raises:
        CryoccdError: it names the field, the value, the limits and the unit.
    """
    if not low <= value <= high:
        raise CryoccdError(f"{name} = {value}, expected {low:g} to {high:g} ({unit})")


def check_range(name: str, bounds: tuple[float, float], low: float, high: float, unit: str) -> None:
    """Refuse a pair that is not [least, largest] within [low, high].

    Raises:
        CryoccdError: it names the field, the value, the limits and the unit.
    """
    if not low <= bounds[0] <= bounds[1] <= high:
        raise CryoccdError(
            f"{name} = {list(bounds)}, expected [low, high] within {low:g} to {high:g} ({unit})"
        )


class Stopped(KeyboardInterrupt):
    """A signal has asked a fit to stop, and its checkpoint is written.

    Args:
        number: of the signal; a command that it stops ends with exit code 128 + number.
        speaks: whether this process is the one of several that tells of it.
    """

    def __init__(self, number: int, speaks: bool) -> None:
        super().__init__(number, speaks)
        self.number, self.speaks = number, speaks
