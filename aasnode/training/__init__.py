"""The simulator of radiographs, the training and its evaluation: what made the model.

Needs the extra aasnode[train]; the node itself imports nothing from here.
"""
