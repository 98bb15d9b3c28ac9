"""torch.save, torch.load and torch.serialization."""

from .files import DEFAULT_PROTOCOL as DEFAULT_PROTOCOL
from .files import get_unsafe_globals_in_checkpoint as get_unsafe_globals_in_checkpoint
from .files import load as load
from .files import save as save
from .legacy import SourceChangeWarning as SourceChangeWarning
from .memory import StorageType as StorageType
from .places import MAP_LOCATION as MAP_LOCATION
from .places import default_restore_location as default_restore_location
from .places import location_tag as location_tag
from .places import register_package as register_package
from .rebuild import reduce_tensor as reduce_tensor
from .settings import LoadEndianness as LoadEndianness
from .settings import config as config
from .settings import get_crc32_options as get_crc32_options
from .settings import get_default_load_endianness as get_default_load_endianness
from .settings import get_default_mmap_options as get_default_mmap_options
from .settings import set_crc32_options as set_crc32_options
from .settings import set_default_load_endianness as set_default_load_endianness
from .settings import set_default_mmap_options as set_default_mmap_options
from .settings import skip_data as skip_data
from .unpickle import add_safe_globals as add_safe_globals
from .unpickle import clear_safe_globals as clear_safe_globals
from .unpickle import get_safe_globals as get_safe_globals
from .unpickle import safe_globals as safe_globals
