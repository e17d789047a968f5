"""The console's place; not built yet."""
