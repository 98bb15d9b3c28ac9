"""torch.fx.experimental: names other libraries ask about."""
