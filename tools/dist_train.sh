#!/usr/bin/env bash
# Usage: tools/dist_train.sh CONFIG PROCESSES [OPTIONS of tools/train.py]
# One process a GPU, or several on one CPU. NNODES, NODE_RANK, MASTER_ADDR and PORT as for torchrun; PYTHON names
# another interpreter than python.
set -eu
CONFIG=$1
PROCESSES=$2
shift 2
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "$@"
