"""Records a stranger can check: what an account did, read for sealing, and its sealed days."""
