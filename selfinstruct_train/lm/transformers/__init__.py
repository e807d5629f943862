"""The backend that runs a model with transformers in this process."""
