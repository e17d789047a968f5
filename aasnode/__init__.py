"""aasnode: the DICOM node that measures the atlantoaxial joint on lateral cervical radiographs."""

import os

__version__ = "0.1.0"

# Before anything imports torch: its threads sleep while they wait for each other. As they come, they spin, and on a
# machine whose cores are busy one film then takes 37 s instead of 4; on an idle one sleeping costs a tenth.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
