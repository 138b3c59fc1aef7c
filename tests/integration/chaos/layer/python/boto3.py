"""Stands before the runtime's boto3 in the search path of a function that the fault layer is attached to.

Lambda searches layers before its own boto3 (https://docs.aws.amazon.com/lambda/latest/dg/python-package.html), so an
`import boto3` comes here: the real one is imported in its place, and the faults are hooked into botocore's events. A
function that never imports boto3, such as a shallow health check, pays nothing.
"""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import manuel_faults

_here = Path(__file__).resolve().parent
_spec = PathFinder.find_spec("boto3", [entry for entry in sys.path if Path(entry or ".").resolve() != _here])
if _spec is None or _spec.loader is None:
    raise ModuleNotFoundError("No module named 'boto3' behind the fault layer", name="boto3")
_real = importlib.util.module_from_spec(_spec)
sys.modules["boto3"] = _real  # what `import boto3` gives to everybody, also the one that is waiting now
_spec.loader.exec_module(_real)
manuel_faults.install()
