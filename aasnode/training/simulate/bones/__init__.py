"""One module a bone: a frozen shape, a way to draw it, and one function that builds the Bone.

Every bone is built at its own size in its own frame (x left, y anterior, z up, mm); patients scale it. To change how a
bone looks, change its module alone: the other rooms ask only for the shells, the named points and the mid-sagittal
profile that its ``build`` promises.
"""
