"""What every other room uses: errors, files, tables, plug-ins, random streams, provenance."""
