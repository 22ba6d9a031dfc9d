"""Lets a worker import the common base, wherever it is started from."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_THREAD_LIMIT"):
    os.environ.setdefault(_name, "1")

from worker import BadRequest, Worker, models_dir, serve, state_dir  # noqa: E402

__all__ = ["BadRequest", "Worker", "models_dir", "serve", "state_dir"]
