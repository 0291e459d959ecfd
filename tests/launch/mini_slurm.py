"""SLURM with two nodes on this machine, for tests: munge, a controller and two slurmd of a folder.

The nodes n1 and n2 have two cores each, by name only. Nothing is installed as a service, and all is
stopped by the process numbers that the daemons have written.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")

CONFIG = """
ClusterName=mini
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge/sock
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MaxArraySize=3
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MailProg=/bin/true
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool-%n
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=8000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=8000
PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why SLURM cannot start here; None where it can."""
    places = os.environ["PATH"] + ":/usr/sbin:/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=places) is None]
    if absent:
        return f"SLURM absent ({absent[0]}): apt-get install slurm-wlm munge"
    if os.getuid() != 0:
        return "SLURM's daemons need root here"
    return None


def start(root: Path) -> Path:
    """Start all daemons; the configuration, for $SLURM_CONF.

    Raises:
        RuntimeError: the nodes do not come up.
    """
    for name in ("state", "log", "run", "munge", "spool-n1", "spool-n2"):
        (root / name).mkdir(parents=True)
    root.chmod(0o755)
    (root / "munge").chmod(0o711)
    key = root / "munge/key"
    key.touch(0o600)
    key.write_bytes(os.urandom(1024))
    config = root / "slurm.conf"
    text = CONFIG.format(host=socket.gethostname().split(".")[0], root=root, ports=_free_ports(3))
    config.write_text(text)
    munge = root / "munge"
    files = [f"--{name}-file={munge}/{name}" for name in ("key", "log", "seed")]
    _run("munged", *files, f"--socket={munge}/sock", f"--pid-file={root}/run/munged.pid")
    _run("slurmctld", "-c", "-f", str(config))
    for node in ("n1", "n2"):
        _run("slurmd", "-f", str(config), "-N", node)
    latest = time.monotonic() + 30
    while time.monotonic() < latest:
        told = _run("sinfo", "--noheader", "--format=%D %T", check=False, SLURM_CONF=str(config))
        if told.split() == ["2", "idle"]:
            return config
        time.sleep(0.3)
    raise RuntimeError(f"SLURM's nodes did not come up: {told}")


def stop(root: Path) -> None:
    """Stop what was started, by its process numbers."""
    for name in ("slurmd-n1", "slurmd-n2", "slurmctld", "munged"):
        file = root / f"run/{name}.pid"
        if file.is_file():
            number = int(file.read_text())
            os.kill(number, signal.SIGTERM)
            latest = time.monotonic() + 10
            while Path(f"/proc/{number}").exists() and time.monotonic() < latest:
                time.sleep(0.1)


def _run(*words: str, check: bool = True, **variables: str) -> str:
    path = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    # daemons keep what they inherit open: a pipe would never end
    with open(os.devnull) as nothing:
        pipe = subprocess.PIPE if words[0] == "sinfo" else nothing
        done = subprocess.run(
            words, env=os.environ | path | variables, stdin=nothing, stdout=pipe, check=check
        )
    return (done.stdout or b"").decode()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
