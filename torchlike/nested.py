"""torch.nested: tensors of rows of different lengths are not supported."""

from .core.refusals import refusing

_NAMES = ("to_padded_tensor", "as_nested_tensor", "nested_tensor", "nested_tensor_from_jagged",
          "narrow", "masked_select")  # fmt: skip
for _name in _NAMES:
    globals()[_name] = refusing(
        _name, f"torch.nested.{_name}: nested tensors are not supported; pad them "
        "(torch.nn.utils.rnn.pad_sequence) or pack them (pack_sequence)",
    )  # fmt: skip

__all__ = [*_NAMES]
