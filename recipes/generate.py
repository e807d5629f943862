"""`selfinstruct generate` as a script, for launchers that take one.

torchrun --standalone --nproc_per_node 8 recipes/generate.py --config configs/gpu.yaml
"""

import sys

from selfinstruct_train.cli import main

if __name__ == "__main__":
    sys.exit(main(["generate", *sys.argv[1:]]))
