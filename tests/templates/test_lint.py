"""cfn-lint knows what AWS refuses; the emulator accepts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from templates.conftest import ROOT


def test_cfn_lint_has_nothing_to_say() -> None:
    program = Path(sys.prefix) / "bin" / "cfn-lint"
    templates = [str(ROOT / name) for name in ("template.yaml", "operations.yaml")]

    done = subprocess.run([str(program), *templates], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
