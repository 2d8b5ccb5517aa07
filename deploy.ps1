# Makes this machine ready: checks what is needed, writes .env with a fresh key where there is none, and builds. Then: .\start.cmd
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot

function Fail($message) { [Console]::Error.WriteLine("error: $message"); exit 1 }

if ($args.Count -gt 0) { Fail "'$($args[0])' is no option of deploy. It takes none." }
Write-Host '1/3 Checking this machine'
if (-not (Get-Command dotnet -ErrorAction SilentlyContinue)) { Fail 'dotnet is not on PATH. Install the .NET 10 SDK (https://dotnet.microsoft.com/download/dotnet/10.0) and run deploy again.' }
if (-not (dotnet --list-sdks | Where-Object { $_ -match '^10\.' })) { Fail 'the .NET 10 SDK is needed. Install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run deploy again.' }

Write-Host '2/3 Settings'
if (-not (Test-Path .env)) { Copy-Item .env.example .env; Write-Host '    .env is new, from .env.example' }
$lines = @(Get-Content .env)
if ($env:GALAXY_API_KEY) { Write-Host '    the key is the one of the environment (GALAXY_API_KEY)' }
elseif ($lines -match '^(export +)?GALAXY_API_KEY *= *[^ ]') { Write-Host '    .env has a key; it stays' }
else {
    $bytes = [byte[]]::new(20)
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    $random.GetBytes($bytes)
    $key = 'gx-' + (-join ($bytes | ForEach-Object { $_.ToString('x2') }))
    @($lines -notmatch '^(export +)?GALAXY_API_KEY *=') + "GALAXY_API_KEY=$key" | Set-Content -Encoding ascii .env
    Write-Host "    a fresh key is in .env. The first machine of a cluster is ready so; on every other one put the first one's key there."
}

Write-Host '3/3 Building (a minute or two the first time)'
dotnet build -nologo -v quiet deploy/machine.proj
if ($LASTEXITCODE -ne 0) { Fail 'the build failed; its messages are above.' }
Write-Host ''
Write-Host 'Ready. start.cmd starts a coordinator with everything it needs, start.cmd --standby a standby, start.cmd --worker a worker.'
