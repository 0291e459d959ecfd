"""`python -m cryoccd VERB ...`: the command line by this very interpreter."""

from cryoccd.cli import entry

if __name__ == "__main__":
    entry()
