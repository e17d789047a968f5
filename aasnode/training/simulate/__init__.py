"""The simulator: lateral cervical radiographs with exact truth, from a parametric neck of skull base to T1.

How a film comes about, one module a step::

    solids → meshes → bones/*   signed distances become closed shells: one function a bone
    bank                        bones are built once and kept in a cache folder
    priors → patient → courses  who the patient is, and how the joint changes from visit to visit
    posture → articulation      bones become a neck: T1 up to the skull, ADI solved exactly on the C1 axis
    soft_tissue                 skin, airway, hyoid and larynx follow the neck
    projection                  divergent beam: exact chord lengths, one thickness map a layer
    landmarks → scene           the maps and the truth of one exposure
    in_beam → film → on_film    attenuation, scatter, noise, a vendor's processing; what else lies on it (disturbances)
    exposure → labelling        one film from one appointment, with its truth
    write → run                 DICOM DX or PNG with the truth beside it; many films, many workers

Frame of the patient: x to the patient's left, y anterior, z up, in mm. Films: arrays (rows, columns), points (x, y).
Sources of the numbers are named beside them; what has none is marked as an estimate.
"""
