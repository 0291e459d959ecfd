"""Labels proven: files, tables and instances by their own rules, geometry by reconstruction."""
