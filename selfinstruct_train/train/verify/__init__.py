"""What is examined after a training: the saved model, read back from disk."""
