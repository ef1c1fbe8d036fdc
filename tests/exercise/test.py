#!/usr/bin/env python3
"""test.py - test.sh with this Python, for the marker of NumPy's functions."""
import subprocess
import sys

sys.exit(subprocess.run(["sh", "tests/exercise/test.sh", sys.executable]).returncode)
