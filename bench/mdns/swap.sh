#!/usr/bin/env bash
# Copies the sources to a temporary folder, puts Makaretu.Dns in place of Galaxy.Core's DNS codec there, and runs what
# tests mDNS:
#   bench/mdns/swap.sh tests        the tests about discovery of Galaxy.Core and of several hosts
#   bench/mdns/swap.sh bench …      bench/discovery/run.sh with these options
#   bench/mdns/swap.sh keep         only makes the copy and says where it is
# GALAXY_MDNS_SWAP=caught: the adapter only converts and catches exceptions, and adds nothing that the library lacks.
# GALAXY_MDNS_SWAP=no: the copy keeps its own codec, for comparison. Needs what bench/discovery needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
copy=$(mktemp -d -t galaxy-mdns-swap-XXXXXX)
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$copy"
cd "$copy"
if [ "${GALAXY_MDNS_SWAP:-yes}" != no ]; then
  cp bench/mdns/Swap/*.cs Galaxy.Core/Discovery/
  if [ "${GALAXY_MDNS_SWAP:-yes}" = caught ]; then
    sed -i 's|IsComplete = true|IsComplete = false|' Galaxy.Core/Discovery/Dns{Reader,Writer}.cs
  fi
  cp bench/mdns/Codec/MakaretuAdapter.cs Galaxy.Core/Discovery/
  sed -i 's|^.*"Microsoft.CodeAnalysis.BannedApiAnalyzers"|    <PackageReference Include="Makaretu.Dns" />\n&|' \
    Galaxy.Core/Galaxy.Core.csproj
fi
case "${1:-}" in
  tests)
    code=0
    dotnet run -c Release --project tests/Galaxy.Core.Tests -- -namespace Galaxy.Core.Tests.Discovery || code=1
    dotnet run -c Release --project tests/Galaxy.Hosts.Tests -- -class Galaxy.Hosts.Tests.Discovery.OtherProgramsTests \
      -class Galaxy.Hosts.Tests.Discovery.HostileTests -class Galaxy.Hosts.Tests.Discovery.TwoHostsTests || code=1
    ;;
  bench) code=0; bench/discovery/run.sh "${@:2}" || code=1 ;;
  keep) echo "$copy"; exit 0 ;;
  *) echo "usage: swap.sh tests | bench [options] | keep" >&2; code=2 ;;
esac
rm -rf "$copy"
exit $code
