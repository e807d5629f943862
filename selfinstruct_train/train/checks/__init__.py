"""Checks before a training starts: the doctor."""
