"""A mirror: a folder with all that studies need, made where there is a network, used without one.

SHA256SUMS                          every file below, as `sha256sum -c` reads it
<`mirror` of config/sources.yaml>   pinned public files
models/<name on the hub>/<commit>/  models of the Hugging Face hub
packages/                           wheels, and sources of what is published as source only
"""
