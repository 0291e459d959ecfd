"""Labels of micrographs: tables, instances, and geometry by reconstruction."""
