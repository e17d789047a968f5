"""The steps of the journey as services that meet only in the database. They never import each other."""
