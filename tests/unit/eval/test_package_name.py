import subprocess
import sys

from tests.support.paths import ROOT


def test_the_package_refuses_to_be_imported_under_the_folder_s_name():
    done = subprocess.run([sys.executable, "-c", "import eval"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: ") and "selfinstruct_eval" in done.stderr


def test_importing_the_package_and_scoring_loads_nothing_heavy():
    code = (
        "import sys, selfinstruct_eval.report.report, selfinstruct_eval.external\n"
        "from selfinstruct_eval.metrics import score_predictions\n"
        "score_predictions(['a'], [['a']])\n"
        "print(sorted({'torch', 'transformers', 'datasets', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.strip() == "[]"
