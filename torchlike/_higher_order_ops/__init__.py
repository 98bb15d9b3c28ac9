"""torch._higher_order_ops: functions of functions; so far the associative scan."""

from .associative_scan import associative_scan as associative_scan

__all__ = ["associative_scan"]
