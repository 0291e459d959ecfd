"""The one exception that a user sees."""


class CryoccdError(Exception):
    """A fault of the input: one line that names the file or field, the value, and the mend.

    The command line prints it without a traceback and exits with code 2.
    """


class UnfitError(CryoccdError):
    """A method that cannot be fitted to this data; a table notes it in the cell and goes on."""
