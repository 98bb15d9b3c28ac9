"""The kernel: dtypes, memory, recording, autograd. It knows no op by name."""
