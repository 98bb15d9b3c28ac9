"""torch.utils.data.datapipes: datasets that are chained by methods (`dp.map(f).batch(4)`).

There are the pipes of `iter` and `map` below; those for files, shards, data frames and forks are
not supported.
"""

from . import _decorator as _decorator
from . import datapipe as datapipe
from . import iter as iter
from . import map as map
