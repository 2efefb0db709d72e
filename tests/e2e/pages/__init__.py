"""README and docs/ as a reader follows them: every shell block is pasted, and what it prints is compared."""
