"""`selfinstruct eval` as a script: python recipes/evaluate.py --config configs/gpu.yaml"""

import sys

from selfinstruct_train.cli import main

if __name__ == "__main__":
    sys.exit(main(["eval", *sys.argv[1:]]))
