"""What the tap promises, shown through the real command line: calls, completeness, time, memory."""
