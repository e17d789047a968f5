"""The sampler: what the networks learn from. Every sample is composed anew from parts that were projected once.

A network learns only what varies and only what can be seen. So any C1 meets any C2 in any surroundings, at any ADI,
each with its own size, warp and weight, and the joint always stays visible (docs/training.md, "The sampler")::

    projected        C1 and C2 of the simulator, each alone in the beam: maps of its parts, sections of the midline
    surroundings     the simulator's necks without C1 and C2: spine, skull, teeth, soft tissue
    library          both in a cache folder, built in parallel, resumable
    joint            the C1 axis and its four points, from the sections
    missing          which bones lack an arch or a dens, and what is then not there
    compose          one C1, one C2, one surroundings: where each lies
    warp             elastic warps of maps and sections alike
    attenuation      the parts' maps become a line integral: visible joint, textures
    hardware         screws, rods, plates, wires, with their mask
    sketch → chest, elsewhere    other parts of the body, with nothing to find
    occlusions       rods, shadows, letters, edges
    exposure         scatter, blur, noise, a vendor's processing, a bad copy
    crops → stream   what each stage of the detector looks at, as samples for the training

Frames: a *plane* is the patient's mid-sagittal plane as the film shows it, in mm: x to the face, y down. Crops are in
pixels as everywhere. Knows no network.
"""
