"""torch.utils: data loading, hooks, trees."""

from . import _pytree as _pytree
from . import data as data
from . import hooks as hooks
