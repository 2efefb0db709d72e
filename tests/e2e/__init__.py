"""Runs of the real programs around the tap, in environments of their own: `make e2e`."""
