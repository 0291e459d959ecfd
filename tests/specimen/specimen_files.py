"""Small structure files for tests: chains of C-alpha atoms."""

from string import ascii_uppercase

import numpy as np

RESIDUES = ("ALA", "GLY", "SER", "LEU", "LYS", "GLU", "VAL", "THR")


def walk(n, seed, start=(20.0, 5.0, 12.0)):
    """A chain of n C-alpha atoms, 3.8 A apart, that curls up about `start`."""
    rng = np.random.default_rng(seed)
    points = [np.array(start, dtype=float)]
    for _ in range(n - 1):
        step = rng.normal(size=3) - 0.15 * (points[-1] - start)
        points.append(points[-1] + 3.8 * step / np.linalg.norm(step))
    return np.array(points)


def copies(unit, operators):
    return [unit @ operator.T for operator in operators]


def atom_lines(points, chain, b_factors=20.0, offset=0):
    b_factors = np.broadcast_to(b_factors, len(points))
    return [
        f"ATOM  {i + 1:5d}  CA  {RESIDUES[(i * 5 + offset) % 8]} {chain}{i + 1:4d}    "
        f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00{b:6.2f}           C"
        for i, ((x, y, z), b) in enumerate(zip(points, b_factors, strict=True))
    ]


def write_pdb(path, chains, header=(), b_factors=20.0):
    """Chains are named A, B ... and have one sequence."""
    lines = list(header)
    for name, points in zip(ascii_uppercase, chains, strict=False):
        lines += atom_lines(points, name, b_factors)
    path.write_text("\n".join([*lines, "END"]) + "\n")
    return path
