"""What is examined before a training starts: the doctor and its checks."""
