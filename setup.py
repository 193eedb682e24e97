"""The wheel: the project in one folder, with its library where rules, jobs and archives expect it.

A job in an environment of its own finds the library beside its script, so it is not moved out of
`workflow/scripts`; a .pth file puts that folder on the path. Everything else is in pyproject.toml.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = ("Snakefile", "Makefile", "README.md", "LICENSE", "CITATION.cff", "pyproject.toml")
FOLDERS = ("workflow", "config", "envs", "profiles")


class Project(build_py):
    """Copies files instead of packages; an editable install has the clone itself."""

    def run(self) -> None:
        """Copy."""
        if self.editable_mode:
            super().run()
            return
        target = Path(self.build_lib) / "limr_project"
        shutil.rmtree(target, ignore_errors=True)
        leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
        for name in FOLDERS:
            shutil.copytree(name, target / name, ignore=leave_out)
        for name in FILES:
            shutil.copy2(name, target / name)
        (target.parent / "limr.pth").write_text("limr_project/workflow/scripts\n")


setup(cmdclass={"build_py": Project})
