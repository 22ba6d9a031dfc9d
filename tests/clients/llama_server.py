"""llama.cpp's own HTTP server, as a Python package carries it.

    llama_server.py PORT MODEL [--load mmap|read] [--embeddings] [--context N]

The package is a binding: this calls the server within it, which then has the port for itself.
"""

import argparse
import signal

import xllamacpp


def parameters(options):
    chosen = xllamacpp.CommonParams()
    chosen.model.path = options.model
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = options.port
    chosen.n_ctx = options.context
    chosen.n_parallel = 2
    chosen.n_gpu_layers = 0
    # Threads that wait for each other by turning lose far more on a busy machine than two gain.
    chosen.cpuparams.n_threads = 1
    chosen.cpuparams_batch.n_threads = 1
    chosen.load_mode = getattr(xllamacpp.llama_load_mode, {
        "mmap": "LLAMA_LOAD_MODE_MMAP", "read": "LLAMA_LOAD_MODE_NONE"}[options.load])
    chosen.embedding = options.embeddings
    if options.embeddings:
        chosen.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    chosen.ui = False
    return chosen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("model")
    parser.add_argument("--load", choices=["mmap", "read"], default="mmap")
    parser.add_argument("--embeddings", action="store_true")
    parser.add_argument("--context", type=int, default=512)
    # Blocked before the server's threads are made, so that none of them takes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server = xllamacpp.Server(parameters(parser.parse_args()))
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
