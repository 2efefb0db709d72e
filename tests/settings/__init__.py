"""Settings and files as people hand them over: understood the same in whichever way they come, or refused."""
