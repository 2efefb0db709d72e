"""Streams side by side: the lock, whose turn it is, and that all of it costs and loses nothing."""
