"""Stand-ins for other pose programs, which find the poses that were exported with the images."""

import sys

CRYOFIRE = """
import json, os, pickle, sys
import numpy as np
folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "../../configs", sys.argv[1] + ".json")) as stream:
    config = json.load(stream)
assert np.product([2, 3]) == 6
rotations, shifts = pickle.load(open(os.path.dirname(config["ctf"]) + "/poses.pkl", "rb"))
os.makedirs(config["outdir"])
for epoch, sign in ((4, -1), (9, 1), (10, 1)):
    with open(f"{config['outdir']}/pose.{epoch}.pkl", "wb") as stream:
        found = sign * rotations if epoch < 10 else rotations
        pickle.dump(found if config["no_trans"] else (found, sign * 64 * shifts), stream)
print("epochs", config["num_epochs"])
"""

ABINIT = """#!{python}
import pickle, sys, os
words = dict(word.removeprefix("--").split("=") for word in sys.argv[3:] if "=" in word)
assert sys.argv[1] == "abinit" and "--no-analysis" in sys.argv and os.path.isfile(words["ctf"])
rotations, shifts = pickle.load(open(os.path.dirname(words["ctf"]) + "/poses.pkl", "rb"))
os.mkdir(words["outdir"])
side = round(os.path.getsize(sys.argv[2]) / 4 / len(rotations)) ** 0.5 // 1
pickle.dump((rotations, side * shifts), open(words["outdir"] + "/pose.30.pkl", "wb"))
pickle.dump((rotations[:1], shifts[:1]), open(words["outdir"] + "/pose.4.pkl", "wb"))
"""


def write_cryofire(checkout):
    """A folder that looks like a checkout of CryoFIRE."""
    (checkout / "src/commands").mkdir(parents=True)
    (checkout / "configs").mkdir()
    (checkout / "src/commands/train.py").write_text(CRYOFIRE)
    return checkout


def write_cryodrgn(folder):
    """The command."""
    path = folder / "cryodrgn"
    path.write_text(ABINIT.format(python=sys.executable))
    path.chmod(0o755)
    return path
