"""From pixels to landmarks: the HRNet, its heatmaps, its card. The only room besides training that imports torch."""
