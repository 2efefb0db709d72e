"""The examples for orchestrators, each run by the real one."""
