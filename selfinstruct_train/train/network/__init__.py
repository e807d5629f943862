"""The network that is trained: loading it, attention within packs, the loss."""
