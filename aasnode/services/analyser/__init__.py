"""Steps 3 to 8: a job is claimed, its film examined in a process of its own, the result kept.

``examination`` runs in that process and knows no database; ``service`` runs in the node and decodes nothing.
"""
