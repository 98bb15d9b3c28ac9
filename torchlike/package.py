"""torch.package: archives of code are not supported."""

from .core.refusals import refusing

_NAMES = ("PackageExporter", "PackageImporter", "is_from_package", "sys_importer",
          "OrderedImporter", "Importer")  # fmt: skip
for _name in _NAMES:
    globals()[_name] = refusing(_name, f"torch.package.{_name} is not supported: use torch.save")
