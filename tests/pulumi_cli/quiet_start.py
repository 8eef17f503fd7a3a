"""Runs a script that an interrupt ends without a trace from its first import on: `quiet_start.py SCRIPT ARGUMENTS`."""

import os
import runpy
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(1))
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
