"""The little world of the built-in tiny model: its texts, its truth and its pretraining. Not part of the wheel."""
