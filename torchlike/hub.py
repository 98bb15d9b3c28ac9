"""torch.hub: models from local directories, state dicts from `file://` and from the cache.

`list` and `help` take a directory, `load` one with `source="local"`; fetching a repository is not
supported, so what is said of fetching (`force_reload`, `trust_repo`, …) changes nothing.
"""

import builtins
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import Request, urlopen

from .serialize import load as _load_file

ENV_TORCH_HOME, ENV_XDG_CACHE_HOME = "TORCH_HOME", "XDG_CACHE_HOME"
DEFAULT_CACHE_DIR = "~/.cache"
MODULE_HUBCONF = "hubconf.py"
READ_DATA_CHUNK = 128 * 1024
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
_dir: builtins.list[str] = []


# ----- where things lie -----
def _get_torch_home() -> str:
    cache = os.getenv(ENV_XDG_CACHE_HOME, DEFAULT_CACHE_DIR)
    return os.path.expanduser(os.getenv(ENV_TORCH_HOME, os.path.join(cache, "torch")))


def get_dir() -> str:
    """The directory of downloaded things."""
    if os.getenv("TORCH_HUB"):
        warnings.warn("TORCH_HUB is deprecated, please use env TORCH_HOME instead", stacklevel=2)
    return _dir[-1] if _dir else os.path.join(_get_torch_home(), "hub")


def set_dir(d) -> None:
    """Choose the directory of downloaded things."""
    _dir.append(os.path.expanduser(d))


# ----- local repositories -----
def _hubconf(repo_or_dir, source: str | None, function: str):
    if source is None:
        source = "local" if os.path.isdir(repo_or_dir) else "github"
    if source not in ("github", "local"):
        raise ValueError(
            f'Unknown source: "{source}". Allowed values: "github" | "local".'
        )
    if source == "github":
        raise NotImplementedError(
            f"torch.hub.{function}: source='github' is not supported; fetch the repository and "
            "give its directory with source='local'"
        )
    place = str(repo_or_dir)
    sys.path.insert(0, place)
    try:
        spec = importlib.util.spec_from_file_location("hubconf", Path(place) / MODULE_HUBCONF)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(place)
    missing = [
        name for name in getattr(module, "dependencies", ())
        if importlib.util.find_spec(name) is None
    ]  # fmt: skip
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}")
    return module


def _entry(module, model):
    if not isinstance(model, str):
        raise ValueError("Invalid input: model should be a string of function name")
    found = getattr(module, model, None)
    if not callable(found):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return found


def list(
    github, force_reload=False, skip_validation=False, trust_repo="check", verbose=True,
    source=None,
):  # fmt: skip
    """The names of a directory's models; NotImplementedError for a repository to fetch."""
    module = _hubconf(github, source, "list")
    return [
        name for name in dir(module) if callable(getattr(module, name)) and not name.startswith("_")
    ]


def help(
    github, model, force_reload=False, skip_validation=False, trust_repo="check", source=None
):
    """What a model's function says of itself; NotImplementedError for a repository to fetch."""
    return _entry(_hubconf(github, source, "help"), model).__doc__


def load(
    repo_or_dir, model, *args, source="github", trust_repo="check", force_reload=False,
    verbose=True, skip_validation=False, **kwargs,
):  # fmt: skip
    """A model made by its function in a directory's `hubconf.py`."""
    return _entry(_hubconf(repo_or_dir, source, "load"), model)(*args, **kwargs)


# ----- files -----
def download_url_to_file(url, dst, hash_prefix=None, progress=True) -> None:
    """Copy what a URL holds into a file, whole or not at all; RuntimeError for another hash."""
    dst = os.path.expanduser(dst)
    digest = hashlib.sha256()
    with urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as source:
        handle, name = tempfile.mkstemp(dir=os.path.dirname(dst) or ".", suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as target:
                while chunk := source.read(READ_DATA_CHUNK):
                    target.write(chunk)
                    digest.update(chunk)
            _check_hash(digest.hexdigest(), hash_prefix)
            shutil.move(name, dst)
        finally:
            Path(name).unlink(missing_ok=True)


def _check_hash(found: str, prefix) -> None:
    if prefix is not None and not found.startswith(prefix):
        raise RuntimeError(f'invalid hash value (expected "{prefix}", got "{found}")')


def load_state_dict_from_url(
    url, model_dir=None, map_location=None, progress=True, check_hash=False, file_name=None,
    weights_only=False,
):  # fmt: skip
    """What `torch.load` reads of a URL's file, fetched once into the cache directory."""
    model_dir = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(model_dir, exist_ok=True)
    name = os.path.basename(urlparse(url).path) if file_name is None else file_name
    cached = os.path.join(model_dir, name)
    if not os.path.exists(cached):
        sys.stdout.write(f'Downloading: "{url}" to {cached}\n')
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, cached, found[1] if found else None, progress=progress)
    if _is_plain_zip(cached):
        raise NotImplementedError(
            "torch.hub.load_state_dict_from_url: url of a zip archive around a checkpoint"
        )
    return _load_file(cached, map_location=map_location, weights_only=weights_only)


def _is_plain_zip(path: str) -> bool:
    """A zip that holds one file (an old habit), not a checkpoint of the zip format."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return len(archive.infolist()) == 1


__all__ = [
    "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url",
    "set_dir",
]  # fmt: skip
