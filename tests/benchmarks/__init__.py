"""Where the README's numbers come from; run by hand, on any machine."""
