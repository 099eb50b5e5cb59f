"""Serves a chat model with llama.cpp's own server, until it is told to end.

    python llamacpp.py MODEL.gguf PORT
"""

import pathlib
import signal
import sys

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = ["smollm2"]
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
params.n_parallel = 2
params.n_ctx = 2 * 2048  # of both together
params.use_jinja = True
params.chat_template = pathlib.Path(__file__).with_name("tools.jinja").read_text()  # the model's own knows no tools
params.warmup = False
params.sampling.seed = 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
params.api_keys = ["a-key"]
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
signal.pause()
