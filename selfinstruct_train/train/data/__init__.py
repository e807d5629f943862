"""From rows on disk to token ids and packs."""
