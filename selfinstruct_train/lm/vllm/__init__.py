"""The backend on vLLM's offline engine."""
