"""Step 9: once a study is quiet, its films become a report and overlays, and these become deliveries.

``findings`` gathers what the report is made of; ``service`` decides whether there is something new to say.
"""
