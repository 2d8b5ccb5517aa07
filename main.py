"""Starts this machine as the report on the prototype wrote it: python main.py [--worker | --standby]. The same as ./start.sh."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
program = os.path.join(here, "published", "Galaxy.Cli", "galaxy.dll")
if not os.path.exists(program):
    sys.exit("error: nothing is built yet. Run ./deploy.sh (deploy.cmd on Windows) first.")
os.chdir(here)
command = ["dotnet", program, "start", *sys.argv[1:]]
if os.name == "nt":
    import subprocess

    sys.exit(subprocess.call(command))
try:
    os.execvp(command[0], command)
except FileNotFoundError:
    sys.exit("error: dotnet is not on PATH. Install the .NET 10 SDK and run ./deploy.sh.")
