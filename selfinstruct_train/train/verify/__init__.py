"""Checks after a training: the saved model, read from disk."""
