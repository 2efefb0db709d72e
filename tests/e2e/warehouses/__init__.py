"""The real targets of warehouses and files, loaded with a recording of three syncs."""
