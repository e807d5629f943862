"""Finetune the model on the run's dataset: python recipes/train.py --config configs/tiny.yaml [--train.method lora]

On several GPUs: accelerate launch --config_file configs/accelerate/ddp.yaml recipes/train.py --config ...
Each mixture of train.mixtures makes a model of its own. Stopped at any moment, the same command goes on from the last
checkpoint; a mixture that is finished with the same settings and data is not trained again.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings


def main() -> int:
    from selfinstruct_train.config_file import changed_settings, load_config

    is_first = int(os.environ.get("RANK", "0")) == 0
    # Threads that spin while they wait make a busy machine ten times slower; read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        config = load_config(None)
        warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries, about one another
        level = logging.INFO if is_first else logging.ERROR
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        logging.getLogger("selfinstruct_train").setLevel(level)
        log = logging.getLogger("selfinstruct_train.recipe")
        log.info("%s", changed_settings(config))

        from selfinstruct_train.train.plan import differing, is_complete, make_plan, read_identity

        plans = [make_plan(config, mixture) for mixture in config.train.mixtures]
        lines = []
        for plan in plans:
            counts = ", ".join(f"{reason} {count}" for reason, count in plan.dropped.items())
            log.info("%s: %d rows (dropped: %s)", plan.mixture, len(plan.rows), counts)
            if is_complete(plan):
                lines.append(f"{plan.mixture}: trained before with the same settings and data")
                continue
            if plan.folder.exists():
                changed = ", ".join(differing(read_identity(plan.folder) or {}, plan.identity))
                log.warning(
                    "%s: %s is of another training (changed: %s) and is replaced", plan.mixture, plan.folder, changed
                )

            from selfinstruct_train.train.trainer import train

            result = train(plan)
            first, last = result.losses
            lines.append(
                f"{plan.mixture}: {result.steps} steps on {len(plan.rows)} rows in {result.seconds:.0f} s, "
                f"loss {first:.3f} -> {last:.3f}"
            )
    except (ValueError, OSError) as error:
        if is_first:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130

    if is_first:
        for line in lines:
            print(line)
        for plan in plans:
            print(plan.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
