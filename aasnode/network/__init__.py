"""DICOM on the wire: what is accepted, what is sent, every status named. Knows no database and no measurement."""
