"""Records, journal, storage, seeding and prompt formats: what every other room stands on. No torch and no network."""
