"""Streams side by side: the baton, whose turn it is, and that all of it costs and loses nothing."""
