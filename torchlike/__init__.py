"""PyTorch on JAX."""
