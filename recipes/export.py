"""Write a dataset for other tools: python recipes/export.py --config configs/tiny.yaml --export.format alpaca

Exit code 2 and one line for what the user can mend.
"""

from __future__ import annotations

import sys


def main() -> int:
    from selfinstruct_train.config_file import load_config

    try:
        config = load_config(None)

        from selfinstruct_train.dataset.exports import export

        result = export(config)
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130

    left_out = f", {result.num_left_out} without instruction or output left out" if result.num_left_out else ""
    print(f"{result.num_rows} rows as {config.export.format}{left_out}")
    print(result.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
