"""Put on PYTHONPATH by `alias.install()`: its sitecustomize runs in every child interpreter."""
