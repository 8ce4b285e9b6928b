#!/usr/bin/env bash
# Usage: tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [OPTIONS of tools/test.py]
# CHECKPOINT is '' for a stage without a model.
# One process a GPU, or several on one CPU. NNODES, NODE_RANK, MASTER_ADDR and PORT as for torchrun; PYTHON names
# another interpreter than python.
set -eu
CONFIG=$1
CHECKPOINT=$2
PROCESSES=$3
shift 3
exec "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$PROCESSES" \
    "$(dirname "$0")/test.py" "$CONFIG" ${CHECKPOINT:+"$CHECKPOINT"} --launcher pytorch "$@"
