import importlib.util
import subprocess
import sys

import pytest

from tests.support.paths import ROOT


def test_the_package_refuses_to_be_imported_under_the_folder_s_name():
    spec = importlib.util.spec_from_file_location("eval", ROOT / "eval" / "__init__.py")
    assert spec is not None and spec.loader is not None
    with pytest.raises(ImportError, match="selfinstruct_eval"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_importing_the_package_and_scoring_loads_nothing_heavy():
    code = (
        "import sys, selfinstruct_eval.report.report, selfinstruct_eval.external\n"
        "from selfinstruct_eval.metrics import score_predictions\n"
        "score_predictions(['a'], [['a']])\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "[]"
