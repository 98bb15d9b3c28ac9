"""`torch.nn.functional`: the ops declared under that name, and what is composed of them."""

from .. import ops as ops  # declares the ops that the table holds
from ..core.op import TABLE

globals().update({name: f for (module, name), f in TABLE.items() if module == "nn.functional"})

from .grouped_mm import ScalingType as ScalingType  # noqa: E402
from .grouped_mm import SwizzleType as SwizzleType  # noqa: E402
from .grouped_mm import grouped_mm as grouped_mm  # noqa: E402
from .grouped_mm import scaled_grouped_mm as scaled_grouped_mm  # noqa: E402
from .grouped_mm import scaled_mm as scaled_mm  # noqa: E402
from .multihead import _canonical_mask as _canonical_mask  # noqa: E402
from .multihead import _none_or_dtype as _none_or_dtype  # noqa: E402
from .multihead import multi_head_attention_forward as multi_head_attention_forward  # noqa: E402
from .sizes import BroadcastingList1 as BroadcastingList1  # noqa: E402
from .sizes import BroadcastingList2 as BroadcastingList2  # noqa: E402
from .sizes import BroadcastingList3 as BroadcastingList3  # noqa: E402
from .sizes import assert_int_or_pair as assert_int_or_pair  # noqa: E402
