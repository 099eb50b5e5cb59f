"""Serves a model with llama.cpp's own server, until it is told to end.

    python llamacpp.py MODEL.gguf PORT
"""

import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
params.embedding = True
params.n_parallel = 1
params.n_ctx = params.n_batch = params.n_ubatch = 256
params.warmup = False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.api_keys = ["a-key"]
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.pause()
