"""torch.return_types: the named tuples that functions with several outputs return."""

from __future__ import annotations

from typing import Any


class NamedTuple(tuple):
    """A tuple whose items have names, printed as PyTorch prints them."""

    fields: tuple[str, ...] = ()
    __slots__ = ()

    def __new__(cls, *items: Any) -> NamedTuple:
        alone = len(items) == 1 or isinstance(items[-1], dict)  # PyTorch's files add a dict
        made = super().__new__(cls, items[0] if alone else items)
        if len(made) != len(cls.fields):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls.fields)}-sequence "
                f"({len(made)}-sequence given)"
            )
        return made

    def __repr__(self) -> str:
        rows = ",\n".join(f"{name}={item!r}" for name, item in zip(self.fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{rows})"

    def __reduce__(self) -> Any:
        return type(self), (tuple(self),)


def _item(index: int) -> property:
    return property(lambda self: self[index])


def make(name: str, *fields: str) -> type[NamedTuple]:
    """The named tuple torch.return_types.`name`."""
    body: dict[str, Any] = {field: _item(i) for i, field in enumerate(fields)}
    body |= {"fields": fields, "n_fields": len(fields), "n_sequence_fields": len(fields)}
    body |= {"n_unnamed_fields": 0, "__slots__": (), "__module__": __name__}
    return type(name, (NamedTuple,), body)


frexp = make("frexp", "mantissa", "exponent")
aminmax = make("aminmax", "min", "max")
max = make("max", "values", "indices")
min = make("min", "values", "indices")
median = make("median", "values", "indices")
nanmedian = make("nanmedian", "values", "indices")
mode = make("mode", "values", "indices")
kthvalue = make("kthvalue", "values", "indices")
cummax = make("cummax", "values", "indices")
cummin = make("cummin", "values", "indices")
sort = make("sort", "values", "indices")
topk = make("topk", "values", "indices")
histogram = make("histogram", "hist", "bin_edges")
histogramdd = make("histogramdd", "hist", "bin_edges")
svd = make("svd", "U", "S", "V")
qr = make("qr", "Q", "R")
geqrf = make("geqrf", "a", "tau")
slogdet = make("slogdet", "sign", "logabsdet")
triangular_solve = make("triangular_solve", "solution", "cloned_coefficient")
lu_unpack = make("lu_unpack", "P", "L", "U")
linalg_svd = make("linalg_svd", "U", "S", "Vh")
linalg_qr = make("linalg_qr", "Q", "R")
linalg_eigh = make("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_eig = make("linalg_eig", "eigenvalues", "eigenvectors")
linalg_slogdet = make("linalg_slogdet", "sign", "logabsdet")
linalg_cholesky_ex = make("linalg_cholesky_ex", "L", "info")
linalg_inv_ex = make("linalg_inv_ex", "inverse", "info")
linalg_solve_ex = make("linalg_solve_ex", "result", "info")
linalg_lu = make("linalg_lu", "P", "L", "U")
linalg_lu_factor = make("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = make("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_ldl_factor = make("linalg_ldl_factor", "LD", "pivots")
linalg_ldl_factor_ex = make("linalg_ldl_factor_ex", "LD", "pivots", "info")
linalg_lstsq = make("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
