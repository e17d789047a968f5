"""Plain values in, DICOM SR and overlay out. Never asks the database."""
