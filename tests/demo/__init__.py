"""What `make demo` runs: both APIs, the tap, a target and a warehouse on one machine, with invented data."""
