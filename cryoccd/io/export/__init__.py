"""Dataset folders in the words of other programs, one file a format."""
