"""Problem sets: readers, generator, corrections and audits of gold answers, overlaps."""
