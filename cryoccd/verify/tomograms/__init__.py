"""Labels of tilt series: tables, and geometry by subtomograms."""
