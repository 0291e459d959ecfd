"""The one exception that a user sees."""


class CryoccdError(Exception):
    """A fault of the input: one line that names the file or field, the value, and the mend.

    The command line prints it without a traceback and exits with code 2.
    """
