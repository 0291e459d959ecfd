#!/bin/bash
# One fit of a W&B sweep in each job of an array, so that the queue sees jobs of one fit's length:
#   sbatch --array=0-19%4 configs/sweep/wandb-array.sh ENTITY/PROJECT/SWEEP
# Change the resources to what one fit takes. W&B draws the values of each job when it begins.
#SBATCH --job-name=cryoccd-wandb
#SBATCH --time=04:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=8G
set -euo pipefail
if [ $# -ne 1 ]; then
  echo "usage: sbatch --array=0-19 $0 ENTITY/PROJECT/SWEEP" >&2
  exit 2
fi
export WANDB_DIR=${WANDB_DIR:-runs/wandb}
mkdir -p "$WANDB_DIR"
exec wandb agent --count 1 "$1"
