"""Evaluation (installed as `selfinstruct_eval`)."""
