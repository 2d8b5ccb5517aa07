# Starts this machine as a node of the cluster: start [--worker | --standby | --witness] [--quiet]. Ctrl-C stops it.
Set-Location $PSScriptRoot
if (-not (Test-Path published/Galaxy.Cli/galaxy.dll)) { [Console]::Error.WriteLine('error: nothing is built yet. Run deploy.cmd first.'); exit 1 }
dotnet published/Galaxy.Cli/galaxy.dll start @args
exit $LASTEXITCODE
