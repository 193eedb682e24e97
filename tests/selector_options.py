"""The options without which a selector cannot score: the files that it must be given."""

import json


def needed(module, problem_ids, folder):
    """Return options of a selector's module; its files are written to the folder."""
    options = {}
    for place, option in enumerate(module.OWN_FILES if hasattr(module, "check") else ()):
        path = folder / f"{option}.json"
        path.write_text(json.dumps(dict.fromkeys(problem_ids, place / 2)))
        options[option] = str(path)
    return options
