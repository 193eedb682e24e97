"""Ground that everybody stands on: errors, files, tables, plug-ins, random streams, provenance."""
