"""`selfinstruct train` as a script, for launchers that take one.

accelerate launch --config_file configs/accelerate/ddp.yaml --num_processes 8 recipes/train.py --config configs/gpu.yaml
"""

import sys

from selfinstruct_train.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
