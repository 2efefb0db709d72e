"""The ledger alone: random histories by the thousand, its rules one by one, and its form on disk."""
