#!/usr/bin/env bash
# Makes a base image of Debian's packages and the .NET runtime that is installed here, and pushes it: base-image.sh host:port/name:tag
# For tests where the public images cannot be reached. Needs apt-get, umoci, skopeo.
set -euo pipefail
target=${1:?usage: base-image.sh host:port/name:tag}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages" && cd "$work/packages"
apt-get download -qq base-files libc6 libgcc-s1 libstdc++6 libssl3 zlib1g tzdata ca-certificates >/dev/null 2>&1
cd "$work"
umoci init --layout oci >/dev/null 2>&1
umoci new --image oci:base >/dev/null 2>&1
umoci unpack --image oci:base bundle >/dev/null 2>&1
root=$work/bundle/rootfs
for package in packages/*.deb; do dpkg-deb -x "$package" "$root"; done
# Certificates as the package's own script would gather them.
mkdir -p "$root/etc/ssl/certs" "$root/usr/share/dotnet" "$root/tmp" "$root/proc" "$root/data"
find "$root/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$root/etc/ssl/certs/ca-certificates.crt"
chmod 1777 "$root/tmp"
printf 'root:x:0:0:root:/root:/bin/false\napp:x:1654:1654:app:/home/app:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:1654:\n' >"$root/etc/group"
from=$(dirname "$(readlink -f "$(command -v dotnet)")")
cp -r "$from/dotnet" "$from/host" "$root/usr/share/dotnet/"
mkdir -p "$root/usr/share/dotnet/shared"
for framework in Microsoft.NETCore.App Microsoft.AspNetCore.App; do
  newest=$(ls "$from/shared/$framework" | grep '^10\.' | sort -V | tail -1)
  mkdir -p "$root/usr/share/dotnet/shared/$framework"
  cp -r "$from/shared/$framework/$newest" "$root/usr/share/dotnet/shared/$framework/"
done
umoci repack --image oci:base bundle >/dev/null 2>&1
umoci config --image oci:base --config.env PATH=/usr/share/dotnet:/usr/bin:/bin --config.env DOTNET_RUNNING_IN_CONTAINER=true --config.env ASPNETCORE_HTTP_PORTS=8080 >/dev/null 2>&1
skopeo copy --quiet --dest-tls-verify=false oci:oci:base "docker://$target"
echo "$target"
