"""aasnode: the DICOM node that measures the atlantoaxial joint on lateral cervical radiographs."""

__version__ = "0.1.0"
