"""The backend for any OpenAI-compatible server."""
