"""Installs torchlike's alias in a child process, when the child first asks for torch."""

import importlib
import importlib.machinery
import importlib.util
import os
import sys


class _Waiting:
    """Stands in for alias' own finder, so that a child that never asks pays nothing."""

    def _installed(self):
        sys.meta_path.remove(self)
        place = os.environ["TORCHLIKE_ALIAS"]
        sys.path.append(place)  # found here even where torchlike is not installed
        try:
            alias = importlib.import_module("torchlike.alias")
        except ModuleNotFoundError:
            return None  # another interpreter, without JAX: its own torch, if any, is meant
        finally:
            sys.path.remove(place)
        alias.install()
        return alias.FINDER

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            finder = self._installed()
            sys.modules.pop("torch", None)  # or importlib takes the alias for a module to load
            return finder and finder.find_spec(name, path, target)

    def find_distributions(self, context=None):
        if getattr(context, "name", None) in (None, "torch"):
            finder = self._installed()
            return finder.find_distributions(context) if finder else []
        return []


def _run_hidden():
    """Runs the sitecustomize that this one hides, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    hidden = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if hidden is not None:
        sys.modules["sitecustomize"] = importlib.util.module_from_spec(hidden)
        hidden.loader.exec_module(sys.modules["sitecustomize"])


if "TORCHLIKE_ALIAS" in os.environ:
    sys.meta_path.insert(0, _Waiting())
_run_hidden()
